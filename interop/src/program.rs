//! The program itself, as a process of its own: what is tried from outside is what people run.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::ChildStdout;

use crate::failure::{Failure, Outcome};
use crate::peer::installed;

/// From the start until it serves.
const READY_LIMIT: Duration = Duration::from_secs(20);

/// A running `xorbit node` that serves HTTP on loopback. It ends with its owner.
pub struct Program {
    child: Child,
    /// Where it serves HTTP, as `http://127.0.0.1:8080/`.
    pub http: String,
}

impl Program {
    /// A node in the network of others, told these options, too.
    ///
    /// # Errors
    /// If the program is not built, or does not come to serve.
    pub async fn node(others: &[SocketAddr], options: &[&str]) -> Outcome<Self> {
        let mut command = Command::new(installed("XORBIT_BIN")?);
        command.args(["node", "--json", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
        for other in others {
            command.args(["--join", &other.to_string()]);
        }
        // What it says on stderr belongs to the test's own output.
        command.args(options).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take();
        let mut program = Self { child, http: String::new() };
        let Some(stdout) = stdout else {
            return Err(Failure::new("the program was started without a pipe"));
        };
        let mut lines = BufReader::new(ChildStdout::from_std(stdout)?).lines();
        let late = |_| Failure::new("the program did not become ready");
        let ready = tokio::time::timeout(READY_LIMIT, lines.next_line()).await.map_err(late)??;
        let told: Value = serde_json::from_str(&ready.unwrap_or_default())?;
        program.http = told["http"].as_str().unwrap_or_default().to_owned();
        Ok(program)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
