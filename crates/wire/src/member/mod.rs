//! Members of sets: an item under a target, signed by its writer, that expires by itself. Xorbit's
//! own; no BEP knows them.
//!
//! A member off the wire is an [`UnverifiedMember`]. Only [`UnverifiedMember::verify`] and
//! [`Member::sign`] make a [`Member`] or [`MemberRef`], so whoever holds one need not check again.
//!
//! The signature covers the target, which the member's own dictionary does not repeat: a member
//! cannot be carried over into another set. What is signed begins with a text of its own, so that
//! no signature over an item of BEP 44 by the same key is one over a member, nor the other way.

mod cursor;
mod list;
pub mod offer;
#[cfg(test)]
mod tests;

pub use cursor::Cursor;
pub use list::{MemberList, MembersBuffer};

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::bencode::{Dictionary, Malformed, Reader, Writer};
use crate::id::Target;
use crate::item::{Refusal, Seq};
use crate::key::{PublicKey, SIGNATURE_BYTES, Signer};
use crate::known_keys::KnownKeys;
use crate::limits::{MEMBER_BYTES, MEMBER_ITEM_BYTES};
use crate::planted::{self, Bug};

/// Starts what is signed.
const CONTEXT: &[u8] = b"xorbit set member 1\0";

/// What a writer says of an item in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saying<'a> {
    /// The item, 1 to [`MEMBER_ITEM_BYTES`] bytes.
    pub item: &'a [u8],
    /// Of two sayings of one writer about one item the higher counts.
    pub seq: Seq,
    /// The item is a member until then: milliseconds since 1970.
    pub expires_ms: u64,
    /// This saying must be remembered until then: the latest time until which any saying that it
    /// replaces was to be remembered, and never before `expires_ms`.
    pub remembered_ms: u64,
    /// The item is no member any more.
    pub removed: bool,
}

impl Saying<'_> {
    /// Whether the item is a member at this time.
    pub fn lives(&self, wall_ms: u64) -> bool {
        !self.removed && self.expires_ms > wall_ms
    }

    fn check(&self) -> Result<(), Refusal> {
        let times =
            self.expires_ms <= self.remembered_ms && i64::try_from(self.remembered_ms).is_ok();
        match self.item.len() {
            1..=MEMBER_ITEM_BYTES if times => Ok(()),
            length if length > MEMBER_ITEM_BYTES => Err(Refusal::ValueTooBig),
            _ => Err(Refusal::NotCanonical),
        }
    }

    /// What the signature is taken over.
    fn message<'b>(&self, target: &Target, buffer: &'b mut SignedBytes) -> &'b [u8] {
        let mut writer = Writer::new(buffer);
        writer.raw(CONTEXT);
        writer.raw(b"d");
        self.write_head(None, &mut writer);
        writer.entry(b"t", target.as_bytes());
        writer.integer_entry(b"v", self.seq.get());
        writer.raw(b"e");
        let length = writer.finish().expect("the item was checked against its bound");
        &buffer[..length]
    }

    /// The keys `e` to `r`.
    fn write_head(&self, key: Option<&PublicKey>, writer: &mut Writer<'_>) {
        // The casts hold: times beyond an i64 were refused.
        writer.integer_entry(b"e", self.expires_ms as i64);
        writer.entry(b"i", self.item);
        if let Some(key) = key {
            writer.entry(b"k", key.as_bytes());
        }
        if self.remembered_ms > self.expires_ms {
            writer.integer_entry(b"l", self.remembered_ms as i64);
        }
        if self.removed {
            writer.integer_entry(b"r", 1);
        }
    }
}

/// Room for what a signature is taken over.
type SignedBytes = [u8; MEMBER_BYTES];

/// A member as it came off the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnverifiedMember<'a> {
    /// Whose it is.
    pub writer: PublicKey,
    /// What they say.
    pub saying: Saying<'a>,
    /// By which they say it.
    pub signature: [u8; SIGNATURE_BYTES],
}

impl<'a> UnverifiedMember<'a> {
    /// Reads exactly one member: just these keys, in order, in canonical form, so that each member
    /// has one wire form.
    ///
    /// # Errors
    /// [`Malformed`] if it is none.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::canonical(bytes);
        let member = Self::read(&mut reader)?;
        if reader.rest().is_empty() { Ok(member) } else { Err(Malformed) }
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let mut entries = reader.dictionary()?;
        expect(&mut entries, b"e")?;
        let expires_ms = time(&mut entries.reader)?;
        expect(&mut entries, b"i")?;
        let item = entries.reader.string()?;
        expect(&mut entries, b"k")?;
        let writer = PublicKey::new(fixed(&mut entries.reader)?);
        let mut key = entries.next_key()?;
        let mut remembered_ms = expires_ms;
        if key == Some(b"l") {
            remembered_ms = time(&mut entries.reader)?;
            if remembered_ms <= expires_ms {
                return Err(Malformed);
            }
            key = entries.next_key()?;
        }
        let removed = key == Some(b"r");
        if removed {
            if entries.reader.integer()? != 1 {
                return Err(Malformed);
            }
            key = entries.next_key()?;
        }
        if key != Some(b"s") {
            return Err(Malformed);
        }
        let signature = fixed(&mut entries.reader)?;
        expect(&mut entries, b"v")?;
        let seq = Seq::new(entries.reader.integer()?).ok_or(Malformed)?;
        if entries.next_key()?.is_some() || item.is_empty() {
            return Err(Malformed);
        }
        *reader = entries.reader;
        let saying = Saying { item, seq, expires_ms, remembered_ms, removed };
        Ok(Self { writer, saying, signature })
    }

    /// Writes the member's dictionary.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.raw(b"d");
        self.saying.write_head(Some(&self.writer), writer);
        writer.entry(b"s", &self.signature);
        writer.integer_entry(b"v", self.saying.seq.get());
        writer.raw(b"e");
    }

    /// Checks size and signature, as a member of the set at `target`, without allocating.
    ///
    /// # Errors
    /// [`Refusal::ValueTooBig`], [`Refusal::NotCanonical`] for an empty item or times that make no
    /// sense, or [`Refusal::BadSignature`], which costs most and is checked last.
    pub fn verify(self, target: &Target, keys: &mut KnownKeys) -> Result<MemberRef<'a>, Refusal> {
        self.saying.check()?;
        let mut buffer = [0; MEMBER_BYTES];
        let message = self.saying.message(target, &mut buffer);
        if !keys.verifies(&self.writer, message, &self.signature)
            && !planted::is(Bug::MemberUnsigned)
        {
            return Err(Refusal::BadSignature);
        }
        Ok(MemberRef { target: *target, member: self })
    }

    /// Takes a member that was verified before and kept where nobody alters it, such as on our own
    /// disk. Only sizes and times are checked.
    pub fn trusted(self, target: &Target) -> Option<MemberRef<'a>> {
        self.saying.check().ok()?;
        Some(MemberRef { target: *target, member: self })
    }
}

fn expect(entries: &mut Dictionary<'_>, key: &[u8]) -> Result<(), Malformed> {
    if entries.next_key()? == Some(key) { Ok(()) } else { Err(Malformed) }
}

fn time(reader: &mut Reader<'_>) -> Result<u64, Malformed> {
    u64::try_from(reader.integer()?).map_err(|_| Malformed)
}

fn fixed<const N: usize>(reader: &mut Reader<'_>) -> Result<[u8; N], Malformed> {
    reader.string()?.try_into().map_err(|_| Malformed)
}

/// A verified member, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberRef<'a> {
    target: Target,
    member: UnverifiedMember<'a>,
}

impl<'a> MemberRef<'a> {
    /// Where its set lies.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Whose it is.
    pub fn writer(&self) -> PublicKey {
        self.member.writer
    }

    /// What they say.
    pub fn saying(&self) -> Saying<'a> {
        self.member.saying
    }

    /// Its place in the set.
    pub fn cursor(&self) -> Cursor {
        Cursor::of(&self.member.writer, self.member.saying.item)
    }

    /// The same as it goes onto the wire.
    pub fn as_unverified(&self) -> UnverifiedMember<'a> {
        self.member
    }

    /// A copy that owns its bytes.
    pub fn to_member(&self) -> Member {
        let UnverifiedMember { writer, saying, signature } = self.member;
        let Saying { item, seq, expires_ms, remembered_ms, removed } = saying;
        Member {
            target: self.target,
            writer,
            item: item.into(),
            seq,
            expires_ms,
            remembered_ms,
            removed,
            signature,
        }
    }
}

/// A verified member that owns its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    target: Target,
    writer: PublicKey,
    item: Box<[u8]>,
    seq: Seq,
    expires_ms: u64,
    remembered_ms: u64,
    removed: bool,
    signature: [u8; SIGNATURE_BYTES],
}

impl Member {
    /// Signs what is said of an item in the set at `target`.
    ///
    /// # Errors
    /// [`Refusal::ValueTooBig`], or [`Refusal::NotCanonical`] for an empty item or times that make
    /// no sense.
    pub fn sign(signer: &Signer, target: &Target, saying: Saying<'_>) -> Result<Self, Refusal> {
        saying.check()?;
        let mut buffer = [0; MEMBER_BYTES];
        let signature = signer.sign(saying.message(target, &mut buffer));
        let member = UnverifiedMember { writer: signer.public_key(), saying, signature };
        Ok(MemberRef { target: *target, member }.to_member())
    }

    /// The same member, borrowed.
    pub fn as_ref(&self) -> MemberRef<'_> {
        let saying = self.saying();
        let member = UnverifiedMember { writer: self.writer, saying, signature: self.signature };
        MemberRef { target: self.target, member }
    }

    /// Where its set lies.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Whose it is.
    pub fn writer(&self) -> PublicKey {
        self.writer
    }

    /// The item.
    pub fn item(&self) -> &[u8] {
        &self.item
    }

    /// What its writer says.
    pub fn saying(&self) -> Saying<'_> {
        Saying {
            item: &self.item,
            seq: self.seq,
            expires_ms: self.expires_ms,
            remembered_ms: self.remembered_ms,
            removed: self.removed,
        }
    }

    /// Its place in the set.
    pub fn cursor(&self) -> Cursor {
        Cursor::of(&self.writer, &self.item)
    }

    /// Its wire form, which [`UnverifiedMember::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = alloc::vec![0; MEMBER_BYTES];
        let mut writer = Writer::new(&mut bytes);
        self.as_ref().as_unverified().write(&mut writer);
        let length = writer.finish().expect("the item was checked against its bound");
        bytes.truncate(length);
        bytes
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.removed { "without" } else { "with" };
        write!(f, "Member({:.8} {what} {} bytes, seq {})", self.target, self.item.len(), self.seq)
    }
}
