//! Changes that become durable together.

use crate::entry;
use crate::limits::{BATCH_BYTES, KEY_BYTES, VALUE_BYTES};

/// What is longer than a store takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {what} of `{length}` bytes is too long; a store takes `{limit}`")]
pub struct TooLong {
    /// `key`, `value` or `batch`.
    pub what: &'static str,
    /// Its length in bytes.
    pub length: usize,
    /// The most that is taken, in bytes.
    pub limit: usize,
}

/// Changes that become durable together, in order: of two under one key the later one holds.
///
/// One buffer holds them as they go to the disk, so a batch that is cleared and filled again
/// allocates nothing once it has grown.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    entries: Vec<u8>,
    count: usize,
}

/// One change of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// The key has this value from now on.
    Put {
        /// The key.
        key: &'a [u8],
        /// The value.
        value: &'a [u8],
    },
    /// The key has no value any more.
    Remove {
        /// The key.
        key: &'a [u8],
    },
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a value under a key.
    ///
    /// # Errors
    /// If either, or the batch with them, is longer than [`limits`](crate::limits) allow; the batch
    /// stays as it was.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), TooLong> {
        within("value", value.len(), VALUE_BYTES)?;
        self.add(key, Some(value))
    }

    /// Removes what is under a key, if anything is.
    ///
    /// # Errors
    /// As for [`put`](Self::put).
    pub fn remove(&mut self, key: &[u8]) -> Result<(), TooLong> {
        self.add(key, None)
    }

    fn add(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), TooLong> {
        within("key", key.len(), KEY_BYTES)?;
        let more = entry::OVERHEAD_BYTES + key.len() + value.map_or(0, <[u8]>::len);
        within("batch", self.entries.len() + more, BATCH_BYTES)?;
        entry::write(&mut self.entries, key, value);
        self.count += 1;
        Ok(())
    }

    /// Changes in it.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no change in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes that it takes on the disk.
    pub fn bytes(&self) -> usize {
        self.entries.len()
    }

    /// Takes all changes out and keeps the memory for the next ones.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.count = 0;
    }

    /// The changes, in the order in which they were made.
    pub fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        entry::all(&self.entries).map(|(_, entry)| match entry.value {
            Some(value) => Change::Put { key: entry.key, value },
            None => Change::Remove { key: entry.key },
        })
    }

    /// The changes as they go to the disk.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.entries
    }
}

fn within(what: &'static str, length: usize, limit: usize) -> Result<(), TooLong> {
    if length > limit { Err(TooLong { what, length, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_back_in_the_order_in_which_they_were_made() {
        let mut batch = Batch::new();
        batch.put(b"one", b"1").unwrap();
        batch.remove(b"two").unwrap();
        batch.put(b"", b"").unwrap();
        let changes: Vec<Change<'_>> = batch.changes().collect();
        let expected = [
            Change::Put { key: b"one", value: b"1" },
            Change::Remove { key: b"two" },
            Change::Put { key: b"", value: b"" },
        ];
        assert_eq!(changes, expected);
        assert_eq!((batch.len(), batch.bytes()), (3, 3 * entry::OVERHEAD_BYTES + 7));
    }

    #[test]
    fn a_batch_that_is_filled_again_takes_no_new_memory() {
        let mut batch = Batch::new();
        let fill = |batch: &mut Batch| {
            (0..100u32).for_each(|n| batch.put(&n.to_be_bytes(), &[0; 300]).unwrap());
        };
        fill(&mut batch);
        let before = batch.entries.as_ptr();
        batch.clear();
        assert!(batch.is_empty() && batch.bytes() == 0 && batch.changes().next().is_none());
        fill(&mut batch);
        assert_eq!(batch.entries.as_ptr(), before);
    }

    #[test]
    fn what_is_one_byte_too_long_is_refused_and_changes_nothing() {
        let mut batch = Batch::new();
        batch.put(&[1; KEY_BYTES], &[2; VALUE_BYTES]).unwrap();
        let error = batch.put(&[1; KEY_BYTES + 1], b"").unwrap_err();
        assert_eq!(error, TooLong { what: "key", length: KEY_BYTES + 1, limit: KEY_BYTES });
        assert_eq!(batch.put(b"", &[2; VALUE_BYTES + 1]).unwrap_err().what, "value");
        assert_eq!(batch.remove(&[1; KEY_BYTES + 1]).unwrap_err().what, "key");
        assert_eq!(batch.len(), 1);
        while batch.put(b"key", &[2; VALUE_BYTES]).is_ok() {}
        assert!(batch.bytes() <= BATCH_BYTES);
        assert_eq!(batch.put(b"key", &[2; VALUE_BYTES]).unwrap_err().what, "batch");
    }
}
