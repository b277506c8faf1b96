//! The cipher of secret namespaces: XChaCha20-Poly1305 under a random nonce, over a plaintext whose
//! length is rounded up, bound to the place and version that it stands for.
//!
//! Sealed bytes are the nonce, the ciphertext and the tag.

mod repeatable;

use alloc::vec::Vec;

use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use wire::{PublicKey, Seq};
use zeroize::Zeroizing;

use crate::limits::{SEALED_BYTES, SEALED_STEP};

pub(crate) use repeatable::Repeatable;

/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 24;

/// Bytes of the tag behind the ciphertext.
const TAG_BYTES: usize = 16;

/// Nonce and tag: by so much sealed bytes are longer than the padded plaintext.
pub(crate) const OVERHEAD_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// Starts what the ciphertext is bound to, so that no other use of the key gives the same.
const CONTEXT: &[u8] = b"xorbit secret record v1\0";

/// A number that is used once: random, since 24 bytes never meet by chance.
pub(crate) type Nonce = [u8; NONCE_BYTES];

/// Bytes that this key did not seal for this place and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unopened;

/// For what a ciphertext stands. It opens for nothing else.
pub(crate) struct Binding<'a> {
    /// Whose namespace.
    pub owner: &'a PublicKey,
    /// Which key in it: 32 bytes.
    pub salt: &'a [u8],
    /// Which version.
    pub seq: Seq,
    /// What the envelope says for holders to read.
    pub outside: &'a [u8],
}

impl Binding<'_> {
    fn associated_data(&self) -> Vec<u8> {
        let seq = self.seq.get().to_be_bytes();
        [CONTEXT, self.owner.as_bytes(), self.salt, &seq, self.outside].concat()
    }
}

/// Seals and opens. Its key is wiped from memory when it is dropped.
pub(crate) struct Cipher(Zeroizing<[u8; 32]>);

impl Cipher {
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// The key, to be kept where nobody else reads.
    pub fn key(&self) -> &[u8; 32] {
        &self.0
    }

    fn keyed(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.0).into())
    }

    /// Seals a plaintext. A nonce must never be used twice.
    pub fn seal(&self, binding: &Binding<'_>, plaintext: &[u8], nonce: &Nonce) -> Vec<u8> {
        let padded = plaintext.len().next_multiple_of(SEALED_STEP);
        let mut sealed = Vec::with_capacity(padded + OVERHEAD_BYTES);
        sealed.extend_from_slice(nonce);
        sealed.extend_from_slice(plaintext);
        sealed.resize(NONCE_BYTES + padded, 0);
        let tag = self.keyed().encrypt_inout_detached(
            &XNonce::from(*nonce),
            &binding.associated_data(),
            (&mut sealed[NONCE_BYTES..]).into(),
        );
        let tag = tag.expect("the cipher takes 256 GiB, an item holds 1,000 bytes");
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Opens sealed bytes: the plaintext with its padding.
    pub fn open(
        &self,
        binding: &Binding<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(Unopened)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(Unopened)?;
        if ciphertext.len() > SEALED_BYTES {
            return Err(Unopened);
        }
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        let opened = self.keyed().decrypt_inout_detached(
            &XNonce::from(*nonce),
            &binding.associated_data(),
            plaintext.as_mut_slice().into(),
            &Tag::from(*tag),
        );
        opened.map(|()| plaintext).map_err(|_| Unopened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;
    use wire::Signer;

    fn cipher() -> Cipher {
        Cipher::new(Zeroizing::new([3; 32]))
    }

    fn owner() -> PublicKey {
        Signer::from_seed(&[1; 32]).public_key()
    }

    #[test]
    fn lengths_are_told_in_steps_only() {
        let owner = owner();
        let binding = Binding { owner: &owner, salt: &[2; 32], seq: Seq::default(), outside: b"d" };
        for (length, padded) in [(0, 0), (2, 64), (64, 64), (65, 128), (896, 896)] {
            let sealed = cipher().seal(&binding, &vec![7; length], &[9; NONCE_BYTES]);
            assert_eq!(sealed.len(), padded + OVERHEAD_BYTES);
            let opened = cipher().open(&binding, &sealed).unwrap();
            assert_eq!(opened[..length], vec![7; length]);
            assert!(opened[length..].iter().all(|byte| *byte == 0));
        }
    }

    proptest! {
        #[test]
        fn any_altered_byte_is_refused(
            plaintext in proptest::collection::vec(any::<u8>(), 1..200), nonce: [u8; NONCE_BYTES],
            place: prop::sample::Index, flip in 1u8..,
        ) {
            let owner = owner();
            let binding =
                Binding { owner: &owner, salt: &[2; 32], seq: Seq::default(), outside: b"d" };
            let mut sealed = cipher().seal(&binding, &plaintext, &nonce);
            prop_assert_eq!(&cipher().open(&binding, &sealed).unwrap()[..plaintext.len()], plaintext);
            let place = place.index(sealed.len());
            sealed[place] ^= flip;
            prop_assert_eq!(cipher().open(&binding, &sealed), Err(Unopened));
        }

        #[test]
        fn any_bytes_are_refused(bytes: Vec<u8>) {
            let owner = owner();
            let binding =
                Binding { owner: &owner, salt: &[2; 32], seq: Seq::default(), outside: b"d" };
            prop_assert_eq!(cipher().open(&binding, &bytes), Err(Unopened));
        }
    }

    #[test]
    fn a_ciphertext_opens_only_where_and_as_what_it_was_sealed() {
        let (owner, other) = (owner(), Signer::from_seed(&[2; 32]).public_key());
        let (seq, later) = (Seq::new(5).unwrap(), Seq::new(6).unwrap());
        let binding = || Binding { owner: &owner, salt: &[2; 32], seq, outside: b"d1:ei5ee" };
        let sealed = cipher().seal(&binding(), b"value", &[9; NONCE_BYTES]);
        assert!(cipher().open(&binding(), &sealed).is_ok());
        for wrong in [
            Binding { owner: &other, ..binding() },
            Binding { salt: &[3; 32], ..binding() },
            Binding { seq: later, ..binding() },
            Binding { outside: b"d1:ei6ee", ..binding() },
        ] {
            assert_eq!(cipher().open(&wrong, &sealed), Err(Unopened));
        }
        let stranger = Cipher::new(Zeroizing::new([4; 32]));
        assert_eq!(stranger.open(&binding(), &sealed), Err(Unopened));
    }
}
