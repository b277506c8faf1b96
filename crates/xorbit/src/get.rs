//! Getting, with what can be said about it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use kv::{Consistency, Done, GetError, GetReport, GetRequest, Key, Namespace, Request};
use node::Step;
use wire::PublicKey;

use crate::driver::Update;
use crate::node::Node;

/// A get about to be done: await it.
#[must_use = "nothing is got until this is awaited"]
#[derive(Debug)]
pub struct Get {
    node: Node,
    key: String,
    namespace: Namespace,
    consistency: Consistency,
}

impl Get {
    pub(crate) fn new(node: Node, key: String) -> Self {
        let (namespace, consistency) = (node.open_namespace(), Consistency::default());
        Self { node, key, namespace, consistency }
    }

    /// From this namespace instead of the open one named `default`.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// From somebody's signed namespace.
    pub fn from(self, owner: PublicKey) -> Self {
        self.namespace(Namespace::of(owner))
    }

    /// Waits for so many replicas; a majority if never said.
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.consistency = consistency;
        self
    }

    /// Does it, telling each step of the lookup.
    ///
    /// # Errors
    /// As awaiting it does.
    pub async fn traced(self, each: impl FnMut(&Step) + Send) -> Result<GetReport, GetError> {
        self.run(true, each).await
    }

    async fn run(
        self,
        trace: bool,
        mut each: impl FnMut(&Step) + Send,
    ) -> Result<GetReport, GetError> {
        let request = Request::Get(GetRequest {
            namespace: self.namespace,
            key: Key::new(self.key)?,
            consistency: self.consistency,
            trace,
        });
        let mut updates = self.node.start(request).await.map_err(|_| GetError::Closed)?;
        while let Some(update) = updates.recv().await {
            match update {
                Update::Step(step) => each(&step),
                Update::Done(Done::Got(result)) => return result.map(|report| *report),
                Update::Done(_) | Update::Peers(_) => {}
            }
        }
        Err(GetError::Closed)
    }
}

impl IntoFuture for Get {
    type Output = Result<GetReport, GetError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run(false, |_| {}))
    }
}
