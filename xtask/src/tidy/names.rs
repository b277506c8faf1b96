//! No drawers: a module is named after what it holds.

use super::{Finding, Tree, rust};

const DRAWERS: [&str; 7] = ["util", "utils", "common", "misc", "helper", "helpers", "manager"];

pub fn rule(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut refuse = |path: &str, line, name: &str| {
        findings.push(Finding {
            path: path.to_owned(),
            line,
            what: format!("the name `{name}` says nothing of what is inside"),
            why: "such a module becomes a drawer for everything",
        });
    };
    for path in &tree.paths {
        let stems = path.split('/').map(|part| part.split('.').next().unwrap_or(part));
        stems.filter(|stem| is_drawer(stem)).for_each(|stem| refuse(path, 1, stem));
    }
    for file in tree.rust() {
        for at in rust::words(&file.code, "mod") {
            let rest = file.code[at + 3..].trim_start();
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next();
            if let Some(name) = name.filter(|name| is_drawer(name)) {
                refuse(&file.path, file.line_at(at), name);
            }
        }
    }
    findings
}

/// Also as the last word of a longer name, as in `connection_manager`.
fn is_drawer(name: &str) -> bool {
    let last = name.rsplit(['_', '-']).next().unwrap_or(name);
    DRAWERS.contains(&last.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_or_folder_named_as_a_drawer_is_refused() {
        for path in [
            "crates/node/src/util.rs",
            "crates/node/src/utils/mod.rs",
            "crates/node/tests/common/mod.rs",
            "interop/peers/helpers.py",
            "bench/src/misc.rs",
            "crates/node/src/peer_manager.rs",
        ] {
            assert_eq!(rule(&Tree::of(&[(path, "")])).len(), 1, "{path}");
        }
    }

    #[test]
    fn a_module_inside_of_a_file_is_named_with_care_too() {
        let findings = rule(&Tree::of(&[("src/table.rs", "\npub mod helper {}\n")]));
        assert_eq!((findings[0].line, findings.len()), (2, 1));
    }

    #[test]
    fn a_name_that_only_contains_such_a_word_is_kept() {
        let tree = Tree::of(&[("src/common_prefix.rs", "mod utility_of_a_contact {}\n")]);
        assert!(rule(&tree).is_empty());
    }
}
