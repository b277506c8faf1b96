//! What takes the items.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use store::{Batch, Change, Each, Memory, Scanned, Store, StoreError};

use crate::failure::Failure;

/// What takes the items.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The engine, in a directory.
    Log,
    /// A file to which the bytes of each batch are appended and synced: the least that durable can cost.
    Append,
    /// Entries in memory.
    Memory,
}

impl Subject {
    pub const ALL: [Self; 3] = [Self::Log, Self::Append, Self::Memory];

    pub fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Append => "append and sync",
            Self::Memory => "memory",
        }
    }

    /// Opens it in a directory.
    pub fn open(self, directory: &Path) -> Result<Box<dyn Store>, Failure> {
        match self {
            Self::Log => match store::open(directory) {
                Ok(opened) => Ok(Box::new(opened.store)),
                Err(error) => Err(Failure::system("cannot open the store", error)),
            },
            Self::Append => match File::create(directory.join("appended")) {
                Ok(file) => Ok(Box::new(Append { file, bytes: Vec::new() })),
                Err(error) => Err(Failure::system("cannot make a file", error)),
            },
            Self::Memory => Ok(Box::new(Memory::new())),
        }
    }
}

/// Takes batches and gives nothing back.
struct Append {
    file: File,
    bytes: Vec<u8>,
}

impl Store for Append {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.bytes.clear();
        for change in batch.changes() {
            let (key, value) = match change {
                Change::Put { key, value } => (key, value),
                Change::Remove { key } => (key, &[][..]),
            };
            self.bytes.extend_from_slice(key);
            self.bytes.extend_from_slice(value);
        }
        let written = self.file.write_all(&self.bytes).and_then(|()| self.file.sync_data());
        written.map_err(|cause| StoreError::Io {
            doing: "append to",
            file: "appended".into(),
            cause,
        })
    }

    fn scan(&mut self, _: &[u8], _: Each<'_>) -> Result<Scanned, StoreError> {
        Ok(Scanned::default())
    }

    fn get(&mut self, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn entries(&self) -> u64 {
        0
    }

    fn disk_bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }
}
