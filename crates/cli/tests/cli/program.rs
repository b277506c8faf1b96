//! Running the program: verbs to their end, nodes until they are dropped.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// For anything that a process shall do: far more than it takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a verb came to.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub took: Duration,
}

impl Outcome {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap()
    }

    /// The same, after a look at the exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

/// Runs a verb to its end.
pub fn run(arguments: &[&str]) -> Outcome {
    run_with(arguments, b"", &[])
}

/// Runs a verb to its end, none of whose files may become longer than so many blocks of 512 or 1,024
/// bytes, as the shell counts.
pub fn run_with_short_files(blocks: u32, arguments: &[&str]) -> Outcome {
    let mut command = with_short_files(blocks);
    command.args(arguments).stdin(Stdio::piped());
    Running::start(command).outcome(b"")
}

/// Runs a verb to its end, with something on stdin and in the environment.
pub fn run_with(arguments: &[&str], stdin: &[u8], environment: &[(&str, &str)]) -> Outcome {
    let mut command = program();
    command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::piped());
    Running::start(command).outcome(stdin)
}

/// Runs a verb to its end that joins through a node and may have so many KiB of memory of its own.
pub fn run_in_memory(kib: u32, node: &Node, arguments: &[&str]) -> Outcome {
    let mut command = Command::new("sh");
    let script = format!("ulimit -d {kib}; exec \"$@\"");
    command.args(["-c", &script, "sh"]).arg(program().get_program()).args(arguments);
    command.env("XORBIT_JOIN", &node.address).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Running::start(command).outcome(b"")
}

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xorbit"));
    let ours = [
        "XORBIT_HTTP",
        "XORBIT_HTTP_CORS",
        "XORBIT_HTTP_OPEN",
        "XORBIT_HTTP_TOKEN_FILE",
        "XORBIT_HTTP_URL",
        "XORBIT_JOIN",
        "XORBIT_NETWORK_KEY_FILE",
        "XORBIT_SECRET",
    ];
    ours.iter().for_each(|name| {
        command.env_remove(name);
    });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn with_short_files(blocks: u32) -> Command {
    let mut command = Command::new("sh");
    // A write beyond the limit shall fail, as on a full disk, and not end the process.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    command.args(["-c", &script, "sh"]).arg(program().get_program());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A verb that runs, and whose stdin is open until it is told all.
pub struct Verb {
    running: Running,
}

impl Verb {
    /// Starts a verb that joins through a node.
    pub fn start(node: &Node, arguments: &[&str]) -> Self {
        Self::start_through(&node.address, arguments)
    }

    /// Starts a verb that joins through whoever is there.
    pub fn start_through(address: &str, arguments: &[&str]) -> Self {
        let mut command = program();
        command.args(arguments).env("XORBIT_JOIN", address).stdin(Stdio::piped());
        Self { running: Running::start(command) }
    }

    /// Starts one that lets nobody else read what it makes.
    pub fn start_for_itself(node: &Node, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", "umask 077; exec \"$@\"", "sh"]).arg(program().get_program());
        command.args(arguments).env("XORBIT_JOIN", &node.address);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { running: Running::start(command) }
    }

    /// Reads no more of what it prints.
    pub fn close_stdout(&mut self) {
        drop(self.running.child.stdout.take());
    }

    /// Gives it all of its stdin and waits for its end.
    pub fn end_with(mut self, stdin: &[u8]) -> Outcome {
        self.running.outcome(stdin)
    }

    /// Sends a signal to this very process, and waits for its end.
    pub fn leave(mut self, signal: &str) -> Outcome {
        self.running.signal(signal);
        self.running.outcome(b"")
    }
}

/// All that comes out of a pipe, once it is closed.
fn everything(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        // The test may have failed by now.
        let _ = sender.send(bytes);
    });
    receiver
}

/// The lines that come out of a pipe, as they come.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            if sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A process that ends with its test.
struct Running {
    child: Child,
    started: Instant,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let started = Instant::now();
        Self { child: command.spawn().unwrap(), started }
    }

    /// Sends a signal to this very process.
    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status();
        assert!(sent.unwrap().success());
    }

    /// Gives it all of its stdin and waits for its end.
    fn outcome(&mut self, stdin: &[u8]) -> Outcome {
        let mut input = self.child.stdin.take().unwrap();
        // Most verbs do not read it, and may have ended before.
        let _ = input.write_all(stdin);
        drop(input);
        let stdout = self.child.stdout.take().map(everything);
        let stderr = everything(self.child.stderr.take().unwrap());
        let waited = "a verb ended in time";
        let stdout = stdout.map(|stdout| stdout.recv_timeout(PATIENCE).expect(waited));
        let stderr = stderr.recv_timeout(PATIENCE).expect(waited);
        let status = self.child.wait().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        let (code, took) = (status.code().unwrap(), self.started.elapsed());
        Outcome { code, stdout: stdout.unwrap_or_default(), stderr, took }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A node that runs.
pub struct Node {
    running: Running,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// Its line on stdout.
    pub ready: String,
    /// Where it is.
    pub address: String,
    /// Who it is.
    pub id: String,
}

impl Node {
    /// Starts a node on a free port of loopback and waits until it is ready.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(&[&["--listen", "127.0.0.1:0"], arguments].concat())
    }

    /// Starts a node that serves HTTP, and tells where.
    pub fn serve(arguments: &[&str]) -> (Self, String) {
        let node = Self::start(&[&["--http", "127.0.0.1:0"], arguments].concat());
        let line = node.hear("HTTP at http://");
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        let url = url.trim_end_matches([',', ';']).to_owned();
        (node, url)
    }

    /// Starts a node at an address.
    pub fn start_at(address: &str) -> Self {
        Self::start_with(&["--listen", address])
    }

    /// Starts a node with these arguments alone.
    pub fn start_with(arguments: &[&str]) -> Self {
        let mut command = program();
        command.arg("node").args(arguments);
        Self::start_command(command)
    }

    /// Starts a node on a free port of loopback, none of whose files may become longer than so many
    /// blocks of 512 or 1,024 bytes, as the shell counts.
    pub fn start_with_short_files(blocks: u32, arguments: &[&str]) -> Self {
        let mut command = with_short_files(blocks);
        command.args(["node", "--listen", "127.0.0.1:0"]).args(arguments);
        Self::start_command(command)
    }

    /// Starts a node and kills it so long after, whatever it does by then.
    pub fn start_and_kill(arguments: &[&str], after: Duration) {
        let mut command = program();
        command.arg("node").args(arguments).stdin(Stdio::null());
        let running = Running::start(command);
        // waits: for any moment of its start
        thread::sleep(after);
        drop(running);
    }

    fn start_command(mut command: Command) -> Self {
        command.stdin(Stdio::null());
        let mut running = Running::start(command);
        let stdout = lines(running.child.stdout.take().unwrap());
        let stderr = lines(running.child.stderr.take().unwrap());
        let ready = stdout.recv_timeout(PATIENCE).expect("a node gets ready");
        let word_after = |word: &str| {
            let mut words = ready.split([' ', ',']).skip_while(|other| *other != word);
            words.nth(1).unwrap().to_owned()
        };
        let (address, id) = (word_after("at"), word_after("node"));
        Self { running, stdout, stderr, ready, address, id }
    }

    /// Starts a node that joins this one, and waits until both know of it.
    pub fn start_beside(other: &Node, arguments: &[&str]) -> Self {
        let node = Self::start(&[&["--join", &other.address], arguments].concat());
        node.hear("joined");
        let place = format!("hex:{}", node.id);
        let deadline = Instant::now() + PATIENCE;
        while !other.run(&["lookup", &place]).expect(0).text().starts_with(&node.id) {
            assert!(
                Instant::now() < deadline,
                "`{}` did not come to know its new neighbour",
                other.id
            );
        }
        node
    }

    /// Waits for a line of talk with this part.
    #[track_caller]
    pub fn hear(&self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut heard = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.stderr.recv_timeout(left) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => heard.push(line),
                Err(_) => panic!("`{part}` was not said, but {heard:?}"),
            }
        }
    }

    /// Runs a verb that joins through this node.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        run_with(arguments, b"", &[("XORBIT_JOIN", &self.address)])
    }

    /// Runs a verb that joins through this node, with something on stdin.
    pub fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Outcome {
        run_with(arguments, stdin, &[("XORBIT_JOIN", &self.address)])
    }

    /// Runs a verb that joins through this node, with a passphrase in the environment.
    pub fn run_in_secret(&self, passphrase: &str, arguments: &[&str]) -> Outcome {
        self.run_in_secret_with(passphrase, arguments, b"")
    }

    /// Like [`Node::run_in_secret`], with this on stdin.
    pub fn run_in_secret_with(
        &self,
        passphrase: &str,
        arguments: &[&str],
        stdin: &[u8],
    ) -> Outcome {
        let environment = [("XORBIT_JOIN", &self.address[..]), ("XORBIT_SECRET", passphrase)];
        run_with(arguments, stdin, &environment)
    }

    /// Its memory without the pages of the program itself, where the system tells.
    pub fn own_kib(&self) -> Option<u64> {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.running.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }

    /// Sends a signal to this very process.
    pub fn signal(&self, signal: &str) {
        self.running.signal(signal);
    }

    /// Sends a signal to this very process, and waits for its end.
    pub fn leave(mut self, signal: &str) -> (ExitStatus, Vec<String>) {
        self.signal(signal);
        // Its stdout closes when it ends.
        while self.stdout.recv_timeout(PATIENCE).is_ok() {}
        let last_words = self.stderr.iter().collect();
        (self.running.child.wait().unwrap(), last_words)
    }
}

/// A watch that runs.
pub struct Watch {
    running: Running,
    stdout: Receiver<String>,
}

impl Watch {
    /// Starts to watch through a node.
    pub fn start(node: &Node, arguments: &[&str]) -> Self {
        let mut command = program();
        command.arg("watch").args(arguments).env("XORBIT_JOIN", &node.address);
        command.stdin(Stdio::null());
        let mut running = Running::start(command);
        let stdout = lines(running.child.stdout.take().unwrap());
        Self { running, stdout }
    }

    /// The next line that it prints.
    #[track_caller]
    pub fn line(&self) -> String {
        self.stdout.recv_timeout(PATIENCE).expect("a version comes")
    }

    /// Waits for its end.
    pub fn ended(mut self) -> ExitStatus {
        while self.stdout.recv_timeout(PATIENCE).is_ok() {}
        self.running.child.wait().unwrap()
    }

    /// Sends a signal to this very process, and waits for its end.
    pub fn leave(self, signal: &str) -> ExitStatus {
        self.running.signal(signal);
        self.ended()
    }
}

/// A directory that ends with its test.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("xorbit-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A path inside.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// A file inside.
    pub fn file(&self, name: &str, content: &[u8]) -> String {
        fs::write(self.0.join(name), content).unwrap();
        self.path(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
