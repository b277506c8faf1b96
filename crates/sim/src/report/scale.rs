//! Axes: which range they show, and where their ticks stand.

use super::number;
use super::plot::Axis;

/// Beyond these a double is close to its own limits: such numbers are drawn at the limit.
const SMALLEST: f64 = 1e-290;
pub(super) const LARGEST: f64 = 1e290;
/// A range that is narrower than this share of its numbers is drawn as one of no width.
const NARROWEST: f64 = 1e-9;

/// One axis as it is drawn: values to places, and its ticks.
pub(super) struct Scale {
    logarithmic: bool,
    low: f64,
    high: f64,
    pub(super) ticks: Vec<Tick>,
}

/// A tick; one without a label is a lesser one.
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: Option<String>,
    /// Whether an axis may begin or end here.
    is_round: bool,
}

impl Scale {
    /// A scale for these values, and for what the axis is told to cover, with about so many
    /// labels.
    pub(super) fn of(axis: &Axis, values: impl IntoIterator<Item = f64>, about: usize) -> Self {
        let logarithmic = axis.is_logarithmic();
        let told = axis.covered().iter().chain(axis.ticks()).copied();
        let range = values
            .into_iter()
            .chain(told)
            .filter(|value| value.is_finite() && (!logarithmic || *value > 0.0))
            .map(|value| bounded(value, logarithmic))
            .fold(None, |range: Option<(f64, f64)>, value| {
                let (low, high) = range.unwrap_or((value, value));
                Some((low.min(value), high.max(value)))
            });
        let (low, high) = match (range, logarithmic) {
            (Some(range), _) => range,
            (None, false) => (0.0, 1.0),
            (None, true) => (1.0, 10.0),
        };
        let scale = match logarithmic {
            true => Self::logarithmic(low, high, about),
            false => Self::linear(low, high, about),
        };
        if axis.ticks().is_empty() { scale } else { scale.with_ticks(axis.ticks(), (low, high)) }
    }

    /// Where a value lies between the ends, 0 to 1; `None` if it has no place on this axis.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.logarithmic && value <= 0.0) {
            return None;
        }
        let value = bounded(value, self.logarithmic);
        let place = if self.logarithmic {
            (value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
        } else {
            (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)
        };
        Some(place.clamp(0.0, 1.0))
    }

    fn linear(low: f64, high: f64, about: usize) -> Self {
        let (low, high) = widened(low, high);
        let step = nice_step(high / about as f64 - low / about as f64);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let decimals = (-(step.log10() + 1e-9).floor()).clamp(0.0, 12.0) as usize;
        // 2.5 needs a place more than its power of ten tells.
        let decimals = match decimals {
            places if (0.0..12.0).contains(&-step.log10().floor()) => {
                places + usize::from(has_quarter(step))
            }
            places => places,
        };
        let largest = first.abs().max(last.abs()) * step;
        let label = |at: f64| match largest < 1e7 && step > 1e-7 {
            true => number::with_decimals(at, decimals),
            false => number::with_power(at),
        };
        let ticks: Vec<Tick> = (0..=(last - first) as usize)
            .map(|number| (first + number as f64) * step)
            .map(|at| Tick { at, label: Some(label(at)), is_round: true })
            .collect();
        Self { logarithmic: false, low: first * step, high: last * step, ticks }
    }

    fn logarithmic(low: f64, high: f64, about: usize) -> Self {
        // An end that is a round number but for its last bits is that number.
        let (first, last) = (decade_below(low), decade_above(high).max(decade_below(low) + 1));
        let decades = (last - first) as usize;
        let mut ticks = Vec::new();
        if decades > about {
            let stride = decades.div_ceil(about);
            let count = decades.div_ceil(stride);
            for number in 0..=count {
                let at = power(first + (number * stride) as i32);
                ticks.push(Tick { at, label: Some(number::with_power(at)), is_round: true });
            }
        } else {
            for decade in first..=last {
                for digit in 1..=9 {
                    let at = f64::from(digit) * power(decade);
                    let is_round = matches!(digit, 1 | 2 | 5);
                    let is_labelled = digit == 1 || decades <= 2 && is_round;
                    let label = is_labelled.then(|| number::with_power(at));
                    ticks.push(Tick { at, label, is_round });
                }
            }
        }
        // From the last 1, 2 or 5 at or before the numbers, or labelled power, to the first after.
        let near = 1e-9;
        let ends = ticks.iter().filter(|tick| tick.is_round).map(|tick| tick.at);
        let start = ends.clone().rfind(|at| *at <= low * (1.0 + near)).unwrap_or(low);
        let end = ends.clone().find(|at| *at >= high * (1.0 - near)).unwrap_or(high);
        let labels = ticks.iter().filter(|tick| tick.label.is_some()).map(|tick| tick.at);
        let labels = labels.filter(|at| (start..=end).contains(at)).count();
        // Without two labels within, nobody could read the axis.
        let (start, end) = if labels < 2 { (power(first), power(last)) } else { (start, end) };
        ticks.retain(|tick| tick.at >= start * (1.0 - near) && tick.at <= end * (1.0 + near));
        Self { logarithmic: true, low: start, high: end, ticks }
    }

    /// The same with ticks at these places alone, and no wider than they and the numbers are.
    fn with_ticks(mut self, places: &[f64], (low, high): (f64, f64)) -> Self {
        if low < high {
            (self.low, self.high) = (low, high);
        }
        let fits = |place: &&f64| place.is_finite() && (!self.logarithmic || **place > 0.0);
        let tick = |at: &f64| Tick { at: *at, label: Some(number::told(*at)), is_round: true };
        self.ticks = places.iter().filter(fits).map(tick).collect();
        self
    }
}

/// The next step up that is 1, 2, 2.5 or 5 times a power of ten.
pub(super) fn nice_step(least: f64) -> f64 {
    let least = least.clamp(SMALLEST, LARGEST);
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    let step = steps.into_iter().find(|step| step * power >= least * (1.0 - 1e-9));
    step.unwrap_or(10.0) * power
}

fn has_quarter(step: f64) -> bool {
    let mantissa = step / 10_f64.powf((step.log10() + 1e-9).floor());
    (mantissa - 2.5).abs() < 0.01
}

/// A range that has a width.
fn widened(low: f64, high: f64) -> (f64, f64) {
    let magnitude = low.abs().max(high.abs());
    if high / 2.0 - low / 2.0 > magnitude * NARROWEST {
        return (low, high);
    }
    let by = if magnitude == 0.0 { 1.0 } else { magnitude / 10.0 };
    (low - by, high + by)
}

/// A value that can be drawn: no closer to the limits of a double than is good for it.
pub(super) fn bounded(value: f64, logarithmic: bool) -> f64 {
    let magnitude = value.abs();
    if logarithmic {
        value.clamp(SMALLEST, LARGEST)
    } else if magnitude < SMALLEST {
        0.0
    } else {
        value.signum() * magnitude.min(LARGEST)
    }
}

fn power(exponent: i32) -> f64 {
    // The literal's own rounding: 10⁻³ by a power is not the double nearest to 0.001.
    format!("1e{exponent}").parse().expect("a power of ten is a number")
}

fn decade_below(value: f64) -> i32 {
    (value.log10() + 1e-9).floor() as i32
}

fn decade_above(value: f64) -> i32 {
    (value.log10() - 1e-9).ceil() as i32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(scale: &Scale) -> Vec<&str> {
        scale.ticks.iter().filter_map(|tick| tick.label.as_deref()).collect()
    }

    fn linear(low: f64, high: f64) -> Scale {
        Scale::of(&Axis::new("x", ""), [low, high], 5)
    }

    fn logarithmic(low: f64, high: f64) -> Scale {
        Scale::of(&Axis::new("x", "").logarithmic(), [low, high], 6)
    }

    #[test]
    fn linear_ticks_are_round_numbers_with_the_places_they_need() {
        assert_eq!(labels(&linear(0.0, 100.0)), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(&linear(0.0, 1.0)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&linear(0.0, 12.0)), ["0.0", "2.5", "5.0", "7.5", "10.0", "12.5"]);
        assert_eq!(labels(&linear(97.0, 99.8)), ["97", "98", "99", "100"]);
        assert_eq!(
            labels(&linear(0.0, 0.11)),
            ["0.000", "0.025", "0.050", "0.075", "0.100", "0.125"]
        );
        assert_eq!(labels(&linear(-3.0, 2.0)), ["−3", "−2", "−1", "0", "1", "2"]);
        assert_eq!(
            labels(&linear(0.0, 5e9)),
            ["0", "10⁹", "2 × 10⁹", "3 × 10⁹", "4 × 10⁹", "5 × 10⁹"]
        );
    }

    #[test]
    fn logarithmic_ticks_are_powers_and_in_a_narrow_range_twos_and_fives() {
        assert_eq!(
            labels(&logarithmic(10.0, 100_000.0)),
            ["10", "100", "1,000", "10,000", "100,000"]
        );
        assert_eq!(
            labels(&logarithmic(14.0, 830.0)),
            ["10", "20", "50", "100", "200", "500", "1,000"]
        );
        assert_eq!(labels(&logarithmic(0.002, 0.004)), ["0.002", "0.005"]);
        assert_eq!(labels(&logarithmic(6.3, 1_700.0)), ["10", "100", "1,000"]);
        let wide = logarithmic(6.3, 1_700.0);
        assert_eq!((wide.low, wide.high), (5.0, 2_000.0));
        assert_eq!(labels(&logarithmic(1e-12, 1e12)).len(), 7);
        let minor =
            logarithmic(10.0, 10_000.0).ticks.iter().filter(|tick| tick.label.is_none()).count();
        assert_eq!(minor, 24);
    }

    #[test]
    fn told_ticks_are_the_ticks() {
        let axis = Axis::new("Sybils", "").logarithmic().ticks_at([16.0, 64.0, 256.0, 1024.0]);
        let scale = Scale::of(&axis, [16.0, 1024.0], 5);
        assert_eq!(labels(&scale), ["16", "64", "256", "1,024"]);
        assert_eq!((scale.place(16.0), scale.place(1024.0)), (Some(0.0), Some(1.0)));
        assert!((scale.place(128.0).unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn no_values_have_a_scale_all_the_same() {
        for axis in [Axis::new("x", ""), Axis::new("x", "").logarithmic()] {
            let scale = Scale::of(&axis, [f64::NAN, f64::INFINITY], 5);
            assert!(labels(&scale).len() >= 2);
            assert_eq!(scale.place(f64::NAN), None);
        }
        assert_eq!(logarithmic(0.0, -5.0).place(0.0), None);
    }

    proptest! {
        #[test]
        fn ticks_cover_any_range_and_stand_in_order(
            low: f64, high: f64, is_logarithmic: bool, about in 2_usize..12,
        ) {
            let axis = Axis::new("x", "");
            let axis = if is_logarithmic { axis.logarithmic() } else { axis };
            let scale = Scale::of(&axis, [low, high], about);
            let ticks: Vec<f64> = scale.ticks.iter().map(|tick| tick.at).collect();
            prop_assert!(labels(&scale).len() >= 2, "{ticks:?}");
            prop_assert!(labels(&scale).len() <= about + 4 || is_logarithmic && about < 6, "{ticks:?}");
            prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]), "{ticks:?}");
            let drawn = [low, high].into_iter().filter(|v| v.is_finite() && (!is_logarithmic || *v > 0.0));
            for value in drawn.map(|value| bounded(value, is_logarithmic)) {
                let width = ticks[ticks.len() - 1] / 2.0 - ticks[0] / 2.0;
                let slack = 1e-9 * if is_logarithmic { value } else { width };
                prop_assert!(ticks[0] <= value + slack, "{value} before {ticks:?}");
                prop_assert!(ticks[ticks.len() - 1] >= value - slack, "{value} after {ticks:?}");
                let place = scale.place(value).unwrap();
                prop_assert!((0.0..=1.0).contains(&place));
            }
            for tick in &ticks {
                prop_assert!(scale.place(*tick).is_some_and(f64::is_finite));
            }
        }
    }
}
