//! Keys: any string of 1 to 1,024 bytes, and how it becomes the salt of a BEP 44 item.

use alloc::boxed::Box;
use alloc::string::String;

use sha2::{Digest, Sha512};
use wire::limits::SALT_BYTES;

use crate::limits::{KEY_BYTES, PLAIN_KEY_BYTES};

/// Why a string is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is empty.
    #[error("the key is empty; a key has 1 to {KEY_BYTES} bytes")]
    Empty,
    /// It is too long.
    #[error("the key has {0} bytes; a key has 1 to {KEY_BYTES}")]
    TooLong(usize),
}

/// A key of 1 to 1,024 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Box<str>);

impl Key {
    /// Takes a string.
    ///
    /// # Errors
    /// If it is empty or too long.
    pub fn new(text: impl Into<String>) -> Result<Self, KeyError> {
        let text: String = text.into();
        match text.len() {
            0 => Err(KeyError::Empty),
            1..=KEY_BYTES => Ok(Self(text.into())),
            length => Err(KeyError::TooLong(length)),
        }
    }

    /// The string.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The salt of the key's item: its bytes if at most 63, else their 64-byte SHA-512.
    pub(crate) fn salt(&self) -> Box<[u8]> {
        let bytes = self.0.as_bytes();
        if bytes.len() <= PLAIN_KEY_BYTES {
            return bytes.into();
        }
        let hash: [u8; SALT_BYTES] = Sha512::digest(bytes).into();
        hash.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_1_to_1024_bytes() {
        assert_eq!(Key::new(""), Err(KeyError::Empty));
        assert!(Key::new("k".repeat(1024)).is_ok());
        assert_eq!(Key::new("k".repeat(1025)), Err(KeyError::TooLong(1025)));
    }

    #[test]
    fn short_keys_are_their_own_salt_and_no_long_one_can_equal_them() {
        assert_eq!(*Key::new("k".repeat(63)).unwrap().salt(), [b'k'; 63]);
        for length in [64, 65, 1024] {
            let salt = Key::new("k".repeat(length)).unwrap().salt();
            assert_eq!(salt.len(), 64);
            assert_ne!(*salt, [b'k'; 64]);
        }
    }
}
