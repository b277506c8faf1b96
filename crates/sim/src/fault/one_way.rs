//! Datagrams get lost on some ways and not on the ways back.

use super::Fault;
use super::weather::Weather;
use crate::chance::Chance;
use crate::network::lot::Paths;
use crate::network::one_way::OneWay;
use crate::plan::Setting;

/// Half to all of them.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let paths = Paths::draw_some(chance);
    let share = if chance.happens(0.5) { 1.0 } else { 0.5 + 0.5 * chance.share() };
    let what = format!("{:.0} % of datagrams are lost {paths}", share * 100.0);
    Weather::of(OneWay { paths, share }, what)
}
