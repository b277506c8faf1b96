//! Bits of datagrams flip.

use super::Fault;
use super::weather::Weather;
use crate::chance::Chance;
use crate::network::bit_flips::BitFlips;
use crate::plan::Setting;

/// In up to 10 of 100.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let share = 0.001 + 0.1 * chance.share();
    Weather::of(BitFlips { share }, format!("bits flip in {:.1} % of datagrams", share * 100.0))
}
