//! Held items, each under a lease, and the markers that deleted and expired ones leave behind.
//!
//! A shelf that outlives the process hands each change out ([`Changes`]) and shows an item only once
//! that is durable; version order and compare-and-swap count those on their way from the first.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry::{Occupied, Vacant};
use wire::{Endpoint, Item, ItemRef, Seq, Target};

use super::admission::{Admission, Lease, Refused, ShelfLimits};
use super::calendar::{Calendar, Minute};
use super::persisted::{self, Persisted};
use super::sources::{Source, Sources, Way};
use super::staged::{Admitted, Staged};
use crate::changes::{BatchNumber, Changes};
use crate::dice::Dice;
use crate::time::UnixMillis;

/// What is known of a target. Boxed, so that the map's own slots stay small when it grows.
pub(super) struct Entry {
    /// The item, or `None` if only its version is remembered.
    pub item: Option<Item>,
    /// The item's version, if it has one.
    seq: Option<Seq>,
    pub lease: Lease,
    source: Source,
    /// The minute under which it will be looked at again.
    pub check: Minute,
    /// It stands in [`Items::evictable`].
    pub listed: bool,
    /// The second of the monotonic clock in which somebody last saw to it that those who should hold
    /// it do.
    pub looked_after_s: u32,
}

impl Entry {
    fn new(
        item: Option<Item>,
        seq: Option<Seq>,
        lease: Lease,
        source: Source,
        check: Minute,
    ) -> Self {
        Self { item, seq, lease, source, check, listed: false, looked_after_s: 0 }
    }

    /// Whether it is an item that is kept to its end.
    pub fn is_kept(&self) -> bool {
        self.item.is_some() && self.lease.kept
    }

    /// Whether it may go when room runs out and was not listed among those; it is from here on.
    pub fn lists_if_evictable(&mut self) -> bool {
        let newly = self.item.is_some() && !self.lease.kept && !self.listed;
        self.listed |= newly;
        newly
    }

    /// Until when it is served.
    pub fn until(&self) -> UnixMillis {
        self.lease.until
    }
}

/// An item that somebody wants held.
pub struct Offered<'i> {
    /// The item.
    pub item: ItemRef<'i>,
    /// Until when its writer wants it held.
    pub wanted: Option<UnixMillis>,
    /// Only over this version (BEP 44, "CAS").
    pub cas: Option<Seq>,
    /// Who brings it.
    pub source: Source,
    /// The second of the monotonic clock in which it comes.
    pub second: u32,
}

/// What became of an item that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is held.
    Held,
    /// It will be held when this batch is durable.
    Staged(BatchNumber),
}

/// Held items.
pub struct Items<A> {
    admission: A,
    pub(super) limits: ShelfLimits,
    pub(super) entries: HashMap<Target, Box<Entry>, foldhash::fast::FixedState>,
    pub(super) staged: Staged,
    pub(super) sources: Sources,
    calendar: Calendar,
    /// Items that may go when room runs out, in the order in which they came.
    pub(super) evictable: VecDeque<Target>,
    /// Bytes of all items, those on their way included.
    pub(super) bytes: usize,
    held: usize,
    /// Targets on their way of which nothing is known yet.
    pub(super) coming: usize,
    durable: bool,
}

impl<A: Admission> Items<A> {
    /// An empty shelf under this admission; a durable one waits for each batch of changes.
    pub fn new(admission: A, limits: ShelfLimits, durable: bool, dice: &mut Dice) -> Self {
        Self {
            admission,
            limits,
            entries: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(dice.u64())),
            staged: Staged::default(),
            sources: Sources::new(dice),
            calendar: Calendar::default(),
            evictable: VecDeque::new(),
            bytes: 0,
            held: 0,
            coming: 0,
            durable,
        }
    }

    /// The item under `target`, unless its lease has ended.
    #[inline]
    pub fn get(&self, target: &Target, wall: UnixMillis) -> Option<&Item> {
        let entry = self.entries.get(target)?;
        entry.item.as_ref().filter(|_| entry.lease.until > wall)
    }

    /// The version that is remembered under `target` of an item that has ended.
    pub fn marker(&self, target: &Target, wall: UnixMillis) -> Option<Seq> {
        let entry = self.entries.get(target)?;
        let ended = entry.lease.until <= wall || entry.item.is_none();
        entry.seq.filter(|_| ended && entry.lease.marker_until > wall)
    }

    /// All that is known, by target.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Target, &Entry)> {
        self.entries.iter().map(|(target, entry)| (target, &**entry))
    }

    /// What is known of a target.
    pub(super) fn entry(&self, target: &Target) -> Option<&Entry> {
        self.entries.get(target).map(|entry| &**entry)
    }

    /// What is known of a target, to note something.
    pub(super) fn entry_mut(&mut self, target: &Target) -> Option<&mut Entry> {
        self.entries.get_mut(target).map(|entry| &mut **entry)
    }

    /// The newest version under a target and its end, on its way, held or remembered.
    pub(super) fn newest(
        &self,
        target: &Target,
        wall: UnixMillis,
    ) -> Option<(Option<Seq>, UnixMillis)> {
        if let Some((_, admitted)) = self.staged.latest(target) {
            return Some((admitted.seq, admitted.lease.until));
        }
        let entry = self.entries.get(target)?;
        let lives = entry.item.is_some() && entry.lease.until > wall;
        let remembered = entry.seq.is_some() && entry.lease.marker_until > wall;
        (lives || remembered).then_some((entry.seq, entry.lease.until))
    }

    /// The source of items that come from an address.
    pub fn source(&self, from: &Endpoint, way: Way) -> Source {
        self.sources.of(from, way)
    }

    /// Takes an item if admission, compare-and-swap and version order allow it (BEP 44).
    ///
    /// # Errors
    /// Why not; what was held stays.
    pub fn put(
        &mut self,
        offered: &Offered<'_>,
        wall: UnixMillis,
        changes: &mut Changes,
    ) -> Result<Taken, Refused> {
        let Offered { item, wanted, cas, source, second } = offered;
        let mut lease = self.admission.judge(item, *wanted, wall)?;
        let target = item.target();
        let known = self.known(&target, item, wall);
        // The same once more, perhaps because our answer was lost: that must not become a conflict.
        let repeated = known.same && known.seq == item.seq();
        if let (Some(old), Some(new)) = (known.seq, item.seq()) {
            if known.lives && !repeated && cas.is_some_and(|cas| cas != old) {
                return Err(CAS_MISMATCH);
            }
            if new < old || (new == old && !known.same) {
                return Err(SEQ_TOO_LOW);
            }
        }
        if let Some(before) = known.lease {
            // Copies of what goes may live on elsewhere, longer than what comes: its marker stays.
            lease.marker_until = lease.marker_until.max(before.marker_until);
            if repeated {
                // What one writer was promised, another cannot take away.
                lease.until = lease.until.max(before.until);
                lease.kept |= before.kept;
            }
            if repeated && lease == before {
                self.looked_after(&target, *second);
                return Ok(known.staged.map_or(Taken::Held, Taken::Staged));
            }
        }
        let admitted = Admitted {
            // Next to one on its way a lease alone is not enough: that one may never arrive.
            item: (!repeated || known.staged.is_some()).then(|| item.to_item()),
            seq: item.seq(),
            lease,
            source: *source,
            second: *second,
        };
        self.make_room(&known, &admitted, wall, changes)?;
        self.coming += usize::from(known.is_new);
        self.bytes += admitted.bytes();
        if admitted.item.is_some() {
            self.sources.charge(admitted.source, admitted.bytes());
        }
        if !self.durable {
            self.apply(target, admitted);
            return Ok(Taken::Held);
        }
        changes.put(&persisted::key(&target), |to| {
            persisted::write_item(&item.as_unverified(), &lease, to)
        });
        self.staged.push(changes.batch(), target, admitted);
        Ok(Taken::Staged(changes.batch()))
    }

    /// What the newest item under a target says of another, those on their way included.
    fn known(&self, target: &Target, item: &ItemRef<'_>, wall: UnixMillis) -> Known {
        let entry = self.entries.get(target);
        let held = entry.and_then(|entry| entry.item.as_ref());
        if let Some((batch, admitted)) = self.staged.latest(target) {
            let value = self.staged.latest_item(target).or(held).map(Item::value);
            return Known {
                seq: admitted.seq,
                lives: true,
                same: value == Some(item.value()),
                lease: Some(admitted.lease),
                staged: Some(batch),
                is_new: false,
                bytes: held.map_or(0, Item::heap_bytes),
            };
        }
        let Some(entry) = entry else { return Known { is_new: true, ..Known::default() } };
        let bytes = held.map_or(0, Item::heap_bytes);
        let held = held.filter(|_| entry.lease.until > wall);
        if held.is_none() && entry.lease.marker_until <= wall {
            return Known { bytes, ..Known::default() };
        }
        Known {
            seq: entry.seq,
            lives: held.is_some(),
            same: held.is_some_and(|held| held.value() == item.value()),
            lease: Some(entry.lease),
            staged: None,
            is_new: false,
            bytes,
        }
    }

    /// Holds what was admitted, and counted for its source.
    fn apply(&mut self, target: Target, admitted: Admitted) {
        let Admitted { item, seq, lease, source, second } = admitted;
        let check = Minute::after(lease.until);
        let (newly_evictable, sooner) = match self.entries.entry(target) {
            Vacant(place) => {
                self.coming -= 1;
                // Only an item can come where nothing is known.
                let Some(item) = item else { return };
                self.held += 1;
                let mut entry = Entry::new(Some(item), seq, lease, source, check);
                entry.looked_after_s = second;
                let evictable = entry.lists_if_evictable();
                place.insert(Box::new(entry));
                (evictable, true)
            }
            Occupied(mut place) => {
                let entry = place.get_mut();
                (entry.lease, entry.looked_after_s) = (lease, second);
                if let Some(item) = item {
                    if let Some(old) = entry.item.take() {
                        self.bytes -= old.heap_bytes();
                        self.sources.release(entry.source, old.heap_bytes());
                    } else {
                        self.held += 1;
                    }
                    (entry.source, entry.seq, entry.item) = (source, seq, Some(item));
                }
                let sooner = check < entry.check;
                entry.check = entry.check.min(check);
                (entry.lists_if_evictable(), sooner)
            }
        };
        if newly_evictable {
            self.list(target);
        }
        if sooner {
            self.note(check, target);
        }
    }

    /// Shows what went with `batch` and before: it is durable now. Tells the targets.
    pub fn stored(&mut self, batch: BatchNumber, mut each: impl FnMut(Target)) {
        while let Some((target, admitted)) = self.staged.pop(batch) {
            self.apply(target, admitted);
            each(target);
        }
    }

    /// Gives up what went with `batch` and before: it could not be made durable.
    pub fn not_stored(&mut self, batch: BatchNumber) {
        while let Some((target, admitted)) = self.staged.pop(batch) {
            self.bytes -= admitted.bytes();
            if admitted.item.is_some() {
                self.sources.release(admitted.source, admitted.bytes());
            }
            if !self.entries.contains_key(&target) && self.staged.latest(&target).is_none() {
                self.coming -= 1;
            }
        }
    }

    /// So many entries will come back from a disk: room for them is made at once.
    pub fn expect(&mut self, entries: usize) {
        self.entries.reserve(entries.min(self.limits.items));
    }

    /// Takes back what was kept for a target on a disk; `false` if it has ended, so that it may be
    /// removed there.
    pub fn restore(&mut self, target: Target, kept: Persisted, wall: UnixMillis) -> bool {
        let (item, seq, lease) = match kept {
            Persisted::Item(item, lease) => (Some(item), None, lease),
            Persisted::Marker(seq, lease) => (None, Some(seq), lease),
        };
        let seq = item.as_ref().and_then(Item::seq).or(seq);
        let item = item.filter(|_| lease.until > wall);
        let remembered = seq.is_some() && lease.marker_until > wall;
        if item.is_none() && !remembered {
            return false;
        }
        let Vacant(place) = self.entries.entry(target) else { return false };
        let next = if item.is_some() { lease.until } else { lease.marker_until };
        let (check, source) = (Minute::after(next), Source::default());
        self.held += usize::from(item.is_some());
        self.bytes += item.as_ref().map_or(0, Item::heap_bytes);
        let mut entry = Entry::new(item, seq, lease, source, check);
        let evictable = entry.lists_if_evictable();
        place.insert(Box::new(entry));
        if evictable {
            self.list(target);
        }
        self.note(check, target);
        true
    }

    fn note(&mut self, check: Minute, target: Target) {
        self.calendar.note(check, target);
        self.declutter();
    }

    pub(super) fn declutter(&mut self) {
        if self.calendar.is_cluttered(self.entries.len()) {
            let all = self.entries.iter().map(|(target, entry)| (entry.check, *target));
            self.calendar.rebuild(all);
        }
    }

    /// Lets go of what has ended; items that must not come back leave their version behind.
    pub fn sweep(&mut self, wall: UnixMillis, changes: &mut Changes) {
        while let Some((begun, targets)) = self.calendar.begun(wall) {
            for target in targets {
                self.check(target, begun, wall, changes);
            }
        }
    }

    pub(super) fn check(
        &mut self,
        target: Target,
        noted: Minute,
        wall: UnixMillis,
        changes: &mut Changes,
    ) {
        let on_its_way = self.staged.latest(&target).is_some();
        let Some(entry) = self.entries.get_mut(&target) else { return };
        if entry.check != noted {
            return;
        }
        let ended = entry.lease.until <= wall && !on_its_way;
        if ended && let Some(item) = entry.item.take() {
            self.bytes -= item.heap_bytes();
            self.held -= 1;
            self.sources.release(entry.source, item.heap_bytes());
        }
        let remembered = entry.seq.filter(|_| entry.lease.marker_until > wall);
        let next = match (&entry.item, remembered) {
            // What is on its way shall find all as it is, and may be no more than a new lease.
            _ if on_its_way => wall + core::time::Duration::from_secs(60),
            (Some(_), _) => entry.lease.until,
            (None, Some(_)) => entry.lease.marker_until,
            (None, None) => {
                self.entries.remove(&target);
                if self.durable {
                    changes.remove(&persisted::key(&target));
                }
                return;
            }
        };
        if let (true, Some(seq), true) = (ended, remembered, self.durable) {
            let lease = entry.lease;
            let key = persisted::key(&target);
            changes.put(&key, |to| persisted::write_marker(seq, &lease, to));
        }
        entry.check = Minute::after(next);
        let check = entry.check;
        self.note(check, target);
    }

    /// Items held.
    pub fn len(&self) -> usize {
        self.held
    }

    /// Whether nothing is held, remembered or on its way.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.staged.len() == 0
    }

    /// Bytes of values and keys, those on their way included.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Checks what must always hold; called by tests after each step.
    ///
    /// # Panics
    /// If it does not.
    #[doc(hidden)]
    pub fn check_invariant(&self) {
        let held =
            self.entries.values().filter_map(|entry| Some(entry.item.as_ref()?.heap_bytes()));
        assert_eq!(self.held, held.clone().count());
        assert_eq!(self.bytes, held.sum::<usize>() + self.staged.bytes());
        let unknown = self.staged.targets().filter(|target| !self.entries.contains_key(*target));
        assert_eq!(self.coming, unknown.count());
        self.calendar.check_invariant(self.entries.len());
        for (target, entry) in &self.entries {
            assert!(self.calendar.has(entry.check, target), "{target} is never looked at again");
        }
        assert!(self.entries.len() + self.coming <= self.limits.items);
    }
}

/// What is known of a target before an item is taken.
#[derive(Default)]
pub(super) struct Known {
    /// The version held, on its way or remembered.
    seq: Option<Seq>,
    /// It has not ended.
    lives: bool,
    /// Its value is that of the new item.
    same: bool,
    lease: Option<Lease>,
    /// It will be held when this batch is durable.
    staged: Option<BatchNumber>,
    /// Its target has no place on the shelf yet.
    pub is_new: bool,
    /// Bytes of the item held.
    pub bytes: usize,
}

const CAS_MISMATCH: Refused = Refused { code: 301, text: "CAS mismatch, re-read and try again" };
const SEQ_TOO_LOW: Refused = Refused { code: 302, text: "sequence number less than current" };

#[cfg(test)]
mod tests;
