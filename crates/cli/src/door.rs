//! The side of the node: it listens on `control.sock` in its data directory and does what verbs on
//! this machine ask of it. Who is not the user that runs it is not heard.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway::hex;
use serde_json::{Value, json};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use xorbit::{Namespace, Node, PromiseId};
use zeroize::Zeroizing;

use crate::control::{CONVERSATION, Lines, socket_path, too_long, wipe};
use crate::failure::{Failure, Kind};
use crate::promise;

/// Conversations at once; others wait.
const CONVERSATIONS: usize = 8;

/// How long a verb may take to say what it wants.
const QUIET: Duration = Duration::from_secs(10);

/// The pause after the system gave no connection.
const BREATH: Duration = Duration::from_millis(100);

/// An open door. Dropping it closes it.
pub struct Door {
    path: PathBuf,
    task: AbortHandle,
}

impl Door {
    /// Opens the door of a node that has this data directory to itself.
    ///
    /// # Errors
    /// Why that cannot be, in words.
    pub fn open(directory: &Path, node: Node) -> Result<Self, String> {
        let path = socket_path(directory).map_err(too_long)?;
        let listen = || -> io::Result<(UnixListener, u32)> {
            // What a killed node left: the directory is ours alone, so nobody listens there.
            match fs::remove_file(&path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
                _ => {}
            }
            let listener = UnixListener::bind(&path)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            Ok((listener, fs::metadata(&path)?.uid()))
        };
        let (listener, user) =
            listen().map_err(|cause| format!("cannot listen on `{}`: {cause}", path.display()))?;
        let task = tokio::spawn(welcome(listener, user, node)).abort_handle();
        Ok(Self { path, task })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
        // A file that stays is removed by the next node.
        let _ = fs::remove_file(&self.path);
    }
}

async fn welcome(listener: UnixListener, user: u32, node: Node) {
    let room = Arc::new(Semaphore::new(CONVERSATIONS));
    while let Ok(place) = room.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let node = node.clone();
                tokio::spawn(async move {
                    // Who is late or talks nonsense is left; that is its own fault.
                    let _ = tokio::time::timeout(CONVERSATION, converse(stream, user, &node)).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

async fn converse(stream: UnixStream, user: u32, node: &Node) -> io::Result<()> {
    let mut lines = Lines::new(stream);
    // Also where the file's mode says nothing, as on some systems.
    if lines.user()? != user {
        return Ok(());
    }
    while let Ok(line) = tokio::time::timeout(QUIET, lines.next()).await
        && let Some(line) = line?
    {
        let outcome = match serde_json::from_slice(&line) {
            Ok(request) => answer(request, node, &lines).await?,
            Err(cause) => Err(Failure::new(Kind::Usage, format!("not JSON: {cause}"))),
        };
        let told = match outcome {
            Ok(done) => json!({ "done": done }),
            Err(failure) => json!({ "error": failure.to_json() }),
        };
        lines.send(&told).await?;
    }
    Ok(())
}

async fn answer(
    mut request: Value,
    node: &Node,
    lines: &Lines,
) -> io::Result<Result<Value, Failure>> {
    if request.get("kept").is_some() {
        let promises = match node.promises().await {
            Ok(promises) => promises,
            Err(closed) => return Ok(Err(closed.into())),
        };
        for status in &promises {
            lines.send(&json!({ "promise": promise::status_json(status) })).await?;
        }
        return Ok(Ok(json!({ "promises": promises.len() })));
    }
    if let Some(promise) = request.pointer("/unkeep/promise").and_then(Value::as_str) {
        let Some(id) = hex::decode(promise).map(PromiseId::new) else {
            return Ok(Err(Failure::new(Kind::Usage, format!("`{promise}` names no promise"))));
        };
        let outcome = node.unkeep_promise(id).await;
        return Ok(outcome.map(|()| json!({})).map_err(promise::unkeep_failure));
    }
    let wanted = Wanted::read(&request);
    wipe(&mut request);
    let Some(Wanted { key, namespace, ttl }) = wanted else {
        let what = "neither a whole `keep` nor `unkeep` nor `kept`";
        return Ok(Err(Failure::new(Kind::Usage, what)));
    };
    let outcome = node.keep(key.clone()).namespace(namespace).ttl(ttl).await;
    Ok(outcome
        .map(|report| promise::report_json(&report))
        .map_err(|error| promise::keep_failure(error, &key)))
}

/// A promise that is asked for.
struct Wanted {
    key: String,
    namespace: Namespace,
    ttl: Duration,
}

impl Wanted {
    fn read(request: &Value) -> Option<Self> {
        let keep = request.get("keep")?;
        let key = keep.get("key")?.as_str()?.to_owned();
        let bytes = Zeroizing::new(hex::decode_all(keep.get("namespace")?.as_str()?)?);
        let namespace = Namespace::from_bytes(&bytes)?;
        let ttl = Duration::from_millis(keep.get("ttl_ms")?.as_u64()?);
        Some(Self { key, namespace, ttl })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_promise_is_taken() {
        let whole = crate::control::keep("k", &Namespace::default(), Duration::from_secs(60));
        let wanted = Wanted::read(&whole).unwrap();
        assert_eq!((&wanted.key[..], wanted.ttl), ("k", Duration::from_secs(60)));
        assert_eq!(wanted.namespace.owner(), Namespace::default().owner());
        for part in ["key", "namespace", "ttl_ms"] {
            for bad in [Value::Null, json!(-1), json!("00"), json!({})] {
                let mut torn = whole.clone();
                torn["keep"][part] = bad.clone();
                let key_is_text = part == "key" && bad.is_string();
                assert_eq!(Wanted::read(&torn).is_some(), key_is_text, "{torn}");
            }
        }
    }
}
