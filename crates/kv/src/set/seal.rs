//! Members of a set in a secret namespace: items are sealed before anything else is done with them, and
//! opened only for who lists. So holders, and all that looks after members, see sealed items.
//!
//! The same item of the same writer is sealed into the same bytes, so that adding it again renews it,
//! and it can be removed. The keys are HMAC-SHA-256 under the key of values of a context and the salt of
//! the set's key; an item is sealed for its writer.

use alloc::boxed::Box;

use wire::bencode::Reader;
use wire::item::byte_string;
use wire::limits::MEMBER_ITEM_BYTES;
use wire::{Member, PublicKey};
use zeroize::Zeroizing;

use super::ListedMember;
use crate::cipher::{OVERHEAD_BYTES, Repeatable};
use crate::limits::SEALED_STEP;

/// Starts what the ciphertext is bound to.
const CONTEXT: &[u8] = b"xorbit secret member v1\0";

/// What the two keys of a set are for, before the salt of its key.
pub(crate) const FOR_MEMBERS: [&[u8]; 2] =
    [b"xorbit secret members v1\0", b"xorbit secret member nonces v1\0"];

/// Most bytes that are sealed, padding included.
const PADDED_BYTES: usize = (MEMBER_ITEM_BYTES - OVERHEAD_BYTES) / SEALED_STEP * SEALED_STEP;

/// Longest item of a set in a secret namespace, in bytes: three digits and a colon stand before it.
pub const SEALED_MEMBER_BYTES: usize = PADDED_BYTES - 4;

/// Seals and opens the items of one set.
pub(crate) struct MemberSeal(Repeatable);

impl MemberSeal {
    pub fn new(keys: [Zeroizing<[u8; 32]>; 2]) -> Self {
        let [key, nonces] = keys;
        Self(Repeatable::new(key, nonces, CONTEXT))
    }

    /// The item as holders see it.
    pub fn seal(&self, writer: &PublicKey, item: &[u8]) -> Box<[u8]> {
        let framed = Zeroizing::new(byte_string(item));
        let padded = framed.len().next_multiple_of(SEALED_STEP);
        self.0.seal(writer.as_bytes(), &framed, padded).into()
    }

    /// The item; `None` if nobody who knows the passphrase sealed it for this writer and set.
    pub fn open(&self, writer: &PublicKey, sealed: &[u8]) -> Option<Box<[u8]>> {
        let opened = self.0.open(writer.as_bytes(), sealed)?;
        let mut reader = Reader::canonical(&opened);
        let item = reader.string().ok()?;
        let padding = reader.rest();
        let padded = opened.len().is_multiple_of(SEALED_STEP) && padding.len() < SEALED_STEP;
        let zeros = padding.iter().all(|byte| *byte == 0);
        (padded && zeros && !item.is_empty()).then(|| item.into())
    }

    /// A member with its item opened.
    pub fn listed(&self, member: &Member) -> Option<ListedMember> {
        let listed = ListedMember::from(member);
        let item = self.open(&listed.writer, &listed.item)?;
        Some(ListedMember { item, ..listed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::namespace::Namespace;
    use proptest::prelude::*;
    use std::string::String;
    use wire::{Cursor, Saying, Seq};

    fn seal() -> MemberSeal {
        let key = |byte| Zeroizing::new([byte; 32]);
        MemberSeal::new([key(1), key(2)])
    }

    proptest! {
        #[test]
        fn an_item_comes_back_for_its_writer_alone_and_fits_a_member(
            item in proptest::collection::vec(any::<u8>(), 1..=SEALED_MEMBER_BYTES),
            writer: [u8; 32], other: [u8; 32],
        ) {
            let (writer, other) = (PublicKey::new(writer), PublicKey::new(other));
            let sealed = seal().seal(&writer, &item);
            prop_assert!(sealed.len() <= MEMBER_ITEM_BYTES);
            prop_assert_eq!((sealed.len() - OVERHEAD_BYTES) % SEALED_STEP, 0);
            prop_assert_eq!(&seal().seal(&writer, &item), &sealed);
            prop_assert_eq!(seal().open(&writer, &sealed), Some(item.into()));
            prop_assert_eq!(seal().open(&other, &sealed), None);
        }
    }

    #[test]
    fn what_a_friend_seals_in_another_form_is_no_item() {
        let writer = PublicKey::new([7; 32]);
        for (framed, padded) in [(&b"0:"[..], 64), (b"3:ada", 128), (b"03:ada", 64), (b"9:ada", 12)]
        {
            let sealed = seal().0.seal(writer.as_bytes(), framed, padded);
            assert_eq!(seal().open(&writer, &sealed), None, "{framed:?}");
        }
    }

    /// Computed by an independent program as well.
    #[test]
    fn the_test_vectors_of_the_documentation_hold() {
        let hex = |bytes: &[u8]| -> String {
            bytes.iter().map(|byte| std::format!("{byte:02x}")).collect()
        };
        let namespace = Namespace::secret("correct horse battery staple").unwrap();
        let key = Key::new("greeting").unwrap();
        let (writer, target) = (namespace.owner(), namespace.target(&key));
        let item = namespace.member_seal(&key).unwrap().seal(&writer, b"ada");
        assert_eq!(
            hex(&item),
            "46556211cf01e60a07d9833ae6acd9c96c6c0b0d16014de1664e6adf60cda934fed056845ee63316bc72\
             56fec04e0028a0b604ccb79b1859a896348726062d496490746ccc24a633a73b3e87abcacab5593277ae\
             63bd64f8208fbc7de06ddb24322e64061f21c123"
        );
        let cursor = Cursor::of(&writer, &item);
        assert_eq!(hex(cursor.as_bytes()), "866cde12a7b64767a27fbfcb22eeb383cb18ab3a");
        let times = 1_700_604_800_000;
        let seq = Seq::new(1_700_000_000_000_000).unwrap();
        let saying =
            Saying { item: &item, seq, expires_ms: times, remembered_ms: times, removed: false };
        let member = Member::sign(namespace.signer().unwrap(), &target, saying).unwrap();
        let signature = wire::UnverifiedMember::decode(&member.encode()).unwrap().signature;
        assert_eq!(
            hex(&signature),
            "5c8bd7b1e38bf453da57a1e7733501e5b5f7d8b27278665339810c5ff8f79e688da5eb4b525ac9409d5\
             366b723393c7b0ddb781f52b7aac226efc477742e050f"
        );
    }
}
