//! Another condition comes and goes, again and again.

use core::time::Duration;

use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// A condition that holds for a part of each period.
pub struct Flapping {
    /// The length of a period.
    pub period: Duration,
    /// The share of it for which the condition holds, from its beginning, 0 to 1.
    pub share: f64,
    /// The condition.
    pub condition: Box<dyn Condition>,
}

impl Condition for Flapping {
    fn change(&mut self, way: &Way, sent: &[u8], copies: &mut Vec<Copy>, chance: &mut Chance) {
        let period = self.period.as_micros().max(1) as u64;
        let into = (way.at.as_micros() % period) as f64 / period as f64;
        if into < self.share {
            self.condition.change(way, sent, copies, chance);
        }
    }
}
