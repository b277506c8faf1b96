//! A store that fails as disks do, when its seed says so.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::time::Duration;

use crate::batch::{Batch, Change};
use crate::chance::Chance;
use crate::contract::{Each, Lost, Scanned, Store, StoreError};
use crate::entry;

/// What goes wrong, and how often. All that is zero or `None` never happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Commits of a million that fail and change nothing.
    pub failing_per_million: u32,
    /// Commits of a million that fail although they are applied, or half of the time are not, and say
    /// [`StoreError::Undetermined`].
    pub undetermined_per_million: u32,
    /// Entries put, of a million, of which a bit changes on the disk: they are never shown again.
    pub rotting_per_million: u32,
    /// Commits that would make the store larger than so many bytes fail.
    pub full_at: Option<u64>,
    /// Commits of a million that take as long as [`slow_by`](Self::slow_by).
    pub slow_per_million: u32,
    /// What a slow commit takes. Nobody sleeps: [`Faulty::take_delay`] tells of it.
    pub slow_by: Duration,
}

/// A store that fails as disks do, when its seed says so.
#[derive(Debug)]
pub struct Faulty<S> {
    inner: S,
    chance: Chance,
    faults: Faults,
    delay: Duration,
    /// Entries that rotted, and which bit of each.
    rotten: BTreeMap<Box<[u8]>, u64>,
    scratch: Vec<u8>,
}

impl<S: Store> Faulty<S> {
    /// Puts faults over a store.
    pub fn new(inner: S, seed: u64, faults: Faults) -> Self {
        let chance = Chance::new(seed);
        let (delay, rotten, scratch) = (Duration::ZERO, BTreeMap::new(), Vec::new());
        Self { inner, chance, faults, delay, rotten, scratch }
    }

    /// Changes what goes wrong from now on. What has rotted stays so.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// How long the commits since the last call would have taken.
    pub fn take_delay(&mut self) -> Duration {
        std::mem::take(&mut self.delay)
    }

    /// The store below, which has what is durable.
    pub fn into_inner(self) -> S {
        self.inner
    }

    fn apply(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.inner.commit(batch)?;
        for change in batch.changes() {
            match change {
                Change::Put { key, .. } | Change::Remove { key } => self.rotten.remove(key),
            };
            if let Change::Put { key, .. } = change
                && self.chance.once_in_a_while(self.faults.rotting_per_million)
            {
                self.rotten.insert(key.into(), self.chance.word());
            }
        }
        Ok(())
    }
}

/// What is read of an entry of which a bit changed, as an engine reads it.
fn read_rotten<'a>(
    scratch: &'a mut Vec<u8>,
    key: &[u8],
    value: &[u8],
    bit: u64,
) -> Option<&'a [u8]> {
    scratch.clear();
    entry::write(scratch, key, Some(value));
    // Of the value or its seal, so that the key still leads to it.
    let first = (scratch.len() - value.len() - entry::SEAL_BYTES) as u64;
    let bit = first * 8 + bit % ((scratch.len() as u64 - first) * 8);
    scratch[bit as usize / 8] ^= 1 << (bit % 8);
    entry::read(scratch).filter(entry::Entry::is_sound)?.value
}

impl<S: Store> Store for Faulty<S> {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let Faults { full_at, slow_per_million, slow_by, .. } = self.faults;
        if self.chance.once_in_a_while(slow_per_million) {
            self.delay += slow_by;
        }
        let grows = batch.changes().any(|change| matches!(change, Change::Put { .. }));
        let after = self.inner.disk_bytes() + batch.bytes() as u64;
        if grows && full_at.is_some_and(|full_at| after > full_at) {
            return Err(StoreError::Full(ErrorKind::StorageFull.into()));
        }
        if self.chance.once_in_a_while(self.faults.failing_per_million) {
            let cause = io::Error::other("the disk fails");
            return Err(StoreError::Io { doing: "write", file: "simulated".into(), cause });
        }
        if self.chance.once_in_a_while(self.faults.undetermined_per_million) {
            if self.chance.once_in_a_while(500_000) {
                self.apply(batch)?;
            }
            return Err(StoreError::Undetermined(io::Error::other("the disk fails")));
        }
        self.apply(batch)
    }

    fn scan(&mut self, prefix: &[u8], each: Each<'_>) -> Result<Scanned, StoreError> {
        let (rotten, scratch) = (&self.rotten, &mut self.scratch);
        let mut damaged = 0;
        let mut scanned = self.inner.scan(prefix, &mut |key, value| {
            let read = match rotten.get(key) {
                Some(bit) => read_rotten(scratch, key, value, *bit),
                None => Some(value),
            };
            match read {
                Some(value) => each(key, value),
                None => damaged += 1,
            }
        })?;
        scanned.entries -= damaged;
        scanned.damaged += damaged;
        Ok(scanned)
    }

    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(value) = self.inner.get(key)? else { return Ok(None) };
        match self.rotten.get(key) {
            None => Ok(Some(value)),
            Some(bit) => match read_rotten(&mut self.scratch, key, &value, *bit) {
                Some(value) => Ok(Some(value.to_vec())),
                None => Err(StoreError::Damaged),
            },
        }
    }

    fn take_lost(&mut self) -> Option<Lost> {
        self.inner.take_lost()
    }

    fn entries(&self) -> u64 {
        self.inner.entries()
    }

    fn disk_bytes(&self) -> u64 {
        self.inner.disk_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Memory;

    fn batch(key: &[u8]) -> Batch {
        let mut batch = Batch::new();
        batch.put(key, b"a value of some bytes").unwrap();
        batch
    }

    fn faulty(faults: Faults) -> Faulty<Memory> {
        Faulty::new(Memory::new(), 7, faults)
    }

    #[test]
    fn a_commit_that_fails_changes_nothing() {
        let mut store = faulty(Faults { failing_per_million: 1_000_000, ..Faults::default() });
        assert!(matches!(store.commit(&batch(b"a")), Err(StoreError::Io { .. })));
        assert_eq!(store.into_inner(), Memory::new());
    }

    #[test]
    fn an_undetermined_commit_is_sometimes_applied_and_sometimes_not() {
        let mut store = faulty(Faults { undetermined_per_million: 1_000_000, ..Faults::default() });
        let applied = (0..100u8).filter(|n| {
            assert!(matches!(store.commit(&batch(&[*n])), Err(StoreError::Undetermined(_))));
            store.get(&[*n]).unwrap().is_some()
        });
        let applied = applied.count();
        assert!((20..80).contains(&applied), "{applied} of 100");
    }

    #[test]
    fn a_rotten_entry_is_never_shown_until_it_is_written_anew() {
        let mut store = faulty(Faults { rotting_per_million: 1_000_000, ..Faults::default() });
        store.commit(&batch(b"a")).unwrap();
        store.set_faults(Faults::default());
        store.commit(&batch(b"b")).unwrap();
        let mut shown = Vec::new();
        let scanned = store.scan(b"", &mut |key, _| shown.push(key.to_vec())).unwrap();
        assert_eq!((shown, scanned), (vec![b"b".to_vec()], Scanned { entries: 1, damaged: 1 }));
        assert!(matches!(store.get(b"a"), Err(StoreError::Damaged)));
        store.commit(&batch(b"a")).unwrap();
        assert!(store.get(b"a").unwrap().is_some());
    }

    #[test]
    fn a_full_store_takes_removes_and_then_has_room_again() {
        let mut store = faulty(Faults { full_at: Some(60), ..Faults::default() });
        store.commit(&batch(b"a")).unwrap();
        assert!(matches!(store.commit(&batch(b"b")), Err(StoreError::Full(_))));
        let mut remove = Batch::new();
        remove.remove(b"a").unwrap();
        store.commit(&remove).unwrap();
        store.commit(&batch(b"b")).unwrap();
    }

    #[test]
    fn slow_commits_tell_what_they_would_have_taken() {
        let slow_by = Duration::from_millis(40);
        let mut store =
            faulty(Faults { slow_per_million: 1_000_000, slow_by, ..Faults::default() });
        store.commit(&batch(b"a")).unwrap();
        store.commit(&batch(b"b")).unwrap();
        assert_eq!((store.take_delay(), store.take_delay()), (slow_by * 2, Duration::ZERO));
    }

    #[test]
    fn the_same_seed_fails_at_the_same_commits() {
        let faults = Faults { failing_per_million: 300_000, ..Faults::default() };
        let life = |seed| -> Vec<bool> {
            let mut store = Faulty::new(Memory::new(), seed, faults);
            (0..64).map(|n| store.commit(&batch(&[n])).is_ok()).collect()
        };
        assert_eq!(life(1), life(1));
        assert_ne!(life(1), life(2));
    }
}
