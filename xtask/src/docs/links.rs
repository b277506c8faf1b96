//! Relative links and anchors in Markdown files lead somewhere.

use std::collections::BTreeMap;

use super::markdown::Page;
use crate::tidy::{Finding, Tree};

/// The links that lead nowhere, in all Markdown files. Other sites are not asked.
pub fn dead(tree: &Tree) -> Vec<Finding> {
    let documents = tree.files.iter().filter(|file| file.has_extension(&["md"]));
    let pages: BTreeMap<&str, Page<'_>> =
        documents.map(|file| (file.path.as_str(), Page::read(&file.text))).collect();
    let mut findings = Vec::new();
    for (path, page) in &pages {
        for (line, link) in page.links() {
            if is_foreign(link) {
                continue;
            }
            let (place, anchor) = link.split_once('#').unwrap_or((link, ""));
            let place = if place.is_empty() { (*path).to_owned() } else { resolve(path, place) };
            let what = if !exists(tree, &place) {
                format!("the link `{link}` leads to no file of the repository")
            } else if !anchor.is_empty() && lacks(pages.get(place.as_str()), anchor) {
                format!("the link `{link}` leads to no heading of `{place}`")
            } else {
                continue;
            };
            let why = "a reader who follows it is lost";
            findings.push(Finding { path: (*path).to_owned(), line, what, why });
        }
    }
    findings
}

/// Whether the link names a scheme, as `https:` or `mailto:`.
fn is_foreign(link: &str) -> bool {
    let scheme = link.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+'))
        || link.starts_with("//")
}

/// The path from the root, of a link as written in the file at `from`.
fn resolve(from: &str, link: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    if link.starts_with('/') {
        parts.clear();
    }
    for part in link.split('?').next().unwrap_or(link).split('/') {
        match part {
            "" | "." => {}
            // Above the root there is nothing of this repository.
            ".." => match parts.pop() {
                Some(_) => {}
                None => return "..".to_owned(),
            },
            name => parts.push(name),
        }
    }
    parts.join("/").replace("%20", " ")
}

fn exists(tree: &Tree, place: &str) -> bool {
    let folder = format!("{place}/");
    place.is_empty()
        || tree.paths.contains(place)
        || tree.paths.range(folder.clone()..).next().is_some_and(|path| path.starts_with(&folder))
}

/// Whether a page lacks the heading; anchors into other files (lines of code) are taken as they are.
fn lacks(page: Option<&Page<'_>>, anchor: &str) -> bool {
    page.is_some_and(|page| !page.anchors().iter().any(|known| known == anchor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead_links(readme: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("README.md", "# Top\n"),
            ("docs/page.md", readme),
            ("docs/other.md", "## Ports\n"),
            ("crates/wire/src/lib.rs", ""),
        ]);
        dead(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_link_to_a_file_or_folder_that_is_there_is_kept() {
        for link in ["other.md", "./other.md", "../README.md", "/crates/wire", "../crates/", ".."] {
            assert!(dead_links(&format!("[a]({link})\n")).is_empty(), "{link}");
        }
    }

    #[test]
    fn a_link_to_nothing_is_told_with_its_line() {
        let found = dead_links("\n[a](gone.md)\n");
        assert_eq!(
            found,
            ["docs/page.md:2: the link `gone.md` leads to no file of the repository; \
              a reader who follows it is lost"]
        );
        assert_eq!(dead_links("[a](../../outside.md)").len(), 1);
        assert_eq!(dead_links("[a]: gone.md").len(), 1);
    }

    #[test]
    fn an_anchor_must_be_a_heading_of_its_page() {
        assert!(dead_links("# Run it\n[a](#run-it) [b](other.md#ports)\n").is_empty());
        assert_eq!(dead_links("# Run it\n[a](#stop-it)\n").len(), 1);
        assert_eq!(dead_links("[a](other.md#doors)\n").len(), 1);
        assert!(dead_links("[a](../crates/wire/src/lib.rs#L1)\n").is_empty());
    }

    #[test]
    fn other_sites_are_not_asked() {
        assert!(dead_links("[a](https://example.org/x) [b](mailto:a@example.org)\n").is_empty());
    }
}
