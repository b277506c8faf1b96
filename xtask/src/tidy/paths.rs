//! Nothing names a place on one machine.

use super::{Finding, Tree};

/// Folders where people keep their checkouts; written in parts, since this file is checked too.
const HOMES: [&str; 3] = [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/")];

pub fn rule(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        for (at, line) in file.text.lines().enumerate() {
            if let Some(home) = HOMES.iter().find(|home| begins_path(line, home)) {
                findings.push(Finding {
                    path: file.path.clone(),
                    line: at + 1,
                    what: format!("an absolute path below `{home}`"),
                    why: "it exists on one machine only",
                });
            }
        }
    }
    findings
}

/// Whether the folder stands at the beginning of a path, not inside of a longer one or a URL.
fn begins_path(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"._-~}".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_path_of_one_machine_is_refused_in_any_file() {
        for path in ["src/lib.rs", "docs/run.md", ".ci/run", "interop/peers/peer.py"] {
            for home in HOMES {
                let findings = rule(&Tree::of(&[(path, &format!("\ncd \"{home}xorbit\"\n"))]));
                assert_eq!((findings.len(), findings[0].line), (1, 2), "{path} {home}");
            }
        }
    }

    #[test]
    fn a_longer_path_and_a_url_are_kept() {
        for home in HOMES {
            for before in ["https://example.org", "target", "..", "$HOME", "${DIR}"] {
                let text = format!("{before}{home}xorbit\n");
                assert!(rule(&Tree::of(&[("docs/run.md", &text)])).is_empty(), "{text}");
            }
        }
    }
}
