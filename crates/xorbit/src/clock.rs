//! The two clocks, read once for each batch of inputs.

use std::time::{Instant, SystemTime};

use node::{Now, UnixMillis};

/// The time by this machine's clock, which may jump.
pub fn wall_clock() -> UnixMillis {
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX))
}

/// Counts monotonic time from the node's start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// What time it is.
    pub fn now(&self) -> Now {
        let micros = u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX);
        Now { monotonic: node::Instant::from_micros(micros), wall: wall_clock() }
    }

    /// A point of the node's monotonic time, for a timer.
    pub fn at(&self, instant: node::Instant) -> Instant {
        self.origin + std::time::Duration::from_micros(instant.as_micros())
    }
}
