//! Wall clocks are set to another time, and stay there.

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;

/// Days that a clock jumps at most.
pub(super) const DAYS: f64 = 3.0;

struct ClockJump {
    share: f64,
    by_ms: i64,
}

/// Up to a third of clocks, by up to 20 min forward or back: so far off the clocks of a network may be.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let by_ms = (1e3 * 1200f64.powf(chance.share())) as i64;
    let by_ms = if chance.happens(0.5) { by_ms } else { -by_ms };
    Box::new(ClockJump { share: chance.share() / 3.0, by_ms })
}

impl Fault for ClockJump {
    fn describe(&self) -> String {
        format!("{:.0} % of clocks are set {}", self.share * 100.0, way(self.by_ms))
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        for id in stage.some_living(self.share, false) {
            stage.world.set_clock(id, self.by_ms);
        }
    }
}

/// How far and in which direction, for people.
pub(super) fn way(by_ms: i64) -> String {
    let direction = if by_ms < 0 { "back" } else { "forward" };
    format!("{direction} by {:.1} s", by_ms.unsigned_abs() as f64 / 1e3)
}
