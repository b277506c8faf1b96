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
//! A target is a SHA-1, for which collisions can be made: whoever made a value might make two of
//! one name. Therefore the whole is checked by BLAKE3 before it counts as read.

mod build;
mod read;
#[cfg(test)]
mod tests;

pub use build::ManifestBuilder;
pub use read::{ManifestReader, ReadError, Wanted};

use alloc::vec::Vec;

use wire::bencode::{Malformed, Reader};
use wire::limits::{ID_BYTES, VALUE_BYTES};
use wire::{Item, Target};

/// Bytes of a value in one chunk: with `996:` before them they fill an item (BEP 44: 1,000 bytes).
pub const PIECE_BYTES: usize = VALUE_BYTES - 4;

/// Targets in one chunk of the tree.
pub const FAN_OUT: usize = PIECE_BYTES / ID_BYTES;

/// Targets that a manifest holds at most. With a content type of 128 bytes and all times there is
/// room left in the record for what may stand around it one day.
pub const TOP: usize = 32;

/// Bytes of a BLAKE3.
const HASH_BYTES: usize = 32;
/// Bytes of a manifest before its targets.
const HEAD_BYTES: usize = 8 + HASH_BYTES;

/// What stands in a record in place of a value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Bytes of the whole value.
    pub length: u64,
    /// BLAKE3 of the whole value.
    pub hash: [u8; HASH_BYTES],
    /// The chunks of the topmost level.
    targets: Vec<Target>,
}

impl Manifest {
    /// How many chunks the value and its tree have in all.
    pub fn chunks(&self) -> u64 {
        Shape::of(self.length).chunks()
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
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let (length, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
        let (hash, rest) = rest.split_first_chunk().ok_or(Malformed)?;
        let length = u64::from_be_bytes(*length);
        let targets = targets(rest).ok_or(Malformed)?;
        let expected = Shape::of(length).levels.last().copied().unwrap_or(0);
        if targets.len() as u64 != expected {
            return Err(Malformed);
        }
        Ok(Self { length, hash: *hash, targets })
    }
}

/// How many chunks each level of a tree has, the pieces first.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    length: u64,
    levels: Vec<u64>,
}

impl Shape {
    /// The shape of a value of so many bytes.
    pub fn of(length: u64) -> Self {
        let mut levels = alloc::vec![length.div_ceil(PIECE_BYTES as u64)];
        while let Some(top) = levels.last().copied().filter(|count| *count > TOP as u64) {
            levels.push(top.div_ceil(FAN_OUT as u64));
        }
        Self { length, levels }
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
        let rest = below.saturating_sub(index * FAN_OUT as u64);
        rest.min(FAN_OUT as u64) as usize
    }

    /// How many bytes chunk `index` of `level` has.
    pub fn bytes(&self, level: usize, index: u64) -> usize {
        match level {
            0 => {
                let rest = self.length.saturating_sub(index * PIECE_BYTES as u64);
                rest.min(PIECE_BYTES as u64) as usize
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
