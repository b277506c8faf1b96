//! What was durable before a start, read back: what the node holds for others, and our own promises.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::promises;

/// An entry that was read back, ready for [`Kv::restore`](crate::Kv::restore). Reading takes most of
/// the time of a start, and no store: it may be done elsewhere.
pub struct Restorable(pub(crate) Content);

pub(crate) enum Content {
    Held(node::Restorable),
    /// Key and value of a promise: there are few of them.
    Promise(Box<[u8]>, Zeroizing<Box<[u8]>>),
}

impl Restorable {
    /// Reads an entry; `None` if it is nothing that this version keeps.
    pub fn read(key: &[u8], value: &[u8]) -> Option<Self> {
        Some(Self(match key.first() {
            Some(&promises::SPACE) => Content::Promise(key.into(), Zeroizing::new(value.into())),
            _ => Content::Held(node::Restorable::read(key, value)?),
        }))
    }

    /// Appends the key under which it lies.
    pub fn write_key(&self, to: &mut Vec<u8>) {
        match &self.0 {
            Content::Held(held) => held.write_key(to),
            Content::Promise(key, _) => to.extend(key),
        }
    }
}

/// A promise as it lies on a disk. Whoever reads it can sign in its namespace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PersistedPromise<'b> {
    /// The key under which it lies.
    pub key: &'b [u8],
    /// The bytes there: a secret.
    pub value: &'b [u8],
}

impl<'b> PersistedPromise<'b> {
    /// What lies under a key that is a promise's; `None` if the key is none.
    pub fn read(key: &'b [u8], value: &'b [u8]) -> Option<Self> {
        (key.first() == Some(&promises::SPACE)).then_some(Self { key, value })
    }

    /// Whether a node would understand it, or a later version of one.
    pub fn is_sound(&self) -> bool {
        promises::reads(self.key, self.value)
    }
}

impl fmt::Debug for PersistedPromise<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersistedPromise({} bytes)", self.value.len())
    }
}
