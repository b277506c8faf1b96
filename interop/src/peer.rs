//! A foreign process that is told what to do line by line; the protocol stands at the top of
//! `peers/libtorrent_peer.py`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout};

use crate::failure::{Failure, Outcome};

/// From the start until the nodes know each other. A process gives up earlier and says why.
const READY_LIMIT: Duration = Duration::from_secs(40);

/// For one request. A process gives up earlier and says why.
const REPLY_LIMIT: Duration = Duration::from_secs(20);

/// A running foreign process. It ends with its owner, at the latest.
pub struct Peer {
    name: &'static str,
    child: Child,
    stdin: Option<ChildStdin>,
    replies: Lines<BufReader<ChildStdout>>,
    last_id: u64,
}

impl Peer {
    /// libtorrent's process, and what it said when it was ready.
    ///
    /// # Errors
    /// If it is not installed, or does not become ready.
    pub async fn libtorrent(arguments: &[String]) -> Outcome<(Self, Value)> {
        let mut command = Command::new(installed("XORBIT_INTEROP_PYTHON")?);
        command.arg(script("libtorrent_peer.py"));
        Self::start("libtorrent", command, arguments).await
    }

    /// bittorrent-dht's process, and what it said when it was ready.
    ///
    /// # Errors
    /// If it is not installed, or does not become ready.
    pub async fn bittorrent_dht(arguments: &[String]) -> Outcome<(Self, Value)> {
        let modules = installed("XORBIT_INTEROP_NODE_MODULES")?;
        let mut command = Command::new("node");
        command.arg(script("bittorrent_dht_peer.js")).env("XORBIT_NODE_MODULES", modules);
        Self::start("bittorrent-dht", command, arguments).await
    }

    async fn start(
        name: &'static str,
        mut command: Command,
        arguments: &[String],
    ) -> Outcome<(Self, Value)> {
        // What it says on stderr belongs to the test's own output.
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            let program = command.get_program().display();
            missing(format!("cannot start `{program}`: {error}"))
        })?;
        let pipes = (child.stdin.take(), child.stdout.take());
        let (Some(stdin), Some(stdout)) = pipes else {
            return Err(Failure::new(format!("{name} was started without pipes")));
        };
        let replies = BufReader::new(ChildStdout::from_std(stdout)?).lines();
        let stdin = Some(ChildStdin::from_std(stdin)?);
        let mut peer = Self { name, child, stdin, replies, last_id: 0 };
        let ready = peer.line(READY_LIMIT).await?;
        match ready["ready"].as_bool() {
            Some(true) => Ok((peer, ready)),
            _ => Err(Failure::new(format!("{name} did not become ready: {}", ready["error"]))),
        }
    }

    /// What it is.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Makes a request and waits for its answer.
    ///
    /// # Errors
    /// What the process answers as an error, or that it does not answer.
    pub async fn ask(&mut self, op: &str, mut request: Value) -> Outcome<Value> {
        self.last_id += 1;
        request["id"] = json!(self.last_id);
        request["op"] = json!(op);
        let Some(stdin) = &mut self.stdin else {
            return Err(Failure::new(format!("{} was ended", self.name)));
        };
        stdin.write_all(format!("{request}\n").as_bytes()).await?;
        let reply = self.line(REPLY_LIMIT).await?;
        if reply["id"] != request["id"] {
            return Err(Failure::new(format!("{} answers {reply} to {request}", self.name)));
        }
        match reply["error"].as_str() {
            None => Ok(reply),
            Some(error) => {
                let failure = Failure::new(format!("{}, {op}: {error}", self.name));
                Err(failure.refused(reply["code"].as_i64()))
            }
        }
    }

    async fn line(&mut self, limit: Duration) -> Outcome<Value> {
        let name = self.name;
        let late = |_| Failure::new(format!("{name} was silent for {} s", limit.as_secs()));
        let line = tokio::time::timeout(limit, self.replies.next_line()).await.map_err(late)??;
        match line {
            Some(line) => Ok(serde_json::from_str(&line)?),
            None => Err(missing(format!("{name} ended before it answered"))),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its input asks it to leave; it need not be waited for to do so by itself.
        drop(self.stdin.take());
        // An error means that it has left already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn missing(what: String) -> Failure {
    Failure::new(what).hint("run `cargo xtask interop-setup`, then the tests by `cargo xtask test`")
}

/// The path in an environment variable that `cargo xtask test` sets.
///
/// # Errors
/// If it is not set, or nothing is there.
pub fn installed(variable: &str) -> Outcome<PathBuf> {
    let Some(path) = std::env::var_os(variable).map(PathBuf::from) else {
        return Err(missing(format!("`{variable}` is not set, so the foreign nodes are missing")));
    };
    if !path.exists() {
        return Err(missing(format!("`{variable}` names `{}`, not found", path.display())));
    }
    Ok(path)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}
