//! One round: which items must be looked after, and who should hold them.

use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};
use node::{Instant, Now, Outbox};
use wire::Target;

use crate::limits::{ROUND_EVERY, SLICE, SLICE_EVERY};
use crate::state::Kv;

/// A round on its way.
pub(crate) struct Round {
    /// What was kept when it began, in the order of the key space.
    targets: Vec<Target>,
    next: usize,
    /// Items one of whose holders turned out to be gone: there is another one now.
    again: Vec<Target>,
    /// Items that were taken once more already: whoever goes silent, no round lasts for ever.
    repeated: HashSet<Target, foldhash::fast::FixedState>,
    slice_at: Instant,
    began: Instant,
    leaving: bool,
    /// How many holders of a target have not yet said that they hold it; only of targets that we do
    /// not belong to, or that we leave.
    missing: HashMap<Target, usize, foldhash::fast::FixedState>,
}

impl Round {
    pub fn new(targets: Vec<Target>, now: Instant) -> Self {
        let missing = HashMap::default();
        Self {
            targets,
            next: 0,
            again: Vec::new(),
            repeated: HashSet::default(),
            slice_at: now,
            began: now,
            leaving: false,
            missing,
        }
    }

    /// The last round, before we leave.
    pub fn leaving(targets: Vec<Target>, now: Instant) -> Self {
        // What was not looked at by the end was not handed over.
        let missing = targets.iter().map(|target| (*target, usize::MAX)).collect();
        Self { leaving: true, missing, ..Self::new(targets, now) }
    }

    /// When the next items are due.
    pub fn deadline(&self) -> Option<Instant> {
        (!self.is_through()).then_some(self.slice_at)
    }

    /// Whether all items have been offered.
    pub fn is_through(&self) -> bool {
        self.next >= self.targets.len() && self.again.is_empty()
    }

    /// Takes these items once more, but none a third time.
    pub fn once_more(&mut self, targets: impl Iterator<Item = Target>) {
        let repeated = &mut self.repeated;
        self.again.extend(targets.filter(|target| repeated.insert(*target)));
    }

    /// The second in which it began.
    pub fn began_s(&self) -> u32 {
        self.began.as_secs()
    }

    /// Items that some of the nodes that should hold them are not known to hold.
    pub fn unsafe_items(&self) -> usize {
        self.missing.len()
    }
}

impl Kv {
    /// Offers the next items, if it is time and the offers before are on their way.
    pub(super) fn go_on_with_round(&mut self, now: Now, outbox: &mut Outbox) {
        let Some(round) = &mut self.upkeep.round else { return };
        if round.is_through() || round.slice_at > now.monotonic {
            return;
        }
        round.slice_at = now.monotonic + SLICE_EVERY;
        if self.upkeep.delivery.is_busy() {
            return;
        }
        let end = round.targets.len().min(round.next + SLICE);
        let targets: Vec<Target> = round.targets[round.next..end].into();
        round.next = end;
        let leaving = round.leaving;
        let again = round.again.split_off(round.again.len().saturating_sub(SLICE));
        for target in targets {
            self.offer_item(now, target, leaving, leaving);
        }
        for target in again {
            self.offer_item(now, target, leaving, true);
        }
        if self.upkeep.round.as_ref().is_some_and(Round::is_through) {
            self.upkeep.delivery.flush();
        }
        self.deliver(now, outbox);
    }

    /// Offers an item to those who should hold it; unless `anyway`, only if nobody did lately.
    fn offer_item(&mut self, now: Now, target: Target, leaving: bool, anyway: bool) {
        let Some((offer, looked_after_s)) = self.node_mut().offerable(&target, now) else {
            // It ended meanwhile.
            return self.is_safe(&target);
        };
        let age_s = now.monotonic.as_secs().saturating_sub(looked_after_s);
        let settled = looked_after_s > self.upkeep.changed_s;
        if !anyway && settled && u64::from(age_s) < ROUND_EVERY.as_secs() / 2 {
            return;
        }
        let (holders, ours_too) = self.node().holders(&target, self.replicas, leaving);
        if let Some(round) = self.upkeep.round.as_mut().filter(|_| !ours_too) {
            match holders.len() {
                // Nobody else is there: it is not safe.
                0 => round.missing.insert(target, usize::MAX),
                holders => round.missing.insert(target, holders),
            };
        }
        for holder in &holders {
            match holder.ours {
                true => self.upkeep.delivery.offer(holder.contact, offer),
                false => self.upkeep.refreshes.add(target),
            }
        }
        self.node_mut().looked_after(&target, now.monotonic);
    }

    /// A holder has an item. If all who should hold it do and we need not, it may go here.
    pub(super) fn is_held_by_another(&mut self, target: &Target) {
        let Some(round) = &mut self.upkeep.round else { return };
        let Some(missing) = round.missing.get_mut(target) else { return };
        *missing = missing.saturating_sub(1);
        if *missing == 0 {
            let leaving = round.leaving;
            self.is_safe(target);
            if !leaving {
                self.node_mut().release(target);
            }
        }
    }

    fn is_safe(&mut self, target: &Target) {
        if let Some(round) = &mut self.upkeep.round {
            round.missing.remove(target);
        }
    }
}
