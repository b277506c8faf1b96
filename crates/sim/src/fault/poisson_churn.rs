//! Machines come and go at random.

use core::time::Duration;

use super::Fault;
use super::sessions::{Length, Sessions};
use crate::chance::Chance;
use crate::plan::Setting;

/// The median session takes between 2 minutes and 2 hours.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let median = Duration::from_secs_f64(120.0 * 60f64.powf(chance.share()));
    Sessions::of("exponential", median, Length::exponential(median), chance)
}
