//! From many samples to few points: cumulative shares, and counts in bins.

use super::plot::Point;
use super::scale;

/// A cumulative curve keeps at most so many points between its ends: finer than a pixel.
const CURVE_POINTS: usize = 400;
/// And these beside them, in percent: the tail is what a latency is judged by.
const TAIL: [f64; 5] = [99.5, 99.9, 99.95, 99.99, 99.999];
/// So many bins a histogram has, about.
const BINS: f64 = 30.0;

/// The share of samples, in percent, that are at or below each value.
pub(super) fn cumulative(samples: impl IntoIterator<Item = f64>) -> (Vec<Point>, usize) {
    let (mut samples, left_out) = finite(samples);
    samples.sort_by(f64::total_cmp);
    let count = samples.len();
    if count <= CURVE_POINTS {
        let share = |at: usize| 100.0 * (at + 1) as f64 / count as f64;
        let points = samples.iter().enumerate();
        return (points.map(|(at, value)| Point::new(*value, share(at))).collect(), left_out);
    }
    let step = 100.0 / CURVE_POINTS as f64;
    let mut levels: Vec<f64> = (1..=CURVE_POINTS).map(|at| at as f64 * step).collect();
    levels.extend(TAIL);
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    let at = |level: f64| {
        // Half a sample less than half of nothing: 0.1 and its like are no exact shares.
        let rank = (level / 100.0 * count as f64 - 1e-9).ceil() as usize;
        samples[rank.clamp(1, count) - 1]
    };
    let first = Point::new(samples[0], 100.0 / count as f64);
    let curve = levels.into_iter().map(|level| Point::new(at(level), level));
    (std::iter::once(first).chain(curve).collect(), left_out)
}

/// The value that this share, in percent, of a cumulative curve's samples do not exceed.
pub(super) fn quantile(curve: &[Point], percent: f64) -> Option<f64> {
    // A share that was added up may lack its last bit.
    curve.iter().find(|point| point.y >= percent - 1e-9).map(|point| point.x)
}

/// The bins that hold all of these: their edges, in order, evenly wide, or by an even factor on a
/// logarithmic axis. One more than there are bins.
pub(super) fn edges(samples: &[f64], logarithmic: bool) -> Vec<f64> {
    let fits = |value: &&f64| value.is_finite() && (!logarithmic || **value > 0.0);
    let drawn = samples.iter().filter(fits).map(|value| scale::bounded(*value, logarithmic));
    let (low, high) = drawn
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)));
    if low > high {
        return vec![];
    }
    if logarithmic {
        // Ten bins a decade, or as many fewer as a wide range asks for.
        let width = ((high.log10() - low.log10()) / BINS).max(0.1);
        let edges = multiples(low.log10(), high.log10(), width);
        return edges.into_iter().map(|power| 10_f64.powf(power)).collect();
    }
    let magnitude = low.abs().max(high.abs());
    let mut width = scale::nice_step((high - low) / BINS);
    if samples.iter().filter(fits).all(|value| value.fract() == 0.0) {
        // Counts fall on whole numbers: bins between them would be empty for no reason.
        width = width.max(1.0);
        width = if width.fract() == 0.0 { width } else { 2.0 * width };
    }
    if magnitude + width == magnitude || width < magnitude * 1e-9 {
        width = magnitude / 10.0;
    }
    multiples(low, high, width)
}

/// Multiples of a width, from the last at or below `low` to the first above `high`.
fn multiples(low: f64, high: f64, width: f64) -> Vec<f64> {
    let (first, last) = ((low / width).floor(), (high / width).floor() + 1.0);
    (0..=(last - first) as usize).map(|at| (first + at as f64) * width).collect()
}

/// How many samples lie in each bin: from its lower edge to below the next one.
pub(super) fn counts(samples: impl IntoIterator<Item = f64>, edges: &[f64]) -> (Vec<Point>, usize) {
    let bins = edges.len().saturating_sub(1);
    let mut counts = vec![0_u64; bins];
    let mut left_out = 0;
    for sample in samples {
        // The very largest count in the last bin.
        let place = sample.clamp(-scale::LARGEST, scale::LARGEST);
        let above = edges.partition_point(|edge| *edge <= place);
        match counts.get_mut(above.wrapping_sub(1)) {
            Some(count) if sample.is_finite() => *count += 1,
            _ => left_out += 1,
        }
    }
    let points = edges.iter().zip(&counts);
    (points.map(|(edge, count)| Point::new(*edge, *count as f64)).collect(), left_out)
}

/// The numbers that are numbers, and how many are not.
fn finite(samples: impl IntoIterator<Item = f64>) -> (Vec<f64>, usize) {
    let mut left_out = 0;
    let kept = samples.into_iter().filter(|sample| {
        left_out += usize::from(!sample.is_finite());
        sample.is_finite()
    });
    (kept.collect(), left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_samples_are_all_kept_and_many_keep_their_tail() {
        let (curve, left_out) = cumulative([3.0, 1.0, f64::NAN, 2.0, 4.0]);
        assert_eq!(left_out, 1);
        let pairs: Vec<_> = curve.iter().map(|point| (point.x, point.y)).collect();
        assert_eq!(pairs, [(1.0, 25.0), (2.0, 50.0), (3.0, 75.0), (4.0, 100.0)]);

        let (curve, _) = cumulative((1..=100_000).map(f64::from));
        assert!(curve.len() < CURVE_POINTS + 10);
        for percent in [0.5, 50.0, 95.0, 99.0, 99.9, 99.999, 100.0] {
            assert_eq!(quantile(&curve, percent), Some((percent * 1_000.0).round()), "{percent}");
        }
        assert!(curve.windows(2).all(|pair| pair[0].x <= pair[1].x && pair[0].y <= pair[1].y));
    }

    #[test]
    fn each_sample_lies_in_one_bin() {
        let spread: Vec<f64> = (0..1_000).map(|at| 0.37 * f64::from(at)).collect();
        let huge = vec![-1e300, 0.0, 1e300];
        let one = vec![1e15; 7];
        let whole: Vec<f64> = (0..9).map(f64::from).collect();
        for (samples, logarithmic) in [
            (&spread, false),
            (&spread, true),
            (&huge, false),
            (&huge, true),
            (&one, false),
            (&whole, false),
        ] {
            let edges = edges(samples, logarithmic);
            assert!(
                edges.len() >= 2 && edges.windows(2).all(|pair| pair[0] < pair[1]),
                "{edges:?}"
            );
            let (counts, left_out) = counts(samples.iter().copied(), &edges);
            let counted: f64 = counts.iter().map(|bin| bin.y).sum();
            assert_eq!(counted as usize + left_out, samples.len());
            let impossible = samples.iter().filter(|value| logarithmic && **value <= 0.0).count();
            assert_eq!(left_out, impossible);
            assert!(counts.len() <= 80, "{}", counts.len());
        }
        assert_eq!(edges(&whole, false).len(), 10, "a bin for each whole number");
    }

    #[test]
    fn nothing_has_no_distribution() {
        assert!(cumulative([]).0.is_empty());
        assert!(edges(&[], false).is_empty() && counts([1.0], &[]).0.is_empty());
        assert_eq!(quantile(&[], 50.0), None);
    }
}
