//! Some machines reach all others but each other.

use super::Fault;
use super::weather::Weather;
use crate::chance::Chance;
use crate::network::non_transitive::NonTransitive;
use crate::plan::Setting;

/// Up to 40 of 100 machines at each end of the chain.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let share = 0.05 + 0.35 * chance.share();
    let percent = share * 100.0;
    let what = format!("{percent:.0} % of machines and another {percent:.0} % cannot speak");
    Weather::of(NonTransitive::draw(chance, share), what)
}
