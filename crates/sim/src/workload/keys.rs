//! Where the keys of a run live: which kinds of users' work have which keys, and in which namespaces.

use kv::{Key, Namespace};
use wire::Signer;

use crate::chance::Chance;

/// Keys are numbered; each kind of work has its own thousands.
pub const SWAPS: u32 = 1_000_000;
/// Large values.
pub const LARGE: u32 = 2_000_000;
/// Values that somebody promised to keep.
pub const KEPT: u32 = 3_000_000;
/// Sets.
pub const SETS: u32 = 4_000_000;

/// How many of a hundred runs have a signed namespace beside the open one ...
const SIGNED_OF_100: usize = 40;

/// ... and how many a secret one, which takes a tenth of a second to make.
const SECRET_OF_100: usize = 25;

/// All keys of a run.
#[derive(Clone, Debug)]
pub struct Keys {
    namespaces: Vec<Namespace>,
}

impl Keys {
    /// Draws the namespaces of a run.
    pub fn draw(seed: u64) -> Self {
        let mut chance = Chance::of(seed, "namespaces");
        let mut namespaces = vec![Namespace::default()];
        if chance.below(100) < SIGNED_OF_100 {
            namespaces.push(Namespace::signed(Signer::from_seed(&chance.bytes())));
        }
        if chance.below(100) < SECRET_OF_100
            && let Ok(secret) = Namespace::secret(format!("passphrase {seed}"))
        {
            namespaces.push(secret);
        }
        Self { namespaces }
    }

    /// The namespace and the name of a key.
    pub fn place(&self, key: u32) -> (Namespace, Key) {
        (self.namespaces[key as usize % self.namespaces.len()].clone(), name(key))
    }
}

/// The name of a key.
///
/// # Panics
/// Never: all names are short.
pub fn name(key: u32) -> Key {
    Key::new(format!("key {key}")).expect("a short key")
}
