//! Lookups: walking towards a target in both address families, and what is found on the way.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use hashbrown::{HashMap, HashSet};
use wire::item::Signed;
use wire::{
    Bloom, Contact, Endpoint, Family, Found, Item, KnownKeys, NodeLists, Point, Query, Reply,
    TransactionId, Unverified, Want,
};

use crate::ask::Question as Ask;
use crate::limits::{K, LOOKUP_ITEMS, LOOKUP_PEERS, LOOKUP_TIME};
use crate::operation::{
    Ended, Event, Holds, LookupResult, OperationId, Question, Responder, Step, StepOutcome,
};
use crate::outbox::Outbox;
use crate::pending::{Purpose, Waiting};
use crate::shelf::Admission;
use crate::state::Node;
use crate::table::Entry;
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

/// What a candidate's query came to, but for silence.
pub(crate) enum Heard<'m> {
    Reply { contact: Contact, round_trip: Duration, reply: Reply<'m> },
    Refused(i64),
    Distrusted,
}

/// A lookup on its way.
pub(crate) struct Lookup {
    question: Question,
    target: Point,
    owner: Owner,
    trace: bool,
    stop_at_proof: bool,
    started: Instant,
    walks: [Option<Walk>; 2],
    width: usize,
    responders: HashMap<(Family, u16), Responder, foldhash::fast::FixedState>,
    asked_at: HashMap<(Family, u16), Instant, foldhash::fast::FixedState>,
    /// Candidates that refused the question itself and were asked for contacts instead.
    plain: HashSet<(Family, u16), foldhash::fast::FixedState>,
    items: Vec<Item>,
    found_at: Vec<Contact>,
    peers: HashSet<Endpoint, foldhash::fast::FixedState>,
    filters: Option<Box<(Bloom, Bloom)>>,
}

impl Lookup {
    pub(crate) fn new(question: Question, width: usize, owner: Owner, now: Instant) -> Self {
        Self {
            target: question.target(),
            question,
            owner,
            trace: false,
            stop_at_proof: false,
            started: now,
            walks: [None, None],
            width: width.clamp(1, wire::limits::NODES_PER_LIST),
            responders: HashMap::default(),
            asked_at: HashMap::default(),
            plain: HashSet::default(),
            items: Vec::new(),
            found_at: Vec::new(),
            peers: HashSet::default(),
            filters: None,
        }
    }

    /// For a caller: with what the command says beyond the question.
    pub(crate) fn for_caller(
        question: Question,
        width: usize,
        stop_at_proof: bool,
        trace: bool,
        now: Instant,
    ) -> Self {
        Self { stop_at_proof, trace, ..Self::new(question, width, Owner::Caller, now) }
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
        if self.stop_at_proof && self.items.iter().any(|item| item.seq().is_none()) {
            return Some(Ended::Proved);
        }
        let walks: Vec<Option<Ended>> = self.walks.iter().flatten().map(Walk::ended).collect();
        if walks.iter().all(Option::is_some) {
            let order = [Ended::OutOfMessages, Ended::Converged];
            let found = order.into_iter().find(|ended| walks.contains(&Some(*ended)));
            return Some(found.unwrap_or(Ended::Unreachable));
        }
        (now.since(self.started) >= LOOKUP_TIME).then_some(Ended::OutOfTime)
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
        for family in Family::ALL {
            let mut walk = Walk::new(lookup.target, lookup.width);
            let mut any = false;
            let closest = self.tables[family as usize].closest::<{ 4 * K }>(&lookup.target);
            // Nodes tell of K others each: a wider lookup needs more of what we know ourselves.
            let start = (2 * K).max(lookup.width + K);
            // A contact that failed lately may be back, and if it is one of the closest, its silence
            // must be told rather than its place be given to a farther one.
            let failing = self.tables[family as usize].closest_failing(&lookup.target, K);
            for contact in closest.iter().take(start).map(Entry::contact).chain(failing) {
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
        self.lookups.insert(operation, lookup);
        self.advance_lookup(operation, now, outbox);
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
                let next = lookup.walks[family as usize].as_mut()?.next()?;
                Some((family, next))
            });
            let Some((family, next)) = next else { return };
            lookup.asked_at.insert((family, next.candidate), now);
            // While one family's table is still empty, the other's nodes may know a way in (BEP 32).
            let want = match lookup.owner {
                Owner::Join if !both => Want { v4: true, v6: true },
                _ => Want::default(),
            };
            let query = lookup.query(want);
            let purpose = Purpose::Lookup { operation, family, candidate: next.candidate };
            let ask = Ask { to: next.endpoint, expected: next.id, query: &query, purpose };
            if !self.ask(ask, now, outbox)
                && let Some(walk) = self.walk(operation, family)
            {
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
        operation: OperationId,
        family: Family,
        candidate: u16,
        heard: Heard<'_>,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        match heard {
            Heard::Reply { contact, round_trip, reply } => {
                let new =
                    self.take_reply(operation, family, candidate, contact, round_trip, &reply, now);
                for contact in new {
                    self.consider(contact, now, outbox);
                }
            }
            Heard::Refused(code) => {
                if self.ask_plainly(operation, family, candidate, now, outbox) {
                    return;
                }
                let outcome = StepOutcome::Refused(code);
                self.lookup_failed(operation, family, candidate, outcome, now);
            }
            Heard::Distrusted => {
                let outcome = StepOutcome::Distrusted;
                self.lookup_failed(operation, family, candidate, outcome, now);
            }
        }
        self.advance_lookup(operation, now, outbox);
    }

    /// Takes in a reply. Gives the contacts in it that were new to the lookup.
    #[allow(clippy::too_many_arguments)]
    fn take_reply(
        &mut self,
        operation: OperationId,
        family: Family,
        candidate: u16,
        contact: Contact,
        round_trip: Duration,
        reply: &Reply<'_>,
        now: Instant,
    ) -> Vec<Contact> {
        let own = self.id();
        let rules = self.config.network.rules();
        let Some(lookup) = self.lookups.get_mut(&operation) else { return Vec::new() };
        let Ok((holds, fresh)) = lookup.take_item(reply, &mut self.known_keys) else {
            self.lookup_failed(operation, family, candidate, StepOutcome::Distrusted, now);
            return Vec::new();
        };
        if let Some(item) = fresh {
            lookup.found_at.push(contact);
            self.events.push_back(Event::Item(operation, item));
        }
        let peers = lookup.take_peers(reply);
        let (lists, token) = lists_and_token(reply);
        let mut told = 0;
        let mut new = Vec::new();
        if let Some(walk) = lookup.walks[family as usize].as_mut() {
            walk.answered(candidate, contact.id);
        }
        for told_family in Family::ALL {
            let list = if told_family == Family::V4 { lists.v4 } else { lists.v6 };
            let Some(list) = list else { continue };
            for node in list.iter().filter(|node| node.id != own && rules.may_enter(node)) {
                told += 1;
                let width = lookup.width;
                let walk = lookup.walks[told_family as usize]
                    .get_or_insert_with(|| Walk::new(lookup.target, width));
                let is_new = match told_family == family {
                    true => walk.told(candidate, node),
                    false => walk.told_from_afar(node),
                };
                if is_new {
                    new.push(node);
                }
            }
        }
        if let Some(walk) = lookup.walks[family as usize].as_mut() {
            walk.heard_out();
        }
        let token = token.map(Box::from);
        let responder = Responder { contact, round_trip, token, holds };
        lookup.responders.insert((family, candidate), responder);
        let outcome =
            StepOutcome::Answered { nodes: told, new: new.len(), peers: peers.len(), holds };
        if !peers.is_empty() {
            self.events.push_back(Event::Peers(operation, peers));
        }
        self.tell_step(operation, family, candidate, outcome, now);
        new
    }

    /// A candidate did not answer in time.
    pub(crate) fn lookup_silent(
        &mut self,
        operation: OperationId,
        family: Family,
        candidate: u16,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        self.lookup_failed(operation, family, candidate, StepOutcome::Silent, now);
        self.advance_lookup(operation, now, outbox);
    }

    fn lookup_failed(
        &mut self,
        operation: OperationId,
        family: Family,
        candidate: u16,
        outcome: StepOutcome,
        now: Instant,
    ) {
        if let Some(walk) = self.walk(operation, family) {
            walk.failed(candidate);
            self.tell_step(operation, family, candidate, outcome, now);
        }
    }

    /// A query is slow: a lookup may ask another, a write is sent once more.
    pub(crate) fn is_slow(
        &mut self,
        transaction: TransactionId,
        waiting: Waiting,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        match waiting.purpose {
            Purpose::Lookup { operation, family, candidate } => {
                if let Some(walk) = self.walk(operation, family) {
                    walk.slow(candidate);
                    self.advance_lookup(operation, now, outbox);
                }
            }
            Purpose::Write { operation, destination } => {
                self.write_again(operation, destination, transaction, now, outbox);
            }
            Purpose::Ask(_) | Purpose::Verify => {}
        }
    }

    /// Asks a node that does not know the question for contacts instead, once. Some nodes answer no
    /// query of BEP 44 and are good guides all the same.
    fn ask_plainly(
        &mut self,
        operation: OperationId,
        family: Family,
        candidate: u16,
        now: Instant,
        outbox: &mut Outbox,
    ) -> bool {
        let Some(lookup) = self.lookups.get_mut(&operation) else { return false };
        if matches!(lookup.question, Question::Nodes(_))
            || !lookup.plain.insert((family, candidate))
        {
            return false;
        }
        let Some(walk) = &lookup.walks[family as usize] else { return false };
        let (expected, to) = walk.candidate(candidate);
        let query = Query::FindNode { target: lookup.target, want: Want::default() };
        let purpose = Purpose::Lookup { operation, family, candidate };
        self.ask(Ask { to, expected, query: &query, purpose }, now, outbox)
    }

    fn tell_step(
        &mut self,
        operation: OperationId,
        family: Family,
        candidate: u16,
        outcome: StepOutcome,
        now: Instant,
    ) {
        let Some(lookup) = self.lookups.get(&operation).filter(|lookup| lookup.trace) else {
            return;
        };
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

impl Lookup {
    /// What the answering node holds; with a verified item that was not known yet. An item that
    /// does not verify makes the whole answer worthless.
    fn take_item(
        &mut self,
        reply: &Reply<'_>,
        keys: &mut KnownKeys,
    ) -> Result<(Holds, Option<Item>), wire::Refusal> {
        let Question::Item { target, salt, newer_than } = &self.question else {
            return Ok((Holds::Nothing, None));
        };
        let item = match reply {
            Reply::Item { found: Found::Item(item), .. } => item,
            // Without the item a version is hearsay: it counts only if we asked to leave the item out.
            Reply::Item { found: Found::Version(seq), .. } if newer_than.is_some() => {
                return Ok((Holds::Version(*seq), None));
            }
            _ => return Ok((Holds::Nothing, None)),
        };
        // Replicas are mostly the same, byte for byte: each different item is verified once.
        if let Some(index) = self.items.iter().position(|known| is_same(known, item)) {
            return Ok((Holds::Item(index), None));
        }
        let item = item.verify_for(target, salt, keys)?.to_item();
        if self.items.len() >= LOOKUP_ITEMS {
            return Ok((item.seq().map_or(Holds::Nothing, Holds::Version), None));
        }
        self.items.push(item.clone());
        Ok((Holds::Item(self.items.len() - 1), Some(item)))
    }

    /// The peers in a reply that were not known yet; filters are united.
    fn take_peers(&mut self, reply: &Reply<'_>) -> Vec<Endpoint> {
        let Reply::Peers { values, filters, .. } = reply else { return Vec::new() };
        if let Some((seeds, others)) = filters.and_then(wire::reply::blooms) {
            let all = self.filters.get_or_insert_default();
            all.0.unite(&seeds);
            all.1.unite(&others);
        }
        let mut new = Vec::new();
        for peer in values.iter() {
            if self.peers.len() < LOOKUP_PEERS && self.peers.insert(peer) {
                new.push(peer);
            }
        }
        new
    }

    fn into_result(mut self, ended: Ended, now: Instant) -> LookupResult {
        let mut closest: Vec<Responder> = Vec::new();
        let mut silent: Vec<Contact> = Vec::new();
        let mut hops = 0;
        for family in Family::ALL {
            let Some(walk) = &self.walks[family as usize] else { continue };
            for (place, candidate) in walk.closest_answered().enumerate() {
                if place == 0 {
                    hops = hops.max(walk.hop(candidate));
                }
                // A node that answers in both families counts once.
                if let Some(responder) = self.responders.remove(&(family, candidate))
                    && closest.iter().all(|known| known.contact.id != responder.contact.id)
                {
                    closest.push(responder);
                }
            }
            silent.extend(walk.closest_silent());
        }
        let distance = |contact: &Contact| self.target.distance(&contact.id.point());
        closest.sort_by_key(|responder| distance(&responder.contact));
        silent.retain(|quiet| closest.iter().all(|known| known.contact.id != quiet.id));
        silent.sort_by_key(distance);
        // Nor does a node twice that is silent in both.
        silent.dedup_by_key(|contact| contact.id);
        LookupResult {
            target: self.target,
            ended,
            closest,
            silent,
            items: self.items,
            found_at: self.found_at,
            filters: self.filters,
            asked: self.walks.iter().flatten().map(Walk::messages).sum(),
            answered: self.walks.iter().flatten().map(Walk::answers).sum(),
            hops,
            took: now.since(self.started),
        }
    }
}

fn is_same(known: &Item, item: &Unverified<'_>) -> bool {
    let known = known.as_ref();
    let key = |signed: &Signed<'_>| (signed.key, signed.seq, signed.signature);
    known.value() == item.value && known.signed().map(key) == item.signed.as_ref().map(key)
}

fn lists_and_token<'m>(reply: &Reply<'m>) -> (NodeLists<'m>, Option<&'m [u8]>) {
    match reply {
        Reply::Ack => (NodeLists::default(), None),
        Reply::Nodes(nodes) | Reply::Samples { nodes, .. } => (*nodes, None),
        Reply::Peers { nodes, token, .. } | Reply::Item { nodes, token, .. } => (*nodes, *token),
    }
}

/// An error's text for people: unreadable characters replaced.
pub(crate) fn readable(text: &[u8]) -> Box<str> {
    String::from_utf8_lossy(text).into()
}
