//! `xorbit shell`, from a pipe and at a terminal.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{Directory, Node, PATIENCE, program, run_with};

#[test]
fn from_a_pipe_each_line_is_a_verb_and_the_last_one_tells_the_exit_code() {
    let node = Node::start(&[]);
    let lines = b"put 'a key' \"a value\"\n\n# a comment\nget 'a key'\nget nothing\n";
    let told = node.run_with(&["shell"], lines).expect(1);
    assert_eq!(told.text(), "a value", "{told:?}");
    assert!(told.stderr.contains("key `nothing` not found"), "{told:?}");
    let told =
        node.run_with(&["shell"], b"get nothing\nget 'a key'\nexit\nget nothing\n").expect(0);
    assert_eq!(told.text(), "a value", "{told:?}");
}

#[test]
fn what_is_given_to_the_shell_holds_for_its_verbs_and_can_be_overridden() {
    let node = Node::start(&["--network", "ours"]);
    let shell = ["shell", "--join", &node.address, "--network", "ours"];
    let told = run_with(&shell, b"put k v --trace\nget k\n", &[]).expect(0);
    assert_eq!(told.text(), "v", "{told:?}");
    assert!(told.stderr.contains("`--join` says through whom"), "{told:?}");
    run_with(&shell, b"get k --network other\n", &[]).expect(5);
}

#[test]
fn a_line_that_is_none_is_told_and_the_next_is_done() {
    let node = Node::start(&[]);
    let lines = b"put \"k\nnode\npout k v\nput k\nhelp get\nget --help\nput k v\n";
    let told = node.run_with(&["shell"], lines).expect(0);
    for part in [
        "error: a quote is open",
        "error: `node` cannot be done from inside the shell",
        "unrecognized subcommand 'pout'",
        "stored: 1 replica of 1 known",
    ] {
        assert!(told.stderr.contains(part), "{part}: {told:?}");
    }
    assert_eq!(told.text().matches("Print the value of a key").count(), 2, "{told:?}");
}

/// A shell at a terminal of its own.
struct Terminal {
    typing: File,
    shown: Arc<Mutex<String>>,
    child: std::process::Child,
}

impl Terminal {
    fn start(node: &Node, state: &str) -> Self {
        let pty = nix::pty::openpty(None, None).unwrap();
        let other = |fd: &OwnedFd| Stdio::from(fd.try_clone().unwrap());
        // The terminal that Ctrl-C comes from.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(program().get_program());
        command.arg("shell").env("XORBIT_JOIN", &node.address).env("XDG_STATE_HOME", state);
        command.env("TERM", "xterm").stdin(other(&pty.slave)).stdout(other(&pty.slave));
        let child = command.stderr(other(&pty.slave)).spawn().unwrap();
        drop(command);
        drop(pty.slave);
        let typing = File::from(pty.master);
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut reading, all) = (typing.try_clone().unwrap(), shown.clone());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It ends with an error when the shell does.
            while let Ok(count @ 1..) = reading.read(&mut bytes) {
                all.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Self { typing, shown, child }
    }

    /// Types keys and waits until something is shown that was not there before.
    fn type_and_see(&mut self, keys: &str, part: &str) {
        self.shown.lock().unwrap().clear();
        self.typing.write_all(keys.as_bytes()).unwrap();
        let deadline = Instant::now() + PATIENCE;
        while !self.shown.lock().unwrap().contains(part) {
            assert!(Instant::now() < deadline, "{part}: {:?}", self.shown.lock().unwrap());
            // waits: for the shell to draw
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both fail only if it has ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn at_a_terminal_verbs_are_completed_kept_and_stopped() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let mut shell = Terminal::start(&node, &directory.path("state"));
    shell.type_and_see("", "Ctrl-D leaves");
    shell.type_and_see("put greeting hello\r", "stored: 1 replica");
    shell.type_and_see("ge\tgree\t", "get greeting");
    shell.type_and_see("\r", "hello");
    shell.type_and_see("watch greeting\r", "UTC: hello");
    shell.type_and_see("\x03", "xorbit> ");
    shell.type_and_see(" get hidden\r", "not found");
    shell.type_and_see("\x04", "");
    assert_eq!(shell.child.wait().unwrap().code(), Some(0));
    let kept = fs::read_to_string(directory.path("state/xorbit/history")).unwrap();
    let lines: Vec<&str> = kept.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines, ["put greeting hello", "get greeting", "watch greeting"]);
}
