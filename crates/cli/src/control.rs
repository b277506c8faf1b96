//! How verbs speak with a node that runs on this machine: through the Unix socket `control.sock` in
//! its data directory, one JSON object a line each way. Here the client, and what both sides share.
//!
//! A request is an object with one entry: `keep`, `unkeep` or `kept`. It is answered by any number of
//! `{"promise": ..}` and then one `{"done": ..}` or `{"error": ..}`.

#[cfg(unix)]
mod lines;
#[cfg(not(unix))]
#[path = "control/no_lines.rs"]
mod lines;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use zeroize::Zeroize;

use crate::failure::{Failure, Kind};
use crate::namespace::quoted;

pub use lines::Lines;

/// The socket's name in the data directory.
const SOCKET: &str = "control.sock";

/// Bytes of the path of a Unix socket, without the zero behind it (Linux has 108 with it; others have
/// less, and say so when it is bound).
const SOCKET_PATH_BYTES: usize = 107;

/// How long a conversation may take: a few lookups in a bad network.
pub const CONVERSATION: Duration = Duration::from_secs(120);

/// Which node keeps a promise.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Keeper")]
pub struct DataArgs {
    /// The data directory of the node that keeps it, which must run on this machine
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl DataArgs {
    /// Sees that a node runs with this directory, before anything else is done. It is left again: who
    /// has nothing to say yet, since a value or a passphrase is still to come, holds a place for
    /// nothing and is soon left by the node.
    pub async fn look(&self) -> Result<(), Failure> {
        self.reach().await.map(drop)
    }

    /// Reaches the node that runs with this directory, to say something at once.
    pub async fn reach(&self) -> Result<Control, Failure> {
        let Some(directory) = &self.data else {
            return Err(Failure::new(Kind::Usage, "which node keeps it is not said").hint(
                "name the data directory of one that runs on this machine with `--data DIR`",
            ));
        };
        Control::reach(directory).await
    }
}

/// Where the socket of a data directory is.
///
/// # Errors
/// How long its path is, if it is too long for a socket.
pub fn socket_path(directory: &Path) -> Result<PathBuf, usize> {
    let path = directory.join(SOCKET);
    match path.as_os_str().len() {
        0..=SOCKET_PATH_BYTES => Ok(path),
        length => Err(length),
    }
}

/// Why a directory with such a long path cannot have a socket.
pub fn too_long(length: usize) -> String {
    format!(
        "`{SOCKET}` there has a path of {length} bytes, and a socket's has at most {SOCKET_PATH_BYTES}"
    )
}

/// A conversation with a node.
pub struct Control {
    lines: Lines,
    directory: PathBuf,
}

impl Control {
    async fn reach(directory: &Path) -> Result<Self, Failure> {
        let shown = directory.display();
        let path = socket_path(directory).map_err(|length| {
            Failure::new(
                Kind::Usage,
                format!("cannot reach a node in `{shown}`: {}", too_long(length)),
            )
            .hint("run node and verb in that directory with `--data .`, or take a shorter path")
        })?;
        let lines = Lines::connect(&path).await.map_err(|cause| match cause.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                let start = format!("xorbit node --data {}", quoted(&directory.to_string_lossy()));
                Failure::new(Kind::Unreachable, format!("no node runs in `{shown}`"))
                    .hint(format!("start one with `{start}`"))
            }
            _ => Failure::new(
                Kind::Environment,
                format!("cannot reach the node in `{shown}`: {cause}"),
            )
            .hint("only the user who runs the node may speak with it"),
        })?;
        Ok(Self { lines, directory: directory.to_owned() })
    }

    /// Asks one thing and takes what comes of it; `each` gets the promises told before.
    pub async fn ask(
        &mut self,
        mut request: Value,
        mut each: impl FnMut(Value),
    ) -> Result<Value, Failure> {
        let talk = async {
            let sent = self.lines.send(&request).await;
            wipe(&mut request);
            sent?;
            while let Some(line) = self.lines.next().await? {
                let mut answer: Value = serde_json::from_slice(&line)?;
                if let Some(promise) = answer.get_mut("promise") {
                    each(promise.take());
                } else if let Some(done) = answer.get_mut("done") {
                    return Ok(Ok(done.take()));
                } else if let Some(error) = answer.get("error") {
                    return Ok(Err(Failure::from_json(error)));
                }
            }
            Err(io::Error::from(ErrorKind::UnexpectedEof))
        };
        let told = tokio::time::timeout(CONVERSATION, talk).await;
        let told = told.unwrap_or_else(|_| Err(io::Error::from(ErrorKind::TimedOut)));
        told.unwrap_or_else(|cause| {
            let shown = self.directory.display();
            let what = format!("the node in `{shown}` did not answer: {cause}");
            Err(Failure::new(Kind::Environment, what).hint("see `xorbit kept` whether it was done"))
        })
    }
}

/// The request that makes a promise. It holds what can sign.
pub fn keep(key: &str, namespace: &xorbit::Namespace, ttl: Duration) -> Value {
    let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
    let mut request = json!({ "keep": { "key": key, "ttl_ms": ttl_ms } });
    // Moved there: what `json!` is given it copies.
    request["keep"]["namespace"] = Value::String(gateway::hex::encode(&namespace.to_bytes()));
    request
}

/// Wipes the namespace of a request from memory.
pub fn wipe(request: &mut Value) {
    if let Some(Value::String(text)) = request.pointer_mut("/keep/namespace") {
        text.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_sign_is_wiped_from_a_request() {
        let mut request = keep("k", &xorbit::Namespace::default(), Duration::from_secs(1));
        assert_eq!(request["keep"]["namespace"].as_str().unwrap().len(), 66);
        wipe(&mut request);
        assert_eq!(request["keep"]["namespace"], "");
    }

    #[test]
    fn a_directory_may_lie_only_so_deep() {
        let deep = |length| PathBuf::from("d".repeat(length));
        assert!(socket_path(&deep(SOCKET_PATH_BYTES - 13)).is_ok());
        assert_eq!(socket_path(&deep(SOCKET_PATH_BYTES - 12)), Err(SOCKET_PATH_BYTES + 1));
    }
}
