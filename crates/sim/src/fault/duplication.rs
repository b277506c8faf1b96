//! Datagrams arrive more than once.

use core::time::Duration;

use super::Fault;
use super::weather::Weather;
use crate::chance::Chance;
use crate::network::duplication::Duplication;
use crate::plan::Setting;

/// Between 1 and 50 of 100, up to 10 s later.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let share = 0.01 + 0.49 * chance.share();
    let seconds = [0.05, 1.0, 10.0];
    let later = Duration::from_secs_f64(*chance.pick(&seconds).unwrap_or(&1.0));
    let (percent, s) = (share * 100.0, later.as_secs_f64());
    let what = format!("{percent:.0} % of datagrams arrive again within {s} s");
    Weather::of(Duplication { share, later }, what)
}
