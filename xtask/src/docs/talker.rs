//! A child process whose words are read while it runs, and that is always ended.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// For a process to end when asked, before it is ended.
pub const GOODBYE: Duration = Duration::from_secs(5);
/// Between two looks at whether a process has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A child whose output and talk are read together, as a terminal shows them.
pub struct Talker {
    pub child: Child,
    incoming: Receiver<Vec<u8>>,
    said: Vec<u8>,
    text: String,
}

impl Talker {
    pub fn start(mut process: Command) -> Result<Self, String> {
        let begin = || -> io::Result<Self> {
            let (mut reader, writer) = io::pipe()?;
            process.stdout(writer.try_clone()?).stderr(writer);
            let child = process.spawn()?;
            // Its ends of the pipe go with it, or the reader would never see the end.
            drop(process);
            let (sender, incoming) = channel();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = reader.read(&mut buffer) {
                    if sender.send(buffer[..length].to_vec()).is_err() {
                        break;
                    }
                }
            });
            Ok(Self { child, incoming, said: Vec::new(), text: String::new() })
        };
        begin().map_err(|error| format!("could not be started: {error}"))
    }

    /// Listens until `enough` lines were said, the end, or the deadline; true at the end.
    pub fn listen_until(&mut self, patience: Duration, enough: impl Fn(&[&str]) -> bool) -> bool {
        let deadline = Instant::now() + patience;
        loop {
            if enough(&self.lines()) {
                return false;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.incoming.recv_timeout(left) {
                Ok(bytes) => {
                    self.said.extend(bytes);
                    self.text = String::from_utf8_lossy(&self.said).into_owned();
                }
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }

    /// Listens until the child has ended; nothing if it does not in time.
    pub fn listen_to_the_end(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        self.listen_until(patience, |_| false);
        self.wait_until(deadline)
    }

    fn wait_until(&mut self, deadline: Instant) -> Option<ExitStatus> {
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            thread::sleep(LOOK);
        }
    }

    pub fn lines(&self) -> Vec<&str> {
        self.text.trim_end().lines().collect()
    }

    pub fn indented(&self) -> String {
        self.lines().iter().map(|line| format!("    {line}\n")).collect()
    }

    /// Sends a signal to the child, or to the group it leads, if it still runs.
    pub fn signal(&mut self, name: &str, whole_group: bool) {
        if let Ok(None) = self.child.try_wait() {
            let pid = format!("{}{}", if whole_group { "-" } else { "" }, self.child.id());
            // Without `--`, which not every shell's own `kill` takes.
            let script = format!("kill -{name} {pid}");
            // A child that ended in between needs no signal.
            let _ = Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status();
        }
    }

    pub fn end(&mut self) {
        if self.wait_until(Instant::now() + GOODBYE).is_none() {
            // It did not listen; what fails here has just ended by itself.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
