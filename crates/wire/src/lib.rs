//! The words of the network, without any I/O: 160-bit identifiers and their distance, endpoints,
//! bounded zero-copy bencode, one variant for each remote procedure call of KRPC, and the signed or
//! hashed items of BEP 44.
//!
//! Everything here is a pure function of its arguments. A stranger's bytes come in through
//! [`Message::read`]; what it accepts is bounded by [`limits`].
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod bencode;
pub mod bloom;
pub mod compact;
pub mod endpoint;
pub mod id;
pub mod item;
pub mod key;
mod known_keys;
pub mod limits;
pub mod member;
pub mod message;
pub mod offer;
pub mod planted;
pub mod query;
pub mod reply;
pub mod secure_id;

pub use bloom::{Bloom, BloomBits};
pub use compact::{CompactNodes, CompactPeers, Contact};
pub use endpoint::{Endpoint, Family, Prefix, Scope};
pub use id::{Distance, InfoHash, NodeId, Point, Target};
pub use item::{Item, ItemRef, Refusal, Seq, Unverified};
pub use key::{PublicKey, Signer};
pub use known_keys::KnownKeys;
pub use member::{Cursor, Member, MemberList, MemberRef, Saying, UnverifiedMember};
pub use message::{ErrorMessage, Message, NetworkTag, QueryMessage, ReplyMessage, TransactionId};
pub use query::{Query, Want};
pub use reply::{Found, NodeLists, Reply, ReplyKind};
