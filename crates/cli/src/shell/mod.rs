//! `xorbit shell`: verbs typed one after another.

mod completion;

use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Command;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Editor};

use crate::config::Config;
use crate::connection::ConnectionArgs;
use crate::failure::{Failure, Kind};
use crate::running::{RunningArgs, Way};
use crate::talk;
use completion::Words;

/// Ends the help.
pub const AFTER_HELP: &str = "Tab completes verbs, options and keys typed before; `help VERB` tells of a \
    verb; Ctrl-D leaves. What is given here holds for every verb that has the option. From a pipe it \
    reads a line for each verb, and ends with the exit code of the last. A line that begins with a \
    space is not kept.";

/// Verbs that make no sense inside.
const OUTSIDE: [&str; 4] = ["completions", "man", "node", "shell"];

/// How long a verb that hears Ctrl-C may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// Lines that are kept.
const HISTORY_LINES: usize = 1000;

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Keep no history of what is typed
    #[arg(long)]
    no_history: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    running: RunningArgs,
}

/// What comes of a line.
enum Next {
    /// The exit code of a verb.
    Code(u8),
    Leave,
}

/// Does it.
pub async fn run(args: &Args, file: Option<&Path>) -> Result<(), Failure> {
    let mut program = crate::definition();
    if let Some(file) = file {
        program = Config::read(file, &program)?.settle(program);
    }
    program = typed(&program).settle(program).mut_subcommands(|verb| {
        let hidden = OUTSIDE.contains(&verb.get_name());
        verb.hide(hidden)
    });
    let last = match io::stdin().is_terminal() {
        true => talk_with(args, &program).await?,
        false => from_a_pipe(&program).await?,
    };
    match last {
        0 => Ok(()),
        // It has told why.
        code => std::process::exit(code.into()),
    }
}

/// What was typed for the shell itself.
fn typed(program: &Command) -> Config {
    let shell = program.find_subcommand("shell").cloned().unwrap_or_default();
    let matches = program.clone().try_get_matches_from(std::env::args_os());
    let matches = matches.ok().and_then(|mut matches| matches.remove_subcommand());
    matches.map_or_else(Config::default, |(_, matches)| Config::typed(&shell, &matches))
}

async fn from_a_pipe(program: &Command) -> Result<u8, Failure> {
    let mut last = 0;
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|cause| {
            Failure::new(Kind::Environment, format!("cannot read stdin: {cause}"))
        })?;
        match take(&line, program).await {
            Next::Code(code) => last = code,
            Next::Leave => break,
        }
    }
    Ok(last)
}

async fn talk_with(args: &Args, program: &Command) -> Result<u8, Failure> {
    let failure =
        |cause: ReadlineError| Failure::new(Kind::Environment, format!("no shell: {cause}"));
    let mut editor: Editor<Words, FileHistory> = Editor::new().map_err(failure)?;
    editor.set_completion_type(CompletionType::List);
    editor.set_history_ignore_space(true);
    editor.set_max_history_size(HISTORY_LINES).map_err(failure)?;
    editor.set_helper(Some(Words::new(program.clone())));
    let history = history_file().filter(|_| !args.no_history);
    if let Some(file) = &history {
        // There is none yet, or it cannot be read: both begin without.
        let _ = editor.load_history(file);
    }
    let way = Way::find(&args.running, &args.connection, None, 0).await;
    talk::say(format_args!("verbs go {way}\n`help` tells which there are; Ctrl-D leaves"));
    loop {
        let line = match editor.readline("xorbit> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(cause) => return Err(failure(cause)),
        };
        // Kept at once: what comes next may end the shell.
        let _ = editor.add_history_entry(line.trim_end());
        if let Some(file) = &history {
            keep(&mut editor, file);
        }
        if matches!(take(&line, program).await, Next::Leave) {
            break;
        }
    }
    Ok(0)
}

/// Without a history a shell is as good; it says nothing each time that it cannot be written.
fn keep(editor: &mut Editor<Words, FileHistory>, file: &Path) {
    if let Some(folder) = file.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    let _ = editor.save_history(file);
}

/// Where programs keep what outlives them (XDG Base Directory Specification).
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|folder| !folder.is_empty());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state"));
    Some(state.map(PathBuf::from).or_else(home)?.join("xorbit/history"))
}

/// Does what a line says.
async fn take(line: &str, program: &Command) -> Next {
    let Some(words) = shlex::split(line) else {
        Failure::new(Kind::Usage, "a quote is open").tell(false);
        return Next::Code(2);
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => Next::Code(0),
        ["exit" | "quit", ..] => Next::Leave,
        [verb, ..] if OUTSIDE.contains(verb) => {
            let what = format!("`{verb}` cannot be done from inside the shell");
            let hint = format!("type `xorbit {verb}` in another terminal");
            Failure::new(Kind::Usage, what).hint(hint).tell(false);
            Next::Code(2)
        }
        words => Next::Code(run_verb(words, program).await),
    }
}

/// Runs a verb to its end, or until Ctrl-C.
async fn run_verb(words: &[&str], program: &Command) -> u8 {
    let arguments = ["xorbit"].iter().chain(words);
    // As a command of its own it would be found in the help of each verb.
    let program = program.clone().disable_help_subcommand(false);
    let parsed = match crate::parse(program, arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help comes this way, too. Where it cannot be told, nothing can.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let json = parsed.json;
    let stopped = async {
        let _ = tokio::signal::ctrl_c().await;
        tokio::time::sleep(GRACE).await;
    };
    let outcome = tokio::select! {
        outcome = Box::pin(crate::dispatch(parsed, json)) => outcome,
        () = stopped => Err(Failure::new(Kind::Environment, "stopped")),
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            failure.tell(json);
            failure.exit_code()
        }
    }
}
