//! Items on their way to the disk: admitted and counted, not yet served.

use alloc::collections::VecDeque;
use core::mem;

use hashbrown::HashMap;
use wire::{Item, Seq, Target};

use super::admission::Lease;
use super::sources::Source;
use crate::changes::BatchNumber;

/// An item that was admitted.
pub struct Admitted {
    /// The item; `None`: the one held, under a new lease.
    pub item: Option<Item>,
    /// Its version, if it has one.
    pub seq: Option<Seq>,
    /// Its lease.
    pub lease: Lease,
    /// For whom it counts.
    pub source: Source,
    /// It counts as one more item for its source, not as another one in the place of the last.
    pub is_charged: bool,
    /// In which second of the monotonic clock.
    pub second: u32,
}

impl Admitted {
    /// Items that it adds to those of its source.
    pub fn items(&self) -> usize {
        usize::from(self.is_charged)
    }

    /// Bytes that it adds to the shelf.
    pub fn bytes(&self) -> usize {
        self.item.as_ref().map_or(0, Item::heap_bytes)
    }
}

/// Items on their way, in the order in which they came.
#[derive(Default)]
pub struct Staged {
    by_target: HashMap<Target, VecDeque<(BatchNumber, Admitted)>, foldhash::fast::FixedState>,
    order: VecDeque<(BatchNumber, Target)>,
}

impl Staged {
    /// The latest item on its way under a target.
    pub fn latest(&self, target: &Target) -> Option<(BatchNumber, &Admitted)> {
        if self.order.is_empty() {
            return None;
        }
        self.by_target.get(target)?.back().map(|(batch, admitted)| (*batch, admitted))
    }

    /// The latest value on its way under a target, whatever lease came after it.
    pub fn latest_item(&self, target: &Target) -> Option<&Item> {
        self.by_target.get(target)?.iter().rev().find_map(|(_, admitted)| admitted.item.as_ref())
    }

    /// Takes an item on its way.
    pub fn push(&mut self, batch: BatchNumber, target: Target, admitted: Admitted) {
        self.by_target.entry(target).or_default().push_back((batch, admitted));
        self.order.push_back((batch, target));
    }

    /// Takes out the first item on its way, if it went with `batch` or before.
    pub fn pop(&mut self, batch: BatchNumber) -> Option<(Target, Admitted)> {
        self.order.front().filter(|(went_with, _)| *went_with <= batch)?;
        let (_, target) = self.order.pop_front()?;
        let waiting = self.by_target.get_mut(&target)?;
        let (_, admitted) = waiting.pop_front()?;
        if waiting.is_empty() {
            self.by_target.remove(&target);
        }
        Some((target, admitted))
    }

    /// The next item under a target takes over what the one before it, which was given up, was
    /// charged for; `false` if there is none, or it was charged for itself.
    pub fn inherits_charge(&mut self, target: &Target) -> bool {
        let next = self.by_target.get_mut(target).and_then(VecDeque::front_mut);
        next.is_some_and(|(_, next)| !mem::replace(&mut next.is_charged, true))
    }

    /// Items on their way.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Their targets, each once.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.by_target.keys()
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Admitted> {
        self.by_target.values().flatten().map(|(_, admitted)| admitted)
    }

    /// Their bytes.
    pub fn bytes(&self) -> usize {
        self.all().map(Admitted::bytes).sum()
    }
}
