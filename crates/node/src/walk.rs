//! The way of a lookup through one address family: which candidates are known, whom to ask next,
//! and when the closest that live have answered (Kademlia, section 2.3).
//!
//! Pure bookkeeping, without messages. Departures from the paper:
//!
//! - Parallelism adapts. While answers bring closer candidates, few queries are on their way at once
//!   to the closest known; as soon as one does not, all of the closest are asked together, since each
//!   of them must answer anyway.
//! - A query to somebody who is no longer among the closest holds no slot: each hop is as quick as the
//!   quickest of several. Simulated with 10,000 nodes and a heavy tail of delays: half of all first
//!   values came within 124 instead of 136 ms, 99 of 100 within 256 instead of 351.
//! - A slow candidate holds no slot either. One of the closest is asked once more and waited for once
//!   more, since a datagram may have been lost: with 1 % loss and a tenth of contacts dead, 98.9 instead
//!   of 93.4 of 100 lookups found all but one of the eight closest. Slow again, it no longer holds up
//!   the end, unless too few others have answered.
//! - In the public network an id that does not follow from its address (BEP 42) ranks behind all that
//!   do, and a silent node that hardly anybody told of is none. Eight contacts of our own are asked
//!   there whatever others tell: the first four may all be hostile and name nobody but each other.

mod outcome;
mod rank;

use alloc::vec::Vec;

use wire::planted::{self, Bug};
use wire::{Contact, Endpoint, NodeId, Point};

use crate::limits::{
    IN_FLIGHT, LOOKUP_CANDIDATES, LOOKUP_GUIDES, LOOKUP_MESSAGES, LOOKUP_TOLD, PARALLELISM,
};
use rank::Rank;

/// Where a candidate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Asked,
    /// It was slow and is asked once more: others are asked in its place, but it is waited for.
    Late,
    Slow,
    Answered,
    Failed,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    id: Option<NodeId>,
    endpoint: Endpoint,
    rank: Rank,
    hop: u8,
    state: State,
}

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// Names the candidate when its query ends.
    pub candidate: u16,
    /// Its id, if it is known.
    pub id: Option<NodeId>,
    /// Its address.
    pub endpoint: Endpoint,
}

/// The way of a lookup through one address family.
pub struct Walk {
    target: Point,
    width: usize,
    /// Ids must follow from addresses (BEP 42).
    strict: bool,
    /// In the order in which they came, so that an index names one for good.
    candidates: Vec<Candidate>,
    /// Those with an id, by rank.
    order: Vec<u16>,
    /// Who told of whom, where nobody is trusted.
    told: Vec<(u16, u16)>,
    /// Those that we can join through, whose id nobody knows yet.
    doors: Vec<u16>,
    /// Contacts of our own, of different networks, that are asked whatever others tell.
    guides: Vec<u16>,
    in_flight: usize,
    slow: usize,
    asked: usize,
    answered: usize,
    converging: bool,
}

impl Walk {
    /// Towards `target`, until the `width` closest have answered.
    pub fn new(target: Point, width: usize) -> Self {
        Self {
            target,
            width: width.max(1),
            strict: false,
            candidates: Vec::new(),
            order: Vec::new(),
            told: Vec::new(),
            doors: Vec::new(),
            guides: Vec::new(),
            in_flight: 0,
            slow: 0,
            asked: 0,
            answered: 0,
            converging: false,
        }
    }

    /// The same in a network where ids must follow from addresses, if `strict`.
    pub fn in_network(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    fn rank(&self, id: &NodeId, endpoint: &Endpoint) -> Rank {
        Rank::of(&self.target, self.strict, id, endpoint)
    }

    fn place(&self, rank: &Rank) -> Result<usize, usize> {
        self.order.binary_search_by(|index| self.candidates[usize::from(*index)].rank.cmp(rank))
    }

    /// Adds a contact from our own table; the closest come first.
    pub fn start_from(&mut self, contact: Contact) {
        let Some(added) = self.add(contact, 1) else { return };
        if self.strict && self.guides.len() < LOOKUP_GUIDES {
            let prefix = |index: u16| self.candidates[usize::from(index)].endpoint.prefix();
            if self.guides.iter().all(|guide| prefix(*guide) != prefix(added)) {
                self.guides.push(added);
            }
        }
    }

    /// Adds an address to join through, used when no contact answers.
    pub fn start_from_door(&mut self, endpoint: Endpoint) {
        if self.candidates.iter().any(|candidate| candidate.endpoint == endpoint) {
            return;
        }
        if let Some(index) = self.push(None, endpoint, Rank::LAST, 1) {
            self.doors.push(index);
        }
    }

    /// A candidate told us of a contact; `true` if it was new.
    pub fn told(&mut self, by: u16, contact: Contact) -> bool {
        let hop = self.hop(by).saturating_add(1);
        let new = self.add(contact, hop).is_some();
        if self.strict
            && let Ok(place) = self.place(&self.rank(&contact.id, &contact.endpoint))
        {
            let told = (by, self.order[place]);
            if self.told.len() < LOOKUP_TOLD && !self.told.contains(&told) {
                self.told.push(told);
            }
        }
        new
    }

    /// A node of the other family told us of a contact; `true` if it was new.
    pub fn told_from_afar(&mut self, contact: Contact) -> bool {
        self.add(contact, 2).is_some()
    }

    /// Adds a contact and names it; `None` if it is known or there is no room.
    fn add(&mut self, contact: Contact, hop: u8) -> Option<u16> {
        let rank = self.rank(&contact.id, &contact.endpoint);
        let Err(_) = self.place(&rank) else { return None };
        let same = |candidate: &Candidate| candidate.endpoint == contact.endpoint;
        let index = match self.candidates.iter().position(same) {
            None => self.push(Some(contact.id), contact.endpoint, rank, hop),
            Some(index) => self.name(index, contact.id, rank, hop),
        };
        let (Some(index), Err(place)) = (index, self.place(&rank)) else { return None };
        self.order.insert(place, index);
        Some(index)
    }

    /// An address that is known and was not asked yet turns out to be this contact. Of several ids that
    /// it is named by the first in rank counts: a liar could else hide a node under an id that lies far
    /// off. Whoever was asked is not asked again: under many ids it is one node that lies. Nor is an
    /// address to join through a contact of ours because somebody tells who is there.
    fn name(&mut self, index: usize, id: NodeId, rank: Rank, hop: u8) -> Option<u16> {
        let candidate = &mut self.candidates[index];
        if candidate.state != State::New || (candidate.id.is_some() && candidate.rank <= rank) {
            return None;
        }
        (candidate.id, candidate.rank, candidate.hop) = (Some(id), rank, hop);
        let index = u16::try_from(index).ok()?;
        self.doors.retain(|door| *door != index);
        self.order.retain(|other| *other != index);
        Some(index)
    }

    fn push(&mut self, id: Option<NodeId>, endpoint: Endpoint, rank: Rank, hop: u8) -> Option<u16> {
        let candidate = Candidate { id, endpoint, rank, hop, state: State::New };
        if self.candidates.len() >= LOOKUP_CANDIDATES && !planted::is(Bug::LookupUnbounded) {
            let index = self.make_room(&rank)?;
            self.candidates[usize::from(index)] = candidate;
            return Some(index);
        }
        let index = u16::try_from(self.candidates.len()).ok()?;
        self.candidates.push(candidate);
        Some(index)
    }

    /// Forgets the last in rank that nobody has asked, if it comes behind `rank`: otherwise those who
    /// are named first, on the way there, would shut out those who are named at its end.
    fn make_room(&mut self, rank: &Rank) -> Option<u16> {
        let can_go = |index: &&u16| {
            self.candidates[usize::from(**index)].state == State::New
                && !self.guides.contains(*index)
        };
        let last = self.order.iter().rposition(|index| can_go(&index))?;
        let index = self.order[last];
        if self.candidates[usize::from(index)].rank <= *rank {
            return None;
        }
        self.order.remove(last);
        self.told.retain(|(_, whom)| *whom != index);
        Some(index)
    }

    /// The next candidate to ask, which then counts as asked; `None` while enough are on their way.
    pub fn next_to_ask(&mut self) -> Option<Next> {
        if self.is_spent() || self.in_flight >= IN_FLIGHT {
            return None;
        }
        let parallelism = if self.converging { self.width.max(PARALLELISM) } else { PARALLELISM };
        let (asked, new) = self.among_closest();
        let busy = if self.answered == 0 { self.in_flight } else { asked };
        let index = match self.next_guide() {
            Some(guide) => guide,
            None if busy >= parallelism => return None,
            None => new.or_else(|| self.next_door())?,
        };
        let candidate = &mut self.candidates[usize::from(index)];
        candidate.state = State::Asked;
        self.in_flight += 1;
        self.asked += 1;
        Some(Next { candidate: index, id: candidate.id, endpoint: candidate.endpoint })
    }

    /// A guide that was not asked yet.
    fn next_guide(&self) -> Option<u16> {
        let is_new = |index: &&u16| self.candidates[usize::from(**index)].state == State::New;
        self.guides.iter().find(is_new).copied()
    }

    /// Among the `width` closest that may still answer: how many are being asked, and the closest of
    /// those not yet asked.
    fn among_closest(&self) -> (usize, Option<u16>) {
        let (mut hopeful, mut asked, mut new) = (0, 0, None);
        for index in &self.order {
            match self.candidates[usize::from(*index)].state {
                State::New => new = new.or(Some(*index)),
                State::Asked => asked += 1,
                State::Answered => {}
                State::Late | State::Slow | State::Failed => continue,
            }
            hopeful += 1;
            if hopeful >= self.width {
                break;
            }
        }
        (asked, new)
    }

    /// A door is tried only when there is nobody else to hope for.
    fn next_door(&self) -> Option<u16> {
        let hopeful = |index: &u16| {
            let state = self.candidates[usize::from(*index)].state;
            !matches!(state, State::Late | State::Slow | State::Failed)
        };
        if self.answered > 0 || self.order.iter().any(hopeful) {
            return None;
        }
        self.doors
            .iter()
            .copied()
            .find(|index| self.candidates[usize::from(*index)].state == State::New)
    }

    /// A candidate answered, as `id`: perhaps another than it was known by. `false`: somebody else has
    /// answered as `id` already, so that this one counts as failed.
    pub fn answered(&mut self, candidate: u16, id: NodeId) -> bool {
        let known = self.candidates[usize::from(candidate)].id == Some(id);
        if !known && !self.take_id(candidate, id) {
            self.failed(candidate);
            return false;
        }
        if self.candidates[usize::from(candidate)].state != State::Answered {
            self.leave_flight(candidate, State::Answered);
            self.answered += 1;
        }
        true
    }

    /// Lets a candidate stand under this id, unless another one has answered under it.
    fn take_id(&mut self, candidate: u16, id: NodeId) -> bool {
        let rank = self.rank(&id, &self.candidates[usize::from(candidate)].endpoint);
        let twin =
            self.place(&rank).ok().map(|twin| self.candidates[usize::from(self.order[twin])]);
        if twin.is_some_and(|twin| twin.state == State::Answered) {
            return false;
        }
        self.order.retain(|index| *index != candidate);
        match self.place(&rank) {
            // Known by this id already, at another address: this answer counts for it.
            Ok(twin) => self.order[twin] = candidate,
            Err(place) => self.order.insert(place, candidate),
        }
        let entry = &mut self.candidates[usize::from(candidate)];
        (entry.id, entry.rank) = (Some(id), rank);
        true
    }

    /// All contacts of an answer are in: from here on the walk converges if none of them is among
    /// the closest.
    pub fn heard_out(&mut self) {
        let open = self.order.iter().take(self.width).any(|index| {
            self.candidates[usize::from(*index)].state == State::New
                && self.candidates[usize::from(*index)].hop > 1
        });
        self.converging = !open || self.answered >= self.width / 2;
    }

    /// Whether fewer are known that answered or may than are looked for.
    pub fn is_short(&self) -> bool {
        let failed = |index: &&u16| self.candidates[usize::from(**index)].state == State::Failed;
        self.order.len() - self.order.iter().filter(failed).count() < self.width
    }

    /// Whether somebody else than a candidate has answered or may.
    pub fn has_others(&self, than: u16) -> bool {
        self.order.iter().filter(|index| **index != than).any(|index| {
            let state = self.candidates[usize::from(*index)].state;
            !matches!(state, State::Late | State::Slow | State::Failed)
        })
    }

    /// A candidate that answered is asked something else; `false` if no query is left for that.
    pub fn ask_again(&mut self, candidate: u16) -> bool {
        if self.is_spent() {
            return false;
        }
        self.candidates[usize::from(candidate)].state = State::Asked;
        self.in_flight += 1;
        self.asked += 1;
        self.answered -= 1;
        true
    }

    /// A candidate that refused is asked something else; `false` if no query is left for that.
    pub fn ask_instead(&mut self) -> bool {
        let left = !self.is_spent();
        self.asked += usize::from(left);
        left
    }

    /// Whether it has sent as many queries as it may.
    fn is_spent(&self) -> bool {
        self.asked >= LOOKUP_MESSAGES
    }

    /// A candidate is slow: another may be asked in its place. `true`: it is one of the closest, and
    /// shall be asked once more.
    pub fn slow(&mut self, candidate: u16) -> bool {
        let again = self.is_closest(candidate) && !self.is_spent();
        let for_ever = planted::is(Bug::SlowAskedAgain);
        let entry = &mut self.candidates[usize::from(candidate)];
        match entry.state {
            State::Asked => self.in_flight -= 1,
            State::Late if for_ever => return true,
            State::Late => {
                entry.state = State::Slow;
                return false;
            }
            _ => return false,
        }
        self.slow += 1;
        entry.state = if again { State::Late } else { State::Slow };
        self.asked += usize::from(again);
        again
    }

    /// Whether a candidate is among the `width` closest that may still answer.
    fn is_closest(&self, candidate: u16) -> bool {
        let failed = |index: &&u16| self.candidates[usize::from(**index)].state == State::Failed;
        self.order.iter().filter(|index| !failed(index)).take(self.width).any(|it| *it == candidate)
    }

    /// Whether a candidate is the closest of all that may still answer.
    pub fn is_nearest(&self, candidate: u16) -> bool {
        let failed = |index: &&u16| self.candidates[usize::from(**index)].state == State::Failed;
        self.order.iter().find(|index| !failed(index)) == Some(&candidate)
    }

    /// A candidate is not asked after all: it is known to be silent.
    pub fn passed_over(&mut self, candidate: u16) {
        self.failed(candidate);
        self.asked -= 1;
    }

    /// A candidate did not answer, or cannot be trusted.
    pub fn failed(&mut self, candidate: u16) {
        let answers = planted::is(Bug::SilentCountsAsAnswered);
        self.leave_flight(candidate, if answers { State::Answered } else { State::Failed });
    }

    fn leave_flight(&mut self, candidate: u16, to: State) {
        let entry = &mut self.candidates[usize::from(candidate)];
        match entry.state {
            State::Asked => self.in_flight -= 1,
            State::Late | State::Slow => self.slow -= 1,
            _ => {}
        }
        entry.state = to;
    }

    /// The id and address of a candidate.
    pub fn candidate(&self, candidate: u16) -> (Option<NodeId>, Endpoint) {
        let entry = &self.candidates[usize::from(candidate)];
        (entry.id, entry.endpoint)
    }

    /// Through how many nodes we came to a candidate, itself included.
    pub fn hop(&self, candidate: u16) -> u8 {
        self.candidates[usize::from(candidate)].hop
    }

    /// How many queries the walk has sent.
    pub fn messages(&self) -> usize {
        self.asked
    }

    /// How many candidates have answered.
    pub fn answers(&self) -> usize {
        self.answered
    }

    /// Checks what must always hold; called by tests after each step.
    ///
    /// # Panics
    /// If it does not.
    #[doc(hidden)]
    pub fn check_invariant(&self) {
        let count = |state| self.candidates.iter().filter(|c| c.state == state).count();
        assert_eq!(self.in_flight, count(State::Asked));
        assert_eq!(self.slow, count(State::Late) + count(State::Slow));
        assert!(self.asked <= LOOKUP_MESSAGES && self.candidates.len() <= LOOKUP_CANDIDATES);
        assert!(self.order.iter().map(|i| self.candidates[usize::from(*i)].rank).is_sorted());
        assert!(self.told.len() <= LOOKUP_TOLD);
    }
}

#[cfg(test)]
mod tests;
