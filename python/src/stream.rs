//! What comes bit by bit: versions of a watched key, peers of a topic.

use std::net::SocketAddr;
use std::sync::Arc;

use pyo3::prelude::*;
use tokio::sync::{Mutex, watch};
use xorbit::{InfoHash, Version, WatchError, Watched};

use crate::pending::{Pending, Told};
use crate::{errors, reports};

/// What is asked for. A stream begins with the first bit that somebody wants.
pub enum Wanted {
    /// The versions of a key.
    Versions {
        /// Who looks for them.
        node: Arc<xorbit::Node>,
        /// Of which key.
        key: String,
        /// Where it lives.
        namespace: Option<Box<xorbit::Namespace>>,
        /// Only those above this one.
        after: Option<Version>,
    },
    /// The peers of a topic.
    Peers {
        /// Who looks for them.
        node: Arc<xorbit::Node>,
        /// Of which topic.
        info_hash: InfoHash,
    },
}

impl Wanted {
    /// How errors name it.
    fn name(&self) -> String {
        match self {
            Self::Versions { key, .. } => format!("key `{key}`"),
            Self::Peers { info_hash, .. } => format!("topic `{info_hash}`"),
        }
    }

    async fn begin(&self) -> Result<Coming, WatchError> {
        match self {
            Self::Versions { node, key, namespace, after } => {
                let mut watch = node.watch(key.as_str());
                if let Some(namespace) = namespace {
                    watch = watch.namespace(xorbit::Namespace::clone(namespace));
                }
                if let Some(version) = after {
                    watch = watch.after(*version);
                }
                watch.await.map(Coming::Versions)
            }
            Self::Peers { node, info_hash } => {
                let peers = node.peers(*info_hash).await;
                peers.map(Coming::Peers).map_err(|_| WatchError::Closed)
            }
        }
    }
}

enum Coming {
    Versions(xorbit::Watching),
    Peers(xorbit::Peers),
}

impl Coming {
    /// The next; may be cancelled without losing any.
    async fn next(&mut self) -> Bit {
        match self {
            Self::Versions(watching) => match watching.next().await {
                Some(Ok(watched)) => Bit::Version(Box::new(watched)),
                Some(Err(error)) => Bit::Failed(error),
                None => Bit::Ended,
            },
            Self::Peers(peers) => peers.next().await.map_or(Bit::Ended, Bit::Peer),
        }
    }
}

/// One of what comes, or why there are no more.
enum Bit {
    Version(Box<Watched>),
    Peer(SocketAddr),
    Failed(WatchError),
    Ended,
}

impl Bit {
    /// As Python has it; at the end `None`.
    fn told<'py>(self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Version(watched) => reports::watched(py, &watched),
            Self::Peer(at) => reports::address(py, at),
            Self::Failed(error) => Err(errors::of_watch(py, &error, name)),
            Self::Ended => Ok(py.None().into_bound(py)),
        }
    }
}

struct Flow {
    wanted: Wanted,
    coming: Option<Coming>,
    /// One that came and was not taken, since its asker had gone by then.
    untaken: Option<Bit>,
    ended: bool,
}

impl Flow {
    /// Waits until one is there to take.
    async fn fill(&mut self) {
        if self.ended || self.untaken.is_some() {
            return;
        }
        let coming = match &mut self.coming {
            Some(coming) => coming,
            None => match self.wanted.begin().await {
                Ok(coming) => self.coming.insert(coming),
                Err(error) => {
                    self.ended = true;
                    self.untaken = Some(Bit::Failed(error));
                    return;
                }
            },
        };
        let bit = coming.next().await;
        self.ended = matches!(bit, Bit::Failed(_) | Bit::Ended);
        self.untaken = Some(bit);
    }

    fn end(&mut self) {
        (self.coming, self.untaken, self.ended) = (None, None, true);
    }
}

/// What comes bit by bit; given up when it is closed or dropped.
#[pyclass(frozen, module = "xorbit._native")]
pub struct Stream {
    flow: Arc<Mutex<Flow>>,
    closed: watch::Sender<bool>,
}

impl Stream {
    pub fn of(wanted: Wanted) -> Self {
        let flow = Flow { wanted, coming: None, untaken: None, ended: false };
        Self { flow: Arc::new(Mutex::new(flow)), closed: watch::Sender::new(false) }
    }
}

#[pymethods]
impl Stream {
    /// Waits for the next: a report, or `None` at the end. One that was not taken is not lost.
    fn next(&self) -> PyResult<Pending> {
        let (flow, mut closed) = (Arc::clone(&self.flow), self.closed.subscribe());
        Pending::spawn(async move {
            let mut flow = flow.lock_owned().await;
            tokio::select! {
                biased;
                _ = closed.wait_for(|closed| *closed) => flow.end(),
                () = flow.fill() => {}
            }
            // The lock goes along: nobody else takes it, and dropped untaken it is there still.
            let told: Told = Box::new(move |py| {
                let name = flow.wanted.name();
                flow.untaken.take().unwrap_or(Bit::Ended).told(py, &name)
            });
            told
        })
    }

    /// Ends it; whoever waits for the next hears that there is none.
    fn close(&self) {
        self.closed.send_replace(true);
        if let Ok(mut flow) = self.flow.try_lock() {
            flow.end();
        }
    }
}
