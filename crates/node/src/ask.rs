//! Sending queries: under a transaction id that `pending` remembers, at the pace that `budget`
//! allows.

use alloc::boxed::Box;
use alloc::collections::BinaryHeap;
use core::cmp::Ordering;
use core::time::Duration;

use wire::{
    Contact, Cursor, Endpoint, NodeId, Point, Query, ReplyKind, Target, TransactionId, Want,
};

use crate::limits::PACED_QUEUE;
use crate::operation::{Answer, Event, OperationId};
use crate::outbox::{Outbox, WRITABLE_BYTES};
use crate::pending::{Purpose, Waiting};
use crate::shelf::Admission;
use crate::state::Node;
use crate::time::Instant;

/// A question ready to be sent.
pub(crate) struct Question<'q> {
    pub to: Endpoint,
    pub expected: Option<NodeId>,
    pub query: &'q Query<'q>,
    pub purpose: Purpose,
}

impl<A: Admission> Node<A> {
    /// Sends a query, now or as soon as the pace for its address allows. `false` if too many are on
    /// their way.
    pub(crate) fn ask(
        &mut self,
        question: Question<'_>,
        now: Instant,
        outbox: &mut Outbox,
    ) -> bool {
        let slow_after = self.round_trips.slow_after(self.known_round_trip(&question));
        self.ask_within(question, slow_after, now, outbox)
    }

    /// The round trip to whom we ask, if they stand in the table.
    pub(crate) fn known_round_trip(&self, question: &Question<'_>) -> Option<Duration> {
        let id = question.expected?;
        let known = self.tables[question.to.family() as usize].get(&id)?;
        Some(known.round_trip())
    }

    /// The same; it is slow after this time.
    pub(crate) fn ask_within(
        &mut self,
        question: Question<'_>,
        slow_after: Duration,
        now: Instant,
        outbox: &mut Outbox,
    ) -> bool {
        let Question { to, expected, query, purpose } = question;
        // Whether somebody lives can be asked another time as well.
        let may_wait = purpose != Purpose::Verify;
        let Some(at) = self.pace(&to, expected.as_ref(), query, may_wait, now) else {
            return false;
        };
        let waiting = Waiting { to, expected, kind: reply_kind(query), purpose, sent_at: at };
        let slow_at = at + slow_after;
        let given_up_at = at + wait(query) + self.round_trips.timeout();
        let inserted = self.pending.insert(waiting, slow_at, given_up_at, &mut self.dice);
        let Some(transaction) = inserted else { return false };
        self.send_query(transaction, to, query, at, now, outbox);
        true
    }

    /// When a query may be sent, which then counts as sent; `None` if it would have to wait and may
    /// not, or too many wait already.
    pub(crate) fn pace(
        &mut self,
        to: &Endpoint,
        id: Option<&NodeId>,
        query: &Query<'_>,
        may_wait: bool,
        now: Instant,
    ) -> Option<Instant> {
        let known = id.and_then(|id| self.tables[to.family() as usize].get(id));
        let unpaced = known.is_some_and(|entry| entry.is_xorbit() && entry.endpoint == *to);
        let size = match query {
            Query::Put { item, .. } => item.value.len() + 350,
            Query::Offer { offers } => offers.as_bytes().len() + 100,
            Query::OfferSets { sets } => sets.as_bytes().len() + 100,
            Query::OfferMembers { members, .. } => members.as_bytes().len() + 130,
            Query::Add { member, .. } => member.saying.item.len() + 350,
            _ => 120,
        };
        let size = size + self.sealing_bytes();
        self.budget.query(to, unpaced, size, may_wait && !self.paced.is_full(), now)
    }

    /// Sends a query under a transaction id that `pending` knows already.
    pub(crate) fn send_query(
        &mut self,
        transaction: TransactionId,
        to: Endpoint,
        query: &Query<'_>,
        at: Instant,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let speaker = self.speaker();
        if at <= now {
            let sent = outbox.send(to, |buffer| speaker.write_query(transaction, query, buffer));
            self.count_sent(sent);
        } else {
            let mut buffer = [0; WRITABLE_BYTES];
            if let Some(length) = speaker.write_query(transaction, query, &mut buffer) {
                self.paced.push(at, to, buffer[..length].into());
            }
        }
    }

    /// Sends what has waited for its pace.
    pub(crate) fn send_paced(&mut self, now: Instant, outbox: &mut Outbox) {
        while let Some((to, bytes)) = self.paced.pop(now) {
            let sent = outbox.send(to, |buffer| {
                buffer.get_mut(..bytes.len())?.copy_from_slice(&bytes);
                Some(bytes.len())
            });
            self.count_sent(sent);
        }
    }

    pub(crate) fn count_sent(&mut self, length: Option<usize>) {
        if let Some(length) = length {
            self.counters.sent += 1;
            self.counters.sent_bytes += length as u64;
        }
    }

    /// Pings one address for a caller.
    pub(crate) fn ping(
        &mut self,
        operation: OperationId,
        to: Endpoint,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let purpose = Purpose::Ask(operation);
        let question = Question { to, expected: None, query: &Query::Ping, purpose };
        self.ask_for_caller(operation, question, now, outbox);
    }

    /// Asks one contact for an immutable item.
    pub(crate) fn fetch(
        &mut self,
        operation: OperationId,
        contact: Contact,
        target: Target,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let query = Query::Get { target, newer_than: None, want: Want::default() };
        let (to, expected) = (contact.endpoint, Some(contact.id));
        let purpose = Purpose::Ask(operation);
        if self.silences.is_passed_over(&to, now) {
            // Others may have it: nobody waits for one who was silent before.
            return self.events.push_back(Event::Answered(operation, Answer::Silent));
        }
        let question = Question { to, expected, query: &query, purpose };
        self.ask_for_caller(operation, question, now, outbox);
    }

    /// Asks one address for a sample of its topics (BEP 51).
    pub(crate) fn ask_for_sample(
        &mut self,
        operation: OperationId,
        to: Endpoint,
        target: Point,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let query = Query::SampleInfohashes { target, want: Want::default() };
        let purpose = Purpose::Ask(operation);
        let question = Question { to, expected: None, query: &query, purpose };
        self.ask_for_caller(operation, question, now, outbox);
    }

    /// Asks one node for members of a set.
    pub(crate) fn ask_for_members(
        &mut self,
        operation: OperationId,
        to: Contact,
        target: Target,
        after: Option<Cursor>,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let query = Query::Members { target, after, want: Want::default() };
        let purpose = Purpose::Members { operation, target };
        let (to, expected) = (to.endpoint, Some(to.id));
        let question = Question { to, expected, query: &query, purpose };
        self.ask_for_caller(operation, question, now, outbox);
    }

    /// Asks one node for a caller, who hears of silence at once if nothing can be sent.
    pub(crate) fn ask_for_caller(
        &mut self,
        operation: OperationId,
        question: Question<'_>,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        if !self.ask(question, now, outbox) {
            self.events.push_back(Event::Answered(operation, Answer::Silent));
        }
    }
}

/// How long whoever is asked may wait before it answers.
fn wait(query: &Query<'_>) -> Duration {
    match query {
        Query::WaitingGet { wait_s, .. } => Duration::from_secs((*wait_s).into()),
        _ => Duration::ZERO,
    }
}

fn reply_kind(query: &Query<'_>) -> ReplyKind {
    match query {
        Query::Ping
        | Query::AnnouncePeer { .. }
        | Query::Put { .. }
        | Query::Add { .. }
        | Query::Unknown => ReplyKind::Ack,
        Query::FindNode { .. } => ReplyKind::Nodes,
        Query::GetPeers { .. } => ReplyKind::Peers,
        Query::Get { .. } | Query::WaitingGet { .. } => ReplyKind::Item,
        Query::SampleInfohashes { .. } => ReplyKind::Samples,
        Query::Offer { .. } | Query::OfferSets { .. } | Query::OfferMembers { .. } => {
            ReplyKind::Offered
        }
        Query::Members { .. } => ReplyKind::Members,
    }
}

/// Datagrams that wait for their pace, earliest first.
#[derive(Default)]
pub(crate) struct PacedQueue {
    waiting: BinaryHeap<Paced>,
    pushed: u64,
}

struct Paced {
    at: Instant,
    order: u64,
    to: Endpoint,
    bytes: Box<[u8]>,
}

impl PacedQueue {
    fn is_full(&self) -> bool {
        self.waiting.len() >= PACED_QUEUE
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn push(&mut self, at: Instant, to: Endpoint, bytes: Box<[u8]>) {
        self.pushed += 1;
        self.waiting.push(Paced { at, order: self.pushed, to, bytes });
    }

    fn pop(&mut self, now: Instant) -> Option<(Endpoint, Box<[u8]>)> {
        if self.waiting.peek()?.at > now {
            return None;
        }
        self.waiting.pop().map(|paced| (paced.to, paced.bytes))
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting.peek().map(|paced| paced.at)
    }
}

impl Ord for Paced {
    /// The earliest is the greatest, since the heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Paced {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Paced {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Paced {}
