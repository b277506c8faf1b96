//! Answers that wait: a `get` that asked for a newer version than we hold is answered once that
//! version comes, or when its time is over.
//!
//! Only who shows a token of ours may wait, so that nobody parks answers in another's name, and
//! there are bounds for each address, network and target and for all together. A wait beyond them is
//! no error: it is answered at once, as nodes do that know no waits, and the asker polls.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use wire::limits::{TRANSACTION_BYTES, WAIT_S};
use wire::{Endpoint, Item, Prefix, Seq, Target, Want};

use crate::limits::{WAITS, WAITS_PER_ADDRESS, WAITS_PER_PREFIX, WAITS_PER_TARGET};
use crate::operation::Event;
use crate::outbox::Outbox;
use crate::serve::Asked;
use crate::shelf::Admission;
use crate::state::Node;
use crate::time::{Instant, Now};

/// Somebody who waits.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub target: Target,
    pub from: Endpoint,
    /// Its query carried our network's tag.
    pub ours: bool,
    pub newer_than: Option<Seq>,
    pub want: Want,
    transaction: [u8; TRANSACTION_BYTES],
    transaction_bytes: u8,
}

impl Wait {
    /// What the answer must echo.
    fn transaction(&self) -> &[u8] {
        &self.transaction[..usize::from(self.transaction_bytes)]
    }

    /// Whether this query of the same asker is the same once more.
    fn is_repeated_by(&self, other: &Wait) -> bool {
        self.transaction() == other.transaction()
    }
}

/// When a wait ends at the latest, and which of those that end together it is.
type Place = (Instant, u64);

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// All who wait.
pub(crate) struct Waits {
    waits: BTreeMap<Place, Wait>,
    by_target: Map<Target, Vec<(Place, Endpoint)>>,
    by_address: Map<Endpoint, usize>,
    by_prefix: Map<Prefix, usize>,
    parked: u64,
    /// Targets of which our own caller wants to hear, and how many times it said so.
    noticed: Map<Target, usize>,
}

impl Waits {
    /// Nobody yet. The seed must be secret: strangers choose what stands in the tables.
    pub fn new(hash_seed: u64) -> Self {
        let hasher = foldhash::fast::FixedState::with_seed(hash_seed);
        Self {
            waits: BTreeMap::new(),
            by_target: HashMap::with_hasher(hasher.clone()),
            by_address: HashMap::with_hasher(hasher.clone()),
            by_prefix: HashMap::with_hasher(hasher.clone()),
            parked: 0,
            noticed: HashMap::with_hasher(hasher),
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waits.len()
    }

    /// Whether somebody, or our own caller, wants to hear of a change under this target.
    #[inline]
    pub fn concerns(&self, target: &Target) -> bool {
        !(self.by_target.is_empty() && self.noticed.is_empty())
            && (self.by_target.contains_key(target) || self.noticed.contains_key(target))
    }

    /// Lets a query wait until `ends`; `false` if there are too many already. The same query once
    /// more takes the place of the first.
    fn park(&mut self, wait: Wait, ends: Instant) -> bool {
        if let Some(places) = self.by_target.get(&wait.target) {
            let twin = places.iter().find(|(place, from)| {
                *from == wait.from && self.waits[place].is_repeated_by(&wait)
            });
            if let Some((twin, _)) = twin.copied() {
                self.take(twin);
            }
        }
        let count = |counted: Option<&usize>| counted.copied().unwrap_or(0);
        if self.waits.len() >= WAITS
            || count(self.by_address.get(&address(&wait))) >= WAITS_PER_ADDRESS
            || count(self.by_prefix.get(&wait.from.prefix())) >= WAITS_PER_PREFIX
            || self.by_target.get(&wait.target).is_some_and(|all| all.len() >= WAITS_PER_TARGET)
        {
            return false;
        }
        self.parked += 1;
        let place = (ends, self.parked);
        *self.by_address.entry(address(&wait)).or_default() += 1;
        *self.by_prefix.entry(wait.from.prefix()).or_default() += 1;
        self.by_target.entry(wait.target).or_default().push((place, wait.from));
        self.waits.insert(place, wait);
        true
    }

    fn take(&mut self, place: Place) -> Option<Wait> {
        let wait = self.waits.remove(&place)?;
        count_down(&mut self.by_address, address(&wait));
        count_down(&mut self.by_prefix, wait.from.prefix());
        if let Entry::Occupied(mut places) = self.by_target.entry(wait.target) {
            places.get_mut().retain(|(other, _)| *other != place);
            if places.get().is_empty() {
                places.remove();
            }
        }
        Some(wait)
    }

    /// Takes out those who wait for an item of this version, in the order in which they came; an item
    /// without one is what all wait for. A put that only renews what is held answers nobody.
    fn take_all(&mut self, target: &Target, held: Option<Seq>) -> Vec<Wait> {
        let Some(mut places) = self.by_target.remove(target) else { return Vec::new() };
        let waits = &self.waits;
        let content = |place: &Place| held.is_some() && waits[place].newer_than >= held;
        let kept: Vec<_> = places.extract_if(.., |(place, _)| content(place)).collect();
        if !kept.is_empty() {
            self.by_target.insert(*target, kept);
        }
        places.into_iter().filter_map(|(place, _)| self.take(place)).collect()
    }

    /// Takes out the next one whose time is over.
    fn take_ended(&mut self, now: Instant) -> Option<Wait> {
        let (place, _) = self.waits.first_key_value().filter(|((ends, _), _)| *ends <= now)?;
        self.take(*place)
    }

    /// When the first of them is over.
    pub fn deadline(&self) -> Option<Instant> {
        self.waits.first_key_value().map(|((ends, _), _)| *ends)
    }

    pub fn check_invariant(&self) {
        assert!(self.waits.len() <= WAITS);
        assert_eq!(self.waits.len(), self.by_target.values().map(Vec::len).sum::<usize>());
        assert_eq!(self.waits.len(), self.by_address.values().sum::<usize>());
        assert_eq!(self.waits.len(), self.by_prefix.values().sum::<usize>());
        assert!(self.by_target.values().all(|all| (1..=WAITS_PER_TARGET).contains(&all.len())));
        assert!(self.by_address.values().all(|count| (1..=WAITS_PER_ADDRESS).contains(count)));
        assert!(self.by_prefix.values().all(|count| (1..=WAITS_PER_PREFIX).contains(count)));
    }
}

/// The address of one who waits, whatever the port.
fn address(wait: &Wait) -> Endpoint {
    wait.from.with_port(0)
}

fn count_down<K: Eq + core::hash::Hash>(counts: &mut Map<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}

impl<A: Admission> Node<A> {
    /// Lets a query wait, if there is nothing newer yet, the token is ours, and there is room.
    /// `false`: it is to be answered at once.
    pub(crate) fn wait(
        &mut self,
        asked: &Asked<'_>,
        target: Target,
        newer_than: Option<Seq>,
        token: &[u8],
        wait_s: u8,
        want: Want,
    ) -> bool {
        let now = asked.now.monotonic;
        if !self.tokens.accepts(token, &asked.from, &target.point(), now) {
            return false;
        }
        self.budget.prove(&asked.from, asked.now.monotonic);
        if self.holds_newer(&target, newer_than, asked.now) {
            return false;
        }
        let mut transaction = [0; TRANSACTION_BYTES];
        let Some(place) = transaction.get_mut(..asked.transaction.len()) else { return false };
        place.copy_from_slice(asked.transaction);
        // The cast holds: what is longer than TRANSACTION_BYTES has just been refused.
        let transaction_bytes = asked.transaction.len() as u8;
        let (from, ours) = (asked.from, asked.ours);
        let wait = Wait { target, from, ours, newer_than, want, transaction, transaction_bytes };
        let granted = self.waits.park(wait, now + Duration::from_secs(wait_s.min(WAIT_S).into()));
        if granted {
            self.counters.waits += 1;
        }
        granted
    }

    /// Whether an item is held that the asker has not seen. An immutable one is never old.
    fn holds_newer(&mut self, target: &Target, newer_than: Option<Seq>, now: Now) -> bool {
        self.held(target, now)
            .is_some_and(|item| item.seq().is_none_or(|seq| Some(seq) > newer_than))
    }

    /// What the shelf shows under a target has changed: all who wait for that are answered. The one
    /// place that tells them, whoever wrote.
    pub(crate) fn shelf_changed(&mut self, target: &Target, now: Now, outbox: &mut Outbox) {
        if !self.waits.concerns(target) {
            return;
        }
        if self.waits.noticed.contains_key(target) {
            self.events.push_back(Event::ShelfChanged(*target));
        }
        self.answer_waits(target, now, outbox);
    }

    /// Answers those whose time is over, with what they know already.
    pub(crate) fn end_waits(&mut self, now: Now, outbox: &mut Outbox) {
        while let Some(wait) = self.waits.take_ended(now.monotonic) {
            self.answer_wait(&wait, now, outbox);
        }
    }

    fn answer_waits(&mut self, target: &Target, now: Now, outbox: &mut Outbox) {
        let Some(held) = self.held(target, now).map(Item::seq) else { return };
        for wait in self.waits.take_all(target, held) {
            self.answer_wait(&wait, now, outbox);
        }
    }

    fn answer_wait(&mut self, wait: &Wait, now: Now, outbox: &mut Outbox) {
        let (from, ours, transaction) = (wait.from, wait.ours, wait.transaction());
        let sealing = self.sealing_bytes();
        let asked = Asked { now, from, ours, transaction, sealing };
        self.serve_get(&asked, wait.target, wait.newer_than, wait.want, outbox);
    }

    /// From now on [`Event::ShelfChanged`] tells when our own shelf changes under this target. Each
    /// call wants its own [`Node::ignore_shelf`].
    pub fn notice_shelf(&mut self, target: Target) {
        *self.waits.noticed.entry(target).or_default() += 1;
    }

    /// Takes back a [`Node::notice_shelf`].
    pub fn ignore_shelf(&mut self, target: Target) {
        count_down(&mut self.waits.noticed, target);
    }

    /// How many strangers wait for a newer version of something.
    pub fn waits(&self) -> usize {
        self.waits.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wait(host: u16, port: u16, target: u8, transaction: u8) -> Wait {
        let [high, low] = host.to_be_bytes();
        Wait {
            target: Target::new([target; 20]),
            from: Endpoint::v4([10, 0, high, low], port),
            ours: false,
            newer_than: None,
            want: Want::default(),
            transaction: [transaction; TRANSACTION_BYTES],
            transaction_bytes: 2,
        }
    }

    fn at(second: u64) -> Instant {
        Instant::from_micros(second * 1_000_000)
    }

    #[test]
    fn a_repeated_query_waits_once_and_another_beside_it() {
        let mut waits = Waits::new(1);
        assert!(waits.park(wait(1, 1, 1, 1), at(9)));
        assert!(waits.park(wait(1, 1, 1, 1), at(8)));
        assert_eq!((waits.len(), waits.deadline()), (1, Some(at(8))));
        for other in [wait(1, 1, 1, 2), wait(1, 2, 1, 1), wait(1, 1, 2, 1)] {
            assert!(waits.park(other, at(9)));
        }
        assert_eq!((waits.len(), waits.take_all(&Target::new([1; 20]), None).len()), (4, 3));
        waits.check_invariant();
    }

    #[test]
    fn only_those_are_taken_out_to_whom_the_version_is_new() {
        let mut waits = Waits::new(1);
        for seen in [None, Seq::new(1), Seq::new(2), Seq::new(3)] {
            let transaction = seen.map_or(0, |seq| seq.get() as u8);
            assert!(waits.park(Wait { newer_than: seen, ..wait(1, 1, 1, transaction) }, at(9)));
        }
        let target = Target::new([1; 20]);
        let taken = waits.take_all(&target, Seq::new(2));
        let seen: Vec<_> = taken.iter().map(|wait| wait.newer_than).collect();
        assert_eq!(seen, [None, Seq::new(1)]);
        assert_eq!((waits.len(), waits.take_all(&target, None).len()), (2, 2));
        waits.check_invariant();
    }

    #[test]
    fn each_address_network_and_target_has_its_bound_and_all_together_too() {
        let mut waits = Waits::new(1);
        let mut park = |count: usize, make: &dyn Fn(usize) -> Wait| {
            (0..count).filter(|number| waits.park(make(*number), at(9))).count()
        };
        let many = WAITS_PER_PREFIX + 1;
        let one = park(many, &|n| wait(1, n as u16, (n / 500) as u8, n as u8));
        assert_eq!(one, WAITS_PER_ADDRESS);
        let network = park(many, &|n| wait(n as u16 % 250, n as u16, (n / 500) as u8, 7));
        assert_eq!(network, WAITS_PER_PREFIX - WAITS_PER_ADDRESS);
        let target =
            park(WAITS_PER_TARGET + 1, &|n| wait(256 * (1 + n as u16 % 200), n as u16, 9, 7));
        assert_eq!(target, WAITS_PER_TARGET);
        let all = park(WAITS, &|n| wait(256 * (n as u16 % 200), n as u16, 10 + (n / 500) as u8, 8));
        assert_eq!(all, WAITS - WAITS_PER_PREFIX - WAITS_PER_TARGET);
        waits.check_invariant();
        let ended = core::iter::from_fn(|| waits.take_ended(at(9))).count();
        assert_eq!((ended, waits.len(), waits.deadline()), (WAITS, 0, None));
        waits.check_invariant();
    }

    proptest! {
        #[test]
        fn whoever_waits_is_taken_out_once(
            steps in proptest::collection::vec((0..4_u8, 0..3_u16, 0..3_u8, 0..3_u8, 0..9_u64), 1..80),
        ) {
            let mut waits = Waits::new(1);
            let mut now = 0;
            for (what, host, target, transaction, seconds) in steps {
                match what {
                    0 | 1 => {
                        prop_assert!(waits.park(wait(host, 1, target, transaction), at(now + seconds)));
                    }
                    2 => {
                        let taken = waits.take_all(&Target::new([target; 20]), Seq::new(1));
                        prop_assert!(taken.iter().all(|wait| wait.target == Target::new([target; 20])));
                        prop_assert!(waits.take_all(&Target::new([target; 20]), None).is_empty());
                    }
                    _ => {
                        now += seconds;
                        while waits.take_ended(at(now)).is_some() {}
                        prop_assert!(waits.deadline().is_none_or(|ends| ends > at(now)));
                    }
                }
                waits.check_invariant();
            }
        }
    }
}
