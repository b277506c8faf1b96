//! Worlds that broke a rule once, of whichever side it was. One line each says what it found.

use core::time::Duration;

use sim::plan::{Plan, Wishes};
use sim::profile::Profile;
use sim::run::Run;

/// A world, and what it once found.
struct Found {
    seed: u64,
    nodes: u32,
    /// The profile and the seconds of a dense world; what the seed decides if left out.
    dense: Option<(&'static str, u64)>,
    what: &'static str,
}

const FOUND: [Found; 8] = [
    Found {
        seed: 16,
        nodes: 30,
        dense: None,
        what: "a read gave what had ended on the few that took it, and the next one the version before",
    },
    Found {
        seed: 36,
        nodes: 30,
        dense: None,
        what: "a member was told for as long as an older version of it was to be remembered",
    },
    Found {
        seed: 22,
        nodes: 15,
        dense: Some(("clocks", 989)),
        what: "what fast clocks had ended was not taken again though only its version was left",
    },
    Found {
        seed: 35,
        nodes: 51,
        dense: Some(("churn", 1308)),
        what: "one who is gone was missed for hours as a contact, since nodes could join through it",
    },
    Found {
        seed: 99,
        nodes: 16,
        dense: None,
        what: "seven nodes behind one address shared two replies a second, and took each other for dead",
    },
    Found {
        seed: 235,
        nodes: 16,
        dense: None,
        what: "a change every three minutes was followed by a round of offers each time, for ever",
    },
    Found {
        seed: 256,
        nodes: 16,
        dense: None,
        what: "who had stood still took living contacts for silent",
    },
    Found {
        seed: 265,
        nodes: 16,
        dense: None,
        what: "an old copy came back since those who remembered a newer version were no majority",
    },
];

impl Found {
    fn wishes(&self) -> Wishes {
        let wishes = Wishes { nodes: Some(self.nodes), ..Wishes::default() };
        let Some((profile, seconds)) = self.dense else { return wishes };
        let profile = Some(Profile::named(profile).expect("this is one"));
        Wishes { profile, span: Some(Duration::from_secs(seconds)), dense: true, ..wishes }
    }
}

#[test]
fn worlds_that_broke_a_rule_once_hold() {
    for found in FOUND {
        let verdict = Run::new(Plan::draw(found.seed, &found.wishes())).go(&mut |_| {});
        assert_eq!(verdict.violations, [], "the world of seed {}: {}", found.seed, found.what);
    }
}
