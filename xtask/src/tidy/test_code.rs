//! Which parts of a Rust file are compiled for tests alone.

use std::ops::Range;

use super::rust::{is_name, item_body, words};

/// Attributes of items: their content, without blanks, and the offset behind them.
fn attributes(code: &str) -> impl Iterator<Item = (usize, String, usize)> + '_ {
    code.match_indices("#[").map(|(begin, _)| {
        let mut depth = 0;
        let length = code[begin..].find(|c| {
            depth += i32::from(c == '[') - i32::from(c == ']');
            c == ']' && depth == 0
        });
        let end = length.map_or(code.len(), |length| begin + length + 1);
        let inside = code[begin + 2..end].trim_end_matches(']');
        (begin, inside.chars().filter(|c| !c.is_whitespace()).collect(), end)
    })
}

fn is_for_tests(attribute: &str) -> bool {
    let path = attribute.split('(').next().unwrap_or_default();
    let on_condition = path == "cfg" && words(attribute, "test").next().is_some();
    let negated = attribute.contains("not(test)");
    path == "test" || path.ends_with("::test") || (on_condition && !negated)
}

/// The items that are compiled for tests alone.
pub fn test_regions(code: &str) -> Vec<Range<usize>> {
    let marked = attributes(code).filter(|(_, attribute, _)| is_for_tests(attribute));
    marked
        .filter_map(|(begin, _, end)| {
            item_body(code, behind_attributes(code, end)).map(|e| begin..e)
        })
        .collect()
}

fn behind_attributes(code: &str, from: usize) -> usize {
    let blank = code[from..].len() - code[from..].trim_start().len();
    let next = attributes(&code[from..]).next().filter(|(begin, ..)| *begin == blank);
    next.map_or(from, |(_, _, end)| behind_attributes(code, from + end))
}

/// The files of modules that are declared for tests alone and lie elsewhere.
pub fn test_modules(path: &str, code: &str) -> Vec<String> {
    let Some((folder, name)) = path.rsplit_once('/') else {
        return Vec::new();
    };
    let folder = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => format!("{folder}/{}", name.trim_end_matches(".rs")),
    };
    let marked = attributes(code).filter(|(_, attribute, _)| is_for_tests(attribute));
    marked
        .filter_map(|(_, _, end)| {
            let item = code[behind_attributes(code, end)..].trim_start();
            let module = item.split(';').next()?.split_once("mod ")?.1.trim();
            module.bytes().all(is_name).then(|| module.to_owned())
        })
        .flat_map(|module| [format!("{folder}/{module}.rs"), format!("{folder}/{module}/mod.rs")])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_regions_are_found_by_their_attributes() {
        for (code, inside) in [
            ("#[cfg(test)] mod t { x }", true),
            ("#[cfg(all(test, unix))] mod t { x }", true),
            ("#[test] #[should_panic] fn t() { x }", true),
            ("#[tokio::test(flavor = f)] async fn t() { x }", true),
            ("#[cfg(not(test))] mod t { x }", false),
            ("#[cfg(unix)] mod t { x }", false),
            ("#[cfg(test)] mod t; mod u { x }", false),
        ] {
            let at = code.find('x').unwrap();
            let regions = test_regions(code);
            assert_eq!(regions.iter().any(|region| region.contains(&at)), inside, "{code}");
        }
    }

    #[test]
    fn a_test_module_in_another_file_is_told_by_its_path() {
        let code = "#[cfg(test)]\nmod vectors;";
        let found = test_modules("crates/wire/src/item.rs", code);
        assert_eq!(found[0], "crates/wire/src/item/vectors.rs");
        let found = test_modules("crates/wire/src/lib.rs", code);
        assert_eq!(found[1], "crates/wire/src/vectors/mod.rs");
        assert!(test_modules("crates/wire/src/lib.rs", "#[cfg(test)] mod t {}").is_empty());
    }
}
