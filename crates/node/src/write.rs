//! The write phase: storing something at nodes that gave a token and on our own shelf, and what
//! became of it at each.

use alloc::vec::Vec;

use wire::planted::{self, Bug};
use wire::{Contact, Query, Seq, TransactionId};

use crate::ask::Question as Ask;
use crate::lookup::readable;
use crate::operation::{Destination, Event, OperationId, Outcome, Written};
use crate::outbox::Outbox;
use crate::pending::Purpose;
use crate::serve::LEAVING;
use crate::shelf::{Admission, Offered, Refused, Source, Taken};
use crate::state::Node;
use crate::time::{Instant, Now};

/// A write phase on its way.
pub(crate) struct Write {
    written: Written,
    places: Vec<Place>,
    waiting: usize,
}

struct Place {
    destination: Destination,
    outcome: Option<Outcome>,
    repeated: bool,
}

impl Write {
    /// What a place is told, if it is another node's.
    fn query(&self, place: usize) -> Option<(Contact, Query<'_>)> {
        let Destination::Node { contact, token, cas } = &self.places[place].destination else {
            return None;
        };
        let query = match &self.written {
            Written::Item { item, lease } => Query::Put {
                item: item.as_ref().as_unverified(),
                cas: *cas,
                lease: lease.and_then(|until| i64::try_from(until.0).ok()),
                token,
                target: Some(item.target()),
            },
            Written::Member(member) => Query::Add {
                member: member.as_ref().as_unverified(),
                token,
                target: member.target(),
            },
            Written::Peer { info_hash, port, seed } => Query::AnnouncePeer {
                info_hash: *info_hash,
                // Some nodes want a port even when they shall not use it.
                port: port.unwrap_or(1),
                implied_port: port.is_none(),
                seed: *seed,
                token,
            },
        };
        Some((*contact, query))
    }
}

impl<A: Admission> Node<A> {
    /// Writes to all destinations at once.
    pub(crate) fn start_write(
        &mut self,
        operation: OperationId,
        written: Written,
        to: Vec<Destination>,
        now: Now,
        outbox: &mut Outbox,
    ) {
        let places: Vec<Place> = to
            .into_iter()
            .take(usize::from(u16::MAX))
            .map(|destination| Place { destination, outcome: None, repeated: false })
            .collect();
        let mut write = Write { written, waiting: places.len(), places };
        let room = self.has_room_for_operation();
        for index in 0..write.places.len() {
            // The cast holds: places were cut to u16::MAX.
            let destination = index as u16;
            let outcome = match write.query(index) {
                _ if !room => Some(Outcome::Silent),
                None => self.write_here(operation, destination, &write, now),
                Some((contact, query)) => {
                    let purpose = Purpose::Write { operation, destination };
                    let (to, expected) = (contact.endpoint, Some(contact.id));
                    let ask = Ask { to, expected, query: &query, purpose };
                    (!self.ask(ask, now.monotonic, outbox)).then_some(Outcome::Silent)
                }
            };
            write.waiting -= usize::from(outcome.is_some());
            write.places[index].outcome = outcome;
        }
        let here = |place: &Place| {
            place.destination.contact().is_none() && place.outcome == Some(Outcome::Stored)
        };
        let changed = match &write.written {
            Written::Item { item, .. } => write.places.iter().any(here).then(|| item.target()),
            Written::Member(_) | Written::Peer { .. } => None,
        };
        self.writes.insert(operation, write);
        if let Some(target) = changed {
            self.shelf_changed(&target, now, outbox);
        }
        self.end_write_if_over(operation);
    }

    /// Puts what is written onto our own shelf; `None`: what became of it is told later.
    fn write_here(
        &mut self,
        operation: OperationId,
        destination: u16,
        write: &Write,
        now: Now,
    ) -> Option<Outcome> {
        let cas: Option<Seq> = match &write.places[usize::from(destination)].destination {
            Destination::OwnShelf { cas } => *cas,
            Destination::Node { .. } => None,
        };
        let held = match &write.written {
            // Nothing would hand it over any more.
            _ if self.leaving => Err(LEAVING),
            Written::Item { item, lease } => {
                let (item, source) = (item.as_ref(), Source::default());
                let (wanted, second) = (*lease, now.monotonic.as_secs());
                self.shelve(&Offered { item, wanted, cas, source, second }, now)
            }
            Written::Member(member) => self.hold_member(member.as_ref(), Source::default(), now),
            // Our own address is what others see: a node announces itself to others only.
            Written::Peer { .. } => Err(NOT_OURS),
        };
        match held {
            Ok(Taken::Held) => Some(Outcome::Stored),
            Ok(Taken::Staged(_)) if planted::is(Bug::OwnCopyBeforeDurable) => Some(Outcome::Stored),
            Ok(Taken::Staged(batch)) => {
                self.write_waits(batch, operation, destination);
                None
            }
            Err(Refused { code, text }) => {
                Some(Outcome::Refused { code, text: text.into(), repeated: false })
            }
        }
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
        let Some(mut write) = self.writes.remove(&operation) else { return };
        if let Some((contact, query)) = write.query(usize::from(destination))
            && let Some(at) = self.pace(&contact.endpoint, Some(&contact.id), &query, true, now)
        {
            self.send_query(transaction, contact.endpoint, &query, at, now, outbox);
            write.places[usize::from(destination)].repeated = true;
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
        if planted::is(Bug::RefusedCountsAsStored) {
            return self.write_stored(operation, destination);
        }
        let places = self.writes.get(&operation).map(|write| &write.places);
        let place = places.and_then(|places| places.get(usize::from(destination)));
        let repeated = place.is_some_and(|place| place.repeated);
        let text = readable(text);
        self.wrote(operation, destination, Outcome::Refused { code, text, repeated });
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
                (place.destination.contact(), place.outcome.unwrap_or(Outcome::Silent))
            };
            let outcomes = write.places.into_iter().map(ended).collect();
            self.events.push_back(Event::Wrote(operation, outcomes));
        }
    }
}

const NOT_OURS: Refused = Refused { code: 201, text: "nobody announces itself to itself" };
