//! `cargo xtask tidy`: the house rules that no compiler checks. One rule a file.

mod doc_comment;
mod floors;
mod length;
mod manifest;
mod marks;
mod names;
mod paths;
mod planted;
mod purity;
mod rust;
mod seeded;
mod test_code;
mod tree;
mod unwrap;
mod waits;

use std::fmt;
use std::path::Path;

pub use tree::{File, Tree};

use crate::failure::{Failure, Outcome};

/// One breach of a rule: where, what, and why the rule is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub what: String,
    pub why: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.path, self.line, self.what, self.why)
    }
}

type Rule = fn(&Tree) -> Vec<Finding>;

const RULES: [Rule; 11] = [
    length::rule,
    names::rule,
    purity::rule,
    floors::rule,
    unwrap::rule,
    waits::rule,
    paths::rule,
    doc_comment::rule,
    planted::rule,
    marks::rule,
    seeded::rule,
];

/// Checks all rules and prints each breach.
pub fn run(root: &Path) -> Outcome {
    let tree = Tree::read(root)?;
    let findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    for finding in &findings {
        eprintln!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("{} files keep the {} house rules", tree.files.len(), RULES.len());
            Ok(())
        }
        1 => Err(Failure::new("a house rule is broken at 1 place, named above")),
        count => {
            Err(Failure::new(format!("house rules are broken at {count} places, named above")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_place_then_what_then_why() {
        let finding = Finding {
            path: "crates/wire/src/id.rs".into(),
            line: 7,
            what: "it is so".into(),
            why: "it must not be",
        };
        assert_eq!(finding.to_string(), "crates/wire/src/id.rs:7: it is so; it must not be");
    }
}
