//! Datagrams lose their ends.

use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// Truncation.
#[derive(Clone, Copy, Debug)]
pub struct Truncation {
    /// The share of datagrams that are cut off, 0 to 1.
    pub share: f64,
}

impl Condition for Truncation {
    fn change(&mut self, _: &Way, sent: &[u8], copies: &mut Vec<Copy>, chance: &mut Chance) {
        for copy in copies {
            if chance.happens(self.share) {
                let bytes = copy.bytes_mut(sent);
                bytes.truncate(chance.below(bytes.len()));
            }
        }
    }
}
