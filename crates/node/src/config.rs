//! What a node is told before it starts.

use core::hash::Hasher;

use siphasher::sip::SipHasher24;
use wire::{NetworkTag, NodeId};

use crate::seal::NetworkKey;
use crate::shelf::ShelfLimits;
use crate::table::AddressRules;

/// Which network a node belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// One's own, under this tag.
    Own(NetworkTag),
    /// The planet-wide Mainline.
    Public,
}

impl Network {
    /// The network of one's own with this name. Its tag is four bytes of a hash: enough to tell
    /// networks apart, not meant to keep anybody out.
    pub fn named(name: &str) -> Self {
        let mut hasher = SipHasher24::new_with_key(b"xorbit network 1");
        hasher.write(name.as_bytes());
        let [a, b, c, d, ..] = hasher.finish().to_be_bytes();
        Network::Own(NetworkTag([a, b, c, d]))
    }

    /// The tag that its messages carry.
    pub fn tag(&self) -> Option<NetworkTag> {
        match self {
            Network::Own(tag) => Some(*tag),
            Network::Public => None,
        }
    }

    /// Which addresses may enter its tables.
    pub fn rules(&self) -> AddressRules {
        match self {
            Network::Own(_) => AddressRules::Own,
            Network::Public => AddressRules::Public,
        }
    }
}

/// What a node is told before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its network.
    pub network: Network,
    /// Seals all that it sends and hears only what is sealed with the same key; not in Mainline,
    /// where nobody would understand it.
    pub network_key: Option<NetworkKey>,
    /// The id it had before; `None` draws one.
    pub id: Option<NodeId>,
    /// It answers no queries and asks not to be remembered (BEP 43): for a client that leaves soon.
    pub ephemeral: bool,
    /// How much it may hold for others.
    pub shelf: ShelfLimits,
    /// What it holds outlives the process: a put is answered once the driver made its changes durable
    /// ([`Node::changes`](crate::Node::changes)).
    pub durable: bool,
    /// A cap on all that it sends, in bytes a second.
    pub cap_bytes_per_s: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            network: Network::named("xorbit"),
            network_key: None,
            id: None,
            ephemeral: false,
            shelf: ShelfLimits::default(),
            durable: false,
            cap_bytes_per_s: None,
        }
    }
}
