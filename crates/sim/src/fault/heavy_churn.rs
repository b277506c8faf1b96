//! Machines come and go as in large networks: most soon go again, and some stay for very long.

use core::time::Duration;

use super::Fault;
use super::sessions::{Length, Sessions};
use crate::chance::Chance;
use crate::plan::Setting;

/// The median session takes between 1.4 minutes and 2 hours.
pub fn draw(chance: &mut Chance, _: &Setting) -> Box<dyn Fault> {
    let median = Duration::from_secs_f64(84.0 * 86f64.powf(chance.share()));
    Sessions::of("heavy-tailed", median, Length::heavy_tail(median), chance)
}
