//! Namespaces as bytes, to be kept where nobody else reads: a kind, then keys of 32 bytes each.
//!
//! | kind | keys | it can |
//! |---|---|---|
//! | 0 | the public key | read |
//! | 1 | the signer's seed | read and write |
//! | 2 | the signer's seed, the key of names, the key of values | the same, in a secret namespace |

use alloc::sync::Arc;
use alloc::vec::Vec;

use wire::{PublicKey, Signer};
use zeroize::Zeroizing;

use super::{Namespace, Secret};

const READ: u8 = 0;
const SIGNED: u8 = 1;
const SECRET: u8 = 2;

/// Bytes of the longest.
const MOST_BYTES: usize = 1 + 3 * 32;

impl Namespace {
    /// All that there is to it: whoever has these bytes can do what this namespace can. They are wiped
    /// from memory when they are dropped.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Reserved at once: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
        match (&self.signer, &self.secret) {
            (None, _) => {
                bytes.push(READ);
                bytes.extend(self.owner.as_bytes());
            }
            (Some(signer), secret) => {
                bytes.push(if secret.is_some() { SECRET } else { SIGNED });
                bytes.extend(signer.seed());
                for key in secret.iter().flat_map(|secret| secret.keys()) {
                    bytes.extend(key);
                }
            }
        }
        bytes
    }

    /// The namespace of these bytes; `None` if they are none.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let namespace = Self::take(&mut bytes)?;
        bytes.is_empty().then_some(namespace)
    }

    /// Takes a namespace off the front.
    pub(crate) fn take(bytes: &mut &[u8]) -> Option<Self> {
        let (kind, mut rest) = bytes.split_first()?;
        let mut key = || rest.split_off(..32).and_then(|key| <&[u8; 32]>::try_from(key).ok());
        let namespace = match *kind {
            READ => Self::of(PublicKey::new(*key()?)),
            SIGNED => Self::signed(Signer::from_seed(key()?)),
            SECRET => {
                let signer = Signer::from_seed(key()?);
                let secret = Secret::from_keys(key()?, key()?);
                Self { secret: Some(Arc::new(secret)), ..Self::signed(signer) }
            }
            _ => return None,
        };
        *bytes = rest;
        Some(namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use proptest::prelude::*;
    use std::{format, vec};

    #[test]
    fn a_namespace_comes_back_with_all_that_it_can() {
        let key = Key::new("k").unwrap();
        let secret = Namespace::secret("open sesame").unwrap();
        for namespace in [Namespace::default(), secret.clone(), Namespace::of(secret.owner())] {
            let bytes = namespace.to_bytes();
            let again = Namespace::from_bytes(&bytes).unwrap();
            assert_eq!(
                (again.owner(), again.target(&key)),
                (namespace.owner(), namespace.target(&key))
            );
            assert_eq!(again.signer().is_ok(), namespace.signer().is_ok());
            assert_eq!((again.is_secret(), again.to_bytes()), (namespace.is_secret(), bytes));
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let open = Namespace::open("default");
        let seed = open.signer().unwrap().seed();
        assert_eq!(*open.to_bytes(), [&[1], &seed[..]].concat());
        let reader = Namespace::of(open.owner());
        assert_eq!(*reader.to_bytes(), [&[0], &open.owner().as_bytes()[..]].concat());
        assert_eq!(Namespace::secret("open sesame").unwrap().to_bytes().len(), MOST_BYTES);
    }

    #[test]
    fn nothing_secret_is_printed() {
        let namespace = Namespace::from_bytes(&[[2; 1].to_vec(), vec![77; 96]].concat()).unwrap();
        let printed = format!("{namespace:?}");
        assert!(!printed.contains("77") && !printed.contains("4d4d"), "{printed}");
    }

    proptest! {
        #[test]
        fn no_other_bytes_are_a_namespace(bytes: Vec<u8>) {
            let length = match bytes.first() {
                Some(0 | 1) => 33,
                Some(2) => 97,
                _ => usize::MAX,
            };
            prop_assert_eq!(Namespace::from_bytes(&bytes).is_some(), bytes.len() == length);
        }
    }
}
