//! Keys and values over a node: namespaces, versioned records that expire, honest reports.
//!
//! A [`Kv`] owns a [`node::Node`] and has the same doors: a datagram, a tick, a request; then drain
//! the outbox and the events, and re-arm the timer. Like the node it knows no socket and no clock.
//!
//! A put's way through the files: `request` (what is asked) → `put` (version, envelope, signature)
//! → a lookup of the node, which gathers versions and tokens → its write phase → `report`.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod acquaintance;
mod admission;
mod batch;
mod busy;
mod chance;
mod chunks;
mod cipher;
mod get;
mod item;
mod key;
mod limits;
mod manifest;
mod namespace;
mod neighbours;
mod persisted;
mod promises;
mod put;
mod record;
mod replicas;
mod report;
mod request;
mod set;
mod state;
mod upkeep;
mod version;
mod watch;
mod window;

pub use admission::Records;
pub use batch::Batched;
pub use key::{Key, KeyError};
pub use limits::{
    DEFAULT_REPLICAS, DEFAULT_TTL, KEY_BYTES, LEAST_PROMISED_TTL, LISTING_MEMBERS, MAX_REPLICAS,
    MAX_TTL, PASSPHRASE_BYTES, PROMISED_BYTES, PROMISES,
};
pub use manifest::{
    ChunkSeal, Form, Manifest, ManifestBuilder, ManifestReader, PIECE_BYTES, ReadError,
    ValueHasher, Wanted,
};
pub use namespace::{Namespace, NamespaceError, PassphraseError};
pub use persisted::{PersistedPromise, Restorable};
pub use promises::{
    ChunksFare, ChunksStatus, Fares, KeepError, KeepReport, PromiseId, PromiseStatus, UnkeepError,
};
pub use record::{Record, largest_value};
pub use report::{
    Absence, ChunksFound, ChunksReport, Effort, GetError, GetReport, ItemReport, LeaveReport,
    LookupReport, PeersReport, PutError, PutReport, Refusal, Replica, WriteReport,
};
pub use request::{
    Change, ChunksPutRequest, Consistency, Done, Event, Expected, GetRequest, ItemPutRequest,
    ItemSigning, KeepRequest, PutRequest, Request, RequestId,
};
pub use set::{
    ListedMember, MembersReport, MembersRequest, SEALED_MEMBER_BYTES, SetChange, SetError,
    SetReport, SetRequest,
};
pub use state::{Config, Kv};
pub use version::Version;
pub use watch::{WatchContent, WatchError, WatchRequest, Watched};
