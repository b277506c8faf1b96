//! Disks run full.

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;
use crate::world::MachineId;

struct FullDisk {
    share: f64,
    room: u64,
    full: Vec<MachineId>,
}

/// Up to all disks, with room for nothing or for some kilobytes more.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let room = if chance.happens(0.5) { 0 } else { chance.between(1, 64 << 10) };
    Box::new(FullDisk { share: chance.share(), room, full: Vec::new() })
}

impl Fault for FullDisk {
    fn describe(&self) -> String {
        let (percent, room) = (self.share * 100.0, self.room);
        format!("{percent:.0} % of disks have room for {room} bytes more")
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        self.full = stage.some_living(self.share, false);
        for id in &self.full {
            if let Some(device) = stage.device(*id) {
                device.set_capacity(Some(device.bytes() + self.room));
            }
        }
    }

    fn end(&mut self, stage: &mut Stage<'_>) {
        for id in self.full.drain(..) {
            if let Some(device) = stage.device(id) {
                device.set_capacity(None);
            }
        }
    }
}
