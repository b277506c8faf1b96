//! Namespaces: the Ed25519 key under which keys live, and so who may write them; in a secret one
//! also who may read.

mod persisted;
mod renewal;
mod secret;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};
use wire::item::mutable_target;
use wire::limits::MEMBER_ITEM_BYTES;
use wire::{Item, PublicKey, Signer, Target};
use zeroize::Zeroizing;

use crate::cipher::{Binding, Nonce, Unopened};
use crate::key::Key;
use crate::manifest::{ChunkSeal, Form, HASH_BYTES};
use crate::record::{Envelope, Record, largest_sealed_value, largest_value};
use crate::report::PutError;
use crate::set::{MemberSeal, SEALED_MEMBER_BYTES};
use crate::version::Version;

pub use secret::PassphraseError;
use secret::Secret;

/// Starts the hash by which a name becomes a seed, so that no other use of the name gives it.
const OPEN_CONTEXT: &[u8] = b"xorbit open namespace v1\0";

/// The namespace that everybody shares if none is named.
pub const DEFAULT_NAME: &str = "default";

/// A namespace cannot be written to, or not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamespaceError {
    /// It is somebody's signed one, and their key is not here.
    #[error("the namespace of `{0}` can be read but not written without its signer")]
    ReadOnly(PublicKey),
    /// It is a secret one, where nothing stands as it is.
    #[error("a plain value can be read by all who hold it: a secret namespace takes none")]
    PlainInSecret,
    /// Chunks are sealed in secret namespaces, where they were made as if they were to be read by all,
    /// and nowhere else.
    #[error("the chunks of the value were made for another kind of namespace")]
    WrongChunks,
}

/// Under which key keys live.
#[derive(Clone, Debug)]
pub struct Namespace {
    owner: PublicKey,
    signer: Option<Signer>,
    secret: Option<Arc<Secret>>,
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
        Self { owner: signer.public_key(), signer: Some(signer), secret: None }
    }

    /// Somebody's signed namespace, to read.
    pub fn of(owner: PublicKey) -> Self {
        Self { owner, signer: None, secret: None }
    }

    /// The secret namespace of a passphrase: whoever knows the passphrase can read and write, and
    /// nobody else can read values, content types or the names of keys.
    ///
    /// This is slow on purpose (about a tenth of a second of computing, and 64 MiB), so that
    /// passphrases cannot be tried out quickly. Make it once and keep it: clones are cheap. In an
    /// asynchronous program make it where blocking is allowed.
    ///
    /// # Errors
    /// If the passphrase is empty or longer than 1,024 bytes.
    pub fn secret(passphrase: impl AsRef<[u8]>) -> Result<Self, PassphraseError> {
        Self::secret_named(passphrase, DEFAULT_NAME)
    }

    /// Like [`Namespace::secret`], under a public name: those of other names are apart, though
    /// their passphrases be the same. Trying out passphrases for one name tells nothing of others.
    ///
    /// # Errors
    /// As [`Namespace::secret`].
    pub fn secret_named(passphrase: impl AsRef<[u8]>, name: &str) -> Result<Self, PassphraseError> {
        let (signer, secret) = Secret::derive(passphrase.as_ref(), name)?;
        Ok(Self { secret: Some(Arc::new(secret)), ..Self::signed(signer) })
    }

    /// Whose it is.
    pub fn owner(&self) -> PublicKey {
        self.owner
    }

    /// The salt of a key's item, which holders see: from its bytes as [`Key`] has it, in a secret
    /// namespace 32 bytes that tell nothing without the passphrase.
    pub fn salt(&self, key: &Key) -> Box<[u8]> {
        match &self.secret {
            None => key.salt(),
            Some(secret) => secret.salt(key).into(),
        }
    }

    /// Where in the key space a key of this namespace lies: the SHA-1 of owner and salt.
    pub fn target(&self, key: &Key) -> Target {
        mutable_target(&self.owner, &self.salt(key))
    }

    /// The largest value that fits one item here, in bytes, with an envelope or plain. A secret
    /// namespace takes none that is plain.
    pub fn largest_value(&self, content_type: Option<&str>, plain: bool) -> usize {
        match &self.secret {
            None => largest_value(content_type, plain),
            Some(_) => largest_sealed_value(content_type),
        }
    }

    /// What seals and opens the chunks of a value with this BLAKE3 under this key; `None` outside of
    /// secret namespaces, where chunks are pure bytes.
    pub fn chunk_seal(&self, key: &Key, hash: &[u8; HASH_BYTES]) -> Option<ChunkSeal> {
        self.secret.as_ref().map(|secret| secret.chunk_seal(key, hash))
    }

    /// What seals the items of the set under this key; `None` outside of secret namespaces.
    pub(crate) fn member_seal(&self, key: &Key) -> Option<MemberSeal> {
        self.secret.as_ref().map(|secret| secret.member_seal(key))
    }

    /// Longest item of a set here, in bytes.
    pub fn longest_member(&self) -> usize {
        if self.is_secret() { SEALED_MEMBER_BYTES } else { MEMBER_ITEM_BYTES }
    }

    /// Whether only who knows a passphrase can read here.
    pub fn is_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Who signs here.
    ///
    /// # Errors
    /// [`NamespaceError::ReadOnly`] if it cannot be written.
    pub fn signer(&self) -> Result<&Signer, NamespaceError> {
        self.signer.as_ref().ok_or(NamespaceError::ReadOnly(self.owner))
    }

    /// Whether a record of this kind can be written here.
    pub(crate) fn admits(&self, plain: bool) -> Result<(), NamespaceError> {
        self.signer()?;
        if plain && self.secret.is_some() {
            return Err(NamespaceError::PlainInSecret);
        }
        Ok(())
    }

    /// Whether a value whose chunks are of this form can be written here.
    pub(crate) fn admits_chunks(&self, form: Form) -> Result<(), NamespaceError> {
        let fits = (form == Form::Sealed) == self.secret.is_some();
        if fits { Ok(()) } else { Err(NamespaceError::WrongChunks) }
    }

    /// The item of a record, signed and in a secret namespace sealed. The nonce must never be used
    /// again.
    pub(crate) fn sign(
        &self,
        key: &Key,
        version: Version,
        record: &Record,
        nonce: &Nonce,
    ) -> Result<Item, PutError> {
        let (signer, salt, seq) = (self.signer()?, self.salt(key), version.seq());
        let value = match &self.secret {
            None => record.encode(),
            Some(secret) => {
                let (inside, outside) = record.split().ok_or(NamespaceError::PlainInSecret)?;
                let binding = Binding { owner: &self.owner, salt: &salt, seq, outside: &outside };
                let sealed = secret.cipher.seal(&binding, &inside, nonce);
                Envelope::around(&outside, &sealed).encode()
            }
        };
        Ok(Item::mutable(signer, &salt, seq, &value)?)
    }

    /// The same item under another version, byte for byte but for what the version is bound to.
    /// `None` if it cannot be written or does not open.
    pub(crate) fn sign_again(&self, item: &Item, version: Version, nonce: &Nonce) -> Option<Item> {
        let (signer, seq) = (self.signer().ok()?, version.seq());
        let value: Box<[u8]> = match &self.secret {
            None => item.value().into(),
            Some(secret) => {
                let envelope = Envelope::find(item.value())?;
                let inside = self.opened(secret, item, &envelope).ok()?;
                let (salt, outside) = (item.as_ref().signed()?.salt, envelope.outside());
                let binding = Binding { owner: &self.owner, salt, seq, outside: &outside };
                let sealed = secret.cipher.seal(&binding, &inside, nonce);
                envelope.with(&sealed).encode().into()
            }
        };
        Item::mutable(signer, item.as_ref().signed()?.salt, seq, &value).ok()
    }

    /// What an item of this namespace says.
    ///
    /// # Errors
    /// [`Unopened`] if it is sealed and this is not the secret that sealed it for this key and
    /// version, or if it is not sealed and this namespace is secret.
    pub(crate) fn read(&self, item: &Item) -> Result<Record, Unopened> {
        let record = Record::decode(item.value());
        match (&self.secret, record.sealed) {
            (None, false) => Ok(record),
            (Some(secret), true) => {
                let envelope = Envelope::find(item.value()).ok_or(Unopened)?;
                let inside = self.opened(secret, item, &envelope)?;
                record.unsealed(&inside).map_err(|_| Unopened)
            }
            _ => Err(Unopened),
        }
    }

    fn opened(
        &self,
        secret: &Secret,
        item: &Item,
        envelope: &Envelope<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let item = item.as_ref();
        let signed = item.signed().ok_or(Unopened)?;
        let outside = envelope.outside();
        let (salt, seq) = (signed.salt, signed.seq);
        let binding = Binding { owner: &self.owner, salt, seq, outside: &outside };
        secret.cipher.open(&binding, envelope.sealed)
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::open(DEFAULT_NAME)
    }
}

#[cfg(test)]
mod tests;
