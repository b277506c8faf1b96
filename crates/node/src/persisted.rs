//! What a node keeps on a disk, for whoever looks after it while no node runs: each entry read out of
//! its bytes and written into them again. Keys and values are as the files of
//! [`shelf`](crate::shelf) lay them out.

use alloc::vec::Vec;

use wire::{Member, Seq, Target, Unverified};

use crate::shelf::persisted::{self, Written};
use crate::shelf::persisted_member::{self, PersistedMember};
use crate::shelf::persisted_peer::{self, PersistedPeer};
use crate::shelf::{ITEM_SPACE, Lease, MEMBER_SPACE, PEER_SPACE};
use crate::time::UnixMillis;

/// One entry that a node keeps on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persisted<'b> {
    /// An item. Neither its name nor its signature is checked.
    Item {
        /// The name under which it lies.
        target: Target,
        /// The item.
        item: Unverified<'b>,
        /// For how long it is held.
        lease: Lease,
    },
    /// The version of an item that has ended.
    Marker {
        /// The item's name.
        target: Target,
        /// Its version.
        seq: Seq,
        /// For how long it is remembered.
        lease: Lease,
    },
    /// A peer of a topic.
    Peer(PersistedPeer),
    /// A member of a set. Its signature is not checked.
    Member(PersistedMember<'b>),
}

impl<'b> Persisted<'b> {
    /// Whether a key is one under which a node keeps something of this kind.
    pub fn is_key(key: &[u8]) -> bool {
        matches!(key.first(), Some(&(ITEM_SPACE | PEER_SPACE | MEMBER_SPACE)))
    }

    /// Reads an entry; `None` if a node would not understand it.
    pub fn read(key: &[u8], value: &'b [u8]) -> Option<Self> {
        match key.split_first()? {
            (&ITEM_SPACE, target) => {
                let target = Target::read(target)?;
                Some(match persisted::parse(value)? {
                    Written::Item(item, lease) => Self::Item { target, item, lease },
                    Written::Marker(seq, lease) => Self::Marker { target, seq, lease },
                })
            }
            (&PEER_SPACE, place) => persisted_peer::read(place, value).map(Self::Peer),
            (&MEMBER_SPACE, place) => persisted_member::read(place, value).map(Self::Member),
            _ => None,
        }
    }

    /// Appends the key under which it lies.
    pub fn write_key(&self, to: &mut Vec<u8>) {
        match self {
            Self::Item { target, .. } | Self::Marker { target, .. } => {
                to.extend(persisted::key(target));
            }
            Self::Peer(peer) => {
                let mut key = [PEER_SPACE; 37];
                let length = persisted_peer::write_key(&peer.info_hash, &peer.endpoint, &mut key);
                to.extend(&key[..length]);
            }
            Self::Member(member) => member.write_key(to),
        }
    }

    /// Appends the value that lies there. Of a salt at most the 64 bytes that BEP 44 allows.
    pub fn write_value(&self, to: &mut Vec<u8>) {
        match self {
            Self::Item { item, lease, .. } => persisted::write_item(item, lease, to),
            Self::Marker { seq, lease, .. } => persisted::write_marker(*seq, lease, to),
            Self::Peer(peer) => {
                persisted_peer::write_value(peer.endpoint.port(), peer.seed, peer.until, to);
            }
            Self::Member(member) => member.write_value(to),
        }
    }
}

/// An entry that was read back and bears its right name, ready for
/// [`Node::restore`](crate::Node::restore). Reading takes most of the time of a start, and no node: it
/// may be done elsewhere. Signatures are not checked again: the disk guards its bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Restorable(pub(crate) Content);

/// What was read back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Item(Target, persisted::Persisted),
    Peer(PersistedPeer),
    Member(Member, UnixMillis),
}

impl Restorable {
    /// Reads an entry; `None` if it is nothing that a node of this version keeps.
    pub fn read(key: &[u8], value: &[u8]) -> Option<Self> {
        let content = match key.split_first()? {
            (&ITEM_SPACE, target) => {
                let target = Target::read(target)?;
                Content::Item(target, persisted::read(&target, value)?)
            }
            (&PEER_SPACE, place) => Content::Peer(persisted_peer::read(place, value)?),
            (&MEMBER_SPACE, place) => {
                let kept = persisted_member::read(place, value)?;
                Content::Member(kept.member.trusted(&kept.target)?.to_member(), kept.until)
            }
            _ => return None,
        };
        Some(Self(content))
    }

    /// Appends the key under which it lies.
    pub fn write_key(&self, to: &mut Vec<u8>) {
        match &self.0 {
            Content::Item(target, _) => to.extend(persisted::key(target)),
            Content::Peer(peer) => Persisted::Peer(*peer).write_key(to),
            Content::Member(member, _) => {
                to.extend(persisted_member::key(&member.target(), &member.cursor()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::member::Saying;
    use wire::{Endpoint, InfoHash, Item, Signer};

    #[test]
    fn each_kind_of_entry_comes_back_as_it_was_written() {
        let lease = Lease { until: UnixMillis(5), marker_until: UnixMillis(9), kept: true };
        let seq = Seq::new(7).unwrap();
        let mutable = Item::mutable(&Signer::from_seed(&[1; 32]), b"salt", seq, b"1:v").unwrap();
        let immutable = Item::immutable(b"1:v").unwrap();
        let item = |item: &'static Item| Persisted::Item {
            target: item.target(),
            item: item.as_ref().as_unverified(),
            lease,
        };
        let leak = |item| &*std::boxed::Box::leak(std::boxed::Box::new(item));
        let peer = PersistedPeer {
            info_hash: InfoHash::new([3; 20]),
            endpoint: Endpoint::v4([10, 0, 0, 1], 9),
            seed: true,
            until: UnixMillis(4),
        };
        let marker = Lease { kept: false, ..lease };
        let saying = Saying { item: b"it", seq, expires_ms: 5, remembered_ms: 9, removed: false };
        let set = Target::new([8; 20]);
        let wire = Member::sign(&Signer::from_seed(&[1; 32]), &set, saying).unwrap().encode();
        let entries = [
            item(leak(mutable)),
            item(leak(immutable)),
            Persisted::Marker { target: Target::new([2; 20]), seq, lease: marker },
            Persisted::Peer(peer),
            Persisted::Member(PersistedMember::new(set, &wire, UnixMillis(9)).unwrap()),
        ];
        for entry in entries {
            let (mut key, mut value) = (Vec::new(), Vec::new());
            entry.write_key(&mut key);
            entry.write_value(&mut value);
            assert!(Persisted::is_key(&key));
            let mut again = Vec::new();
            Restorable::read(&key, &value).unwrap().write_key(&mut again);
            assert_eq!(again, key);
            assert_eq!(Restorable::read(&key, &value[..3]), None);
            assert_eq!(Persisted::read(&key, &value), Some(entry));
            assert_eq!(Persisted::read(&key, &value[..3]), None);
            assert_eq!(Persisted::read(b"zebra", &value), None);
        }
    }

    #[test]
    fn the_vector_in_the_documents_is_read() {
        let value = "8200d8c32cbb03000000d8c32cbb030000010000000000000077ff84905a91936367c01360803104f924\
                     32fcd904a43511876df5cdf3e7e5486834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded\
                     553d17d17ddf9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a0806666f6f62\
                     617231323a48656c6c6f20576f726c6421";
        let pairs = value.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let value: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        let target: Target = "411eba73b6f087ca51a3795d9c8c938d365e32c1".parse().unwrap();
        let key = [&b"i"[..], target.as_bytes()].concat();
        let Some(Persisted::Item { target: name, item, lease }) = Persisted::read(&key, &value)
        else {
            panic!("an item");
        };
        assert_eq!((name, item.verify().unwrap().target()), (target, target));
        assert_eq!((lease.until.0, lease.marker_until.0), (4_102_444_800_000, 4_102_444_800_000));
        assert!(lease.kept && item.value == b"12:Hello World!");
    }
}
