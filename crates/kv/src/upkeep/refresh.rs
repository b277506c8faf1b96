//! Looking after one item by a lookup: who of the closest lacks it, and is there a newer version?

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use hashbrown::{HashMap, HashSet};
use node::{Command, Instant, LookupResult, Now, Outbox, Question, Until, Written};
use wire::Target;

use crate::limits::{REFRESH_EVERY, REFRESH_LASTS, REFRESHES};
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
    /// What was looked up in the last [`REFRESH_LASTS`], and when: no more than the pace lets through.
    lately: HashMap<Target, Instant, foldhash::fast::FixedState>,
    swept_at: Instant,
    next_at: Instant,
}

impl Refreshes {
    /// Adds an item. More than [`REFRESHES`] wait for a later round.
    pub fn add(&mut self, target: Target) {
        if self.waiting.len() < REFRESHES && self.known.insert(target) {
            self.waiting.push_back(target);
        }
    }

    /// Adds an item for holders who understand no offers, unless it was looked up not long ago: where most
    /// are of that kind and neighbours come and go, each change would be a lookup for all that is held.
    pub fn add_for_foreign(&mut self, target: Target, now: Instant) {
        let lasts = |at: &Instant| now.since(*at) < REFRESH_LASTS;
        if !self.lately.get(&target).is_some_and(lasts) {
            self.add(target);
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
        if now.since(self.swept_at) >= REFRESH_LASTS {
            self.swept_at = now;
            self.lately.retain(|_, at| now.since(*at) < REFRESH_LASTS);
        }
        self.lately.insert(target, now);
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

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn an_item_is_looked_up_for_foreign_holders_once_in_a_while_and_for_news_at_once() {
        let (mut refreshes, target) = (Refreshes::default(), Target::new([1; 20]));
        let at = |s| Instant::default() + Duration::from_secs(s);
        refreshes.add_for_foreign(target, at(10));
        assert_eq!(refreshes.next(at(10)), Some(target));
        refreshes.add_for_foreign(target, at(20));
        assert_eq!(refreshes.next(at(20)), None, "it was looked up just now");
        refreshes.add(target);
        assert_eq!(refreshes.next(at(30)), Some(target), "somebody holds a newer version");
        refreshes.add_for_foreign(target, at(30) + REFRESH_LASTS);
        assert_eq!(refreshes.next(at(30) + REFRESH_LASTS), Some(target));
        assert_eq!(refreshes.lately.len(), 1);
        refreshes.next(at(31) + 2 * REFRESH_LASTS);
        refreshes.add(Target::new([2; 20]));
        refreshes.next(at(40) + 2 * REFRESH_LASTS);
        assert_eq!(refreshes.lately.len(), 1, "what is long ago is forgotten");
    }
}
