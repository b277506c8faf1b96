//! Where each live entry lies, in memory.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use xxhash_rust::xxh3::xxh3_128_with_seed;

/// A key, by 128 bits of its hash under the salt of the store: nobody who does not know the salt can
/// find two keys that meet, and of a hundred million random ones two meet once in 2^75 stores.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Name([u8; 16]);

impl Name {
    pub fn of(key: &[u8], salt: u64) -> Self {
        Self(xxh3_128_with_seed(key, salt).to_le_bytes())
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0[..8]);
    }
}

/// Names are hashes already.
#[derive(Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    }
}

/// Where an entry lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub segment: u32,
    pub offset: u32,
    /// Bytes of the whole entry.
    pub length: u32,
}

/// What lives in a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Live {
    pub entries: u64,
    pub bytes: u64,
}

/// Where each live entry lies, 28 bytes for each, and how much lives in each segment.
#[derive(Default)]
pub(super) struct Index {
    places: HashMap<Name, Place, BuildHasherDefault<AsItIs>>,
    live: BTreeMap<u32, Live>,
    live_bytes: u64,
}

impl Index {
    pub fn get(&self, name: Name) -> Option<Place> {
        self.places.get(&name).copied()
    }

    /// So many entries will come: room for them is made at once.
    pub fn expect(&mut self, entries: usize) {
        self.places.reserve(entries);
    }

    /// The entry of a key lies there from now on, or nowhere.
    pub fn set(&mut self, name: Name, place: Option<Place>) {
        let before = match place {
            Some(place) => self.places.insert(name, place),
            None => self.places.remove(&name),
        };
        if let Some(place) = place {
            let live = self.live.entry(place.segment).or_default();
            live.entries += 1;
            live.bytes += u64::from(place.length);
            self.live_bytes += u64::from(place.length);
        }
        if let Some(before) = before
            && let Some(live) = self.live.get_mut(&before.segment)
        {
            live.entries -= 1;
            live.bytes -= u64::from(before.length);
            self.live_bytes -= u64::from(before.length);
        }
    }

    /// What lives in one segment.
    pub fn live(&self, segment: u32) -> Live {
        self.live.get(&segment).copied().unwrap_or_default()
    }

    /// Bytes of all live entries.
    pub fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    /// Live entries.
    pub fn len(&self) -> u64 {
        self.places.len() as u64
    }

    /// A segment is gone. Entries that were not moved out of it are lost; tells how many.
    pub fn forget(&mut self, segment: u32) -> u64 {
        let lost = self.live.remove(&segment).unwrap_or_default();
        if lost.entries > 0 {
            self.places.retain(|_, place| place.segment != segment);
            self.live_bytes -= lost.bytes;
        }
        lost.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lives_where_follows_each_change() {
        let mut index = Index::default();
        let [a, b] = [b"a", b"b"].map(|key| Name::of(key, 7));
        let place = |segment, length| Some(Place { segment, offset: 40, length });
        index.set(a, place(1, 10));
        index.set(b, place(1, 20));
        index.set(a, place(2, 30));
        assert_eq!(index.live(1), Live { entries: 1, bytes: 20 });
        assert_eq!(index.live(2), Live { entries: 1, bytes: 30 });
        assert_eq!((index.live_bytes(), index.len()), (50, 2));
        assert_eq!(index.forget(1), 1);
        assert_eq!((index.get(b), index.get(a)), (None, place(2, 30)));
        index.set(a, None);
        index.set(b, None);
        assert_eq!((index.live_bytes(), index.len(), index.forget(2)), (0, 0, 0));
    }
}
