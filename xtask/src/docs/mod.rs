//! `cargo xtask docs`: what the documents promise. Links lead somewhere, and the commands in
//! `console` blocks of README.md and docs/*.md print what stands below them.

mod console;
mod expect;
mod links;
mod markdown;
mod stage;
mod talker;

use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::tidy::Tree;
use stage::Stage;

/// Checks the links of all documents, then plays the commands with that `xorbit` on the path.
pub fn run(root: &Path, xorbit: &Path) -> Outcome {
    let tree = Tree::read(root)?;
    let mut complaints: Vec<String> = links::dead(&tree).iter().map(ToString::to_string).collect();
    let (mut played, mut commands) = (0, 0);
    for file in tree.files.iter().filter(|file| holds_commands(&file.path)) {
        let blocks = match console::blocks(&file.text) {
            Ok(blocks) => blocks,
            Err((line, what)) => {
                complaints.push(format!("{}:{line}: {what}", file.path));
                continue;
            }
        };
        for block in blocks.iter().filter(|block| block.runs) {
            played += 1;
            commands += block.commands.len();
            if let Err((line, what)) = Stage::new(root, xorbit)?.play(block) {
                complaints.push(format!("{}:{line}: {what}", file.path));
            }
        }
    }
    if tree.file("README.md").is_none() {
        complaints.push("README.md:1: the file is missing".to_owned());
    } else if played == 0 {
        complaints.push("README.md:1: no `console` block was found to run".to_owned());
    }
    complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
    match complaints.len() {
        0 => {
            println!("{commands} commands in {played} blocks do what the documents say");
            Ok(())
        }
        count => {
            Err(Failure::new(format!("the documents are wrong at {count} places, named above"))
                .hint("correct the document, or the program if the document is right"))
        }
    }
}

fn holds_commands(path: &str) -> bool {
    let page = path.strip_prefix("docs/").is_some_and(|page| !page.contains('/'));
    path == "README.md" || (page && path.ends_with(".md"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_from_the_readme_and_the_pages_in_docs() {
        assert!(holds_commands("README.md"));
        assert!(holds_commands("docs/run.md"));
        assert!(!holds_commands("docs/old/run.md"));
        assert!(!holds_commands("crates/wire/README.md"));
    }
}
