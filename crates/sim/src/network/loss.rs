//! Datagrams get lost, each with the same chance.

use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// Random loss.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    /// The share of datagrams that are lost, 0 to 1.
    pub share: f64,
}

impl Condition for Loss {
    fn change(&mut self, _: &Way, _: &[u8], copies: &mut Vec<Copy>, chance: &mut Chance) {
        copies.retain(|_| !chance.happens(self.share));
    }
}
