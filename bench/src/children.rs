//! Processes of the benchmark: each ends with its handle.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::failure::Failure;

/// A running process.
pub struct Running(Child);

impl Running {
    /// Starts a process and waits for the line of its output in which `found` finds what it looks for.
    pub fn start<T: Send + 'static>(
        command: &mut Command,
        patience: Duration,
        found: impl Fn(&str) -> Option<T> + Send + 'static,
    ) -> Result<(Self, T), Failure> {
        let program = command.get_program().to_string_lossy().into_owned();
        // The standard input stays open as long as the handle: a script can end when it closes.
        let child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|error| {
                Failure::new(
                    format!("cannot start `{program}`: {error}"),
                    "is the path right, and is the program built?",
                )
            })?;
        let mut running = Self(child);
        let ready = running.0.stdout.take().map(|stdout| watch(stdout, found));
        match ready.and_then(|ready| ready.recv_timeout(patience).ok()) {
            Some(found) => Ok((running, found)),
            None => Err(Failure::new(
                format!("`{program}` did not get ready in {patience:?}"),
                "its own words are above",
            )),
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if the process has already ended and been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads to the end, so that the process never blocks on a full pipe.
fn watch<T: Send + 'static>(
    stdout: ChildStdout,
    found: impl Fn(&str) -> Option<T> + Send + 'static,
) -> Receiver<T> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(found) = found(&line) {
                // Only the first is waited for.
                let _ = sender.send(found);
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::Running;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_first_fitting_line_is_found() {
        let number = |line: &str| line.parse::<u32>().ok();
        let (_running, found) =
            Running::start(&mut shell("echo hello; echo 7; echo 8; cat"), PATIENCE, number)
                .unwrap();
        assert_eq!(found, 7);
    }

    #[test]
    fn a_process_that_ends_at_once_is_an_error() {
        let never = |_: &str| None::<()>;
        assert!(Running::start(&mut shell("echo hello"), PATIENCE, never).is_err());
        assert!(Running::start(&mut Command::new("/no/such/program"), PATIENCE, never).is_err());
    }
}
