//! The clock by which leases end: wall time that does not believe a jump at once.
//!
//! A machine's wall clock may be set forward by a year and back again. Were leases judged by it
//! directly, the first step would delete everything. So the wall time used for them advances with
//! the monotonic clock, follows small corrections, and takes over a jump only after it has stood
//! for a while.

use core::time::Duration;

use wire::planted::{self, Bug};

use crate::time::{Instant, Now, UnixMillis};

/// Corrections up to this size are believed at once: what time synchronisation does all day.
const DRIFT: Duration = Duration::from_secs(10);

/// A larger jump is believed once it has stood for so long.
const PROBATION: Duration = Duration::from_secs(600);

/// Wall time for leases.
#[derive(Debug, Default)]
pub struct SteadyWall {
    anchor: Option<(Instant, UnixMillis)>,
    jumped_at: Option<Instant>,
}

impl SteadyWall {
    /// The wall time by which leases are judged at `now`.
    pub fn read(&mut self, now: Now) -> UnixMillis {
        let Some((at, wall)) = self.anchor else {
            self.anchor = Some((now.monotonic, now.wall));
            return now.wall;
        };
        let expected = wall + now.monotonic.since(at);
        let off = expected.since(now.wall).max(now.wall.since(expected));
        if off <= DRIFT || planted::is(Bug::ClockJumpBelieved) {
            self.jumped_at = None;
        } else {
            let since = *self.jumped_at.get_or_insert(now.monotonic);
            if now.monotonic.since(since) < PROBATION {
                return expected;
            }
            self.jumped_at = None;
        }
        self.anchor = Some((now.monotonic, now.wall));
        now.wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(seconds: u64, wall_s: u64) -> Now {
        Now {
            monotonic: Instant::from_micros(seconds * 1_000_000),
            wall: UnixMillis(wall_s * 1000),
        }
    }

    #[test]
    fn a_jump_is_believed_only_after_it_has_stood() {
        let mut clock = SteadyWall::default();
        assert_eq!(clock.read(now(0, 1000)), UnixMillis(1_000_000));
        assert_eq!(clock.read(now(5, 1008)), UnixMillis(1_008_000));
        assert_eq!(clock.read(now(6, 90_000)), UnixMillis(1_009_000));
        assert_eq!(clock.read(now(600, 90_594)), UnixMillis(1_603_000));
        assert_eq!(clock.read(now(606, 90_600)), UnixMillis(90_600_000));
    }

    #[test]
    fn a_jump_that_is_taken_back_leaves_no_trace() {
        let mut clock = SteadyWall::default();
        clock.read(now(0, 1000));
        assert_eq!(clock.read(now(1, 5)), UnixMillis(1_001_000));
        assert_eq!(clock.read(now(2, 1002)), UnixMillis(1_002_000));
        assert_eq!(clock.read(now(3, 5)), UnixMillis(1_003_000));
        assert_eq!(clock.read(now(602, 604)), UnixMillis(1_602_000));
    }
}
