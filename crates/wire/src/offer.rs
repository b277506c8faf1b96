//! What one holder tells another that it holds, so that the other can say what it lacks: an extension
//! of ours, which other nodes refuse as an unknown method.
//!
//! An offer is a string of 28 bytes for each item: its target, and a number that grows when the item
//! is renewed: the `seq` of a mutable item, the end of the lease of an immutable one in milliseconds
//! since 1970, big-endian. The answer says of each whether it is wanted, and whether the asked node
//! holds a higher one: two bit strings, the first item in the highest bit of the first byte.

use alloc::vec::Vec;

use crate::bencode::Malformed;
use crate::id::Target;
use crate::limits::{ID_BYTES, OFFERS_PER_QUERY};

/// Bytes of one offer.
const OFFER_BYTES: usize = ID_BYTES + 8;

/// Bytes of a bit string that speaks of every offer of a query.
pub const ANSWER_BYTES: usize = OFFERS_PER_QUERY.div_ceil(8);

/// One item that somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its name.
    pub target: Target,
    /// Its `seq`, or the end of its lease.
    pub number: i64,
}

/// The offers of one query, at most [`OFFERS_PER_QUERY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offers<'a>(&'a [u8]);

impl<'a> Offers<'a> {
    /// Takes bytes off the wire, or that [`Offers::encode`] made.
    ///
    /// # Errors
    /// [`Malformed`] if they are no whole number of offers, none, or too many.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let count = bytes.len() / OFFER_BYTES;
        let whole = bytes.len().is_multiple_of(OFFER_BYTES);
        if whole && (1..=OFFERS_PER_QUERY).contains(&count) {
            Ok(Self(bytes))
        } else {
            Err(Malformed)
        }
    }

    /// Offers as they go onto the wire.
    pub fn encode(offers: &[Offer]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(offers.len() * OFFER_BYTES);
        for offer in offers {
            bytes.extend(offer.target.as_bytes());
            bytes.extend(offer.number.to_be_bytes());
        }
        bytes
    }

    /// The bytes on the wire.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The offers, in order.
    pub fn iter(&self) -> impl Iterator<Item = Offer> + use<'a> {
        self.0.chunks_exact(OFFER_BYTES).filter_map(|bytes| {
            let (target, number) = bytes.split_at(ID_BYTES);
            let number = i64::from_be_bytes(number.try_into().ok()?);
            Some(Offer { target: Target::read(target)?, number })
        })
    }
}

/// Says yes or no of each offer of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Bits([u8; ANSWER_BYTES]);

impl Bits {
    /// Takes bytes off the wire: missing ones are no, further ones are ignored.
    pub fn read(bytes: &[u8]) -> Self {
        let mut bits = Self::default();
        bits.0.iter_mut().zip(bytes).for_each(|(bit, byte)| *bit = *byte);
        bits
    }

    /// The bytes on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Says yes of the offer at `index`, which is below [`OFFERS_PER_QUERY`].
    pub fn set(&mut self, index: usize) {
        if let Some(byte) = self.0.get_mut(index / 8) {
            *byte |= 0x80 >> (index % 8);
        }
    }

    /// What is said of the offer at `index`.
    pub fn get(&self, index: usize) -> bool {
        self.0.get(index / 8).is_some_and(|byte| byte & (0x80 >> (index % 8)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn offers_and_bits_come_back(
            all in proptest::collection::vec(any::<([u8; 20], i64)>(), 1..=OFFERS_PER_QUERY),
            yes in proptest::collection::vec(0..OFFERS_PER_QUERY, 0..9),
        ) {
            let offer = |(target, number)| Offer { target: Target::new(target), number };
            let offers: Vec<Offer> = all.into_iter().map(offer).collect();
            let bytes = Offers::encode(&offers);
            prop_assert!(Offers::read(&bytes).unwrap().iter().eq(offers));
            prop_assert!(Offers::read(&bytes[1..]).is_err());
            let mut bits = Bits::default();
            yes.iter().for_each(|index| bits.set(*index));
            let back = Bits::read(bits.as_bytes());
            prop_assert!((0..99).all(|index| back.get(index) == yes.contains(&index)));
        }
    }

    #[test]
    fn none_and_too_many_offers_are_malformed() {
        assert!(Offers::read(b"").is_err());
        assert!(Offers::read(&[0; OFFER_BYTES * (OFFERS_PER_QUERY + 1)]).is_err());
    }
}
