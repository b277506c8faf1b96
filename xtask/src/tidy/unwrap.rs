//! No `unwrap` in what people run.

use super::{Finding, Tree, rust};

pub fn rule(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| file.in_crate_source()) {
        for at in rust::words(&file.code, "unwrap") {
            let before = file.code[..at].trim_end();
            let called = before.ends_with('.') || before.ends_with("::");
            if called && !file.is_test_at(at) {
                findings.push(Finding {
                    path: file.path.clone(),
                    line: file.line_at(at),
                    what: "`unwrap` outside of tests".to_owned(),
                    why: "a panic needs the reason why it cannot happen: `expect(\"...\")`",
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
    fn an_unwrap_in_a_crates_source_is_refused() {
        let text =
            "fn f() {\n    a.unwrap();\n    b\n        .unwrap();\n    c.map(Option::unwrap);\n}\n";
        assert_eq!(lines("crates/kv/src/put.rs", text), [2, 4, 5]);
    }

    #[test]
    fn an_unwrap_in_a_test_a_comment_or_a_string_is_kept() {
        let text = "//! a.unwrap()\nfn f() { g(\".unwrap()\", r#\".unwrap()\"#) }\n\
            #[cfg(test)]\n#[allow(x)]\nmod tests {\n    fn f() { a.unwrap(); }\n}\n";
        assert!(lines("crates/kv/src/put.rs", text).is_empty());
        assert!(lines("crates/kv/tests/put.rs", "fn f() { a.unwrap(); }\n").is_empty());
        assert!(lines("bench/src/main.rs", "fn f() { a.unwrap(); }\n").is_empty());
    }

    #[test]
    fn code_behind_a_test_module_is_not_a_test() {
        let text = "#[cfg(test)]\nmod tests { fn f() {} }\nfn g() { a.unwrap(); }\n";
        assert_eq!(lines("crates/kv/src/put.rs", text), [3]);
        let text = "#[cfg(test)]\nmod tests;\nfn g() { a.unwrap(); }\n";
        assert_eq!(lines("crates/kv/src/put.rs", text), [3]);
        let text = "#[cfg(not(test))]\nfn g() { a.unwrap(); }\n";
        assert_eq!(lines("crates/kv/src/put.rs", text), [2]);
    }

    #[test]
    fn all_files_of_a_test_module_in_a_folder_are_tests() {
        let declaring = ("crates/kv/src/lib.rs", "#[cfg(test)]\nmod cuts;\n");
        let part = ("crates/kv/src/cuts/part.rs", "fn f() { a.unwrap(); }\n");
        let beside = ("crates/kv/src/cutsy.rs", "fn f() { a.unwrap(); }\n");
        let found = rule(&Tree::of(&[declaring, part, beside]));
        let places: Vec<&str> = found.iter().map(|finding| &*finding.path).collect();
        assert_eq!(places, [beside.0]);
    }

    #[test]
    fn a_milder_form_is_kept() {
        assert!(lines("crates/kv/src/put.rs", "fn f() { a.unwrap_or(1); }\n").is_empty());
    }
}
