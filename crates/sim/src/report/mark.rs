//! Marks: what was asked for, what was measured, and whether the one reaches the other.

use serde::{Deserialize, Serialize};

use super::number;

/// What a measurement is held against, in the mark's unit; a finite number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// This and nothing else: counts of what must not happen are exactly 0.
    Exactly(f64),
}

impl Bound {
    fn holds(self, measured: f64) -> bool {
        match self {
            Self::AtMost(bound) => measured <= bound,
            Self::AtLeast(bound) => measured >= bound,
            Self::Exactly(bound) => measured == bound,
        }
    }

    fn number(self) -> f64 {
        let (Self::AtMost(bound) | Self::AtLeast(bound) | Self::Exactly(bound)) = self;
        bound
    }
}

/// Something that was asked of an experiment, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    what: String,
    asked: Bound,
    measured: Option<f64>,
    unit: String,
    reached: bool,
    note: Option<String>,
}

impl Mark {
    /// Holds a measurement against a bound; both in `unit`, which may be empty. A measurement that
    /// is no finite number is told as none, and such a mark is missed.
    pub fn new(what: impl Into<String>, asked: Bound, measured: f64, unit: &str) -> Self {
        let measured = Some(measured).filter(|measured| measured.is_finite());
        let reached = measured.is_some_and(|measured| asked.holds(measured));
        Self { what: what.into(), asked, measured, unit: unit.to_owned(), reached, note: None }
    }

    /// Adds what a reader must know beside the numbers: why it is missed, what it leaves out.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Whether the measurement is what was asked for.
    pub fn reached(&self) -> bool {
        self.reached
    }

    pub(super) fn what(&self) -> &str {
        &self.what
    }

    pub(super) fn noted(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// `≤ 1.6 ms`.
    pub(super) fn asked(&self) -> String {
        let sign = match self.asked {
            Bound::AtMost(_) => "≤\u{a0}",
            Bound::AtLeast(_) => "≥\u{a0}",
            Bound::Exactly(_) => "",
        };
        format!("{sign}{}", number::with_unit(&number::told(self.asked.number()), &self.unit))
    }

    /// `1.42 ms`; with as many digits as tell it from a bound that it misses.
    pub(super) fn measured(&self) -> String {
        let Some(measured) = self.measured else { return "not measured".to_owned() };
        let bound = self.asked.number();
        number::with_unit(&number::told_apart(measured, bound), &self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_what_it_allows() {
        let reached = |asked, measured| Mark::new("", asked, measured, "").reached();
        assert!(reached(Bound::AtMost(2.0), 2.0) && !reached(Bound::AtMost(2.0), 2.001));
        assert!(reached(Bound::AtLeast(2.0), 2.0) && !reached(Bound::AtLeast(2.0), 1.999));
        assert!(reached(Bound::Exactly(0.0), 0.0) && !reached(Bound::Exactly(0.0), 1.0));
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        for bound in [Bound::AtMost(1.0), Bound::AtLeast(1.0), Bound::Exactly(1.0)] {
            let mark = Mark::new("", bound, f64::NAN, "ms");
            assert!(!mark.reached());
            assert_eq!(mark.measured(), "not measured");
        }
    }

    #[test]
    fn a_near_miss_never_looks_like_the_bound() {
        let mark = Mark::new("", Bound::AtLeast(99.0), 98.99996, "%");
        assert_eq!(
            (mark.asked().as_str(), mark.measured().as_str()),
            ("≥\u{a0}99\u{a0}%", "98.99996\u{a0}%")
        );
    }
}
