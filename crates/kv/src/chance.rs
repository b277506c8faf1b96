//! Spans of time drawn by chance, so that nodes that began together do not go on together.

use core::time::Duration;

/// Some time below `span`.
pub(crate) fn part_of(span: Duration, chance: u64) -> Duration {
    Duration::from_micros(chance % (span.as_micros() as u64).max(1))
}

/// A span that differs from this one by a quarter at most.
pub(crate) fn jittered(span: Duration, chance: u64) -> Duration {
    span * 3 / 4 + part_of(span / 2, chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_lie_about_the_one_that_is_meant_and_no_span_is_none() {
        let span = Duration::from_secs(100);
        for chance in [0, 1, 12_345_678, 99_999_999, u64::MAX] {
            assert!(part_of(span, chance) < span);
            let jittered = jittered(span, chance);
            assert!(jittered >= span * 3 / 4 && jittered < span * 5 / 4, "{jittered:?}");
            assert_eq!(super::jittered(Duration::ZERO, chance), Duration::ZERO);
        }
    }
}
