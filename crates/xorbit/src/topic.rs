//! Topics and their peers: announcing and finding (BEP 5), counting (BEP 33).

use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use kv::{Done, PeersReport, PutError, PutReport, Request};
use tokio::sync::mpsc;
use wire::InfoHash;

use crate::driver::Update;
use crate::error::Closed;
use crate::node::Node;

/// An announcement about to be made: await it.
#[must_use = "nothing is announced until this is awaited"]
#[derive(Debug)]
pub struct Announce {
    node: Node,
    info_hash: InfoHash,
    port: Option<u16>,
    seed: bool,
}

impl Announce {
    pub(crate) fn new(node: Node, info_hash: InfoHash, port: u16) -> Self {
        Self { node, info_hash, port: Some(port), seed: false }
    }

    /// On the port that others see this node's own datagrams come from, whatever was said before.
    pub fn implied_port(mut self) -> Self {
        self.port = None;
        self
    }

    /// As a seed (BEP 33).
    pub fn seed(mut self) -> Self {
        self.seed = true;
        self
    }

    async fn run(self) -> Result<PutReport, PutError> {
        let Self { node, info_hash, port, seed } = self;
        match node.finish(Request::Announce { info_hash, port, seed }).await {
            Ok(Done::Announced(result)) => result.map(|report| *report),
            _ => Err(PutError::Closed),
        }
    }
}

impl IntoFuture for Announce {
    type Output = Result<PutReport, PutError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// The peers of a topic, each once, as they come. A stream; [`Peers::next`] needs no further crate.
#[derive(Debug)]
pub struct Peers {
    updates: mpsc::UnboundedReceiver<Update>,
    waiting: std::collections::VecDeque<SocketAddr>,
    report: Option<PeersReport>,
}

impl Peers {
    pub(crate) fn new(updates: mpsc::UnboundedReceiver<Update>) -> Self {
        Self { updates, waiting: std::collections::VecDeque::new(), report: None }
    }

    /// The next peer; `None` when the search has ended.
    pub async fn next(&mut self) -> Option<SocketAddr> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// Lets the search end and gives what it came to.
    ///
    /// # Errors
    /// [`Closed`] if the node was closed before.
    pub async fn finish(mut self) -> Result<PeersReport, Closed> {
        while self.next().await.is_some() {}
        self.report.ok_or(Closed)
    }

    /// What the search came to, once it has ended.
    pub fn report(&self) -> Option<&PeersReport> {
        self.report.as_ref()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<SocketAddr>> {
        loop {
            if let Some(peer) = self.waiting.pop_front() {
                return Poll::Ready(Some(peer));
            }
            if self.report.is_some() {
                return Poll::Ready(None);
            }
            match self.updates.poll_recv(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Update::Peers(peers))) => {
                    self.waiting.extend(peers.into_iter().map(SocketAddr::from));
                }
                Poll::Ready(Some(Update::Done(Done::Peers(report)))) => {
                    self.report = Some(*report);
                }
                Poll::Ready(Some(_)) => {}
            }
        }
    }
}

impl Stream for Peers {
    type Item = SocketAddr;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<SocketAddr>> {
        self.get_mut().poll(context)
    }
}
