//! Promises: values that this node keeps alive until it is told otherwise.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use kv::{
    DEFAULT_TTL, Done, KeepError, KeepReport, KeepRequest, Key, MAX_TTL, Namespace, PromiseId,
    Request, UnkeepError,
};
use wire::{PublicKey, Signer};

use crate::node::Node;

/// A promise about to be made: await it.
#[must_use = "nothing is promised until this is awaited"]
#[derive(Debug)]
pub struct Keep {
    node: Node,
    key: String,
    namespace: Namespace,
    ttl: Duration,
}

impl Keep {
    pub(crate) fn new(node: Node, key: String) -> Self {
        let namespace = node.open_namespace();
        Self { node, key, namespace, ttl: DEFAULT_TTL }
    }

    /// In this namespace instead of the open one named `default`. If it is one that may sign, its
    /// secret is kept with the promise, in memory and in the data directory.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// In the signed namespace of this signer, whose expiry can so be renewed.
    pub fn signer(self, signer: &Signer) -> Self {
        self.namespace(Namespace::signed(signer.clone()))
    }

    /// In somebody's signed namespace: the same bytes are put again until they expire.
    pub fn from(self, owner: PublicKey) -> Self {
        self.namespace(Namespace::of(owner))
    }

    /// Renews it for so long each time, when half of that is left: from 10 minutes to a year, 7 days
    /// if never said.
    pub fn ttl(mut self, life: Duration) -> Self {
        self.ttl = life;
        self
    }

    /// Renews it for as long as can be, a year: it then survives that this node is away for half of
    /// one.
    pub fn forever(self) -> Self {
        self.ttl(MAX_TTL)
    }

    async fn run(self) -> Result<KeepReport, KeepError> {
        let Self { node, key, namespace, ttl } = self;
        let request = Request::Keep(KeepRequest { namespace, key: Key::new(key)?, ttl });
        match node.finish(request).await {
            Ok(Done::Kept(result)) => result.map(|report| *report),
            _ => Err(KeepError::Closed),
        }
    }
}

impl IntoFuture for Keep {
    type Output = Result<KeepReport, KeepError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// The end of a promise about to be told: await it. The value stays until it expires.
#[must_use = "nothing is ended until this is awaited"]
#[derive(Debug)]
pub struct Unkeep {
    node: Node,
    which: Which,
}

#[derive(Debug)]
enum Which {
    Of(String, Box<Namespace>),
    Named(PromiseId),
}

impl Unkeep {
    pub(crate) fn new(node: Node, key: String) -> Self {
        let which = Which::Of(key, Box::new(node.open_namespace()));
        Self { node, which }
    }

    pub(crate) fn named(node: Node, promise: PromiseId) -> Self {
        Self { node, which: Which::Named(promise) }
    }

    /// In this namespace instead of the open one named `default`; to read it will do.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        if let Which::Of(_, of) = &mut self.which {
            **of = namespace;
        }
        self
    }

    async fn run(self) -> Result<(), UnkeepError> {
        let promise = match self.which {
            Which::Of(key, namespace) => PromiseId::of(&namespace, &Key::new(key)?),
            Which::Named(promise) => promise,
        };
        match self.node.finish(Request::Unkeep(promise)).await {
            Ok(Done::Unkept(result)) => result,
            _ => Err(UnkeepError::Closed),
        }
    }
}

impl IntoFuture for Unkeep {
    type Output = Result<(), UnkeepError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testnet::testnet;

    #[tokio::test]
    async fn a_promise_is_made_told_and_ended() {
        let network = testnet(3).await.unwrap();
        let [node, other, ..] = &network.nodes[..] else { panic!("three were started") };
        assert!(matches!(node.keep("k").await, Err(KeepError::NotFound { .. })));
        other.put("k", "v").await.unwrap();
        let report = node.keep("k").forever().await.unwrap();
        assert_eq!((report.renews, report.durable), (Some(MAX_TTL), false));
        let promises = node.promises().await.unwrap();
        assert_eq!((promises.len(), promises[0].key.as_str()), (1, "k"));
        node.unkeep("k").await.unwrap();
        assert!(node.promises().await.unwrap().is_empty());
        assert_eq!(node.unkeep("k").await, Err(UnkeepError::NotKept));
        network.close().await;
    }
}
