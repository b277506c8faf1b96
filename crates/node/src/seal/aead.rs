//! XChaCha20-Poly1305 without associated data, put together from its parts.
//!
//! The crate `chacha20poly1305` does the same, and the tests hold the two against each other. But it
//! asks for the key stream in pieces, of which each costs as much as four blocks, and it cannot keep
//! the first step of XChaCha20 for a sender. For datagrams as short as ours that is most of the cost.

use alloc::boxed::Box;
use alloc::vec;

use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20::{ChaCha20, Key, Nonce, R20, hchacha};
use poly1305::Poly1305;
use poly1305::universal_hash::{KeyInit, UniversalHash};
use wire::limits::DATAGRAM_BYTES;
use zeroize::{Zeroize, Zeroizing};

use crate::limits::{SEAL_SENDER_BYTES, SEAL_TAG_BYTES};

/// One block of ChaCha20. The first of a key stream makes the key of Poly1305 (RFC 8439, 2.6).
const BLOCK_BYTES: usize = 64;

/// What the vector units make at once: less costs no less.
const STRIDE_BYTES: usize = 4 * BLOCK_BYTES;

const STREAM_BYTES: usize = (BLOCK_BYTES + DATAGRAM_BYTES).next_multiple_of(STRIDE_BYTES);

/// The key for all nonces that begin with one sender.
pub(super) struct SenderKey(Key);

impl SenderKey {
    /// XChaCha20's first step.
    pub fn derive(key: &[u8; 32], sender: &[u8; SEAL_SENDER_BYTES]) -> Self {
        Self(hchacha::<R20>(key.into(), sender.into()))
    }
}

impl Drop for SenderKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Where the key stream of one datagram is made, and its content opened.
pub(super) struct Bench(Zeroizing<Box<[u8]>>);

impl Bench {
    pub fn new() -> Self {
        Self(Zeroizing::new(vec![0; STREAM_BYTES].into()))
    }

    /// Encrypts a datagram in place and gives its tag. `body` is at most a datagram.
    pub fn seal(&mut self, key: &SenderKey, number: u64, body: &mut [u8]) -> [u8; SEAL_TAG_BYTES] {
        let mac = self.begin(key, number, body.len());
        body.iter_mut().zip(&self.0[BLOCK_BYTES..]).for_each(|(byte, key)| *byte ^= key);
        finish(mac, body).finalize().into()
    }

    /// Opens a datagram, if the tag is right; tells whether it was. `body` is at most a datagram.
    pub fn open(
        &mut self,
        key: &SenderKey,
        number: u64,
        body: &[u8],
        tag: &[u8; SEAL_TAG_BYTES],
    ) -> bool {
        let mac = self.begin(key, number, body.len());
        // In constant time.
        if finish(mac, body).verify(tag.into()).is_err() {
            return false;
        }
        self.0[BLOCK_BYTES..].iter_mut().zip(body).for_each(|(key, byte)| *key ^= byte);
        true
    }

    /// The first bytes of what was opened last.
    pub fn opened(&self, length: usize) -> &[u8] {
        &self.0[BLOCK_BYTES..BLOCK_BYTES + length]
    }

    /// Makes the key stream for a body of `length` bytes, and the MAC from its first block.
    fn begin(&mut self, key: &SenderKey, number: u64, length: usize) -> Poly1305 {
        // XChaCha20's second step: four zero bytes and the rest of the nonce.
        let mut nonce = Nonce::default();
        nonce[4..].copy_from_slice(&number.to_be_bytes());
        let stream = (BLOCK_BYTES + length).next_multiple_of(STRIDE_BYTES);
        ChaCha20::new(&key.0, &nonce).write_keystream(&mut self.0[..stream]);
        let mut mac_key = poly1305::Key::default();
        mac_key.copy_from_slice(&self.0[..poly1305::KEY_SIZE]);
        let mac = Poly1305::new(&mac_key);
        mac_key.zeroize();
        mac
    }
}

/// RFC 8439, 2.8, without associated data: the padded ciphertext and both lengths.
fn finish(mut mac: Poly1305, ciphertext: &[u8]) -> Poly1305 {
    let mut lengths = poly1305::Block::default();
    lengths[8..].copy_from_slice(&(ciphertext.len() as u64).to_le_bytes());
    mac.update_padded(ciphertext);
    mac.update(&[lengths]);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20poly1305::{AeadInOut, XChaCha20Poly1305, XNonce};
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn it_is_the_standard_aead(
            key: [u8; 32],
            sender: [u8; SEAL_SENDER_BYTES],
            number: u64,
            plain in prop::collection::vec(any::<u8>(), 0..=DATAGRAM_BYTES),
        ) {
            let mut nonce = XNonce::default();
            nonce[..SEAL_SENDER_BYTES].copy_from_slice(&sender);
            nonce[SEAL_SENDER_BYTES..].copy_from_slice(&number.to_be_bytes());
            let mut expected = plain.clone();
            let expected_tag = XChaCha20Poly1305::new(&key.into())
                .encrypt_inout_detached(&nonce, b"", expected.as_mut_slice().into())
                .expect("short enough");

            let (mut bench, key) = (Bench::new(), SenderKey::derive(&key, &sender));
            let mut body = plain.clone();
            let tag = bench.seal(&key, number, &mut body);
            prop_assert_eq!(&body, &expected);
            prop_assert_eq!(&tag[..], &expected_tag[..]);
            prop_assert!(bench.open(&key, number, &body, &tag));
            prop_assert_eq!(bench.opened(plain.len()), &plain[..]);
            prop_assert!(!bench.open(&key, number ^ 1, &body, &tag));
        }
    }

    #[test]
    fn every_length_of_a_datagram_comes_back() {
        let (mut bench, key) = (Bench::new(), SenderKey::derive(&[1; 32], &[2; 16]));
        let plain: Vec<u8> = (0..DATAGRAM_BYTES).map(|place| place as u8).collect();
        for length in 0..=DATAGRAM_BYTES {
            let mut body = plain[..length].to_vec();
            let tag = bench.seal(&key, length as u64, &mut body);
            assert!(bench.open(&key, length as u64, &body, &tag));
            assert_eq!(bench.opened(length), &plain[..length]);
        }
    }
}
