//! Namespaces: the Ed25519 key under which keys live, and so who may write them.

use alloc::string::String;

use sha2::{Digest, Sha256};
use wire::item::mutable_target;
use wire::{PublicKey, Signer, Target};

use crate::key::Key;

/// Starts the hash by which a name becomes a seed, so that no other use of the name gives it.
const OPEN_CONTEXT: &[u8] = b"xorbit open namespace v1\0";

/// The namespace that everybody shares if none is named.
pub const DEFAULT_NAME: &str = "default";

/// A namespace cannot be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamespaceError {
    /// It is somebody's signed one, and their key is not here.
    #[error("the namespace of `{0}` can be read but not written without its signer")]
    ReadOnly(PublicKey),
}

/// Under which key keys live.
#[derive(Clone, Debug)]
pub struct Namespace {
    owner: PublicKey,
    signer: Option<Signer>,
}

impl Namespace {
    /// The open namespace of a public name: whoever knows the name can read and write.
    pub fn open(name: impl Into<String>) -> Self {
        let name: String = name.into();
        let seed: [u8; 32] = Sha256::new()
            .chain_update(OPEN_CONTEXT)
            .chain_update(name.as_bytes())
            .finalize()
            .into();
        Self::signed(Signer::from_seed(&seed))
    }

    /// The namespace of a signer: only it can write, everybody with its public key can read.
    pub fn signed(signer: Signer) -> Self {
        Self { owner: signer.public_key(), signer: Some(signer) }
    }

    /// Somebody's signed namespace, to read.
    pub fn of(owner: PublicKey) -> Self {
        Self { owner, signer: None }
    }

    /// Whose it is.
    pub fn owner(&self) -> PublicKey {
        self.owner
    }

    /// Where in the key space a key of this namespace lies: the SHA-1 of owner and salt.
    pub fn target(&self, key: &Key) -> Target {
        mutable_target(&self.owner, &key.salt())
    }

    /// Who signs here.
    ///
    /// # Errors
    /// [`NamespaceError::ReadOnly`] if it cannot be written.
    pub fn signer(&self) -> Result<&Signer, NamespaceError> {
        self.signer.as_ref().ok_or(NamespaceError::ReadOnly(self.owner))
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::open(DEFAULT_NAME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn open_namespaces_are_the_same_for_everybody_and_apart_by_name() {
        // Fixed for good: other nodes derive the same key from the name.
        assert_eq!(
            Namespace::default().owner().to_string(),
            Namespace::open("default").owner().to_string()
        );
        assert_ne!(Namespace::open("a").owner(), Namespace::open("b").owner());
        let key = Key::new("k").unwrap();
        assert_ne!(Namespace::open("a").target(&key), Namespace::open("b").target(&key));
    }

    #[test]
    fn somebodys_namespace_can_be_read_only() {
        let signer = Signer::from_seed(&[1; 32]);
        let theirs = Namespace::of(signer.public_key());
        assert!(matches!(theirs.signer(), Err(NamespaceError::ReadOnly(_))));
        assert_eq!(theirs.owner(), Namespace::signed(signer).owner());
    }
}
