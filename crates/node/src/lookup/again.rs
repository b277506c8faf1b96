//! A candidate of a lookup is asked once more: the same, since a datagram may have got lost, or for
//! contacts, since it told of none.

use wire::{Query, Want};

use crate::ask::Question as Ask;
use crate::operation::Question;
use crate::outbox::Outbox;
use crate::pending::{CandidateId, Purpose};
use crate::shelf::Admission;
use crate::state::Node;
use crate::time::Instant;
use crate::walk::Walk;

impl<A: Admission> Node<A> {
    /// Asks a slow candidate the same again: its answer, or the question, may have been lost.
    pub(super) fn ask_once_more(
        &mut self,
        candidate: CandidateId,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let Some(lookup) = self.lookups.get(&candidate.operation) else { return };
        let Some(walk) = &lookup.walks[candidate.family as usize] else { return };
        let (expected, to) = walk.candidate(candidate.candidate);
        let nearest = walk.is_nearest(candidate.candidate);
        let query = lookup.query(Want::default());
        let purpose = Purpose::Lookup(candidate);
        let ask = Ask { to, expected, query: &query, purpose };
        let known = self.known_round_trip(&ask);
        let waited_for = match nearest {
            true => self.round_trips.missing_after(known),
            false => self.round_trips.slow_after(known),
        };
        self.ask_within(ask, waited_for, now, outbox);
    }

    /// Asks a node that does not know the question for contacts instead, once. Some nodes answer no
    /// query of BEP 44 and are good guides all the same.
    pub(super) fn ask_plainly(
        &mut self,
        candidate: CandidateId,
        now: Instant,
        outbox: &mut Outbox,
    ) -> bool {
        let CandidateId { operation, family, candidate: number } = candidate;
        let Some(lookup) = self.lookups.get_mut(&operation) else { return false };
        if matches!(lookup.question, Question::Nodes(_)) || !lookup.plain.insert((family, number)) {
            return false;
        }
        let left = lookup.walks[family as usize].as_mut().is_some_and(Walk::ask_instead);
        left && self.ask_for_contacts(candidate, now, outbox)
    }

    /// Asks a node that answered the question, but told of nobody, for contacts while the lookup
    /// knows too few: bittorrent-dht's nodes tell of an item that they hold, and of nothing else.
    pub(super) fn ask_on(&mut self, candidate: CandidateId, now: Instant, outbox: &mut Outbox) {
        let CandidateId { operation, family, candidate: number } = candidate;
        let Some(lookup) = self.lookups.get_mut(&operation) else { return };
        let answered = lookup.responders.contains_key(&(family, number));
        let Some(walk) = lookup.walks[family as usize].as_mut() else { return };
        if matches!(lookup.question, Question::Nodes(_)) || !answered || !walk.is_short() {
            return;
        }
        if lookup.plain.insert((family, number))
            && walk.ask_again(number)
            && !self.ask_for_contacts(candidate, now, outbox)
        {
            self.answered_before(candidate);
        }
    }

    fn ask_for_contacts(
        &mut self,
        candidate: CandidateId,
        now: Instant,
        outbox: &mut Outbox,
    ) -> bool {
        let Some(lookup) = self.lookups.get(&candidate.operation) else { return false };
        let Some(walk) = &lookup.walks[candidate.family as usize] else { return false };
        let (expected, to) = walk.candidate(candidate.candidate);
        let query = Query::FindNode { target: lookup.target, want: Want::default() };
        let purpose = Purpose::Lookup(candidate);
        self.ask(Ask { to, expected, query: &query, purpose }, now, outbox)
    }
}
