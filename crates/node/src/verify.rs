//! Which contacts that we only heard of are asked whether they live, so that they may enter the
//! table: not too many at once, not too many a second, and none again soon.

use alloc::vec::Vec;
use core::hash::Hasher;

use siphasher::sip::SipHasher13;
use wire::Endpoint;

use crate::dice::Dice;
use crate::limits::{VERIFICATIONS, VERIFICATIONS_PER_S};
use crate::time::Instant;

/// Slots for addresses that are remembered as asked, at most ...
const SLOTS: usize = 1024;

/// ... and at first: most nodes know whom they need to know, and ask few.
const FIRST_SLOTS: usize = 16;

/// Nobody is asked again within this time.
const AGAIN_AFTER_S: u32 = 300;

/// Somebody who was asked.
#[derive(Clone, Copy, Default)]
struct Asked {
    /// A keyed hash of the address, whose first bits choose the slot; 0: nobody.
    print: u32,
    at_s: u32,
}

impl Asked {
    fn is_lately(&self, now_s: u32) -> bool {
        self.print != 0 && now_s.saturating_sub(self.at_s) < AGAIN_AFTER_S
    }
}

/// Remembers whom we asked lately, of those who fall into one slot the last.
pub struct Verifications {
    key: [u8; 16],
    /// Slots in the order of the prints that fall into them; their number is a power of two.
    asked: Vec<Asked>,
    second: u32,
    in_second: u32,
}

impl Verifications {
    /// Nobody yet.
    pub fn new(dice: &mut Dice) -> Self {
        Self { key: dice.bytes(), asked: Vec::new(), second: 0, in_second: 0 }
    }

    /// Whether `endpoint` was asked lately.
    #[inline]
    pub fn asked_lately(&self, endpoint: &Endpoint, now: Instant) -> bool {
        if self.asked.is_empty() {
            return false;
        }
        let print = self.print(endpoint);
        let asked = self.asked[slot(print, self.asked.len())];
        asked.print == print && asked.is_lately(now.as_secs())
    }

    /// Lets go of all who may be asked again, if that is all.
    pub fn tidy(&mut self, now: Instant) {
        if now.as_secs().saturating_sub(self.second) >= AGAIN_AFTER_S {
            self.asked = Vec::new();
        }
    }

    /// Whether one more may be asked now, `in_flight` being asked already; it counts as asked then.
    pub fn allow(&mut self, endpoint: &Endpoint, in_flight: usize, now: Instant) -> bool {
        let now_s = now.as_secs();
        self.tidy(now);
        if self.second != now_s {
            (self.second, self.in_second) = (now_s, 0);
        }
        if in_flight >= VERIFICATIONS || self.in_second >= VERIFICATIONS_PER_S {
            return false;
        }
        self.in_second += 1;
        self.note(Asked { print: self.print(endpoint), at_s: now_s });
        true
    }

    /// Notes that somebody is asked. The slots grow when two meet in one and a quarter of them is
    /// taken already.
    fn note(&mut self, asked: Asked) {
        if self.asked.is_empty() {
            self.asked = alloc::vec![Asked::default(); FIRST_SLOTS];
        }
        loop {
            let slots = self.asked.len();
            let there = &mut self.asked[slot(asked.print, slots)];
            let meets = there.print != asked.print && there.is_lately(asked.at_s);
            if !meets || slots >= SLOTS || self.lately(asked.at_s) < slots / 4 {
                break;
            }
            let mut wider = alloc::vec![Asked::default(); 2 * slots];
            for before in self.asked.iter().filter(|before| before.is_lately(asked.at_s)) {
                // Those that had a slot each have one each: a slot becomes two.
                wider[slot(before.print, 2 * slots)] = *before;
            }
            self.asked = wider;
        }
        let slots = self.asked.len();
        self.asked[slot(asked.print, slots)] = asked;
    }

    fn lately(&self, now_s: u32) -> usize {
        self.asked.iter().filter(|asked| asked.is_lately(now_s)).count()
    }

    fn print(&self, endpoint: &Endpoint) -> u32 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write(endpoint.ip_bytes());
        hasher.write_u16(endpoint.port());
        ((hasher.finish() >> 32) as u32).max(1)
    }
}

/// The slot of a print among so many.
fn slot(print: u32, slots: usize) -> usize {
    ((u64::from(print) * slots as u64) >> 32) as usize
}

const _: () = assert!(SLOTS.is_power_of_two() && FIRST_SLOTS.is_power_of_two());

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

    #[test]
    fn few_take_little_room_and_many_no_more_than_there_is() {
        let mut verifications = Verifications::new(&mut Dice::new([1; 32]));
        let at = |s: u64| Instant::from_micros(s * 1_000_000);
        let peer = |n: u16| Endpoint::v4([10, 0, (n >> 8) as u8, n as u8], 1);
        assert!((0..3).all(|n| verifications.allow(&peer(n), 0, at(1))));
        assert_eq!(verifications.asked.len(), FIRST_SLOTS);
        let remembered = |verifications: &Verifications, upto, now| {
            (0..upto).filter(|n| verifications.asked_lately(&peer(*n), now)).count()
        };
        for n in 3..200 {
            verifications.allow(&peer(n), 0, at(u64::from(n)));
        }
        assert!(remembered(&verifications, 200, at(200)) >= 150, "most of them");
        for n in 200..10_000 {
            verifications.allow(&peer(n), 0, at(200 + u64::from(n) / 40));
        }
        assert_eq!(verifications.asked.len(), SLOTS);
        verifications.tidy(at(700));
        assert_eq!(verifications.asked.len(), SLOTS, "the last may not be asked again yet");
        verifications.tidy(at(800));
        assert_eq!(verifications.asked.capacity(), 0);
        assert!(verifications.allow(&peer(0), 0, at(1000)));
        assert_eq!(verifications.asked.len(), FIRST_SLOTS);
        assert_eq!(remembered(&verifications, 10_000, at(1000)), 1);
    }
}
