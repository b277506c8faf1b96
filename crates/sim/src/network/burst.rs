//! Datagrams get lost in bursts: the model of E. Gilbert (1960) and E. Elliott (1963), with time in
//! place of packets. Each machine's access to the network is fair or foul, and loses what it sends and
//! what it is sent by that.

use super::spells::{Lengths, Spells};
use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// Bursty loss.
#[derive(Clone, Debug)]
pub struct Burst {
    spells: Spells,
    fair_loss: f64,
    foul_loss: f64,
}

impl Burst {
    /// Loses these shares in fair and in foul spells, 0 to 1.
    pub fn new(seed: u64, lengths: Lengths, fair_loss: f64, foul_loss: f64) -> Self {
        Self { spells: Spells::new(seed, lengths), fair_loss, foul_loss }
    }
}

impl Condition for Burst {
    fn change(&mut self, way: &Way, _: &[u8], copies: &mut Vec<Copy>, chance: &mut Chance) {
        for machine in [way.from, way.to] {
            let foul = self.spells.foul_until(machine, way.at).is_some();
            let share = if foul { self.foul_loss } else { self.fair_loss };
            copies.retain(|_| !chance.happens(share));
        }
    }
}
