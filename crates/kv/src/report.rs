//! What puts and gets tell: how many nodes were asked, what each of them did, and why it was not
//! enough.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use node::{Ended, LookupResult, Responder, UnixMillis};
use wire::{Bloom, Contact, Endpoint, Item, NodeId, Refusal as BadItem, Target};

use crate::key::KeyError;
use crate::manifest::{Manifest, ReadError};
use crate::namespace::NamespaceError;
use crate::put::CONFLICTS;
use crate::version::Version;

/// One of the nodes that a key is kept on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its id.
    pub id: NodeId,
    /// Its address; `None`: this node itself.
    pub endpoint: Option<Endpoint>,
}

impl Replica {
    /// The replica at a contact; without one ourselves, who are `own`.
    pub(crate) fn at(contact: Option<Contact>, own: NodeId) -> Self {
        contact.map_or(Self { id: own, endpoint: None }, Self::from)
    }
}

impl From<Contact> for Replica {
    fn from(contact: Contact) -> Self {
        Self { id: contact.id, endpoint: Some(contact.endpoint) }
    }
}

/// A node that would not store, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which node.
    pub replica: Replica,
    /// The error code (BEP 5, BEP 44); 0: it gave no token to write with.
    pub code: i64,
    /// What it said.
    pub text: Box<str>,
}

/// What a lookup cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Effort {
    /// Queries sent.
    pub asked: usize,
    /// Replies received.
    pub answered: usize,
    /// How many nodes stand between us and the closest one, it included.
    pub hops: u8,
    /// From the request to its end.
    pub took: Duration,
}

impl Effort {
    /// Why nobody answered, in words.
    pub fn nobody(&self) -> &'static str {
        match self.asked {
            0 => "this node knows no other to ask",
            _ => "nobody answered",
        }
    }
}

/// What became of a write at each replica.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct WriteReport {
    /// How many replicas are known: at most as many as the network is set to.
    pub known: usize,
    /// How many of them must store: a majority.
    pub needed: usize,
    /// Those that said they stored, closest first.
    pub stored: Vec<Replica>,
    /// Those that would not.
    pub refused: Vec<Refusal>,
    /// Those that did not answer.
    pub silent: Vec<Replica>,
    /// What it cost.
    pub effort: Effort,
}

impl WriteReport {
    /// Whether a holder refused because it holds something newer, or another version than was expected.
    pub fn was_overtaken(&self) -> bool {
        self.refused.iter().any(|no| CONFLICTS.contains(&no.code))
    }
}

/// A put or announcement that enough replicas took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutReport {
    /// Where in the key space the key lies.
    pub target: Target,
    /// The version it has now; `None` for an announcement.
    pub version: Option<Version>,
    /// Until when it lives.
    pub expires: Option<UnixMillis>,
    /// Where it was stored.
    pub replicas: WriteReport,
    /// The chunks of a value that does not fit one item.
    pub chunks: Option<Box<ChunksReport>>,
}

/// Why a put failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The value does not fit one item.
    #[error("the value has {length} bytes, more than the {limit} that fit one item")]
    TooLarge {
        /// Its bytes.
        length: usize,
        /// How many would fit.
        limit: usize,
    },
    /// The value is above the limit that is set for this node.
    #[error("the value has {length} bytes, more than the limit of {limit}")]
    AboveLimit {
        /// Its bytes.
        length: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The source of the value failed.
    #[error("the source of the value failed: {0}")]
    Source(Box<str>),
    /// A value that does not fit one item of a secret namespace is read twice, and its source cannot be.
    #[error(
        "a large value in a secret namespace is read twice, and its source can be read but once"
    )]
    ReadOnce,
    /// Too few replicas stored some chunks of the value.
    #[error("{short} of the first {of} chunks were stored at too few nodes")]
    ChunksNotStored {
        /// How many chunks.
        short: usize,
        /// Of how many that were put so far.
        of: usize,
        /// The first node that would not store one of them, if any did not.
        refusal: Option<Box<Refusal>>,
    },
    /// The life asked for is zero, or longer than a year.
    #[error("a life of {0:?} is not between 1 ms and 365 days")]
    BadTtl(Duration),
    /// The content type is too long or no text.
    #[error("the content type has {0} bytes, more than 128")]
    BadContentType(usize),
    /// The namespace cannot be written.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// The raw item is none.
    #[error(transparent)]
    BadItem(#[from] BadItem),
    /// Nobody answered.
    #[error("{}", .0.nobody())]
    Unreachable(Effort),
    /// There is nothing to delete.
    #[error("there is nothing to delete")]
    NotFound(Effort),
    /// The key does not hold what the put expected.
    #[error("the key does not hold the version expected")]
    Conflict {
        /// What it holds, as far as is known; `None`: nothing, or nobody said.
        current: Option<Version>,
    },
    /// The node that decides who wins did not answer, or only when asked again and with another
    /// version by then: the put may or may not have happened.
    #[error("the deciding node did not answer in time: the put may or may not have happened")]
    Undetermined {
        /// The version that would be there.
        version: Version,
    },
    /// Too few replicas stored.
    #[error("stored at {} of {} nodes, fewer than the {} needed",
        .0.replicas.stored.len(), .0.replicas.known, .0.replicas.needed)]
    NotEnoughReplicas(Box<PutReport>),
    /// The version found is so high that none can be above it.
    #[error("version {0} leaves no room for a higher one")]
    VersionExhausted(Version),
    /// This node has as many requests on their way as it may.
    #[error("too many requests at once")]
    Busy,
    /// The node was closed before the request was done.
    #[error("the node was closed")]
    Closed,
}

/// Chunks that were fetched.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ChunksFound {
    /// Each in the place of its name; `None` where nobody gave it.
    pub items: Vec<Option<Item>>,
    /// Queries sent.
    pub asked: usize,
}

/// What became of a batch of chunks that were put.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ChunksReport {
    /// Chunks that a majority of their replicas keep long enough.
    pub stored: usize,
    /// Chunks that fewer keep.
    pub short: usize,
    /// Why the first chunk of which nobody was reached was not stored.
    pub failed: Option<PutError>,
    /// The first node that would not store a chunk that fewer keep, if any did not.
    pub refusal: Option<Box<Refusal>>,
    /// Copies sent to other nodes.
    pub sent: usize,
    /// Copies that replicas kept already.
    pub held: usize,
    /// Queries sent to find the replicas.
    pub asked: usize,
}

/// A value that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetReport {
    /// Where in the key space the key lies.
    pub target: Target,
    /// The value; empty if `manifest` names its chunks.
    pub value: Box<[u8]>,
    /// The chunks of a value that does not fit one item.
    pub manifest: Option<Manifest>,
    /// What kind of value it is.
    pub content_type: Option<Box<str>>,
    /// Its version.
    pub version: Version,
    /// Until when it lives; `None`: it is plain, and lives two hours from its last put.
    pub expires: Option<UnixMillis>,
    /// Who it came from: the closest replica that holds this version, or else the node that gave it.
    pub source: Replica,
    /// Replicas that hold this version.
    pub agreed: usize,
    /// Replicas that hold an older one.
    pub stale: usize,
    /// Replicas that hold none.
    pub missing: usize,
    /// Replicas that did not answer.
    pub silent: usize,
    /// How many replicas are known.
    pub known: usize,
    /// Replicas that are being given this version now.
    pub repairing: usize,
    /// What it cost.
    pub effort: Effort,
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// No replica that answered holds anything.
    NeverSeen,
    /// It was deleted, in this version.
    Deleted(Version),
    /// It has expired, in this version.
    Expired(Version),
}

/// Why a get failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GetError {
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Enough replicas answered, and there is no value.
    #[error("not found")]
    NotFound {
        /// Why not.
        absence: Absence,
        /// What it cost.
        effort: Effort,
    },
    /// The newest version cannot be read: it is sealed, and not by this namespace for this key and
    /// version; or it is not sealed, and the namespace is secret. Its signature holds, so somebody
    /// wrote it who can sign here. A put or delete replaces it.
    #[error("version {version} does not open with the secret of this namespace")]
    Unopened {
        /// Which version.
        version: Version,
        /// The newest older value that opens, if one was found.
        older: Option<Box<GetReport>>,
    },
    /// The value is above the limit that is set for this node.
    #[error("the value has {length} bytes, more than the limit of {limit}")]
    AboveLimit {
        /// Its bytes.
        length: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The value does not come together from its chunks.
    #[error(transparent)]
    Chunks(#[from] ReadError),
    /// The sink for the value failed.
    #[error("the value could not be written: {0}")]
    Sink(Box<str>),
    /// Nobody answered.
    #[error("{}", .0.nobody())]
    Unreachable(Effort),
    /// Too few replicas answered to be sure.
    #[error("only {answered} of {known} nodes answered, fewer than the {needed} needed")]
    NotEnoughReplicas {
        /// How many answered.
        answered: usize,
        /// How many are known.
        known: usize,
        /// How many must answer.
        needed: usize,
        /// The newest value among the answers, which may be stale.
        found: Option<Box<GetReport>>,
    },
    /// This node has as many requests on their way as it may.
    #[error("too many requests at once")]
    Busy,
    /// The node was closed before the request was done.
    #[error("the node was closed")]
    Closed,
}

/// A raw item that was put or found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemReport {
    /// The item.
    pub item: Item,
    /// For a put: where it was stored. For a get: who holds it.
    pub replicas: WriteReport,
}

/// What a search for peers came to; the peers themselves were told before.
#[derive(Clone, Debug)]
pub struct PeersReport {
    /// How many different peers were found.
    pub peers: usize,
    /// Filters of seeds and of other peers, to a scrape (BEP 33).
    pub filters: Option<Box<(Bloom, Bloom)>>,
    /// Why the search ended.
    pub ended: Ended,
    /// What it cost.
    pub effort: Effort,
}

/// What a leave came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaveReport {
    /// Items that were kept for others to their end.
    pub items: usize,
    /// Of these, those that not all nodes which should hold them now are known to hold.
    pub not_handed_over: usize,
    /// Members of sets, removed ones that are remembered included.
    pub members: usize,
    /// Of these, those that not all nodes which should hold them now are known to hold.
    pub members_not_handed_over: usize,
}

/// What a lookup came to.
#[derive(Clone, Debug)]
pub struct LookupReport {
    /// The closest nodes that answered, closest first.
    pub closest: Vec<Responder>,
    /// Of the closest known, those that did not answer.
    pub silent: Vec<Contact>,
    /// Why the lookup ended.
    pub ended: Ended,
    /// What it cost.
    pub effort: Effort,
}

impl From<&LookupResult> for Effort {
    fn from(result: &LookupResult) -> Self {
        Self {
            asked: result.asked,
            answered: result.answered,
            hops: result.hops,
            took: result.took,
        }
    }
}
