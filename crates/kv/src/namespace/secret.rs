//! What a passphrase gives: a signer, a key that hides names, and a cipher.
//!
//! Every number and label here is part of the format: another would give another namespace.

use alloc::vec;
use core::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use wire::Signer;
use zeroize::{Zeroize, Zeroizing};

use crate::cipher::Cipher;
use crate::key::Key;
use crate::limits::PASSPHRASE_BYTES;
use crate::manifest::{ChunkSeal, FOR_CHUNKS, HASH_BYTES};
use crate::set::{FOR_MEMBERS, MemberSeal};

/// Starts the hash by which a public name becomes the salt of the passphrase.
const CONTEXT: &[u8] = b"xorbit secret namespace v1\0";

/// Argon2id (RFC 9106): 64 MiB, as its second recommended choice has it,
const MEMORY_KIB: u32 = 64 * 1024;
/// passed over three times,
const PASSES: u32 = 3;
/// in one lane, since the library below computes lanes one after the other.
const LANES: u32 = 1;

/// What each key that comes from the master key is for.
const FOR_SIGNING: &[u8] = b"xorbit secret signer v1";
const FOR_NAMES: &[u8] = b"xorbit secret names v1";
const FOR_VALUES: &[u8] = b"xorbit secret values v1";

/// Why a passphrase is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// It is empty.
    #[error("the passphrase is empty; a passphrase has 1 to {PASSPHRASE_BYTES} bytes")]
    Empty,
    /// It is too long.
    #[error("the passphrase has {0} bytes; a passphrase has 1 to {PASSPHRASE_BYTES}")]
    TooLong(usize),
}

/// The keys of a secret namespace. They are wiped from memory when it is dropped, and never printed.
pub(crate) struct Secret {
    names: Zeroizing<[u8; 32]>,
    pub cipher: Cipher,
}

impl Secret {
    /// Stretches a passphrase, which takes its time, and tells the signer too.
    pub fn derive(passphrase: &[u8], name: &str) -> Result<(Signer, Self), PassphraseError> {
        match passphrase.len() {
            0 => return Err(PassphraseError::Empty),
            1..=PASSPHRASE_BYTES => {}
            length => return Err(PassphraseError::TooLong(length)),
        }
        let master = stretch(passphrase, name);
        let signer = Signer::from_seed(&keyed_hash(&master, FOR_SIGNING));
        let names = keyed_hash(&master, FOR_NAMES);
        Ok((signer, Self { names, cipher: Cipher::new(keyed_hash(&master, FOR_VALUES)) }))
    }

    /// The keys of names and of values, as [`Secret::keys`] gave them.
    pub fn from_keys(names: &[u8; 32], values: &[u8; 32]) -> Self {
        Self { names: Zeroizing::new(*names), cipher: Cipher::new(Zeroizing::new(*values)) }
    }

    /// The keys of names and of values, to be kept where nobody else reads.
    pub fn keys(&self) -> [&[u8; 32]; 2] {
        [&self.names, self.cipher.key()]
    }

    /// What holders see instead of a key's name.
    pub fn salt(&self, key: &Key) -> [u8; 32] {
        *keyed_hash(&self.names, key.as_str().as_bytes())
    }

    /// What seals the chunks of a value with this hash under this key.
    pub fn chunk_seal(&self, key: &Key, hash: &[u8; HASH_BYTES]) -> ChunkSeal {
        ChunkSeal::new(FOR_CHUNKS.map(|purpose| self.derived(&[purpose, &self.salt(key), hash])))
    }

    /// What seals the items of the set under this key.
    pub fn member_seal(&self, key: &Key) -> MemberSeal {
        MemberSeal::new(FOR_MEMBERS.map(|purpose| self.derived(&[purpose, &self.salt(key)])))
    }

    /// A key that follows from that of values.
    fn derived(&self, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        keyed_hash(self.cipher.key(), &parts.concat())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The master key of a passphrase under a public name.
fn stretch(passphrase: &[u8], name: &str) -> Zeroizing<[u8; 32]> {
    let salt = Sha256::new().chain_update(CONTEXT).chain_update(name.as_bytes()).finalize();
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).expect("within Argon2's bounds");
    let mut memory = vec![Block::new(); params.block_count()];
    let mut master = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase, &salt, &mut *master, &mut memory)
        .expect("the memory is as large as the parameters want, all lengths are within bounds");
    memory.zeroize();
    master
}

/// HMAC-SHA-256.
fn keyed_hash(key: &[u8; 32], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    let mut bytes = mac.finalize().into_bytes();
    let mut hash = Zeroizing::new([0; 32]);
    hash.copy_from_slice(&bytes);
    bytes.as_mut_slice().zeroize();
    hash
}
