//! The text files of the repository, as the rules see them.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use super::{rust, test_code};
use crate::failure::Failure;

/// Folders that hold products, for a checkout without git to ask.
const PRODUCTS: [&str; 6] = ["target", ".git", "node_modules", "corpus", "artifacts", "venv"];

/// All files that belong to the project.
pub struct Tree {
    /// Those that are text.
    pub files: Vec<File>,
    /// The paths of all, binary ones included.
    pub paths: BTreeSet<String>,
}

/// One text file; its path is relative to the root, with forward slashes.
pub struct File {
    pub path: String,
    pub text: String,
    /// Rust only: the text with comments and literals blanked, at the same offsets.
    pub code: String,
    /// Rust only: the parts of `code` that are compiled for tests alone.
    tests: Vec<Range<usize>>,
}

impl Tree {
    /// Reads what git tracks or would track; without git, all but the known products.
    pub fn read(root: &Path) -> Result<Self, Failure> {
        let paths = match listed_by_git(root) {
            Some(paths) => paths,
            None => {
                let mut paths = BTreeSet::new();
                walk(root, "", &mut paths).map_err(|error| {
                    Failure::new(format!("cannot list `{}`: {error}", root.display()))
                })?;
                paths
            }
        };
        let texts = paths.iter().filter_map(|path| {
            let text = String::from_utf8(fs::read(root.join(path)).ok()?).ok()?;
            Some((path.clone(), text))
        });
        Ok(Self::new(texts.collect(), paths.clone()))
    }

    fn new(texts: Vec<(String, String)>, paths: BTreeSet<String>) -> Self {
        let mut files: Vec<File> =
            texts.into_iter().map(|(path, text)| File::new(path, text)).collect();
        let declared: BTreeSet<String> =
            files.iter().flat_map(|file| test_code::test_modules(&file.path, &file.code)).collect();
        // The folder of a test module holds nothing else.
        let folders: Vec<String> = declared
            .iter()
            .filter_map(|path| path.strip_suffix("mod.rs"))
            .map(String::from)
            .collect();
        let is_test = |path: &String| {
            declared.contains(path) || folders.iter().any(|folder| path.starts_with(folder))
        };
        for file in files.iter_mut().filter(|file| is_test(&file.path)) {
            file.tests = whole(&file.code);
        }
        Self { files, paths }
    }

    /// A tree made up for a test of a rule.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let texts = files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect();
        Self::new(texts, files.iter().map(|(path, _)| (*path).into()).collect())
    }

    /// The text file at that path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust files.
    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.has_extension(&["rs"]))
    }
}

impl File {
    fn new(path: String, text: String) -> Self {
        let code = if path.ends_with(".rs") { rust::mask(&text) } else { String::new() };
        let for_tests = path.split('/').any(|part| part == "tests" || part == "tests.rs");
        let tests = if for_tests { whole(&code) } else { test_code::test_regions(&code) };
        Self { path, text, code, tests }
    }

    /// Whether the name ends in one of these.
    pub fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, own)| extensions.contains(&own))
    }

    /// Whether the file is the source of a crate under `crates/`.
    pub fn in_crate_source(&self) -> bool {
        let parts: Vec<&str> = self.path.split('/').collect();
        parts.len() > 3 && parts[0] == "crates" && parts[2] == "src"
    }

    /// The line, from 1, of a byte offset.
    pub fn line_at(&self, offset: usize) -> usize {
        self.text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// Whether the code there is compiled for tests alone.
    pub fn is_test_at(&self, offset: usize) -> bool {
        self.tests.iter().any(|region| region.contains(&offset))
    }
}

fn whole(code: &str) -> Vec<Range<usize>> {
    std::iter::once(0..code.len()).collect()
}

fn listed_by_git(root: &Path) -> Option<BTreeSet<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let paths = text.split('\0').filter(|path| root.join(path).is_file()).map(str::to_owned);
    Some(paths.collect())
}

fn walk(root: &Path, folder: &str, paths: &mut BTreeSet<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if kind.is_file() {
            paths.insert(path);
        } else if kind.is_dir() && !PRODUCTS.contains(&name.as_str()) {
            walk(root, &path, paths)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_a_test_module_declares_elsewhere_is_a_test() {
        let tree = Tree::of(&[
            ("crates/wire/src/lib.rs", "#[cfg(test)]\nmod vectors;\nmod item;\n"),
            ("crates/wire/src/vectors.rs", "fn f() {}\n"),
            ("crates/wire/src/item.rs", "fn f() {}\n"),
        ]);
        assert!(tree.file("crates/wire/src/vectors.rs").unwrap().is_test_at(3));
        assert!(!tree.file("crates/wire/src/item.rs").unwrap().is_test_at(3));
    }

    #[test]
    fn only_files_below_src_are_a_crates_source() {
        let tree = Tree::of(&[
            ("crates/wire/src/krpc/mod.rs", ""),
            ("crates/wire/tests/krpc.rs", ""),
            ("xtask/src/main.rs", ""),
        ]);
        let source: Vec<bool> = tree.files.iter().map(File::in_crate_source).collect();
        assert_eq!(source, [true, false, false]);
    }

    #[test]
    fn a_walk_without_git_leaves_products_out() {
        let root = std::env::temp_dir().join(format!("xtask-walk-{}", std::process::id()));
        fs::create_dir_all(root.join("src")).unwrap();
        fs::create_dir_all(root.join("target/debug")).unwrap();
        fs::write(root.join("src/lib.rs"), "").unwrap();
        fs::write(root.join("target/debug/out.rs"), "").unwrap();
        let mut paths = BTreeSet::new();
        walk(&root, "", &mut paths).unwrap();
        assert_eq!(paths.into_iter().collect::<Vec<_>>(), ["src/lib.rs"]);
        fs::remove_dir_all(root).unwrap();
    }
}
