//! Asking one node what it holds under a target, at once or as soon as it holds something newer.

use alloc::boxed::Box;
use core::time::Duration;

use wire::limits::WAIT_S;
use wire::{Contact, Found, Query, Reply, Target, Want};

use crate::ask::Question as Ask;
use crate::limits::{OPERATIONS, SLOW_MAX};
use crate::operation::{Event, Held, Inquired, Inquiry, OperationId};
use crate::outbox::Outbox;
use crate::pending::{Purpose, Waiting};
use crate::shelf::Admission;
use crate::state::Node;
use crate::time::Instant;

/// What is to be known of an inquiry when its answer comes.
pub(crate) struct Asked {
    target: Target,
    /// Replies do not repeat it.
    salt: Box<[u8]>,
    purpose: Purpose,
}

impl<A: Admission> Node<A> {
    /// Sends an inquiry.
    pub(crate) fn inquire(
        &mut self,
        operation: OperationId,
        inquiry: Inquiry,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let Inquiry { contact, target, salt, newer_than, wait } = inquiry;
        let want = Want::default();
        let query = match &wait {
            None => Query::Get { target, newer_than, want },
            Some((wait_s, token)) => {
                let wait_s = (*wait_s).clamp(1, WAIT_S);
                Query::WaitingGet { target, newer_than, token, wait_s, want }
            }
        };
        let purpose = Purpose::Inquire { operation, waits: wait.is_some() };
        let ask = Ask { to: contact.endpoint, expected: Some(contact.id), query: &query, purpose };
        let room = self.inquiries.len() < OPERATIONS;
        self.inquiries.insert(operation, Asked { target, salt, purpose });
        if !room || !self.ask(ask, now, outbox) {
            self.inquiry_ended(operation, Inquired::Silent);
        }
    }

    /// A node answered an inquiry. An item that does not verify makes its answer worthless.
    pub(crate) fn inquiry_answered(
        &mut self,
        operation: OperationId,
        contact: Contact,
        took: Duration,
        reply: &Reply<'_>,
    ) {
        let Some(asked) = self.inquiries.get(&operation) else { return };
        let held = match reply {
            Reply::Item { found: Found::Item(item), .. } => {
                match item.verify_for(&asked.target, &asked.salt, &mut self.known_keys) {
                    Ok(item) => Held::Item(item.to_item()),
                    Err(_) => return self.inquiry_ended(operation, Inquired::Silent),
                }
            }
            Reply::Item { found: Found::Version(seq), .. } => Held::Version(*seq),
            _ => Held::Nothing,
        };
        let (token, rules) = (reply.token().map(Box::from), self.config.network.rules());
        let own = self.id();
        let nodes = reply.nodes().filter(|node| node.id != own && rules.may_enter(node)).collect();
        self.inquiry_ended(operation, Inquired::Answered { contact, held, token, nodes, took });
    }

    /// An inquiry came to something.
    pub(crate) fn inquiry_ended(&mut self, operation: OperationId, inquired: Inquired) {
        if self.inquiries.remove(&operation).is_some() {
            self.events.push_back(Event::Inquired(operation, inquired));
        }
    }

    /// Forgets an inquiry, of whose end nobody wants to hear any more.
    pub(crate) fn cancel_inquiry(&mut self, operation: OperationId) {
        if let Some(asked) = self.inquiries.remove(&operation) {
            self.pending.forget(asked.purpose);
        }
    }

    /// In what time a query was answered, which is measured, too. An answer that was let wait says
    /// nothing of the way: then it is what is known of the contact, or the longest of all.
    pub(crate) fn round_trip(&mut self, waiting: &Waiting, now: Instant) -> Duration {
        if waiting.purpose.waits() {
            let table = &self.tables[waiting.to.family() as usize];
            let known = waiting.expected.and_then(|id| table.get(&id));
            return known.map_or(SLOW_MAX, |entry| entry.round_trip());
        }
        let round_trip = now.since(waiting.sent_at);
        self.round_trips.measured(round_trip);
        round_trip
    }
}
