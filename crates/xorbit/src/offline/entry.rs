//! One entry of a store, as what it means.

use kv::PersistedPromise;
use node::{Persisted, UnixMillis};
use wire::{Contact, KnownKeys, NodeId, Refusal, Target};

use crate::remembered::{self, Remembered};

/// One entry of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<'b> {
    /// An item, the marker of one that has ended, a peer, or a member of a set.
    Kept(Persisted<'b>),
    /// Who the node is and whom it knew, at most 200 contacts of them.
    Node {
        /// Its id.
        id: NodeId,
        /// Whom it knew.
        contacts: Vec<Contact>,
    },
    /// A promise of the node's own. It holds the secret of its namespace.
    Promise(PersistedPromise<'b>),
    /// Anything else: of a later version, or not as this one writes it.
    Other {
        /// Its key.
        key: &'b [u8],
        /// Its value.
        value: &'b [u8],
    },
}

/// What is wrong with an entry whose bytes are as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It lies where a node keeps something, and is not that.
    #[error("it is not what a node keeps under such a key")]
    NotUnderstood,
    /// Its content has another name than the one under which it lies.
    #[error("its hash is `{hash}`, not the name under which it lies")]
    WrongName {
        /// The name that it should lie under.
        hash: Target,
    },
    /// The item is none.
    #[error(transparent)]
    BadItem(#[from] Refusal),
}

impl<'b> Entry<'b> {
    /// What lies under a key.
    pub fn read(key: &'b [u8], value: &'b [u8]) -> Self {
        if key == remembered::KEY
            && let Some(Remembered { id, contacts }) = Remembered::read(value)
        {
            return Self::Node { id, contacts };
        }
        let held = Persisted::read(key, value).map(Self::Kept);
        let ours = held.or_else(|| PersistedPromise::read(key, value).map(Self::Promise));
        ours.unwrap_or(Self::Other { key, value })
    }

    /// Checks name, sizes, form and signature of an item or member, and that an entry in a place of the node's
    /// is one.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, keys: &mut KnownKeys) -> Result<(), Fault> {
        match self {
            Self::Kept(Persisted::Item { target, item, .. }) => {
                let claim = item.claim();
                if claim.target() != *target {
                    return Err(Fault::WrongName { hash: claim.target() });
                }
                claim.verify(keys)?;
                Ok(())
            }
            Self::Kept(Persisted::Member(kept)) => {
                kept.member.verify(&kept.target, keys)?;
                Ok(())
            }
            Self::Promise(promise) if !promise.is_sound() => Err(Fault::NotUnderstood),
            Self::Other { key, .. } if *key == remembered::KEY || Persisted::is_key(key) => {
                Err(Fault::NotUnderstood)
            }
            _ => Ok(()),
        }
    }

    /// Whether it has ended by `wall`, so that the next start lets go of it.
    pub fn has_ended(&self, wall: UnixMillis) -> bool {
        match self {
            Self::Kept(Persisted::Item { item, lease, .. }) => {
                let remembered = item.signed.is_some() && lease.marker_until > wall;
                lease.until <= wall && !remembered
            }
            Self::Kept(Persisted::Marker { lease, .. }) => lease.marker_until <= wall,
            Self::Kept(Persisted::Peer(peer)) => peer.until <= wall,
            Self::Kept(Persisted::Member(member)) => member.until <= wall,
            Self::Node { .. } | Self::Promise(_) | Self::Other { .. } => false,
        }
    }

    /// Appends the key and the value under which it is kept.
    pub(super) fn write(&self, key: &mut Vec<u8>, value: &mut Vec<u8>) {
        match self {
            Self::Kept(persisted) => {
                persisted.write_key(key);
                persisted.write_value(value);
            }
            Self::Node { id, contacts } => {
                key.extend(remembered::KEY);
                Remembered { id: *id, contacts: contacts.clone() }.write(value);
            }
            Self::Promise(promise) => {
                key.extend(promise.key);
                value.extend(promise.value);
            }
            Self::Other { key: its_key, value: its_value } => {
                key.extend(*its_key);
                value.extend(*its_value);
            }
        }
    }
}
