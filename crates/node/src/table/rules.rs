//! Which addresses may enter a table: the rules of a network of one's own and of the public one.

use wire::{Contact, Endpoint, NodeId, Scope, secure_id};

use super::entry::Entry;
use crate::limits::PER_PREFIX_IN_BUCKET;

/// Which addresses may enter a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressRules {
    /// A network of one's own: loopback and private addresses are ordinary; a global address
    /// enters only under our tag, so that no stray crawler leads lookups out into Mainline.
    Own,
    /// Mainline: only global addresses, one contact each, few of one network, and rather those
    /// whose id follows from their address (BEP 42).
    Public,
}

impl AddressRules {
    /// Whether the strict rules apply.
    pub fn strict(self) -> bool {
        self == AddressRules::Public
    }

    /// Whether a contact that answered may enter; `ours`: it carried our tag, or we were told to
    /// join through it.
    pub(super) fn admit(self, contact: &Contact, ours: bool) -> bool {
        match (self, contact.endpoint.scope()) {
            (_, Scope::Martian) => false,
            (AddressRules::Own, Scope::Global) => ours,
            (AddressRules::Own, _) => true,
            (AddressRules::Public, scope) => scope == Scope::Global,
        }
    }

    /// Whether a contact that we only heard of is worth a query.
    pub fn may_enter(self, contact: &Contact) -> bool {
        match contact.endpoint.scope() {
            Scope::Martian => false,
            Scope::Global => true,
            Scope::Private | Scope::Loopback => self == AddressRules::Own,
        }
    }

    /// Whether an address may stand in the table only once. On a private network one machine may
    /// run many nodes.
    pub(super) fn one_per_address(self, endpoint: &Endpoint) -> bool {
        self.strict() || endpoint.scope() == Scope::Global
    }

    /// Whether a bucket has enough of this network already, in the entries other than that of `id`.
    pub(super) fn crowded(
        self,
        entries: impl Iterator<Item = Entry>,
        id: &NodeId,
        endpoint: &Endpoint,
    ) -> bool {
        if endpoint.scope() != Scope::Global {
            return false;
        }
        let prefix = endpoint.prefix();
        let others = entries.filter(|entry| entry.id != *id);
        let there = others.filter(|entry| entry.endpoint.prefix() == prefix).count();
        there >= PER_PREFIX_IN_BUCKET
    }

    /// The contact that fits a full bucket worse than `new` by these rules, if there is one.
    pub(super) fn least_fitting(
        self,
        entries: impl Iterator<Item = Entry> + Clone,
        new: &Entry,
    ) -> Option<usize> {
        if !self.strict() {
            return None;
        }
        if secure_id::complies(&new.id, &new.endpoint) {
            let other = |entry: Entry| !secure_id::complies(&entry.id, &entry.endpoint);
            if let Some(index) = entries.clone().position(other) {
                return Some(index);
            }
        }
        let share = |endpoint: &Endpoint| {
            let prefix = endpoint.prefix();
            entries.clone().filter(|entry| entry.endpoint.prefix() == prefix).count()
        };
        if share(&new.endpoint) > 0 {
            return None;
        }
        entries.clone().position(|entry| share(&entry.endpoint) > 1)
    }

    pub(super) fn check_diversity(self, entries: impl Iterator<Item = Entry> + Clone) {
        for entry in entries.clone() {
            let prefix = entry.endpoint.prefix();
            let same = entries.clone().filter(|other| other.endpoint.prefix() == prefix).count();
            assert!(same <= PER_PREFIX_IN_BUCKET, "{same} contacts of one network in a bucket");
        }
    }
}
