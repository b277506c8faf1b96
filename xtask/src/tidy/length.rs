//! Files and functions stay short enough to be read at once.

use super::{File, Finding, Tree, rust};

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 80;
/// A test tells a story in order; cutting it up makes it harder to follow.
const TEST_LINES: usize = 150;

pub fn rule(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in
        tree.files.iter().filter(|file| file.has_extension(&["rs", "py", "js", "mjs", "cjs"]))
    {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            findings.push(Finding {
                path: file.path.clone(),
                line: FILE_LINES + 1,
                what: format!("the file has {lines} lines, more than {FILE_LINES}"),
                why: "a long file holds more than one idea",
            });
        }
        findings.extend(long_functions(file));
        findings.extend(long_python_functions(file));
    }
    findings
}

fn long_functions(file: &File) -> impl Iterator<Item = Finding> + '_ {
    rust::functions(&file.code).into_iter().filter_map(|function| {
        let first = file.line_at(function.span.start);
        let lines = file.line_at(function.span.end - 1) - first + 1;
        let most = if file.is_test_at(function.span.start) { TEST_LINES } else { FUNCTION_LINES };
        (lines > most).then(|| too_long(file, first, function.name, lines, most))
    })
}

/// Python has no braces: a function goes on as long as the lines are indented deeper.
fn long_python_functions(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines: Vec<&str> = match file.has_extension(&["py"]) {
        true => file.text.lines().collect(),
        false => Vec::new(),
    };
    let indent = |line: &str| line.len() - line.trim_start().len();
    for (at, line) in lines.iter().enumerate() {
        let head = line.trim_start().trim_start_matches("async ");
        let Some(name) = head.strip_prefix("def ").and_then(|rest| rest.split('(').next()) else {
            continue;
        };
        let closes = |next: &&str| next.trim_start().starts_with(')');
        let inside =
            |next: &&str| next.trim().is_empty() || indent(next) > indent(line) || closes(next);
        let body: Vec<_> = lines[at + 1..].iter().take_while(|next| inside(next)).collect();
        let blank_tail = body.iter().rev().take_while(|next| next.trim().is_empty()).count();
        let length = 1 + body.len() - blank_tail;
        if length > FUNCTION_LINES {
            findings.push(too_long(file, at + 1, name, length, FUNCTION_LINES));
        }
    }
    findings
}

fn too_long(file: &File, line: usize, name: &str, lines: usize, most: usize) -> Finding {
    Finding {
        path: file.path.clone(),
        line,
        what: format!("the function `{name}` has {lines} lines, more than {most}"),
        why: "a function should fit on a screen",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    #[test]
    fn a_file_of_500_lines_is_kept_and_one_of_501_is_refused() {
        for extension in ["rs", "py", "js"] {
            let path = format!("crates/node/src/table.{extension}");
            assert!(rule(&Tree::of(&[(&path, &"\n".repeat(500))])).is_empty());
            let findings = rule(&Tree::of(&[(&path, &"\n".repeat(501))]));
            assert_eq!(findings[0].what, "the file has 501 lines, more than 500");
        }
        assert!(rule(&Tree::of(&[("Cargo.lock", &"\n".repeat(501))])).is_empty());
    }

    #[test]
    fn a_function_of_80_lines_is_kept_and_one_of_81_is_refused() {
        assert!(rule(&Tree::of(&[("src/lookup.rs", &function(80))])).is_empty());
        let findings = rule(&Tree::of(&[("src/lookup.rs", &format!("\n{}", function(81)))]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
        assert_eq!(findings[0].what, "the function `long` has 81 lines, more than 80");
    }

    #[test]
    fn a_test_may_take_150_lines_and_no_more() {
        let test = |lines| format!("#[test]\n{}", function(lines));
        assert!(rule(&Tree::of(&[("src/lookup.rs", &test(150))])).is_empty());
        assert_eq!(rule(&Tree::of(&[("src/lookup.rs", &test(151))])).len(), 1);
        assert!(rule(&Tree::of(&[("crates/node/tests/lookup.rs", &function(150))])).is_empty());
    }

    #[test]
    fn a_python_function_is_measured_by_its_indentation() {
        let python = |lines: usize| {
            format!("def long(\n    a,\n):\n{}\n\nprint()\n", "    step()\n".repeat(lines - 3))
        };
        assert!(rule(&Tree::of(&[("interop/peers/node.py", &python(80))])).is_empty());
        let findings = rule(&Tree::of(&[("interop/peers/node.py", &python(81))]));
        assert_eq!(findings[0].what, "the function `long` has 81 lines, more than 80");
    }
}
