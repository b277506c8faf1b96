//! What holders tell each other of held items, and who looked after them last.

use alloc::vec::Vec;
use core::time::Duration;

use wire::Target;
use wire::offer::Offer;

use super::admission::Admission;
use super::items::{Entry, Items};
use crate::time::UnixMillis;

/// A lease that ends less than this later than ours is not worth a put.
const LEASE_SLACK: Duration = Duration::from_secs(600);

/// What an offer is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// We lack it.
    Wanted,
    /// We hold it.
    Same,
    /// We hold or remember a higher version.
    Newer,
}

impl<A: Admission> Items<A> {
    /// What an offer is to us.
    pub fn judge_offer(&self, offer: &Offer, wall: UnixMillis) -> Verdict {
        let Some((seq, until)) = self.newest(&offer.target, wall) else { return Verdict::Wanted };
        let (ours, slack) = match seq {
            Some(seq) => (seq.get(), 0),
            None => (until.0 as i64, LEASE_SLACK.as_millis() as i64),
        };
        if offer.number > ours.saturating_add(slack) {
            Verdict::Wanted
        } else if seq.is_some() && offer.number < ours {
            Verdict::Newer
        } else if self.entry(&offer.target).is_some_and(|entry| entry.went_early(wall)) {
            Verdict::Wanted
        } else if self.is_on_its_way(&offer.target) {
            // Whoever offers it may let go of its own copy, and the disk may fail.
            Verdict::Wanted
        } else {
            Verdict::Same
        }
    }

    /// All targets whose items are kept to their end, in order.
    pub fn kept_targets(&self) -> Vec<Target> {
        let kept = self.entries().filter(|(_, entry)| entry.is_kept());
        let mut targets: Vec<Target> = kept.map(|(target, _)| *target).collect();
        targets.sort_unstable();
        targets
    }

    /// What may be offered of a kept item, and the second in which somebody last looked after it.
    pub fn offerable(&self, target: &Target, wall: UnixMillis) -> Option<(Offer, u32)> {
        let entry = self.entry(target).filter(|entry| entry.is_kept())?;
        let until = entry.until();
        let number = match self.get(target, wall)?.seq() {
            Some(seq) => seq.get(),
            None => until.0 as i64,
        };
        Some((Offer { target: *target, number }, entry.looked_after_s))
    }

    /// Until when a kept item is held.
    pub fn kept_until(&self, target: &Target) -> Option<UnixMillis> {
        self.entry(target).filter(|entry| entry.is_kept()).map(Entry::until)
    }

    /// Notes that somebody looked after an item in this second.
    pub fn looked_after(&mut self, target: &Target, second: u32) {
        if let Some(entry) = self.entry_mut(target) {
            entry.looked_after_s = second;
        }
    }
}
