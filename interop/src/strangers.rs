//! What a foreign node can be told to do, whichever implementation it is.

use std::net::SocketAddr;

use xorbit::{InfoHash, Target};

use crate::author::Author;
use crate::failure::Outcome;

/// What a put came to, as its writer tells it.
#[derive(Clone, Debug)]
pub struct Put {
    /// The item's name.
    pub target: Target,
    /// How many copies there are now, one that the writer keeps itself included. `None` if this
    /// implementation does not tell.
    pub copies: Option<usize>,
}

/// What a get of a mutable item came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The value.
    pub value: Vec<u8>,
    /// Its version.
    pub seq: i64,
}

/// In which version a mutable item is put.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// The version; one above what is found if not said.
    pub seq: Option<i64>,
    /// Only over this version.
    pub cas: Option<i64>,
}

/// Some foreign nodes of one kind; `node` is the index of one of them.
#[expect(async_fn_in_trait, reason = "tests await in place and send no future to a thread")]
pub trait Strangers {
    /// Where they answer queries; nowhere, if they are clients only.
    fn addresses(&self) -> Vec<SocketAddr>;

    /// On how many of the closest nodes they store.
    fn width(&self) -> usize;

    /// Whether they remember for good whoever queries them, also who asks them not to (BEP 43).
    fn remember_all(&self) -> bool {
        false
    }

    /// How many copies of items they say they hold; `None` if this implementation does not tell.
    async fn items(&mut self) -> Outcome<Option<usize>>;

    /// How many topics with peers they say they hold, each copy counted.
    async fn topics(&mut self) -> Outcome<Option<usize>>;

    /// Puts an immutable item: a byte string of this content.
    async fn put_immutable(&mut self, node: usize, value: &[u8]) -> Outcome<Put>;

    /// Gets the content of an immutable item.
    async fn get_immutable(&mut self, node: usize, target: Target) -> Outcome<Option<Vec<u8>>>;

    /// Puts a mutable item; a failure has the code by which it was refused.
    async fn put_mutable(
        &mut self,
        node: usize,
        author: &Author,
        value: &[u8],
        how: How,
    ) -> Outcome<Put>;

    /// Gets a mutable item.
    async fn get_mutable(&mut self, node: usize, author: &Author) -> Outcome<Option<Found>>;

    /// Announces a peer of a topic at this port; tells the copies as [`Put::copies`] does.
    async fn announce(&mut self, node: usize, topic: InfoHash, port: u16)
    -> Outcome<Option<usize>>;

    /// Finds the peers of a topic.
    async fn peers(&mut self, node: usize, topic: InfoHash) -> Outcome<Vec<SocketAddr>>;
}
