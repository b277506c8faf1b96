//! Chance from a seed, for faults that must come again when a test is run again.

/// The generator SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, or zero.
    pub fn below(&mut self, end: u64) -> u64 {
        // The product's high half: https://lemire.me/blog/2016/06/27/.
        ((u128::from(self.word()) * u128::from(end)) >> 64) as u64
    }

    /// True so many times of a million.
    pub fn once_in_a_while(&mut self, per_million: u32) -> bool {
        self.below(1_000_000) < per_million.into()
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_numbers_are_those_of_the_paper() {
        let mut chance = Chance::new(1_234_567);
        let first: [u64; 3] = std::array::from_fn(|_| chance.word());
        assert_eq!(
            first,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn a_number_lies_below_its_end() {
        let mut chance = Chance::new(7);
        assert!((0..1_000).all(|_| chance.below(10) < 10));
        assert!((0..100).all(|_| !chance.once_in_a_while(0) && chance.once_in_a_while(1_000_000)));
    }
}
