//! Sets: many writers under one key. Adding, removing and listing members that their writers sign.
//!
//! A set lies where a record of its key would lie. Only nodes that know the queries `add` and
//! `members` hold members; among foreign nodes only, every request fails with
//! [`SetError::NoHolders`].
//!
//! A request's way: a lookup by `get`, which every node of Mainline understands → the closest are
//! asked for `members` ([`survey`]) → a change is signed and written ([`change`]), or the answers are
//! united ([`listing`]).

mod change;
mod listing;
mod report;
mod seal;
mod survey;

pub use report::{ListedMember, MembersReport, SetError, SetReport};

pub use seal::SEALED_MEMBER_BYTES;

pub(crate) use change::Change;
pub(crate) use seal::{FOR_MEMBERS, MemberSeal};
pub(crate) use survey::Survey;

use alloc::boxed::Box;
use core::time::Duration;

use wire::{Cursor, Signer};

use crate::key::Key;
use crate::namespace::Namespace;

/// What becomes of an item of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetChange {
    /// It is a member for so long.
    Add {
        /// From now on.
        ttl: Duration,
    },
    /// It is no member any more.
    Remove,
}

/// A change of a set by one writer.
#[derive(Clone, Debug)]
pub struct SetRequest {
    /// Where the key lives: this gives the place, not who may write.
    pub namespace: Namespace,
    /// The key.
    pub key: Key,
    /// Who writes; `None`: whoever signs in the namespace.
    pub writer: Option<Signer>,
    /// The item, 1 to 512 bytes, in a secret namespace at most [`SEALED_MEMBER_BYTES`].
    pub item: Box<[u8]>,
    /// What to do.
    pub change: SetChange,
}

impl SetRequest {
    /// Who writes.
    fn writer(&self) -> Result<&Signer, SetError> {
        let of_namespace = || {
            let signer = self.namespace.signer();
            signer.map_err(|_| SetError::NoWriter(self.namespace.owner()))
        };
        self.writer.as_ref().map_or_else(of_namespace, Ok)
    }
}

/// A listing of a part of a set.
#[derive(Clone, Debug)]
pub struct MembersRequest {
    /// Where the key lives.
    pub namespace: Namespace,
    /// The key.
    pub key: Key,
    /// Only members behind this place.
    pub after: Option<Cursor>,
    /// At most so many; no more than [`LISTING_MEMBERS`](crate::limits::LISTING_MEMBERS).
    pub limit: usize,
}
