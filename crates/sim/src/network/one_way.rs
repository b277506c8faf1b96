//! Datagrams get lost on some ways and not on the ways back.

use super::lot::Paths;
use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// Loss on some ways.
#[derive(Clone, Copy, Debug)]
pub struct OneWay {
    /// On which.
    pub paths: Paths,
    /// The share of datagrams that are lost there, 0 to 1.
    pub share: f64,
}

impl Condition for OneWay {
    fn change(&mut self, way: &Way, _: &[u8], copies: &mut Vec<Copy>, chance: &mut Chance) {
        if self.paths.has(way) {
            copies.retain(|_| !chance.happens(self.share));
        }
    }
}
