//! From chunks back to bytes: which chunk is wanted next, and the pieces in their order.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use wire::{Item, Target};

use super::{ChunkSeal, Form, Manifest, Shape, chunk_bytes, targets};

/// Pieces that may be wanted before the first of them has come: about a megabyte.
pub(super) const AHEAD: usize = 1024;

/// Chunks of the tree whose targets are known before they are wanted, on each level.
pub(super) const NODES_AHEAD: usize = 2 * Form::Open.fan_out();

/// A chunk that the reader wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub target: Target,
    pub(super) level: usize,
    index: u64,
}

/// Why a value cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Chunks that nobody gave, those that hang from a lost chunk of the tree included.
    #[error("{missing} of {of} chunks are missing")]
    Missing {
        /// How many.
        missing: u64,
        /// Of how many.
        of: u64,
    },
    /// The chunks are there, but they are not what the manifest says: its writer erred or lied.
    #[error("the chunks are not those of the value that the manifest names")]
    Mismatch,
}

/// Reads a value from its chunks, which may come in any order.
#[derive(Debug)]
pub struct ManifestReader {
    shape: Shape,
    seal: Option<ChunkSeal>,
    hash: blake3::Hash,
    hasher: blake3::Hasher,
    /// The pieces first.
    levels: Vec<Level>,
    missing: u64,
    mismatch: bool,
}

/// Where reading stands on one level. All queues are in the order of the chunks.
#[derive(Debug, Default)]
struct Level {
    /// Known and not wanted yet; `None` where the chunk that would name it is lost.
    known: VecDeque<Option<Target>>,
    /// Wanted and not passed on yet.
    wanted: VecDeque<Slot>,
    /// The index of the first of `wanted`.
    first: u64,
}

#[derive(Debug)]
enum Slot {
    Waits(Target),
    Here(Box<[u8]>),
    Lost,
}

impl ManifestReader {
    /// Reads what this manifest names; of one in a secret namespace with the seal of its chunks
    /// ([`Namespace::chunk_seal`](crate::Namespace::chunk_seal)).
    pub fn new(manifest: &Manifest, seal: Option<ChunkSeal>) -> Self {
        let shape = Shape::of(manifest.length, manifest.form);
        let mut levels: Vec<Level> = (0..=shape.top()).map(|_| Level::default()).collect();
        levels[shape.top()].known = manifest.targets().iter().copied().map(Some).collect();
        Self {
            shape,
            seal,
            hash: manifest.hash.into(),
            hasher: blake3::Hasher::new(),
            levels,
            missing: 0,
            mismatch: false,
        }
    }

    /// The next chunk to fetch; `None` while enough are wanted, and at the end.
    pub fn wanted(&mut self) -> Option<Wanted> {
        self.pass_on();
        for level in (0..self.levels.len()).rev() {
            if !self.has_room(level) {
                continue;
            }
            let here = &mut self.levels[level];
            let Some(Some(target)) = here.known.front().copied() else { continue };
            here.known.pop_front();
            let index = here.first + here.wanted.len() as u64;
            here.wanted.push_back(Slot::Waits(target));
            return Some(Wanted { target, level, index });
        }
        None
    }

    /// Takes a chunk that came.
    pub fn found(&mut self, wanted: Wanted, item: Item) {
        let slot = match self.opened(&wanted, &item) {
            Some(bytes) => Slot::Here(bytes),
            None => {
                self.mismatch = true;
                Slot::Lost
            }
        };
        self.fill(wanted, slot);
    }

    /// What is in a chunk, if it belongs there.
    fn opened(&self, wanted: &Wanted, item: &Item) -> Option<Box<[u8]>> {
        let length = self.shape.bytes(wanted.level, wanted.index);
        match (self.shape.form(), &self.seal) {
            (Form::Open, _) => chunk_bytes(item).filter(|it| it.len() == length).map(Box::from),
            (Form::Sealed, Some(seal)) => {
                seal.open(wanted.level, wanted.index, length, item).map(Vec::into_boxed_slice)
            }
            (Form::Sealed, None) => None,
        }
    }

    /// Takes note that nobody gives a chunk.
    pub fn lost(&mut self, wanted: Wanted) {
        self.fill(wanted, Slot::Lost);
    }

    /// Hands out the pieces that have come, in order, as long as none is missing.
    pub fn drain(&mut self, mut each: impl FnMut(&[u8])) {
        self.pass_on();
        while let Some(Slot::Here(_) | Slot::Lost) = self.levels[0].wanted.front() {
            match self.levels[0].pop() {
                Some(Slot::Here(bytes)) if self.missing == 0 && !self.mismatch => {
                    self.hasher.update(&bytes);
                    each(&bytes);
                }
                Some(Slot::Lost) => self.missing += 1,
                _ => {}
            }
            self.pass_on();
        }
    }

    /// Whether all pieces were handed out or found missing.
    pub fn is_over(&self) -> bool {
        self.levels[0].first == self.shape.levels[0]
    }

    /// Pieces handed out or found missing so far, and how many there are.
    pub fn progress(&self) -> (u64, u64) {
        (self.levels[0].first, self.shape.levels[0])
    }

    /// Whether what was handed out is the whole value.
    ///
    /// # Errors
    /// [`ReadError::Missing`] if not all chunks came, [`ReadError::Mismatch`] if they make another
    /// value.
    pub fn verdict(&self) -> Result<(), ReadError> {
        if self.mismatch {
            return Err(ReadError::Mismatch);
        }
        let missing = self.missing + (self.shape.levels[0] - self.levels[0].first);
        if missing > 0 {
            return Err(ReadError::Missing { missing, of: self.shape.chunks() });
        }
        // `blake3::Hash` compares in constant time, which costs nothing here.
        if self.hasher.finalize() == self.hash { Ok(()) } else { Err(ReadError::Mismatch) }
    }

    fn has_room(&self, level: usize) -> bool {
        let wanted = self.levels[level].wanted.len();
        match level {
            0 => wanted < AHEAD,
            _ => {
                let ahead = if level == 1 { AHEAD } else { NODES_AHEAD };
                self.levels[level - 1].known.len() + wanted * self.shape.form().fan_out() < ahead
            }
        }
    }

    fn fill(&mut self, wanted: Wanted, slot: Slot) {
        let level = &mut self.levels[wanted.level];
        let place = wanted.index.checked_sub(level.first).map(|place| place as usize);
        let Some(place) = place.and_then(|place| level.wanted.get_mut(place)) else { return };
        if matches!(place, Slot::Waits(target) if *target == wanted.target) {
            *place = slot;
        }
        self.pass_on();
    }

    /// Moves what the chunks of the tree name to the level below, and what is lost by them.
    fn pass_on(&mut self) {
        for level in (0..self.levels.len()).rev() {
            loop {
                let here = &mut self.levels[level];
                while let Some(None) = here.known.front() {
                    here.known.pop_front();
                    here.wanted.push_back(Slot::Lost);
                }
                if level == 0 || matches!(here.wanted.front(), None | Some(Slot::Waits(_))) {
                    break;
                }
                let children = self.shape.children(level, here.first);
                let named = match here.pop() {
                    Some(Slot::Here(bytes)) => targets(&bytes),
                    _ => {
                        self.missing += 1;
                        None
                    }
                };
                let below = &mut self.levels[level - 1].known;
                match named {
                    Some(named) => below.extend(named.into_iter().map(Some)),
                    None => below.extend(core::iter::repeat_n(None, children)),
                }
            }
        }
    }
}

impl Level {
    fn pop(&mut self) -> Option<Slot> {
        let slot = self.wanted.pop_front()?;
        self.first += 1;
        Some(slot)
    }
}
