//! Machines lose power, and come back with what their disks kept.

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;
use crate::world::MachineId;

struct PowerCut {
    share: f64,
    down: Vec<MachineId>,
}

/// Between one machine and a third of all.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    Box::new(PowerCut { share: chance.share() / 3.0, down: Vec::new() })
}

impl Fault for PowerCut {
    fn describe(&self) -> String {
        format!("{:.0} % of machines lose power", self.share * 100.0)
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.down = stage.some_living(self.share, false);
        self.down.iter().for_each(|id| stage.world.cut_power(*id));
    }

    fn end(&mut self, stage: &mut Stage<'_>) {
        stage.start_again(&mut self.down);
    }
}
