//! A smaller world that fails alike: fewer faults, less time, fewer machines.
//!
//! Faults are left out by halves, quarters and so on down to single ones (A. Zeller, R. Hildebrandt,
//! "Simplifying and isolating failure-inducing input", 2002); then time and machines are cut down.
//! A world counts as failing alike if the same check fails, wherever and whenever.

use core::time::Duration;

use crate::plan::Wishes;

/// The shortest time with faults and work that is tried.
const LEAST_SPAN: Duration = Duration::from_secs(60);

/// What is known of a world that fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Failing {
    /// What was asked of it beside its seed.
    pub wishes: Wishes,
    /// The numbers of its faults.
    pub faults: Vec<u32>,
    /// Its machines.
    pub nodes: u32,
    /// Its time with faults and work.
    pub span: Duration,
}

/// Shrinks a failing world. `fails` lives through a world and tells whether the same check fails; it is
/// asked at most `attempts` times.
pub fn shrink(from: Failing, attempts: u32, mut fails: impl FnMut(&Wishes) -> bool) -> Failing {
    let mut shrinking = Shrinking { best: from, attempts, fails: &mut fails };
    while shrinking.attempts > 0 {
        let before = shrinking.best.clone();
        shrinking.leave_out_faults();
        shrinking.shorten();
        shrinking.take_machines();
        if shrinking.best == before {
            break;
        }
    }
    shrinking.best
}

struct Shrinking<'f> {
    best: Failing,
    attempts: u32,
    fails: &'f mut dyn FnMut(&Wishes) -> bool,
}

impl Shrinking<'_> {
    /// Takes a smaller world if it fails alike.
    fn takes(&mut self, smaller: Failing) -> bool {
        if self.attempts == 0 {
            return false;
        }
        self.attempts -= 1;
        let fails = (self.fails)(&smaller.wishes);
        if fails {
            self.best = smaller;
        }
        fails
    }

    fn leave_out_faults(&mut self) {
        let mut part = self.best.faults.len();
        while part > 0 {
            let mut start = 0;
            while start < self.best.faults.len() {
                let end = (start + part).min(self.best.faults.len());
                let mut smaller = self.best.clone();
                let out: Vec<u32> = smaller.faults.drain(start..end).collect();
                smaller.wishes.without.extend(out);
                smaller.wishes.without.sort_unstable();
                if !self.takes(smaller) {
                    start = end;
                }
            }
            part /= 2;
        }
    }

    fn shorten(&mut self) {
        for share in [0.25, 0.5, 0.75] {
            let span = self.best.span.mul_f64(share);
            let mut smaller = self.best.clone();
            (smaller.span, smaller.wishes.span) = (span, Some(span));
            while span >= LEAST_SPAN && self.takes(smaller.clone()) {
                smaller.span = smaller.span.mul_f64(share);
                smaller.wishes.span = Some(smaller.span);
                if smaller.span < LEAST_SPAN {
                    break;
                }
            }
        }
    }

    fn take_machines(&mut self) {
        for quarters in [1, 2, 3] {
            loop {
                let nodes = self.best.nodes * quarters / 4;
                let mut smaller = self.best.clone();
                (smaller.nodes, smaller.wishes.nodes) = (nodes, Some(nodes));
                if nodes == 0 || nodes == self.best.nodes || !self.takes(smaller) {
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing() -> Failing {
        let (wishes, faults) = (Wishes::default(), (0..20).collect());
        Failing { wishes, faults, nodes: 100, span: Duration::from_secs(7200) }
    }

    #[test]
    fn what_a_failure_does_not_need_goes() {
        let mut tried = 0;
        let least = shrink(failing(), 1000, |wishes| {
            tried += 1;
            let has = |fault: u32| !wishes.without.contains(&fault);
            let long = wishes.span.is_none_or(|span| span >= Duration::from_secs(600));
            has(3) && has(11) && long && wishes.nodes.is_none_or(|nodes| nodes >= 7)
        });
        assert_eq!(least.faults, [3, 11]);
        assert!((7..=9).contains(&least.nodes), "{}", least.nodes);
        assert!(least.span < Duration::from_secs(900), "{:?}", least.span);
        assert_eq!(least.wishes.without.len(), 18);
        assert!(tried < 200, "{tried}");
    }

    #[test]
    fn what_fails_no_more_when_smaller_stays_as_it_is_and_attempts_are_bounded() {
        assert_eq!(shrink(failing(), 1000, |_| false), failing());
        let mut tried = 0;
        shrink(failing(), 5, |_| {
            tried += 1;
            true
        });
        assert_eq!(tried, 5);
    }
}
