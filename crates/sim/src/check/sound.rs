//! Which items are signed by whom they say. Each is checked once, whoever puts it where.

use hashbrown::HashMap;
use wire::Unverified;

/// Items that are remembered.
const REMEMBERED: usize = 1 << 16;

/// Items that were checked, by hash.
#[derive(Debug, Default)]
pub struct Sound(HashMap<u64, bool, foldhash::fast::FixedState>);

impl Sound {
    /// Whether an item may be held: its size and form are right, and its signature if it has one.
    pub fn is(&mut self, item: &Unverified<'_>) -> bool {
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        *self.0.entry(fingerprint(item)).or_insert_with(|| item.verify().is_ok())
    }
}

fn fingerprint(item: &Unverified<'_>) -> u64 {
    use xxhash_rust::xxh3::xxh3_64_with_seed as hash;
    let value = hash(item.value, 2);
    let Some(signed) = &item.signed else { return value };
    let seq = hash(&signed.seq.get().to_le_bytes(), value);
    hash(&signed.signature, hash(signed.salt, hash(signed.key.as_bytes(), seq)))
}
