//! About half of all nodes go at the same moment: back when the fault is over, or for good.

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;
use crate::world::MachineId;

struct Exodus {
    share: f64,
    graceful: bool,
    for_good: bool,
    away: Vec<MachineId>,
}

/// 30 to 60 of 100 nodes; the doors stay.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let share = 0.3 + 0.3 * chance.share();
    let (graceful, for_good) = (chance.happens(0.5), chance.happens(0.5));
    Box::new(Exodus { share, graceful, for_good, away: Vec::new() })
}

impl Fault for Exodus {
    fn describe(&self) -> String {
        let how = if self.graceful { "leave gracefully" } else { "are killed" };
        let back = if self.for_good { "for good" } else { "and come back" };
        format!("{:.0} % of nodes {how} at once {back}", self.share * 100.0)
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.away = stage.some_living(self.share, true);
        for id in &self.away {
            if self.for_good {
                stage.world.give_up(*id);
            }
            match self.graceful {
                true => stage.world.leave(*id),
                false => stage.world.kill(*id),
            }
        }
    }

    fn end(&mut self, stage: &mut Stage<'_>) {
        stage.start_again(&mut self.away);
    }
}
