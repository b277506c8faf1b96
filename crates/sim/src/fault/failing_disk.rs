//! Disks fail to write and to sync now and then.

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;
use crate::world::MachineId;

struct FailingDisk {
    share: f64,
    per_million: u32,
    failing: Vec<MachineId>,
}

/// Up to all disks; one in a thousand operations to half of them.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let per_million = (1e3 * 500f64.powf(chance.share())) as u32;
    Box::new(FailingDisk { share: chance.share(), per_million, failing: Vec::new() })
}

impl Fault for FailingDisk {
    fn describe(&self) -> String {
        let (percent, fail) = (self.share * 100.0, f64::from(self.per_million) / 1e4);
        format!("{percent:.0} % of disks fail in {fail:.1} % of operations")
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.failing = stage.some_living(self.share, false);
        for id in &self.failing {
            if let Some(device) = stage.device(*id) {
                device.set_failing(self.per_million);
            }
        }
    }

    fn end(&mut self, stage: &mut Stage<'_>) {
        for id in self.failing.drain(..) {
            if let Some(device) = stage.device(id) {
                device.set_failing(0);
            }
        }
    }
}
