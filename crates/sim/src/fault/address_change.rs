//! Machines get other addresses while their nodes run.

use core::time::Duration;

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;

struct AddressChange {
    share: f64,
    every: Duration,
}

/// Up to a third of machines, each 10 s to 10 min; never the doors.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let every = Duration::from_secs_f64(10.0 * 60f64.powf(chance.share()));
    Box::new(AddressChange { share: chance.share() / 3.0, every })
}

impl Fault for AddressChange {
    fn describe(&self) -> String {
        let (percent, s) = (self.share * 100.0, self.every.as_secs());
        format!("{percent:.0} % of machines get other addresses each {s} s")
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        for id in stage.some_living(self.share, true) {
            stage.population.move_machine(stage.world, id);
        }
        stage.alarm_in(self.every, 0);
    }

    fn rings(&mut self, stage: &mut Stage<'_>, _: u32) {
        self.begin(stage);
    }
}
