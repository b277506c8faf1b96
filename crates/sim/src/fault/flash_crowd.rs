//! Many new machines join within seconds, and some of them go again for good.

use core::time::Duration;

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::plan::Setting;
use crate::world::MachineId;

/// New machines at most.
const CROWD: u32 = 200;

/// The alarm for one who comes; for one who goes it is the machine's number.
const COMES: u32 = u32::MAX;

struct FlashCrowd {
    count: u32,
    within: Duration,
    stays: Duration,
    /// The share that goes again.
    goes: f64,
    graceful: bool,
}

/// A third to twice as many as there are.
pub fn draw(chance: &mut Chance, setting: &Setting) -> Box<dyn Fault> {
    let times = 0.33 + 1.67 * chance.share();
    let count = (f64::from(setting.nodes) * times).ceil().min(CROWD.into()) as u32;
    let within = chance.span(Duration::from_secs(1), Duration::from_secs(20));
    let stays = chance.span(Duration::from_secs(30), Duration::from_secs(900));
    let goes = *chance.pick(&[0.0, 0.5, 0.9]).unwrap_or(&0.5);
    let graceful = chance.happens(0.5);
    Box::new(FlashCrowd { count, within, stays, goes, graceful })
}

impl Fault for FlashCrowd {
    fn describe(&self) -> String {
        let Self { count, within, goes, .. } = self;
        let (seconds, percent) = (within.as_secs(), goes * 100.0);
        format!("{count} new machines join within {seconds} s, {percent:.0} % go again")
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        for _ in 0..self.count {
            let after = stage.chance.span(Duration::ZERO, self.within);
            stage.alarm_in(after, COMES);
        }
    }

    fn rings(&mut self, stage: &mut Stage<'_>, number: u32) {
        if number == COMES {
            let id = stage.newcomer();
            if stage.chance.happens(self.goes) {
                let after = stage.chance.span(self.stays / 2, self.stays);
                stage.alarm_in(after, id.0);
            }
            return;
        }
        let id = MachineId(number);
        stage.world.give_up(id);
        match self.graceful {
            true => stage.world.leave(id),
            false => stage.world.kill(id),
        }
    }
}
