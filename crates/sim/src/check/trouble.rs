//! When what was going on that voids a promise.

use core::time::Duration;

use node::Instant;

use crate::plan::Plan;

/// So long after a fault has ended the network may not be what it was: contacts that fell silent are found
/// again within minutes, and what lies on the wrong nodes is handed over then.
const SETTLES: Duration = Duration::from_secs(15 * 60);

/// Faults that void no promise: nobody is lost by them, and nothing that was said.
const HARMLESS: [&str; 3] = ["duplication", "reordering", "slow-disk"];

/// Times at which something was going on.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// From, until, and what; in the order of their beginnings.
    spans: Vec<(Instant, Instant, &'static str)>,
}

impl Trouble {
    /// The faults of a plan whose time began then, each until a while after its end; and where machines
    /// are behind boxes, all the time.
    pub fn of(plan: &Plan, begun: Instant) -> Self {
        let mut trouble = Self::default();
        for planned in plan.faults.iter().filter(|planned| !HARMLESS.contains(&planned.kind)) {
            trouble.add(begun + planned.from, begun + planned.until + SETTLES, planned.kind);
        }
        if plan.population.behind_nat > 0.0 {
            trouble.add(Instant::default(), Instant::from_micros(u64::MAX), "NAT");
        }
        trouble
    }

    /// Something that goes on from then until then.
    pub fn add(&mut self, from: Instant, until: Instant, what: &'static str) {
        let place = self.spans.partition_point(|(other, ..)| *other <= from);
        self.spans.insert(place, (from, until, what));
    }

    /// Something that went on between the two times; `None`: nothing did.
    pub fn between(&self, from: Instant, until: Instant) -> Option<&'static str> {
        let overlaps = |span: &&(Instant, Instant, &str)| span.0 <= until && span.1 >= from;
        self.spans.iter().find(overlaps).map(|(.., what)| *what)
    }

    /// Since when nothing has been going on; `None`: something is.
    pub fn calm_since(&self, at: Instant) -> Option<Instant> {
        let mut since = Instant::default();
        for (from, until, _) in self.spans.iter().take_while(|(from, ..)| *from <= at) {
            if at <= *until && at >= *from {
                return None;
            }
            since = since.max(*until);
        }
        Some(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Instant {
        Instant::from_micros(s * 1_000_000)
    }

    #[test]
    fn calm_lasts_from_the_end_of_all_that_went_on_to_the_beginning_of_the_next() {
        let mut trouble = Trouble::default();
        assert_eq!(trouble.calm_since(at(5)), Some(Instant::default()));
        trouble.add(at(50), at(60), "loss");
        trouble.add(at(10), at(30), "power");
        trouble.add(at(20), at(25), "lag");
        assert_eq!(trouble.calm_since(at(9)), Some(Instant::default()));
        assert_eq!(trouble.calm_since(at(27)), None);
        assert_eq!(trouble.calm_since(at(31)), Some(at(30)));
        assert_eq!(trouble.calm_since(at(70)), Some(at(60)));
        assert_eq!(trouble.between(at(31), at(49)), None);
        assert_eq!(trouble.between(at(31), at(50)), Some("loss"));
        assert_eq!(trouble.between(at(0), at(22)), Some("power"));
    }
}
