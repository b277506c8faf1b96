//! Spikes of lag: for a spell nothing gets through a machine's access, and then all of it at once, as
//! behind a busy radio or an overfull buffer.

use core::time::Duration;

use super::spells::{Lengths, Spells};
use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// The time over which what was held up is let through after a spike.
const DRAINS: Duration = Duration::from_millis(50);

/// Spikes of lag.
#[derive(Clone, Debug)]
pub struct Lag {
    spells: Spells,
}

impl Lag {
    /// Spikes of these lengths.
    pub fn new(seed: u64, lengths: Lengths) -> Self {
        Self { spells: Spells::new(seed, lengths) }
    }
}

impl Condition for Lag {
    fn change(&mut self, way: &Way, _: &[u8], copies: &mut Vec<Copy>, chance: &mut Chance) {
        for machine in [way.from, way.to] {
            if let Some(until) = self.spells.foul_until(machine, way.at) {
                let held = until.since(way.at);
                for copy in copies.iter_mut() {
                    copy.delay += held + chance.span(Duration::ZERO, DRAINS);
                }
            }
        }
    }
}
