//! Plays the commands of one block in a folder of its own, with `xorbit` on the path.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::console::{Block, Command};
use super::expect;
use super::talker::Talker;
use crate::failure::Failure;

/// For one command of a document; a reader would have given up long before.
const PATIENCE: Duration = Duration::from_secs(60);
/// For cargo, which may have to compile everything.
const CARGO_PATIENCE: Duration = Duration::from_secs(1800);

static COUNT: AtomicU32 = AtomicU32::new(0);

/// The folder, and what still runs in it.
pub struct Stage {
    root: PathBuf,
    folder: PathBuf,
    background: Vec<(usize, Talker)>,
    last_code: i32,
    patience: Duration,
}

impl Stage {
    pub fn new(root: &Path, xorbit: &Path) -> Result<Self, Failure> {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("xorbit-docs-{}-{number}", std::process::id());
        let folder = env::temp_dir().join(name);
        let prepare = || -> io::Result<()> {
            fs::create_dir_all(folder.join("here"))?;
            fs::create_dir_all(folder.join("bin"))?;
            symlink(xorbit, folder.join("bin/xorbit"))
        };
        prepare().map_err(|error| {
            Failure::new(format!("cannot prepare `{}`: {error}", folder.display()))
        })?;
        Ok(Self {
            root: root.to_owned(),
            folder,
            background: Vec::new(),
            last_code: 0,
            patience: PATIENCE,
        })
    }

    /// Plays all commands; the error is a line of the document and what is wrong there.
    pub fn play(mut self, block: &Block<'_>) -> Result<(), (usize, String)> {
        for command in &block.commands {
            self.command(command).map_err(|what| {
                let typed = command.typed.replace("\\\n", " ");
                (command.line, format!("`{typed}` {what}"))
            })?;
        }
        for (line, talker) in &mut self.background {
            if let Ok(Some(status)) = talker.child.try_wait() {
                return Err((*line, format!("the background process ended early, with {status}")));
            }
        }
        Ok(())
    }

    fn command(&mut self, command: &Command<'_>) -> Result<(), String> {
        if let Some(task) = command.typed.strip_prefix("cargo xtask")
            && matches!(task.trim(), "test" | "docs")
        {
            return self.alias_exists();
        }
        if command.in_background { self.begin(command) } else { self.finish(command) }
    }

    /// The gate runs the documents, so the documents do not run the gate.
    fn alias_exists(&self) -> Result<(), String> {
        let config = fs::read_to_string(self.root.join(".cargo/config.toml")).unwrap_or_default();
        let found = config.lines().any(|line| line.starts_with("xtask ="));
        if found { Ok(()) } else { Err("has no alias `xtask` in .cargo/config.toml".to_owned()) }
    }

    fn finish(&mut self, command: &Command<'_>) -> Result<(), String> {
        let of_cargo = command.typed.starts_with("cargo ");
        // `$?` is that of the command before, as in a terminal.
        let script = format!("(exit {}); {}", self.last_code, command.typed);
        let mut shell = if of_cargo { self.in_repository() } else { self.in_folder() };
        // A group of its own, so that a command that hangs is ended with all it started.
        shell.args(["-c", &script]).process_group(0);
        let mut talker = Talker::start(shell)?;
        let patience = if of_cargo { CARGO_PATIENCE } else { self.patience };
        let Some(status) = talker.listen_to_the_end(patience) else {
            talker.signal("KILL", true);
            talker.end();
            return Err(format!("did not end within {} s", patience.as_secs()));
        };
        self.last_code = status.code().unwrap_or(128);
        let shown_error = command.shown.iter().any(|line| line.starts_with("error:"));
        if !status.success() && !shown_error {
            return Err(format!("ended with {status} and printed:\n{}", talker.indented()));
        }
        let talk_of_cargo = of_cargo && command.shown.is_empty();
        if talk_of_cargo || expect::matches(&command.shown, &talker.lines()) {
            return Ok(());
        }
        Err(differs(&command.shown, &talker))
    }

    /// Starts a background process and waits until it has said what the document shows; if that
    /// is nothing, until it has said anything.
    fn begin(&mut self, command: &Command<'_>) -> Result<(), String> {
        let mut shell = self.in_folder();
        // The process itself takes the shell's place, so that its pid is the child's.
        shell.args(["-c", &format!("exec env {}", command.typed)]);
        let mut talker = Talker::start(shell)?;
        let ready = |lines: &[&str]| match command.shown.as_slice() {
            [] => !lines.is_empty(),
            shown => expect::begins(shown, lines),
        };
        let ended = talker.listen_until(self.patience, ready);
        let result = if ready(&talker.lines()) {
            Ok(())
        } else if ended {
            Err(format!("ended before it was ready and printed:\n{}", talker.indented()))
        } else {
            Err(differs(&command.shown, &talker))
        };
        self.background.push((command.line, talker));
        result
    }

    fn in_repository(&self) -> Process {
        let mut shell = self.shell();
        // Its own progress differs from machine to machine and is no part of a document.
        shell.current_dir(&self.root).env("CARGO_TERM_QUIET", "true");
        shell
    }

    /// As on a machine where nothing is set up yet.
    fn in_folder(&self) -> Process {
        let here = self.folder.join("here");
        let mut shell = self.shell();
        shell.current_dir(&here).env("HOME", &here);
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("XORBIT_") || text.starts_with("XDG_") || text.starts_with("RUST_")
            {
                shell.env_remove(&name);
            }
        }
        shell
    }

    fn shell(&self) -> Process {
        let mut folders = vec![self.folder.join("bin")];
        folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let mut shell = Process::new("sh");
        if let Ok(path) = env::join_paths(folders) {
            shell.env("PATH", path);
        }
        shell.env("NO_COLOR", "1").stdin(Stdio::null());
        shell
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // All are asked first, so that they take their leave together.
        self.background.iter_mut().for_each(|(_, talker)| talker.signal("TERM", false));
        for (_, talker) in &mut self.background {
            talker.end();
        }
        // What cannot be removed lies in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn differs(shown: &[&str], talker: &Talker) -> String {
    let indented = |lines: &[&str]| lines.iter().map(|l| format!("    {l}\n")).collect::<String>();
    let printed = talker.indented();
    format!("does not print what is shown\n  shown:\n{}  printed:\n{printed}", indented(shown))
}

#[cfg(test)]
mod tests;
