//! Datagrams get lost, each with the same chance.

use super::Fault;
use super::weather::Weather;
use crate::chance::Chance;
use crate::network::loss::Loss;
use crate::plan::Setting;

/// Between 1 and 30 of 100 datagrams are lost.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let share = 0.01 + 0.29 * chance.share();
    Weather::of(Loss { share }, format!("{:.1} % of datagrams are lost", share * 100.0))
}
