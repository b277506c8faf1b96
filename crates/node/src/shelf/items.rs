//! Held items, each under a lease, and the markers that deleted and expired ones leave behind.
//!
//! A shelf that outlives the process hands each change out ([`Changes`]) and shows an item only once
//! that is durable; version order and compare-and-swap count those on their way from the first.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use hashbrown::HashMap;
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
struct Entry {
    /// The item, or `None` if only its version is remembered.
    item: Option<Item>,
    /// The item's version, if it has one.
    seq: Option<Seq>,
    lease: Lease,
    source: Source,
    /// The minute under which it will be looked at again.
    check: Minute,
    /// It stands in [`Items::evictable`].
    listed: bool,
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
    limits: ShelfLimits,
    entries: HashMap<Target, Box<Entry>, foldhash::fast::FixedState>,
    staged: Staged,
    sources: Sources,
    calendar: Calendar,
    /// Items that may go when room runs out, in the order in which they came.
    evictable: VecDeque<Target>,
    /// Bytes of all items, those on their way included.
    bytes: usize,
    held: usize,
    /// Targets on their way of which nothing is known yet.
    coming: usize,
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
        let Offered { item, wanted, cas, source } = offered;
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
                return Ok(known.staged.map_or(Taken::Held, Taken::Staged));
            }
        }
        let admitted = Admitted {
            item: (!repeated).then(|| item.to_item()),
            seq: item.seq(),
            lease,
            source: *source,
        };
        self.make_room(&known, &admitted, wall, changes)?;
        self.coming += usize::from(known.is_new);
        self.bytes += admitted.bytes();
        if !self.durable {
            self.apply(target, admitted);
            return Ok(Taken::Held);
        }
        changes.put(&persisted::key(&target), |to| persisted::write_item(item, &lease, to));
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

    /// Finds room for an item: what has ended goes, then what nobody was promised.
    fn make_room(
        &mut self,
        known: &Known,
        admitted: &Admitted,
        wall: UnixMillis,
        changes: &mut Changes,
    ) -> Result<(), Refused> {
        let bytes = admitted.bytes();
        if !known.is_new {
            let grows = bytes.saturating_sub(known.bytes);
            let most = self.limits.bytes + self.limits.bytes / 16;
            return if self.bytes + grows <= most { Ok(()) } else { Err(FULL) };
        }
        if !self.fits(bytes) {
            self.sweep(wall, changes);
        }
        let may_evict = admitted.lease.kept && !self.evictable.is_empty();
        if !self.fits(bytes) && !may_evict {
            return Err(FULL);
        }
        if !self.sources.allows(admitted.source, bytes, &self.limits) {
            return Err(PART_IS_FULL);
        }
        while !self.fits(bytes) {
            if !self.evict(wall, changes) {
                return Err(FULL);
            }
        }
        Ok(())
    }

    fn fits(&self, bytes: usize) -> bool {
        self.entries.len() + self.coming < self.limits.items
            && self.bytes + bytes <= self.limits.bytes
    }

    /// Lets go of the item that came first of those that may go. `false`: there is none.
    fn evict(&mut self, wall: UnixMillis, changes: &mut Changes) -> bool {
        while let Some(target) = self.evictable.pop_front() {
            let on_its_way = self.staged.latest(&target).is_some();
            let Some(entry) = self.entries.get_mut(&target) else { continue };
            entry.listed = false;
            if entry.lease.kept || on_its_way {
                continue;
            }
            // Its marker stays where there is one: room in bytes is gained all the same.
            entry.lease.until = wall;
            let check = entry.check;
            self.check(target, check, wall, changes);
            self.declutter();
            return true;
        }
        false
    }

    /// Holds what was admitted.
    fn apply(&mut self, target: Target, admitted: Admitted) {
        let Admitted { item, seq, lease, source } = admitted;
        let check = Minute::after(lease.until);
        let Some(entry) = self.entries.get_mut(&target) else {
            self.coming -= 1;
            // Only an item can come where nothing is known.
            let Some(item) = item else { return };
            self.held += 1;
            self.sources.charge(source, item.heap_bytes());
            let entry = Entry { item: Some(item), seq, lease, source, check, listed: false };
            self.entries.insert(target, Box::new(entry));
            self.list_if_evictable(target, !lease.kept);
            return self.note(check, target);
        };
        entry.lease = lease;
        let sooner = check < entry.check;
        if sooner {
            entry.check = check;
        }
        if let Some(item) = item {
            if let Some(old) = entry.item.take() {
                self.bytes -= old.heap_bytes();
                self.sources.release(entry.source, old.heap_bytes());
            } else {
                self.held += 1;
            }
            self.sources.charge(source, item.heap_bytes());
            (entry.source, entry.seq, entry.item) = (source, seq, Some(item));
        }
        let newly_evictable = !lease.kept && !entry.listed;
        self.list_if_evictable(target, newly_evictable);
        if sooner {
            self.note(check, target);
        }
    }

    fn list_if_evictable(&mut self, target: Target, evictable: bool) {
        let Some(entry) = self.entries.get_mut(&target).filter(|_| evictable) else { return };
        entry.listed = true;
        self.evictable.push_back(target);
        // Those that ended stay behind in the list: more of them than entries are cleared away.
        if self.evictable.len() > 2 * self.entries.len() + 1024 {
            let entries = &mut self.entries;
            let mut listed = |target: &Target| {
                entries.get_mut(target).is_some_and(|entry| core::mem::take(&mut entry.listed))
            };
            self.evictable.retain(&mut listed);
            for target in &self.evictable {
                if let Some(entry) = self.entries.get_mut(target) {
                    entry.listed = true;
                }
            }
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
            if !self.entries.contains_key(&target) && self.staged.latest(&target).is_none() {
                self.coming -= 1;
            }
        }
    }

    /// Takes back what was kept for a target on a disk; `false` if it is nothing of ours, or has
    /// ended, so that it may be removed there.
    pub fn restore(&mut self, target: Target, bytes: &[u8], wall: UnixMillis) -> bool {
        let (item, seq, lease) = match persisted::read(&target, bytes) {
            Some(Persisted::Item(item, lease)) => (Some(item), None, lease),
            Some(Persisted::Marker(seq, lease)) => (None, Some(seq), lease),
            None => return false,
        };
        let seq = item.as_ref().and_then(Item::seq).or(seq);
        let item = item.filter(|_| lease.until > wall);
        let remembered = seq.is_some() && lease.marker_until > wall;
        if (item.is_none() && !remembered) || self.entries.contains_key(&target) {
            return false;
        }
        let next = if item.is_some() { lease.until } else { lease.marker_until };
        let (check, source) = (Minute::after(next), Source::default());
        self.held += usize::from(item.is_some());
        self.bytes += item.as_ref().map_or(0, Item::heap_bytes);
        let evictable = item.is_some() && !lease.kept;
        let entry = Entry { item, seq, lease, source, check, listed: false };
        self.entries.insert(target, Box::new(entry));
        self.list_if_evictable(target, evictable);
        self.note(check, target);
        true
    }

    fn note(&mut self, check: Minute, target: Target) {
        self.calendar.note(check, target);
        self.declutter();
    }

    fn declutter(&mut self) {
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

    fn check(&mut self, target: Target, noted: Minute, wall: UnixMillis, changes: &mut Changes) {
        let on_its_way = self.staged.latest(&target).is_some();
        let Some(entry) = self.entries.get_mut(&target) else { return };
        if entry.check != noted {
            return;
        }
        let ended = entry.lease.until <= wall;
        if ended && let Some(item) = entry.item.take() {
            self.bytes -= item.heap_bytes();
            self.held -= 1;
            self.sources.release(entry.source, item.heap_bytes());
        }
        let remembered = entry.seq.filter(|_| entry.lease.marker_until > wall);
        let next = match (&entry.item, remembered) {
            (Some(_), _) => entry.lease.until,
            (None, Some(_)) => entry.lease.marker_until,
            // What is on its way shall find its place.
            (None, None) if on_its_way => wall + core::time::Duration::from_secs(60),
            (None, None) => {
                self.entries.remove(&target);
                if self.durable {
                    changes.remove(&persisted::key(&target));
                }
                return;
            }
        };
        // What is on its way will overwrite what lies on the disk: it must not be overtaken.
        if let (true, Some(seq), true, false) = (ended, remembered, self.durable, on_its_way) {
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
struct Known {
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
    is_new: bool,
    /// Bytes of the item held.
    bytes: usize,
}

const CAS_MISMATCH: Refused = Refused { code: 301, text: "CAS mismatch, re-read and try again" };
const SEQ_TOO_LOW: Refused = Refused { code: 302, text: "sequence number less than current" };
const FULL: Refused = Refused { code: 202, text: "full" };
const PART_IS_FULL: Refused = Refused { code: 202, text: "full for your address" };

#[cfg(test)]
mod tests;
