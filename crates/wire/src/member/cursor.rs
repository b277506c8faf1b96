//! Where members stand in their set.

use core::fmt;
use core::str::FromStr;

use sha2::{Digest, Sha256};

use crate::id::{NotAnId, read_hex};
use crate::key::PublicKey;
use crate::limits::ID_BYTES;

/// Where a member stands in its set: the first 20 bytes of the SHA-256 of writer and item. So it
/// names a member, and members are listed in its order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor([u8; ID_BYTES]);

impl Cursor {
    /// The place of a writer's item.
    pub fn of(writer: &PublicKey, item: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(writer.as_bytes()).chain_update(item).finalize();
        let mut place = [0; ID_BYTES];
        place.copy_from_slice(&hash[..ID_BYTES]);
        Self(place)
    }

    /// Takes the 20 bytes.
    pub const fn new(bytes: [u8; ID_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }

    /// Reads a field of a message; `None` unless it is exactly 20 bytes long.
    pub fn read(field: &[u8]) -> Option<Self> {
        field.try_into().ok().map(Self)
    }

    /// The place just before this one: a page after it begins with this one. `None` at the start.
    pub fn before(mut self) -> Option<Self> {
        for byte in self.0.iter_mut().rev() {
            let (less, borrowed) = byte.overflowing_sub(1);
            *byte = less;
            if !borrowed {
                return Some(self);
            }
        }
        None
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Cursor {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        read_hex(text).map(Self).ok_or(NotAnId)
    }
}
