//! Machines cannot hear each other: clean halves or pairs here and there, for the whole time or again and
//! again.

use core::time::Duration;

use super::Fault;
use super::weather::Weather;
use crate::chance::Chance;
use crate::network::flapping::Flapping;
use crate::network::lot::Lot;
use crate::network::partition::Partition;
use crate::plan::Setting;

/// Up to half of machines on one side, or up to half of all pairs.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let share = 0.05 + 0.45 * chance.share();
    let lot = Lot::draw(chance, share);
    let percent = share * 100.0;
    let (partition, what) = match chance.below(2) {
        0 => (Partition::Halves(lot), format!("{percent:.0} % of machines are cut off")),
        _ => (Partition::Pairs(lot), format!("{percent:.0} % of pairs cannot speak")),
    };
    if chance.happens(0.7) {
        return Weather::of(partition, what);
    }
    let period = chance.span(Duration::from_secs(2), Duration::from_secs(180));
    let share = 0.1 + 0.8 * chance.share();
    let (part, s) = (share * 100.0, period.as_secs());
    let what = format!("{what}, for {part:.0} % of each {s} s");
    Weather::of(Flapping { period, share, condition: Box::new(partition) }, what)
}
