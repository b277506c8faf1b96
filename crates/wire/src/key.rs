//! Ed25519 keys: who may write a mutable item, and the proof that they did (BEP 44).

use core::fmt;
use core::str::FromStr;

use ed25519_dalek::{Signer as _, SigningKey};

use crate::id::read_hex;

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// A public key that is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a public key of 64 hexadecimal digits")]
pub struct NotAKey;

/// Whose items these are: an Ed25519 public key as it stands in a message, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Takes the 32 bytes; whether they are a point on the curve shows at the first verification.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        read_hex(text).map(Self).ok_or(NotAKey)
    }
}

/// Signs items. The secret is wiped from memory when the last copy is dropped, and never printed.
#[derive(Clone)]
pub struct Signer(SigningKey);

impl Signer {
    /// Takes a 32-byte Ed25519 seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The 32-byte seed that [`Signer::from_seed`] takes: whoever has it can sign. To be kept where
    /// nobody else reads, and wiped after use.
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The key by which others check what this one signed.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The signature over `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer(of {})", self.public_key())
    }
}
