//! Queries of ours that wait for their reply.
//!
//! A reply is matched by transaction id and source address together. A query passes two points in
//! time: it becomes slow, and it is given up.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use hashbrown::HashMap;
use wire::planted::{self, Bug};
use wire::{Endpoint, Family, NodeId, ReplyKind, Target, TransactionId};

use crate::dice::Dice;
use crate::limits::PENDING;
use crate::operation::OperationId;
use crate::time::Instant;

/// Names one candidate of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandidateId {
    /// Which lookup.
    pub operation: OperationId,
    /// In which family's walk.
    pub family: Family,
    /// Which candidate of the walk.
    pub candidate: u16,
}

/// What a query was sent for, and so who hears of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To get closer to a target.
    Lookup(CandidateId),
    /// To store something.
    Write {
        /// Which write phase.
        operation: OperationId,
        /// Which of its destinations.
        destination: u16,
    },
    /// Because the caller asked for just this.
    Ask(OperationId),
    /// To learn what one node holds.
    Inquire {
        /// For which operation.
        operation: OperationId,
        /// It may answer later, once it holds something newer.
        waits: bool,
    },
    /// For members of the set at this target.
    Members {
        /// Who hears of it.
        operation: OperationId,
        /// Where the set lies: members verify only with it.
        target: Target,
    },
    /// To see whether a contact that we heard of, or not heard of for long, is alive.
    Verify,
}

impl Purpose {
    /// Whether the answer may come much later than the way takes.
    pub fn waits(&self) -> bool {
        matches!(self, Purpose::Inquire { waits: true, .. })
    }
}

/// A query on its way.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// Whom we asked.
    pub to: Endpoint,
    /// Whom we expect there, if we know.
    pub expected: Option<NodeId>,
    /// What kind of reply we expect.
    pub kind: ReplyKind,
    /// Why we asked.
    pub purpose: Purpose,
    /// When we asked.
    pub sent_at: Instant,
}

/// Which point in time a query has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Slow,
    GivenUp,
}

/// A query whose time has come.
#[derive(Clone, Copy, Debug)]
pub enum Due {
    /// It is slow; a reply may still come.
    Slow(TransactionId, Waiting),
    /// It is given up and forgotten.
    GivenUp(Waiting),
}

/// Queries of ours that wait for their reply. While there are none, they take no room.
pub struct Pending {
    queries: HashMap<TransactionId, Waiting, foldhash::fast::FixedState>,
    timers: BinaryHeap<Reverse<(Instant, TransactionId, Stage)>>,
    verifications: usize,
}

impl Pending {
    /// None yet.
    pub fn new(dice: &mut Dice) -> Self {
        let hasher = foldhash::fast::FixedState::with_seed(dice.u64());
        Self { queries: HashMap::with_hasher(hasher), timers: BinaryHeap::new(), verifications: 0 }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// How many of them verify contacts.
    pub fn verifications(&self) -> usize {
        self.verifications
    }

    /// Whether the query of a transaction went to this address.
    pub fn asks(&self, transaction: TransactionId, to: &Endpoint) -> bool {
        self.queries.get(&transaction).is_some_and(|waiting| waiting.to == *to)
    }

    /// What the query of a transaction was sent for.
    pub fn purpose(&self, transaction: TransactionId) -> Option<Purpose> {
        self.queries.get(&transaction).map(|waiting| waiting.purpose)
    }

    /// Takes a query under a new transaction id; `None` if too many wait.
    pub fn insert(
        &mut self,
        waiting: Waiting,
        slow_at: Instant,
        given_up_at: Instant,
        dice: &mut Dice,
    ) -> Option<TransactionId> {
        if self.queries.len() >= PENDING {
            return None;
        }
        let few = planted::is(Bug::TransactionReused);
        let mut transaction = TransactionId(if few { dice.u32() & 0xff } else { dice.u32() });
        while self.queries.contains_key(&transaction) && !few {
            transaction = TransactionId(dice.u32());
        }
        if waiting.purpose == Purpose::Verify {
            self.verifications += 1;
        } else if !waiting.purpose.waits() {
            self.timers.push(Reverse((slow_at, transaction, Stage::Slow)));
        }
        self.timers.push(Reverse((given_up_at, transaction, Stage::GivenUp)));
        self.queries.insert(transaction, waiting);
        Some(transaction)
    }

    /// Takes out the query that a reply from `from` answers.
    pub fn answered(&mut self, transaction: TransactionId, from: &Endpoint) -> Option<Waiting> {
        let elsewhere = self.queries.get(&transaction)?.to != *from;
        if elsewhere && !planted::is(Bug::ReplyFromAnyAddress) {
            return None;
        }
        if planted::is(Bug::ReplyCountsTwice) {
            return self.queries.get(&transaction).copied();
        }
        self.remove(transaction)
    }

    /// Forgets the queries that were sent for this, other than to verify.
    pub fn forget(&mut self, purpose: Purpose) {
        if purpose != Purpose::Verify {
            self.queries.retain(|_, waiting| waiting.purpose != purpose);
            self.rest();
        }
    }

    /// The next query whose time has come.
    pub fn due(&mut self, now: Instant) -> Option<Due> {
        while let Some(Reverse((at, transaction, stage))) = self.timers.peek().copied() {
            let waiting = self.queries.get(&transaction).copied();
            if waiting.is_some() && at > now {
                return None;
            }
            self.timers.pop();
            match (waiting, stage) {
                (Some(waiting), Stage::Slow) => return Some(Due::Slow(transaction, waiting)),
                (Some(_), Stage::GivenUp) => return self.remove(transaction).map(Due::GivenUp),
                (None, _) => {}
            }
        }
        None
    }

    /// When the next query's time comes, answered ones left out.
    pub fn deadline(&mut self) -> Option<Instant> {
        while let Some(Reverse((at, transaction, _))) = self.timers.peek() {
            if self.queries.contains_key(transaction) {
                return Some(*at);
            }
            self.timers.pop();
        }
        None
    }

    /// Gives back what a burst of queries took, once none waits any more.
    fn rest(&mut self) {
        if self.queries.is_empty() {
            self.queries.shrink_to_fit();
            self.timers = BinaryHeap::new();
        }
    }

    fn remove(&mut self, transaction: TransactionId) -> Option<Waiting> {
        let waiting = self.queries.remove(&transaction)?;
        if waiting.purpose == Purpose::Verify {
            self.verifications -= 1;
        }
        self.rest();
        Some(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(port: u16) -> Waiting {
        Waiting {
            to: Endpoint::v4([127, 0, 0, 1], port),
            expected: None,
            kind: ReplyKind::Ack,
            purpose: Purpose::Ask(OperationId::from_number(1)),
            sent_at: Instant::default(),
        }
    }

    #[test]
    fn a_reply_from_another_address_matches_nothing_and_one_matches_once() {
        let mut dice = Dice::new([1; 32]);
        let mut pending = Pending::new(&mut dice);
        let later = Instant::from_micros(10);
        let id = pending.insert(waiting(1), later, later, &mut dice).unwrap();
        assert!(pending.answered(id, &Endpoint::v4([127, 0, 0, 1], 2)).is_none());
        assert!(pending.answered(id, &Endpoint::v4([127, 0, 0, 1], 1)).is_some());
        assert!(pending.answered(id, &Endpoint::v4([127, 0, 0, 1], 1)).is_none());
        assert_eq!(pending.deadline(), None);
    }

    #[test]
    fn a_query_is_slow_once_and_given_up_once_and_their_number_is_bounded() {
        let mut dice = Dice::new([1; 32]);
        let mut pending = Pending::new(&mut dice);
        let at = |micros| Instant::from_micros(micros);
        for _ in 0..PENDING {
            pending.insert(waiting(1), at(10), at(20), &mut dice).unwrap();
        }
        assert!(pending.insert(waiting(1), at(10), at(20), &mut dice).is_none());
        assert_eq!(pending.deadline(), Some(at(10)));
        assert!(pending.due(at(9)).is_none());
        let slow = core::iter::from_fn(|| pending.due(at(15))).count();
        assert_eq!(slow, PENDING);
        let given_up = core::iter::from_fn(|| pending.due(at(20))).count();
        assert_eq!((given_up, pending.len()), (PENDING, 0));
        assert_eq!((pending.queries.capacity(), pending.timers.capacity()), (0, 0));
    }
}
