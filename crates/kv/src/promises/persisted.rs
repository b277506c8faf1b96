//! Promises as bytes for a disk: keys `k` and the promise's 32-byte id; values of format 1.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the format: 1 |
//! | 1 | 1 if other nodes than this one have held it, else 0 |
//! | 8 | for how long it is renewed each time, in milliseconds, little-endian |
//! | 8 | when it was made, in milliseconds since 1970, little-endian |
//! | 33 or 97 | the namespace, as [`Namespace::to_bytes`] gives it: whoever reads it can sign |
//! | 2, n | the key's length, little-endian, and bytes |
//! | 8, 64 | the item's `seq`, little-endian, and signature |
//! | the rest | the item's bencoded value |
//!
//! The item's public key and salt follow from namespace and key. Its signature
//! is checked when it is read back: at its first look it goes onto our own shelf, which asks nobody else.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use node::UnixMillis;
use wire::item::Signed;
use wire::{Item, Seq, Unverified};

use super::PromiseId;
use crate::key::Key;
use crate::namespace::Namespace;

/// Begins the keys of promises.
pub(crate) const SPACE: u8 = b'k';

/// The first byte of every value.
const FORMAT: u8 = 1;

/// The part of a promise that outlives the process.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub namespace: Namespace,
    pub key: Key,
    pub ttl: Duration,
    pub since: UnixMillis,
    /// Other nodes than this one have held it.
    pub shared: bool,
    /// The newest item seen, a tombstone perhaps.
    pub item: Item,
}

/// What stands on the disk under the key of a promise.
#[derive(Debug)]
pub(crate) enum Persisted {
    Promise(Box<Kept>),
    /// A later version wrote it.
    OfLaterVersion,
    Nothing,
}

/// The key of a promise.
pub(crate) fn key(id: &PromiseId) -> [u8; 33] {
    let mut key = [SPACE; 33];
    key[1..].copy_from_slice(id.as_bytes());
    key
}

impl Kept {
    pub fn write(&self, to: &mut Vec<u8>) {
        let Some(signed) = self.item.as_ref().signed().copied() else { return };
        let name = self.key.as_str().as_bytes();
        to.extend([FORMAT, u8::from(self.shared)]);
        to.extend(u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX).to_le_bytes());
        to.extend(self.since.0.to_le_bytes());
        to.extend(self.namespace.to_bytes().iter());
        // The cast holds: a key has at most 1,024 bytes.
        to.extend((name.len() as u16).to_le_bytes());
        to.extend(name);
        to.extend(signed.seq.get().to_le_bytes());
        to.extend(signed.signature);
        to.extend(self.item.value());
    }

    fn read(mut rest: &[u8]) -> Option<Self> {
        let [shared] = take(&mut rest)?;
        let shared = shared != 0;
        let ttl = Duration::from_millis(u64::from_le_bytes(take(&mut rest)?));
        let since = UnixMillis(u64::from_le_bytes(take(&mut rest)?));
        let namespace = Namespace::take(&mut rest)?;
        let length = u16::from_le_bytes(take(&mut rest)?);
        let name = core::str::from_utf8(rest.split_off(..usize::from(length))?).ok()?;
        let key = Key::new(name).ok()?;
        let seq = Seq::new(i64::from_le_bytes(take(&mut rest)?))?;
        let signature = take(&mut rest)?;
        let salt = namespace.salt(&key);
        let signed = Signed { key: namespace.owner(), salt: &salt, seq, signature };
        let item = Unverified { value: rest, signed: Some(signed) }.verify().ok()?.to_item();
        Some(Self { namespace, key, ttl, since, shared, item })
    }
}

/// Reads what was written under this key.
pub(crate) fn read(under: &[u8], bytes: &[u8]) -> Persisted {
    match bytes.split_first() {
        Some((&FORMAT, rest)) => {
            let named = |kept: &Kept| key(&PromiseId::of(&kept.namespace, &kept.key))[..] == *under;
            Kept::read(rest)
                .filter(named)
                .map_or(Persisted::Nothing, |kept| Persisted::Promise(Box::new(kept)))
        }
        Some(_) => Persisted::OfLaterVersion,
        None => Persisted::Nothing,
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    rest.split_off(..N)?.try_into().ok()
}

/// Whether what stands under the key of a promise is one, or of a later version.
pub(crate) fn reads(key: &[u8], value: &[u8]) -> bool {
    !matches!(read(key, value), Persisted::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;
    use crate::version::Version;
    use proptest::prelude::*;
    use std::string::String;

    fn kept(name: &str, readable: bool, ttl_ms: u64, since_ms: u64, value: &[u8]) -> Kept {
        let (writer, key) = (Namespace::open("default"), Key::new(name).unwrap());
        let version = Version::new(1_700_000_000_000_000).unwrap();
        let item = writer.sign(&key, version, &Record::plain(value), &[0; 24]).unwrap();
        let namespace = if readable { Namespace::of(writer.owner()) } else { writer };
        let (ttl, since) = (Duration::from_millis(ttl_ms), UnixMillis(since_ms));
        Kept { namespace, key, ttl, since, shared: readable, item }
    }

    proptest! {
        #[test]
        fn a_promise_comes_back_as_it_was_and_no_bytes_panic(
            name in "[a-z\u{e4}]{1,40}", readable: bool, ttl: u64, since: u64,
            value in proptest::collection::vec(any::<u8>(), 0..900), cut in 0usize..1200,
        ) {
            let before = kept(&name, readable, ttl, since, &value);
            let under = key(&PromiseId::of(&before.namespace, &before.key));
            let mut bytes = Vec::new();
            before.write(&mut bytes);
            let Persisted::Promise(after) = read(&under, &bytes) else { panic!("it was written") };
            prop_assert_eq!(&after.item, &before.item);
            prop_assert_eq!((after.key, after.ttl), (before.key, before.ttl));
            prop_assert_eq!((after.since, after.shared), (before.since, before.shared));
            prop_assert_eq!(after.namespace.to_bytes(), before.namespace.to_bytes());
            prop_assert!(matches!(read(&[7; 33], &bytes), Persisted::Nothing));
            let _ = read(&under, &bytes[..cut.min(bytes.len())]);
            bytes[0] = 2;
            prop_assert!(matches!(read(&under, &bytes), Persisted::OfLaterVersion));
        }

        #[test]
        fn no_strange_bytes_panic(bytes: Vec<u8>) {
            let _ = read(&[SPACE; 33], &[&[FORMAT], &bytes[..]].concat());
        }
    }

    #[test]
    fn an_item_that_its_owner_did_not_sign_is_no_promise() {
        let before = kept("k", true, 604_800_000, 1_700_000_000_000, b"hello");
        let under = key(&PromiseId::of(&before.namespace, &before.key));
        let mut bytes = Vec::new();
        before.write(&mut bytes);
        assert!(reads(&under, &bytes));
        *bytes.last_mut().unwrap() ^= 1;
        assert!(!reads(&under, &bytes));
    }

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let before = kept("greeting", true, 604_800_000, 1_700_000_000_000, b"hello");
        let mut bytes = Vec::new();
        before.write(&mut bytes);
        let hex = |bytes: &[u8]| -> String {
            bytes.iter().map(|byte| std::format!("{byte:02x}")).collect()
        };
        // By an independent program.
        let owner = "1c255dfabda13787cc8ea4b630f2fe20c8ea0505fad9577722830e81f4e27dce";
        let signature = "33bfde06705ec39c828cc28d1cc2d0f352cd816cc777d80b7bad6cc5cd6ca3fa\
                         efb9c7962c4356560eb25f9dd404b4d6899d62bb36a2ea305c26d39261b9f802";
        let expected = [
            "0101",
            "00840c2400000000",
            "0068e5cf8b010000",
            "00",
            owner,
            "0800",
            "6772656574696e67",
            "00401e18240a0600",
            signature,
            "353a68656c6c6f",
        ]
        .concat();
        assert_eq!(hex(&bytes), expected);
        let id = PromiseId::of(&before.namespace, &before.key);
        let named = "ff3ed088371453e11742f24d2c559d1d9020d2df1f821c885c96ae20112e3e34";
        assert_eq!(std::format!("{id:?}"), named);
    }
}
