//! Some machines reach all others but each other: A and B can speak, B and C can, A and C cannot.

use super::lot::Lot;
use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// Two groups without a way between them, and a third that both can reach.
#[derive(Clone, Copy, Debug)]
pub struct NonTransitive {
    /// The one end of the chain, and the other; whoever would be at both, or at neither, is in its middle.
    pub ends: [Lot; 2],
}

impl NonTransitive {
    /// Ends of this share of all machines each, less those that would be at both.
    pub fn draw(chance: &mut Chance, share: f64) -> Self {
        Self { ends: [Lot::draw(chance, share), Lot::draw(chance, share)] }
    }

    fn cuts(&self, way: &Way) -> bool {
        let [from, to] = [way.from, way.to].map(|machine| self.ends.map(|end| end.has(machine)));
        matches!((from, to), ([true, false], [false, true]) | ([false, true], [true, false]))
    }
}

impl Condition for NonTransitive {
    fn change(&mut self, way: &Way, _: &[u8], copies: &mut Vec<Copy>, _: &mut Chance) {
        if self.cuts(way) {
            copies.clear();
        }
    }
}
