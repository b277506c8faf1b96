//! Datagrams get lost, each with the same chance.

use super::{Fault, Stage};
use crate::chance::Chance;
use crate::network::loss::Loss;
use crate::plan::Setting;

struct RandomLoss(Loss);

/// Between 1 and 30 of 100 datagrams are lost.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    Box::new(RandomLoss(Loss { share: 0.01 + 0.29 * chance.share() }))
}

impl Fault for RandomLoss {
    fn describe(&self) -> String {
        format!("{:.1} % of datagrams are lost", self.0.share * 100.0)
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        stage.world.network.begin(stage.condition, Box::new(self.0));
    }
}
