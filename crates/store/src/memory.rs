//! A store without a disk.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::batch::{Batch, Change};
use crate::contract::{Each, Scanned, Store, StoreError};
use crate::entry::OVERHEAD_BYTES;

/// Entries in memory. Whatever was committed outlives a power cut: what a process finds that starts
/// again is a clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    entries: BTreeMap<Box<[u8]>, Box<[u8]>>,
    bytes: u64,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

fn size(key: &[u8], value: &[u8]) -> u64 {
    (key.len() + value.len() + OVERHEAD_BYTES) as u64
}

impl Store for Memory {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        for change in batch.changes() {
            let (key, before) = match change {
                Change::Put { key, value } => {
                    self.bytes += size(key, value);
                    (key, self.entries.insert(key.into(), value.into()))
                }
                Change::Remove { key } => (key, self.entries.remove(key)),
            };
            self.bytes -= before.map_or(0, |value| size(key, &value));
        }
        Ok(())
    }

    fn scan(&mut self, prefix: &[u8], each: Each<'_>) -> Result<Scanned, StoreError> {
        let mut scanned = Scanned::default();
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let entries = self.entries.range::<[u8], _>(from);
        for (key, value) in entries.take_while(|(key, _)| key.starts_with(prefix)) {
            scanned.entries += 1;
            each(key, value);
        }
        Ok(scanned)
    }

    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entries.get(key).map(|value| value.to_vec()))
    }

    fn entries(&self) -> u64 {
        self.entries.len() as u64
    }

    fn disk_bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_entries_that_are_there() {
        let mut store = Memory::new();
        let mut batch = Batch::new();
        batch.put(b"a", b"12345").unwrap();
        batch.put(b"a", b"1").unwrap();
        batch.put(b"b", b"").unwrap();
        store.commit(&batch).unwrap();
        assert_eq!(store.disk_bytes(), 2 * OVERHEAD_BYTES as u64 + 3);
        batch.clear();
        batch.remove(b"a").unwrap();
        batch.remove(b"b").unwrap();
        batch.remove(b"c").unwrap();
        store.commit(&batch).unwrap();
        assert_eq!((store.disk_bytes(), store), (0, Memory::new()));
    }
}
