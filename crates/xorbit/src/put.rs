//! Putting and deleting, with what can be said about it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use kv::{
    Change, DEFAULT_TTL, Done, Expected, Key, Namespace, PutError, PutReport, PutRequest, Request,
    Version,
};
use node::Step;
use wire::Signer;

use crate::driver::Update;
use crate::node::Node;

/// A put or delete about to be done: await it.
#[must_use = "nothing is put until this is awaited"]
#[derive(Debug)]
pub struct Put {
    node: Node,
    key: String,
    namespace: Namespace,
    change: Change,
    expected: Expected,
}

impl Put {
    pub(crate) fn value(node: Node, key: String, value: &[u8]) -> Self {
        let change =
            Change::Put { value: value.into(), content_type: None, ttl: DEFAULT_TTL, plain: false };
        Self::new(node, key, change)
    }

    pub(crate) fn deletion(node: Node, key: String) -> Self {
        Self::new(node, key, Change::Delete)
    }

    fn new(node: Node, key: String, change: Change) -> Self {
        let namespace = node.open_namespace();
        Self { node, key, namespace, change, expected: Expected::Anything }
    }

    /// In this namespace instead of the open one named `default`.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// In the signed namespace of this signer.
    pub fn signer(self, signer: &Signer) -> Self {
        self.namespace(Namespace::signed(signer.clone()))
    }

    /// For so long, at most a year; 7 days if never said. A deletion is remembered as long as what
    /// it deletes would have lived.
    pub fn ttl(mut self, life: Duration) -> Self {
        if let Change::Put { ttl, .. } = &mut self.change {
            *ttl = life;
        }
        self
    }

    /// With this content type.
    pub fn content_type(mut self, text: impl Into<String>) -> Self {
        if let Change::Put { content_type, .. } = &mut self.change {
            *content_type = Some(text.into().into());
        }
        self
    }

    /// Without an envelope: just the bytes, held for two hours, as foreign programs write them.
    pub fn plain(mut self) -> Self {
        if let Change::Put { plain, .. } = &mut self.change {
            *plain = true;
        }
        self
    }

    /// Only if the key holds exactly this version: compare-and-swap.
    pub fn if_version(mut self, version: Version) -> Self {
        self.expected = Expected::Version(version);
        self
    }

    /// Only if the key holds no value.
    pub fn if_absent(mut self) -> Self {
        self.expected = Expected::Absent;
        self
    }

    /// Does it, telling each step of the lookup.
    ///
    /// # Errors
    /// As awaiting it does.
    pub async fn traced(self, each: impl FnMut(&Step) + Send) -> Result<PutReport, PutError> {
        self.run(true, each).await
    }

    async fn run(
        self,
        trace: bool,
        mut each: impl FnMut(&Step) + Send,
    ) -> Result<PutReport, PutError> {
        let request = Request::Put(PutRequest {
            namespace: self.namespace,
            key: Key::new(self.key)?,
            change: self.change,
            expected: self.expected,
            trace,
        });
        let mut updates = self.node.start(request).await.map_err(|_| PutError::Closed)?;
        while let Some(update) = updates.recv().await {
            match update {
                Update::Step(step) => each(&step),
                Update::Done(Done::Put(result)) => return result.map(|report| *report),
                Update::Done(_) | Update::Peers(_) => {}
            }
        }
        Err(PutError::Closed)
    }
}

impl IntoFuture for Put {
    type Output = Result<PutReport, PutError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run(false, |_| {}))
    }
}
