//! What Tab completes: verbs, their options, what an option takes, files, and keys typed before.

use std::borrow::Cow;
use std::collections::BTreeSet;

use clap::{Arg, Command};
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::history::SearchDirection;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

/// Words of the shell itself.
const OWN: [&str; 3] = ["exit", "help", "quit"];

/// How many lines back keys are looked for.
const LINES: usize = 200;

/// Knows the words that can stand in a line.
pub struct Words {
    program: Command,
    files: FilenameCompleter,
    hinter: HistoryHinter,
    colours: bool,
}

impl Words {
    /// The words of a program.
    pub fn new(program: Command) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|told| !told.is_empty());
        let (files, hinter) = (FilenameCompleter::new(), HistoryHinter::new());
        Self { program, files, hinter, colours: !no_color }
    }

    /// The words that may stand at the end of these, of which the last is begun; `None`: a file.
    fn candidates(&self, words: &[&str], keys: &BTreeSet<String>) -> Option<Vec<String>> {
        let (begun, before) = words.split_last()?;
        let mut command = &self.program;
        let mut inner = before.iter().peekable();
        while let Some(next) = inner.peek().and_then(|word| command.find_subcommand(word)) {
            command = next;
            inner.next();
        }
        let given: Vec<&str> = inner.copied().collect();
        let option = given.last().and_then(|word| option(command, word));
        let mut all: Vec<String> = match option {
            Some(arg) if arg.get_action().takes_values() => values(arg)?,
            _ if begun.starts_with('-') => options(command),
            _ if matches!(before, [] | ["help"]) => {
                let own = OWN.iter().filter(|_| before.is_empty());
                own.map(|word| (*word).to_owned()).chain(names(command)).collect()
            }
            _ if command.has_subcommands() => names(command).collect(),
            _ if given.is_empty() && takes_key(command) => keys.iter().cloned().collect(),
            _ => Vec::new(),
        };
        all.retain(|word| word.starts_with(begun));
        all.sort();
        Some(all)
    }
}

fn option<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let long = word.strip_prefix("--")?;
    command.get_arguments().find(|arg| arg.get_long() == Some(long))
}

/// What an option takes; `None`: a file.
fn values(arg: &Arg) -> Option<Vec<String>> {
    let names: Vec<&str> =
        arg.get_value_names().unwrap_or_default().iter().map(|name| name.as_str()).collect();
    match names.as_slice() {
        ["FILE" | "PATH" | "DIR" | "FOLDER"] => None,
        _ => {
            let possible = arg.get_possible_values();
            Some(possible.iter().map(|value| value.get_name().to_owned()).collect())
        }
    }
}

fn options(command: &Command) -> Vec<String> {
    let longs = command.get_arguments().filter_map(Arg::get_long);
    longs.chain(["help"]).map(|long| format!("--{long}")).collect()
}

fn names(command: &Command) -> impl Iterator<Item = String> + '_ {
    let shown = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    shown.map(|verb| verb.get_name().to_owned())
}

/// Whether the first word after a verb is a key.
fn takes_key(command: &Command) -> bool {
    command.get_positionals().next().is_some_and(|first| first.get_id() == "key")
}

/// The keys of the lines before.
fn keys(program: &Command, context: &Context<'_>) -> BTreeSet<String> {
    let history = context.history();
    let from = history.len().saturating_sub(LINES);
    let lines = (from..history.len())
        .filter_map(|index| history.get(index, SearchDirection::Forward).ok().flatten());
    let keys = lines.filter_map(|line| {
        let words = shlex::split(&line.entry)?;
        let [verb, key, ..] = words.as_slice() else { return None };
        let verb = program.find_subcommand(verb)?;
        (takes_key(verb) && !key.starts_with('-')).then(|| key.clone())
    });
    keys.collect()
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..pos];
        let start = typed.rfind(char::is_whitespace).map_or(0, |space| space + 1);
        let words: Vec<&str> = typed[..start].split_whitespace().chain([&typed[start..]]).collect();
        match self.candidates(&words, &keys(&self.program, context)) {
            None => self.files.complete(line, pos, context),
            Some(all) => {
                // What is sure is followed by the next word.
                let end = if all.len() == 1 { " " } else { "" };
                let pair = |word: String| Pair {
                    replacement: crate::namespace::quoted(&word) + end,
                    display: word,
                };
                Ok((start, all.into_iter().map(pair).collect()))
            }
        }
    }
}

impl Hinter for Words {
    type Hint = String;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<String> {
        self.hinter.hint(line, pos, context)
    }
}

impl Highlighter for Words {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        match self.colours {
            true => Cow::Owned(format!("\x1b[2m{hint}\x1b[0m")),
            // Without colours it could not be told from what is typed.
            false => Cow::Borrowed(""),
        }
    }
}

impl Validator for Words {}

impl Helper for Words {}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(typed: &str) -> Option<Vec<String>> {
        let words = Words::new(crate::definition());
        let keys = ["greeting", "group photo"].map(String::from).into();
        words.candidates(&typed.split(' ').collect::<Vec<_>>(), &keys)
    }

    #[track_caller]
    fn assert_completed(typed: &str, to: &[&str]) {
        assert_eq!(completed(typed).unwrap(), to, "`{typed}`");
    }

    #[test]
    fn a_line_begins_with_a_verb() {
        assert_completed("sta", &["status"]);
        assert_completed("exi", &["exit"]);
        assert_completed("help unk", &["unkeep"]);
        assert!(completed("").unwrap().len() > 20);
    }

    #[test]
    fn after_a_verb_come_its_options_what_they_take_and_keys() {
        assert_completed("get --o", &["--output"]);
        assert_completed("get --zz", &[]);
        assert_completed("completions --he", &["--help"]);
        assert_completed("get gr", &["greeting", "group photo"]);
        assert_completed("lookup --json gr", &[]);
        assert_completed("store ch", &["check"]);
        assert_eq!(completed("get greeting --output "), None);
    }
}
