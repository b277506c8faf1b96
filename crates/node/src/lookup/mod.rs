//! Lookups: walking towards a target in both address families.

mod again;
mod findings;
mod under_way;

pub(crate) use findings::readable;
pub(crate) use under_way::Lookups;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use hashbrown::{HashMap, HashSet};
use wire::planted::{self, Bug};
use wire::{Bloom, Contact, Endpoint, Family, Item, Point, Query, Reply, TransactionId, Want};

use crate::ask::Question as Ask;
use crate::limits::{K, LOOKUP_ITEMS, LOOKUP_PEERS, LOOKUP_TIME, SLOW_MAX};
use crate::operation::{
    Ended, Event, Holds, OperationId, Question, Responder, Step, StepOutcome, Until,
};
use crate::outbox::Outbox;
use crate::pending::{CandidateId, Purpose, Waiting};
use crate::shelf::Admission;
use crate::state::Node;
use crate::time::Instant;
use crate::walk::Walk;

/// Who waits for a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Whoever gave the command.
    Caller,
    /// The node itself, to join.
    Join,
    /// The node itself, to keep its table fresh.
    Refresh,
}

/// What a candidate's query came to.
pub(crate) enum Heard<'m> {
    Reply { contact: Contact, round_trip: Duration, is_xorbit: bool, reply: &'m Reply<'m> },
    Refused(i64),
    Distrusted,
    Silence,
}

/// A lookup on its way.
pub(crate) struct Lookup {
    question: Question,
    target: Point,
    owner: Owner,
    trace: bool,
    until: Until,
    started: Instant,
    walks: [Option<Walk>; 2],
    width: usize,
    /// Ids must follow from addresses.
    strict: bool,
    responders: HashMap<(Family, u16), Responder, foldhash::fast::FixedState>,
    asked_at: HashMap<(Family, u16), Instant, foldhash::fast::FixedState>,
    /// Candidates that refused the question itself, or answered it without contacts, and were asked
    /// for contacts.
    plain: HashSet<(Family, u16), foldhash::fast::FixedState>,
    items: Vec<Item>,
    found_at: Vec<Contact>,
    peers: HashSet<Endpoint, foldhash::fast::FixedState>,
    filters: Option<Box<(Bloom, Bloom)>>,
    /// Contacts of the caller's to start from.
    seeds: Vec<Contact>,
    /// Somebody did not answer in time who was not known to be silent.
    fell_silent: bool,
}

impl Lookup {
    pub(crate) fn new(question: Question, width: usize, owner: Owner, now: Instant) -> Self {
        Self {
            target: question.target(),
            question,
            owner,
            trace: false,
            until: Until::Converged,
            started: now,
            walks: [None, None],
            width: width.clamp(1, wire::limits::NODES_PER_LIST),
            strict: false,
            responders: HashMap::default(),
            asked_at: HashMap::default(),
            plain: HashSet::default(),
            items: Vec::new(),
            found_at: Vec::new(),
            peers: HashSet::default(),
            filters: None,
            seeds: Vec::new(),
            fell_silent: false,
        }
    }

    /// For a caller: with what the command says beyond the question.
    pub(crate) fn for_caller(
        question: Question,
        width: usize,
        until: Until,
        trace: bool,
        now: Instant,
    ) -> Self {
        Self { until, trace, ..Self::new(question, width, Owner::Caller, now) }
    }

    /// Starts from these contacts, too.
    pub(crate) fn with_seeds(self, seeds: Vec<Contact>) -> Self {
        Self { seeds, ..self }
    }

    /// When it began.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    fn query(&self, want: Want) -> Query<'static> {
        match &self.question {
            Question::Nodes(target) => Query::FindNode { target: *target, want },
            Question::Peers { info_hash, no_seed, scrape } => {
                Query::GetPeers { info_hash: *info_hash, want, no_seed: *no_seed, scrape: *scrape }
            }
            Question::Item { target, newer_than, .. } => {
                Query::Get { target: *target, newer_than: *newer_than, want }
            }
        }
    }

    fn ended(&self, now: Instant) -> Option<Ended> {
        if self.until == Until::Proof && self.items.iter().any(|item| item.seq().is_none()) {
            return Some(Ended::Proved);
        }
        let patient = self.until == Until::Patient;
        let walks: Vec<Option<Ended>> =
            self.walks.iter().flatten().map(|walk| walk.ended(patient)).collect();
        if walks.iter().all(Option::is_some) {
            let order = [Ended::OutOfMessages, Ended::Converged];
            let found = order.into_iter().find(|ended| walks.contains(&Some(*ended)));
            return Some(found.unwrap_or(Ended::Unreachable));
        }
        (now.since(self.started) >= LOOKUP_TIME).then_some(Ended::OutOfTime)
    }

    fn new_walk(&self) -> Walk {
        Walk::new(self.target, self.width).in_network(self.strict)
    }

    pub(crate) fn check_invariant(&self) {
        self.walks.iter().flatten().for_each(Walk::check_invariant);
        assert!(self.items.len() <= LOOKUP_ITEMS && self.peers.len() <= LOOKUP_PEERS);
    }
}

impl<A: Admission> Node<A> {
    /// Starts a lookup from the tables, with the doors in reserve.
    pub(crate) fn start_lookup(
        &mut self,
        operation: OperationId,
        mut lookup: Lookup,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        lookup.strict = self.config.network.rules().strict();
        for family in Family::ALL {
            let mut walk = lookup.new_walk();
            let mut any = false;
            let closest = self.tables[family as usize].closest::<{ 4 * K }>(&lookup.target);
            // Nodes tell of K others each: a wider lookup needs more of what we know ourselves.
            let start = (2 * K).max(lookup.width + K);
            // A contact that failed lately may be back, and if it is one of the closest, its silence
            // must be told rather than its place be given to a farther one.
            let failing = self.tables[family as usize].closest_failing(&lookup.target, K);
            let seeds = lookup.seeds.iter().copied();
            let seeds = seeds.filter(|seed| seed.endpoint.family() == family).take(start);
            let known = closest.iter().take(start).map(|entry| entry.contact()).chain(failing);
            for contact in known.chain(seeds) {
                walk.start_from(contact);
                any = true;
            }
            for door in self.membership.doors(family) {
                walk.start_from_door(door);
                any = true;
            }
            lookup.walks[family as usize] = any.then_some(walk);
        }
        if !self.has_room_for_operation() {
            lookup.walks = [None, None];
        }
        self.lookups.start(operation, lookup, now);
        self.advance_lookup(operation, now, outbox);
    }

    /// Ends the lookups that have run as long as they may: their queries may still wait for a pace.
    pub(crate) fn end_late_lookups(&mut self, now: Instant, outbox: &mut Outbox) {
        while let Some(operation) = self.lookups.late(now) {
            self.advance_lookup(operation, now, outbox);
        }
    }

    /// Asks whom there is to ask; ends the lookup if it is over.
    fn advance_lookup(&mut self, operation: OperationId, now: Instant, outbox: &mut Outbox) {
        let both = self.tables.iter().filter(|table| !table.is_empty()).count() > 1;
        loop {
            let Some(lookup) = self.lookups.get_mut(&operation) else { return };
            if let Some(ended) = lookup.ended(now) {
                return self.finish_lookup(operation, ended, now, outbox);
            }
            let next = Family::ALL.into_iter().find_map(|family| {
                let next = lookup.walks[family as usize].as_mut()?.next_to_ask()?;
                Some((family, next))
            });
            let Some((family, next)) = next else { return };
            let walk = lookup.walks[family as usize].as_mut();
            let others = walk.filter(|walk| walk.has_others(next.candidate));
            let silent = self.silences.contains(&next.endpoint, now);
            if let Some(walk) = others
                && self.silences.is_passed_over(&next.endpoint, now)
            {
                walk.passed_over(next.candidate);
                continue;
            }
            let waited_for = !silent || lookup.until == Until::Patient;
            lookup.asked_at.insert((family, next.candidate), now);
            // While one family's table is still empty, the other's nodes may know a way in (BEP 32).
            let want = match lookup.owner {
                Owner::Join if !both => Want { v4: true, v6: true },
                _ => Want::default(),
            };
            let query = lookup.query(want);
            let candidate = CandidateId { operation, family, candidate: next.candidate };
            let purpose = Purpose::Lookup(candidate);
            let ask = Ask { to: next.endpoint, expected: next.id, query: &query, purpose };
            let late_after = self.round_trips.late_after(self.known_round_trip(&ask));
            let sent = self.ask_within(ask, late_after, now, outbox);
            if let Some(walk) = self.walk(operation, family)
                && !(sent && (waited_for || !walk.has_others(next.candidate)))
            {
                // An answer of somebody silent is taken when it comes, and not waited for.
                walk.failed(next.candidate);
            }
        }
    }

    fn walk(&mut self, operation: OperationId, family: Family) -> Option<&mut Walk> {
        self.lookups.get_mut(&operation)?.walks[family as usize].as_mut()
    }

    /// A candidate's query came to something.
    pub(crate) fn lookup_heard(
        &mut self,
        candidate: CandidateId,
        heard: Heard<'_>,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        match heard {
            Heard::Reply { contact, round_trip, is_xorbit, reply } => {
                let responder = Responder {
                    contact,
                    round_trip,
                    token: reply.token().map(Box::from),
                    is_xorbit,
                    holds: Holds::Nothing,
                };
                for contact in self.take_reply(candidate, responder, reply, now) {
                    if planted::is(Bug::HearsayEnters) {
                        let table = &mut self.tables[contact.endpoint.family() as usize];
                        table.answered(contact, SLOW_MAX, true, now);
                    }
                    self.consider(contact, now, outbox);
                }
                // Ours tell of all that they know.
                if !is_xorbit && reply.nodes().next().is_none() {
                    self.ask_on(candidate, now, outbox);
                }
            }
            Heard::Refused(code) => {
                if self.ask_plainly(candidate, now, outbox) {
                    return;
                }
                self.lookup_failed(candidate, StepOutcome::Refused(code), now);
            }
            Heard::Distrusted => self.lookup_failed(candidate, StepOutcome::Distrusted, now),
            Heard::Silence => self.lookup_failed(candidate, StepOutcome::Silent, now),
        }
        self.advance_lookup(candidate.operation, now, outbox);
    }

    /// Takes in a reply. Gives the contacts in it that were new to the lookup.
    fn take_reply(
        &mut self,
        candidate: CandidateId,
        mut responder: Responder,
        reply: &Reply<'_>,
        now: Instant,
    ) -> Vec<Contact> {
        let CandidateId { operation, family, candidate: number } = candidate;
        let (own, rules) = (self.id(), self.config.network.rules());
        // Our own address is told under other ids too, by nodes that confuse who told them of it.
        let own_address = self.identity.external(family);
        let Some(lookup) = self.lookups.get_mut(&operation) else { return Vec::new() };
        let Ok((holds, fresh)) = lookup.take_item(reply, responder.contact, &mut self.known_keys)
        else {
            self.lookup_failed(candidate, StepOutcome::Distrusted, now);
            return Vec::new();
        };
        if let Some(item) = fresh {
            self.events.push_back(Event::Item(operation, item));
        }
        if let Some(walk) = lookup.walks[family as usize].as_mut()
            && !walk.answered(number, responder.contact.id)
        {
            self.lookup_failed(candidate, StepOutcome::Distrusted, now);
            return Vec::new();
        }
        let peers = lookup.take_peers(reply);
        let (mut told, mut new) = (0, Vec::new());
        let told_of = reply.nodes().filter(|node| {
            node.id != own && Some(node.endpoint) != own_address && rules.may_enter(node)
        });
        for node in told_of {
            told += 1;
            if lookup.told(candidate, node) {
                new.push(node);
            }
        }
        if let Some(walk) = lookup.walks[family as usize].as_mut() {
            walk.heard_out();
        }
        responder.holds = holds;
        // Of one that was asked twice, the answer to the question itself counts.
        lookup.responders.entry((family, number)).or_insert(responder);
        let outcome =
            StepOutcome::Answered { nodes: told, new: new.len(), peers: peers.len(), holds };
        if !peers.is_empty() {
            self.events.push_back(Event::Peers(operation, peers));
        }
        self.tell_step(candidate, outcome, now);
        new
    }

    fn lookup_failed(&mut self, candidate: CandidateId, outcome: StepOutcome, now: Instant) {
        if self.answered_before(candidate) {
            return;
        }
        if let Some(walk) = self.walk(candidate.operation, candidate.family) {
            walk.failed(candidate.candidate);
            self.tell_step(candidate, outcome, now);
        }
    }

    /// Whether a candidate answered the question itself: what comes after cannot take that away.
    fn answered_before(&mut self, candidate: CandidateId) -> bool {
        let CandidateId { operation, family, candidate: number } = candidate;
        let Some(lookup) = self.lookups.get_mut(&operation) else { return false };
        let Some(responder) = lookup.responders.get(&(family, number)) else { return false };
        let Some(walk) = lookup.walks[family as usize].as_mut() else { return false };
        walk.answered(number, responder.contact.id);
        true
    }

    /// A query is slow: a lookup may ask another, a write is sent once more. `blamed`: whom it went to,
    /// and not our own standing still.
    pub(crate) fn is_slow(
        &mut self,
        transaction: TransactionId,
        waiting: Waiting,
        blamed: bool,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let known = self.silences.contains(&waiting.to, now);
        if blamed {
            self.silences.missed(waiting.to, now);
        }
        match waiting.purpose {
            Purpose::Lookup(candidate) => {
                if let Some(lookup) = self.lookups.get_mut(&candidate.operation) {
                    lookup.fell_silent |= !known;
                }
                if !self.answered_before(candidate)
                    && let Some(walk) = self.walk(candidate.operation, candidate.family)
                    && walk.slow(candidate.candidate)
                {
                    self.ask_once_more(candidate, now, outbox);
                }
                self.advance_lookup(candidate.operation, now, outbox);
            }
            Purpose::Write { operation, destination } => {
                self.write_again(operation, destination, transaction, now, outbox);
            }
            Purpose::Ask(_)
            | Purpose::Inquire { .. }
            | Purpose::Members { .. }
            | Purpose::Verify => {}
        }
    }

    fn tell_step(&mut self, candidate: CandidateId, outcome: StepOutcome, now: Instant) {
        let CandidateId { operation, family, candidate } = candidate;
        let lookup = self.lookups.get(&operation).filter(|lookup| lookup.trace);
        let Some(lookup) = lookup else { return };
        let Some(walk) = &lookup.walks[family as usize] else { return };
        let asked_at = lookup.asked_at.get(&(family, candidate)).copied().unwrap_or(now);
        let (id, endpoint) = walk.candidate(candidate);
        let step = Step {
            id,
            endpoint,
            asked_after: asked_at.since(lookup.started),
            took: now.since(asked_at),
            hop: walk.hop(candidate),
            outcome,
        };
        self.events.push_back(Event::Step(operation, step));
    }

    /// Ends a lookup before it is over.
    pub(crate) fn cancel_lookup(&mut self, operation: OperationId, now: Instant) {
        if let Some(lookup) = self.lookups.remove(&operation) {
            let result = lookup.into_result(Ended::Cancelled, now);
            self.events.push_back(Event::LookedUp(operation, Box::new(result)));
        }
    }

    fn finish_lookup(
        &mut self,
        operation: OperationId,
        ended: Ended,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let Some(lookup) = self.lookups.remove(&operation) else { return };
        let owner = lookup.owner;
        let result = lookup.into_result(ended, now);
        match owner {
            Owner::Caller => {
                self.events.push_back(Event::LookedUp(operation, Box::new(result)));
            }
            Owner::Join => self.join_lookup_ended(&result, now, outbox),
            Owner::Refresh => {}
        }
    }
}
