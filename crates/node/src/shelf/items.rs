//! Held items, each under a lease, and the markers that deleted and expired ones leave behind.
//!
//! A shelf that outlives the process hands each change out ([`Changes`]) and shows an item only once
//! that is durable; version order and compare-and-swap count those on their way from the first.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry::{Occupied, Vacant};
use wire::planted::{self, Bug};
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
    pub(super) seq: Option<Seq>,
    pub lease: Lease,
    /// For whom it counts, until nothing is known of its target.
    pub(super) source: Source,
    /// It may go when room runs out though it was kept: all who should hold it do.
    pub released: bool,
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
        Self { item, seq, lease, source, released: false, check, listed: false, looked_after_s: 0 }
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

    /// Whether only its version is left though its lease lasts: our clock was fast for a while.
    pub fn went_early(&self, wall: UnixMillis) -> bool {
        self.item.is_none() && self.lease.until > wall
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
    pub(super) calendar: Calendar,
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
        let lives = entry.lease.until > wall || planted::is(Bug::ExpiredServed);
        entry.item.as_ref().filter(|_| lives)
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

    /// Whether something for a target is not durable yet.
    pub(super) fn is_on_its_way(&self, target: &Target) -> bool {
        self.staged.latest(target).is_some()
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
        let repeated = known.orders(item, *cas)?;
        if known.lease.is_some_and(|before| before.kept || before.marker_until > wall) {
            self.admission.may_follow(item, wall)?;
        }
        if let Some(before) = known.lease {
            lease = lease.after(&before, repeated);
            if repeated && lease == before {
                return Ok(known.staged.map_or(Taken::Held, Taken::Staged));
            }
        }
        let mut admitted = Admitted {
            // Next to one on its way a lease alone is not enough: that one may never arrive.
            item: (!repeated || known.staged.is_some()).then(|| item.to_item()),
            seq: item.seq(),
            lease,
            source: *source,
            is_charged: known.is_new,
            second: *second,
        };
        self.make_room(&known, &mut admitted, wall, changes)?;
        self.coming += usize::from(known.is_new);
        self.bytes += admitted.bytes();
        self.sources.charge(admitted.source, admitted.items(), admitted.bytes());
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

    /// Holds what was admitted, and counted for its source.
    fn apply(&mut self, target: Target, admitted: Admitted) {
        let items = admitted.items();
        let Admitted { item, seq, lease, source, second, .. } = admitted;
        let check = Minute::after(lease.until);
        let (newly_evictable, sooner) = match self.entries.entry(target) {
            Vacant(place) => {
                self.coming -= 1;
                // A new lease of an item that never came is worth nothing.
                let Some(item) = item else { return self.sources.release(source, items, 0) };
                self.held += 1;
                let mut entry = Entry::new(Some(item), seq, lease, source, check);
                entry.looked_after_s = second;
                let evictable = entry.lists_if_evictable();
                place.insert(Box::new(entry));
                (evictable, true)
            }
            Occupied(mut place) => {
                let entry = place.get_mut();
                (entry.lease, entry.released) = (lease, false);
                if let Some(item) = item {
                    let old = entry.item.replace(item);
                    let bytes = old.as_ref().map_or(0, Item::heap_bytes);
                    self.bytes -= bytes;
                    self.held += usize::from(old.is_none());
                    // If it counts for another from here on, that one was charged for it.
                    self.sources.release(entry.source, items, bytes);
                    (entry.source, entry.seq) = (source, seq);
                    // Whoever puts the same once more has perhaps put it nowhere else.
                    entry.looked_after_s = second;
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
            self.sources.release(admitted.source, 0, admitted.bytes());
            if admitted.is_charged && !self.staged.inherits_charge(&target) {
                self.sources.release(admitted.source, 1, 0);
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
        let (item, seq, mut lease) = match kept {
            Persisted::Item(item, lease) => (Some(item), None, lease),
            Persisted::Marker(seq, lease) => (None, Some(seq), lease),
        };
        lease.kept &= !planted::is(Bug::RestoredNotKept);
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
            self.sources.release(entry.source, 0, item.heap_bytes());
        }
        let remembers = entry.lease.marker_until > wall && !planted::is(Bug::MarkerForgotten);
        let remembered = entry.seq.filter(|_| remembers);
        let next = match (&entry.item, remembered) {
            // What is on its way shall find all as it is, and may be no more than a new lease.
            _ if on_its_way => wall + core::time::Duration::from_secs(60),
            (Some(_), _) => entry.lease.until,
            (None, Some(_)) => entry.lease.marker_until,
            (None, None) => {
                self.sources.release(entry.source, 1, 0);
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

    /// Items on their way to the disk.
    pub fn on_their_way(&self) -> usize {
        self.staged.len()
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
        let charged = self
            .entries
            .values()
            .map(|entry| (entry.source, 1, entry.item.as_ref().map_or(0, Item::heap_bytes)));
        let staged = self.staged.all().map(|it| (it.source, it.items(), it.bytes()));
        // Whoever takes an item over is charged before the one before it is not any more.
        self.sources.check_invariant(charged.chain(staged));
        self.calendar.check_invariant(self.entries.len());
        for (target, entry) in &self.entries {
            assert!(self.calendar.has(entry.check, target), "{target} is never looked at again");
        }
        assert!(self.entries.len() + self.coming <= self.limits.items);
    }
}

#[cfg(test)]
mod tests;
