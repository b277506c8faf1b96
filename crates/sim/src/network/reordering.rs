//! Some datagrams are overtaken by those sent after them.

use core::time::Duration;

use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// Reordering.
#[derive(Clone, Copy, Debug)]
pub struct Reordering {
    /// The share of datagrams that are held up, 0 to 1.
    pub share: f64,
    /// For how long, at most.
    pub later: Duration,
}

impl Condition for Reordering {
    fn change(&mut self, _: &Way, _: &[u8], copies: &mut Vec<Copy>, chance: &mut Chance) {
        for copy in copies {
            if chance.happens(self.share) {
                copy.delay += chance.span(Duration::ZERO, self.later);
            }
        }
    }
}
