//! Commits take long.

use core::time::Duration;

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;
use crate::world::MachineId;

struct SlowDisk {
    share: f64,
    by: Duration,
    slowed: Vec<MachineId>,
}

/// Up to all disks, by 10 ms to 10 s.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let by = Duration::from_secs_f64(0.01 * 1000f64.powf(chance.share()));
    Box::new(SlowDisk { share: chance.share(), by, slowed: Vec::new() })
}

impl Fault for SlowDisk {
    fn describe(&self) -> String {
        let (percent, ms) = (self.share * 100.0, self.by.as_millis());
        format!("commits take {ms} ms longer on {percent:.0} % of disks")
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.slowed = stage.some_living(self.share, false);
        for id in &self.slowed {
            if let Some(disk) = &mut stage.world.machines[id.index()].disk {
                disk.slowness += self.by;
            }
        }
    }

    fn end(&mut self, stage: &mut Stage<'_>) {
        for id in self.slowed.drain(..) {
            if let Some(disk) = &mut stage.world.machines[id.index()].disk {
                disk.slowness = disk.slowness.saturating_sub(self.by);
            }
        }
    }
}
