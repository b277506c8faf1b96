//! The routing table of one address family: whom we know, most of them near us (BEP 5, "Routing
//! Table").
//!
//! A contact enters only after it answered a query of ours. What a full bucket does not take waits
//! in its replacement cache. Nothing that has not answered displaces what has.
//!
//! Departures from BEP 5: buckets are the parts of the key space that share 0, 1, 2 ... leading bits
//! with our id, so nothing is ever split; the first ones, which cover most of the space, hold 128,
//! 64, 32 and 16 contacts (libtorrent's measure); a contact is bad after three failures in a row,
//! and replaced at the first if a replacement waits; after more where datagrams get lost (`patience`).
//! A contact is questionable not after 15 minutes but after a time that follows from how many are gone
//! by then (`probing`), and a bucket is refreshed by a lookup only if nobody in it answered for longer.

mod bucket;
mod closest;
mod entry;
mod patience;
mod probing;
mod rules;

use alloc::vec::Vec;
use core::time::Duration;

use wire::planted::{self, Bug};
use wire::{Contact, Endpoint, Family, NodeId, Point};

use bucket::{Bucket, Place};
pub use closest::Closest;
use entry::DOUBTED;
pub use entry::Entry;
use patience::Patience;
use probing::Probing;
pub use rules::AddressRules;

use crate::limits::{FIRST_BUCKETS, K, MOST_FAILURES, REFRESH};
use crate::time::Instant;

/// The routing table of one address family.
pub struct Table {
    own: NodeId,
    family: Family,
    rules: AddressRules,
    buckets: Vec<Bucket>,
    len: usize,
    /// How often somebody came or went who may hold what we hold.
    near_changes: u64,
    patience: Patience,
    probing: Probing,
}

impl Table {
    /// An empty table of contacts of one family around `own`.
    pub fn new(own: NodeId, family: Family, rules: AddressRules) -> Self {
        let (patience, probing) = (Patience::default(), Probing::default());
        Self { own, family, rules, buckets: Vec::new(), len: 0, near_changes: 0, patience, probing }
    }

    /// Contacts in all buckets, replacements not counted.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no contact is known.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All contacts, from the farthest bucket to the nearest.
    pub fn iter(&self) -> impl Iterator<Item = Entry> + '_ {
        self.buckets.iter().flat_map(Bucket::entries)
    }

    /// The contact with this id.
    pub fn get(&self, id: &NodeId) -> Option<Entry> {
        self.buckets.get(self.index(id)?)?.get(id)
    }

    /// The bucket of an id: how many leading bits it shares with ours. `None` for our own.
    fn index(&self, id: &NodeId) -> Option<usize> {
        let shared = self.own.point().shared_bits(&id.point()) as usize;
        (shared < 160).then_some(shared)
    }

    /// The good contacts closest to `target`, at most `N`, closest first.
    ///
    /// Those in the target's own bucket are closer than any other; then come all nearer to us than
    /// that, then the buckets before it, one by one.
    pub fn closest<const N: usize>(&self, target: &Point) -> Closest<'_, N> {
        self.closest_below(1, target)
    }

    /// The contacts closest to `target`, at most `N`, closest first, those included whose silence means
    /// little where so much gets lost.
    pub fn closest_likely<const N: usize>(&self, target: &Point) -> Closest<'_, N> {
        self.closest_below(self.patience.gives_way(), target)
    }

    /// Whether a contact is among those.
    pub fn is_likely(&self, contact: &Contact) -> bool {
        let likely = |entry: &Entry| {
            entry.endpoint == contact.endpoint && entry.failures() < self.patience.gives_way()
        };
        self.get(&contact.id).as_ref().is_some_and(likely)
    }

    fn closest_below<const N: usize>(&self, failures: u8, target: &Point) -> Closest<'_, N> {
        let own = self.own.point();
        let target = if planted::is(Bug::ClosestToOurselves) { &own } else { target };
        let mut closest = Closest::of_those_below(failures);
        let home = (self.own.point().shared_bits(target) as usize).min(self.buckets.len());
        let (before, from_home) = self.buckets.split_at(home);
        if let Some((home, nearer)) = from_home.split_first() {
            if !planted::is(Bug::OwnBucketLeftOut) {
                closest.offer_all(target, home);
            }
            if !closest.is_full() {
                nearer.iter().for_each(|bucket| closest.offer_all(target, bucket));
            }
        }
        for bucket in before.iter().rev() {
            if closest.is_full() {
                break;
            }
            closest.offer_all(target, bucket);
        }
        closest
    }

    /// The contacts closest to `target` whose last query was not answered, at most `most`.
    pub fn closest_failing(&self, target: &Point, most: usize) -> Vec<Contact> {
        let failing = self.buckets.iter().flat_map(Bucket::failing);
        let mut failing: Vec<Contact> = failing.map(|entry| entry.contact()).collect();
        failing.sort_by_key(|contact| target.distance(&contact.id.point()));
        failing.truncate(most);
        failing
    }

    /// A contact answered a query of ours. It enters, waits as a replacement, or is only noted.
    pub fn answered(&mut self, contact: Contact, round_trip: Duration, ours: bool, now: Instant) {
        if self.admits(&contact, ours) {
            self.place(contact, round_trip, ours, now);
        }
    }

    /// A contact answered that we were told to join through: it is admitted like one of ours, and is
    /// ours no more than it says.
    pub fn door_answered(
        &mut self,
        contact: Contact,
        round_trip: Duration,
        ours: bool,
        now: Instant,
    ) {
        if self.admits(&contact, true) {
            self.place(contact, round_trip, ours, now);
        }
    }

    fn admits(&self, contact: &Contact, ours: bool) -> bool {
        contact.endpoint.family() == self.family && self.rules.admit(contact, ours)
    }

    /// A contact said that it is Xorbit.
    pub fn is_xorbit(&mut self, id: &NodeId) {
        let bucket = self.index(id).and_then(|index| self.buckets.get_mut(index));
        if let Some(bucket) = bucket {
            bucket.is_xorbit(id);
        }
    }

    fn place(&mut self, contact: Contact, round_trip: Duration, ours: bool, now: Instant) {
        let Some(index) = self.index(&contact.id) else { return };
        if self.buckets.len() <= index {
            self.buckets.reserve_exact(index + 1 - self.buckets.len());
            let new = self.buckets.len()..=index;
            self.buckets.extend(new.map(|index| Bucket::new(index, self.family, now)));
        }
        let capacity = if planted::is(Bug::BucketUncapped) { 255 } else { capacity(index) };
        let same_address = self.rules.one_per_address(&contact.endpoint)
            && self.buckets.iter().flat_map(Bucket::known).any(|entry| {
                entry.endpoint.ip() == contact.endpoint.ip() && entry.id != contact.id
            });
        if same_address {
            return;
        }
        let entry = Entry::answered(contact, round_trip, ours, now);
        let known = self.buckets[index].get(&contact.id);
        if let Some(known) = known.filter(|known| known.endpoint == contact.endpoint) {
            self.patience.answered(known.failures() % DOUBTED);
            self.probing.was_there(now.since(known.last_heard()));
        }
        match self.buckets[index].answered(entry, capacity, &self.rules, now) {
            Place::Added => {
                self.len += 1;
                if !planted::is(Bug::NewcomerUnnoticed) {
                    self.note_change(index);
                }
            }
            Place::Displaced => self.note_change(index),
            Place::Kept | Place::Removed => {}
        }
    }

    /// How often somebody came or went with whom we may share targets to hold for: few are nearer to
    /// us, or few are in its part of the key space.
    pub fn near_changes(&self) -> u64 {
        self.near_changes
    }

    fn note_change(&mut self, index: usize) {
        let nearer = self.buckets.iter().skip(index + 1).map(Bucket::len).sum::<usize>();
        let beside = self.buckets.get(index).map_or(0, Bucket::len);
        if nearer < NEIGHBOURS || beside < NEIGHBOURS.min(capacity(index)) {
            self.near_changes += 1;
        }
    }

    /// A contact asked us something: it is alive, if it is who we know.
    #[inline]
    pub fn heard(&mut self, id: &NodeId, endpoint: &Endpoint, now: Instant) -> bool {
        let Some(bucket) = self.index(id).and_then(|index| self.buckets.get_mut(index)) else {
            return false;
        };
        bucket.heard(id, endpoint, now)
    }

    /// A contact did not answer, or answered as somebody else. It goes once it is bad, or at once if
    /// a replacement waits.
    pub fn failed(&mut self, id: &NodeId, endpoint: &Endpoint, now: Instant) {
        let Some(index) = self.index(id) else { return };
        let Some(bucket) = self.buckets.get_mut(index) else { return };
        let heard = bucket.get(id).map(|known| known.last_heard());
        match bucket.failed(id, endpoint, capacity(index), &self.rules, self.patience) {
            Place::Removed => self.len -= 1,
            Place::Displaced => {}
            Place::Added | Place::Kept => return,
        }
        if let Some(heard) = heard {
            self.probing.was_gone(now.since(heard));
        }
        if !planted::is(Bug::LossUnnoticed) {
            self.note_change(index);
        }
    }

    /// Another node answers at a contact's address: the contact is no longer there.
    pub fn gone(&mut self, id: &NodeId, endpoint: &Endpoint, now: Instant) {
        if self.doubts(id, endpoint) {
            self.failed(id, endpoint, now);
        }
    }

    /// Whether a contact that somebody told us of would find a place, so that it is worth a query.
    pub fn wants(&self, contact: &Contact) -> bool {
        let Some(index) = self.index(&contact.id) else { return false };
        if !self.rules.may_enter(contact) {
            return false;
        }
        match self.buckets.get(index) {
            None => true,
            Some(bucket) => bucket.get(&contact.id).is_none() && bucket.has_room(capacity(index)),
        }
    }

    /// A bucket that has not changed for long and a place in it to look for, if there is one.
    pub fn stale_bucket(&mut self, noise: [u8; 20], now: Instant) -> Option<Point> {
        let index = self.buckets.iter().position(|bucket| now.since(bucket.changed) >= REFRESH)?;
        self.buckets[index].changed = now;
        Some(self.own.point().diverge(index as u32 + 1, noise))
    }

    /// Contacts that should be asked for a sign of life, at most `most`: those whose last query was not
    /// answered, up to half of all; our nearest if they were not heard of for a while; then of all others
    /// that were not for long those that were not for longest, so that everybody's turn comes.
    pub fn questionable(&self, now: Instant, most: usize) -> Vec<Contact> {
        let quiet = |entry: &Entry, for_: Duration| {
            now.since(entry.last_heard()) >= for_ && entry.is_good()
        };
        let failing = self.buckets.iter().flat_map(Bucket::failing);
        let mut all: Vec<Contact> = failing.map(|entry| entry.contact()).take(most / 2).collect();
        let nearest = self.closest::<{ 2 * K }>(&self.own.point());
        let near = nearest.iter().filter(|entry| quiet(entry, self.probing.neighbour_stale()));
        all.extend(near.map(|entry| entry.contact()));
        let stale = self.probing.stale();
        let mut others: Vec<Entry> = self.iter().filter(|entry| quiet(entry, stale)).collect();
        others.sort_unstable_by_key(|entry| (entry.last_heard(), entry.id));
        for contact in others.iter().map(Entry::contact) {
            if all.len() >= most {
                break;
            }
            if !all.contains(&contact) {
                all.push(contact);
            }
        }
        all.truncate(most);
        all
    }

    /// How long to wait before it is looked for questionable ones again.
    pub fn questionable_again(&self) -> Duration {
        self.probing.neighbour_stale()
    }

    /// A contact says that it is not there any more: the next answer that it owes is its last.
    /// `false` if we do not know it.
    pub fn doubts(&mut self, id: &NodeId, endpoint: &Endpoint) -> bool {
        let bucket = self.index(id).and_then(|index| self.buckets.get_mut(index));
        bucket.is_some_and(|bucket| bucket.doubts(id, endpoint))
    }

    /// How many leading buckets there are: the depth of what we know.
    pub fn depth(&self) -> usize {
        self.buckets.iter().rposition(|bucket| !bucket.is_empty()).map_or(0, |index| index + 1)
    }

    /// A place in bucket `index`, if that has room for more contacts.
    pub fn thin_bucket(&self, index: usize, noise: [u8; 20]) -> Option<Point> {
        let bucket = self.buckets.get(index)?;
        (bucket.len() < K).then(|| self.own.point().diverge(index as u32 + 1, noise))
    }

    /// Takes another id for ourselves; contacts move to the buckets where they now belong.
    pub fn rename(&mut self, own: NodeId, now: Instant) {
        let entries: Vec<Entry> = self.iter().collect();
        let mut renamed = Table::new(own, self.family, self.rules);
        renamed.near_changes = self.near_changes + 1;
        (renamed.patience, renamed.probing) = (self.patience, self.probing);
        for entry in entries {
            let round_trip = entry.round_trip();
            renamed.place(entry.contact(), round_trip, entry.is_ours(), now);
            if entry.is_xorbit() {
                renamed.is_xorbit(&entry.id);
            }
        }
        *self = renamed;
    }

    /// Checks what must always hold; called by tests after each step.
    ///
    /// # Panics
    /// If it does not.
    #[doc(hidden)]
    pub fn check_invariant(&self) {
        assert_eq!(self.len, self.iter().count());
        for (index, bucket) in self.buckets.iter().enumerate() {
            assert!(bucket.len() <= capacity(index), "bucket {index} overflows");
            bucket.check_invariant();
            for entry in bucket.entries() {
                assert_eq!(self.index(&entry.id), Some(index), "{:?} in a wrong bucket", entry.id);
                assert!(entry.failures() < MOST_FAILURES);
            }
            if self.rules.strict() {
                self.rules.check_diversity(bucket.entries());
            }
        }
    }
}

/// As many nodes may share an item at most.
const NEIGHBOURS: usize = wire::limits::NODES_PER_LIST;

fn capacity(index: usize) -> usize {
    FIRST_BUCKETS.get(index).copied().unwrap_or(K)
}

#[cfg(test)]
mod tests;
