//! Chunks of a secret namespace: sealed, all of one length, and the same only for the same value under
//! the same key.
//!
//! The keys of a value's chunks and of their nonces are HMAC-SHA-256 under the key of values of a
//! context, the salt of the key, and the BLAKE3 of the value. A chunk is sealed for its level, one
//! byte, and its index, 8 bytes, highest first. The cipher is [`Repeatable`], so that a put that is
//! repeated finds its chunks where it left them, and a source that changes while it is read does no
//! harm.

use alloc::vec::Vec;

use wire::Item;
use wire::item::byte_string;

use super::{Form, chunk_bytes};
use crate::cipher::{OVERHEAD_BYTES, Repeatable};

/// By so much a sealed chunk is longer than what is in it.
pub(super) const SEAL_BYTES: usize = OVERHEAD_BYTES;

/// Starts what the ciphertext is bound to.
const CONTEXT: &[u8] = b"xorbit secret chunk v1\0";

/// What the two keys of a value are for, before the salt of its key and its hash.
pub(crate) const FOR_CHUNKS: [&[u8]; 2] =
    [b"xorbit secret chunks v1\0", b"xorbit secret chunk nonces v1\0"];

/// Seals and opens the chunks of one value under one key. It is wiped from memory when it is dropped,
/// and never printed.
#[derive(Clone, Debug)]
pub struct ChunkSeal(Repeatable);

impl ChunkSeal {
    pub(crate) fn new(keys: [zeroize::Zeroizing<[u8; 32]>; 2]) -> Self {
        let [key, nonces] = keys;
        Self(Repeatable::new(key, nonces, CONTEXT))
    }

    /// The chunk that stands at this place of the tree: bytes, and zeros up to the length that all have.
    pub(super) fn seal(&self, level: usize, index: u64, bytes: &[u8]) -> Item {
        let sealed = self.0.seal(&place(level, index), bytes, Form::Sealed.piece_bytes());
        Item::immutable(&byte_string(&sealed)).expect("996 bytes fit an item")
    }

    /// What is in the chunk at this place, of `length` bytes; `None` if it does not open there, or if
    /// other bytes than zeros follow.
    pub(super) fn open(
        &self,
        level: usize,
        index: u64,
        length: usize,
        item: &Item,
    ) -> Option<Vec<u8>> {
        let opened = self.0.open(&place(level, index), chunk_bytes(item)?)?;
        let (bytes, padding) = opened.split_at_checked(length)?;
        let fits = opened.len() == Form::Sealed.piece_bytes();
        (fits && padding.iter().all(|byte| *byte == 0)).then(|| bytes.to_vec())
    }
}

fn place(level: usize, index: u64) -> [u8; 9] {
    let mut place = [0; 9];
    // The cast holds: a tree has at most 10 levels.
    place[0] = level as u8;
    place[1..].copy_from_slice(&index.to_be_bytes());
    place
}
