//! A cipher that seals the same into the same: for what is found again by its sealed bytes, such as
//! chunks and members of sets.
//!
//! The nonce is not chance but the first 24 bytes of the BLAKE3, under a key of its own, of the place
//! for which something is sealed and of what is sealed. So no nonce serves for two plaintexts, and two
//! ciphertexts are the same only if place and plaintext are.

use alloc::vec::Vec;
use core::fmt;

use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize, Zeroizing};

use super::{NONCE_BYTES, Nonce, TAG_BYTES};

/// Seals and opens. Its keys are wiped from memory when it is dropped, and never printed.
#[derive(Clone)]
pub(crate) struct Repeatable {
    key: Zeroizing<[u8; 32]>,
    nonces: Zeroizing<[u8; 32]>,
    /// Begins what all ciphertexts are bound to.
    context: &'static [u8],
}

impl Repeatable {
    /// With a key for what is sealed and one for nonces.
    pub fn new(
        key: Zeroizing<[u8; 32]>,
        nonces: Zeroizing<[u8; 32]>,
        context: &'static [u8],
    ) -> Self {
        Self { key, nonces, context }
    }

    /// Seals a plaintext, with zeros behind it up to `padded` bytes, for a place.
    pub fn seal(&self, place: &[u8], plaintext: &[u8], padded: usize) -> Vec<u8> {
        let nonce = self.nonce(place, plaintext);
        let padded = padded.max(plaintext.len());
        let mut sealed = Vec::with_capacity(NONCE_BYTES + padded + TAG_BYTES);
        sealed.extend(nonce);
        sealed.extend(plaintext);
        sealed.resize(NONCE_BYTES + padded, 0);
        let tag = self.cipher().encrypt_inout_detached(
            &XNonce::from(nonce),
            &[self.context, place].concat(),
            (&mut sealed[NONCE_BYTES..]).into(),
        );
        sealed.extend(tag.expect("the cipher takes 256 GiB, an item holds 1,000 bytes"));
        sealed
    }

    /// What is sealed, with the zeros behind it; `None` if this did not seal it for this place.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        let opened = self.cipher().decrypt_inout_detached(
            &XNonce::from(*nonce),
            &[self.context, place].concat(),
            plaintext.as_mut_slice().into(),
            &Tag::from(*tag),
        );
        opened.ok().map(|()| plaintext)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.key).into())
    }

    fn nonce(&self, place: &[u8], plaintext: &[u8]) -> Nonce {
        let mut hasher = blake3::Hasher::new_keyed(&self.nonces);
        hasher.update(place).update(plaintext);
        let mut nonce = [0; NONCE_BYTES];
        hasher.finalize_xof().fill(&mut nonce);
        hasher.zeroize();
        nonce
    }
}

impl fmt::Debug for Repeatable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Repeatable")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cipher(key: u8, nonces: u8, context: &'static [u8]) -> Repeatable {
        Repeatable::new(Zeroizing::new([key; 32]), Zeroizing::new([nonces; 32]), context)
    }

    proptest! {
        #[test]
        fn the_same_is_sealed_into_the_same_and_any_altered_byte_is_refused(
            plaintext: Vec<u8>, place: [u8; 4], padding in 0usize..70,
            at: prop::sample::Index, flip in 1u8..,
        ) {
            let cipher = cipher(1, 2, b"c");
            let mut sealed = cipher.seal(&place, &plaintext, plaintext.len() + padding);
            prop_assert_eq!(&cipher.seal(&place, &plaintext, plaintext.len() + padding), &sealed);
            let opened = cipher.open(&place, &sealed).unwrap();
            let (inside, behind) = opened.split_at(plaintext.len());
            prop_assert_eq!((inside, behind), (&plaintext[..], &alloc::vec![0; padding][..]));
            *at.get_mut(&mut sealed) ^= flip;
            prop_assert_eq!(cipher.open(&place, &sealed), None);
        }

        #[test]
        fn any_bytes_are_refused(bytes: Vec<u8>) {
            prop_assert_eq!(cipher(1, 2, b"c").open(b"p", &bytes), None);
        }
    }

    #[test]
    fn another_key_place_or_context_opens_nothing_and_shares_no_nonce() {
        let sealed = cipher(1, 2, b"c").seal(b"p", b"same", 64);
        assert_eq!(cipher(3, 2, b"c").open(b"p", &sealed), None);
        assert_eq!(cipher(1, 2, b"d").open(b"p", &sealed), None);
        assert_eq!(cipher(1, 2, b"c").open(b"q", &sealed), None);
        let others = [
            cipher(1, 3, b"c").seal(b"p", b"same", 64),
            cipher(1, 2, b"c").seal(b"q", b"same", 64),
            cipher(1, 2, b"c").seal(b"p", b"some", 64),
        ];
        assert!(others.iter().all(|other| other[..NONCE_BYTES] != sealed[..NONCE_BYTES]));
    }
}
