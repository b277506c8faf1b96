//! What lies on disks changes by itself, or cannot be read any more, while nodes run.

use core::time::Duration;

use store::Damage;

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;

struct BitRot {
    damage: Damage,
    share: f64,
    every: Duration,
}

/// Up to a third of disks are damaged at a time, each 10 s to 10 min.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let kinds = [Damage::Bit, Damage::Sector, Damage::Unreadable];
    let damage = *chance.pick(&kinds).unwrap_or(&Damage::Bit);
    let every = Duration::from_secs_f64(10.0 * 60f64.powf(chance.share()));
    Box::new(BitRot { damage, share: chance.share() / 3.0, every })
}

impl Fault for BitRot {
    fn describe(&self) -> String {
        let what = match self.damage {
            Damage::Bit => "a bit flips",
            Damage::Sector => "a sector changes",
            Damage::Cut => "a file loses its end",
            Damage::Unreadable => "a sector cannot be read",
        };
        let (percent, s) = (self.share * 100.0, self.every.as_secs());
        format!("{what} on {percent:.0} % of disks each {s} s")
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        for id in stage.some_living(self.share, false) {
            if let Some(disk) = &mut stage.world.machines[id.index()].disk {
                disk.damage(self.damage);
            }
        }
        stage.alarm_in(self.every, 0);
    }

    fn rings(&mut self, stage: &mut Stage<'_>, _: u32) {
        self.begin(stage);
    }
}
