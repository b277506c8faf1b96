//! The Bloom filter of BEP 33, by which swarms are counted without listing them.
//!
//! Departure from BEP 33: an empty filter counts as 0; its formula gives one half.

use crate::endpoint::Endpoint;
use sha1::{Digest, Sha1};

/// Bytes of a filter.
pub const BLOOM_BYTES: usize = 256;

const BITS: usize = BLOOM_BYTES * 8;

/// A filter of IP addresses: 2,048 bits, two for each address.
#[derive(Clone, PartialEq, Eq)]
pub struct Bloom([u8; BLOOM_BYTES]);

/// The two bits of an IP address, for whoever puts it into filters more than once: to find them
/// costs a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BloomBits([u16; 2]);

impl BloomBits {
    /// Those of the address of `endpoint`; its port does not count.
    pub fn of(endpoint: &Endpoint) -> Self {
        let hash = Sha1::digest(endpoint.ip_bytes());
        let pairs = [[hash[0], hash[1]], [hash[2], hash[3]]];
        Self(pairs.map(|pair| u16::from_le_bytes(pair) % BITS as u16))
    }
}

impl Default for Bloom {
    fn default() -> Self {
        Self([0; BLOOM_BYTES])
    }
}

impl core::fmt::Debug for Bloom {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Bloom(about {:.0})", self.estimate())
    }
}

impl Bloom {
    /// Takes a filter from a message; `None` unless it is 256 bytes long.
    pub fn read(field: &[u8]) -> Option<Self> {
        field.try_into().ok().map(Self)
    }

    /// The filter as it goes into a message.
    pub fn as_bytes(&self) -> &[u8; BLOOM_BYTES] {
        &self.0
    }

    /// Adds the address of `endpoint`; its port does not count.
    pub fn insert(&mut self, endpoint: &Endpoint) {
        self.set(BloomBits::of(endpoint));
    }

    /// Adds the address that has these bits.
    #[inline]
    pub fn set(&mut self, bits: BloomBits) {
        for index in bits.0.map(usize::from) {
            self.0[index / 8] |= 1 << (index % 8);
        }
    }

    /// Adds all that `other` holds.
    pub fn unite(&mut self, other: &Bloom) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine |= theirs;
        }
    }

    /// How many addresses were probably added; worthless beyond about 6,000 (BEP 33).
    pub fn estimate(&self) -> f64 {
        let ones: u32 = self.0.iter().map(|byte| byte.count_ones()).sum();
        if ones == 0 {
            return 0.0;
        }
        let zeros = (BITS - ones as usize).max(1) as f64;
        let bits = BITS as f64;
        libm::log(zeros / bits) / (2.0 * libm::log(1.0 - 1.0 / bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_of_the_specification_is_reproduced() {
        let mut bloom = Bloom::default();
        for last in 0..=255 {
            bloom.insert(&Endpoint::v4([192, 0, 2, last], 1));
        }
        for last in 0..=0x3e7_u16 {
            let mut ip = [0; 16];
            ip[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
            ip[14..].copy_from_slice(&last.to_be_bytes());
            bloom.insert(&Endpoint::v6(ip, 1));
        }
        let start = [0xF6, 0xC3, 0xF5, 0xEA, 0xA0, 0x7F, 0xFD, 0x91, 0xBD, 0xE8, 0x9F, 0x77];
        let end = [0xFD, 0x9F, 0x6A, 0xEF, 0xFE, 0xEE, 0x76, 0xB6, 0xFD, 0x8F, 0x72, 0xEF];
        assert_eq!(bloom.as_bytes()[..12], start);
        assert_eq!(bloom.as_bytes()[244..], end);
        assert!((bloom.estimate() - 1224.9308).abs() < 0.001, "{}", bloom.estimate());
        assert_eq!(Bloom::default().estimate(), 0.0);
    }
}
