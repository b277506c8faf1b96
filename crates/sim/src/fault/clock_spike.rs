//! Wall clocks are set to a wrong time, and back to the right one later.

use super::clock_jump::{DAYS, way};
use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;
use crate::world::MachineId;

struct ClockSpike {
    share: f64,
    by_ms: i64,
    wrong: Vec<MachineId>,
}

/// Up to a third of clocks, by 1 s to days.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let by_ms = (1e3 * (DAYS * 86_400.0).powf(chance.share())) as i64;
    let by_ms = if chance.happens(0.5) { by_ms } else { -by_ms };
    Box::new(ClockSpike { share: chance.share() / 3.0, by_ms, wrong: Vec::new() })
}

impl Fault for ClockSpike {
    fn describe(&self) -> String {
        let (percent, way) = (self.share * 100.0, way(self.by_ms));
        format!("{percent:.0} % of clocks are set {way}, and right again")
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.wrong = stage.some_living(self.share, false);
        self.wrong.iter().for_each(|id| stage.world.set_clock(*id, self.by_ms));
    }

    fn end(&mut self, stage: &mut Stage<'_>) {
        self.wrong.drain(..).for_each(|id| stage.world.set_clock(id, -self.by_ms));
    }
}
