//! Data directories of nodes that do not run: what lies in them ([`Reader`]), entry by entry
//! ([`Entry`]), and putting entries into them ([`Writer`]). While one is open, no node can start in
//! its directory.

mod entry;
mod reader;
mod writer;

pub use entry::{Entry, Fault};
pub use reader::{Condition, Reader};
pub use writer::{TakeError, Taken, Writer};
