//! Putting entries into a data directory while its node does not run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use node::{Lease, Persisted};
use store::{Batch, Directory, Log, Store, StoreError, TooLong};
use wire::KnownKeys;

use super::entry::{Entry, Fault};
use super::reader::Condition;
use crate::data_dir::{DataDir, DataDirError};

/// What became of an entry that is sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// There was nothing; now it is there.
    New,
    /// It took the place of an older one, or lengthened the life of the same one.
    Renewed,
    /// The same was there.
    Same,
    /// Something newer was there, and stays; or another identity, or another promise about the key.
    Outdated,
}

/// Why an entry was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It is not sound.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It is too long for a store.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// The directory cannot be used any more.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
}

/// Puts entries into a data directory while its node does not run.
///
/// They gather in batches; each is durable as a whole when it is full or [`Writer::commit`]
/// returns. What gathered and was not committed is gone when this is dropped.
pub struct Writer {
    path: PathBuf,
    store: Log<Directory>,
    condition: Condition,
    batch: Batch,
    /// What is in the batch.
    gathered: HashMap<Vec<u8>, Vec<u8>>,
    keys: KnownKeys,
    /// Held, not used: it keeps nodes out.
    _directory: DataDir,
}

impl Writer {
    /// Opens a data directory, or makes one.
    ///
    /// # Errors
    /// [`DataDirError`]: a node uses it, or it cannot be written.
    pub fn open(directory: &Path) -> Result<Self, DataDirError> {
        let data_dir = DataDir::take(directory)?;
        let opened = data_dir.open_store()?;
        Ok(Self {
            path: directory.to_owned(),
            condition: Condition::of(&opened),
            store: opened.store,
            batch: Batch::new(),
            gathered: HashMap::new(),
            keys: KnownKeys::default(),
            _directory: data_dir,
        })
    }

    /// How its files were: this opening has mended them, so nobody else can tell of it.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Takes an entry if it is sound, unless what is there is newer.
    ///
    /// # Errors
    /// [`TakeError`]. What was taken before stays in the batch.
    pub fn take(&mut self, entry: &Entry<'_>) -> Result<Taken, TakeError> {
        entry.check(&mut self.keys)?;
        let (mut key, mut value) = (Vec::new(), Vec::new());
        entry.write(&mut key, &mut value);
        let there = self.there(&key)?;
        let taken = match &there {
            None => Taken::New,
            Some(there) if *there == value => Taken::Same,
            Some(there) => {
                let Some(renewed) = over(&Entry::read(&key, there), entry) else {
                    return Ok(Taken::Outdated);
                };
                let mut both = Vec::new();
                renewed.write(&mut Vec::new(), &mut both);
                value = both;
                if *there == value { Taken::Same } else { Taken::Renewed }
            }
        };
        if taken != Taken::Same {
            if self.batch.put(&key, &value).is_err() {
                self.commit()?;
                self.batch.put(&key, &value)?;
            }
            self.gathered.insert(key, value);
        }
        Ok(taken)
    }

    /// Makes durable what has gathered.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn commit(&mut self) -> Result<(), DataDirError> {
        if !self.batch.is_empty() {
            self.store.commit(&self.batch).map_err(|cause| cannot(&self.path, cause))?;
            self.batch.clear();
            self.gathered.clear();
        }
        Ok(())
    }

    fn there(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, DataDirError> {
        if let Some(gathered) = self.gathered.get(key) {
            return Ok(Some(gathered.clone()));
        }
        match self.store.get(key) {
            // A sound one may take its place.
            Err(StoreError::Damaged) => Ok(None),
            got => got.map_err(|cause| cannot(&self.path, cause)),
        }
    }
}

fn cannot(directory: &Path, cause: StoreError) -> DataDirError {
    DataDirError::Store { directory: directory.to_owned(), cause }
}

/// What is there once `new` came over `old`, which lies under the same key; `None`: `old` as it is.
fn over<'b>(old: &Entry<'b>, new: &Entry<'b>) -> Option<Entry<'b>> {
    let (Entry::Kept(old), Entry::Kept(new)) = (old, new) else {
        // What nobody understands is better replaced by what is sound.
        let unsound = matches!(old, Entry::Other { key, .. } if Persisted::is_key(key));
        return unsound.then(|| new.clone());
    };
    let kept = match (*old, *new) {
        (Persisted::Peer(old), Persisted::Peer(new)) if new.until > old.until => {
            Persisted::Peer(new)
        }
        (Persisted::Member(old), Persisted::Member(new)) => {
            let (seq, new_seq) = (old.member.saying.seq, new.member.saying.seq);
            if new_seq < seq || (new_seq == seq && new.wire() != old.wire()) {
                return None;
            }
            Persisted::Member(new.held_until(new.until.max(old.until)))
        }
        (
            Persisted::Item { target, item, lease },
            Persisted::Item { item: new, lease: new_lease, .. },
        ) => {
            let (seq, new_seq) = (item.signed.map(|s| s.seq), new.signed.map(|s| s.seq));
            let lease = if new_seq > seq {
                remembering(new_lease, &lease)
            } else if new_seq == seq && new.value == item.value {
                longer(&lease, &new_lease)
            } else {
                return None;
            };
            Persisted::Item { target, item: new, lease }
        }
        (Persisted::Item { item, lease, .. }, Persisted::Marker { target, seq, lease: new })
            if item.signed.is_some_and(|signed| signed.seq < seq) =>
        {
            Persisted::Marker { target, seq, lease: remembering(new, &lease) }
        }
        (Persisted::Marker { target, seq, lease }, Persisted::Item { item, lease: new, .. })
            if item.signed.is_some_and(|signed| signed.seq > seq) =>
        {
            Persisted::Item { target, item, lease: remembering(new, &lease) }
        }
        (
            Persisted::Marker { target, seq: old_seq, lease },
            Persisted::Marker { seq, lease: new, .. },
        ) if seq >= old_seq => Persisted::Marker { target, seq, lease: remembering(new, &lease) },
        _ => return None,
    };
    Some(Entry::Kept(kept))
}

/// Copies of what goes may live on elsewhere: it is remembered as long as it would have been.
fn remembering(lease: Lease, before: &Lease) -> Lease {
    Lease { marker_until: lease.marker_until.max(before.marker_until), ..lease }
}

/// The same item twice keeps the longer of both promises.
fn longer(one: &Lease, other: &Lease) -> Lease {
    Lease {
        until: one.until.max(other.until),
        marker_until: one.marker_until.max(other.marker_until),
        kept: one.kept || other.kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::{PersistedMember, PersistedPeer, UnixMillis};
    use wire::{Endpoint, InfoHash, Item, Member, Saying, Seq, Signer, Target};

    fn lease(until: u64, marker_until: u64) -> Lease {
        Lease { until: UnixMillis(until), marker_until: UnixMillis(marker_until), kept: true }
    }

    fn item(seq: i64, value: &[u8]) -> Item {
        let seq = Seq::new(seq).unwrap();
        Item::mutable(&Signer::from_seed(&[1; 32]), b"k", seq, value).unwrap()
    }

    fn kept(item: &Item, lease: Lease) -> Entry<'_> {
        let unverified = item.as_ref().as_unverified();
        Entry::Kept(Persisted::Item { target: item.target(), item: unverified, lease })
    }

    fn marker(target: Target, seq: i64, marker_until: u64) -> Entry<'static> {
        let lease = Lease { kept: false, ..lease(0, marker_until) };
        Entry::Kept(Persisted::Marker { target, seq: Seq::new(seq).unwrap(), lease })
    }

    #[test]
    fn a_higher_version_takes_the_place_of_a_lower_one_and_never_the_other_way() {
        let (low, high, other) = (item(1, b"1:a"), item(2, b"1:b"), item(2, b"1:c"));
        let expected = kept(&high, lease(5, 9));
        assert_eq!(over(&kept(&low, lease(7, 9)), &kept(&high, lease(5, 5))), Some(expected));
        assert_eq!(over(&kept(&high, lease(5, 5)), &kept(&low, lease(7, 9))), None);
        assert_eq!(over(&kept(&high, lease(5, 5)), &kept(&other, lease(7, 9))), None);
        let both = kept(&high, lease(7, 9));
        assert_eq!(over(&kept(&high, lease(7, 5)), &kept(&high, lease(5, 9))), Some(both));
    }

    #[test]
    fn what_has_ended_stays_so() {
        let (low, high) = (item(1, b"1:a"), item(3, b"1:b"));
        let target = low.target();
        let ended = marker(target, 2, 9);
        assert_eq!(over(&ended, &kept(&low, lease(5, 5))), None);
        assert_eq!(over(&ended, &kept(&item(2, b"1:a"), lease(5, 5))), None);
        assert_eq!(over(&kept(&low, lease(5, 11)), &ended), Some(marker(target, 2, 11)));
        assert_eq!(over(&kept(&high, lease(5, 5)), &ended), None);
        let expected = kept(&high, lease(5, 9));
        assert_eq!(over(&ended, &kept(&high, lease(5, 5))), Some(expected));
        assert_eq!(over(&ended, &marker(target, 2, 12)), Some(marker(target, 2, 12)));
        assert_eq!(over(&ended, &marker(target, 1, 12)), None);
    }

    #[test]
    fn peers_count_until_the_later_time_and_an_identity_is_not_replaced() {
        let peer = |until| {
            let (info_hash, endpoint) = (InfoHash::new([1; 20]), Endpoint::v4([10, 0, 0, 1], 5));
            let until = UnixMillis(until);
            Entry::Kept(Persisted::Peer(PersistedPeer { info_hash, endpoint, seed: false, until }))
        };
        assert_eq!(over(&peer(1), &peer(2)), Some(peer(2)));
        assert_eq!(over(&peer(2), &peer(1)), None);
        let node = |byte| Entry::Node { id: wire::NodeId::new([byte; 20]), contacts: Vec::new() };
        assert_eq!(over(&node(1), &node(2)), None);
    }

    #[test]
    fn the_later_saying_of_a_writer_counts_and_is_held_as_long_as_the_one_before() {
        let target = Target::new([3; 20]);
        let wire = |seq, removed| {
            let seq = Seq::new(seq).unwrap();
            let saying = Saying { item: b"it", seq, expires_ms: 5, remembered_ms: 5, removed };
            Member::sign(&Signer::from_seed(&[1; 32]), &target, saying).unwrap().encode()
        };
        let (added, removed, other) = (wire(1, false), wire(2, true), wire(2, false));
        let member = |wire, until| {
            let member = PersistedMember::new(target, wire, UnixMillis(until)).unwrap();
            Entry::Kept(Persisted::Member(member))
        };
        let expected = member(&removed, 9);
        assert_eq!(over(&member(&added, 9), &member(&removed, 5)), Some(expected));
        assert_eq!(over(&member(&removed, 5), &member(&added, 9)), None);
        assert_eq!(over(&member(&removed, 5), &member(&other, 9)), None);
        assert_eq!(over(&member(&added, 5), &member(&added, 9)), Some(member(&added, 9)));
        let mut keys = KnownKeys::default();
        assert_eq!(member(&added, 5).check(&mut keys), Ok(()));
        let elsewhere = PersistedMember::new(Target::new([4; 20]), &added, UnixMillis(5)).unwrap();
        let elsewhere = Entry::Kept(Persisted::Member(elsewhere)).check(&mut keys);
        assert_eq!(elsewhere, Err(Fault::BadItem(wire::Refusal::BadSignature)));
    }
}
