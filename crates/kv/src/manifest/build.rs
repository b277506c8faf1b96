//! From bytes to chunks.

use alloc::vec::Vec;

use wire::item::byte_string;
use wire::{Item, Target};

use super::{FAN_OUT, Manifest, PIECE_BYTES, TOP};

/// Makes the chunks of a value whose bytes come piecewise. What it remembers grows by one chunk a
/// level.
#[derive(Debug)]
pub struct ManifestBuilder {
    hasher: blake3::Hasher,
    length: u64,
    piece: Vec<u8>,
    levels: Vec<Level>,
}

/// Targets of a level that no chunk of the next level holds yet.
#[derive(Debug, Default)]
struct Level {
    targets: Vec<Target>,
    chunks: u64,
}

impl Default for ManifestBuilder {
    fn default() -> Self {
        let piece = Vec::with_capacity(PIECE_BYTES);
        Self {
            hasher: blake3::Hasher::new(),
            length: 0,
            piece,
            levels: alloc::vec![Level::default()],
        }
    }
}

impl ManifestBuilder {
    /// Takes the next bytes of the value; hands out the chunks that they complete.
    pub fn feed(&mut self, mut bytes: &[u8], mut emit: impl FnMut(Item)) {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE_BYTES - self.piece.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() == PIECE_BYTES {
                self.end_piece(&mut emit);
            }
        }
    }

    /// Ends the value: hands out the chunks that remain, and gives the manifest.
    pub fn finish(mut self, mut emit: impl FnMut(Item)) -> Manifest {
        if !self.piece.is_empty() {
            self.end_piece(&mut emit);
        }
        let mut top = 0;
        while self.levels[top].chunks > TOP as u64 {
            self.end_node(top, &mut emit);
            top += 1;
        }
        let targets = core::mem::take(&mut self.levels[top].targets);
        Manifest { length: self.length, hash: *self.hasher.finalize().as_bytes(), targets }
    }

    fn end_piece(&mut self, emit: &mut impl FnMut(Item)) {
        let item = chunk(&self.piece);
        self.piece.clear();
        self.add(0, item, emit);
    }

    fn add(&mut self, level: usize, item: Item, emit: &mut impl FnMut(Item)) {
        // Only when one more comes is it sure that a full chunk of targets is not the last.
        if self.levels[level].targets.len() == FAN_OUT {
            self.end_node(level, emit);
        }
        self.levels[level].targets.push(item.target());
        self.levels[level].chunks += 1;
        emit(item);
    }

    /// Puts the targets of a level into a chunk of the next.
    fn end_node(&mut self, level: usize, emit: &mut impl FnMut(Item)) {
        let targets = core::mem::take(&mut self.levels[level].targets);
        if self.levels.len() == level + 1 {
            self.levels.push(Level::default());
        }
        let bytes: Vec<u8> = targets.iter().flat_map(|target| *target.as_bytes()).collect();
        self.add(level + 1, chunk(&bytes), emit);
    }
}

fn chunk(bytes: &[u8]) -> Item {
    Item::immutable(&byte_string(bytes)).expect("a byte string of at most 996 bytes fits an item")
}
