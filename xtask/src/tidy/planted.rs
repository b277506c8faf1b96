//! Planted bugs stay what they are: each is made at one place, and no crate turns them on.

use super::{Finding, Tree, manifest, rust};

/// Where they are listed.
const LIST: &str = "crates/wire/src/planted.rs";

/// The feature that compiles them in.
const FEATURE: &str = "planted";

pub fn rule(tree: &Tree) -> Vec<Finding> {
    let mut findings = made_at_one_place(tree);
    findings.extend(turned_on(tree));
    findings
}

/// The bugs of the list: each begins a line that goes on with its name in quotes.
fn listed(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let (bug, rest) = line.trim_start().split_once(' ')?;
        let is_name = bug.starts_with(|c: char| c.is_ascii_uppercase())
            && bug.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_name && rest.starts_with('"')).then_some((index + 1, bug))
    })
}

fn made_at_one_place(tree: &Tree) -> Vec<Finding> {
    let Some(list) = tree.file(LIST) else { return Vec::new() };
    let sources = || tree.rust().filter(|file| file.in_crate_source() && file.path != LIST);
    let mut findings = Vec::new();
    for (line, bug) in listed(&list.text) {
        let call = format!("planted::is(Bug::{bug})");
        let places: usize = sources()
            .map(|file| file.code.match_indices(&call).filter(|(at, _)| !file.is_test_at(*at)))
            .map(Iterator::count)
            .sum();
        if places != 1 {
            findings.push(Finding {
                path: LIST.to_owned(),
                line,
                what: format!("`{call}` stands at {places} places"),
                why: "a bug that is planted nowhere or twice says nothing of the checks",
            });
        }
    }
    for file in sources() {
        let names =
            rust::words(&file.code, "Bug").filter(|at| file.code[*at..].starts_with("Bug::"));
        for at in names.filter(|at| !file.is_test_at(*at)) {
            if !file.code[..at].ends_with("planted::is(") && !file.path.starts_with("crates/sim/") {
                findings.push(Finding {
                    path: file.path.clone(),
                    line: file.line_at(at),
                    what: "a planted bug is named outside of `planted::is(..)`".to_owned(),
                    why: "without the feature nothing of it may be left",
                });
            }
        }
    }
    findings
}

/// A manifest may only pass the feature on, under the same name.
fn turned_on(tree: &Tree) -> Vec<Finding> {
    let manifests = tree
        .files
        .iter()
        .filter(|file| file.path.starts_with("crates/") && file.path.ends_with("/Cargo.toml"));
    let mut findings = Vec::new();
    for file in manifests {
        for entry in manifest::entries(&file.text) {
            let passed_on = entry.section == "features" && entry.key == FEATURE;
            let named = entry.value.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            if !passed_on && named.into_iter().any(|word| word == FEATURE) {
                findings.push(Finding {
                    path: file.path.clone(),
                    line: entry.line,
                    what: format!("`{}` turns the feature `{FEATURE}` on", entry.key),
                    why: "what is shipped must not hold a planted bug",
                });
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "bugs! {\n    // Tokens.\n    Unchecked \"unchecked\" \"any is good\"\n}\n";

    fn check(sources: &[(&str, &str)]) -> Vec<(String, usize)> {
        let files: Vec<(&str, &str)> = [(LIST, ONE)].iter().chain(sources).copied().collect();
        let findings = rule(&Tree::of(&files));
        findings.into_iter().map(|finding| (finding.path, finding.line)).collect()
    }

    #[test]
    fn a_bug_is_made_at_one_place_outside_of_tests() {
        let made = "fn f() -> bool {\n    planted::is(Bug::Unchecked)\n}\n";
        let tried = "#[cfg(test)]\nmod tests {\n    fn f() { planted::is(Bug::Unchecked); }\n}\n";
        let path = "crates/node/src/token.rs";
        assert!(check(&[(path, made)]).is_empty());
        assert!(check(&[(path, made), ("crates/node/tests/hostile/main.rs", made)]).is_empty());
        assert_eq!(check(&[(path, tried)]), [(LIST.to_owned(), 3)]);
        assert_eq!(check(&[(path, made), ("crates/kv/src/get.rs", made)]), [(LIST.to_owned(), 3)]);
    }

    #[test]
    fn a_bug_is_named_only_where_it_is_asked_for() {
        let made = ("crates/node/src/token.rs", "fn f() -> bool { planted::is(Bug::Unchecked) }\n");
        let kept = ("crates/node/src/state.rs", "fn f() {\n    let bug = Bug::Unchecked;\n}\n");
        assert_eq!(check(&[made, kept]), [(kept.0.to_owned(), 2)]);
    }

    #[test]
    fn a_manifest_passes_the_feature_on_and_never_turns_it_on() {
        let made = ("crates/node/src/token.rs", "fn f() -> bool { planted::is(Bug::Unchecked) }\n");
        let path = "crates/kv/Cargo.toml";
        let passes = "[features]\nplanted = [\"wire/planted\"]\n";
        assert!(check(&[made, (path, passes)]).is_empty());
        for turns in [
            "[features]\ndefault = [\"planted\"]\n",
            "[dependencies]\nnode = { workspace = true, features = [\"planted\"] }\n",
        ] {
            assert_eq!(check(&[made, (path, turns)]), [(path.to_owned(), 2)], "{turns}");
        }
    }
}
