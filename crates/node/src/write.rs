//! The write phase: storing something at nodes that gave a token, and what became of it at each.

use alloc::vec::Vec;

use wire::{Query, TransactionId};

use crate::ask::Question as Ask;
use crate::lookup::readable;
use crate::operation::{Destination, Event, OperationId, Outcome, Written};
use crate::outbox::Outbox;
use crate::pending::Purpose;
use crate::shelf::Admission;
use crate::state::Node;
use crate::time::Instant;

/// A write phase on its way.
pub(crate) struct Write {
    written: Written,
    places: Vec<Place>,
    waiting: usize,
}

struct Place {
    destination: Destination,
    outcome: Option<Outcome>,
}

impl Write {
    fn query(&self, place: usize) -> Query<'_> {
        let Destination { token, cas, .. } = &self.places[place].destination;
        match &self.written {
            Written::Item(item) => Query::Put {
                item: item.as_ref().as_unverified(),
                cas: *cas,
                token,
                target: Some(item.target()),
            },
            Written::Peer { info_hash, port, seed } => Query::AnnouncePeer {
                info_hash: *info_hash,
                // Some nodes want a port even when they shall not use it.
                port: port.unwrap_or(1),
                implied_port: port.is_none(),
                seed: *seed,
                token,
            },
        }
    }
}

impl<A: Admission> Node<A> {
    /// Writes to all destinations at once.
    pub(crate) fn start_write(
        &mut self,
        operation: OperationId,
        written: Written,
        to: Vec<Destination>,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let places: Vec<Place> = to
            .into_iter()
            .take(usize::from(u16::MAX))
            .map(|destination| Place { destination, outcome: None })
            .collect();
        let write = Write { written, waiting: places.len(), places };
        let room = self.has_room_for_operation();
        let mut unsent = Vec::new();
        for destination in 0..write.places.len() {
            let contact = write.places[destination].destination.contact;
            let query = write.query(destination);
            // The cast holds: places were cut to u16::MAX.
            let purpose = Purpose::Write { operation, destination: destination as u16 };
            let expected = Some(contact.id);
            let ask = Ask { to: contact.endpoint, expected, query: &query, purpose };
            if !room || !self.ask(ask, now, outbox) {
                unsent.push(destination as u16);
            }
        }
        self.writes.insert(operation, write);
        for destination in unsent {
            self.write_silent(operation, destination);
        }
        self.end_write_if_over(operation);
    }

    /// Sends a slow write once more under the same transaction id: storing twice does no harm.
    pub(crate) fn write_again(
        &mut self,
        operation: OperationId,
        destination: u16,
        transaction: TransactionId,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let Some(write) = self.writes.remove(&operation) else { return };
        let contact = write.places[usize::from(destination)].destination.contact;
        let query = write.query(usize::from(destination));
        if let Some(at) = self.pace(&contact.endpoint, Some(&contact.id), &query, true, now) {
            self.send_query(transaction, contact.endpoint, &query, at, now, outbox);
        }
        self.writes.insert(operation, write);
    }

    /// A destination said that it stored.
    pub(crate) fn write_stored(&mut self, operation: OperationId, destination: u16) {
        self.wrote(operation, destination, Outcome::Stored);
    }

    /// A destination refused.
    pub(crate) fn write_refused(
        &mut self,
        operation: OperationId,
        destination: u16,
        code: i64,
        text: &[u8],
    ) {
        self.wrote(operation, destination, Outcome::Refused { code, text: readable(text) });
    }

    /// A destination did not answer.
    pub(crate) fn write_silent(&mut self, operation: OperationId, destination: u16) {
        self.wrote(operation, destination, Outcome::Silent);
    }

    fn wrote(&mut self, operation: OperationId, destination: u16, outcome: Outcome) {
        let Some(write) = self.writes.get_mut(&operation) else { return };
        let Some(place) = write.places.get_mut(usize::from(destination)) else { return };
        if place.outcome.replace(outcome).is_none() {
            write.waiting -= 1;
        }
        self.end_write_if_over(operation);
    }

    fn end_write_if_over(&mut self, operation: OperationId) {
        if self.writes.get(&operation).is_some_and(|write| write.waiting == 0)
            && let Some(write) = self.writes.remove(&operation)
        {
            let ended = |place: Place| {
                (place.destination.contact, place.outcome.unwrap_or(Outcome::Silent))
            };
            let outcomes = write.places.into_iter().map(ended).collect();
            self.events.push_back(Event::Wrote(operation, outcomes));
        }
    }
}
