//! Raw items of BEP 44, for those who speak with other Mainline programs.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use kv::{Done, GetError, ItemPutRequest, ItemReport, ItemSigning, PutError, Request};
use wire::{Item, Seq, Signer, Target};

use crate::node::Node;

/// A put of a raw item about to be done: await it.
#[must_use = "nothing is put until this is awaited"]
#[derive(Debug)]
pub struct ItemPut {
    node: Node,
    value: Box<[u8]>,
    signer: Option<Signer>,
    salt: Box<[u8]>,
    seq: Option<Seq>,
    cas: Option<Seq>,
}

impl ItemPut {
    pub(crate) fn new(node: Node, value: &[u8]) -> Self {
        let value = value.into();
        Self { node, value, signer: None, salt: Box::default(), seq: None, cas: None }
    }

    /// As a mutable item of this signer. Without one the item is immutable, and salt, seq and cas
    /// mean nothing.
    pub fn signer(mut self, signer: &Signer) -> Self {
        self.signer = Some(signer.clone());
        self
    }

    /// Under this salt, at most 64 bytes.
    pub fn salt(mut self, salt: impl AsRef<[u8]>) -> Self {
        self.salt = salt.as_ref().into();
        self
    }

    /// In this version; one above what is found if never said.
    pub fn seq(mut self, seq: Seq) -> Self {
        self.seq = Some(seq);
        self
    }

    /// Only over this version: each holder checks it alone.
    pub fn cas(mut self, cas: Seq) -> Self {
        self.cas = Some(cas);
        self
    }

    async fn run(self) -> Result<ItemReport, PutError> {
        let Self { node, value, signer, salt, seq, cas } = self;
        let signed = signer.map(|signer| ItemSigning { signer, salt, seq, cas });
        match node.finish(Request::ItemPut(ItemPutRequest { value, signed })).await {
            Ok(Done::ItemPut(result)) => result.map(|report| *report),
            _ => Err(PutError::Closed),
        }
    }
}

impl IntoFuture for ItemPut {
    type Output = Result<ItemReport, PutError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// A put of a raw item that somebody signed before, about to be done: await it.
#[must_use = "nothing is put until this is awaited"]
#[derive(Debug)]
pub struct SignedItemPut {
    node: Node,
    item: Item,
    cas: Option<Seq>,
}

impl SignedItemPut {
    pub(crate) fn new(node: Node, item: Item) -> Self {
        Self { node, item, cas: None }
    }

    /// Only over this version: each holder checks it alone.
    pub fn cas(mut self, cas: Seq) -> Self {
        self.cas = Some(cas);
        self
    }

    async fn run(self) -> Result<ItemReport, PutError> {
        let Self { node, item, cas } = self;
        match node.finish(Request::SignedItemPut(item, cas)).await {
            Ok(Done::ItemPut(result)) => result.map(|report| *report),
            _ => Err(PutError::Closed),
        }
    }
}

impl IntoFuture for SignedItemPut {
    type Output = Result<ItemReport, PutError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// A get of a raw item about to be done: await it.
#[must_use = "nothing is got until this is awaited"]
#[derive(Debug)]
pub struct ItemGet {
    node: Node,
    target: Target,
    salt: Box<[u8]>,
}

impl ItemGet {
    pub(crate) fn new(node: Node, target: Target) -> Self {
        Self { node, target, salt: Box::default() }
    }

    /// With the salt that is in its name: replies do not repeat it.
    pub fn salt(mut self, salt: impl AsRef<[u8]>) -> Self {
        self.salt = salt.as_ref().into();
        self
    }

    async fn run(self) -> Result<ItemReport, GetError> {
        let request = Request::ItemGet { target: self.target, salt: self.salt };
        match self.node.finish(request).await {
            Ok(Done::ItemGot(result)) => result.map(|report| *report),
            _ => Err(GetError::Closed),
        }
    }
}

impl IntoFuture for ItemGet {
    type Output = Result<ItemReport, GetError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
