//! From where held items came, so that no address and no network can fill the shelf alone.
//!
//! Addresses are remembered as keyed hashes of 32 bits: two that fall together share their part.

use core::hash::Hasher;

use hashbrown::HashMap;
use siphasher::sip::SipHasher13;
use wire::{Endpoint, Scope};

use crate::dice::Dice;
use crate::shelf::admission::ShelfLimits;

/// Where an item came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Source {
    /// The address; 0: this machine itself, which is exempt.
    address: u32,
    /// Its /24 or /64; 0: a private one, where a whole network of one's own may live.
    prefix: u32,
}

impl Source {
    /// Whether it may fill all there is.
    pub fn is_exempt(self) -> bool {
        self.address == 0
    }

    fn keys(self) -> impl Iterator<Item = u32> {
        [self.address, self.prefix].into_iter().filter(|key| *key != 0)
    }
}

/// Items and bytes that a source fills.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    items: usize,
    bytes: usize,
}

/// How much each source fills. Only those that fill something are remembered.
pub struct Sources {
    key: [u8; 16],
    usage: HashMap<u32, Usage, foldhash::fast::FixedState>,
}

/// In which way an item came, each with a part of the shelf of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Somebody put it.
    Put = 1,
    /// Another holder handed it off.
    HandOff = 2,
}

impl Sources {
    /// None yet.
    pub fn new(dice: &mut Dice) -> Self {
        let hasher = foldhash::fast::FixedState::with_seed(dice.u64());
        Self { key: dice.bytes(), usage: HashMap::with_hasher(hasher) }
    }

    /// The source at an address.
    pub fn of(&self, from: &Endpoint, way: Way) -> Source {
        if from.scope() == Scope::Loopback {
            return Source::default();
        }
        let bytes = from.ip_bytes();
        let prefix = &bytes[..if bytes.len() == 4 { 3 } else { 8 }];
        let hash = |bytes: &[u8]| {
            let mut hasher = SipHasher13::new_with_key(&self.key);
            hasher.write_u8(way as u8);
            hasher.write(bytes);
            // 0 means exempt.
            (hasher.finish() as u32).max(1)
        };
        let prefix = if from.scope() == Scope::Private { 0 } else { hash(prefix) };
        Source { address: hash(bytes), prefix }
    }

    /// Whether a source may fill so many places and bytes more.
    pub fn allows(&self, source: Source, items: usize, bytes: usize, limits: &ShelfLimits) -> bool {
        let within = |key: u32, percent: u8| {
            let part = |whole: usize| whole * usize::from(percent) / 100;
            let usage = self.usage.get(&key).copied().unwrap_or_default();
            (items == 0 || usage.items + items <= part(limits.items).max(1))
                && (bytes == 0 || usage.bytes.saturating_add(bytes) <= part(limits.bytes))
        };
        (source.address == 0 || within(source.address, limits.per_address_percent))
            && (source.prefix == 0 || within(source.prefix, limits.per_prefix_percent))
    }

    /// Counts so many items and bytes.
    pub fn charge(&mut self, source: Source, items: usize, bytes: usize) {
        for key in source.keys().filter(|_| items + bytes > 0) {
            let usage = self.usage.entry(key).or_default();
            usage.items += items;
            usage.bytes += bytes;
        }
    }

    /// No longer counts so many items and bytes.
    pub fn release(&mut self, source: Source, items: usize, bytes: usize) {
        for key in source.keys() {
            if let Some(usage) = self.usage.get_mut(&key) {
                usage.items = usage.items.saturating_sub(items);
                usage.bytes = usage.bytes.saturating_sub(bytes);
                if usage.items + usage.bytes == 0 {
                    self.usage.remove(&key);
                }
            }
        }
    }

    /// Checks that exactly these items and bytes are counted.
    ///
    /// # Panics
    /// If they are not.
    pub fn check_invariant(&self, all: impl Iterator<Item = (Source, usize, usize)>) {
        let mut counted = HashMap::<u32, (usize, usize), foldhash::fast::FixedState>::default();
        for (source, items, bytes) in all {
            for key in source.keys().filter(|_| items + bytes > 0) {
                let usage = counted.entry(key).or_default();
                *usage = (usage.0 + items, usage.1 + bytes);
            }
        }
        assert_eq!(counted.len(), self.usage.len());
        for (key, usage) in &self.usage {
            assert_eq!(counted.get(key), Some(&(usage.items, usage.bytes)), "source {key}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_a_network_fill_only_their_part_and_loopback_any() {
        let mut sources = Sources::new(&mut Dice::new([1; 32]));
        let limits = ShelfLimits {
            items: 100,
            bytes: 100_000,
            per_address_percent: 10,
            per_prefix_percent: 20,
        };
        let at = |last| Endpoint::v4([203, 0, 113, last], 1);
        let mut taken = [0; 3];
        for host in 0..3 {
            let source = sources.of(&at(host), Way::Put);
            while sources.allows(source, 1, 10, &limits) {
                sources.charge(source, 1, 10);
                taken[usize::from(host)] += 1;
            }
        }
        assert_eq!(taken, [10, 10, 0], "ten each, and twenty of the network");
        let elsewhere = sources.of(&Endpoint::v4([203, 0, 114, 1], 1), Way::Put);
        assert!(sources.allows(elsewhere, 1, 10_000, &limits));
        assert!(!sources.allows(elsewhere, 1, 10_001, &limits));
        assert!(sources.allows(sources.of(&at(0), Way::HandOff), 1, 10, &limits), "counted apart");
        let lan = |last| sources.of(&Endpoint::v4([192, 168, 7, last], 1), Way::Put);
        assert_eq!((lan(1).prefix, lan(2).prefix), (0, 0), "a network of one's own");
        assert_ne!(lan(1), lan(2));
        let here = sources.of(&Endpoint::v4([127, 0, 0, 1], 1), Way::Put);
        assert!(sources.allows(here, 1, usize::MAX, &limits));
        for host in 0..2 {
            let source = sources.of(&at(host), Way::Put);
            (0..10).for_each(|_| sources.release(source, 1, 10));
        }
        assert!(sources.usage.is_empty());
    }
}
