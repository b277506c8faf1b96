//! Spikes of lag.

use core::time::Duration;

use super::Fault;
use super::weather::Weather;
use crate::chance::Chance;
use crate::network::lag::Lag;
use crate::network::spells::Lengths;
use crate::plan::Setting;

/// Spikes of 200 ms to 8 s, up to a third of the time.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let foul = chance.span(Duration::from_millis(200), Duration::from_secs(8));
    let lengths = Lengths { fair: foul.mul_f64(2.0 + 50.0 * chance.share()), foul };
    let (ms, percent) = (foul.as_millis(), lengths.foul_share() * 100.0);
    let what = format!("machines lag for {ms} ms at a time, {percent:.0} % of the time");
    Weather::of(Lag::new(chance.u64(), lengths), what)
}
