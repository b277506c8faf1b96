//! Tests of our nodes against real foreign ones, on loopback.
//!
//! A test starts [`Ours`] and some [`Strangers`], lets one side write and the other read, and counts
//! the copies three times over: what the writer was told, what the holders say of themselves, and
//! what a [`Census`] finds that asks each node with datagrams of its own making. The three must
//! agree, so no test can pass while the other side got nothing.
//!
//! What is tried is the same for all kinds of strangers: as [`clients`] of a network of ours, as
//! [`hosts`] of our nodes, and as [`neighbours`] in one network. Each kind has a file of tests.
//!
//! Strangers that run in processes of their own are installed by `cargo xtask interop-setup`.
//! Without them a test fails: it is never skipped.

mod author;
mod census;
pub mod clients;
mod failure;
mod foreign;
mod hex;
pub mod hosts;
pub mod neighbours;
mod ours;
mod patience;
mod peer;
mod program;
mod strangers;
mod values;
mod witness;
mod world;

pub use author::Author;
pub use census::{Census, Copies};
pub use failure::{Failure, Outcome};
pub use foreign::Foreign;
pub use ours::Ours;
pub use patience::{bounded, eventually};
pub use peer::{Peer, installed};
pub use program::Program;
pub use strangers::{Found, How, Put, Strangers};
pub use values::{LARGEST, bencoded, immutable_target, largest};
pub use witness::Witness;
pub use world::World;

/// Nodes that we store on, and libtorrent does (BEP 5: K = 8).
pub const K: usize = 8;
