//! Belonging to a network: joining it, staying in it, and keeping the table true.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use wire::planted::{self, Bug};
use wire::{Contact, Cursor, Endpoint, Family, NodeId, Query, Target};

use crate::ask::Question as Ask;
use crate::config::Network;
use crate::limits::{
    FILLING_LOOKUPS, JOIN_ENDPOINTS, JOIN_RETRY_MAX, JOIN_RETRY_MIN, K, LOST_CHECKS, MAINTENANCE,
    RECHECK, STALE,
};
use crate::lookup::{Lookup, Owner};
use crate::operation::{Event, LookupResult, Question};
use crate::outbox::Outbox;
use crate::pending::Purpose;
use crate::shelf::{Admission, persisted_member, persisted_peer};
use crate::state::Node;
use crate::table::Table;
use crate::time::{Instant, Now};

/// After the first answer, the node looks for its neighbours once more after so long: when many
/// nodes start together, the first look finds only those that were quicker.
const SECOND_LOOK: Duration = Duration::from_secs(5);

/// Questionable contacts that are asked for a sign of life at a time.
const CHECKS: usize = 24;

/// Contacts of a family that are told when we go.
const GOODBYES: usize = 64;

/// How a node belongs to its network.
pub(crate) struct Membership {
    doors: Vec<Endpoint>,
    joined: bool,
    joining: bool,
    retry_at: Option<Instant>,
    retry_after: Duration,
    look_at: Option<Instant>,
    maintain_at: Instant,
}

impl Membership {
    /// Nobody is known yet; table and shelf are looked after from this time on.
    pub(crate) fn new(maintain_at: Instant) -> Self {
        Self {
            doors: Vec::new(),
            joined: false,
            joining: false,
            retry_at: None,
            retry_after: JOIN_RETRY_MIN,
            look_at: None,
            maintain_at,
        }
    }

    /// Whether we were told to join through this address.
    pub(crate) fn is_door(&self, endpoint: &Endpoint) -> bool {
        self.doors.contains(endpoint)
    }

    /// Whether nobody told us whom to join.
    pub(crate) fn has_no_doors(&self) -> bool {
        self.doors.is_empty()
    }

    /// How many addresses to join through are remembered.
    pub(crate) fn door_count(&self) -> usize {
        self.doors.len()
    }

    /// The addresses of a family to join through.
    pub(crate) fn doors(&self, family: Family) -> impl Iterator<Item = Endpoint> + '_ {
        self.doors.iter().copied().filter(move |door| door.family() == family)
    }

    /// Remembers addresses to join through before those of earlier times, of which the oldest go if
    /// there are too many: what was told last is most likely still true. Tells whether any is new.
    fn remember(&mut self, endpoints: Vec<Endpoint>) -> bool {
        let before = core::mem::take(&mut self.doors);
        let mut fresh = false;
        for endpoint in endpoints.into_iter().chain(before.iter().copied()) {
            if self.doors.len() < JOIN_ENDPOINTS && !self.doors.contains(&endpoint) {
                fresh |= !before.contains(&endpoint);
                self.doors.push(endpoint);
            }
        }
        fresh
    }

    /// A member of the network answered.
    pub(crate) fn found_somebody(&mut self, events: &mut VecDeque<Event>, tables: &[Table; 2]) {
        if !self.joined {
            self.joined = true;
            self.retry_at = None;
            self.retry_after = JOIN_RETRY_MIN;
            let contacts = tables.iter().map(Table::len).sum();
            events.push_back(Event::Joined { contacts });
        }
    }

    /// When something is to be done; with `idle`, only joining is.
    pub(crate) fn deadline(&self, idle: bool) -> Option<Instant> {
        let maintain = (!idle).then_some(self.maintain_at);
        [self.retry_at, self.look_at, maintain].into_iter().flatten().min()
    }
}

impl<A: Admission> Node<A> {
    /// Remembers addresses to join through, and joins.
    pub(crate) fn join(&mut self, endpoints: Vec<Endpoint>, now: Instant, outbox: &mut Outbox) {
        let fresh = self.membership.remember(endpoints);
        // Doors that did not open lately are not tried again before their time.
        let waits = self.membership.retry_at.is_some() && !fresh;
        // A client that leaves soon needs no table: its lookups start at the doors themselves.
        let idle = self.membership.doors.is_empty() || self.membership.joining;
        if !self.config.ephemeral && !idle && !waits {
            self.look_for_neighbours(Owner::Join, now, outbox);
        }
    }

    fn look_for_neighbours(&mut self, owner: Owner, now: Instant, outbox: &mut Outbox) {
        self.membership.joining |= owner == Owner::Join;
        let question = Question::Nodes(self.id().point());
        let lookup = Lookup::new(question, K, owner, now);
        let operation = self.own_operation();
        self.start_lookup(operation, lookup, now, outbox);
    }

    /// The lookup for our own place ended.
    pub(crate) fn join_lookup_ended(
        &mut self,
        result: &LookupResult,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        if planted::is(Bug::JoinNeverRetried) && result.answered == 0 {
            return;
        }
        self.membership.joining = false;
        if result.answered == 0 {
            let retry_in = self.dice.jittered(self.membership.retry_after);
            self.membership.retry_after = (self.membership.retry_after * 2).min(JOIN_RETRY_MAX);
            self.membership.retry_at = Some(now + retry_in);
            self.events.push_back(Event::JoinFailed { retry_in });
            return;
        }
        let look_at = now + self.dice.jittered(SECOND_LOOK);
        self.membership.look_at = Some(look_at).filter(|_| !planted::is(Bug::NoSecondLook));
        self.fill_thin_buckets(now, outbox);
    }

    /// Looks into the parts of the key space of which the table knows little.
    fn fill_thin_buckets(&mut self, now: Instant, outbox: &mut Outbox) {
        for family in Family::ALL {
            let depth = self.tables[family as usize].depth();
            for index in 0..depth.saturating_sub(1).min(FILLING_LOOKUPS) {
                let noise = self.dice.bytes();
                if let Some(point) = self.tables[family as usize].thin_bucket(index, noise) {
                    self.refresh(point, now, outbox);
                }
            }
        }
    }

    fn refresh(&mut self, point: wire::Point, now: Instant, outbox: &mut Outbox) {
        let lookup = Lookup::new(Question::Nodes(point), K, Owner::Refresh, now);
        let operation = self.own_operation();
        self.start_lookup(operation, lookup, now, outbox);
    }

    /// Looks after membership, table and shelf, as far as it is time.
    pub(crate) fn maintain(&mut self, now: Now, outbox: &mut Outbox) {
        let monotonic = now.monotonic;
        if self.membership.retry_at.is_some_and(|at| at <= monotonic) {
            self.membership.retry_at = None;
            self.look_for_neighbours(Owner::Join, monotonic, outbox);
        }
        if self.membership.look_at.is_some_and(|at| at <= monotonic) {
            let again_in = self.dice.jittered(STALE);
            self.membership.look_at = Some(monotonic + again_in);
            self.look_for_neighbours(Owner::Refresh, monotonic, outbox);
        }
        if self.membership.maintain_at > monotonic {
            return;
        }
        let checks_in = self.tables.iter().map(Table::questionable_again).min();
        let next_in = checks_in.map_or(MAINTENANCE, |checks_in| checks_in.min(MAINTENANCE));
        self.membership.maintain_at = monotonic + self.dice.jittered(next_in);
        let wall = self.lease_wall(now);
        self.items.sweep(wall, &mut self.changes);
        let (durable, changes) = (self.config.durable, &mut self.changes);
        let mut gone = |target: &Target, cursor: &Cursor| {
            if durable {
                persisted_member::remove(target, cursor, changes);
            }
        };
        self.members.sweep(wall, &mut gone);
        self.members.shed(&mut gone);
        self.verifications.tidy(monotonic);
        self.peers.sweep(monotonic, |info_hash, endpoint| {
            if durable {
                persisted_peer::remove(info_hash, endpoint, changes);
            }
        });
        self.check_questionable(monotonic, outbox);
        self.look_for_lost(monotonic, outbox);
        self.try_to_reach_ourselves(monotonic, outbox);
        for family in Family::ALL {
            let noise = self.dice.bytes();
            let stale = self.tables[family as usize].stale_bucket(noise, monotonic);
            if let Some(point) = stale {
                self.refresh(point, monotonic, outbox);
            }
        }
        let lost = self.tables.iter().all(Table::is_empty);
        if lost && !self.membership.doors.is_empty() && !self.membership.joining {
            self.membership.joined = false;
            self.join(Vec::new(), monotonic, outbox);
        }
    }

    /// Asks contacts that have been quiet for long whether they live.
    fn check_questionable(&mut self, now: Instant, outbox: &mut Outbox) {
        if planted::is(Bug::QuietNeverAsked) {
            return;
        }
        for family in Family::ALL {
            for contact in self.tables[family as usize].questionable(now, CHECKS) {
                self.verify(contact, now, outbox);
            }
        }
    }

    /// A contact did not answer in time.
    pub(crate) fn fell_silent(&mut self, contact: Contact, now: Instant) {
        let table = &mut self.tables[contact.endpoint.family() as usize];
        let known = table.get(&contact.id).is_some();
        table.failed(&contact.id, &contact.endpoint, now);
        let stays = table.get(&contact.id).is_some();
        if known && stays {
            let at = now + self.dice.jittered(RECHECK);
            self.membership.maintain_at = self.membership.maintain_at.min(at);
        } else if known && self.config.network != Network::Public {
            // The public network is never short of contacts.
            self.lost.add(contact, now);
        }
    }

    /// A known contact says that nobody shall ask it (BEP 43): it leaves, or cannot be reached any more.
    /// That is believed once it does not answer; whoever has its address could say so.
    pub(crate) fn says_goodbye(
        &mut self,
        id: &NodeId,
        from: &Endpoint,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        if self.tables[from.family() as usize].doubts(id, from) {
            if planted::is(Bug::GoodbyeBelieved) {
                return self.tables[from.family() as usize].gone(id, from, now);
            }
            self.verify(Contact { id: *id, endpoint: *from }, now, outbox);
        }
    }

    /// Tells those who know us best that we are not there any more.
    pub(crate) fn say_goodbye(&mut self, now: Instant, outbox: &mut Outbox) {
        if self.read_only {
            return;
        }
        self.read_only = true;
        let own = self.id().point();
        let nearest = |table: &Table| {
            let closest = table.closest::<GOODBYES>(&own);
            closest.iter().map(|entry| entry.contact()).collect::<Vec<_>>()
        };
        for contact in self.tables.each_ref().map(nearest).concat() {
            self.verify(contact, now, outbox);
        }
    }

    /// Asks some of those that fell silent whether they are there again.
    fn look_for_lost(&mut self, now: Instant, outbox: &mut Outbox) {
        for _ in 0..LOST_CHECKS {
            if let Some(contact) = self.lost.next(now)
                && !planted::is(Bug::LostNeverAsked)
            {
                self.verify(contact, now, outbox);
            }
        }
    }

    /// A contact gave a sign of life: if it had fallen silent, others may be back with it.
    pub(crate) fn is_back(&mut self, contact: &Contact, now: Instant) {
        if !self.lost.is_empty() && self.lost.found(&contact.id) {
            let at = now + self.lost.look_after(now);
            self.membership.look_at = Some(self.membership.look_at.map_or(at, |set| set.min(at)));
        }
    }

    /// We heard of a contact: if the table has use for it, it is asked whether it lives.
    pub(crate) fn consider(&mut self, contact: Contact, now: Instant, outbox: &mut Outbox) {
        if self.config.ephemeral
            || self.verifications.asked_lately(&contact.endpoint, now)
            || !self.tables[contact.endpoint.family() as usize].wants(&contact)
        {
            return;
        }
        let in_flight = self.pending.verifications();
        if self.verifications.allow(&contact.endpoint, in_flight, now) {
            self.verify(contact, now, outbox);
        }
    }

    fn verify(&mut self, contact: Contact, now: Instant, outbox: &mut Outbox) {
        let (to, expected) = (contact.endpoint, Some(contact.id));
        let purpose = Purpose::Verify;
        self.ask(Ask { to, expected, query: &Query::Ping, purpose }, now, outbox);
    }

    /// Somebody told us where it sees us.
    pub(crate) fn seen_at(
        &mut self,
        voter: &Endpoint,
        seen: Endpoint,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let Some(moved) = self.identity.vote(voter, seen, &mut self.dice) else { return };
        self.events.push_back(Event::ExternalAddress(moved.external));
        if let Some(id) = moved.id {
            self.tables.iter_mut().for_each(|table| table.rename(id, now));
            self.events.push_back(Event::Renamed(id));
            self.look_for_neighbours(Owner::Refresh, now, outbox);
        }
        self.try_to_reach_ourselves(now, outbox);
    }

    /// Sends a ping to our own external address: if it comes back, others can reach us too.
    fn try_to_reach_ourselves(&mut self, now: Instant, outbox: &mut Outbox) {
        if !self.read_only || self.config.ephemeral {
            return;
        }
        for family in Family::ALL {
            let Some(to) = self.identity.external(family) else { continue };
            let (expected, purpose) = (None, Purpose::Verify);
            self.ask(Ask { to, expected, query: &Query::Ping, purpose }, now, outbox);
        }
    }

    /// A query of our own came back to us.
    pub(crate) fn heard_ourselves(&mut self, from: &Endpoint) {
        let external = self.identity.external(from.family());
        if self.config.network == Network::Public
            && !self.config.ephemeral
            && external.is_some_and(|external| external.ip() == from.ip())
        {
            self.read_only = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_last_takes_the_place_of_the_oldest_addresses_to_join_through() {
        let door = |port| Endpoint::v4([127, 0, 0, 1], port);
        let many = JOIN_ENDPOINTS as u16;
        let mut membership = Membership::new(Instant::default());
        assert!(membership.remember((1..=2 * many).map(door).collect()));
        assert!(membership.is_door(&door(1)) && !membership.is_door(&door(many + 1)));
        assert!(membership.remember(std::vec![door(999), door(5)]));
        assert!(!membership.remember(std::vec![door(5)]), "known");
        let doors: Vec<Endpoint> = membership.doors(Family::V4).collect();
        assert_eq!(doors.len(), JOIN_ENDPOINTS);
        assert_eq!(doors[..3], [door(5), door(999), door(1)]);
        assert!(!membership.is_door(&door(many)), "the last of those before");
    }
}
