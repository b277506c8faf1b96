//! How long datagrams take.

use core::fmt;
use core::time::Duration;

use rand_distr::LogNormal;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Way;
use super::geography::Geography;
use crate::chance::Chance;

/// Where a machine is. Sites with the same number are the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site(pub u32);

/// No datagram takes less, whatever the distribution says.
const LEAST: Duration = Duration::from_micros(200);

/// How much of a pair's delay varies from datagram to datagram, up and down.
const JITTER: f64 = 0.1;

/// How long datagrams take from one site to another.
#[derive(Clone, Debug)]
pub enum Latency {
    /// All take the same time.
    Constant(Duration),
    /// Each ordered pair of sites has a delay of its own, from a log-normal distribution; each
    /// datagram takes up to a tenth more or less.
    HeavyTail(HeavyTail),
    /// Sites lie in regions of the globe, each behind an access of its own; some datagrams are late.
    Geographic(Geography),
}

/// A log-normal distribution of one-way delays.
#[derive(Clone, Copy, Debug)]
pub struct HeavyTail {
    pairs: LogNormal<f64>,
    median: Duration,
    p95: Duration,
    seed: u64,
}

/// The normal distribution's 95th percentile, in standard deviations.
const Z_95: f64 = 1.644_853_626_951_472_7;

impl HeavyTail {
    /// Half of the pairs below `median`, 95 of 100 below `p95`.
    ///
    /// # Panics
    /// If the median is zero or not below the 95th percentile.
    pub fn new(seed: u64, median: Duration, p95: Duration) -> Self {
        assert!(median > Duration::ZERO && p95 > median, "a tail of {median:?} and {p95:?}");
        let middle = median.as_secs_f64();
        let sigma = (p95.as_secs_f64() / middle).ln() / Z_95;
        let pairs = LogNormal::new(middle.ln(), sigma).expect("the deviation is finite");
        Self { pairs, median, p95, seed }
    }

    fn of_pair(&self, from: Site, to: Site) -> Duration {
        let [a, b, c, d] = from.0.to_le_bytes();
        let [e, f, g, h] = to.0.to_le_bytes();
        let pair = xxh3_64_with_seed(&[a, b, c, d, e, f, g, h], self.seed);
        let seconds: f64 = Chance::from_number(pair).draw(&self.pairs);
        // One in 10^9 pairs would be minutes away: such a way is as good as none.
        Duration::from_secs_f64(seconds.clamp(0.0, 60.0))
    }
}

impl Latency {
    /// The heavy tail by which lookups are measured: median 40 ms, 95th percentile 150 ms.
    pub fn heavy_tail(seed: u64) -> Self {
        let (median, p95) = (Duration::from_millis(40), Duration::from_millis(150));
        Latency::HeavyTail(HeavyTail::new(seed, median, p95))
    }

    /// Delays as between the regions of the globe.
    pub fn geographic(seed: u64) -> Self {
        Latency::Geographic(Geography::new(seed))
    }

    /// What a datagram takes between two sites, what differs from one to the next left out.
    pub fn between(&self, from: Site, to: Site) -> Duration {
        match self {
            Latency::Constant(delay) => *delay,
            Latency::HeavyTail(tail) => tail.of_pair(from, to),
            Latency::Geographic(geography) => geography.between(from, to),
        }
        .max(LEAST)
    }

    /// The same there and back.
    pub fn round_trip(&self, from: Site, to: Site) -> Duration {
        self.between(from, to) + self.between(to, from)
    }

    /// What this datagram takes.
    pub(super) fn delay(&self, way: &Way, chance: &mut Chance) -> Duration {
        let mean = self.between(way.from_site, way.to_site);
        match self {
            Latency::Constant(_) => mean,
            Latency::HeavyTail(_) => {
                mean.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance.share()).max(LEAST)
            }
            Latency::Geographic(_) => mean + Geography::jitter(mean, chance),
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Latency::Constant(delay) => write!(f, "{} ms", delay.as_secs_f64() * 1e3),
            Latency::HeavyTail(HeavyTail { median, p95, .. }) => {
                let (median, p95) = (median.as_millis(), p95.as_millis());
                write!(f, "heavy tail, half within {median} ms, 95 of 100 within {p95} ms")
            }
            Latency::Geographic(_) => write!(f, "as between the regions of the globe"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heavy_tail_has_the_median_and_the_percentile_that_it_is_named_for() {
        let latency = Latency::heavy_tail(3);
        let mut delays: Vec<Duration> =
            (0..20_000).map(|site| latency.between(Site(site), Site(site + 1))).collect();
        delays.sort();
        let near = |at: usize, ms: f64| (delays[at].as_secs_f64() * 1e3 / ms - 1.0).abs() < 0.05;
        assert!(near(10_000, 40.0) && near(19_000, 150.0), "{:?}", delays[19_000]);
        let (from, to) = (Site(1), Site(2));
        assert_eq!(latency.between(from, to), latency.between(from, to));
        assert_ne!(latency.between(from, to), latency.between(to, from));
    }
}
