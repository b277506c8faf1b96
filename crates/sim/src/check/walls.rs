//! Which wall times a node may judge leases by. A clock that is set by more than 10 s is believed
//! after 10 minutes (docs/records.md, "Envelope"); until then, and for as long as the node may not
//! have looked, both the old time and the new one are possible.

use core::time::Duration;

use node::{Now, UnixMillis};

use crate::clock::START;

/// Corrections up to this size are believed at once.
const SMALL_MS: u64 = 10_000;

/// A larger one is believed once it has stood for so long.
const PROBATION: Duration = Duration::from_secs(600);

/// A node may notice that late that its clock was set, or that a probation is over: it looks each
/// minute while it holds anything, unless it is paused.
const NOTICES_WITHIN: Duration = Duration::from_secs(1800);

/// A setting of the wall clock that the node may still go by.
#[derive(Clone, Copy, Debug)]
struct Setting {
    ahead_ms: i64,
    /// By the monotonic clock: not believed before.
    from: Duration,
    /// Not believed any more afterwards; `None` for the present one.
    until: Option<Duration>,
}

/// Which wall times a node may judge leases by.
#[derive(Clone, Debug, Default)]
pub struct Walls {
    settings: Vec<Setting>,
    now: Duration,
}

impl Walls {
    /// A node starts with the clock as it stands.
    pub fn start(now: Now) -> Self {
        let (ahead_ms, at) = (ahead(now), since_start(now));
        Self { settings: vec![Setting { ahead_ms, from: at, until: None }], now: at }
    }

    /// Looks at the clocks.
    pub fn look(&mut self, now: Now) {
        let (ahead_ms, at) = (ahead(now), since_start(now));
        self.now = at;
        let Some(last) = self.settings.last_mut() else { return *self = Self::start(now) };
        if last.ahead_ms != ahead_ms {
            // What was not believed yet when it was taken back may have been noticed all the same.
            last.until = Some(at + PROBATION + NOTICES_WITHIN);
            let small = last.ahead_ms.abs_diff(ahead_ms) <= SMALL_MS;
            let sure = self.settings.len() == 1 && !small;
            let from = if sure { at + PROBATION } else { at };
            self.settings.push(Setting { ahead_ms, from, until: None });
        }
        if self.settings.len() > 1 {
            self.settings.retain(|setting| setting.until.is_none_or(|until| until > at));
        }
    }

    fn possible(&self) -> impl Iterator<Item = UnixMillis> {
        let now = self.now;
        let possible = self.settings.iter().filter(move |setting| setting.from <= now);
        possible
            .map(move |setting| UnixMillis((START + now).0.saturating_add_signed(setting.ahead_ms)))
    }

    /// The earliest time that the node may believe it is.
    pub fn earliest(&self) -> UnixMillis {
        self.possible().min().unwrap_or_default()
    }

    /// The latest time that the node may believe it is.
    pub fn latest(&self) -> UnixMillis {
        self.possible().max().unwrap_or_default()
    }

    /// Whether the clock was set lately, so that there is more than one.
    pub fn are_many(&self) -> bool {
        self.settings.len() > 1
    }
}

fn since_start(now: Now) -> Duration {
    now.monotonic.since(node::Instant::default())
}

/// How far the wall clock is set ahead. Both clocks of a machine run at the same speed.
fn ahead(now: Now) -> i64 {
    let at_start = START + since_start(now);
    now.wall.0.wrapping_sub(at_start.0) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(seconds: u64, ahead_s: i64) -> Now {
        let at = Duration::from_secs(seconds);
        let wall = (START + at).0.saturating_add_signed(ahead_s * 1000);
        Now { monotonic: node::Instant::default() + at, wall: UnixMillis(wall) }
    }

    #[test]
    fn a_jump_is_possible_after_ten_minutes_and_the_old_time_for_a_while_beside_it() {
        let mut walls = Walls::start(now(100, 0));
        walls.look(now(200, 3600));
        assert_eq!((walls.earliest(), walls.latest()), (now(200, 0).wall, now(200, 0).wall));
        walls.look(now(799, 3600));
        assert_eq!(walls.latest(), now(799, 0).wall);
        walls.look(now(800, 3600));
        assert_eq!((walls.earliest(), walls.latest()), (now(800, 0).wall, now(800, 3600).wall));
        walls.look(now(2601, 3600));
        assert_eq!(walls.earliest(), now(2601, 3600).wall);
    }

    #[test]
    fn a_small_correction_is_possible_at_once() {
        let mut walls = Walls::start(now(0, 0));
        walls.look(now(1, 9));
        assert_eq!((walls.earliest(), walls.latest()), (now(1, 0).wall, now(1, 9).wall));
    }
}
