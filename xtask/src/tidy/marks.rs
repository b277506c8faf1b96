//! Nothing goes in with a mark that it is not done.

use super::{Finding, Tree, rust};

/// Written in parts, since this file is checked too.
const MARKS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

const EXTENSIONS: [&str; 9] = ["rs", "py", "js", "mjs", "cjs", "toml", "md", "sh", "json"];

pub fn rule(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        if !file.has_extension(&EXTENSIONS) && !file.path.starts_with(".ci/") {
            continue;
        }
        for (at, line) in file.text.lines().enumerate() {
            for mark in MARKS.iter().filter(|mark| rust::words(line, mark).next().is_some()) {
                findings.push(Finding {
                    path: file.path.clone(),
                    line: at + 1,
                    what: format!("the mark `{mark}`"),
                    why: "what is not done belongs in the list of issues, or is done",
                });
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_of_unfinished_work_is_refused() {
        for mark in MARKS {
            for path in ["src/lib.rs", "README.md", "interop/peers/peer.js", ".ci/run"] {
                let findings = rule(&Tree::of(&[(path, &format!("\n// {mark}: later\n"))]));
                assert_eq!((findings.len(), findings[0].line), (1, 2), "{path}");
            }
        }
    }

    #[test]
    fn a_longer_word_is_kept() {
        let text = format!("const {}_LIST: u8 = 1;\n", MARKS[0]);
        assert!(rule(&Tree::of(&[("src/lib.rs", &text)])).is_empty());
    }
}
