//! The protocol knows no machine: its crates are `no_std` and free of `unsafe`.

use super::{Finding, Tree, manifest};

const PROTOCOL: [&str; 3] = ["wire", "node", "kv"];

pub fn rule(tree: &Tree) -> Vec<Finding> {
    PROTOCOL.iter().flat_map(|name| check(tree, name)).collect()
}

fn check(tree: &Tree, name: &str) -> Vec<Finding> {
    let path = format!("crates/{name}/src/lib.rs");
    let code: String = match tree.file(&path) {
        Some(file) => file.code.split_whitespace().collect(),
        None => String::new(),
    };
    let mut findings = Vec::new();
    let mut refuse = |what: &str, why| {
        findings.push(Finding { path: path.clone(), line: 1, what: what.to_owned(), why });
    };
    if !code.contains("#![no_std]") {
        refuse("`#![no_std]` is missing", "sockets and clocks must be out of the protocol's reach");
    }
    if !code.contains("#![forbid(unsafe_code)]") && !forbidden_by_lint(tree, name) {
        refuse(
            "neither `#![forbid(unsafe_code)]` nor the workspace's lint holds",
            "bytes of strangers are read here",
        );
    }
    findings
}

/// Whether the workspace forbids unsafe code and the crate takes part in its lints.
fn forbidden_by_lint(tree: &Tree, name: &str) -> bool {
    let has = |path: &str, section: &str, key: &str, value: &str| {
        tree.file(path).is_some_and(|file| {
            manifest::entries(&file.text).iter().any(|entry| {
                entry.section == section && entry.key == key && entry.value.contains(value)
            })
        })
    };
    has("Cargo.toml", "workspace.lints.rust", "unsafe_code", "\"forbid\"")
        && has(&format!("crates/{name}/Cargo.toml"), "lints", "workspace", "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_wire(root: &str, manifest: &str, lib: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("Cargo.toml", root),
            ("crates/wire/Cargo.toml", manifest),
            ("crates/wire/src/lib.rs", lib),
        ]);
        check(&tree, "wire").into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_protocol_crate_that_uses_std_is_refused() {
        let findings = check_wire("", "", "//! `#![no_std]`\n#![forbid(unsafe_code)]\n");
        assert_eq!(findings, ["`#![no_std]` is missing"]);
    }

    #[test]
    fn unsafe_code_is_forbidden_in_the_file_or_by_the_workspace() {
        let root = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n";
        let manifest = "[lints]\nworkspace = true\n";
        assert!(check_wire("", "", "#![no_std]\n#![forbid(unsafe_code)]\n").is_empty());
        assert!(check_wire(root, manifest, "#![no_std]\n").is_empty());
        assert_eq!(check_wire(root, "", "#![no_std]\n").len(), 1);
        assert_eq!(check_wire("", manifest, "#![no_std]\n").len(), 1);
    }

    #[test]
    fn all_three_crates_of_the_protocol_must_be_there() {
        let paths: Vec<String> = rule(&Tree::of(&[])).into_iter().map(|f| f.path).collect();
        for name in PROTOCOL {
            assert!(paths.contains(&format!("crates/{name}/src/lib.rs")), "{name}");
        }
    }
}
