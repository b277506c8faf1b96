//! Bencode, read without copying and written into a buffer that the caller owns.
//!
//! The canonical form (sorted keys, no `i-0e`, no `02:hi`) is checked only where a hash or signature
//! depends on it, by [`check_canonical`]: some nodes send the outer dictionaries of their messages
//! unsorted, and a value in a longer form is to be answered with an error, not with silence.

mod canonical;
mod read;
mod write;

pub use canonical::check_canonical;
pub use read::{Dictionary, Malformed, Reader};
pub use write::Writer;
