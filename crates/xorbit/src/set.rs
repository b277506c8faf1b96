//! Sets: adding and removing members, and listing them.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use kv::{
    DEFAULT_TTL, Done, Key, LISTING_MEMBERS, MembersReport, MembersRequest, Namespace, Request,
    SetChange, SetError, SetReport, SetRequest,
};
use wire::{Cursor, PublicKey, Signer};

use crate::node::Node;

/// An addition or removal about to be done: await it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use xorbit::{Signer, random_seed, testnet};
///
/// let network = testnet(3).await?;
/// let ada = Signer::from_seed(&random_seed()?);
/// // Whoever knows the name `default` may add without a key of their own ...
/// network.nodes[0].add("guests", "somebody").await?;
/// // ... and a writer with a key adds what nobody else can remove.
/// let hour = Duration::from_secs(3600);
/// network.nodes[1].add("guests", "ada").writer(&ada).ttl(hour).await?;
/// assert!(network.nodes[2].remove("guests", "ada").await.is_err());
///
/// let listed = network.nodes[2].members("guests").await?;
/// assert_eq!(listed.members.len(), 2);
/// # network.close().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is added or removed until this is awaited"]
#[derive(Debug)]
pub struct ChangeSet {
    node: Node,
    key: String,
    item: Box<[u8]>,
    namespace: Namespace,
    writer: Option<Signer>,
    change: SetChange,
}

impl ChangeSet {
    pub(crate) fn addition(node: Node, key: String, item: &[u8]) -> Self {
        Self::new(node, key, item, SetChange::Add { ttl: DEFAULT_TTL })
    }

    pub(crate) fn removal(node: Node, key: String, item: &[u8]) -> Self {
        Self::new(node, key, item, SetChange::Remove)
    }

    fn new(node: Node, key: String, item: &[u8], change: SetChange) -> Self {
        let namespace = node.open_namespace();
        Self { node, key, item: item.into(), namespace, writer: None, change }
    }

    /// In the set of this namespace instead of the open one named `default`. It gives the place of
    /// the set, and the writer if no other is named.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// In the set of somebody's signed namespace; needs a [`ChangeSet::writer`].
    pub fn from(self, owner: PublicKey) -> Self {
        self.namespace(Namespace::of(owner))
    }

    /// As this writer: nobody else can remove what it adds.
    pub fn writer(mut self, writer: &Signer) -> Self {
        self.writer = Some(writer.clone());
        self
    }

    /// For so long, at most a year; 7 days if never said. A removal is remembered as long as what
    /// it removes would have lived.
    pub fn ttl(mut self, life: Duration) -> Self {
        if let SetChange::Add { ttl } = &mut self.change {
            *ttl = life;
        }
        self
    }

    async fn run(self) -> Result<SetReport, SetError> {
        let Self { node, key, item, namespace, writer, change } = self;
        let key = Key::new(key)?;
        let request = SetRequest { namespace, key, writer, item, change };
        match node.finish(Request::Set(request)).await {
            Ok(Done::Set(result)) => result.map(|report| *report),
            _ => Err(SetError::Closed),
        }
    }
}

impl IntoFuture for ChangeSet {
    type Output = Result<SetReport, SetError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// A listing of a set about to be made: await it for one page.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let network = xorbit::testnet(2).await?;
/// # let node = &network.nodes[1];
/// for number in 0..5 {
///     node.add("numbers", number.to_string()).await?;
/// }
/// let mut found = Vec::new();
/// let mut page = node.members("numbers").limit(2).await?;
/// loop {
///     found.append(&mut page.members);
///     let Some(next) = page.next else { break };
///     page = node.members("numbers").limit(2).after(next).await?;
/// }
/// assert_eq!(found.len(), 5);
/// # network.close().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is listed until this is awaited"]
#[derive(Debug)]
pub struct Members {
    node: Node,
    key: String,
    namespace: Namespace,
    after: Option<Cursor>,
    limit: usize,
}

impl Members {
    pub(crate) fn new(node: Node, key: String) -> Self {
        let namespace = node.open_namespace();
        Self { node, key, namespace, after: None, limit: LISTING_MEMBERS }
    }

    /// Of the set of this namespace instead of the open one named `default`.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// Of the set of somebody's signed namespace.
    pub fn from(self, owner: PublicKey) -> Self {
        self.namespace(Namespace::of(owner))
    }

    /// Only members behind this place, which an earlier page gave as
    /// [`next`](MembersReport::next).
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// At most so many members, 1 to [`LISTING_MEMBERS`].
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    async fn run(self) -> Result<MembersReport, SetError> {
        let Self { node, key, namespace, after, limit } = self;
        let key = Key::new(key)?;
        let request = MembersRequest { namespace, key, after, limit };
        match node.finish(Request::Members(request)).await {
            Ok(Done::Members(result)) => result.map(|report| *report),
            _ => Err(SetError::Closed),
        }
    }
}

impl IntoFuture for Members {
    type Output = Result<MembersReport, SetError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
