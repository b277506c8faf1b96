//! How many failures in a row a table bears with.
//!
//! Where datagrams get lost a living contact fails now and then as a dead one does always. With one
//! datagram in five lost, each way, three failures in a row befall it in one of twenty checks: tables
//! lost living contacts faster than they found them, and all upkeep began anew with each. Failures of
//! contacts that answered later tell how many of our queries fail by chance alone; those of the dead
//! do not count.
//!
//! Measured: 80 nodes with 57 records, 20 % of datagrams lost: 4.5 datagrams a node and second before,
//! 0.8 after; 0.2 in calm weather.

use crate::limits::{MAX_FAILURES, MOST_FAILURES};

/// All queries fail.
const ALL: u32 = 1 << 16;

/// The share of a living contact's queries that fail, a moving mean.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Patience {
    failing: u32,
}

/// The mean is over about so many queries.
const OVER: u32 = 64;

/// Of so many times that a living contact is asked, one at most may it be taken for dead.
const ONE_OF: u64 = 1000;

impl Patience {
    /// A contact answered after so many failures in a row.
    pub fn answered(&mut self, failures: u8) {
        for _ in 0..failures {
            self.failing += (ALL - self.failing) / OVER;
        }
        self.failing -= self.failing / OVER;
    }

    /// After so many failures in a row a contact is bad.
    pub fn failures(self) -> u8 {
        let mut chance = u64::from(ALL);
        for failures in 1..MOST_FAILURES {
            chance = chance * u64::from(self.failing) / u64::from(ALL);
            if failures >= MAX_FAILURES && chance * ONE_OF <= u64::from(ALL) {
                return failures;
            }
        }
        MOST_FAILURES
    }

    /// After so many a contact gives way to one that waits for its place: at the first, unless
    /// failures say little.
    pub fn gives_way(self) -> u8 {
        self.failures() - MAX_FAILURES + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a table bears with after many answers of which each followed so many failures in turn.
    fn after(failures: &[u8]) -> Patience {
        let mut patience = Patience::default();
        (0..500).for_each(|turn| patience.answered(failures[turn % failures.len()]));
        patience
    }

    #[test]
    fn the_more_gets_lost_the_more_failures_are_borne_with() {
        assert_eq!((Patience::default().failures(), Patience::default().gives_way()), (3, 1));
        assert_eq!(after(&[0]).failures(), 3);
        assert_eq!(after(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]).failures(), 3, "one in eleven");
        assert_eq!(after(&[0, 1]).failures(), 7, "a third");
        assert_eq!(after(&[0, 1]).gives_way(), 5);
        assert_eq!(after(&[1, 2, 3]).failures(), MOST_FAILURES);
    }

    #[test]
    fn what_is_no_more_lost_is_forgotten() {
        let mut patience = after(&[1]);
        assert!(patience.failures() > MAX_FAILURES);
        (0..300).for_each(|_| patience.answered(0));
        assert_eq!(patience.failures(), MAX_FAILURES);
    }
}
