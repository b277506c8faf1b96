//! Delays between regions of the globe, with the access of each site and a tail for each datagram.

use core::time::Duration;

use rand_distr::{Exp1, LogNormal};

use super::Site;
use crate::chance::Chance;

/// Regions with the share of sites that lie in them, in hundredths: near what crawls of Mainline see.
const REGIONS: [(&str, u8); 8] = [
    ("North America, east", 12),
    ("North America, west", 8),
    ("South America", 9),
    ("Europe", 33),
    ("Africa", 4),
    ("South Asia", 11),
    ("East Asia", 19),
    ("Oceania", 4),
];

/// One-way delays between regions in milliseconds: halves of the round trips between data centres in
/// Virginia, Oregon, São Paulo, Frankfurt, Cape Town, Mumbai, Tokyo and Sydney, as cloud providers
/// publish them, rounded.
const DELAYS_MS: [[u8; 8]; 8] = [
    [8, 33, 57, 46, 113, 95, 75, 99],
    [33, 8, 88, 70, 142, 110, 49, 70],
    [57, 88, 10, 102, 170, 150, 128, 156],
    [46, 70, 102, 10, 78, 61, 113, 145],
    [113, 142, 170, 78, 12, 120, 178, 205],
    [95, 110, 150, 61, 120, 15, 64, 76],
    [75, 49, 128, 113, 178, 64, 14, 52],
    [99, 70, 156, 145, 205, 76, 52, 10],
];

/// The access of a site, one way: half below 6 ms, 95 of 100 below 25.
const ACCESS_MS: (f64, f64) = (6.0, 0.87);

/// Of how many datagrams one is held up, and the least time for which it is; 1 in 100 of these ten times
/// as long, and so on: a Pareto tail of exponent 2.
const HELD_UP: (f64, f64) = (0.01, 0.02);

/// The longest that one is held up, in seconds.
const HELD_UP_MOST: f64 = 3.0;

/// The mean of what each datagram takes longer than the quickest, as a share of its way.
const JITTER: f64 = 0.04;

/// Sites in regions.
#[derive(Clone, Copy, Debug)]
pub struct Geography {
    seed: u64,
    access: LogNormal<f64>,
}

impl Geography {
    /// Sites are put into regions by this seed.
    pub fn new(seed: u64) -> Self {
        let (median, sigma) = ACCESS_MS;
        let access = LogNormal::new(median.ln(), sigma).expect("the deviation is finite");
        Self { seed, access }
    }

    /// The region in which a site lies, by its number, and the delay of its access.
    fn of_site(&self, site: Site) -> (usize, f64) {
        let mut chance = Chance::of_one(self.seed, "site", site.0.into());
        let mut drawn = chance.below(100) as u8;
        let mut region = 0;
        while drawn >= REGIONS[region].1 {
            drawn -= REGIONS[region].1;
            region += 1;
        }
        (region, chance.draw::<f64>(&self.access).clamp(0.3, 300.0))
    }

    /// The name of the region in which a site lies.
    pub fn region(&self, site: Site) -> &'static str {
        REGIONS[self.of_site(site).0].0
    }

    /// What the quickest datagrams take from one site to another.
    pub(super) fn between(&self, from: Site, to: Site) -> Duration {
        let ((one, out), (other, into)) = (self.of_site(from), self.of_site(to));
        if from == to {
            return Duration::ZERO;
        }
        let way = f64::from(DELAYS_MS[one][other]);
        Duration::from_secs_f64((way + out + into) / 1e3)
    }

    /// What one datagram takes longer than that.
    pub(super) fn jitter(quickest: Duration, chance: &mut Chance) -> Duration {
        let spread: f64 = chance.draw(&Exp1);
        let mut late = quickest.mul_f64(JITTER * spread.min(20.0));
        if chance.happens(HELD_UP.0) {
            // The inverse of a Pareto distribution with exponent 2; a share of 0 would be for ever.
            let times = (1.0 - chance.share()).powf(-0.5);
            late += Duration::from_secs_f64((HELD_UP.1 * times).min(HELD_UP_MOST));
        }
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_regions_have_sites_and_the_table_is_the_same_in_both_directions() {
        assert_eq!(REGIONS.iter().map(|(_, share)| u32::from(*share)).sum::<u32>(), 100);
        for (one, row) in DELAYS_MS.iter().enumerate() {
            assert!(row.iter().enumerate().all(|(other, ms)| DELAYS_MS[other][one] == *ms));
        }
        let geography = Geography::new(1);
        let europe = |site: &u32| geography.region(Site(*site)) == "Europe";
        let there = (0..10_000).filter(europe).count();
        assert!((3_100..3_500).contains(&there), "{there}");
    }

    #[test]
    fn neighbours_are_near_the_other_end_of_the_globe_is_far_and_a_few_datagrams_are_late() {
        let geography = Geography::new(1);
        let sites = |region: &'static str| {
            (0..2_000).map(Site).filter(move |site| geography.region(*site) == region)
        };
        let median = |from, to| {
            let mut all: Vec<Duration> =
                sites(from).zip(sites(to).skip(1)).map(|(a, b)| geography.between(a, b)).collect();
            all.sort();
            all[all.len() / 2].as_millis()
        };
        assert!((18..32).contains(&median("Europe", "Europe")));
        assert!((155..172).contains(&median("Europe", "Oceania")));
        let mut chance = Chance::from_number(1);
        let way = Duration::from_millis(100);
        let late = |over: u64, chance: &mut Chance| {
            let over = Duration::from_millis(over);
            (0..100_000).filter(|_| Geography::jitter(way, chance) > over).count()
        };
        let (some, few, none) =
            (late(19, &mut chance), late(200, &mut chance), late(4_000, &mut chance));
        assert!((1_200..2_400).contains(&some) && (3..40).contains(&few), "{some} {few}");
        assert_eq!(none, 0);
    }
}
