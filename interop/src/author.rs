//! Who signs: one key, in the forms in which each side takes it.

use xorbit::{Item, PublicKey, Seq, Signer, Target};

use crate::failure::Outcome;
use crate::values::bencoded;

/// The holder of a key, and a salt to write under.
#[derive(Clone, Debug)]
pub struct Author {
    seed: [u8; 32],
    salt: String,
}

impl Author {
    /// The author of this number, who writes under this salt; an empty one is none.
    pub fn new(number: u8, salt: &str) -> Self {
        Self { seed: [number; 32], salt: salt.to_owned() }
    }

    /// The secret, as all implementations of Ed25519 keep it.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Our kind of secret.
    pub fn signer(&self) -> Signer {
        Signer::from_seed(&self.seed)
    }

    /// By which others check.
    pub fn public_key(&self) -> PublicKey {
        self.signer().public_key()
    }

    /// The salt.
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// The name of this author's item under this salt.
    pub fn target(&self) -> Outcome<Target> {
        let any = bencoded(b"");
        Ok(Item::mutable(&self.signer(), self.salt.as_bytes(), Seq::default(), &any)?.target())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_and_salt_both_decide_where_an_item_lies() {
        let target = |number, salt| Author::new(number, salt).target().unwrap();
        assert_eq!(target(1, "a"), target(1, "a"));
        assert_ne!(target(1, "a"), target(1, ""));
        assert_ne!(target(1, "a"), target(2, "a"));
    }
}
