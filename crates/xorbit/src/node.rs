//! The handle to a running node.

use std::io::{Read, Seek};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kv::{Done, Event, LeaveReport, Namespace, PromiseId, PromiseStatus, Request};
use node::{Answer, Counters, Listed};
use tokio::sync::{broadcast, mpsc, oneshot};
use wire::{Endpoint, InfoHash, Item, NodeId, Point, Target};

use crate::batch::Batch;
use crate::builder::{Builder, DEFAULT_MAX_VALUE};
use crate::driver::{Message, Update};
use crate::error::Closed;
use crate::get::Get;
use crate::item::{ItemGet, ItemPut, SignedItemPut};
use crate::keep::{Keep, Unkeep};
use crate::known::Known;
use crate::lookup::Lookup;
use crate::put::Put;
use crate::restore::Restored;
use crate::set::{ChangeSet, Members};
use crate::topic::{Announce, Peers};
use crate::upload::Source;
use crate::watch::Watch;

/// A running node. Copies are cheap and speak to the same one; it closes when [`Node::close`] is
/// called or the last copy is dropped.
#[derive(Clone, Debug)]
pub struct Node {
    driver: mpsc::Sender<Message>,
    events: broadcast::Sender<Event>,
    listening: Arc<[SocketAddr]>,
    /// The open namespace named `default`, whose keys take some microseconds to derive.
    open: Arc<Namespace>,
    max_value: u64,
}

/// How a node is.
#[derive(Clone, Debug)]
pub struct Info {
    /// Its id.
    pub id: NodeId,
    /// What it listens on.
    pub listening: Vec<SocketAddr>,
    /// What others on the same network can reach it at: for each that it listens on, the same or,
    /// if that stands for all addresses of the machine, the outbound one.
    pub advertised: Vec<SocketAddr>,
    /// Where others see it, as far as they agree.
    pub external: Vec<Endpoint>,
    /// Contacts in its tables: IPv4, IPv6.
    pub contacts: [usize; 2],
    /// Contacts that its data directory remembered when it started.
    pub remembered: usize,
    /// What its data directory gave back when it started.
    pub restored: Restored,
    /// Replicas of a value, as its network is set to.
    pub replicas: usize,
    /// It answers no queries.
    pub read_only: bool,
    /// Items that it holds for others.
    pub items: usize,
    /// Their bytes.
    pub item_bytes: usize,
    /// Members of sets that it holds for others, removed ones that are remembered included.
    pub members: usize,
    /// Topics with peers that it holds.
    pub topics: usize,
    /// Their peers.
    pub peers: usize,
    /// What happened since it started.
    pub counters: Counters,
    /// How long it has run.
    pub up: Duration,
}

impl Node {
    /// Tells a node how to be before it starts.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(
        driver: mpsc::Sender<Message>,
        events: broadcast::Sender<Event>,
        listening: Vec<SocketAddr>,
    ) -> Self {
        let (listening, open) = (listening.into(), Arc::default());
        Self { driver, events, listening, open, max_value: DEFAULT_MAX_VALUE }
    }

    pub(crate) fn with_max_value(self, max_value: u64) -> Self {
        Self { max_value, ..self }
    }

    /// The largest value in bytes that it puts or gets.
    pub fn max_value(&self) -> u64 {
        self.max_value
    }

    /// The addresses it listens on.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.listening
    }

    /// Puts a value under a key. Await it, or first say more.
    pub fn put(&self, key: impl Into<String>, value: impl AsRef<[u8]>) -> Put {
        Put::value(self.clone(), key.into(), value.as_ref())
    }

    /// Puts a value of `length` bytes from a source, which is read in pieces of 64 KiB on the task
    /// that awaits it. Await it, or first say more.
    pub fn put_from(
        &self,
        key: impl Into<String>,
        length: u64,
        source: impl Read + Send + 'static,
    ) -> Put {
        Put::from_source(self.clone(), key.into(), length, Source::Once(Box::new(source)))
    }

    /// Like [`Node::put_from`], from a source that can go back to where it stands. A value that does not
    /// fit one item of a secret namespace is read twice, and so can come only from such.
    pub fn put_seekable(
        &self,
        key: impl Into<String>,
        length: u64,
        source: impl Read + Seek + Send + 'static,
    ) -> Put {
        Put::from_source(self.clone(), key.into(), length, Source::Again(Box::new(source)))
    }

    /// Gets the value of a key. Await it, or first say more.
    pub fn get(&self, key: impl Into<String>) -> Get {
        Get::new(self.clone(), key.into())
    }

    /// Deletes the value of a key. Await it, or first say more.
    pub fn delete(&self, key: impl Into<String>) -> Put {
        Put::deletion(self.clone(), key.into())
    }

    /// Does many puts and deletions at once, each what it would be alone, and tells of them as they
    /// end. See [`Batch`].
    ///
    /// ```no_run
    /// # async fn example(node: xorbit::Node) {
    /// let puts = (0..10_000).map(|number| node.put(format!("key {number}"), "value"));
    /// let mut batch = node.put_all(puts);
    /// while let Some((index, outcome)) = batch.next().await {
    ///     println!("put {index}: {}", outcome.is_ok());
    /// }
    /// # }
    /// ```
    pub fn put_all<I: IntoIterator<Item = Put>>(&self, puts: I) -> Batch<I::IntoIter> {
        Batch::new(self.clone(), puts.into_iter())
    }

    /// Does many gets at once, each what it would be alone, and tells of them as they end. Of a value
    /// that does not fit one item the report has the manifest: get it by itself. See [`Batch`].
    pub fn get_all<I: IntoIterator<Item = Get>>(&self, gets: I) -> Batch<I::IntoIter> {
        Batch::new(self.clone(), gets.into_iter())
    }

    /// Tells of each newer version of a key, as it comes. Await it, or first say more.
    pub fn watch(&self, key: impl Into<String>) -> Watch {
        Watch::new(self.clone(), key.into())
    }

    /// Adds an item to the set of a key. Await it, or first say more.
    pub fn add(&self, key: impl Into<String>, item: impl AsRef<[u8]>) -> ChangeSet {
        ChangeSet::addition(self.clone(), key.into(), item.as_ref())
    }

    /// Removes an item from the set of a key. Await it, or first say more.
    pub fn remove(&self, key: impl Into<String>, item: impl AsRef<[u8]>) -> ChangeSet {
        ChangeSet::removal(self.clone(), key.into(), item.as_ref())
    }

    /// Lists the members of the set of a key. Await it, or first say more.
    pub fn members(&self, key: impl Into<String>) -> Members {
        Members::new(self.clone(), key.into())
    }

    /// Promises to keep the value of a key alive until [`Node::unkeep`]. With a data directory the
    /// promise survives restarts. Await it, or first say more.
    pub fn keep(&self, key: impl Into<String>) -> Keep {
        Keep::new(self.clone(), key.into())
    }

    /// Ends a promise. Await it, or first say more.
    pub fn unkeep(&self, key: impl Into<String>) -> Unkeep {
        Unkeep::new(self.clone(), key.into())
    }

    /// Ends the promise that [`Node::promises`] names so. Await it.
    pub fn unkeep_promise(&self, promise: PromiseId) -> Unkeep {
        Unkeep::named(self.clone(), promise)
    }

    /// All promises and how they fare, in the order of their keys.
    ///
    /// # Errors
    /// [`Closed`] if the node is.
    pub async fn promises(&self) -> Result<Vec<PromiseStatus>, Closed> {
        match self.finish(Request::Promises).await? {
            Done::Promises(all) => Ok(all),
            _ => Err(Closed),
        }
    }

    /// Puts a raw item of BEP 44, given as its bencoded value. Await it, or first say more.
    pub fn item_put(&self, bencoded: impl AsRef<[u8]>) -> ItemPut {
        ItemPut::new(self.clone(), bencoded.as_ref())
    }

    /// Puts a raw item that somebody signed before, as it is. Await it, or first say more.
    pub fn signed_item_put(&self, item: Item) -> SignedItemPut {
        SignedItemPut::new(self.clone(), item)
    }

    /// Gets a raw item of BEP 44. Await it, or first say more.
    pub fn item_get(&self, target: Target) -> ItemGet {
        ItemGet::new(self.clone(), target)
    }

    /// Announces a peer of a topic at this machine, on this TCP or UDP port. Await it, or first say
    /// more.
    pub fn announce(&self, info_hash: InfoHash, port: u16) -> Announce {
        Announce::new(self.clone(), info_hash, port)
    }

    /// Finds the peers of a topic, as they come.
    ///
    /// # Errors
    /// [`Closed`] if the node is.
    pub async fn peers(&self, info_hash: InfoHash) -> Result<Peers, Closed> {
        let request = Request::Peers { info_hash, scrape: false };
        Ok(Peers::new(self.start(request).await?))
    }

    /// Finds the peers of a topic and counts them by the filters of BEP 33.
    ///
    /// # Errors
    /// [`Closed`] if the node is.
    pub async fn scrape(&self, info_hash: InfoHash) -> Result<Peers, Closed> {
        let request = Request::Peers { info_hash, scrape: true };
        Ok(Peers::new(self.start(request).await?))
    }

    /// Walks towards a place in the key space, telling each step.
    ///
    /// # Errors
    /// [`Closed`] if the node is.
    pub async fn lookup(&self, point: Point) -> Result<Lookup, Closed> {
        Ok(Lookup::new(self.start(Request::Lookup(point)).await?))
    }

    /// Asks one address whether a node is there.
    ///
    /// # Errors
    /// [`Closed`] if this node is.
    pub async fn ping(&self, address: SocketAddr) -> Result<Answer, Closed> {
        self.ask(Request::Ping(address.into())).await
    }

    /// Asks one address which topics it holds peers of (BEP 51), and for contacts near `target`.
    ///
    /// # Errors
    /// [`Closed`] if this node is.
    pub async fn sample(&self, address: SocketAddr, target: Point) -> Result<Answer, Closed> {
        self.ask(Request::Sample { to: address.into(), target }).await
    }

    async fn ask(&self, request: Request) -> Result<Answer, Closed> {
        match self.finish(request).await? {
            Done::Answered(answer) => Ok(answer),
            _ => Err(Closed),
        }
    }

    /// How the node is.
    ///
    /// # Errors
    /// [`Closed`] if it is.
    pub async fn info(&self) -> Result<Info, Closed> {
        let (sender, receiver) = oneshot::channel();
        self.driver.send(Message::Info(sender)).await.map_err(|_| Closed)?;
        receiver.await.map_err(|_| Closed)
    }

    /// Whom its tables hold, from the farthest to the nearest, IPv4 first.
    ///
    /// # Errors
    /// [`Closed`] if it is.
    pub async fn contacts(&self) -> Result<Vec<Known>, Closed> {
        let (sender, receiver) = oneshot::channel();
        self.driver.send(Message::Contacts(sender)).await.map_err(|_| Closed)?;
        receiver.await.map_err(|_| Closed)
    }

    /// At most `limit` of the items that it holds for others, those first that end first.
    ///
    /// # Errors
    /// [`Closed`] if it is.
    pub async fn held(&self, limit: usize) -> Result<Vec<Listed>, Closed> {
        let (sender, receiver) = oneshot::channel();
        self.driver.send(Message::Held(limit, sender)).await.map_err(|_| Closed)?;
        receiver.await.map_err(|_| Closed)
    }

    /// What happens to the node from now on.
    pub fn events(&self) -> Events {
        Events { receiver: self.events.subscribe() }
    }

    /// Waits until the node has a contact, up to `limit`; tells whether it has.
    ///
    /// # Errors
    /// [`Closed`] if it is.
    pub async fn joined(&self, limit: Duration) -> Result<bool, Closed> {
        let mut events = self.events();
        if self.info().await?.contacts.iter().sum::<usize>() > 0 {
            return Ok(true);
        }
        let joined = async {
            while let Some(event) = events.next().await {
                if matches!(event, Event::Joined { .. }) {
                    return Ok(true);
                }
            }
            Err(Closed)
        };
        tokio::time::timeout(limit, joined).await.unwrap_or(Ok(false))
    }

    /// Hands what it keeps for others off to those who will be closest without it, within this time
    /// or the usual 10 s, and says what it could not. It serves on until [`Node::close`].
    ///
    /// # Errors
    /// [`Closed`] if it is.
    pub async fn leave(&self, within: Option<Duration>) -> Result<LeaveReport, Closed> {
        match self.finish(Request::Leave { within }).await? {
            Done::Left(report) => Ok(report),
            _ => Err(Closed),
        }
    }

    /// Stops: lets repairs on their way end and writes what shall be remembered. Who holds values for
    /// others calls [`Node::leave`] before.
    pub async fn close(self) {
        let (sender, receiver) = oneshot::channel();
        if self.driver.send(Message::Close(sender)).await.is_ok() {
            // An error only means that it was closed by somebody else.
            let _ = receiver.await;
        }
    }

    /// The namespace of a put or get that names none.
    pub(crate) fn open_namespace(&self) -> Namespace {
        Namespace::clone(&self.open)
    }

    /// The way to the driver.
    pub(crate) fn driver(&self) -> &mpsc::Sender<Message> {
        &self.driver
    }

    /// Starts a request and gives the stream of what it tells.
    pub(crate) async fn start(
        &self,
        request: Request,
    ) -> Result<mpsc::UnboundedReceiver<Update>, Closed> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.driver.send(Message::Request(Box::new(request), sender)).await.map_err(|_| Closed)?;
        Ok(receiver)
    }

    /// Starts a request and waits for its end.
    pub(crate) async fn finish(&self, request: Request) -> Result<Done, Closed> {
        let mut updates = self.start(request).await?;
        while let Some(update) = updates.recv().await {
            if let Update::Done(done) = update {
                return Ok(done);
            }
        }
        Err(Closed)
    }
}

/// What happens to a node, as it happens.
#[derive(Debug)]
pub struct Events {
    receiver: broadcast::Receiver<Event>,
}

impl Events {
    /// The next event; `None` once the node is closed. A listener that is far behind misses some.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.receiver.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}
