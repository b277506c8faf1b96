//! How long nodes stay: Weibull sessions, whose heavy tail is what peer-to-peer networks show (shape 0.5;
//! D. Stutzbach and R. Rejaie, "Understanding churn in peer-to-peer networks", 2006).

use core::time::Duration;

use rand_distr::{Gamma, Weibull};

use crate::chance::Chance;

/// The shape of all sessions: the shorter a node has been there, the likelier it goes soon.
const SHAPE: f64 = 0.5;

/// Weibull sessions of shape 0.5 with this median.
#[derive(Clone, Copy, Debug)]
pub struct Sessions {
    scale_s: f64,
    whole: Weibull<f64>,
    aged: Gamma<f64>,
}

impl Sessions {
    /// Half of all sessions are shorter than this.
    ///
    /// # Panics
    /// If it is zero.
    pub fn with_median(median: Duration) -> Self {
        // The distribution is 1 - exp(-(x / scale)^shape), which is one half at the median.
        let scale_s = median.as_secs_f64() / core::f64::consts::LN_2.powf(1.0 / SHAPE);
        assert!(scale_s > 0.0, "sessions of no length");
        let whole = Weibull::new(scale_s, SHAPE).expect("a positive scale and shape");
        let aged = Gamma::new(1.0 / SHAPE + 1.0, 1.0).expect("a positive shape and scale");
        Self { scale_s, whole, aged }
    }

    /// Their mean.
    pub fn mean(&self) -> Duration {
        // scale * gamma(1 + 1 / shape), and gamma(3) = 2.
        Duration::from_secs_f64(2.0 * self.scale_s)
    }

    /// How long somebody stays who has just come.
    pub fn whole(&self, chance: &mut Chance) -> Duration {
        span(chance.draw(&self.whole))
    }

    /// How much longer somebody stays who is met at any time: of a session drawn in proportion to its
    /// length, what is left after a moment drawn evenly from it.
    pub fn rest(&self, chance: &mut Chance) -> Duration {
        // A session is scale * e^2 for an exponential e; weighed by its length, e follows a gamma
        // distribution of shape 3.
        let e: f64 = chance.draw(&self.aged);
        span(self.scale_s * e.powf(1.0 / SHAPE) * chance.share())
    }
}

/// At most 100 years.
fn span(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, 3.2e9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Samples;

    #[test]
    fn sessions_have_the_median_and_the_mean_that_they_should() {
        let sessions = Sessions::with_median(Duration::from_secs(84));
        let mut chance = Chance::of(1, "sessions");
        let mut drawn: Samples =
            (0..200_000).map(|_| sessions.whole(&mut chance).as_secs_f64()).collect();
        assert!((drawn.median() / 84.0 - 1.0).abs() < 0.03, "{}", drawn.median());
        let mean = sessions.mean().as_secs_f64();
        assert!((drawn.mean() / mean - 1.0).abs() < 0.05, "{} {mean}", drawn.mean());
    }

    #[test]
    fn who_has_been_there_longer_stays_longer() {
        let sessions = Sessions::with_median(Duration::from_secs(60));
        let mut chance = Chance::of(2, "sessions");
        let rest: Samples =
            (0..200_000).map(|_| sessions.rest(&mut chance).as_secs_f64()).collect();
        // The mean of what is left is E[x^2] / 2 E[x], here 24 scale^2 / 4 scale.
        let expected = 3.0 * sessions.mean().as_secs_f64();
        assert!((rest.mean() / expected - 1.0).abs() < 0.1, "{} {expected}", rest.mean());
    }
}
