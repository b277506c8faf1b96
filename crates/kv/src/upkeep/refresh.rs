//! Looking after one item by a lookup: who of the closest lacks it, and is there a newer version?

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use hashbrown::HashSet;
use node::{Command, Instant, LookupResult, Now, Outbox, Question, Until, Written};
use wire::Target;

use crate::limits::{REFRESH_EVERY, REFRESHES};
use crate::replicas::Replicas;
use crate::request::RequestId;
use crate::state::{Kv, Operation};

/// A refresh on its way.
pub(crate) struct Refresh {
    target: Target,
}

/// Items that wait to be looked up, each once.
#[derive(Default)]
pub(crate) struct Refreshes {
    waiting: VecDeque<Target>,
    known: HashSet<Target, foldhash::fast::FixedState>,
    next_at: Instant,
}

impl Refreshes {
    /// Adds an item. More than [`REFRESHES`] wait for a later round.
    pub fn add(&mut self, target: Target) {
        if self.waiting.len() < REFRESHES && self.known.insert(target) {
            self.waiting.push_back(target);
        }
    }

    /// When the next is due.
    pub fn deadline(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then_some(self.next_at)
    }

    fn next(&mut self, now: Instant) -> Option<Target> {
        if self.next_at > now {
            return None;
        }
        let target = self.waiting.pop_front()?;
        self.known.remove(&target);
        self.next_at = now + REFRESH_EVERY;
        Some(target)
    }
}

impl Kv {
    /// Looks the next item up, if it is time.
    pub(super) fn refresh_next(&mut self, now: Now, outbox: &mut Outbox) {
        let Some(target) = self.upkeep.refreshes.next(now.monotonic) else { return };
        let Some((item, _)) = self.node_mut().kept_item(&target, now) else { return };
        let signed = item.as_ref().signed().map(|signed| signed.salt.into());
        let salt = signed.unwrap_or_default();
        let question = Question::Item { target, salt, newer_than: None };
        let command = self.lookup(question, Until::Patient, false);
        let operation = Operation::Refresh(Box::new(Refresh { target }));
        self.command_node(now, RequestId::NOBODYS, operation, command, outbox);
    }

    /// The lookup of a refresh ended: those that lack the newest version get it, we among them.
    pub(crate) fn refresh_looked_up(
        &mut self,
        now: Now,
        refresh: &Refresh,
        mut result: LookupResult,
        outbox: &mut Outbox,
    ) {
        let replicas = self.replicas(&mut result, &refresh.target, now);
        match self.node_mut().kept_item(&refresh.target, now) {
            Some((item, until)) if item.seq().is_none() => {
                let lacking = replicas.places.iter().filter(|place| place.item.is_none());
                let to = Replicas::destinations(lacking, None);
                let written = Written::Item { item, lease: Some(until) };
                self.command_in_background(now, Command::Write { written, to }, outbox);
            }
            _ => {
                self.repair(now, None, &replicas, outbox);
            }
        }
    }
}
