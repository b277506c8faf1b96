//! Some datagrams are overtaken by those sent after them.

use core::time::Duration;

use super::Fault;
use super::weather::Weather;
use crate::chance::Chance;
use crate::network::reordering::Reordering;
use crate::plan::Setting;

/// Between 1 and 50 of 100, by up to 3 s.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let share = 0.01 + 0.49 * chance.share();
    let later = chance.span(Duration::from_millis(10), Duration::from_secs(3));
    let (percent, ms) = (share * 100.0, later.as_millis());
    let what = format!("{percent:.0} % of datagrams are late by up to {ms} ms");
    Weather::of(Reordering { share, later }, what)
}
