//! What must outlive the process: keys and values for whoever keeps them on a disk, in batches.
//!
//! The driver takes what has gathered ([`Changes::take`]), makes it durable, and says so with
//! [`Node::stored`](crate::Node::stored); meanwhile the next batch gathers.

use alloc::vec::Vec;

/// Names a batch of changes; later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct BatchNumber(u64);

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'c> {
    /// Under this key lies this value from now on.
    Put {
        /// At most 64 bytes.
        key: &'c [u8],
        /// The value.
        value: &'c [u8],
    },
    /// Under this key lies nothing any more.
    Remove {
        /// At most 64 bytes.
        key: &'c [u8],
    },
}

/// A batch of changes in the order in which they came; they belong together. Its buffers are kept.
#[derive(Default)]
pub struct Changes {
    batch: BatchNumber,
    bytes: Vec<u8>,
    ends: Vec<End>,
}

/// Where in the bytes a change ends.
#[derive(Clone, Copy)]
struct End {
    key: usize,
    /// `None`: removed.
    value: Option<usize>,
}

impl Changes {
    /// The number under which changes gather now.
    pub fn batch(&self) -> BatchNumber {
        self.batch
    }

    /// Puts a value, written in place, under a key.
    pub fn put(&mut self, key: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.extend_from_slice(key);
        let end = self.bytes.len();
        write(&mut self.bytes);
        self.ends.push(End { key: end, value: Some(self.bytes.len()) });
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(End { key: self.bytes.len(), value: None });
    }

    /// Takes the batch that has gathered, leaving the buffers of `into` for the next one.
    pub fn take(&mut self, into: &mut Changes) -> BatchNumber {
        into.clear();
        core::mem::swap(self, into);
        self.batch = BatchNumber(into.batch.0 + 1);
        into.batch
    }

    /// The changes.
    pub fn iter(&self) -> impl Iterator<Item = Change<'_>> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let key = &self.bytes[start..end.key];
            start = end.value.unwrap_or(end.key);
            match end.value {
                Some(value_end) => Change::Put { key, value: &self.bytes[end.key..value_end] },
                None => Change::Remove { key },
            }
        })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Forgets all, unsaved.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    #[test]
    fn changes_come_out_as_they_went_in_and_batches_are_numbered() {
        let mut changes = Changes::default();
        changes.put(b"key", |value| value.extend(b"value"));
        changes.remove(b"gone");
        changes.put(b"", |_| {});
        let first = changes.batch();
        let mut taken = Changes::default();
        assert_eq!(changes.take(&mut taken), first);
        assert!(changes.is_empty() && changes.batch() > first);
        let expected = vec![
            Change::Put { key: b"key", value: b"value" },
            Change::Remove { key: b"gone" },
            Change::Put { key: b"", value: b"" },
        ];
        assert_eq!(taken.iter().collect::<Vec<_>>(), expected);
        changes.put(b"next", |_| {});
        let second = changes.batch();
        assert_eq!(changes.take(&mut taken), second);
        assert_eq!(taken.len(), 1);
    }
}
