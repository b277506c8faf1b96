//! Watching a key: each newer version, as it comes.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use kv::{Key, Namespace, Version, WatchError, WatchRequest, Watched};
use tokio::sync::{broadcast, mpsc};
use wire::PublicKey;

use crate::driver::Message;
use crate::node::Node;

/// Versions that a slow listener may lag behind; the oldest go first, so the last is never missed.
pub(crate) const LAG: usize = 64;

/// What the driver tells of a watch.
pub(crate) type Told = Result<Watched, WatchError>;

/// A watch about to begin: await it.
#[must_use = "nothing is watched until this is awaited"]
#[derive(Debug)]
pub struct Watch {
    node: Node,
    key: String,
    namespace: Namespace,
    after: Option<Version>,
}

impl Watch {
    pub(crate) fn new(node: Node, key: String) -> Self {
        let namespace = node.open_namespace();
        Self { node, key, namespace, after: None }
    }

    /// In this namespace instead of the open one named `default`.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// In somebody's signed namespace.
    pub fn from(self, owner: PublicKey) -> Self {
        self.namespace(Namespace::of(owner))
    }

    /// Only versions above this one: to go on where another watch ended. If never said, the present
    /// version is told first.
    pub fn after(mut self, version: Version) -> Self {
        self.after = Some(version);
        self
    }

    async fn run(self) -> Result<Watching, WatchError> {
        let Self { node, key, namespace, after } = self;
        let request = WatchRequest { namespace, key: Key::new(key)?, after };
        let (sender, told) = broadcast::channel(LAG);
        let driver = node.driver();
        let message = Message::Watch(Box::new(request), sender);
        driver.send(message).await.map_err(|_| WatchError::Closed)?;
        Ok(Watching { next: next(told), driver: driver.downgrade(), ended: false })
    }
}

impl IntoFuture for Watch {
    type Output = Result<Watching, WatchError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

type Next = Pin<Box<dyn Future<Output = (Option<Told>, broadcast::Receiver<Told>)> + Send>>;

/// The next that is told, with the receiver back.
fn next(mut told: broadcast::Receiver<Told>) -> Next {
    Box::pin(async move {
        loop {
            match told.recv().await {
                Ok(next) => return (Some(next), told),
                // Overwritten ones may be skipped.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return (None, told),
            }
        }
    })
}

/// A watch on its way: a stream of versions that rise strictly. The last is never missed; those that
/// were overwritten meanwhile may be. It ends after an error, or when the node is closed; dropping it
/// ends it, too. [`Watching::next`] needs no further crate.
pub struct Watching {
    next: Next,
    driver: mpsc::WeakSender<Message>,
    ended: bool,
}

impl Watching {
    /// The next version; `None` when the watch has ended. May be cancelled without losing any.
    pub async fn next(&mut self) -> Option<Result<Watched, WatchError>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Told>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let (told, receiver) = ready!(self.next.as_mut().poll(context));
        self.ended = !matches!(told, Some(Ok(_)));
        self.next = next(receiver);
        Poll::Ready(told)
    }
}

impl Stream for Watching {
    type Item = Result<Watched, WatchError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // The receiver is gone with this; then the driver sees that nobody listens.
        self.next = Box::pin(std::future::pending());
        if let Some(driver) = self.driver.upgrade() {
            // If its inbox is full, it finds out by itself with its next timer.
            let _ = driver.try_send(Message::Unwatched);
        }
    }
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watching").field("ended", &self.ended).finish_non_exhaustive()
    }
}
