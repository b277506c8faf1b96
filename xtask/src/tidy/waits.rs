//! Tests do not sleep to let something happen: they look for it, until a deadline.

use super::{Finding, Tree, rust};

/// What excuses a sleep, on its line or the one above.
const EXCUSE: &str = "// waits:";

pub fn rule(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let lines: Vec<&str> = file.text.lines().collect();
        for at in rust::words(&file.code, "sleep") {
            let called = file.code[at + "sleep".len()..].trim_start().starts_with('(');
            let defined = file.code[..at].trim_end().ends_with("fn");
            if !called || defined || !file.is_test_at(at) {
                continue;
            }
            let line = file.line_at(at);
            let excused = lines[line.saturating_sub(2)..line].iter().any(|l| l.contains(EXCUSE));
            if !excused {
                findings.push(Finding {
                    path: file.path.clone(),
                    line,
                    what: format!("a test sleeps without a `{EXCUSE}` comment"),
                    why: "a fixed time is too short on a slow machine and too long on all others",
                });
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        rule(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_sleep_in_a_test_is_refused() {
        let text =
            "fn f() {\n    std::thread::sleep(SECOND);\n    tokio::time::sleep(S).await;\n}\n";
        assert_eq!(lines("crates/xorbit/tests/join.rs", text), [2, 3]);
        let text = "#[cfg(test)]\nmod tests {\n    fn f() { sleep(SECOND); }\n}\n";
        assert_eq!(lines("crates/xorbit/src/driver.rs", text), [3]);
    }

    #[test]
    fn a_sleep_that_says_what_it_waits_for_is_kept() {
        let text = "fn f() {\n    // waits: between two looks\n    sleep(S);\n    sleep(S); // waits: too\n}\n";
        assert!(lines("interop/tests/libtorrent.rs", text).is_empty());
    }

    #[test]
    fn an_excuse_further_up_does_not_count() {
        let text = "fn f() {\n    // waits: for this one\n    sleep(S);\n    sleep(S);\n}\n";
        assert_eq!(lines("interop/tests/libtorrent.rs", text), [4]);
    }

    #[test]
    fn a_sleep_in_the_program_is_not_this_rules_business() {
        assert!(lines("crates/xorbit/src/driver.rs", "fn f() { sleep(S); }\n").is_empty());
        assert!(lines("crates/xorbit/tests/clock.rs", "fn sleep(s: u64) {}\n").is_empty());
    }
}
