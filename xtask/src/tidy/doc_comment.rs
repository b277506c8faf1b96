//! Every file says first what it is for.

use super::{Finding, Tree};

pub fn rule(tree: &Tree) -> Vec<Finding> {
    let silent = |text: &str| {
        let first = text.lines().find(|line| !line.trim().is_empty());
        !first.is_some_and(|line| line.starts_with("//!"))
    };
    let files = tree.rust().filter(|file| file.in_crate_source() && silent(&file.text));
    files
        .map(|file| Finding {
            path: file.path.clone(),
            line: 1,
            what: "the file does not begin with a `//!` comment".to_owned(),
            why: "a newcomer reads the first line to know whether to read on",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_say_what_it_is_for_is_refused() {
        for text in ["", "use std::fmt;\n//! late\n", "// not a doc comment\n"] {
            assert_eq!(rule(&Tree::of(&[("crates/wire/src/id.rs", text)])).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_file_that_begins_with_its_purpose_is_kept() {
        assert!(rule(&Tree::of(&[("crates/wire/src/id.rs", "//! Ids.\n")])).is_empty());
        assert!(rule(&Tree::of(&[("crates/wire/tests/id.rs", "")])).is_empty());
    }
}
