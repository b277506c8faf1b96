//! A running node as the package's two faces drive it: each method gives a request on its way.

use std::future::{Future, IntoFuture};
use std::sync::Arc;

use pyo3::prelude::*;
use xorbit::{Namespace as Place, PutError, PutReport};

use crate::engine::engine;
use crate::namespace::Namespace;
use crate::options::{self, NodeOptions};
use crate::pending::{Pending, Told};
use crate::stream::{Stream, Wanted};
use crate::{errors, reports};

/// A running node.
#[pyclass(frozen, module = "xorbit._native")]
pub struct Node {
    node: Arc<xorbit::Node>,
    public: bool,
    /// Where it was started: of a forked child its threads are not there.
    process: u32,
}

/// What a put is to be, as the package gathered it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct PutOptions<'py> {
    namespace: Option<Bound<'py, Namespace>>,
    ttl_seconds: Option<f64>,
    content_type: Option<String>,
    plain: bool,
    if_version: Option<i128>,
    if_absent: bool,
}

#[pymethods]
impl Node {
    /// Starts one.
    #[staticmethod]
    fn start(options: NodeOptions) -> PyResult<Pending> {
        let (builder, public) = (options.builder()?, options.public);
        Pending::spawn(async move {
            let told: Told = match builder.start().await {
                Ok(node) => {
                    let node = Arc::new(node);
                    Box::new(move |py| {
                        engine()?.remember(&node);
                        let process = std::process::id();
                        Ok(Bound::new(py, Node { node, public, process })?.into_any())
                    })
                }
                Err(error) => Box::new(move |py| Err(errors::of_start(py, &error))),
            };
            told
        })
    }

    /// The addresses that it listens on.
    fn local_addrs<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.node.local_addrs().iter().map(|at| reports::address(py, *at)).collect()
    }

    /// The largest value that it puts or gets, in bytes.
    fn max_value_bytes(&self) -> u64 {
        self.node.max_value()
    }

    /// Puts a value.
    fn put(&self, key: String, value: &[u8], options: PutOptions<'_>) -> PyResult<Pending> {
        let name = format!("key `{key}`");
        let mut put = self.here()?.put(key, value);
        if let Some(namespace) = self.namespace(options.namespace)? {
            put = put.namespace(namespace);
        }
        if let Some(seconds) = options.ttl_seconds {
            put = put.ttl(errors::duration(seconds)?);
        }
        if let Some(text) = options.content_type {
            put = put.content_type(text);
        }
        if options.plain {
            put = put.plain();
        }
        put = conditional(put, options.if_version, options.if_absent)?;
        written(put, name)
    }

    /// Deletes what a key holds.
    fn delete(
        &self,
        key: String,
        namespace: Option<Bound<'_, Namespace>>,
        if_version: Option<i128>,
    ) -> PyResult<Pending> {
        let name = format!("key `{key}`");
        let mut deletion = self.here()?.delete(key);
        if let Some(namespace) = self.namespace(namespace)? {
            deletion = deletion.namespace(namespace);
        }
        written(conditional(deletion, if_version, false)?, name)
    }

    /// Gets a value.
    fn get(
        &self,
        key: String,
        namespace: Option<Bound<'_, Namespace>>,
        consistency: &str,
    ) -> PyResult<Pending> {
        let name = format!("key `{key}`");
        let mut get = self.here()?.get(key).consistency(options::consistency(consistency)?);
        if let Some(namespace) = self.namespace(namespace)? {
            get = get.namespace(namespace);
        }
        Pending::spawn(async move {
            let told: Told = match get.await {
                Ok(report) => Box::new(move |py| reports::get(py, &report)),
                Err(error) => Box::new(move |py| Err(errors::of_get(py, error, &name))),
            };
            told
        })
    }

    /// Watches a key.
    fn watch(
        &self,
        key: String,
        namespace: Option<Bound<'_, Namespace>>,
        after: Option<i128>,
    ) -> PyResult<Stream> {
        let node = Arc::clone(self.here()?);
        let namespace = self.namespace(namespace)?.map(Box::new);
        let after = after.map(options::version).transpose()?;
        Ok(Stream::of(Wanted::Versions { node, key, namespace, after }))
    }

    /// Announces a peer of a topic at this machine; without a port at the one that others see.
    fn announce(&self, topic: &str, port: Option<i128>, seed: bool) -> PyResult<Pending> {
        let (info_hash, port) = (options::topic(topic)?, port.map(options::port).transpose()?);
        let mut announce = self.here()?.announce(info_hash, port.unwrap_or_default());
        if port.is_none() {
            announce = announce.implied_port();
        }
        if seed {
            announce = announce.seed();
        }
        written(announce, format!("topic `{topic}`"))
    }

    /// Finds the peers of a topic.
    fn peers(&self, topic: &str) -> PyResult<Stream> {
        let (node, info_hash) = (Arc::clone(self.here()?), options::topic(topic)?);
        Ok(Stream::of(Wanted::Peers { node, info_hash }))
    }

    /// Waits until it has a contact, and tells whether it has.
    fn joined(&self, limit_seconds: f64) -> PyResult<Pending> {
        let limit = errors::duration(limit_seconds)?;
        self.ask(
            move |node| async move { node.joined(limit).await },
            |py, joined| Ok((*joined).into_pyobject(py)?.to_owned().into_any()),
        )
    }

    /// How it is.
    fn info(&self) -> PyResult<Pending> {
        self.ask(|node| async move { node.info().await }, reports::info)
    }

    /// Hands what it keeps for others off.
    fn leave(&self, within_seconds: Option<f64>) -> PyResult<Pending> {
        let within = within_seconds.map(errors::duration).transpose()?;
        self.ask(move |node| async move { node.leave(within).await }, reports::leave)
    }

    /// Stops it.
    fn close(&self) -> PyResult<Pending> {
        if self.here().is_err() {
            // What runs is the parent's, and nothing of it is here to be stopped.
            return Pending::spawn(async { none() });
        }
        let node = xorbit::Node::clone(&self.node);
        Pending::spawn(async move {
            node.close().await;
            none()
        })
    }
}

impl Node {
    /// The node, if it runs in this process.
    fn here(&self) -> PyResult<&Arc<xorbit::Node>> {
        if self.process == std::process::id() {
            return Ok(&self.node);
        }
        Err(errors::usage(
            "the node was started before this process was forked, and runs in its parent",
            Some("start a node of its own in each process"),
        ))
    }

    /// The namespace to use; on the public network one must be named.
    fn namespace(&self, named: Option<Bound<'_, Namespace>>) -> PyResult<Option<Place>> {
        if named.is_none() && self.public {
            return Err(errors::usage(
                "on the public network a namespace must be named",
                Some("give `namespace=NAME`, or a `Namespace` of a signer or passphrase"),
            ));
        }
        Ok(named.map(|named| named.get().0.clone()))
    }

    /// Asks what fails only if the node is closed.
    fn ask<T: Send + 'static, F>(
        &self,
        question: impl FnOnce(xorbit::Node) -> F,
        report: impl for<'py> FnOnce(Python<'py>, &T) -> PyResult<Bound<'py, PyAny>> + Send + 'static,
    ) -> PyResult<Pending>
    where
        F: Future<Output = Result<T, xorbit::Closed>> + Send + 'static,
    {
        let answer = question(xorbit::Node::clone(self.here()?));
        Pending::spawn(async move {
            let told: Told = match answer.await {
                Ok(answer) => Box::new(move |py| report(py, &answer)),
                Err(xorbit::Closed) => Box::new(|_| Err(errors::closed())),
            };
            told
        })
    }
}

fn none() -> Told {
    Box::new(|py| Ok(py.None().into_bound(py)))
}

fn conditional(
    put: xorbit::Put,
    if_version: Option<i128>,
    if_absent: bool,
) -> PyResult<xorbit::Put> {
    match (if_version, if_absent) {
        (Some(_), true) => Err(errors::usage(
            "`if_version` and `if_absent` exclude each other",
            Some("leave one of them out"),
        )),
        (Some(number), false) => Ok(put.if_version(options::version(number)?)),
        (None, true) => Ok(put.if_absent()),
        (None, false) => Ok(put),
    }
}

/// A put, deletion or announcement on its way.
fn written<W>(write: W, name: String) -> PyResult<Pending>
where
    W: IntoFuture<Output = Result<PutReport, PutError>>,
    W::IntoFuture: Send + 'static,
{
    let write = write.into_future();
    Pending::spawn(async move {
        let told: Told = match write.await {
            Ok(report) => Box::new(move |py| reports::put(py, &report)),
            Err(error) => Box::new(move |py| Err(errors::of_put(py, error, &name))),
        };
        told
    })
}
