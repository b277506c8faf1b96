//! Chance, all of it from the world's seed, in streams: what one part of the world draws does not
//! shift what another one does, so that leaving out a fault leaves all else as it was.

use core::time::Duration;

use rand_core::{Rng, SeedableRng};
use rand_distr::Distribution;
use rand_xoshiro::Xoshiro256PlusPlus;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// One stream of chance.
#[derive(Clone, Debug)]
pub struct Chance(Xoshiro256PlusPlus);

impl Chance {
    /// The stream of this name in the world of this seed.
    pub fn of(seed: u64, stream: &str) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(xxh3_64_with_seed(stream.as_bytes(), seed)))
    }

    /// The stream of this name of one of many.
    pub fn of_one(seed: u64, stream: &str, number: u64) -> Self {
        let stream = xxh3_64_with_seed(stream.as_bytes(), seed);
        Self(Xoshiro256PlusPlus::seed_from_u64(xxh3_64_with_seed(&number.to_le_bytes(), stream)))
    }

    /// A stream that follows from a number alone, for what is drawn anew each time and must be the same.
    pub fn from_number(number: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(number))
    }

    /// Any 64-bit number.
    pub fn u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, or 0 if that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        // The high half of a product: without the bias of a remainder, and quicker.
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below((high.saturating_sub(low) as usize).saturating_add(1)) as u64
    }

    /// A number from 0 to below 1.
    pub fn share(&mut self) -> f64 {
        // 53 bits are what a double holds.
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Whether something happens that does so in this share of cases.
    pub fn happens(&mut self, share: f64) -> bool {
        share > 0.0 && self.share() < share
    }

    /// A span between the two.
    pub fn span(&mut self, low: Duration, high: Duration) -> Duration {
        low + high.saturating_sub(low).mul_f64(self.share())
    }

    /// A number from a distribution.
    pub fn draw<T>(&mut self, distribution: &impl Distribution<T>) -> T {
        distribution.sample(&mut self.0)
    }

    /// One of these; `None` if there are none.
    pub fn pick<'t, T>(&mut self, among: &'t [T]) -> Option<&'t T> {
        if among.is_empty() { None } else { Some(&among[self.below(among.len())]) }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// Brings these into a random order.
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_name_and_number_and_repeat_themselves() {
        let first = |mut chance: Chance| chance.u64();
        let all = [
            first(Chance::of(1, "loss")),
            first(Chance::of(2, "loss")),
            first(Chance::of(1, "latency")),
            first(Chance::of_one(1, "loss", 0)),
            first(Chance::of_one(1, "loss", 1)),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(!all[..place].contains(one));
        }
        assert_eq!(all[0], first(Chance::of(1, "loss")));
    }

    #[test]
    fn numbers_keep_within_their_bounds() {
        let mut chance = Chance::of(7, "bounds");
        assert_eq!(chance.below(0), 0);
        assert!((0..1000).all(|_| chance.below(3) < 3));
        assert!((0..1000).all(|_| (2..=4).contains(&chance.between(2, 4))));
        assert!((0..1000).all(|_| (0.0..1.0).contains(&chance.share())));
        let often = (0..10_000).filter(|_| chance.happens(0.25)).count();
        assert!((2_300..2_700).contains(&often), "{often}");
    }
}
