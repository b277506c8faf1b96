//! Held items as bytes for a disk: keys `i` and the target; values of format 1.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | kind: 0 a marker, 1 an immutable item, 2 a mutable one; 128 more if it is kept to its end |
//! | 8, 8 | until when it is served and remembered, in milliseconds since 1970, little-endian |
//! | 8 | its `seq`, little-endian; not for an immutable item |
//! | 32, 64 | a mutable item's public key and signature |
//! | 1, n | the salt's length and bytes, for a mutable item |
//! | the rest | the bencoded value; nothing for a marker |
//!
//! Whoever keeps the bytes guards them against rot. Signatures are not checked again, names are.

use alloc::vec::Vec;

use wire::item::Signed;
use wire::limits::SALT_BYTES;
use wire::{Item, PublicKey, Seq, Target, Unverified};

use super::admission::Lease;
use crate::time::UnixMillis;

/// Begins the keys of items.
pub const ITEM_SPACE: u8 = b'i';

const MARKER: u8 = 0;
const IMMUTABLE: u8 = 1;
const MUTABLE: u8 = 2;
const KEPT: u8 = 128;

/// The key of what is known of a target.
pub fn key(target: &Target) -> [u8; 21] {
    let mut key = [ITEM_SPACE; 21];
    key[1..].copy_from_slice(target.as_bytes());
    key
}

/// Writes an item with its lease.
pub fn write_item(item: &Unverified<'_>, lease: &Lease, to: &mut Vec<u8>) {
    let kept = if lease.kept { KEPT } else { 0 };
    match &item.signed {
        None => write_head(IMMUTABLE | kept, lease, to),
        Some(signed) => {
            write_head(MUTABLE | kept, lease, to);
            to.extend(signed.seq.get().to_le_bytes());
            to.extend(signed.key.as_bytes());
            to.extend(signed.signature);
            // A verified item's salt has at most 64 bytes.
            let salt = &signed.salt[..signed.salt.len().min(SALT_BYTES)];
            to.push(salt.len() as u8);
            to.extend(salt);
        }
    }
    to.extend(item.value);
}

/// Writes a marker.
pub fn write_marker(seq: Seq, lease: &Lease, to: &mut Vec<u8>) {
    write_head(MARKER, lease, to);
    to.extend(seq.get().to_le_bytes());
}

fn write_head(kind: u8, lease: &Lease, to: &mut Vec<u8>) {
    to.push(kind);
    to.extend(lease.until.0.to_le_bytes());
    to.extend(lease.marker_until.0.to_le_bytes());
}

/// What was written, unchecked.
#[derive(Debug, PartialEq, Eq)]
pub enum Written<'b> {
    /// An item.
    Item(Unverified<'b>, Lease),
    /// The version of an item that has ended.
    Marker(Seq, Lease),
}

/// What was written, sound.
#[derive(Debug, PartialEq, Eq)]
pub enum Persisted {
    /// An item.
    Item(Item, Lease),
    /// The version of an item that has ended.
    Marker(Seq, Lease),
}

/// Reads what was written for `target`; `None` if it is nothing of ours.
pub fn read(target: &Target, bytes: &[u8]) -> Option<Persisted> {
    match parse(bytes)? {
        Written::Item(item, lease) => {
            let item = item.claim().trusted()?;
            (item.target() == *target).then(|| Persisted::Item(item.to_item(), lease))
        }
        Written::Marker(seq, lease) => Some(Persisted::Marker(seq, lease)),
    }
}

/// Takes what was written apart; `None` if it is nothing of ours.
pub fn parse(bytes: &[u8]) -> Option<Written<'_>> {
    let mut rest = bytes;
    let [kind] = take(&mut rest)?;
    let (until, marker_until) = (millis(&mut rest)?, millis(&mut rest)?);
    let lease = Lease { until, marker_until, kept: kind & KEPT != 0 };
    let signed = match kind & !KEPT {
        IMMUTABLE => None,
        MARKER => return Some(Written::Marker(seq(&mut rest)?, lease)),
        MUTABLE => {
            let (seq, key, signature) = (seq(&mut rest)?, take(&mut rest)?, take(&mut rest)?);
            let [length] = take(&mut rest)?;
            let salt = rest.split_off(..usize::from(length))?;
            Some(Signed { key: PublicKey::new(key), salt, seq, signature })
        }
        _ => return None,
    };
    Some(Written::Item(Unverified { value: rest, signed }, lease))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    rest.split_off(..N)?.try_into().ok()
}

fn millis(rest: &mut &[u8]) -> Option<UnixMillis> {
    take(rest).map(u64::from_le_bytes).map(UnixMillis)
}

fn seq(rest: &mut &[u8]) -> Option<Seq> {
    Seq::new(take(rest).map(i64::from_le_bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wire::Signer;
    use wire::item::byte_string;

    proptest! {
        #[test]
        fn items_come_back_as_they_were_and_no_byte_string_panics(
            until: u64, marker: u64, kept: bool, seq in 0..i64::MAX,
            salt in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..64)),
            value in proptest::collection::vec(any::<u8>(), 0..900),
            cut in 0usize..999,
        ) {
            let lease =
                Lease { until: UnixMillis(until), marker_until: UnixMillis(marker), kept };
            let value = byte_string(&value);
            let seq = Seq::new(seq).unwrap();
            let item = match salt {
                None => Item::immutable(&value).unwrap(),
                Some(salt) => {
                    Item::mutable(&Signer::from_seed(&[1; 32]), &salt, seq, &value).unwrap()
                }
            };
            let mut bytes = Vec::new();
            write_item(&item.as_ref().as_unverified(), &lease, &mut bytes);
            let read_back = read(&item.target(), &bytes);
            prop_assert_eq!(read_back, Some(Persisted::Item(item.clone(), lease)));
            prop_assert_eq!(read(&Target::new([1; 20]), &bytes), None);
            let _ = read(&item.target(), &bytes[..cut.min(bytes.len())]);
            bytes.clear();
            write_marker(seq, &lease, &mut bytes);
            let marker = Lease { kept: false, ..lease };
            prop_assert_eq!(read(&item.target(), &bytes), Some(Persisted::Marker(seq, marker)));
        }
    }
}
