//! Processes end without a word, and start again: soon, or when the fault is over.

use core::time::Duration;

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;
use crate::world::MachineId;

struct Kill {
    share: f64,
    down_for: Option<Duration>,
    down: Vec<MachineId>,
}

/// Between one machine and half of all.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let longest = Duration::from_secs(20);
    let down_for = chance.happens(0.5).then(|| chance.span(Duration::from_millis(10), longest));
    Box::new(Kill { share: chance.share() / 2.0, down_for, down: Vec::new() })
}

impl Fault for Kill {
    fn describe(&self) -> String {
        let percent = self.share * 100.0;
        match self.down_for {
            Some(span) => format!("{percent:.0} % of nodes are killed for {} ms", span.as_millis()),
            None => format!("{percent:.0} % of nodes are killed"),
        }
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.down = stage.some_living(self.share, false);
        self.down.iter().for_each(|id| stage.world.kill(*id));
        if let Some(span) = self.down_for {
            stage.alarm_in(span, 0);
        }
    }

    fn rings(&mut self, stage: &mut Stage<'_>, _: u32) {
        stage.start_again(&mut self.down);
    }

    fn end(&mut self, stage: &mut Stage<'_>) {
        stage.start_again(&mut self.down);
    }
}
