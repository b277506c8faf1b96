//! When to look at what is held again: targets noted by the minute in which their lease ends.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use wire::Target;

use crate::time::UnixMillis;

/// Minutes since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(u64);

impl Minute {
    /// The minute at whose beginning `time` is over.
    pub fn after(time: UnixMillis) -> Self {
        Self(time.0.div_ceil(60_000))
    }
}

/// Which targets to look at when a minute has begun.
///
/// One whose lease was renewed since is noted under its new end then, so that renewing costs
/// nothing here.
#[derive(Default)]
pub struct Calendar {
    noted: BTreeMap<Minute, Vec<Target>>,
    /// Targets noted, those that no longer matter included.
    count: usize,
}

impl Calendar {
    /// Notes a target.
    pub fn note(&mut self, minute: Minute, target: Target) {
        self.noted.entry(minute).or_default().push(target);
        self.count += 1;
    }

    /// Whether far more is noted than `held` targets need: somebody who shortens a lease again and
    /// again leaves old notes behind.
    pub fn is_cluttered(&self, held: usize) -> bool {
        self.count > 2 * held + 1024
    }

    /// Starts anew with these.
    pub fn rebuild(&mut self, all: impl Iterator<Item = (Minute, Target)>) {
        *self = Self::default();
        for (minute, target) in all {
            self.note(minute, target);
        }
    }

    /// Takes out the targets of one minute that has begun at `wall`.
    pub fn begun(&mut self, wall: UnixMillis) -> Option<(Minute, Vec<Target>)> {
        let now = Minute(wall.0 / 60_000);
        let first = self.noted.first_entry().filter(|first| *first.key() <= now)?;
        let (minute, targets) = first.remove_entry();
        self.count -= targets.len();
        Some((minute, targets))
    }

    /// All targets noted, those of the first minutes first.
    pub fn in_order(&self) -> impl Iterator<Item = &Target> {
        self.noted.values().flatten()
    }

    /// Whether a target is noted under a minute; for tests.
    pub fn has(&self, minute: Minute, target: &Target) -> bool {
        self.noted.get(&minute).is_some_and(|noted| noted.contains(target))
    }

    /// Checks that the count is right.
    ///
    /// # Panics
    /// If it is not.
    pub fn check_invariant(&self, held: usize) {
        assert_eq!(self.count, self.noted.values().map(Vec::len).sum::<usize>());
        assert!(!self.is_cluttered(held));
    }
}
