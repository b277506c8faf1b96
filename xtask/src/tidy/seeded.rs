//! All that happens in a simulated world follows from its seed: the simulator's crate uses nothing that
//! differs from one process to the next.

use super::{Finding, Tree, rust};

/// What differs, by the words that name it.
const DIFFERS: [&str; 12] = [
    "SystemTime",
    "UNIX_EPOCH",
    "RandomState",
    "DefaultHasher",
    "OsRng",
    "ThreadRng",
    "thread_rng",
    "getrandom",
    "std::time::Instant",
    "std::thread",
    "std::env",
    "std::process",
];

/// Maps whose order differs, unless a hasher without a key of the process is named.
const UNORDERED: [&str; 2] = ["HashMap", "HashSet"];

pub fn rule(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| file.path.starts_with("crates/sim/src/")) {
        let differs = DIFFERS.into_iter().flat_map(|word| {
            rust::words(&file.code, word).map(move |at| (at, format!("`{word}` is used")))
        });
        let unordered = UNORDERED.into_iter().flat_map(|map| {
            let of_std = |at: &usize| {
                let path = file.code[..*at].rsplit([';', '\n']).next().unwrap_or_default();
                path.contains("std::collections")
            };
            rust::words(&file.code, map)
                .filter(of_std)
                .map(move |at| (at, format!("the `{map}` of the standard library is used")))
        });
        for (at, what) in differs.chain(unordered).filter(|(at, _)| !file.is_test_at(*at)) {
            findings.push(Finding {
                path: file.path.clone(),
                line: file.line_at(at),
                what,
                why: "the same seed must give the same world each time",
            });
        }
    }
    findings.sort_by(|one, next| (&one.path, one.line).cmp(&(&next.path, next.line)));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        rule(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn clocks_threads_chance_and_maps_of_the_process_are_refused() {
        let text = "use std::collections::{BTreeMap, HashMap};\nuse std::time::SystemTime;\n\
                    fn f() {\n    std::thread::yield_now();\n    std::time::Instant::now();\n}\n";
        assert_eq!(lines("crates/sim/src/world/mod.rs", text), [1, 2, 4, 5]);
    }

    #[test]
    fn maps_with_a_fixed_hasher_and_the_worlds_own_time_are_none_of_them() {
        let text = "use hashbrown::HashMap;\nuse node::Instant;\nuse std::collections::BTreeMap;\n\
                    fn f(m: HashMap<u8, u8>, now: Instant) {}\n";
        assert!(lines("crates/sim/src/world/mod.rs", text).is_empty());
    }

    #[test]
    fn tests_and_other_crates_may_use_them() {
        let text = "use std::time::SystemTime;\n";
        assert!(lines("crates/sim/tests/plans.rs", text).is_empty());
        assert!(lines("crates/cli/src/sim/swarm.rs", text).is_empty());
        let text = "#[cfg(test)]\nmod tests {\n    use std::collections::HashSet;\n}\n";
        assert!(lines("crates/sim/src/chance.rs", text).is_empty());
    }
}
