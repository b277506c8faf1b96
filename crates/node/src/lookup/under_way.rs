//! The lookups that are under way, and when each must end.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use hashbrown::HashMap;

use super::Lookup;
use crate::limits::LOOKUP_TIME;
use crate::operation::OperationId;
use crate::time::Instant;

/// Lookups under way. While there are none, they take no room.
pub(crate) struct Lookups {
    by_operation: HashMap<OperationId, Box<Lookup>, foldhash::fast::FixedState>,
    /// When each must end, in the order in which they started, ended ones included.
    ends: VecDeque<(Instant, OperationId)>,
}

impl Lookups {
    /// None yet.
    pub fn new(hash_seed: u64) -> Self {
        let hasher = foldhash::fast::FixedState::with_seed(hash_seed);
        Self { by_operation: HashMap::with_hasher(hasher), ends: VecDeque::new() }
    }

    /// Takes a lookup that starts now.
    pub fn start(&mut self, operation: OperationId, lookup: Lookup, now: Instant) {
        self.by_operation.insert(operation, Box::new(lookup));
        self.ends.push_back((now + LOOKUP_TIME, operation));
        if self.ends.len() > 2 * self.by_operation.len() + 64 {
            let under_way = &self.by_operation;
            self.ends.retain(|(_, operation)| under_way.contains_key(operation));
        }
    }

    /// A lookup.
    pub fn get(&self, operation: &OperationId) -> Option<&Lookup> {
        self.by_operation.get(operation).map(Box::as_ref)
    }

    /// A lookup, to be carried on.
    pub fn get_mut(&mut self, operation: &OperationId) -> Option<&mut Lookup> {
        self.by_operation.get_mut(operation).map(Box::as_mut)
    }

    /// Takes out a lookup that is over.
    pub fn remove(&mut self, operation: &OperationId) -> Option<Lookup> {
        let lookup = self.by_operation.remove(operation)?;
        if self.by_operation.is_empty() {
            self.by_operation.shrink_to_fit();
            self.ends = VecDeque::new();
        }
        Some(*lookup)
    }

    /// When the first lookup will have run as long as it may.
    pub fn deadline(&mut self) -> Option<Instant> {
        while let Some((at, operation)) = self.ends.front() {
            if self.by_operation.contains_key(operation) {
                return Some(*at);
            }
            self.ends.pop_front();
        }
        None
    }

    /// The first lookup that has run as long as it may; it is not told again.
    pub fn late(&mut self, now: Instant) -> Option<OperationId> {
        self.deadline().filter(|at| *at <= now)?;
        self.ends.pop_front().map(|(_, operation)| operation)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_operation.len()
    }

    /// Notes of when they must end, outdated ones included.
    pub fn ends(&self) -> usize {
        self.ends.len()
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Lookup> {
        self.by_operation.values().map(Box::as_ref)
    }
}
