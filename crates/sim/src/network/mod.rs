//! What lies between the machines: how long a datagram takes, and what the weather does to it.
//!
//! One condition of the weather, one file: it gets the copies of a datagram that are on their way and
//! delays, doubles, spoils or drops them. To add one, copy the smallest, [`loss`].

pub mod bit_flips;
pub mod burst;
pub mod duplication;
pub mod flapping;
pub mod geography;
pub mod lag;
pub mod latency;
pub mod loss;
pub mod lot;
pub mod mtu;
pub mod non_transitive;
pub mod one_way;
pub mod partition;
pub mod policing;
pub mod reordering;
pub mod spells;
#[cfg(test)]
mod tests;
pub mod truncation;

use core::time::Duration;

use node::Instant;

pub use latency::{Latency, Site};

use crate::chance::Chance;
use crate::world::MachineId;

/// Who sends a datagram to whom, and when.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// When it is sent, in the world's time.
    pub at: Instant,
    /// The sender.
    pub from: MachineId,
    /// The receiver.
    pub to: MachineId,
    /// Where the sender is.
    pub from_site: Site,
    /// Where the receiver is.
    pub to_site: Site,
}

/// One copy of a datagram on its way.
#[derive(Clone, Debug, Default)]
pub struct Copy {
    /// How long it takes from the sender to the receiver.
    pub delay: Duration,
    /// Its bytes, if they are not those that were sent.
    pub spoiled: Option<Vec<u8>>,
}

impl Copy {
    /// Its bytes, to be spoiled.
    pub fn bytes_mut(&mut self, sent: &[u8]) -> &mut Vec<u8> {
        self.spoiled.get_or_insert_with(|| sent.to_vec())
    }
}

/// Something that the network does to datagrams, for as long as it lasts.
pub trait Condition {
    /// Changes the copies of a datagram that is being sent; an empty list: it is lost.
    fn change(&mut self, way: &Way, sent: &[u8], copies: &mut Vec<Copy>, chance: &mut Chance);
}

/// Names a condition of the weather.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConditionId(pub u32);

/// What lies between the machines.
pub struct Network {
    latency: Latency,
    weather: Vec<(ConditionId, Box<dyn Condition>)>,
    copies: Vec<Copy>,
    chance: Chance,
}

impl Network {
    /// A network in calm weather.
    pub fn new(seed: u64, latency: Latency) -> Self {
        let (weather, copies) = (Vec::new(), Vec::new());
        Self { latency, weather, copies, chance: Chance::of(seed, "network") }
    }

    /// From now on this happens to datagrams.
    pub fn begin(&mut self, id: ConditionId, condition: Box<dyn Condition>) {
        self.weather.push((id, condition));
    }

    /// A condition is over.
    pub fn end(&mut self, id: ConditionId) {
        self.weather.retain(|(other, _)| *other != id);
    }

    /// How long a datagram takes from one site to another.
    pub fn latency(&self) -> &Latency {
        &self.latency
    }

    /// What becomes of a datagram: the copies of it that will arrive.
    pub fn carry(&mut self, way: &Way, sent: &[u8]) -> &mut Vec<Copy> {
        let delay = self.latency.delay(way, &mut self.chance);
        self.copies.clear();
        self.copies.push(Copy { delay, spoiled: None });
        for (_, condition) in &mut self.weather {
            condition.change(way, sent, &mut self.copies, &mut self.chance);
        }
        &mut self.copies
    }
}
