//! Just enough reading of `Cargo.toml` for the rules: section, key and value of each line.

/// One `key = value` line.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// As between the brackets, without blanks.
    pub section: &'a str,
    pub key: &'a str,
    /// As written, a comment behind it included.
    pub value: &'a str,
    pub line: usize,
}

/// The entries, in order; the further lines of a value of many lines are left out.
pub fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut found = Vec::new();
    let mut section = "";
    let mut open = 0;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let inside_value = open > 0;
        open += line.bytes().map(nesting).sum::<i32>();
        if inside_value {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            section = header.split(" #").next().unwrap_or(header).trim().trim_matches(['[', ']']);
        } else if let Some((key, value)) = line.split_once('=') {
            found.push(Entry { section, key: key.trim(), value: value.trim(), line: at + 1 });
        }
    }
    found
}

fn nesting(byte: u8) -> i32 {
    match byte {
        b'[' | b'{' => 1,
        b']' | b'}' => -1,
        _ => 0,
    }
}

/// A dependency: the name of its package, as far as the manifest itself tells it.
#[derive(Debug, PartialEq, Eq)]
pub struct Dependency<'a> {
    pub name: &'a str,
    pub line: usize,
}

/// What is linked into the crate: `[dependencies]` of every target, and `[build-dependencies]`.
pub fn dependencies(text: &str) -> Vec<Dependency<'_>> {
    let mut found: Vec<Dependency<'_>> = Vec::new();
    for entry in entries(text) {
        let Some(table) = dependency_table(entry.section) else {
            continue;
        };
        let own_section = !table.is_empty();
        let key = entry.key.split('.').next().unwrap_or(entry.key).trim_matches('"');
        let (name, package) = match own_section {
            true => (table, (entry.key == "package").then_some(entry.value)),
            false => (key, entry.value.split_once("package").map(|(_, rest)| rest)),
        };
        let renamed = package.and_then(|rest| rest.split('"').nth(1));
        found.push(Dependency { name: renamed.unwrap_or(name), line: entry.line });
    }
    found
}

/// The rest of a section's name behind `dependencies`: empty for the table itself.
fn dependency_table(section: &str) -> Option<&str> {
    let own = match section.strip_prefix("target.") {
        Some(rest) => &rest[rest.find("dependencies")?..],
        None => section,
    };
    let dev = section.contains("dev-dependencies");
    let rest = own.strip_prefix("build-").unwrap_or(own).strip_prefix("dependencies")?;
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    (!dev).then_some(rest.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        dependencies(text).into_iter().map(|dependency| dependency.name).collect()
    }

    #[test]
    fn entries_carry_their_section_and_line() {
        let found = entries("# a = 1\n[lints] # all\nworkspace = true\n");
        let entry = Entry { section: "lints", key: "workspace", value: "true", line: 3 };
        assert_eq!(found, [entry]);
    }

    #[test]
    fn a_value_of_many_lines_is_one_entry() {
        let text =
            "[dependencies]\ntokio = { features = [\n  \"net\",\n  \"rt\",\n] }\nwire = \"1\"\n";
        assert_eq!(names(text), ["tokio", "wire"]);
    }

    #[test]
    fn a_dependency_is_found_in_each_way_of_writing_it() {
        assert_eq!(names("[dependencies]\nwire.workspace = true\n"), ["wire"]);
        assert_eq!(names("[dependencies]\nw = { package = \"xorbit-wire\" }\n"), ["xorbit-wire"]);
        assert_eq!(names("[dependencies.node]\npath = \"../node\"\n"), ["node"]);
        assert_eq!(names("[target.'cfg(unix)'.dependencies]\nkv = \"1\"\n"), ["kv"]);
        assert_eq!(names("[build-dependencies]\nkv = \"1\"\n"), ["kv"]);
    }

    #[test]
    fn what_only_tests_link_is_no_dependency() {
        assert!(names("[dev-dependencies]\nkv = \"1\"\n").is_empty());
        assert!(names("[target.'cfg(unix)'.dev-dependencies]\nkv = \"1\"\n").is_empty());
        assert!(names("[workspace.dependencies]\nkv = \"1\"\n").is_empty());
    }
}
