//! Errors of the library as exceptions of the module `xorbit.errors`: what happened, and a way out.

use std::time::Duration;

use pyo3::IntoPyObject;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use xorbit::{
    Absence, Closed, DataDirError, GetError, PutError, ReadError, StartError, StoreError,
    WatchError, WriteReport,
};

use crate::reports::{self, Told};

/// An exception about to be raised.
pub struct Raise<'py> {
    py: Python<'py>,
    class: &'static str,
    message: String,
    fields: PyResult<Bound<'py, PyDict>>,
}

impl<'py> Raise<'py> {
    /// Of this class, with these words.
    pub fn new(py: Python<'py>, class: &'static str, message: impl Into<String>) -> Self {
        Self { py, class, message: message.into(), fields: Ok(PyDict::new(py)) }
    }

    /// Adds the way out.
    pub fn hint(self, hint: &str) -> Self {
        self.with("hint", hint)
    }

    /// Adds an attribute.
    pub fn with(mut self, name: &str, value: impl IntoPyObject<'py>) -> Self {
        if let Ok(fields) = &self.fields
            && let Err(error) = fields.set_item(name, value)
        {
            self.fields = Err(error);
        }
        self
    }

    /// Adds an attribute that a report is, if it could be made.
    fn with_report(self, name: &str, report: Told<'py>) -> Self {
        match report {
            Ok(report) => self.with(name, report),
            Err(error) => Self { fields: Err(error), ..self },
        }
    }

    /// The exception; if making it fails, that failure.
    pub fn error(self) -> PyErr {
        let Self { py, class, message, fields } = self;
        let made = fields.and_then(|fields| {
            let class = py.import("xorbit.errors")?.getattr(class)?;
            class.call((message,), Some(&fields))
        });
        made.map_or_else(|error| error, PyErr::from_value)
    }
}

/// Something that the caller asked for is impossible.
pub fn usage(message: &str, hint: Option<&str>) -> PyErr {
    plain("UsageError", message, hint)
}

/// Something on this machine is in the way.
pub fn environment(message: &str, hint: Option<&str>) -> PyErr {
    plain("StartError", message, hint)
}

/// The node was closed.
pub fn closed() -> PyErr {
    plain("Closed", &Closed.to_string(), None)
}

/// The limit that the caller gave has passed.
pub fn timed_out(limit: Duration) -> PyErr {
    let message = format!("nothing came within {} s", limit.as_secs_f64());
    plain("TimedOut", &message, Some("give it longer with `timeout_seconds`"))
}

fn plain(class: &'static str, message: &str, hint: Option<&str>) -> PyErr {
    Python::attach(|py| {
        let raise = Raise::new(py, class, message);
        hint.map_or_else(|| Raise::new(py, class, message), |hint| raise.hint(hint)).error()
    })
}

/// A span of seconds as callers give it.
pub fn duration(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        usage(&format!("{seconds} is no number of seconds"), Some("give a number from 0 on"))
    })
}

/// Why a node does not start.
pub fn of_start(py: Python<'_>, error: &StartError) -> PyErr {
    use std::io::ErrorKind;
    let message = error.to_string();
    let raise = |class| Raise::new(py, class, message.as_str());
    let raised = match error {
        StartError::Bind { cause, .. } => match cause.kind() {
            ErrorKind::AddrInUse => raise("StartError")
                .hint("something else uses that port; take another, or 0 for a free one"),
            ErrorKind::AddrNotAvailable => raise("StartError")
                .hint("give an address that this machine has, or `0.0.0.0` for all"),
            ErrorKind::PermissionDenied => {
                raise("StartError").hint("ports below 1024 need privileges; take a higher one")
            }
            _ => raise("StartError"),
        },
        StartError::TwoOfOneFamily(..) => raise("UsageError")
            .hint("listen on `0.0.0.0:PORT` for all IPv4 addresses, `[::]:PORT` for all IPv6"),
        StartError::BadJoin(_) => {
            raise("UsageError").hint("name a node that runs, as `join=\"127.0.0.1:8000\"`")
        }
        StartError::BadReplicas(_) => raise("UsageError"),
        StartError::SealedPublic => {
            raise("UsageError").hint("leave out the network key, or start a network of your own")
        }
        StartError::DataDir(cause) => raise("StartError").hint(data_dir_way_out(cause)),
        StartError::NoRandomness(_) | StartError::NoThread(_) => raise("StartError"),
    };
    raised.error()
}

fn data_dir_way_out(error: &DataDirError) -> &'static str {
    match error {
        DataDirError::NotADirectory(_) => {
            "give a directory; one that is not there yet is made by the node"
        }
        DataDirError::NoStore(_) => "give the directory that a node was started with",
        DataDirError::InUse(_) => "close the other node first, or give another directory",
        DataDirError::Unreadable { .. } => "move the file away to start as a new node",
        DataDirError::Store { cause: StoreError::TooNew { .. }, .. } => {
            "a later version of this package wrote it: use that, or another directory"
        }
        DataDirError::Io { .. } | DataDirError::Store { .. } => {
            "see that the disk works, has room and can be written, or give another directory"
        }
    }
}

/// What most often is in the way when nobody answers.
const UNREACHABLE: &str = "see that a node runs at the address given with `join`, in the same network \
                           and with the same network key, and that nothing on the way drops UDP";

/// Why a put, deletion or announcement failed; `name` says of what, as in ``key `greeting` ``.
pub fn of_put(py: Python<'_>, error: PutError, name: &str) -> PyErr {
    let message = format!("{name}: {error}");
    let raise = |class| Raise::new(py, class, message.as_str());
    let raised = match error {
        PutError::TooLarge { length, limit } => raise("TooLarge")
            .hint("without `plain` it is cut into as many items as it needs")
            .with("length", length)
            .with("limit", limit),
        PutError::AboveLimit { length, limit } => above_limit(raise("TooLarge"), length, limit),
        PutError::ChunksNotStored { short, of, refusal } => raise("NotEnoughReplicas")
            .hint("put it again: only the chunks that are missing are sent")
            .with("short", short)
            .with("of", of)
            .with_report("refusal", reports::optional(py, refusal.as_deref(), reports::refusal)),
        PutError::BadTtl(_) => {
            raise("UsageError").hint("renew a value that shall live longer by putting it again")
        }
        PutError::Key(_)
        | PutError::BadContentType(_)
        | PutError::Namespace(_)
        | PutError::BadItem(_)
        | PutError::ReadOnce => raise("UsageError"),
        PutError::Unreachable(effort) => raise("Unreachable")
            .hint(UNREACHABLE)
            .with_report("effort", reports::effort(py, &effort)),
        PutError::NotFound(effort) => Raise::new(py, "NotFound", format!("{name} not found"))
            .with("reason", "never_seen")
            .with_report("effort", reports::effort(py, &effort)),
        PutError::Conflict { current } => {
            let hint = match current {
                Some(version) => format!("get it, then put again with `if_version={version}`"),
                None => "it holds no value, or another put was quicker: get it to see".into(),
            };
            raise("Conflict").hint(&hint).with("current", current.map(xorbit::Version::get))
        }
        PutError::Undetermined { version } => raise("Undetermined")
            .hint("get it to see which version it holds now")
            .with("version", version.get()),
        PutError::NotEnoughReplicas(report) => raise("NotEnoughReplicas")
            .hint(shortfall_way_out(&report.replicas))
            .with("known", report.replicas.known)
            .with("needed", report.replicas.needed)
            .with_report("report", reports::put(py, &report)),
        PutError::VersionExhausted(version) => raise("Conflict")
            .hint("only somebody who meant harm can have written that; take another key")
            .with("current", version.get()),
        PutError::Busy => raise("Busy").hint("wait for some of the requests on their way first"),
        PutError::Closed => raise("Closed"),
        PutError::Source(_) => raise("XorbitError"),
    };
    raised.error()
}

fn shortfall_way_out(report: &WriteReport) -> &'static str {
    if report.was_overtaken() {
        return "get the current value, then put again with `if_version`";
    }
    if report.refused.len() >= report.silent.len() && !report.refused.is_empty() {
        return "`report.replicas.refused` tells why each of them refused";
    }
    "try again: nodes that are gone are passed over once others notice"
}

fn above_limit(raise: Raise<'_>, length: u64, limit: u64) -> Raise<'_> {
    raise
        .hint("start the node with a higher `max_value_bytes`")
        .with("length", length)
        .with("limit", limit)
}

/// Why a get failed.
pub fn of_get(py: Python<'_>, error: GetError, name: &str) -> PyErr {
    let message = format!("{name}: {error}");
    let raise = |class| Raise::new(py, class, message.as_str());
    let raised = match error {
        GetError::Key(_) => raise("UsageError"),
        GetError::NotFound { absence, effort } => {
            let (reason, words, version) = match absence {
                Absence::NeverSeen => ("never_seen", "", None),
                Absence::Deleted(version) => ("deleted", ": it was deleted", Some(version)),
                Absence::Expired(version) => ("expired", ": it has expired", Some(version)),
            };
            Raise::new(py, "NotFound", format!("{name} not found{words}"))
                .with("reason", reason)
                .with("version", version.map(xorbit::Version::get))
                .with_report("effort", reports::effort(py, &effort))
        }
        GetError::Unopened { version, older } => raise("Unopened")
            .hint("somebody wrote it who can sign in this namespace; a put or delete replaces it")
            .with("version", version.get())
            .with_report("older", reports::optional(py, older.as_deref(), reports::get)),
        GetError::AboveLimit { length, limit } => above_limit(raise("TooLarge"), length, limit),
        GetError::Chunks(ReadError::Missing { missing, of }) => raise("NotEnoughReplicas")
            .hint("put the value again: only what is missing is sent")
            .with("short", missing)
            .with("of", of),
        GetError::Chunks(ReadError::Mismatch) => {
            raise("Refused").hint("whoever wrote it erred or meant harm; it must be put again")
        }
        GetError::Unreachable(effort) => raise("Unreachable")
            .hint(UNREACHABLE)
            .with_report("effort", reports::effort(py, &effort)),
        GetError::NotEnoughReplicas { answered, known, needed, found } => {
            let hint = match found {
                Some(_) => "`found` has the newest value among them, which may be an old one",
                None => "try again: some nodes are slow or have just gone",
            };
            raise("NotEnoughReplicas")
                .hint(hint)
                .with("answered", answered)
                .with("known", known)
                .with("needed", needed)
                .with_report("found", reports::optional(py, found.as_deref(), reports::get))
        }
        GetError::Busy => raise("Busy").hint("wait for some of the requests on their way first"),
        GetError::Closed => raise("Closed"),
        GetError::Sink(_) => raise("XorbitError"),
    };
    raised.error()
}

/// Why a watch ended.
pub fn of_watch(py: Python<'_>, error: &WatchError, name: &str) -> PyErr {
    let raise = |class| Raise::new(py, class, format!("{name}: {error}"));
    match error {
        WatchError::Key(_) => raise("UsageError"),
        WatchError::Unreachable => raise("Unreachable").hint(UNREACHABLE),
        WatchError::Busy => raise("Busy").hint("end some of the watches of this node first"),
        WatchError::Closed => raise("Closed"),
    }
    .error()
}
