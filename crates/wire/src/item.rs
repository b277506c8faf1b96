//! The items of BEP 44: immutable ones, named by the hash of their value, and mutable ones, named by
//! a public key and a salt and signed by that key.
//!
//! An item off the wire is [`Unverified`]. Only [`Unverified::verify`] and the signing and hashing
//! constructors of [`Item`] make an [`Item`] or [`ItemRef`], so whoever holds one need not check
//! again.
//!
//! Departures from BEP 44: negative sequence numbers are refused, which it allows.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use sha1::{Digest, Sha1};

use crate::bencode::{Reader, Writer, check_canonical};
use crate::id::Target;
use crate::key::{PublicKey, SIGNATURE_BYTES, Signer};
use crate::known_keys::KnownKeys;
use crate::limits::{SALT_BYTES, VALUE_BYTES};
use crate::planted::{self, Bug};

/// The version of a mutable item: higher replaces lower (BEP 44 `seq`). Never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(i64);

impl Seq {
    /// `None` for a negative number.
    pub fn new(number: i64) -> Option<Self> {
        (number >= 0).then_some(Self(number))
    }

    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why an item is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The value is not bencode, or not in canonical form.
    #[error("the value is not canonical bencode")]
    NotCanonical,
    /// The bencoded value is longer than [`VALUE_BYTES`].
    #[error("the bencoded value is longer than {VALUE_BYTES} bytes")]
    ValueTooBig,
    /// The salt is longer than [`SALT_BYTES`].
    #[error("the salt is longer than {SALT_BYTES} bytes")]
    SaltTooBig,
    /// The signature is not the key's.
    #[error("the signature does not match")]
    BadSignature,
    /// The item is sound but not the one that was asked for.
    #[error("the item belongs to another target")]
    WrongTarget,
}

impl Refusal {
    /// The error code of BEP 44 by which a holder says so.
    pub fn code(self) -> i64 {
        match self {
            Refusal::NotCanonical | Refusal::WrongTarget => 203,
            Refusal::ValueTooBig => 205,
            Refusal::BadSignature => 206,
            Refusal::SaltTooBig => 207,
        }
    }
}

/// What makes an item mutable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// Whose item it is.
    pub key: PublicKey,
    /// Tells the items of one key apart; not sent back in replies.
    pub salt: &'a [u8],
    /// The version.
    pub seq: Seq,
    /// The signature over salt, version and value.
    pub signature: [u8; SIGNATURE_BYTES],
}

/// An item as it came off the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unverified<'a> {
    /// The bencoded value, byte for byte as received: hash and signature are over exactly these.
    pub value: &'a [u8],
    /// For a mutable item.
    pub signed: Option<Signed<'a>>,
}

impl<'a> Unverified<'a> {
    /// The item with the name it would have, were it sound: what its write token must be for.
    pub fn claim(self) -> Claim<'a> {
        let target = match &self.signed {
            Some(signed) => mutable_target(&signed.key, signed.salt),
            None => immutable_target(self.value),
        };
        Claim { item: self, target }
    }

    /// Checks size, form and signature, without allocating.
    ///
    /// # Errors
    /// As [`Claim::verify`].
    pub fn verify(self) -> Result<ItemRef<'a>, Refusal> {
        self.claim().verify(&mut KnownKeys::default())
    }

    /// Checks an item that was asked for by `target`, with the salt that the asker knows.
    ///
    /// # Errors
    /// [`Refusal::WrongTarget`] if it is another's, else as [`Claim::verify`].
    pub fn verify_for(
        mut self,
        target: &Target,
        salt: &'a [u8],
        keys: &mut KnownKeys,
    ) -> Result<ItemRef<'a>, Refusal> {
        if let Some(signed) = &mut self.signed {
            signed.salt = salt;
        }
        // The target is checked before the signature, which costs a hundred times as much.
        let claim = self.claim();
        if claim.target == *target || planted::is(Bug::ItemOfAnotherTarget) {
            claim.verify(keys)
        } else {
            Err(Refusal::WrongTarget)
        }
    }
}

/// An unverified item with the name that it claims.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    item: Unverified<'a>,
    target: Target,
}

impl<'a> Claim<'a> {
    /// The name that the item has if it is sound.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Checks size, form and signature, without allocating.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies; the signature, which costs most, is checked last.
    pub fn verify(self, keys: &mut KnownKeys) -> Result<ItemRef<'a>, Refusal> {
        let Unverified { value, signed } = self.item;
        check_value(value)?;
        if let Some(signed) = &signed {
            if signed.salt.len() > SALT_BYTES {
                return Err(Refusal::SaltTooBig);
            }
            let mut message = SignedMessage::default();
            let message = message.write(signed.salt, signed.seq, value);
            if !keys.verifies(&signed.key, message, &signed.signature)
                && !planted::is(Bug::ItemUnsigned)
            {
                return Err(Refusal::BadSignature);
            }
        }
        Ok(ItemRef { target: self.target, value, signed })
    }

    /// Takes an item that was verified before and kept where nobody alters it, such as on our own
    /// disk. Only sizes are checked.
    pub fn trusted(self) -> Option<ItemRef<'a>> {
        let Self { item: Unverified { value, signed }, target } = self;
        let fits = value.len() <= VALUE_BYTES
            && signed.is_none_or(|signed| signed.salt.len() <= SALT_BYTES);
        fits.then_some(ItemRef { target, value, signed })
    }
}

/// A verified item, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemRef<'a> {
    target: Target,
    value: &'a [u8],
    signed: Option<Signed<'a>>,
}

impl<'a> ItemRef<'a> {
    /// Its name in the key space.
    pub fn target(&self) -> Target {
        self.target
    }

    /// The bencoded value.
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// For a mutable item: key, salt, version and signature.
    pub fn signed(&self) -> Option<&Signed<'a>> {
        self.signed.as_ref()
    }

    /// The version of a mutable item.
    pub fn seq(&self) -> Option<Seq> {
        self.signed.map(|signed| signed.seq)
    }

    /// The same as it goes onto the wire.
    pub fn as_unverified(&self) -> Unverified<'a> {
        Unverified { value: self.value, signed: self.signed }
    }

    /// A copy that owns its bytes.
    pub fn to_item(&self) -> Item {
        let signed = self.signed.map(|signed| {
            Box::new(OwnedSigned {
                key: signed.key,
                salt: signed.salt.into(),
                seq: signed.seq,
                signature: signed.signature,
            })
        });
        Item { target: self.target, value: self.value.into(), signed }
    }
}

/// A verified item that owns its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    target: Target,
    value: Box<[u8]>,
    signed: Option<Box<OwnedSigned>>,
}

#[derive(Clone, PartialEq, Eq)]
struct OwnedSigned {
    key: PublicKey,
    salt: Box<[u8]>,
    seq: Seq,
    signature: [u8; SIGNATURE_BYTES],
}

impl Item {
    /// An immutable item of a bencoded value.
    ///
    /// # Errors
    /// [`Refusal::ValueTooBig`] or [`Refusal::NotCanonical`].
    pub fn immutable(value: &[u8]) -> Result<Self, Refusal> {
        check_value(value)?;
        Ok(Self { target: immutable_target(value), value: value.into(), signed: None })
    }

    /// A mutable item of a bencoded value, signed here.
    ///
    /// # Errors
    /// [`Refusal::ValueTooBig`], [`Refusal::NotCanonical`] or [`Refusal::SaltTooBig`].
    pub fn mutable(signer: &Signer, salt: &[u8], seq: Seq, value: &[u8]) -> Result<Self, Refusal> {
        check_value(value)?;
        if salt.len() > SALT_BYTES {
            return Err(Refusal::SaltTooBig);
        }
        let key = signer.public_key();
        let mut message = SignedMessage::default();
        let signature = signer.sign(message.write(salt, seq, value));
        let signed = Box::new(OwnedSigned { key, salt: salt.into(), seq, signature });
        Ok(Self { target: mutable_target(&key, salt), value: value.into(), signed: Some(signed) })
    }

    /// The same item, borrowed.
    pub fn as_ref(&self) -> ItemRef<'_> {
        let signed = self.signed.as_ref().map(|signed| Signed {
            key: signed.key,
            salt: &signed.salt,
            seq: signed.seq,
            signature: signed.signature,
        });
        ItemRef { target: self.target, value: &self.value, signed }
    }

    /// Its name in the key space.
    pub fn target(&self) -> Target {
        self.target
    }

    /// The bencoded value.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The version of a mutable item.
    pub fn seq(&self) -> Option<Seq> {
        self.signed.as_ref().map(|signed| signed.seq)
    }

    /// Bytes on the heap, for quotas.
    pub fn heap_bytes(&self) -> usize {
        let signed = self.signed.as_ref().map_or(0, |s| size_of::<OwnedSigned>() + s.salt.len());
        self.value.len() + signed
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({:.8}, {} bytes", self.target, self.value.len())?;
        match self.seq() {
            Some(seq) => write!(f, ", seq {seq})"),
            None => write!(f, ")"),
        }
    }
}

/// Bytes as a bencoded byte string, which every family of nodes can hold.
pub fn byte_string(bytes: &[u8]) -> Vec<u8> {
    let mut value = alloc::vec![0; bytes.len() + 21];
    let mut writer = Writer::new(&mut value);
    writer.string(bytes);
    let length = writer.finish().expect("21 bytes hold any length and its colon");
    value.truncate(length);
    value
}

/// What is inside of a value that is one bencoded byte string and nothing else.
pub fn inside_byte_string(value: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::canonical(value);
    let inside = reader.string().ok()?;
    reader.rest().is_empty().then_some(inside)
}

/// The name of an immutable item: the SHA-1 of its bencoded value.
pub fn immutable_target(value: &[u8]) -> Target {
    Target::new(Sha1::digest(value).into())
}

/// The name of a mutable item: the SHA-1 of its key followed by its salt.
pub fn mutable_target(key: &PublicKey, salt: &[u8]) -> Target {
    Target::new(Sha1::new().chain_update(key.as_bytes()).chain_update(salt).finalize().into())
}

fn check_value(value: &[u8]) -> Result<(), Refusal> {
    if value.len() > VALUE_BYTES {
        return Err(Refusal::ValueTooBig);
    }
    check_canonical(value).map_err(|_| Refusal::NotCanonical)
}

/// What a signature is taken over: `4:salt<n>:<salt>3:seqi<n>e1:v<value>`, the first part only with
/// a salt (BEP 44, "Signature Verification").
struct SignedMessage([u8; VALUE_BYTES + SALT_BYTES + 48]);

impl Default for SignedMessage {
    fn default() -> Self {
        Self([0; VALUE_BYTES + SALT_BYTES + 48])
    }
}

impl SignedMessage {
    fn write(&mut self, salt: &[u8], seq: Seq, value: &[u8]) -> &[u8] {
        let mut writer = Writer::new(&mut self.0);
        if !salt.is_empty() {
            writer.entry(b"salt", salt);
        }
        writer.integer_entry(b"seq", seq.get());
        writer.raw(b"1:v");
        writer.raw(value);
        let length = writer.finish().expect("salt and value were checked against their bounds");
        &self.0[..length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::read_hex;
    use std::string::ToString;

    const KEY: &str = "77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548";
    const PLAIN: &str = "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff\
                         1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01";
    const SALTED: &str = "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d\
                          df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08";

    fn vector(salt: &'static [u8], signature: &str) -> Unverified<'static> {
        let signed = Signed {
            key: KEY.parse().unwrap(),
            salt,
            seq: Seq(1),
            signature: read_hex(signature).unwrap(),
        };
        Unverified { value: b"12:Hello World!", signed: Some(signed) }
    }

    #[test]
    fn the_vectors_of_the_specification_verify() {
        let plain = vector(b"", PLAIN).verify().unwrap();
        assert_eq!(plain.target().to_string(), "4a533d47ec9c7d95b1ad75f576cffc641853b750");
        let salted = vector(b"foobar", SALTED).verify().unwrap();
        assert_eq!(salted.target().to_string(), "411eba73b6f087ca51a3795d9c8c938d365e32c1");
        let immutable = Item::immutable(b"12:Hello World!").unwrap();
        assert_eq!(immutable.target().to_string(), "e5f96f6f38320f0f33959cb4d3d656452117aadb");
    }

    #[test]
    fn another_salt_or_value_or_target_is_refused() {
        assert_eq!(vector(b"foobaz", SALTED).verify(), Err(Refusal::BadSignature));
        let other = Unverified { value: b"12:Hello Worle!", ..vector(b"", PLAIN) };
        assert_eq!(other.verify(), Err(Refusal::BadSignature));
        let target = Target::new([1; 20]);
        assert_eq!(
            vector(b"", PLAIN).verify_for(&target, b"", &mut KnownKeys::default()),
            Err(Refusal::WrongTarget)
        );
    }

    #[test]
    fn what_is_signed_here_verifies_and_survives_being_owned() {
        let signer = Signer::from_seed(&[7; 32]);
        let item = Item::mutable(&signer, b"salt", Seq(42), b"d1:ai1ee").unwrap();
        let verified = item.as_ref().as_unverified().verify().unwrap();
        assert_eq!(verified.to_item(), item);
        assert_eq!(verified.seq(), Seq::new(42));
    }

    #[test]
    fn sizes_are_bounded_as_bencoded() {
        assert!(Item::immutable(&byte_string(&[b'x'; 996])).is_ok());
        assert_eq!(Item::immutable(&byte_string(&[b'x'; 997])), Err(Refusal::ValueTooBig));
        let signer = Signer::from_seed(&[7; 32]);
        assert!(Item::mutable(&signer, &[0; 64], Seq(1), b"i1e").is_ok());
        assert_eq!(Item::mutable(&signer, &[0; 65], Seq(1), b"i1e"), Err(Refusal::SaltTooBig));
        assert_eq!(Item::immutable(b"d1:bi1e1:ai1ee"), Err(Refusal::NotCanonical));
    }

    #[test]
    fn a_byte_string_comes_back_and_other_values_have_none_inside() {
        for inside in [&b""[..], b"hello", b"5:hello", &[0xff; 300]] {
            assert_eq!(inside_byte_string(&byte_string(inside)), Some(inside));
        }
        let others =
            [&b"i5e"[..], b"d1:a1:be", b"l2:hie", b"", b"2:h", b"1:hi", b"+2:hi", b"02:hi"];
        for other in others {
            assert_eq!(inside_byte_string(other), None);
        }
    }
}
