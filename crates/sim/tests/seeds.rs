//! Worlds that broke a rule once, of whichever side it was. One line each says what it found.

use sim::plan::{Plan, Wishes};
use sim::run::Run;

/// A seed, how many machines, and what it once found.
const FOUND: [(u64, u32, &str); 2] = [
    (
        16,
        30,
        "a read gave what had ended on the few that took it, and the next one the version before",
    ),
    (36, 30, "a member was told for as long as an older version of it was to be remembered"),
];

#[test]
fn worlds_that_broke_a_rule_once_hold() {
    for (seed, nodes, what) in FOUND {
        let wishes = Wishes { nodes: Some(nodes), ..Wishes::default() };
        let verdict = Run::new(Plan::draw(seed, &wishes)).go(&mut |_| {});
        assert_eq!(
            verdict.violations,
            [],
            "`xorbit sim run --seed {seed} --nodes {nodes}`: {what}"
        );
    }
}
