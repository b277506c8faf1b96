//! What a caller may ask, and what it hears in return.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use node::{Answer, Step, UnixMillis};
use wire::{Endpoint, InfoHash, Item, NodeId, Point, Seq, Signer, Target};

use crate::batch::Batched;
use crate::key::Key;
use crate::manifest::Manifest;
use crate::namespace::Namespace;
use crate::promises::{KeepError, KeepReport, PromiseId, PromiseStatus, UnkeepError};
use crate::report::{
    ChunksFound, ChunksReport, GetError, GetReport, ItemReport, LeaveReport, LookupReport,
    PeersReport, PutError, PutReport,
};
use crate::set::{MembersReport, MembersRequest, SetError, SetReport, SetRequest};
use crate::version::Version;
use crate::watch::{WatchError, WatchRequest, Watched};

/// Names one request to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

impl RequestId {
    /// Of what a store does by itself.
    pub(crate) const NOBODYS: Self = Self(0);
}

/// Something to do.
#[derive(Clone, Debug)]
pub enum Request {
    /// Join the network through these addresses.
    Join(Vec<Endpoint>),
    /// Put or delete the value of a key.
    Put(PutRequest),
    /// Get the value of a key.
    Get(GetRequest),
    /// One of many puts or gets.
    Batched(Batched),
    /// Tell of each newer version of a key, until [`crate::Kv::cancel`].
    Watch(WatchRequest),
    /// Add an item to the set of a key, or remove it.
    Set(SetRequest),
    /// List members of the set of a key.
    Members(MembersRequest),
    /// Put a raw item of BEP 44.
    ItemPut(ItemPutRequest),
    /// Put a raw item that somebody signed before, over this version alone if one is named.
    SignedItemPut(Item, Option<Seq>),
    /// Get a raw item of BEP 44.
    ItemGet {
        /// Its name.
        target: Target,
        /// The salt in its name; empty for an immutable one.
        salt: Box<[u8]>,
    },
    /// Put chunks of a large value.
    ChunksPut(ChunksPutRequest),
    /// Get chunks of a large value by their names.
    ChunksGet(Vec<Target>),
    /// Announce ourselves as a peer of a topic.
    Announce {
        /// The topic.
        info_hash: InfoHash,
        /// Our port; `None`: the one our datagrams come from.
        port: Option<u16>,
        /// We are a seed (BEP 33).
        seed: bool,
    },
    /// Find the peers of a topic; they are told as they come.
    Peers {
        /// The topic.
        info_hash: InfoHash,
        /// Also count them by filters (BEP 33).
        scrape: bool,
    },
    /// Find the nodes closest to a place; each step is told.
    Lookup(Point),
    /// Ask one address whether it is there.
    Ping(Endpoint),
    /// Ask one address which topics it holds peers of (BEP 51).
    Sample {
        /// Whom.
        to: Endpoint,
        /// Near which place contacts are wanted.
        target: Point,
    },
    /// Promise to keep the value of a key alive.
    Keep(KeepRequest),
    /// End a promise.
    Unkeep(PromiseId),
    /// Tell all promises.
    Promises,
    /// Hand all that is kept for others off to those who will be closest without us.
    Leave {
        /// The latest end; `None`: the usual one.
        within: Option<Duration>,
    },
}

/// What a put does to a key.
#[derive(Clone, Debug)]
pub enum Change {
    /// Gives it a value.
    Put {
        /// The value.
        value: Box<[u8]>,
        /// What kind of value it is.
        content_type: Option<Box<str>>,
        /// For how long it lives.
        ttl: Duration,
        /// Without an envelope: just the bytes, for two hours, as foreign programs write them.
        plain: bool,
    },
    /// Gives it a value whose chunks have been put.
    PutManifest {
        /// Names the chunks.
        manifest: Manifest,
        /// What kind of value it is.
        content_type: Option<Box<str>>,
        /// Until when it lives: as long as its chunks at most.
        expires: UnixMillis,
    },
    /// Deletes it.
    Delete,
    /// Lets the value that it has live on, in the version right above the one it has: whoever writes
    /// at the same time has a higher one. There is nothing to renew where it is plain. The chunks of a large
    /// one must have been put before, for as long.
    Renew {
        /// For how long from now.
        ttl: Duration,
    },
}

/// What a put expects to replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there.
    Anything,
    /// Nothing, or what was deleted or has expired.
    Absent,
    /// Exactly this version.
    Version(Version),
}

/// A put or delete.
#[derive(Clone, Debug)]
pub struct PutRequest {
    /// Where the key lives.
    pub namespace: Namespace,
    /// The key.
    pub key: Key,
    /// What to do.
    pub change: Change,
    /// Only if this holds.
    pub expected: Expected,
    /// Tell each step of the lookup.
    pub trace: bool,
}

/// How many of the replicas a read waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Consistency {
    /// The first valid answer.
    First,
    /// A majority of the replicas known; the newest value among their answers.
    #[default]
    Quorum,
    /// Every replica known.
    All,
}

/// A get.
#[derive(Clone, Debug)]
pub struct GetRequest {
    /// Where the key lives.
    pub namespace: Namespace,
    /// The key.
    pub key: Key,
    /// How many replicas to wait for.
    pub consistency: Consistency,
    /// Tell each step of the lookup.
    pub trace: bool,
}

/// A promise to be made.
#[derive(Clone, Debug)]
pub struct KeepRequest {
    /// Where the key lives. What may sign here renews the expiry too; what may only read puts the
    /// same bytes again, until they expire.
    pub namespace: Namespace,
    /// The key.
    pub key: Key,
    /// For how long it is renewed each time.
    pub ttl: Duration,
}

/// A put of a raw item.
#[derive(Clone, Debug)]
pub struct ItemPutRequest {
    /// The bencoded value.
    pub value: Box<[u8]>,
    /// For a mutable item.
    pub signed: Option<ItemSigning>,
}

/// A put of chunks of a large value, each the immutable item that a
/// [`ManifestBuilder`](crate::ManifestBuilder) hands out.
#[derive(Clone, Debug)]
pub struct ChunksPutRequest {
    /// The chunks.
    pub items: Vec<Item>,
    /// Who keeps a chunk until then is not sent it again.
    pub expires: UnixMillis,
    /// Until when holders shall keep those that are sent; somewhat later than `expires`, so that a
    /// put repeated soon finds them kept long enough.
    pub lease: UnixMillis,
}

/// How a raw mutable item is signed.
#[derive(Clone, Debug)]
pub struct ItemSigning {
    /// By whom.
    pub signer: Signer,
    /// Tells the items of one signer apart.
    pub salt: Box<[u8]>,
    /// Its version; `None`: one above what is found.
    pub seq: Option<Seq>,
    /// Holders shall take it only over this version.
    pub cas: Option<Seq>,
}

/// What a request came to.
#[derive(Clone, Debug)]
pub enum Done {
    /// A put or delete.
    Put(Result<Box<PutReport>, PutError>),
    /// A get.
    Got(Result<Box<GetReport>, GetError>),
    /// A watch, which could not go on.
    Watched(WatchError),
    /// A change of a set.
    Set(Result<Box<SetReport>, SetError>),
    /// A listing of a set.
    Members(Result<Box<MembersReport>, SetError>),
    /// A put of a raw item.
    ItemPut(Result<Box<ItemReport>, PutError>),
    /// A get of a raw item.
    ItemGot(Result<Box<ItemReport>, GetError>),
    /// A put of chunks.
    ChunksPut(Result<Box<ChunksReport>, PutError>),
    /// A get of chunks.
    ChunksGot(Result<ChunksFound, GetError>),
    /// An announcement.
    Announced(Result<Box<PutReport>, PutError>),
    /// A search for peers.
    Peers(Box<PeersReport>),
    /// A lookup.
    Lookup(Box<LookupReport>),
    /// A question to one address.
    Answered(Answer),
    /// A leave.
    Left(LeaveReport),
    /// A promise that was made.
    Kept(Result<Box<KeepReport>, KeepError>),
    /// A promise that was ended.
    Unkept(Result<(), UnkeepError>),
    /// All promises, in the order of their keys.
    Promises(Vec<PromiseStatus>),
}

/// What a node tells.
#[derive(Clone, Debug)]
pub enum Event {
    /// The first answer of a network came.
    Joined {
        /// How many contacts the table holds.
        contacts: usize,
    },
    /// No address to join through answered; it is tried again.
    JoinFailed {
        /// After so long.
        retry_in: Duration,
    },
    /// Enough other nodes see us at this address.
    ExternalAddress(Endpoint),
    /// Our id changed, to follow from our address (BEP 42).
    Renamed(NodeId),
    /// The disk does not take what shall outlive the process, for this reason: puts are refused.
    DiskFails(Box<str>),
    /// The disk takes what shall outlive the process again.
    DiskWorks,
    /// Bytes changed on the disk: it has some of what was durable no more.
    DiskDamaged {
        /// Entries that are gone from the disk. What the node holds of them it serves until it ends.
        entries: u64,
        /// Damaged files of the store, by their new names.
        set_aside: Vec<String>,
    },
    /// A step of a request's lookup.
    Step(RequestId, Step),
    /// Peers that the request had not found before.
    Peers(RequestId, Vec<Endpoint>),
    /// A watched key has a newer version than those told before.
    Watched(RequestId, Box<Watched>),
    /// The request is done. Every request ends with exactly one of these, a watch that is cancelled
    /// with none.
    Done(RequestId, Done),
}
