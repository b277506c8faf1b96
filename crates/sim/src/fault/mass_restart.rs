//! All nodes end at the same moment, and start again soon.

use core::time::Duration;

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;
use crate::world::MachineId;

struct MassRestart {
    power: bool,
    spread: Duration,
    down: Vec<MachineId>,
}

/// Killed or without power, and back within a moment or a minute.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let seconds = [0, 5, 60];
    let spread = Duration::from_secs(*chance.pick(&seconds).unwrap_or(&5));
    Box::new(MassRestart { power: chance.happens(0.5), spread, down: Vec::new() })
}

impl Fault for MassRestart {
    fn describe(&self) -> String {
        let what = if self.power { "lose power" } else { "are killed" };
        format!("all machines {what} and start within {} s", self.spread.as_secs())
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.down = stage.some_living(1.0, false);
        for id in self.down.clone() {
            match self.power {
                true => stage.world.cut_power(id),
                false => stage.world.kill(id),
            }
            let after = stage.chance.span(Duration::ZERO, self.spread);
            stage.alarm_in(Duration::from_secs(1) + after, id.0);
        }
    }

    fn rings(&mut self, stage: &mut Stage<'_>, number: u32) {
        stage.world.start(MachineId(number));
    }

    fn end(&mut self, stage: &mut Stage<'_>) {
        stage.start_again(&mut self.down);
    }
}
