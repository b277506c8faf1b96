//! How long replies take, and so when a query is slow and when it is given up.
//!
//! Mean and deviation are smoothed as TCP does it (RFC 6298), over all peers: most are asked once,
//! so one peer's history says less than everybody's.

use core::time::Duration;

use crate::limits::{SLOW_MAX, SLOW_MIN, TIMEOUT};

/// Smoothed round trips of all peers.
#[derive(Debug, Default)]
pub struct RoundTrips {
    measured: Option<(Duration, Duration)>,
}

impl RoundTrips {
    /// Takes a measured round trip into account.
    pub fn measured(&mut self, sample: Duration) {
        self.measured = Some(match self.measured {
            None => (sample, sample / 2),
            Some((mean, deviation)) => {
                ((mean * 7 + sample) / 8, (deviation * 3 + mean.abs_diff(sample)) / 4)
            }
        });
    }

    /// After so long a query to a peer with this known round trip is slow: another may be asked in
    /// its place, long before it is given up.
    pub fn slow_after(&self, known: Option<Duration>) -> Duration {
        self.beyond(known, 4)
    }

    /// After so long a query of a lookup is slow, which is then sent once more and waited for as long as
    /// [`RoundTrips::slow_after`] says: that mends loss soon, and costs a datagram in twenty.
    pub fn late_after(&self, known: Option<Duration>) -> Duration {
        self.beyond(known, 2)
    }

    /// After so long from the second time on the nearest candidate of a lookup is no more waited for: what
    /// is looked for is most of all to be found there.
    pub fn missing_after(&self, known: Option<Duration>) -> Duration {
        self.beyond(known, 10)
    }

    fn beyond(&self, known: Option<Duration>, deviations: u32) -> Duration {
        let Some((mean, deviation)) = self.measured else { return SLOW_MAX };
        let expected = known.filter(|known| !known.is_zero()).unwrap_or(mean);
        (expected + deviation * deviations).clamp(SLOW_MIN, SLOW_MAX)
    }

    /// After so long a query is given up.
    pub fn timeout(&self) -> Duration {
        match self.measured {
            // Twice the slow bound leaves room for a peer that is three times farther than most.
            Some(_) => (self.slow_after(None) * 3).clamp(SLOW_MAX, TIMEOUT),
            None => TIMEOUT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_networks_open_slots_early_and_slow_ones_are_waited_for() {
        let mut quick = RoundTrips::default();
        assert_eq!(quick.slow_after(None), SLOW_MAX);
        let mut slow = RoundTrips::default();
        for _ in 0..50 {
            quick.measured(Duration::from_micros(300));
            slow.measured(Duration::from_millis(400));
        }
        assert_eq!(quick.slow_after(None), SLOW_MIN);
        assert!(slow.slow_after(None) > Duration::from_millis(390));
        assert!(quick.slow_after(Some(Duration::from_millis(600))) > Duration::from_millis(500));
        assert!(quick.timeout() >= SLOW_MAX && slow.timeout() <= TIMEOUT);
    }
}
