//! Chance, all of it from one seed.

use chacha20::ChaCha8Rng;
use core::time::Duration;
use rand_core::{Rng, SeedableRng};
use wire::NodeId;

/// A node's only source of randomness. Transaction ids and token secrets come from it, so the seed
/// must be secret outside of simulations.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// Starts from a seed.
    pub fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha8Rng::from_seed(seed))
    }

    /// Any 32-bit number.
    pub fn u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Any 64-bit number.
    pub fn u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, or 0 if that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        // The bias of a 64-bit remainder is below 2^-40 for any bound we use.
        if bound == 0 { 0 } else { (self.u64() % bound as u64) as usize }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A random node id.
    pub fn node_id(&mut self) -> NodeId {
        NodeId::new(self.bytes())
    }

    /// `span` give or take a quarter, so that what started together does not stay together.
    pub fn jittered(&mut self, span: Duration) -> Duration {
        let half = u64::try_from(span.as_micros() / 2).unwrap_or(u64::MAX);
        let offset = if half == 0 { 0 } else { self.u64() % half };
        span * 3 / 4 + Duration::from_micros(offset)
    }
}
