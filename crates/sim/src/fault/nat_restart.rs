//! Boxes that translate addresses start again without what they knew, some with another public address.

use core::time::Duration;

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;
use crate::world::NatId;

struct NatRestart {
    every: Duration,
    /// The share that gets another address.
    renumbered: f64,
}

/// Each 10 s to 10 min, each box with a chance of one in two.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let every = Duration::from_secs_f64(10.0 * 60f64.powf(chance.share()));
    Box::new(NatRestart { every, renumbered: *chance.pick(&[0.0, 0.5]).unwrap_or(&0.0) })
}

impl Fault for NatRestart {
    fn describe(&self) -> String {
        let (s, percent) = (self.every.as_secs(), self.renumbered * 100.0);
        format!("half of the NATs restart each {s} s, {percent:.0} % of them at other addresses")
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        for id in (0..stage.world.nats().len() as u32).map(NatId) {
            if !stage.chance.happens(0.5) {
                continue;
            }
            if stage.chance.happens(self.renumbered) {
                let place = stage.population.fresh_box_place(stage.world);
                stage.world.renumber_nat(id, place);
            } else {
                stage.world.restart_nat(id);
            }
        }
        stage.alarm_in(self.every, 0);
    }

    fn rings(&mut self, stage: &mut Stage<'_>, _: u32) {
        self.begin(stage);
    }
}
