//! A distributed hash table to embed: start a node, join a network, put and get values. No server,
//! no leader; the protocol is BitTorrent's Mainline DHT, so libtorrent and its kin are peers.
//!
//! ```
//! use xorbit::Node;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let first = Node::builder().listen("127.0.0.1:0".parse()?).start().await?;
//! let address = first.local_addrs()[0].to_string();
//! let second = Node::builder().listen("127.0.0.1:0".parse()?).join(address).start().await?;
//!
//! let receipt = second.put("greeting", "hello").await?;
//! println!("version {:?} at {} nodes", receipt.version, receipt.replicas.stored.len());
//!
//! let found = first.get("greeting").await?;
//! assert_eq!(&found.value[..], b"hello");
//! # first.close().await;
//! # second.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`Node::put`] and [`Node::get`] are builders: await them as they are, or first say more, such as
//! [`Put::ttl`], [`Put::signer`], [`Put::if_version`] or [`Get::consistency`]. What they give back
//! tells the truth about every replica; what they fail with tells not found, unreachable, refused
//! and timed out apart.
//!
//! [`Node::watch`] tells of each newer version of a key, as it comes.
//!
//! [`testnet()`] gives a running local network in one call.

mod batch;
mod builder;
mod clock;
mod data_dir;
mod driver;
#[cfg(test)]
mod durability;
mod error;
mod get;
mod item;
mod keep;
mod known;
mod lookup;
mod node;
pub mod offline;
mod outbound;
mod persistence;
mod pieces;
mod put;
mod remembered;
mod resolve;
mod restore;
mod seed;
mod set;
mod socket;
mod testnet;
mod topic;
mod upload;
mod watch;

pub use batch::{Batch, OneOfMany};
pub use builder::{
    Builder, DEFAULT_MAX_VALUE, DEFAULT_NETWORK, DEFAULT_PORT, PUBLIC_MAX_VALUE, PUBLIC_ROUTERS,
};
pub use clock::wall_clock;
pub use data_dir::DataDirError;
pub use error::{Closed, StartError};
pub use get::Get;
pub use item::{ItemGet, ItemPut, SignedItemPut};
pub use keep::{Keep, Unkeep};
pub use known::Known;
pub use lookup::{Lookup, LookupStep};
pub use node::{Events, Info, Node};
pub use pieces::Pieces;
pub use put::Put;
pub use restore::Restored;
pub use seed::random_seed;
pub use set::{ChangeSet, Members};
pub use testnet::{Testnet, testnet};
pub use topic::{Announce, Peers};
pub use upload::Progress;
pub use watch::{Watch, Watching};

pub use ::node::limits::MEMBERS_PER_SET;
pub use ::node::{
    Answer, Counters, Drop as DropReason, Ended, Holds, Lease, Listed, Method, NetworkKey,
    Persisted, PersistedMember, PersistedPeer, Responder, ShelfLimits, Step, StepOutcome,
    UnixMillis,
};
pub use kv::{
    Absence, ChunksFare, ChunksReport, ChunksStatus, Consistency, DEFAULT_REPLICAS, DEFAULT_TTL,
    Effort, Event, Expected, Fares, Form, GetError, GetReport, ItemReport, KEY_BYTES, KeepError,
    KeepReport, Key, KeyError, LEAST_PROMISED_TTL, LISTING_MEMBERS, LeaveReport, ListedMember,
    LookupReport, MAX_REPLICAS, MAX_TTL, Manifest, MembersReport, Namespace, NamespaceError,
    PASSPHRASE_BYTES, PROMISED_BYTES, PROMISES, PassphraseError, PeersReport, PersistedPromise,
    PromiseId, PromiseStatus, PutError, PutReport, ReadError, Record, Refusal, Replica,
    SEALED_MEMBER_BYTES, SetError, SetReport, UnkeepError, Version, WatchContent, WatchError,
    Watched, WriteReport, largest_value,
};
pub use store::StoreError;
pub use wire::{
    Bloom, Contact, Cursor, Endpoint, Family, InfoHash, Item, KnownKeys, NodeId, Point, PublicKey,
    Scope, Seq, Signer, Target, Unverified,
    item::{Signed, byte_string, inside_byte_string, mutable_target},
};

/// The README's code, compiled and run as it stands there.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The same for what is said of promises.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/keeping.md")]
struct Keeping;

/// The same for what is said of secret namespaces.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/secrecy.md")]
struct Secrecy;
