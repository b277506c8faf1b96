//! A machine's clocks: they run fast or slow, are set wrong, and jump.

use core::time::Duration;

use node::{Instant, Now, UnixMillis};

/// What the world's wall clock shows at its beginning.
pub const START: UnixMillis = UnixMillis(1_700_000_000_000);

/// Both clocks of one machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// How much faster than the world's time it runs, in millionths.
    drift_ppm: i32,
    /// How far ahead its wall clock is set, in milliseconds.
    ahead_ms: i64,
}

impl Clock {
    /// A clock that runs so much too fast, in millionths, and whose wall time is set so far ahead, in
    /// milliseconds.
    pub fn new(drift_ppm: i32, ahead_ms: i64) -> Self {
        Self { drift_ppm: drift_ppm.clamp(-100_000, 100_000), ahead_ms }
    }

    /// Sets the wall clock forward, or back if that is negative.
    pub fn jump(&mut self, by_ms: i64) {
        self.ahead_ms = self.ahead_ms.saturating_add(by_ms);
    }

    /// How far ahead of the world's its wall clock is set, its drift left out, in milliseconds.
    pub fn ahead_ms(&self) -> i64 {
        self.ahead_ms
    }

    /// What both clocks show when so much time of the world has passed.
    pub fn now(&self, world: Instant) -> Now {
        let us = world.as_micros();
        let local = us.saturating_add_signed(self.gain(us));
        let wall = (START + Duration::from_micros(local)).0.saturating_add_signed(self.ahead_ms);
        Now { monotonic: Instant::from_micros(local), wall: UnixMillis(wall) }
    }

    /// When in the world's time its monotonic clock will show this at the earliest.
    pub fn world(&self, local: Instant) -> Instant {
        if self.drift_ppm == 0 {
            return local;
        }
        let scale = 1_000_000 + i128::from(self.drift_ppm);
        let exact = (i128::from(local.as_micros()) * 1_000_000).div_euclid(scale);
        let mut world = Instant::from_micros(u64::try_from(exact.max(0)).unwrap_or(u64::MAX));
        while self.now(world).monotonic < local {
            world = world + Duration::from_micros(1);
        }
        world
    }

    fn gain(&self, us: u64) -> i64 {
        (i128::from(us) * i128::from(self.drift_ppm)).div_euclid(1_000_000) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_rings_when_the_clock_shows_its_time_and_not_before() {
        for drift in [-100_000, -37, 0, 1, 80_000] {
            let clock = Clock::new(drift, 0);
            for us in [0, 1, 999, 1_000_003, 86_400_000_000] {
                let world = clock.world(Instant::from_micros(us));
                assert!(clock.now(world).monotonic >= Instant::from_micros(us));
                if let Some(before) = world.as_micros().checked_sub(1) {
                    let before = clock.now(Instant::from_micros(before));
                    assert!(before.monotonic < Instant::from_micros(us), "{drift} {us}");
                }
            }
        }
    }

    #[test]
    fn a_jump_moves_the_wall_clock_alone() {
        let mut clock = Clock::default();
        let at = Instant::from_micros(5_000_000);
        clock.jump(-7_000);
        assert_eq!(clock.now(at), Now { monotonic: at, wall: UnixMillis(START.0 - 2_000) });
    }
}
