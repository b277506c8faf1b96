//! Machines' access carries so many bytes a second and no more.

use super::Fault;
use super::weather::Weather;
use crate::chance::Chance;
use crate::network::lot::Lot;
use crate::network::policing::{Policing, Rate};
use crate::plan::Setting;

/// Some machines or all, 2 to 200 kB/s, with a buffer of up to 3 s or none.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let share = if chance.happens(0.4) { 1.0 } else { chance.share() };
    let bytes_per_s = 2_000.0 * 100f64.powf(chance.share());
    let burst_bytes = 1_500.0 + bytes_per_s * chance.share();
    let buffer_bytes = if chance.happens(0.5) { bytes_per_s * 3.0 * chance.share() } else { 0.0 };
    let rate = Rate { bytes_per_s, burst_bytes, buffer_bytes };
    let (percent, kb, buffer) = (share * 100.0, bytes_per_s / 1e3, buffer_bytes / 1e3);
    let what = format!("{percent:.0} % of machines have {kb:.1} kB/s, {buffer:.1} kB may wait");
    Weather::of(Policing::new(rate, Lot::draw(chance, share)), what)
}
