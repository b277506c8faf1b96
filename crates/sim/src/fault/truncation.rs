//! Datagrams lose their ends.

use super::Fault;
use super::weather::Weather;
use crate::chance::Chance;
use crate::network::truncation::Truncation;
use crate::plan::Setting;

/// Up to 10 of 100 do.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let share = 0.001 + 0.1 * chance.share();
    Weather::of(Truncation { share }, format!("{:.1} % of datagrams are cut off", share * 100.0))
}
