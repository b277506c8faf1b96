//! Chunks of a secret namespace: sealed, all of one length, and the same only for the same value under
//! the same key.
//!
//! | what | how |
//! |---|---|
//! | key of a value's chunks | HMAC-SHA-256 under the key of values of a context, the salt of the key, and the BLAKE3 of the value |
//! | key of their nonces | the same with another context |
//! | nonce | the first 24 bytes of the BLAKE3, keyed with the latter, of level, index and bytes of the chunk |
//!
//! Level is one byte, index 8 bytes, highest first; both are bound to the ciphertext too. A nonce that
//! follows from the bytes cannot come twice for different ones, even if a source changes while it is
//! read, and lets a put that is repeated find its chunks where it left them.

use alloc::vec::Vec;
use core::fmt;

use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use wire::Item;
use wire::item::byte_string;
use zeroize::{Zeroize, Zeroizing};

use super::{Form, chunk_bytes};

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// By so much a sealed chunk is longer than what is in it.
pub(super) const OVERHEAD_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// Starts what the ciphertext is bound to.
const CONTEXT: &[u8] = b"xorbit secret chunk v1\0";

/// What each key of a value is for, before the salt of its key and its hash.
pub(crate) const FOR_CHUNKS: &[u8] = b"xorbit secret chunks v1\0";
pub(crate) const FOR_NONCES: &[u8] = b"xorbit secret chunk nonces v1\0";

/// Seals and opens the chunks of one value under one key. It is wiped from memory when it is dropped,
/// and never printed.
#[derive(Clone)]
pub struct ChunkSeal {
    chunks: Zeroizing<[u8; 32]>,
    nonces: Zeroizing<[u8; 32]>,
}

impl ChunkSeal {
    pub(crate) fn new(chunks: Zeroizing<[u8; 32]>, nonces: Zeroizing<[u8; 32]>) -> Self {
        Self { chunks, nonces }
    }

    /// The chunk that stands at this place of the tree: bytes, and zeros up to the length that all have.
    pub(super) fn seal(&self, level: usize, index: u64, bytes: &[u8]) -> Item {
        let place = place(level, index);
        let nonce = self.nonce(&place, bytes);
        let mut sealed = Vec::with_capacity(OVERHEAD_BYTES + Form::Sealed.piece_bytes());
        sealed.extend(nonce);
        sealed.extend(bytes);
        sealed.resize(NONCE_BYTES + Form::Sealed.piece_bytes(), 0);
        let tag = self.cipher().encrypt_inout_detached(
            &XNonce::from(nonce),
            &bound(&place),
            (&mut sealed[NONCE_BYTES..]).into(),
        );
        sealed.extend(tag.expect("the cipher takes 256 GiB, a chunk holds 956 bytes"));
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
        let (nonce, rest) = chunk_bytes(item)?.split_first_chunk::<NONCE_BYTES>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
        if ciphertext.len() != Form::Sealed.piece_bytes() {
            return None;
        }
        let mut bytes = ciphertext.to_vec();
        let opened = self.cipher().decrypt_inout_detached(
            &XNonce::from(*nonce),
            &bound(&place(level, index)),
            bytes.as_mut_slice().into(),
            &Tag::from(*tag),
        );
        opened.ok()?;
        let padding = bytes.split_off(length.min(bytes.len()));
        padding.iter().all(|byte| *byte == 0).then_some(bytes)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.chunks).into())
    }

    fn nonce(&self, place: &[u8; 9], bytes: &[u8]) -> [u8; NONCE_BYTES] {
        let mut hasher = blake3::Hasher::new_keyed(&self.nonces);
        hasher.update(place).update(bytes);
        let mut nonce = [0; NONCE_BYTES];
        hasher.finalize_xof().fill(&mut nonce);
        hasher.zeroize();
        nonce
    }
}

impl fmt::Debug for ChunkSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChunkSeal")
    }
}

fn place(level: usize, index: u64) -> [u8; 9] {
    let mut place = [0; 9];
    // The cast holds: a tree has at most 10 levels.
    place[0] = level as u8;
    place[1..].copy_from_slice(&index.to_be_bytes());
    place
}

fn bound(place: &[u8; 9]) -> Vec<u8> {
    [CONTEXT, place].concat()
}
