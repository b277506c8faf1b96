//! Upkeep of what we hold for others: every kept item belongs on the closest nodes until it ends.
//!
//! Work is done in rounds: some time after a contact near us came or went, once an hour, and when we
//! leave. A round goes through all kept items in the order of the key space, a few at a time, finds
//! who should hold each in the routing table, and offers each of these many items in one query
//! ([`wire::offer`]); what a holder lacks is put there. An offer also tells its receivers that
//! somebody looked after these items, so they leave them out of their own rounds, mostly.
//!
//! Holders that understand no offers, and items of which somebody holds a newer version, are looked
//! after by an ordinary lookup with repair, one at a time.

mod delivery;
mod owed;
mod pace;
mod refresh;
mod round;
mod sets;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use node::{Instant, Now, Outbox};
use wire::planted::{self, Bug};
use wire::{Family, Target};

use crate::chance::{jittered, part_of};
use crate::limits::{FIRST_ROUND_WITHIN, LEAVING, ROUND_EVERY};
use crate::report::LeaveReport;
use crate::request::{Done, RequestId};
use crate::state::Kv;

pub(crate) use delivery::{Delivery, Handed, Offering};
use pace::Pace;
pub(crate) use refresh::Refresh;
use refresh::Refreshes;
use round::Round;
use sets::SetCare;

/// The upkeep of one node.
pub(crate) struct Upkeep {
    /// The round on its way.
    round: Option<Box<Round>>,
    round_at: Instant,
    pace: Pace,
    /// The node's count of changes in its neighbourhood that was seen last.
    changes_seen: u64,
    /// The second in which the neighbourhood changed last.
    changed_s: u32,
    delivery: Delivery,
    sets: SetCare,
    refreshes: Refreshes,
    leaving: Option<Leaving>,
}

/// A leave on its way.
struct Leaving {
    /// All who wait for it.
    ids: Vec<RequestId>,
    until: Instant,
    /// What is handed over, once nothing is on its way to the disk any more.
    kept: Option<Kept>,
}

/// What is kept for others: items, and members of sets.
#[derive(Clone, Copy)]
struct Kept {
    items: usize,
    members: usize,
}

impl Upkeep {
    /// Nothing to do yet. `chance` spreads the first rounds of nodes that start together.
    pub fn new(now: Instant, chance: u64) -> Self {
        Self {
            round: None,
            round_at: now + part_of(FIRST_ROUND_WITHIN, chance),
            pace: Pace::new(now),
            changes_seen: 0,
            changed_s: now.as_secs(),
            delivery: Delivery::default(),
            sets: SetCare::default(),
            refreshes: Refreshes::default(),
            leaving: None,
        }
    }

    /// Whether what somebody looked after in this second need not be looked after again: that is not
    /// long ago, and nobody came or went near us since.
    fn is_settled(&self, looked_after_s: u32, now: Instant) -> bool {
        let age_s = now.as_secs().saturating_sub(looked_after_s);
        if planted::is(Bug::SettledForEver) {
            return looked_after_s > 0 && age_s < 86_400;
        }
        looked_after_s > self.changed_s && u64::from(age_s) < ROUND_EVERY.as_secs() / 2
    }

    /// When there is something to do, if anything is held for others.
    fn deadline(&self, holds: bool) -> Option<Instant> {
        let round = match &self.round {
            Some(round) => round.deadline(),
            // A leave that waits for the disk goes on when the disk has spoken.
            None => Some(self.round_at).filter(|_| holds && self.leaving.is_none()),
        };
        let leaving = self.leaving.as_ref().map(|leaving| leaving.until);
        [round, self.refreshes.deadline(), leaving].into_iter().flatten().min()
    }
}

impl Kv {
    /// When upkeep is due next.
    pub(crate) fn upkeep_deadline(&self) -> Option<Instant> {
        self.upkeep.deadline(self.node().holds_for_others())
    }

    /// Does what is due.
    pub(crate) fn keep_up(&mut self, now: Now, outbox: &mut Outbox) {
        let is_due = self.upkeep.round_at <= now.monotonic && self.node().holds_for_others();
        if self.upkeep.leaving.is_some() {
            self.begin_to_hand_over(now);
        } else if self.upkeep.round.is_none() && is_due {
            let (items, sets) = (self.node().kept_targets(), self.node().kept_sets());
            self.upkeep.round = Some(Box::new(Round::new(&items, &sets, now.monotonic)));
        }
        self.go_on_with_round(now, outbox);
        self.deliver(now, outbox);
        self.refresh_next(now, outbox);
        self.end_round_if_over(now);
    }

    /// A change near us is followed by a round, once more changes had time to come.
    pub(crate) fn watch_neighbourhood(&mut self, now: Instant) {
        let changes = self.node().neighbourhood_changes();
        if changes == self.upkeep.changes_seen {
            return;
        }
        let chance = self.node_mut().draw();
        let upkeep = &mut self.upkeep;
        (upkeep.changes_seen, upkeep.changed_s) = (changes, now.as_secs());
        let settles = upkeep.pace.changed(now);
        upkeep.round_at = upkeep.round_at.min(now + settles + part_of(settles, chance));
    }

    fn end_round_if_over(&mut self, now: Now) {
        let delivered = self.upkeep.delivery.is_idle() && self.upkeep.sets.is_idle();
        let over = |round: &Round| round.is_through() && delivered;
        let late = self.upkeep.leaving.as_ref().is_some_and(|it| it.until <= now.monotonic);
        if !late && !self.upkeep.round.as_deref().is_some_and(over) {
            return;
        }
        let round = self.upkeep.round.take();
        let chance = self.node_mut().draw();
        let upkeep = &mut self.upkeep;
        upkeep.pace.round_ended();
        let next = now.monotonic + jittered(ROUND_EVERY, chance);
        upkeep.round_at = upkeep.round_at.max(now.monotonic).min(next);
        if round.as_ref().is_some_and(|round| round.began_s() >= upkeep.changed_s) {
            upkeep.round_at = next;
        }
        if let Some(Leaving { ids, kept, .. }) = upkeep.leaving.take() {
            let Kept { items, members } = kept.unwrap_or_else(|| {
                let (items, sets) = (self.node().kept_targets(), self.node().kept_sets());
                self.kept(&items, &sets, now)
            });
            let not_handed_over = round.as_ref().map_or(items, |round| round.owed.items());
            let members_not_handed_over = round.map_or(members, |round| {
                let sets: usize =
                    round.owed.sets().map(|set| self.node_mut().lasting_members(set, now)).sum();
                (sets + round.unsafe_members()).min(members)
            });
            let report = LeaveReport { items, not_handed_over, members, members_not_handed_over };
            for id in ids {
                self.done(id, Done::Left(report));
            }
        }
    }

    /// Hands all that is kept off to those who will be closest without us.
    pub(crate) fn start_leave(
        &mut self,
        now: Now,
        id: RequestId,
        within: Option<Duration>,
        outbox: &mut Outbox,
    ) {
        if let Some(leaving) = &mut self.upkeep.leaving {
            return leaving.ids.push(id);
        }
        self.node_mut().start_to_leave();
        let alone = Family::ALL.iter().all(|it| self.node().table(*it).is_empty());
        // Where nobody is there to hand anything to, it is over at once.
        let within = if alone { Duration::ZERO } else { within.unwrap_or(LEAVING) };
        let until = now.monotonic + within;
        self.upkeep.leaving = Some(Leaving { ids: [id].into(), until, kept: None });
        self.upkeep.delivery.forget_waiting();
        self.upkeep.round = None;
        self.keep_up(now, outbox);
    }

    /// The disk has spoken: a leave may have waited for it.
    pub(crate) fn hear_disk(&mut self, now: Now, outbox: &mut Outbox) {
        self.hear_node(now, outbox);
        if self.upkeep.leaving.is_some() {
            self.keep_up(now, outbox);
        }
    }

    /// Hands over what is kept, as soon as nothing is on its way to the disk: that was acknowledged, or
    /// will be, and nothing more comes to it.
    fn begin_to_hand_over(&mut self, now: Now) {
        let begun = |leaving: &Leaving| leaving.kept.is_some() || leaving.until <= now.monotonic;
        if self.upkeep.leaving.as_ref().is_none_or(begun) || self.node().is_storing() {
            return;
        }
        let (items, sets) = match planted::is(Bug::LeaveHandsOverNothing) {
            true => Default::default(),
            false => (self.node().kept_targets(), self.node().kept_sets()),
        };
        let kept = self.kept(&items, &sets, now);
        if let Some(leaving) = &mut self.upkeep.leaving {
            leaving.kept = Some(kept);
        }
        self.upkeep.round = Some(Box::new(Round::leaving(&items, &sets, now.monotonic)));
    }

    fn kept(&mut self, items: &[Target], sets: &[Target], now: Now) -> Kept {
        let members = sets.iter().map(|set| self.node_mut().lasting_members(set, now)).sum();
        Kept { items: items.len(), members }
    }
}
