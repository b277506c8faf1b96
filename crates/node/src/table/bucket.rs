//! One bucket: the contacts that share so many leading bits with us, and those that wait for a place.

use alloc::vec::Vec;
use core::time::Duration;

use wire::{Contact, Endpoint, NodeId};

use super::rules::AddressRules;
use crate::limits::{MAX_FAILURES, REPLACEMENTS};
use crate::time::Instant;

/// A contact in the table, in 52 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its id.
    pub id: NodeId,
    /// Its address.
    pub endpoint: Endpoint,
    round_trip_ms: u16,
    heard_s: u32,
    failures: u8,
    ours: bool,
    pub(super) xorbit: bool,
}

impl Entry {
    pub(super) fn answered(
        contact: Contact,
        round_trip: Duration,
        ours: bool,
        now: Instant,
    ) -> Self {
        Self {
            id: contact.id,
            endpoint: contact.endpoint,
            round_trip_ms: round_trip.as_millis().min(u128::from(u16::MAX)) as u16,
            heard_s: now.as_secs(),
            failures: 0,
            ours,
            xorbit: false,
        }
    }

    /// Id and address.
    pub fn contact(&self) -> Contact {
        Contact { id: self.id, endpoint: self.endpoint }
    }

    /// The last measured round trip, in whole milliseconds.
    pub fn round_trip(&self) -> Duration {
        Duration::from_millis(u64::from(self.round_trip_ms))
    }

    /// Whether it carried our network's tag.
    pub fn is_ours(&self) -> bool {
        self.ours
    }

    /// Whether it said that it is Xorbit; noted in Mainline only, where there is no tag.
    pub fn is_xorbit(&self) -> bool {
        self.xorbit
    }

    /// Whether its last query was answered.
    pub fn is_good(&self) -> bool {
        self.failures == 0
    }

    /// Queries in a row that it did not answer.
    pub fn failures(&self) -> u8 {
        self.failures
    }

    /// When it last gave a sign.
    pub fn last_heard(&self) -> Instant {
        Instant::from_micros(u64::from(self.heard_s) * 1_000_000)
    }
}

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

pub(super) struct Bucket {
    entries: Vec<Entry>,
    replacements: Vec<Entry>,
    /// When a contact last entered or answered.
    pub changed: Instant,
}

impl Bucket {
    pub fn new(now: Instant) -> Self {
        Self { entries: Vec::new(), replacements: Vec::new(), changed: now }
    }

    pub fn entries(&self) -> core::slice::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// The entries and those that wait.
    pub fn known(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().chain(&self.replacements)
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn get(&self, id: &NodeId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == *id)
    }

    pub fn get_mut(&mut self, id: &NodeId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == *id)
    }

    pub fn has_room(&self, capacity: usize) -> bool {
        self.entries.len() < capacity
            || self.entries.iter().any(|entry| !entry.is_good())
            || self.replacements.len() < REPLACEMENTS / 2
    }

    /// Places a contact that answered.
    pub fn answered(
        &mut self,
        new: Entry,
        capacity: usize,
        rules: &AddressRules,
        now: Instant,
    ) -> Place {
        let crowded = rules.crowded(&self.entries, &new.id, &new.endpoint);
        if let Some(known) = self.entries.iter_mut().find(|entry| entry.id == new.id) {
            // A living contact keeps its address: an id alone proves nothing.
            if known.endpoint == new.endpoint || (known.failures > 0 && !crowded) {
                let (ours, xorbit) = (new.ours || known.ours, known.xorbit);
                *known = Entry { ours, xorbit, ..new };
                self.changed = now;
            }
            return Place::Kept;
        }
        if crowded {
            return Place::Kept;
        }
        self.replacements.retain(|entry| entry.id != new.id);
        self.changed = now;
        if self.entries.len() < capacity {
            self.entries.push(new);
            return Place::Added;
        }
        match self.worse_than(&new, rules) {
            Some(index) => {
                let displaced = core::mem::replace(&mut self.entries[index], new);
                if displaced.is_good() {
                    self.wait(displaced);
                }
                Place::Displaced
            }
            None => {
                self.wait(new);
                Place::Kept
            }
        }
    }

    pub fn heard(&mut self, id: &NodeId, endpoint: &Endpoint, now: Instant) -> bool {
        let known =
            self.entries.iter_mut().find(|entry| entry.id == *id && entry.endpoint == *endpoint);
        if let Some(entry) = known {
            entry.heard_s = now.as_secs();
            return true;
        }
        false
    }

    /// Takes a contact for one that fails; `false` if it is none.
    pub fn doubts(&mut self, id: &NodeId, endpoint: &Endpoint) -> bool {
        let known =
            self.entries.iter_mut().find(|entry| entry.id == *id && entry.endpoint == *endpoint);
        let Some(entry) = known else { return false };
        entry.failures = MAX_FAILURES - 1;
        true
    }

    /// Notes a failure, and tells what came of it.
    pub fn failed(&mut self, id: &NodeId, endpoint: &Endpoint, rules: &AddressRules) -> Place {
        let found =
            self.entries.iter().position(|entry| entry.id == *id && entry.endpoint == *endpoint);
        let Some(index) = found else {
            // Its silence at another address than ours says nothing: anybody may have told of that.
            self.replacements.retain(|entry| entry.id != *id || entry.endpoint != *endpoint);
            return Place::Kept;
        };
        self.entries[index].failures += 1;
        let fits = |waiting: &Entry| {
            let others = waiting.endpoint.prefix() != endpoint.prefix();
            !(others && rules.crowded(&self.entries, &waiting.id, &waiting.endpoint))
        };
        if let Some(place) = self.replacements.iter().rposition(fits) {
            self.entries[index] = self.replacements.remove(place);
            return Place::Displaced;
        }
        if self.entries[index].failures >= MAX_FAILURES {
            self.entries.swap_remove(index);
            return Place::Removed;
        }
        Place::Kept
    }

    /// The place that a newly answering contact may take in a full bucket: of one that fails, that
    /// breaks a rule the new one keeps, or that crowds a network which the new one would diversify;
    /// at last of one that is far slower.
    fn worse_than(&self, new: &Entry, rules: &AddressRules) -> Option<usize> {
        let failing = self.entries.iter().enumerate().max_by_key(|(_, entry)| entry.failures);
        if let Some((index, entry)) = failing
            && entry.failures > 0
        {
            return Some(index);
        }
        if let Some(index) = rules.least_fitting(&self.entries, new) {
            return Some(index);
        }
        let slowest = self.entries.iter().enumerate().max_by_key(|(_, entry)| entry.round_trip_ms);
        slowest
            .filter(|(_, entry)| entry.round_trip() > new.round_trip() * 2 + FAR_SLOWER)
            .map(|(index, _)| index)
    }

    /// Puts a contact behind the others that wait; the one that has waited longest goes.
    fn wait(&mut self, entry: Entry) {
        if self.replacements.len() == REPLACEMENTS {
            self.replacements.remove(0);
        }
        self.replacements.push(entry);
    }

    pub fn check_invariant(&self) {
        assert!(self.replacements.len() <= REPLACEMENTS);
        for (index, entry) in self.entries.iter().enumerate() {
            let twin = self.entries[..index].iter().chain(&self.replacements);
            assert!(twin.into_iter().all(|other| other.id != entry.id), "{:?} twice", entry.id);
        }
    }
}

/// A contact must be this much slower than twice the new one's round trip to lose its place to it.
const FAR_SLOWER: Duration = Duration::from_millis(100);
