//! Datagrams get lost in bursts.

use core::time::Duration;

use super::Fault;
use super::weather::Weather;
use crate::chance::Chance;
use crate::network::burst::Burst;
use crate::network::spells::Lengths;
use crate::plan::Setting;

/// Spells of 100 ms to 10 s in which half to all is lost.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let foul = chance.span(Duration::from_millis(100), Duration::from_secs(10));
    let lengths = Lengths { fair: foul.mul_f64(3.0 + 30.0 * chance.share()), foul };
    let (fair_loss, foul_loss) = (0.01 * chance.share(), 0.5 + 0.5 * chance.share());
    let (lost, time) = (foul_loss * 100.0, lengths.foul_share() * 100.0);
    let spell = foul.as_millis();
    let what =
        format!("machines lose {lost:.0} % in spells of {spell} ms, {time:.0} % of the time");
    Weather::of(Burst::new(chance.u64(), lengths, fair_loss, foul_loss), what)
}
