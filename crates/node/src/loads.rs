//! What a node looks like from outside, for whoever checks that it keeps its bounds and its word: how
//! full its queues are, which lookup a query belongs to, and what lies on its shelf. Looking changes
//! nothing, not even what the node thinks of its clock.

use wire::{Endpoint, Seq, Target, TransactionId};

use crate::operation::OperationId;
use crate::pending::Purpose;
use crate::shelf::Admission;
use crate::state::Node;
use crate::time::{Instant, UnixMillis};

/// How full the queues of a node are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loads {
    /// Queries that wait for their reply.
    pub pending: usize,
    /// Of them, those that only see whether a contact lives.
    pub verifications: usize,
    /// Queries that wait for their pace.
    pub paced: usize,
    /// Lookups on their way.
    pub lookups: usize,
    /// When the one of them began that has run longest.
    pub oldest_lookup: Option<Instant>,
    /// Notes of when lookups must end, outdated ones included.
    pub lookup_ends: usize,
    /// Write phases on their way.
    pub writes: usize,
    /// Inquiries on their way.
    pub inquiries: usize,
    /// Strangers that wait for a newer version.
    pub waits: usize,
    /// Puts whose senders wait for the disk.
    pub acknowledgements: usize,
    /// Items on their way to the disk.
    pub staged: usize,
    /// Addresses that owe answers.
    pub silences: usize,
    /// Contacts that fell silent.
    pub lost: usize,
    /// Addresses to join through.
    pub doors: usize,
    /// Events that nobody has taken yet.
    pub events: usize,
}

/// What lies on the shelf under a target, whether it has ended or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shelved {
    /// An item, and not its version alone.
    pub is_item: bool,
    /// The version; `None` for an immutable item.
    pub seq: Option<Seq>,
    /// Until when it is served.
    pub until: UnixMillis,
    /// Until when its version is remembered.
    pub marker_until: UnixMillis,
}

impl<A: Admission> Node<A> {
    /// How full the queues are.
    #[doc(hidden)]
    pub fn loads(&self) -> Loads {
        Loads {
            pending: self.pending.len(),
            verifications: self.pending.verifications(),
            paced: self.paced.len(),
            lookups: self.lookups.len(),
            oldest_lookup: self.lookups.iter().map(|lookup| lookup.started()).min(),
            lookup_ends: self.lookups.ends(),
            writes: self.writes.len(),
            inquiries: self.inquiries.len(),
            waits: self.waits.len(),
            acknowledgements: self.acknowledgements.len(),
            staged: self.items.on_their_way(),
            silences: self.silences.len(),
            lost: self.lost.len(),
            doors: self.membership.door_count(),
            events: self.events.len(),
        }
    }

    /// How many changes gather for the disk.
    #[doc(hidden)]
    pub fn gathering(&self) -> usize {
        self.changes.len()
    }

    /// The lookup for which the query of this transaction waits, if it waits for one.
    #[doc(hidden)]
    pub fn lookup_of(&self, transaction: TransactionId) -> Option<OperationId> {
        match self.pending.purpose(transaction)? {
            Purpose::Lookup(candidate) => Some(candidate.operation),
            _ => None,
        }
    }

    /// Whether a query to this address waits for its reply.
    #[doc(hidden)]
    pub fn waits_for(&self, transaction: TransactionId, to: &Endpoint) -> bool {
        self.pending.asks(transaction, to)
    }

    /// What lies on the shelf under a target.
    #[doc(hidden)]
    pub fn shelved(&self, target: &Target) -> Option<Shelved> {
        self.items.shelved(target)
    }
}
