//! Datagrams arrive more than once.

use core::time::Duration;

use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// Copies that one condition makes of a datagram at most, and the most that are on their way of one.
const COPIES: u64 = 3;
const MOST: usize = 16;

/// Duplication.
#[derive(Clone, Copy, Debug)]
pub struct Duplication {
    /// The share of datagrams that are doubled, 0 to 1; some of them more than once.
    pub share: f64,
    /// How much later a copy arrives, at most.
    pub later: Duration,
}

impl Condition for Duplication {
    fn change(&mut self, _: &Way, _: &[u8], copies: &mut Vec<Copy>, chance: &mut Chance) {
        for index in 0..copies.len() {
            if !chance.happens(self.share) {
                continue;
            }
            for _ in 0..chance.between(1, COPIES) {
                if copies.len() < MOST {
                    let mut copy = copies[index].clone();
                    copy.delay += chance.span(Duration::ZERO, self.later);
                    copies.push(copy);
                }
            }
        }
    }
}
