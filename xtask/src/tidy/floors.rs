//! The floors: a crate imports only crates below its own.

use super::{Finding, Tree, manifest};

/// A crate's folder below `crates/`, and the crates of this project that it may import.
const FLOORS: [(&str, &[&str]); 8] = [
    ("wire", &[]),
    ("store", &[]),
    ("node", &["wire"]),
    ("kv", &["wire", "node"]),
    ("xorbit", &["wire", "store", "node", "kv"]),
    ("sim", &["wire", "store", "node", "kv"]),
    // Types of `kv` come to these through the library, as they do to everybody else.
    ("gateway", &["xorbit"]),
    ("cli", &["gateway", "sim", "xorbit"]),
];

/// Beside the floors: they may import anything, and no floor may import them.
const BESIDE: [&str; 5] = ["bench", "interop", "fuzz", "python", "xtask"];

pub fn rule(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let folder = file.path.strip_prefix("crates/").and_then(|p| p.strip_suffix("/Cargo.toml"));
        let Some(folder) = folder else { continue };
        let mut refuse = |line, what| {
            let why = "lower floors must stay usable without the upper ones";
            findings.push(Finding { path: file.path.clone(), line, what, why });
        };
        let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == folder) else {
            refuse(1, format!("the crate `{folder}` has no floor in xtask/src/tidy/floors.rs"));
            continue;
        };
        for dependency in manifest::dependencies(&file.text) {
            let Some(used) = of_this_project(dependency.name) else {
                continue;
            };
            if !allowed.contains(&used) {
                refuse(dependency.line, format!("`{folder}` may not import `{used}`"));
            }
        }
    }
    findings
}

/// The short name of a crate of this project, however the manifest calls it.
fn of_this_project(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("xorbit-").unwrap_or(name);
    let floors = FLOORS.iter().map(|(floor, _)| *floor);
    floors.chain(BESIDE).find(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(folder: &str, dependencies: &str) -> Vec<String> {
        let path = format!("crates/{folder}/Cargo.toml");
        let text = format!("[package]\nname = \"x\"\n\n[dependencies]\n{dependencies}\n");
        rule(&Tree::of(&[(&path, &text)])).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_floor_may_import_what_lies_below_it_and_foreign_crates() {
        assert!(check("wire", "sha1.workspace = true").is_empty());
        assert!(check("node", "wire.workspace = true").is_empty());
        assert!(check("kv", "wire.workspace = true\nnode.workspace = true").is_empty());
        assert!(check("xorbit", "kv.workspace = true\ntokio = \"1\"").is_empty());
        assert!(check("cli", "xorbit.workspace = true\nclap = \"4\"").is_empty());
    }

    #[test]
    fn a_floor_may_not_import_what_lies_above_it() {
        assert_eq!(check("wire", "node.workspace = true"), ["`wire` may not import `node`"]);
        assert_eq!(check("node", "kv = { path = \"../kv\" }"), ["`node` may not import `kv`"]);
        assert_eq!(check("kv", "xorbit.workspace = true"), ["`kv` may not import `xorbit`"]);
        assert_eq!(check("xorbit", "xorbit-cli = \"1\""), ["`xorbit` may not import `cli`"]);
    }

    #[test]
    fn a_new_name_for_a_package_does_not_hide_it() {
        let renamed = "table = { package = \"xorbit-node\", path = \"../node\" }";
        assert_eq!(check("wire", renamed), ["`wire` may not import `node`"]);
    }

    #[test]
    fn the_program_reaches_the_protocol_only_through_the_library() {
        assert_eq!(check("cli", "kv.workspace = true"), ["`cli` may not import `kv`"]);
        assert_eq!(check("cli", "wire.workspace = true"), ["`cli` may not import `wire`"]);
    }

    #[test]
    fn no_floor_imports_what_stands_beside_the_house() {
        assert_eq!(check("xorbit", "xorbit-bench = \"1\""), ["`xorbit` may not import `bench`"]);
    }

    #[test]
    fn a_crate_without_a_floor_is_refused() {
        let findings = check("gossip", "");
        assert_eq!(findings, ["the crate `gossip` has no floor in xtask/src/tidy/floors.rs"]);
    }
}
