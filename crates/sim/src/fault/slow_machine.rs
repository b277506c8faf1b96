//! Machines take long to act on anything.

use core::time::Duration;

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;
use crate::world::MachineId;

struct Slow {
    share: f64,
    by: Duration,
    slowed: Vec<MachineId>,
}

/// Up to half of all machines, by 5 ms to 2 s.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let by = Duration::from_secs_f64(0.005 * 400f64.powf(chance.share()));
    Box::new(Slow { share: chance.share() / 2.0, by, slowed: Vec::new() })
}

impl Fault for Slow {
    fn describe(&self) -> String {
        format!("{:.0} % of machines take {} ms", self.share * 100.0, self.by.as_millis())
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.slowed = stage.some_living(self.share, false);
        for id in &self.slowed {
            stage.world.machines[id.index()].slowness += self.by;
        }
    }

    fn end(&mut self, stage: &mut Stage<'_>) {
        for id in self.slowed.drain(..) {
            let slowness = &mut stage.world.machines[id.index()].slowness;
            *slowness = slowness.saturating_sub(self.by);
        }
    }
}
