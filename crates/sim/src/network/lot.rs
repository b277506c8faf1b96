//! Whom a condition of the weather meets: machines and pairs of them, chosen by lot.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Way;
use crate::chance::Chance;
use crate::world::MachineId;

/// A share of all machines, or of all pairs of them. A machine's lot hangs on nothing but its number: it
/// stays the same however many others there are, and those that come later have one too.
#[derive(Clone, Copy, Debug)]
pub struct Lot {
    seed: u64,
    share: f64,
}

impl Lot {
    /// So large a share, 0 to 1.
    pub fn draw(chance: &mut Chance, share: f64) -> Self {
        Self { seed: chance.u64(), share }
    }

    /// The share, 0 to 1.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// Whether it has this machine.
    pub fn has(&self, machine: MachineId) -> bool {
        self.falls_on(&machine.0.to_le_bytes())
    }

    /// Whether it has this direction of a pair. A machine's way to itself it never has.
    pub fn has_way(&self, from: MachineId, to: MachineId) -> bool {
        let pair = u64::from(from.0) << 32 | u64::from(to.0);
        from != to && self.falls_on(&pair.to_le_bytes())
    }

    /// Whether it has this pair, in both directions alike.
    pub fn has_pair(&self, one: MachineId, other: MachineId) -> bool {
        self.has_way(one.min(other), one.max(other))
    }

    fn falls_on(&self, bytes: &[u8]) -> bool {
        let drawn = xxh3_64_with_seed(bytes, self.seed);
        // 53 bits are what a double holds.
        ((drawn >> 11) as f64 / (1u64 << 53) as f64) < self.share
    }
}

/// On which ways something happens.
#[derive(Clone, Copy, Debug)]
pub enum Paths {
    /// On all.
    All,
    /// On those into some machines.
    Into(Lot),
    /// On those out of some machines.
    OutOf(Lot),
    /// On some directions of pairs.
    Ways(Lot),
}

impl Paths {
    /// All, or one of the others with a share between 5 and 50 of 100.
    pub fn draw(chance: &mut Chance) -> Self {
        if chance.happens(0.4) { Paths::All } else { Self::draw_some(chance) }
    }

    /// Some, and never all.
    pub fn draw_some(chance: &mut Chance) -> Self {
        let share = 0.05 + 0.45 * chance.share();
        let lot = Lot::draw(chance, share);
        match chance.below(3) {
            0 => Paths::Into(lot),
            1 => Paths::OutOf(lot),
            _ => Paths::Ways(lot),
        }
    }

    /// Whether this way is one of them.
    pub fn has(&self, way: &Way) -> bool {
        match self {
            Paths::All => true,
            Paths::Into(lot) => way.from != way.to && lot.has(way.to),
            Paths::OutOf(lot) => way.from != way.to && lot.has(way.from),
            Paths::Ways(lot) => lot.has_way(way.from, way.to),
        }
    }
}

impl core::fmt::Display for Paths {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Paths::All => write!(f, "everywhere"),
            Paths::Into(lot) => write!(f, "into {:.0} % of machines", lot.share * 100.0),
            Paths::OutOf(lot) => write!(f, "out of {:.0} % of machines", lot.share * 100.0),
            Paths::Ways(lot) => write!(f, "on {:.0} % of one-way paths", lot.share * 100.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_falls_on_its_share_of_machines_and_pairs() {
        let lot = Lot::draw(&mut Chance::from_number(3), 0.3);
        let machines = || (0..200).map(MachineId);
        let has = machines().filter(|machine| lot.has(*machine)).count();
        assert!((40..80).contains(&has), "{has}");
        let pairs = || machines().flat_map(|one| machines().map(move |other| (one, other)));
        let ways = pairs().filter(|(one, other)| lot.has_way(*one, *other)).count();
        assert!((11_000..13_000).contains(&ways), "{ways}");
        assert!(pairs().all(|(one, other)| lot.has_pair(one, other) == lot.has_pair(other, one)));
        assert!(machines().all(|one| !lot.has_way(one, one)));
    }
}
