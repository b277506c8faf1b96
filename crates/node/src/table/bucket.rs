//! One bucket: the contacts that share so many leading bits with us, and those that wait for a place.
//!
//! All of them lie in one buffer: first the contacts in the order of their ids, so that those
//! closest to a target stand around one place, then those that wait, longest first.

use alloc::vec::Vec;

use wire::limits::ID_BYTES;
use wire::planted::{self, Bug};
use wire::{Endpoint, Family, NodeId};

use super::entry::{DOUBTED, Entry, Row, row_bytes};
use super::patience::Patience;
use super::rules::AddressRules;
use crate::limits::{FIRST_BUCKETS, MOST_FAILURES, REPLACEMENTS};
use crate::time::Instant;

/// What became of a contact that answered, or did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is in the bucket and adds to its count.
    Added,
    /// It took another's place.
    Displaced,
    /// It is gone, and the count is one less.
    Removed,
    /// Nothing changed: it was there, waits, or was refused.
    Kept,
}

/// The contacts of one bucket, and those that wait.
pub(super) struct Bucket {
    /// How many leading bits its contacts share with us.
    index: u8,
    rows: Vec<u8>,
    /// How many of the rows are contacts, and not waiting.
    contacts: u8,
    /// How many contacts did not answer their last query.
    failing: u8,
    family: Family,
    /// No contact is slower than that; perhaps none is as slow.
    slowest_ms: u16,
    /// When a contact last entered or answered.
    pub changed: Instant,
}

const _: () = assert!(FIRST_BUCKETS[0] <= u8::MAX as usize);

impl Bucket {
    pub fn new(index: usize, family: Family, now: Instant) -> Self {
        // There are as many buckets as an id has bits.
        let index = index.min(ID_BYTES * 8 - 1) as u8;
        let (contacts, failing, slowest_ms) = (0, 0, 0);
        Self { index, rows: Vec::new(), contacts, failing, family, slowest_ms, changed: now }
    }

    /// How many contacts there are.
    #[inline]
    pub fn len(&self) -> usize {
        usize::from(self.contacts)
    }

    pub fn is_empty(&self) -> bool {
        self.contacts == 0
    }

    /// The contact at a place in the order of ids.
    #[inline]
    pub fn row(&self, place: usize) -> Row<'_> {
        let width = row_bytes(self.family);
        Row(&self.rows[place * width..][..width])
    }

    fn rows(&self) -> impl DoubleEndedIterator<Item = Row<'_>> + ExactSizeIterator + Clone {
        self.rows.chunks_exact(row_bytes(self.family)).map(Row)
    }

    /// The contacts.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + Clone + '_ {
        self.rows().take(self.len()).map(Row::entry)
    }

    /// The contacts whose last query was not answered.
    pub fn failing(&self) -> impl Iterator<Item = Entry> + '_ {
        let looked_at = if self.failing == 0 { 0 } else { self.len() };
        self.rows().take(looked_at).filter(|row| !row.is_good()).map(Row::entry)
    }

    /// The contacts and those that wait.
    pub fn known(&self) -> impl Iterator<Item = Entry> + '_ {
        self.rows().map(Row::entry)
    }

    /// How many contacts there are, those that wait included.
    fn all(&self) -> usize {
        self.rows.len() / row_bytes(self.family)
    }

    fn waiting(&self) -> usize {
        self.all() - self.len()
    }

    /// The place of an id among the contacts, or where it would stand.
    ///
    /// Ids are spread evenly, so it is looked for around the place where it should be: these rows
    /// lie side by side, which counts for more than their number when they are in no cache. Strangers
    /// who choose their ids make it at worst a look at all of them.
    #[inline]
    pub fn search(&self, id: &[u8; ID_BYTES]) -> Result<usize, usize> {
        let below = |place: usize| self.row(place).id().as_bytes() < id;
        let mut place = self.guess(id);
        while place < self.len() && below(place) {
            place += 1;
        }
        while place > 0 && !below(place - 1) {
            place -= 1;
        }
        let found = place < self.len() && self.row(place).id().as_bytes() == id;
        if found { Ok(place) } else { Err(place) }
    }

    /// About how many of the contacts stand below an id of this bucket: by the bits behind the first
    /// one in which they may differ.
    fn guess(&self, id: &[u8; ID_BYTES]) -> usize {
        let first = usize::from(self.index) + 1;
        let byte = |place: usize| u32::from(id.get(place).copied().unwrap_or(0));
        let bytes = byte(first / 8) << 16 | byte(first / 8 + 1) << 8 | byte(first / 8 + 2);
        let fraction = (bytes << (first % 8) >> 8 & 0xffff) as usize;
        (fraction * self.len()) >> 16
    }

    pub fn get(&self, id: &NodeId) -> Option<Entry> {
        let place = self.search(id.as_bytes()).ok()?;
        Some(self.row(place).entry())
    }

    /// Changes what is known about the contact that has this id, and this endpoint if one is given;
    /// `false` if there is none.
    #[inline]
    fn change(
        &mut self,
        id: &NodeId,
        endpoint: Option<&Endpoint>,
        change: impl FnOnce(&mut Entry),
    ) -> bool {
        let Ok(place) = self.search(id.as_bytes()) else { return false };
        let mut entry = self.row(place).entry();
        if endpoint.is_some_and(|endpoint| entry.endpoint != *endpoint) {
            return false;
        }
        change(&mut entry);
        self.set(place, &entry);
        true
    }

    pub fn has_room(&self, capacity: usize) -> bool {
        self.len() < capacity || self.failing > 0 || self.waiting() < REPLACEMENTS / 2
    }

    /// Places a contact that answered.
    pub fn answered(
        &mut self,
        new: Entry,
        capacity: usize,
        rules: &AddressRules,
        now: Instant,
    ) -> Place {
        let crowded = rules.crowded(self.entries(), &new.id, &new.endpoint);
        if let Ok(place) = self.search(new.id.as_bytes()) {
            let known = self.row(place).entry();
            // A living contact keeps its address: an id alone proves nothing.
            if known.endpoint == new.endpoint
                || (known.failures > 0 && !crowded)
                || planted::is(Bug::AddressTakenOver)
            {
                let (ours, xorbit) = (new.ours || known.ours, known.xorbit);
                self.set(place, &Entry { ours, xorbit, ..new });
                self.changed = now;
            }
            return Place::Kept;
        }
        if crowded {
            return Place::Kept;
        }
        self.stop_waiting(|waiting| waiting.id == new.id);
        self.changed = now;
        if self.len() < capacity {
            self.enter(&new, capacity);
            return Place::Added;
        }
        match self.worse_than(&new, rules) {
            Some(place) => {
                let displaced = self.leave(place);
                self.enter(&new, capacity);
                if displaced.is_good() {
                    self.wait(&displaced, capacity);
                }
                Place::Displaced
            }
            None => {
                self.wait(&new, capacity);
                Place::Kept
            }
        }
    }

    #[inline]
    pub fn heard(&mut self, id: &NodeId, endpoint: &Endpoint, now: Instant) -> bool {
        self.change(id, Some(endpoint), |entry| entry.heard_s = now.as_secs())
    }

    /// Takes a contact for one that fails; `false` if it is none.
    pub fn doubts(&mut self, id: &NodeId, endpoint: &Endpoint) -> bool {
        self.change(id, Some(endpoint), |entry| entry.failures = DOUBTED)
    }

    /// Notes that a contact said that it is Xorbit.
    pub fn is_xorbit(&mut self, id: &NodeId) {
        self.change(id, None, |entry| entry.xorbit = true);
    }

    /// Notes a failure, and tells what came of it.
    pub fn failed(
        &mut self,
        id: &NodeId,
        endpoint: &Endpoint,
        capacity: usize,
        rules: &AddressRules,
        patience: Patience,
    ) -> Place {
        let fails = |entry: &mut Entry| entry.failures = (entry.failures + 1).min(MOST_FAILURES);
        if planted::is(Bug::DeadStay) || !self.change(id, Some(endpoint), fails) {
            // Its silence at another address than ours says nothing: anybody may have told of that.
            self.stop_waiting(|waiting| waiting.id == *id && waiting.endpoint == *endpoint);
            return Place::Kept;
        }
        let fits = |waiting: Entry| {
            let others = waiting.endpoint.prefix() != endpoint.prefix();
            !(others && rules.crowded(self.entries(), &waiting.id, &waiting.endpoint))
        };
        let waiting = self.rows().skip(self.len()).map(Row::entry).rposition(fits);
        let Ok(place) = self.search(id.as_bytes()) else { return Place::Kept };
        let failures = self.row(place).entry().failures;
        if let Some(waiting) = waiting.filter(|_| failures >= patience.gives_way()) {
            let next = self.take(self.len() + waiting);
            self.leave(place);
            self.enter(&next, capacity);
            return Place::Displaced;
        }
        if failures >= patience.failures() {
            self.leave(place);
            return Place::Removed;
        }
        Place::Kept
    }

    /// The place that a newly answering contact may take in a full bucket: of one that fails, that
    /// breaks a rule the new one keeps, or that crowds a network which the new one would diversify;
    /// at last of one that is far slower.
    fn worse_than(&mut self, new: &Entry, rules: &AddressRules) -> Option<usize> {
        if planted::is(Bug::LiveDisplaced) {
            return Some(0);
        }
        if self.failing > 0 {
            let failing = self.entries().enumerate().max_by_key(|(_, entry)| entry.failures);
            return failing.map(|(place, _)| place);
        }
        if let Some(place) = rules.least_fitting(self.entries(), new) {
            return Some(place);
        }
        let bearable_ms = 2 * new.round_trip_ms + FAR_SLOWER_MS;
        if self.slowest_ms <= bearable_ms {
            return None;
        }
        let round_trips_ms = self.rows().take(self.len()).map(Row::round_trip_ms).enumerate();
        let (place, slowest_ms) = round_trips_ms.max_by_key(|(_, round_trip_ms)| *round_trip_ms)?;
        self.slowest_ms = slowest_ms;
        (slowest_ms > bearable_ms).then_some(place)
    }

    /// Puts a contact behind the others that wait; the one that has waited longest goes.
    fn wait(&mut self, entry: &Entry, capacity: usize) {
        if self.waiting() == REPLACEMENTS {
            self.take(self.len());
        }
        self.insert(self.all(), entry, capacity);
    }

    /// Lets go of those that wait of whom this holds.
    fn stop_waiting(&mut self, gone: impl Fn(&Entry) -> bool) {
        for place in (self.len()..self.all()).rev() {
            if gone(&self.row(place).entry()) {
                self.take(place);
            }
        }
    }

    /// Puts a contact that is not there in its place.
    fn enter(&mut self, entry: &Entry, capacity: usize) {
        let (Ok(place) | Err(place)) = self.search(entry.id.as_bytes());
        self.insert(place, entry, capacity);
        self.contacts += 1;
        self.failing += u8::from(!entry.is_good());
        self.slowest_ms = self.slowest_ms.max(entry.round_trip_ms);
    }

    /// Takes a contact out.
    fn leave(&mut self, place: usize) -> Entry {
        let entry = self.take(place);
        self.contacts -= 1;
        self.failing -= u8::from(!entry.is_good());
        entry
    }

    /// Writes what is known about a contact now.
    #[inline]
    fn set(&mut self, place: usize, entry: &Entry) {
        let (was, is) = (self.row(place).is_good(), entry.is_good());
        self.failing = self.failing + u8::from(!is) - u8::from(!was);
        self.slowest_ms = self.slowest_ms.max(entry.round_trip_ms);
        let width = row_bytes(self.family);
        entry.write(&mut self.rows[place * width..][..width]);
    }

    /// Adds a row. The buffer grows to twice its size as long as contacts fill it, and by little for
    /// those that wait, who are rarely all that may.
    fn insert(&mut self, place: usize, entry: &Entry, capacity: usize) {
        let (width, used) = (row_bytes(self.family), self.rows.len());
        if used == self.rows.capacity() {
            let room = (capacity * width).saturating_sub(used);
            self.rows.reserve_exact(room.min(used).max(FEW_ROWS * width));
        }
        self.rows.resize(used + width, 0);
        self.rows.copy_within(place * width..used, (place + 1) * width);
        entry.write(&mut self.rows[place * width..][..width]);
    }

    /// Takes a row out.
    fn take(&mut self, place: usize) -> Entry {
        let (width, entry) = (row_bytes(self.family), self.row(place).entry());
        self.rows.drain(place * width..(place + 1) * width);
        entry
    }

    pub fn check_invariant(&self) {
        assert!(self.rows.len().is_multiple_of(row_bytes(self.family)));
        assert!(self.len() <= self.all() && self.waiting() <= REPLACEMENTS);
        assert_eq!(self.failing().count(), usize::from(self.failing));
        assert_eq!(self.entries().filter(|entry| !entry.is_good()).count(), self.failing().count());
        assert!(self.entries().is_sorted_by(|one, next| one.id < next.id));
        assert!(self.entries().all(|entry| entry.round_trip_ms <= self.slowest_ms));
        for waiting in self.known().skip(self.len()) {
            assert!(waiting.is_good() && self.get(&waiting.id).is_none());
            let twins = self.known().filter(|other| other.id == waiting.id);
            assert_eq!(twins.count(), 1, "{:?} waits twice", waiting.id);
        }
    }
}

/// Rows for which a bucket makes room at first, and for those that wait.
const FEW_ROWS: usize = 2;

/// A contact must be this much slower than twice the new one's round trip to lose its place to it.
const FAR_SLOWER_MS: u16 = 100;
