//! From bytes to chunks.

use alloc::vec::Vec;

use wire::item::byte_string;
use wire::{Item, Target};

use super::{ChunkSeal, Form, HASH_BYTES, Manifest, TOP};

/// Hashes a value whose bytes come piecewise, as a [`Manifest`] has it.
#[derive(Debug, Default)]
pub struct ValueHasher(blake3::Hasher);

impl ValueHasher {
    /// Takes the next bytes of the value.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Its BLAKE3.
    pub fn finish(self) -> [u8; HASH_BYTES] {
        *self.0.finalize().as_bytes()
    }
}

/// Makes the chunks of a value whose bytes come piecewise. What it remembers grows by one chunk a
/// level.
#[derive(Debug)]
pub struct ManifestBuilder {
    hasher: ValueHasher,
    seal: Option<ChunkSeal>,
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
        Self::new(None)
    }
}

impl ManifestBuilder {
    /// Of a value in a secret namespace the seal for its key and hash
    /// ([`Namespace::chunk_seal`](crate::Namespace::chunk_seal)). If the value turns out to have another
    /// hash, its manifest is of no use: nobody can open the chunks.
    pub fn new(seal: Option<ChunkSeal>) -> Self {
        let levels = alloc::vec![Level::default()];
        Self { hasher: ValueHasher::default(), seal, length: 0, piece: Vec::new(), levels }
    }

    fn form(&self) -> Form {
        if self.seal.is_some() { Form::Sealed } else { Form::Open }
    }

    /// Takes the next bytes of the value; hands out the chunks that they complete.
    pub fn feed(&mut self, mut bytes: &[u8], mut emit: impl FnMut(Item)) {
        self.hasher.feed(bytes);
        self.length += bytes.len() as u64;
        let full = self.form().piece_bytes();
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(full - self.piece.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() == full {
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
        let (form, targets) = (self.form(), core::mem::take(&mut self.levels[top].targets));
        Manifest { length: self.length, hash: self.hasher.finish(), form, targets }
    }

    fn end_piece(&mut self, emit: &mut impl FnMut(Item)) {
        let item = self.chunk(0, &self.piece);
        self.piece.clear();
        self.add(0, item, emit);
    }

    fn add(&mut self, level: usize, item: Item, emit: &mut impl FnMut(Item)) {
        // Only when one more comes is it sure that a full chunk of targets is not the last.
        if self.levels[level].targets.len() == self.form().fan_out() {
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
        let item = self.chunk(level + 1, &bytes);
        self.add(level + 1, item, emit);
    }

    /// The next chunk of a level.
    fn chunk(&self, level: usize, bytes: &[u8]) -> Item {
        match &self.seal {
            Some(seal) => seal.seal(level, self.levels[level].chunks, bytes),
            None => Item::immutable(&byte_string(bytes))
                .expect("a byte string of at most 996 bytes fits an item"),
        }
    }
}
