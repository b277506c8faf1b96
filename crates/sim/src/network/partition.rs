//! Machines cannot hear each other, in both directions.

use super::lot::Lot;
use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// Which pairs are cut.
#[derive(Clone, Copy, Debug)]
pub enum Partition {
    /// Those that have the one on each side of the cut: two networks.
    Halves(Lot),
    /// Some pairs here and there: a partial partition.
    Pairs(Lot),
}

impl Partition {
    /// Whether it cuts this way.
    pub fn cuts(&self, way: &Way) -> bool {
        match self {
            Partition::Halves(side) => side.has(way.from) != side.has(way.to),
            Partition::Pairs(lot) => lot.has_pair(way.from, way.to),
        }
    }
}

impl Condition for Partition {
    fn change(&mut self, way: &Way, _: &[u8], copies: &mut Vec<Copy>, _: &mut Chance) {
        if self.cuts(way) {
            copies.clear();
        }
    }
}
