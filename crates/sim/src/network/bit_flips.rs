//! Bits of datagrams flip, and the checksums do not tell.

use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// Bits that flip in one datagram, at most.
const BITS: u64 = 8;

/// Bit flips.
#[derive(Clone, Copy, Debug)]
pub struct BitFlips {
    /// The share of datagrams in which bits flip, 0 to 1.
    pub share: f64,
}

impl Condition for BitFlips {
    fn change(&mut self, _: &Way, sent: &[u8], copies: &mut Vec<Copy>, chance: &mut Chance) {
        for copy in copies {
            if !chance.happens(self.share) {
                continue;
            }
            let bytes = copy.bytes_mut(sent);
            for _ in 0..chance.between(1, BITS) {
                let (at, bit) = (chance.below(bytes.len()), chance.below(8));
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
        }
    }
}
