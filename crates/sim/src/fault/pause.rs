//! Machines stand still, as in a long collection of garbage, a suspended laptop or a moved virtual machine.

use core::time::Duration;

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;

struct Pause {
    share: f64,
    span: Duration,
    every: Duration,
}

/// Up to half of all machines, for 1 s to 10 min, once or again and again.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let seconds = 600f64.powf(chance.share());
    let span = Duration::from_secs_f64(seconds);
    Box::new(Pause { share: chance.share() / 2.0, span, every: span.mul_f64(1.5 + chance.share()) })
}

impl Fault for Pause {
    fn describe(&self) -> String {
        let (percent, s) = (self.share * 100.0, self.span.as_secs_f64());
        format!("{percent:.0} % of machines stand still for {s:.1} s at a time")
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        for id in stage.some_living(self.share, false) {
            stage.world.pause(id, self.span);
        }
        stage.alarm_in(self.every, 0);
    }

    fn rings(&mut self, stage: &mut Stage<'_>, _: u32) {
        self.begin(stage);
    }
}
