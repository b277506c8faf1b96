//! Putting items onto the shelf, and telling whoever waits as soon as they are durable.
//!
//! A node that keeps its shelf on a disk answers a put only when the driver says that the batch of
//! changes it went with is there. Nothing else waits for that.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use wire::limits::TRANSACTION_BYTES;
use wire::planted::{self, Bug};
use wire::{Endpoint, InfoHash, Reply};

use crate::changes::{BatchNumber, Changes};
use crate::limits::{ACKNOWLEDGEMENTS, PEER_LEASE};
use crate::operation::OperationId;
use crate::outbox::Outbox;
use crate::persisted::{Content, Restorable};
use crate::serve::Asked;
use crate::shelf::{Admission, Offered, Refused, Taken, persisted_peer};
use crate::state::Node;
use crate::time::Now;

/// Who waits to hear that something is durable.
#[derive(Clone, Copy)]
pub(crate) enum Waiter {
    /// The sender of a put.
    Asker { to: Endpoint, ours: bool, transaction: [u8; TRANSACTION_BYTES], length: u8 },
    /// A write phase of our own.
    Write { operation: OperationId, destination: u16 },
}

/// Those who wait, by their batch, the earliest first, and in each in the order in which they came.
#[derive(Default)]
pub(crate) struct Acknowledgements {
    batches: VecDeque<(BatchNumber, Vec<Waiter>)>,
    count: usize,
}

impl Acknowledgements {
    fn is_full(&self) -> bool {
        self.count >= ACKNOWLEDGEMENTS
    }

    /// Lets somebody wait. The batch may be one that is on its way already, if an item in it is put
    /// once more, so a later one may have its own waiters by now.
    fn push(&mut self, batch: BatchNumber, waiter: Waiter) {
        self.count += 1;
        let place = self.batches.partition_point(|(other, _)| *other < batch);
        match self.batches.get_mut(place) {
            Some((other, waiters)) if *other == batch => waiters.push(waiter),
            _ => self.batches.insert(place, (batch, vec![waiter])),
        }
    }

    /// Takes out those of the first batch, if it is `batch` or before.
    fn pop(&mut self, batch: BatchNumber) -> Option<Vec<Waiter>> {
        self.batches.front().filter(|(waits_for, _)| *waits_for <= batch)?;
        let (_, waiters) = self.batches.pop_front()?;
        self.count -= waiters.len();
        Some(waiters)
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }
}

impl<A: Admission> Node<A> {
    /// What must be made durable next; the driver takes it ([`Changes::take`]) whenever it can. There
    /// is something only if [`Config::durable`](crate::Config::durable) says so.
    pub fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// This batch, and all before it, is durable: tells those who wait, for that or for a newer version.
    pub fn stored(&mut self, now: Now, batch: BatchNumber, outbox: &mut Outbox) {
        let unsealed = outbox.len();
        let (waits, mut changed) = (&self.waits, Vec::new());
        self.items.stored(batch, |target| {
            if waits.concerns(&target) {
                changed.push(target);
            }
        });
        while let Some(waiters) = self.acknowledgements.pop(batch) {
            waiters.iter().for_each(|waiter| self.tell_waiter(now, waiter, Ok(()), outbox));
        }
        for target in changed {
            self.shelf_changed(&target, now, outbox);
        }
        self.seal_from(unsealed, now, outbox);
    }

    /// This batch could not be made durable: what was in it is not held, and those who wait hear so.
    /// What went before stays.
    pub fn not_stored(&mut self, now: Now, batch: BatchNumber, outbox: &mut Outbox) {
        let unsealed = outbox.len();
        self.items.not_stored(batch);
        while let Some(waiters) = self.acknowledgements.pop(batch) {
            let acknowledged = planted::is(Bug::FailedBatchAcknowledged);
            let outcome = if acknowledged { Ok(()) } else { Err(NOT_DURABLE) };
            waiters.iter().for_each(|waiter| self.tell_waiter(now, waiter, outcome, outbox));
        }
        self.seal_from(unsealed, now, outbox);
    }

    /// So many entries will come back from the disk.
    pub fn expect(&mut self, entries: usize) {
        self.items.expect(entries);
    }

    /// Takes back what was durable before the start. `false` if it has ended: it may be removed from
    /// the disk.
    pub fn restore(&mut self, now: Now, kept: Restorable) -> bool {
        let wall = self.lease_wall(now);
        match kept.0 {
            Content::Item(target, kept) => self.items.restore(target, kept, wall),
            Content::Peer(peer) if peer.until > wall => {
                let until = now.monotonic + peer.until.since(wall).min(PEER_LEASE);
                self.peers.restore(peer.info_hash, peer.endpoint, peer.seed, until)
            }
            Content::Peer(_) => false,
            Content::Member(member, until) => self.members.restore(member, until, wall),
        }
    }

    /// Puts an item onto our shelf, a stranger's and our own by the same rules.
    pub(crate) fn shelve(&mut self, offered: &Offered<'_>, now: Now) -> Result<Taken, Refused> {
        self.may_wait()?;
        let wall = self.lease_wall(now);
        self.items.put(offered, wall, &mut self.changes)
    }

    /// Whether one more may wait for the disk.
    pub(crate) fn may_wait(&self) -> Result<(), Refused> {
        if self.acknowledgements.is_full() { Err(TOO_MANY_WAIT) } else { Ok(()) }
    }

    /// Lets a write phase of our own wait.
    pub(crate) fn write_waits(&mut self, for_: BatchNumber, operation: OperationId, place: u16) {
        let waiter = Waiter::Write { operation, destination: place };
        self.acknowledgements.push(for_, waiter);
    }

    /// Lets the sender of a put wait.
    pub(crate) fn asker_waits(&mut self, for_: BatchNumber, asked: &Asked<'_>) {
        let mut transaction = [0; TRANSACTION_BYTES];
        // The decoder took no longer one.
        let length = asked.transaction.len().min(TRANSACTION_BYTES);
        transaction[..length].copy_from_slice(&asked.transaction[..length]);
        let (to, ours) = (asked.from, asked.ours);
        let waiter = Waiter::Asker { to, ours, transaction, length: length as u8 };
        self.acknowledgements.push(for_, waiter);
    }

    fn tell_waiter(
        &mut self,
        now: Now,
        waiter: &Waiter,
        outcome: Result<(), Refused>,
        outbox: &mut Outbox,
    ) {
        let (to, ours, transaction) = match waiter {
            Waiter::Asker { to, ours, transaction, length } => {
                (*to, *ours, &transaction[..usize::from(*length)])
            }
            Waiter::Write { operation, destination } => {
                return match outcome {
                    Ok(()) => self.write_stored(*operation, *destination),
                    Err(Refused { code, text }) => {
                        self.write_refused(*operation, *destination, code, text.as_bytes());
                    }
                };
            }
        };
        let sealing = self.sealing_bytes();
        let asked = Asked { now, from: to, ours, transaction, sealing };
        match outcome {
            Ok(()) => self.reply(&asked, &Reply::Ack, outbox),
            Err(refused) => self.refuse(&asked, refused, outbox),
        }
    }

    /// Lets what a peer announced outlive us; nobody waits for that.
    pub(crate) fn keep_peer(
        &mut self,
        info_hash: InfoHash,
        endpoint: Endpoint,
        seed: bool,
        now: Now,
    ) {
        if self.config.durable && self.changes.len() < ACKNOWLEDGEMENTS {
            let until = self.lease_wall(now) + PEER_LEASE;
            persisted_peer::write(&info_hash, &endpoint, seed, until, &mut self.changes);
        }
    }
}

const NOT_DURABLE: Refused = Refused { code: 202, text: "cannot be written to the disk" };
const TOO_MANY_WAIT: Refused = Refused { code: 202, text: "too many puts wait for the disk" };
