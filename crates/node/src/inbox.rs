//! What becomes of a datagram: bounds, decoding, and then the way of a query or of a reply.

use core::time::Duration;

use wire::limits::DATAGRAM_BYTES;
use wire::planted::{self, Bug};
use wire::{
    Contact, Endpoint, ErrorMessage, Found, Message, NodeId, QueryMessage, Reply, ReplyMessage,
    Scope,
};

use crate::config::Network;
use crate::counters::Drop;
use crate::limits::SLOW_MAX;
use crate::lookup::Heard;
use crate::operation::{Answer, Event, Inquired, OperationId};
use crate::outbox::Outbox;
use crate::pending::{Purpose, Waiting};
use crate::seal::Age;
use crate::serve::LEAVING;
use crate::shelf::Admission;
use crate::state::Node;
use crate::time::{Instant, Now};

impl<A: Admission> Node<A> {
    /// Takes a datagram that arrived from `from`.
    pub fn datagram(&mut self, now: Now, from: Endpoint, bytes: &[u8], outbox: &mut Outbox) {
        self.counters.received += 1;
        self.counters.received_bytes += bytes.len() as u64;
        if bytes.is_empty() || bytes.len() > DATAGRAM_BYTES {
            return self.counters.drop(Drop::Length);
        }
        if from.scope() == Scope::Martian {
            return self.counters.drop(Drop::Martian);
        }
        let unsealed = outbox.len();
        match self.seal {
            Some(_) => self.sealed_arrived(now, from, bytes, outbox),
            None => self.message_arrived(now, from, bytes, Age::Fresh, outbox),
        }
        self.seal_from(unsealed, now, outbox);
    }

    /// Takes a message as it was before any seal.
    pub(crate) fn message_arrived(
        &mut self,
        now: Now,
        from: Endpoint,
        bytes: &[u8],
        age: Age,
        outbox: &mut Outbox,
    ) {
        match Message::read(bytes) {
            // A reply of unknown age is as fresh as the question whose transaction id it repeats.
            Ok(Message::Query(_) | Message::BadQuery { .. }) if age == Age::Unknown => {
                self.counters.drop(Drop::Replayed);
            }
            Ok(Message::Query(query)) => self.query_arrived(now, from, &query, outbox),
            Ok(Message::Reply(reply)) => self.reply_arrived(now.monotonic, from, &reply, outbox),
            Ok(Message::Error(error)) => self.error_arrived(now.monotonic, from, &error, outbox),
            Ok(Message::BadQuery { transaction }) => {
                self.refuse_malformed(now.monotonic, from, transaction, outbox);
            }
            Err(_) => self.counters.drop(Drop::Malformed),
        }
    }

    fn query_arrived(
        &mut self,
        now: Now,
        from: Endpoint,
        query: &QueryMessage<'_>,
        outbox: &mut Outbox,
    ) {
        if query.id == self.id() {
            self.heard_ourselves(&from);
            return self.counters.drop(Drop::Own);
        }
        if self.read_only {
            return self.counters.drop(Drop::ReadOnly);
        }
        self.serve(now, from, query, outbox);
        if !query.read_only {
            let contact = Contact { id: query.id, endpoint: from };
            let table = &mut self.tables[from.family() as usize];
            if !table.heard(&query.id, &from, now.monotonic)
                && self.is_of_our_network(&from, query.network, false)
            {
                if planted::is(Bug::StrangerEnters) {
                    let table = &mut self.tables[from.family() as usize];
                    table.answered(contact, SLOW_MAX, true, now.monotonic);
                }
                self.consider(contact, now.monotonic, outbox);
            }
        } else {
            self.says_goodbye(&query.id, &from, now.monotonic, outbox);
        }
    }

    fn reply_arrived(
        &mut self,
        now: Instant,
        from: Endpoint,
        message: &ReplyMessage<'_>,
        outbox: &mut Outbox,
    ) {
        let Some(waiting) = self.pending.answered(message.transaction, &from) else {
            return self.counters.drop(Drop::Unmatched);
        };
        self.silences.heard(&from);
        let Ok((id, reply)) = message.read_as(waiting.kind) else {
            self.counters.drop(Drop::Malformed);
            return self.distrusted(&waiting, now, outbox);
        };
        self.counters.replies += 1;
        match message.is_xorbit {
            true => self.budget.prove_xorbit(&from, now),
            false => self.budget.prove(&from, now),
        }
        let door = self.membership.is_door(&from);
        if id == self.id() {
            return self.distrusted(&waiting, now, outbox);
        }
        // Whom we expected is gone from this address. Who answers may still be an honest node: one
        // family of them takes another id as soon as it learns its address.
        let gone = waiting.expected.filter(|expected| *expected != id);
        if let Some(gone) = gone {
            self.tables[from.family() as usize].gone(&gone, &from, now);
            if matches!(waiting.purpose, Purpose::Write { .. }) {
                // What was written to one node is not stored because another says so.
                return self.distrusted(&waiting, now, outbox);
            }
        }
        let round_trip = self.round_trip(&waiting, now);
        let contact = Contact { id, endpoint: from };
        let member = self.is_of_our_network(&from, message.network, door);
        if member {
            self.member_answered(contact, round_trip, message, door, now, outbox);
        }
        match waiting.purpose {
            Purpose::Lookup(candidate) => {
                let heard = if member {
                    let is_xorbit = message.is_xorbit;
                    Heard::Reply { contact, round_trip, is_xorbit, reply: &reply }
                } else {
                    Heard::Distrusted
                };
                self.lookup_heard(candidate, heard, now, outbox);
            }
            Purpose::Write { operation, destination } => self.write_stored(operation, destination),
            // Somebody else is due to hold what was offered to whom we expected.
            Purpose::Ask(operation) if gone.is_some() && matches!(reply, Reply::Offered { .. }) => {
                self.events.push_back(Event::Answered(operation, Answer::Silent));
            }
            Purpose::Ask(operation) => self.asked_and_answered(operation, id, round_trip, &reply),
            Purpose::Inquire { operation, .. } if member => {
                let took = now.since(waiting.sent_at);
                self.inquiry_answered(operation, contact, took, &reply);
            }
            Purpose::Inquire { operation, .. } => self.inquiry_ended(operation, Inquired::Silent),
            Purpose::Members { operation, target } => {
                let answer = match member {
                    true => self.members_told(id, &target, &reply),
                    false => Answer::Silent,
                };
                self.events.push_back(Event::Answered(operation, answer));
            }
            Purpose::Verify => {}
        }
    }

    /// Somebody of our network answered, and lives.
    fn member_answered(
        &mut self,
        contact: Contact,
        round_trip: Duration,
        message: &ReplyMessage<'_>,
        door: bool,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let from = contact.endpoint;
        let ours = message.network.is_some() && message.network == self.config.network.tag();
        let table = &mut self.tables[from.family() as usize];
        match door {
            true => table.door_answered(contact, round_trip, ours, now),
            false => table.answered(contact, round_trip, ours, now),
        }
        // In Mainline nothing else tells who may hold sets, and who understands offers.
        if message.is_xorbit && self.config.network == Network::Public {
            table.is_xorbit(&contact.id);
        }
        if let Some(seen) = message.seen_at {
            self.seen_at(&from, seen, now, outbox);
        }
        self.is_back(&contact, now);
        self.membership.found_somebody(&mut self.events, &self.tables);
    }

    fn asked_and_answered(
        &mut self,
        operation: OperationId,
        id: NodeId,
        round_trip: Duration,
        reply: &Reply<'_>,
    ) {
        let answer = match reply {
            Reply::Samples { nodes, interval_s, num, samples } => Answer::Samples {
                id,
                samples: samples.map(|bytes| wire::reply::samples(bytes).collect()),
                num: u64::try_from(*num).unwrap_or(0),
                interval: Duration::from_secs((*interval_s).clamp(0, 21_600) as u64),
                nodes: [nodes.v4, nodes.v6].iter().flatten().flat_map(|list| list.iter()).collect(),
            },
            Reply::Offered { token, wanted, newer } => {
                Answer::Offered { token: token.map(Into::into), wanted: *wanted, newer: *newer }
            }
            Reply::Item { found, .. } => Answer::Item {
                item: match found {
                    Found::Item(item) if item.signed.is_none() => {
                        item.verify().ok().map(|item| item.to_item())
                    }
                    _ => None,
                },
                nodes: reply.nodes().filter(|node| node.id != self.id()).collect(),
            },
            _ => Answer::Pong { id, round_trip },
        };
        self.events.push_back(Event::Answered(operation, answer));
    }

    fn error_arrived(
        &mut self,
        now: Instant,
        from: Endpoint,
        error: &ErrorMessage<'_>,
        outbox: &mut Outbox,
    ) {
        let Some(waiting) = self.pending.answered(error.transaction, &from) else {
            return self.counters.drop(Drop::Unmatched);
        };
        self.counters.replies += 1;
        self.silences.heard(&from);
        self.budget.prove(&from, now);
        self.round_trip(&waiting, now);
        let leaves = error.code == LEAVING.code && error.text == LEAVING.text.as_bytes();
        if let Some(id) = waiting.expected {
            let table = &mut self.tables[from.family() as usize];
            if leaves {
                // Others are named in its place, as long as it answers nothing better.
                table.doubts(&id, &from);
            } else {
                table.heard(&id, &from, now);
            }
        }
        match waiting.purpose {
            Purpose::Lookup(candidate) => {
                let heard = Heard::Refused(error.code);
                self.lookup_heard(candidate, heard, now, outbox);
            }
            Purpose::Write { operation, destination } => {
                self.write_refused(operation, destination, error.code, error.text);
            }
            Purpose::Inquire { operation, .. } => {
                self.inquiry_ended(operation, Inquired::Refused(error.code));
            }
            Purpose::Ask(operation) if leaves => {
                self.events.push_back(Event::Answered(operation, Answer::Silent));
            }
            Purpose::Ask(operation) | Purpose::Members { operation, .. } => {
                let text = alloc::string::String::from_utf8_lossy(error.text).into();
                let answer = Answer::Refused { code: error.code, text };
                self.events.push_back(Event::Answered(operation, answer));
            }
            Purpose::Verify => {}
        }
    }

    /// Somebody answered for another, or with nonsense.
    fn distrusted(&mut self, waiting: &Waiting, now: Instant, outbox: &mut Outbox) {
        if let Some(id) = waiting.expected {
            self.tables[waiting.to.family() as usize].failed(&id, &waiting.to, now);
        }
        match waiting.purpose {
            Purpose::Lookup(candidate) => {
                self.lookup_heard(candidate, Heard::Distrusted, now, outbox);
            }
            Purpose::Write { operation, destination } => self.write_silent(operation, destination),
            Purpose::Inquire { operation, .. } => self.inquiry_ended(operation, Inquired::Silent),
            Purpose::Ask(operation) | Purpose::Members { operation, .. } => {
                self.events.push_back(Event::Answered(operation, Answer::Silent));
            }
            Purpose::Verify => {}
        }
    }

    /// Whether a node belongs where we do: in a network of our own, one with our tag, one that we
    /// were told to join through, or one of a private address without any other tag; in Mainline,
    /// one without a tag.
    pub(crate) fn is_of_our_network(
        &self,
        from: &Endpoint,
        tag: Option<wire::NetworkTag>,
        door: bool,
    ) -> bool {
        match self.config.network {
            _ if planted::is(Bug::ForeignTagBelieved) => true,
            Network::Public => tag.is_none(),
            Network::Own(own) => match tag {
                Some(tag) => tag == own,
                None => door || from.scope() != Scope::Global,
            },
        }
    }
}
