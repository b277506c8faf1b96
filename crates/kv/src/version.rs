//! Versions: a hybrid clock in the `seq` of a BEP 44 item.
//!
//! Milliseconds since 1970 times 1,000, plus a random 0 to 999, so that two writers of one
//! millisecond rarely meet; above any version already seen, also if this clock is behind. Always
//! below 2^53, beyond which one widespread client cannot count.

use core::fmt;

use node::UnixMillis;
use wire::Seq;
use wire::planted::{self, Bug};

use crate::limits::VERSION_END;

/// Which of two values of a key is newer: the higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// The version of this number, as a receipt or report gave it.
    pub fn new(number: u64) -> Option<Self> {
        (number < 1 << 63).then_some(Self(number))
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// A version for a write at `wall`, above `seen`. `None` if `seen` is at the end of all
    /// versions, where only an attacker can have put it.
    ///
    /// It is never the one right above `seen`, which is for a [renewal](Version::renewed).
    pub(crate) fn next(wall: UnixMillis, chance: u64, seen: Option<Version>) -> Option<Self> {
        let dice = chance % 1000;
        let by_clock = wall.0.saturating_mul(1000).saturating_add(dice);
        let above = seen.map_or(1, |seen| seen.0.saturating_add(2 + dice));
        let number = if planted::is(Bug::PutByOwnClock) { by_clock } else { by_clock.max(above) };
        (number < VERSION_END).then_some(Self(number))
    }

    /// The version of the same value under a new expiry: the lowest above this one, so that whoever
    /// wrote at the same time has a higher one and wins. `None` at the end of all versions.
    pub(crate) fn renewed(self) -> Option<Self> {
        (self.0 + 1 < VERSION_END).then_some(Self(self.0 + 1))
    }

    /// When the version was written, by its writer's clock; nonsense for versions of other
    /// programs.
    pub fn written_at(self) -> UnixMillis {
        UnixMillis(self.0 / 1000)
    }

    pub(crate) fn of(seq: Seq) -> Self {
        Self(seq.get().unsigned_abs())
    }

    pub(crate) fn seq(self) -> Seq {
        Seq::new(i64::try_from(self.0).unwrap_or(i64::MAX)).unwrap_or_default()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_next_version_is_above_all_seen_and_countable_everywhere(
            wall in 0u64..1 << 42, chance: u64, seen in proptest::option::of(0u64..VERSION_END - 1001),
        ) {
            let seen = seen.map(Version);
            let next = Version::next(UnixMillis(wall), chance, seen).unwrap();
            prop_assert!(seen.is_none_or(|seen| next > seen.renewed().unwrap() && seen.renewed().unwrap() > seen));
            prop_assert!(next.get() < 1 << 53 && next.get() > 0);
            prop_assert!(next.written_at() >= UnixMillis(wall));
        }
    }

    #[test]
    fn above_the_end_there_is_no_version() {
        assert_eq!(Version::next(UnixMillis(1), 0, Version::new(i64::MAX as u64)), None);
        assert_eq!(Version::new(i64::MAX as u64).and_then(Version::renewed), None);
    }
}
