//! What one holder of sets tells another, so that the other can say what it lacks: digests of whole
//! sets first, then of their parts, and at last the versions of single members.
//!
//! A digest speaks of the members of a [`Part`] that may still be handed on, in the order of their
//! cursors: the first 11 bytes of the SHA-256 of cursor and version of each, 28 bytes a member. It is
//! the form of [`MemberOffer`], so what has one digest would make the same offers.

use alloc::vec::Vec;
use core::ops::Bound;

use sha2::{Digest as _, Sha256};

use super::Cursor;
use crate::bencode::Malformed;
use crate::id::Target;
use crate::item::Seq;
use crate::limits::{ID_BYTES, MEMBER_OFFERS_PER_QUERY, SET_DIGEST_BYTES, SET_OFFERS_PER_QUERY};

/// Bytes of one offer of a part of a set.
const SET_OFFER_BYTES: usize = ID_BYTES + 1 + SET_DIGEST_BYTES;

/// Bytes of one offer of a member.
const MEMBER_OFFER_BYTES: usize = ID_BYTES + 8;

/// A whole set, or one of the 64 parts that share the first six bits of their cursors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part(u8);

impl Part {
    /// The whole set.
    pub const WHOLE: Self = Self(0);

    /// How many parts a set is cut into.
    pub const COUNT: usize = 64;

    /// All parts, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=Self::COUNT as u8).map(Self)
    }

    /// The part of a member.
    pub fn of(cursor: &Cursor) -> Self {
        Self((cursor.as_bytes()[0] >> 2) + 1)
    }

    /// Takes the byte on the wire: 0 for the whole set, else 1 to 64.
    pub fn read(byte: u8) -> Option<Self> {
        (usize::from(byte) <= Self::COUNT).then_some(Self(byte))
    }

    /// The byte on the wire.
    pub fn byte(self) -> u8 {
        self.0
    }

    /// Which of the 64 it is, from 0; `None`: the whole set.
    pub fn index(self) -> Option<usize> {
        self.0.checked_sub(1).map(usize::from)
    }

    /// The cursors in it that lie behind `after`.
    pub fn behind(self, after: Option<Cursor>) -> (Bound<Cursor>, Bound<Cursor>) {
        let (first, last) = match self.0.checked_sub(1) {
            None => (Bound::Unbounded, Bound::Unbounded),
            Some(bits) => {
                let (mut first, mut last) = ([0; ID_BYTES], [0xff; ID_BYTES]);
                (first[0], last[0]) = (bits << 2, (bits << 2) | 3);
                (Bound::Included(Cursor::new(first)), Bound::Included(Cursor::new(last)))
            }
        };
        (after.map_or(first, Bound::Excluded), last)
    }
}

/// What the members of a part come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SetDigest([u8; SET_DIGEST_BYTES]);

impl SetDigest {
    /// Takes the bytes.
    pub const fn new(bytes: [u8; SET_DIGEST_BYTES]) -> Self {
        Self(bytes)
    }

    /// The digest of these members, in the order of their cursors.
    pub fn of(members: impl Iterator<Item = MemberOffer>) -> Self {
        let mut hash = Sha256::new();
        for member in members {
            hash.update(member.cursor.as_bytes());
            hash.update(member.seq.get().to_be_bytes());
        }
        let hash = hash.finalize();
        let mut digest = [0; SET_DIGEST_BYTES];
        digest.copy_from_slice(&hash[..SET_DIGEST_BYTES]);
        Self(digest)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; SET_DIGEST_BYTES] {
        &self.0
    }
}

/// A part of a set that somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetOffer {
    /// Where the set lies.
    pub target: Target,
    /// Which part of it.
    pub part: Part,
    /// What is held of it.
    pub digest: SetDigest,
}

impl SetOffer {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (target, rest) = bytes.split_at_checked(ID_BYTES)?;
        let (part, digest) = rest.split_first()?;
        let digest = SetDigest(digest.try_into().ok()?);
        Some(Self { target: Target::read(target)?, part: Part::read(*part)?, digest })
    }
}

/// A member that somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberOffer {
    /// Which, in its set.
    pub cursor: Cursor,
    /// In which version.
    pub seq: Seq,
}

impl MemberOffer {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (cursor, seq) = bytes.split_at_checked(ID_BYTES)?;
        let seq = Seq::new(i64::from_be_bytes(seq.try_into().ok()?))?;
        Some(Self { cursor: Cursor::read(cursor)?, seq })
    }
}

/// The offers of sets of one query, at most [`SET_OFFERS_PER_QUERY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetOffers<'a>(&'a [u8]);

impl<'a> SetOffers<'a> {
    /// Takes bytes off the wire, or that [`SetOffers::encode`] made.
    ///
    /// # Errors
    /// [`Malformed`] if they are no whole number of offers, none, too many, or one is none.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let sound = |offer: &[u8]| SetOffer::read(offer).is_some();
        check(bytes, SET_OFFER_BYTES, SET_OFFERS_PER_QUERY, sound).map(Self)
    }

    /// Offers as they go onto the wire.
    pub fn encode(offers: &[SetOffer]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(offers.len() * SET_OFFER_BYTES);
        for offer in offers {
            bytes.extend(offer.target.as_bytes());
            bytes.push(offer.part.byte());
            bytes.extend(offer.digest.as_bytes());
        }
        bytes
    }

    /// The bytes on the wire.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The offers, in order.
    pub fn iter(&self) -> impl Iterator<Item = SetOffer> + use<'a> {
        self.0.chunks_exact(SET_OFFER_BYTES).filter_map(SetOffer::read)
    }
}

/// The offers of members of one query, at most [`MEMBER_OFFERS_PER_QUERY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberOffers<'a>(&'a [u8]);

impl<'a> MemberOffers<'a> {
    /// Takes bytes off the wire, or that [`MemberOffers::encode`] made.
    ///
    /// # Errors
    /// [`Malformed`] if they are no whole number of offers, none, too many, or one is none.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let sound = |offer: &[u8]| MemberOffer::read(offer).is_some();
        check(bytes, MEMBER_OFFER_BYTES, MEMBER_OFFERS_PER_QUERY, sound).map(Self)
    }

    /// Offers as they go onto the wire.
    pub fn encode(offers: &[MemberOffer]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(offers.len() * MEMBER_OFFER_BYTES);
        for offer in offers {
            bytes.extend(offer.cursor.as_bytes());
            bytes.extend(offer.seq.get().to_be_bytes());
        }
        bytes
    }

    /// The bytes on the wire.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The offers, in order.
    pub fn iter(&self) -> impl Iterator<Item = MemberOffer> + use<'a> {
        self.0.chunks_exact(MEMBER_OFFER_BYTES).filter_map(MemberOffer::read)
    }
}

fn check(
    bytes: &[u8],
    each: usize,
    most: usize,
    sound: impl Fn(&[u8]) -> bool,
) -> Result<&[u8], Malformed> {
    let whole = bytes.len().is_multiple_of(each) && (1..=most).contains(&(bytes.len() / each));
    if whole && bytes.chunks_exact(each).all(sound) { Ok(bytes) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn member((cursor, seq): ([u8; 20], i64)) -> MemberOffer {
        MemberOffer { cursor: Cursor::new(cursor), seq: Seq::new(seq & i64::MAX).unwrap() }
    }

    proptest! {
        #[test]
        fn offers_of_sets_and_members_come_back(
            all in proptest::collection::vec(any::<([u8; 20], i64)>(), 1..=26),
            part in 0..=64_u8,
        ) {
            let members: Vec<MemberOffer> = all.iter().copied().map(member).collect();
            let bytes = MemberOffers::encode(&members);
            prop_assert!(MemberOffers::read(&bytes).unwrap().iter().eq(members.clone()));
            prop_assert!(MemberOffers::read(&bytes[1..]).is_err());
            let digest = SetDigest::of(members.into_iter());
            let part = Part::read(part).unwrap();
            let set = |(target, _)| SetOffer { target: Target::new(target), part, digest };
            let sets: Vec<SetOffer> = all.into_iter().map(set).collect();
            let bytes = SetOffers::encode(&sets);
            prop_assert!(SetOffers::read(&bytes).unwrap().iter().eq(sets));
            prop_assert!(SetOffers::read(&bytes[1..]).is_err());
        }

        #[test]
        fn a_cursor_lies_in_its_own_part_only(cursor: [u8; 20]) {
            use core::ops::RangeBounds;
            let cursor = Cursor::new(cursor);
            let holding = Part::all().filter(|part| part.behind(None).contains(&cursor));
            prop_assert!(holding.eq([Part::of(&cursor)]));
            prop_assert!(Part::WHOLE.behind(None).contains(&cursor));
            prop_assert!(!Part::of(&cursor).behind(Some(cursor)).contains(&cursor));
        }
    }

    #[test]
    fn none_too_many_a_part_that_is_none_and_a_negative_version_are_malformed() {
        assert!(SetOffers::read(b"").is_err());
        assert!(SetOffers::read(&[0; SET_OFFER_BYTES * (SET_OFFERS_PER_QUERY + 1)]).is_err());
        let mut offer = [0; SET_OFFER_BYTES];
        assert!(SetOffers::read(&offer).is_ok());
        offer[ID_BYTES] = 65;
        assert!(SetOffers::read(&offer).is_err());
        assert!(MemberOffers::read(&[0xff; MEMBER_OFFER_BYTES]).is_err());
        assert!(MemberOffers::read(&[0; MEMBER_OFFER_BYTES * 31]).is_err());
    }

    #[test]
    fn digests_are_those_of_the_documentation() {
        let hex = |bytes: &[u8]| -> std::string::String {
            bytes.iter().map(|byte| std::format!("{byte:02x}")).collect()
        };
        let cursor: Cursor = "bd31ef6ba83624b8af3fced6a33d2646da274c38".parse().unwrap();
        let ada = MemberOffer { cursor, seq: Seq::new(1_700_000_000_000_000).unwrap() };
        let bob = MemberOffer { cursor: Cursor::new([0xff; 20]), ..ada };
        assert_eq!(hex(SetDigest::of([].into_iter()).as_bytes()), "e3b0c44298fc1c149afbf4");
        assert_eq!(hex(SetDigest::of([ada].into_iter()).as_bytes()), ADA);
        assert_eq!(hex(SetDigest::of([ada, bob].into_iter()).as_bytes()), BOTH);
        assert_eq!(Part::of(&cursor).byte(), 48);
    }

    const ADA: &str = "72943ab6fc9b0bed5404e1";
    const BOTH: &str = "056643014c6cc91f7a1f99";
}
