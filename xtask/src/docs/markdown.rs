//! Just enough reading of Markdown: fenced blocks, headings and links.

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub struct Fence<'a> {
    /// The words behind the opening fence.
    pub info: &'a str,
    /// The lines inside with their numbers, less the fence's own indentation.
    pub lines: Vec<(usize, &'a str)>,
}

/// A page, split into its fenced blocks and the lines of prose between them.
#[derive(Debug, Default)]
pub struct Page<'a> {
    pub fences: Vec<Fence<'a>>,
    pub prose: Vec<(usize, &'a str)>,
}

impl<'a> Page<'a> {
    /// Splits the text.
    pub fn read(text: &'a str) -> Self {
        let mut page = Self::default();
        let mut open: Option<(&str, usize)> = None;
        for (at, line) in text.lines().enumerate() {
            let bare = line.trim_start();
            let indent = line.len() - bare.len();
            match open {
                None => match fence_mark(bare) {
                    Some(mark) => {
                        open = Some((mark, indent));
                        let info = bare[mark.len()..].trim();
                        page.fences.push(Fence { info, lines: Vec::new() });
                    }
                    None => page.prose.push((at + 1, line)),
                },
                Some((mark, _)) if bare.starts_with(mark) && closes(bare, mark) => open = None,
                Some((_, fence_indent)) => {
                    let inside = &line[indent.min(fence_indent)..];
                    if let Some(fence) = page.fences.last_mut() {
                        fence.lines.push((at + 1, inside));
                    }
                }
            }
        }
        page
    }

    /// The names that a link within the page may lead to.
    pub fn anchors(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for (_, line) in &self.prose {
            if let Some(title) = heading(line) {
                let name = slug(title);
                // A repeated heading gets a number, as code hosts do it.
                let known = |name: &String| found.contains(name);
                let numbered = (1..).map(|number| format!("{name}-{number}"));
                found.extend(std::iter::once(name.clone()).chain(numbered).find(|n| !known(n)));
            }
            for attribute in ["id=\"", "name=\""] {
                let ids = line.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
                found.extend(ids.map(str::to_owned));
            }
        }
        found
    }

    /// The targets of links and images, with their lines.
    pub fn links(&self) -> Vec<(usize, &'a str)> {
        let mut found = Vec::new();
        for (number, line) in &self.prose {
            let code = code_spans(line);
            for (at, _) in line.match_indices("](") {
                if !code.iter().any(|span| span.contains(&at)) {
                    found.push((*number, target(&line[at + 2..])));
                }
            }
            // A reference: `[name]: target`. A footnote looks the same, but for its `^`.
            let defined = line.trim_start().strip_prefix('[').filter(|rest| !rest.starts_with('^'));
            if let Some((_, rest)) = defined.and_then(|rest| rest.split_once("]:")) {
                found.push((*number, rest.split_whitespace().next().unwrap_or_default()));
            }
        }
        found
    }
}

fn fence_mark(line: &str) -> Option<&str> {
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.len() - line.trim_start_matches(mark).len();
    (length >= 3 && !line[length..].contains(mark)).then(|| &line[..length])
}

fn closes(line: &str, mark: &str) -> bool {
    line.trim_end().chars().all(|c| mark.starts_with(c))
}

fn heading(line: &str) -> Option<&str> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    ((1..=6).contains(&level) && title.starts_with(' ')).then(|| title.trim())
}

/// The name that code hosts give to a heading.
fn slug(title: &str) -> String {
    // Of a link in a heading only its text counts.
    let mut text = title.to_owned();
    while let Some((open, close)) =
        text.find("](").and_then(|at| Some((at, at + text[at..].find(')')?)))
    {
        text.replace_range(open..=close, "");
    }
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The parts of a line between backquotes.
fn code_spans(line: &str) -> Vec<std::ops::Range<usize>> {
    let marks: Vec<usize> = line.match_indices('`').map(|(at, _)| at).collect();
    marks.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect()
}

/// The target at the beginning of what follows `](`, without angle brackets and title.
fn target(rest: &str) -> &str {
    if let Some(bracketed) = rest.strip_prefix('<') {
        return bracketed.split('>').next().unwrap_or_default();
    }
    let mut depth = 1;
    let end = rest.find(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0 || c.is_whitespace()
    });
    &rest[..end.unwrap_or(rest.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_in_a_list_loses_its_indentation() {
        let page = Page::read("1. Run:\n   ```console\n   $ a\n     b\n   ```\nend\n");
        let lines = vec![(3, "$ a"), (4, "  b")];
        assert_eq!(page.fences, [Fence { info: "console", lines }]);
        assert_eq!(page.prose, [(1, "1. Run:"), (6, "end")]);
    }

    #[test]
    fn a_longer_fence_holds_a_shorter_one() {
        let page = Page::read("````md\n```\n[a](b)\n```\n````\n");
        assert_eq!(page.fences.len(), 1);
        assert!(page.links().is_empty());
    }

    #[test]
    fn headings_are_named_as_code_hosts_do() {
        let page =
            Page::read("# The *house*, `kv` & more\n## Run\n## Run\n### [A](b) c\n<a id=\"x\">\n");
        assert_eq!(page.anchors(), ["the-house-kv--more", "run", "run-1", "a-c", "x"]);
    }

    #[test]
    fn links_are_found_in_prose_but_not_in_code() {
        let page = Page::read(
            "[a](one.md) ![b](<two words.png>) `[c](no)` [d](f(x).md \"title\")\n[e]: three.md\n[^1]: note\n",
        );
        let expected = [(1, "one.md"), (1, "two words.png"), (1, "f(x).md"), (2, "three.md")];
        assert_eq!(page.links(), expected);
    }
}
