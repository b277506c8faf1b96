//! Write tokens: the proof that whoever writes asked before, from the same address.
//!
//! A token is a keyed MAC (SipHash-2-4) over the current five minutes, the asker's IP address and
//! the target, so nothing has to be remembered for it and no timer renews it.

use core::hash::Hasher;

use siphasher::sip::SipHasher24;
use subtle::ConstantTimeEq;
use wire::planted::{self, Bug};
use wire::{Endpoint, Point};

use crate::dice::Dice;
use crate::limits::TOKEN_EPOCH;
use crate::time::Instant;

/// Bytes of the tokens we issue: short ones, since one foreign client counts on that.
pub const TOKEN_BYTES: usize = 8;

/// Issues and checks write tokens.
pub struct Tokens {
    key: [u8; 16],
}

impl Tokens {
    /// Draws the secret key.
    pub fn new(dice: &mut Dice) -> Self {
        Self { key: dice.bytes() }
    }

    /// The token by which `asker` may write under `target`.
    pub fn issue(&self, asker: &Endpoint, target: &Point, now: Instant) -> [u8; TOKEN_BYTES] {
        self.mac(asker, target, epoch(now))
    }

    /// Whether `token` was issued to `asker` for `target` within the current or previous epoch.
    pub fn accepts(&self, token: &[u8], asker: &Endpoint, target: &Point, now: Instant) -> bool {
        let epoch = epoch(now);
        // Each is compared in constant time; which of them it was, its asker knows anyway.
        let is_of = |epoch| bool::from(self.mac(asker, target, epoch).ct_eq(token));
        is_of(epoch)
            || (is_of(epoch.wrapping_sub(1)) && !planted::is(Bug::TokenForgottenAtTurn))
            || (planted::is(Bug::TokenAfterItsTime)
                && (2..12).any(|ago| is_of(epoch.wrapping_sub(ago))))
            || planted::is(Bug::TokenUnchecked)
    }

    fn mac(&self, asker: &Endpoint, target: &Point, epoch: u64) -> [u8; TOKEN_BYTES] {
        let mut message = [0; 44];
        message[..8].copy_from_slice(&epoch.to_le_bytes());
        let ip = if planted::is(Bug::TokenForAnyAddress) { &[] } else { asker.ip_bytes() };
        message[8..8 + ip.len()].copy_from_slice(ip);
        if !planted::is(Bug::TokenForAnyTarget) {
            message[24..].copy_from_slice(target.as_bytes());
        }
        let mut mac = SipHasher24::new_with_key(&self.key);
        mac.write(&message);
        mac.finish().to_le_bytes()
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.key);
    }
}

fn epoch(now: Instant) -> u64 {
    if planted::is(Bug::TokenForEver) {
        return 1;
    }
    // One is added so that the epoch before the first is not the last of all.
    u64::from(now.as_secs()) / TOKEN_EPOCH.as_secs() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn a_token_is_good_for_one_address_and_target_and_five_to_ten_minutes() {
        let tokens = Tokens::new(&mut Dice::new([1; 32]));
        let (asker, target) = (Endpoint::v4([10, 0, 0, 1], 5), Point::new([3; 20]));
        let start = Instant::default() + Duration::from_secs(1000);
        let token = tokens.issue(&asker, &target, start);
        let after = |s| start + Duration::from_secs(s);
        assert!(tokens.accepts(&token, &asker, &target, after(0)));
        assert!(tokens.accepts(&token, &asker.with_port(99), &target, after(300)));
        assert!(!tokens.accepts(&token, &asker, &target, after(600)));
        assert!(!tokens.accepts(&token, &Endpoint::v4([10, 0, 0, 2], 5), &target, start));
        assert!(!tokens.accepts(&token, &asker, &Point::new([4; 20]), start));
        assert!(!tokens.accepts(&token[..7], &asker, &target, start));
        assert!(!tokens.accepts(b"", &asker, &target, start));
        let other = Tokens::new(&mut Dice::new([2; 32]));
        assert!(!other.accepts(&token, &asker, &target, start));
    }
}
