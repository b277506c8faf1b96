//! Which contacts that we only heard of are asked whether they live, so that they may enter the
//! table: not too many at once, not too many a second, and none again soon.

use alloc::boxed::Box;
use core::hash::Hasher;

use siphasher::sip::SipHasher13;
use wire::Endpoint;

use crate::dice::Dice;
use crate::limits::{VERIFICATIONS, VERIFICATIONS_PER_S};
use crate::time::Instant;

/// Addresses that are remembered as asked.
const REMEMBERED: usize = 1024;

/// Nobody is asked again within this time.
const AGAIN_AFTER_S: u32 = 300;

/// Remembers whom we asked lately.
pub struct Verifications {
    key: [u8; 16],
    asked: Option<Box<[(u32, u32)]>>,
    second: u32,
    in_second: u32,
}

impl Verifications {
    /// Nobody yet.
    pub fn new(dice: &mut Dice) -> Self {
        Self { key: dice.bytes(), asked: None, second: 0, in_second: 0 }
    }

    /// Whether `endpoint` was asked lately.
    #[inline]
    pub fn asked_lately(&self, endpoint: &Endpoint, now: Instant) -> bool {
        let Some(asked) = &self.asked else { return false };
        let (slot, fingerprint) = self.slot(endpoint);
        let (print, at_s) = asked[slot];
        print == fingerprint && now.as_secs().saturating_sub(at_s) < AGAIN_AFTER_S
    }

    /// Whether one more may be asked now, `in_flight` being asked already; it counts as asked then.
    pub fn allow(&mut self, endpoint: &Endpoint, in_flight: usize, now: Instant) -> bool {
        if self.second != now.as_secs() {
            (self.second, self.in_second) = (now.as_secs(), 0);
        }
        if in_flight >= VERIFICATIONS || self.in_second >= VERIFICATIONS_PER_S {
            return false;
        }
        self.in_second += 1;
        let (slot, fingerprint) = self.slot(endpoint);
        let asked = self.asked.get_or_insert_with(|| alloc::vec![(0, 0); REMEMBERED].into());
        asked[slot] = (fingerprint, now.as_secs());
        true
    }

    fn slot(&self, endpoint: &Endpoint) -> (usize, u32) {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write(endpoint.ip_bytes());
        hasher.write_u16(endpoint.port());
        let hash = hasher.finish();
        // A print of 0 would match a slot that was never used.
        (hash as usize % REMEMBERED, (hash >> 32) as u32 | 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_again_soon_and_not_too_many_a_second() {
        let mut verifications = Verifications::new(&mut Dice::new([1; 32]));
        let at = |s: u64| Instant::from_micros(s * 1_000_000);
        let peer = |n: u16| Endpoint::v4([10, 0, 0, 1], n);
        assert!(!verifications.asked_lately(&peer(1), at(10)));
        assert!(verifications.allow(&peer(1), 0, at(10)));
        assert!(verifications.asked_lately(&peer(1), at(309)));
        assert!(!verifications.asked_lately(&peer(1), at(310)));
        assert!(!verifications.allow(&peer(2), VERIFICATIONS, at(11)));
        let allowed = (0..1000).filter(|n| verifications.allow(&peer(*n), 0, at(12))).count();
        assert_eq!(allowed, VERIFICATIONS_PER_S as usize);
    }
}
