//! Nodes hand over what they hold, say goodbye and end, and come back later.

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;
use crate::world::MachineId;

struct Leave {
    share: f64,
    away: Vec<MachineId>,
}

/// Up to half of all nodes.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    Box::new(Leave { share: chance.share() / 2.0, away: Vec::new() })
}

impl Fault for Leave {
    fn describe(&self) -> String {
        format!("{:.0} % of nodes leave", self.share * 100.0)
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.away = stage.some_living(self.share, false);
        self.away.iter().for_each(|id| stage.world.leave(*id));
    }

    fn end(&mut self, stage: &mut Stage<'_>) {
        stage.start_again(&mut self.away);
    }
}
