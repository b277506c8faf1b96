//! What every store does, and why it may refuse.

use std::io;

use crate::batch::{Batch, TooLong};

/// Bytes under keys. It has one owner, and waits for nothing but the disk.
pub trait Store: Send {
    /// Applies a batch as a whole; it has survived a power cut when this returns.
    ///
    /// # Errors
    /// If it could not be made durable. After all but [`StoreError::Undetermined`] nothing of it is
    /// there, now or later.
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// Shows each entry whose key begins with `prefix`, once, in an order that follows from what
    /// was committed, but not in the order of keys. Costs one pass over the whole store, however
    /// few match: who wants several kinds of entries asks for all of them at once.
    ///
    /// # Errors
    /// If the disk cannot be read. What was shown until then is sound.
    fn scan(&mut self, prefix: &[u8], each: Each<'_>) -> Result<Scanned, StoreError>;

    /// The value under a key.
    ///
    /// # Errors
    /// If the disk cannot be read, or holds other bytes there than were written.
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// What was found damaged since the last call, while something else was done. Nobody else tells of
    /// it, neither now nor after a restart.
    fn take_lost(&mut self) -> Option<Lost> {
        None
    }

    /// Entries in it.
    fn entries(&self) -> u64;

    /// Bytes that the store takes on the disk.
    fn disk_bytes(&self) -> u64;
}

/// Who is shown the key and the value of each entry.
pub type Each<'a> = &'a mut dyn FnMut(&[u8], &[u8]);

/// What a scan came across.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Entries that were shown.
    pub entries: u64,
    /// Entries of any prefix that were left out, because their bytes are not those that were written.
    pub damaged: u64,
}

/// What was durable and is so no more, because its bytes changed on the disk. Whoever still has it can
/// commit it anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Entries that are gone.
    pub entries: u64,
    /// The damaged files in which they lay, by their new names.
    pub set_aside: Vec<String>,
}

/// Why a store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room is left. What was committed before can be read; later commits succeed once there is room.
    #[error("no space is left for the store: {0}")]
    Full(io::Error),
    /// The system refuses.
    #[error("cannot {doing} `{file}` of the store: {cause}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file, by its name in the store's directory.
        file: String,
        /// Why not.
        cause: io::Error,
    },
    /// The disk refused in a way that leaves open whether the batch will be there after a restart.
    /// The store takes no batch before it has cleared this up, which each commit tries first; then
    /// the batch is not there.
    #[error("the disk refused, and it is open whether the batch is kept: {0}")]
    Undetermined(io::Error),
    /// The bytes are not those that were written.
    #[error("an entry of the store is damaged: its checksum does not match")]
    Damaged,
    /// An entry of an earlier version has no place in the present one. The store is as it was.
    #[error("an entry cannot be brought to the present format: {0}")]
    Migration(#[from] TooLong),
    /// A later version of the program wrote the store.
    #[error("the store has the format `{found}`, and this program knows formats up to `{known}`")]
    TooNew {
        /// The version found.
        found: u32,
        /// Our version.
        known: u32,
    },
}
