//! Values larger than one item: a tree of immutable items under a manifest.
//!
//! The value is cut into pieces of [`PIECE_BYTES`], the last one shorter. Each piece is a chunk: an
//! immutable item (BEP 44) whose value is just those bytes as a byte string. While a level of the
//! tree has more than [`TOP`] chunks, the level above it holds one chunk for every [`FAN_OUT`] of
//! them, whose bytes are their targets, 20 bytes each. The targets of the topmost level stand in the
//! manifest, which is part of the record under the key. So the length alone decides the shape, and
//! the same content always makes the same chunks.
//!
//! A manifest is 8 bytes of length, big-endian; 32 bytes of BLAKE3 of the whole value; the targets.
//!
//! In a secret namespace chunks are [sealed](ChunkSeal): 40 bytes of each are nonce and tag, so that
//! a piece has 956 bytes and a chunk of the tree 47 targets.
//!
//! A target is a SHA-1, for which collisions can be made: whoever made a value might make two of
//! one name. Therefore the whole is checked by BLAKE3 before it counts as read.

mod build;
mod read;
mod seal;
#[cfg(test)]
mod sealed_tests;
#[cfg(test)]
mod tests;

pub use build::{ManifestBuilder, ValueHasher};
pub use read::{ManifestReader, ReadError, Wanted};
pub use seal::ChunkSeal;
pub(crate) use seal::FOR_CHUNKS;

use alloc::vec::Vec;

use wire::bencode::{Malformed, Reader};
use wire::limits::{ID_BYTES, VALUE_BYTES};
use wire::{Item, Target};

/// Bytes of a value in one chunk that is not sealed: with `996:` before them they fill an item (BEP 44: 1,000 bytes).
pub const PIECE_BYTES: usize = VALUE_BYTES - 4;

/// Targets that a manifest holds at most. With a content type of 128 bytes and all times there is
/// room left in the record for what may stand around it one day.
pub const TOP: usize = 32;

/// Bytes of a BLAKE3.
pub(crate) const HASH_BYTES: usize = 32;
/// Bytes of a manifest before its targets.
const HEAD_BYTES: usize = 8 + HASH_BYTES;

/// How the chunks of a value are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Pure bytes: the same content is the same chunk, whoever puts it.
    Open,
    /// Sealed, in a secret namespace.
    Sealed,
}

impl Form {
    /// Bytes of a value in one chunk.
    pub const fn piece_bytes(self) -> usize {
        match self {
            Form::Open => PIECE_BYTES,
            Form::Sealed => PIECE_BYTES - seal::SEAL_BYTES,
        }
    }

    /// Targets in one chunk of the tree.
    pub const fn fan_out(self) -> usize {
        self.piece_bytes() / ID_BYTES
    }
}

/// What stands in a record in place of a value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Bytes of the whole value.
    pub length: u64,
    /// BLAKE3 of the whole value.
    pub hash: [u8; HASH_BYTES],
    /// How its chunks are made.
    pub form: Form,
    /// The chunks of the topmost level.
    targets: Vec<Target>,
}

impl Manifest {
    /// How many chunks the value and its tree have in all.
    pub fn chunks(&self) -> u64 {
        Shape::of(self.length, self.form).chunks()
    }

    /// The chunks of the topmost level.
    pub(crate) fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// As it stands in a record.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.targets.len() * ID_BYTES);
        bytes.extend(self.length.to_be_bytes());
        bytes.extend(self.hash);
        self.targets.iter().for_each(|target| bytes.extend(target.as_bytes()));
        bytes
    }

    /// Reads it. Its number of targets must be what its length demands.
    pub(crate) fn decode(bytes: &[u8], form: Form) -> Result<Self, Malformed> {
        let (length, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
        let (hash, rest) = rest.split_first_chunk().ok_or(Malformed)?;
        let length = u64::from_be_bytes(*length);
        let targets = targets(rest).ok_or(Malformed)?;
        let expected = Shape::of(length, form).levels.last().copied().unwrap_or(0);
        if targets.len() as u64 != expected {
            return Err(Malformed);
        }
        Ok(Self { length, hash: *hash, form, targets })
    }
}

/// How many chunks each level of a tree has, the pieces first.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    length: u64,
    form: Form,
    levels: Vec<u64>,
}

impl Shape {
    /// The shape of a value of so many bytes.
    pub fn of(length: u64, form: Form) -> Self {
        let mut levels = alloc::vec![length.div_ceil(form.piece_bytes() as u64)];
        while let Some(top) = levels.last().copied().filter(|count| *count > TOP as u64) {
            levels.push(top.div_ceil(form.fan_out() as u64));
        }
        Self { length, form, levels }
    }

    /// How the chunks are made.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The number of the topmost level; pieces are level 0.
    pub fn top(&self) -> usize {
        self.levels.len() - 1
    }

    /// Chunks in all.
    pub fn chunks(&self) -> u64 {
        self.levels.iter().sum()
    }

    /// How many chunks of the level below hang from chunk `index` of `level`.
    pub fn children(&self, level: usize, index: u64) -> usize {
        let Some(below) = level.checked_sub(1).map(|below| self.levels[below]) else { return 0 };
        let fan_out = self.form.fan_out() as u64;
        below.saturating_sub(index * fan_out).min(fan_out) as usize
    }

    /// How many bytes stand in chunk `index` of `level`.
    pub fn bytes(&self, level: usize, index: u64) -> usize {
        match level {
            0 => {
                let piece = self.form.piece_bytes() as u64;
                self.length.saturating_sub(index * piece).min(piece) as usize
            }
            _ => self.children(level, index) * ID_BYTES,
        }
    }
}

/// The targets in the bytes of a chunk of the tree.
pub(crate) fn targets(bytes: &[u8]) -> Option<Vec<Target>> {
    let (targets, rest) = bytes.as_chunks::<ID_BYTES>();
    rest.is_empty().then(|| targets.iter().map(|target| Target::new(*target)).collect())
}

/// The bytes of a chunk's item; `None` if it is no byte string.
pub(crate) fn chunk_bytes(item: &Item) -> Option<&[u8]> {
    Reader::new(item.value()).string().ok()
}
