//! Reports of the library as objects of the module `xorbit.reports`, whose fields have the same names.

use std::net::SocketAddr;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use xorbit::{
    ChunksReport, Effort, GetReport, Info, LeaveReport, Manifest, PutReport, Refusal, Replica,
    UnixMillis, WatchContent, Watched, WriteReport,
};

/// An object of Python's, or why it could not be made.
pub type Told<'py> = PyResult<Bound<'py, PyAny>>;

/// The fields of one report.
struct Fields<'py>(Bound<'py, PyDict>);

impl<'py> Fields<'py> {
    fn new(py: Python<'py>) -> Self {
        Self(PyDict::new(py))
    }

    fn with(self, name: &str, value: impl IntoPyObject<'py>) -> PyResult<Self> {
        self.0.set_item(name, value)?;
        Ok(self)
    }

    /// An object of this class.
    fn of(self, class: &str) -> Told<'py> {
        let class = self.0.py().import("xorbit.reports")?.getattr(class)?;
        class.call((), Some(&self.0))
    }
}

/// `None`, or what `report` makes of it.
pub fn optional<'py, T>(
    py: Python<'py>,
    value: Option<&T>,
    report: impl FnOnce(Python<'py>, &T) -> Told<'py>,
) -> Told<'py> {
    value.map_or_else(|| Ok(py.None().into_bound(py)), |value| report(py, value))
}

/// A tuple of what `report` makes of each.
fn tuple<'py, T>(
    py: Python<'py>,
    values: &[T],
    report: impl Fn(Python<'py>, &T) -> Told<'py>,
) -> Told<'py> {
    let all: PyResult<Vec<_>> = values.iter().map(|value| report(py, value)).collect();
    Ok(PyTuple::new(py, all?)?.into_any())
}

/// A moment; one that lies beyond Python's years is the last of them.
fn moment<'py>(py: Python<'py>, at: &UnixMillis) -> Told<'py> {
    py.import("xorbit.reports")?.getattr("moment")?.call1((at.0,))
}

/// A span of time, to the microsecond.
fn span(py: Python<'_>, took: Duration) -> Told<'_> {
    Ok(took.into_pyobject(py)?.into_any())
}

/// An IP address and port.
pub fn address(py: Python<'_>, at: SocketAddr) -> Told<'_> {
    let class = py.import("xorbit.reports")?.getattr("Address")?;
    class.call1((at.ip().to_string(), at.port()))
}

fn addresses<'py>(py: Python<'py>, all: &[SocketAddr]) -> Told<'py> {
    tuple(py, all, |py, at| address(py, *at))
}

/// What a lookup cost.
pub fn effort<'py>(py: Python<'py>, report: &Effort) -> Told<'py> {
    Fields::new(py)
        .with("asked", report.asked)?
        .with("answered", report.answered)?
        .with("hops", report.hops)?
        .with("took", span(py, report.took)?)?
        .of("Effort")
}

fn replica<'py>(py: Python<'py>, report: &Replica) -> Told<'py> {
    let endpoint = report.endpoint.map(SocketAddr::from);
    Fields::new(py)
        .with("id", report.id.to_string())?
        .with("endpoint", optional(py, endpoint.as_ref(), |py, at| address(py, *at))?)?
        .of("Replica")
}

/// A node that would not store.
pub fn refusal<'py>(py: Python<'py>, report: &Refusal) -> Told<'py> {
    Fields::new(py)
        .with("replica", replica(py, &report.replica)?)?
        .with("code", report.code)?
        .with("text", &*report.text)?
        .of("Refusal")
}

fn write<'py>(py: Python<'py>, report: &WriteReport) -> Told<'py> {
    Fields::new(py)
        .with("known", report.known)?
        .with("needed", report.needed)?
        .with("stored", tuple(py, &report.stored, replica)?)?
        .with("refused", tuple(py, &report.refused, refusal)?)?
        .with("silent", tuple(py, &report.silent, replica)?)?
        .with("effort", effort(py, &report.effort)?)?
        .of("WriteReport")
}

fn chunks<'py>(py: Python<'py>, report: &ChunksReport) -> Told<'py> {
    Fields::new(py)
        .with("stored", report.stored)?
        .with("short", report.short)?
        .with("refusal", optional(py, report.refusal.as_deref(), refusal)?)?
        .with("sent", report.sent)?
        .with("held", report.held)?
        .with("asked", report.asked)?
        .of("ChunksReport")
}

/// A put, deletion or announcement that enough replicas took.
pub fn put<'py>(py: Python<'py>, report: &PutReport) -> Told<'py> {
    Fields::new(py)
        .with("target", report.target.to_string())?
        .with("version", report.version.map(xorbit::Version::get))?
        .with("expires", optional(py, report.expires.as_ref(), moment)?)?
        .with("replicas", write(py, &report.replicas)?)?
        .with("chunks", optional(py, report.chunks.as_deref(), chunks)?)?
        .of("PutReport")
}

fn manifest<'py>(py: Python<'py>, report: &Manifest) -> Told<'py> {
    Fields::new(py)
        .with("length", report.length)?
        .with("hash", PyBytes::new(py, &report.hash))?
        .with("chunks", report.chunks())?
        .of("Manifest")
}

/// A value that was found.
pub fn get<'py>(py: Python<'py>, report: &GetReport) -> Told<'py> {
    Fields::new(py)
        .with("target", report.target.to_string())?
        .with("value", PyBytes::new(py, &report.value))?
        .with("manifest", optional(py, report.manifest.as_ref(), manifest)?)?
        .with("content_type", report.content_type.as_deref())?
        .with("version", report.version.get())?
        .with("expires", optional(py, report.expires.as_ref(), moment)?)?
        .with("source", replica(py, &report.source)?)?
        .with("agreed", report.agreed)?
        .with("stale", report.stale)?
        .with("missing", report.missing)?
        .with("silent", report.silent)?
        .with("known", report.known)?
        .with("repairing", report.repairing)?
        .with("effort", effort(py, &report.effort)?)?
        .of("GetReport")
}

/// A version of a watched key.
pub fn watched<'py>(py: Python<'py>, report: &Watched) -> Told<'py> {
    let (value, large) = match &report.content {
        WatchContent::Value(value) => (Some(PyBytes::new(py, value)), None),
        WatchContent::Large(manifest) => (None, Some(manifest)),
        WatchContent::Deleted | WatchContent::Unopened => (None, None),
    };
    Fields::new(py)
        .with("target", report.target.to_string())?
        .with("version", report.version.get())?
        .with("deleted", report.content == WatchContent::Deleted)?
        .with("opens", report.content != WatchContent::Unopened)?
        .with("value", value)?
        .with("manifest", optional(py, large, manifest)?)?
        .with("content_type", report.content_type.as_deref())?
        .with("expires", optional(py, report.expires.as_ref(), moment)?)?
        .with("source", replica(py, &report.source)?)?
        .of("Watched")
}

/// How a node is.
pub fn info<'py>(py: Python<'py>, report: &Info) -> Told<'py> {
    let external: Vec<SocketAddr> = report.external.iter().copied().map(SocketAddr::from).collect();
    let [v4, v6] = report.contacts;
    Fields::new(py)
        .with("id", report.id.to_string())?
        .with("listening", addresses(py, &report.listening)?)?
        .with("advertised", addresses(py, &report.advertised)?)?
        .with("external", addresses(py, &external)?)?
        .with("contacts", (v4, v6))?
        .with("remembered", report.remembered)?
        .with("replicas", report.replicas)?
        .with("read_only", report.read_only)?
        .with("items", report.items)?
        .with("item_bytes", report.item_bytes)?
        .with("members", report.members)?
        .with("topics", report.topics)?
        .with("peers", report.peers)?
        .with("up", span(py, report.up)?)?
        .of("Info")
}

/// What a leave came to.
pub fn leave<'py>(py: Python<'py>, report: &LeaveReport) -> Told<'py> {
    Fields::new(py)
        .with("items", report.items)?
        .with("not_handed_over", report.not_handed_over)?
        .with("members", report.members)?
        .with("members_not_handed_over", report.members_not_handed_over)?
        .of("LeaveReport")
}
