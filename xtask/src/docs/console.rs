//! `console` blocks: commands behind `$ `, and below each what it prints.

use super::markdown::{Fence, Page};

/// A block of commands that belong together.
#[derive(Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// False for `console no-run`.
    pub runs: bool,
    pub commands: Vec<Command<'a>>,
}

/// One command and what the document shows below it.
#[derive(Debug, PartialEq, Eq)]
pub struct Command<'a> {
    pub line: usize,
    /// As typed, without the `&` that sends it to the background.
    pub typed: String,
    pub in_background: bool,
    pub shown: Vec<&'a str>,
}

/// The `console` blocks of a page, or a line and what is wrong with it.
pub fn blocks(text: &str) -> Result<Vec<Block<'_>>, (usize, String)> {
    let fences = Page::read(text).fences;
    let consoles =
        fences.into_iter().filter(|fence| fence.info.split(' ').next() == Some("console"));
    consoles.map(|fence| block(&fence)).collect()
}

fn block<'a>(fence: &Fence<'a>) -> Result<Block<'a>, (usize, String)> {
    let first = fence.lines.first().map_or(1, |(line, _)| *line);
    let runs = match fence.info {
        "console" => true,
        "console no-run" => false,
        other => {
            return Err((first, format!("`{other}` is neither `console` nor `console no-run`")));
        }
    };
    let mut commands: Vec<Command<'a>> = Vec::new();
    let mut continued = false;
    for (line, text) in &fence.lines {
        if let Some(command) = commands.last_mut().filter(|_| continued) {
            command.typed.push('\n');
            command.typed.push_str(text.strip_prefix("> ").unwrap_or(text));
            continued = text.ends_with('\\');
        } else if let Some(typed) = text.strip_prefix("$ ") {
            let typed = typed.to_owned();
            continued = typed.ends_with('\\');
            commands.push(Command { line: *line, typed, in_background: false, shown: Vec::new() });
        } else if let Some(command) = commands.last_mut() {
            command.shown.push(text);
        } else if runs {
            return Err((
                *line,
                "a `console` block must begin with a command behind `$ `".to_owned(),
            ));
        }
    }
    for command in &mut commands {
        command.tidy_up();
    }
    Ok(Block { runs, commands })
}

impl Command<'_> {
    fn tidy_up(&mut self) {
        // A blank line before the next command is for the eye.
        while self.shown.last().is_some_and(|line| line.trim().is_empty()) {
            self.shown.pop();
        }
        let typed = self.typed.split(" #").next().unwrap_or_default().trim_end();
        let bare = typed.strip_suffix('&').filter(|rest| !rest.ends_with('&'));
        if let Some(bare) = bare {
            self.in_background = true;
            self.typed = bare.trim_end().to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Block<'_> {
        let mut found = blocks(text).unwrap();
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    #[test]
    fn a_command_owns_the_lines_below_it() {
        let block =
            only("```console\n$ xorbit put a b\nstored\n  at 8\n\n$ xorbit get a\nb\n```\n");
        let typed: Vec<&str> = block.commands.iter().map(|c| c.typed.as_str()).collect();
        assert_eq!(typed, ["xorbit put a b", "xorbit get a"]);
        assert_eq!(block.commands[0].shown, ["stored", "  at 8"]);
        assert_eq!(block.commands[1].line, 6);
    }

    #[test]
    fn an_ampersand_at_the_end_means_the_background() {
        let block = only("```console\n$ xorbit node &   # the first\nready\n$ a && b\n```\n");
        assert!(block.commands[0].in_background);
        assert_eq!(block.commands[0].typed, "xorbit node");
        assert!(!block.commands[1].in_background);
    }

    #[test]
    fn a_backslash_continues_a_command() {
        let block = only("```console\n$ xorbit put a \\\n>   b\nstored\n```\n");
        assert_eq!(block.commands[0].typed, "xorbit put a \\\n  b");
        assert_eq!(block.commands[0].shown, ["stored"]);
    }

    #[test]
    fn only_the_words_no_run_keep_a_block_from_running() {
        assert!(!only("```console no-run\n$ rm x\n```\n").runs);
        let (line, what) = blocks("```console norun\n$ rm x\n```\n").unwrap_err();
        assert_eq!((line, what.contains("`console norun`")), (2, true));
        assert!(blocks("```sh\n$ rm x\n```\n").unwrap().is_empty());
    }

    #[test]
    fn a_block_without_a_first_command_is_refused() {
        assert!(blocks("```console\nstored\n```\n").is_err());
    }
}
