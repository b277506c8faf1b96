//! Whom we heard: for each sender its key and what came from it. A bounded number of them.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::aead::SenderKey;
use super::window::Window;
use crate::limits::{SEAL_SENDER_BYTES, SEAL_SENDERS};

/// Who sealed a datagram: one life of one node.
pub(super) type Sender = [u8; SEAL_SENDER_BYTES];

/// The senders that are remembered.
pub(super) struct Senders {
    places: HashMap<Sender, u32, foldhash::fast::FixedState>,
    known: Vec<Known>,
    /// The highest number of each of the known, beside each other so that the lowest is found soon.
    highest: Vec<u64>,
    /// The highest number of any sender that was forgotten: without this, its datagrams could be
    /// shown once more.
    forgotten: u64,
    /// How many are remembered.
    most: usize,
}

struct Known {
    sender: Sender,
    key: SenderKey,
    window: Window,
}

impl Senders {
    /// Nobody yet. `seed` decides how they are spread in memory.
    pub fn new(seed: u64) -> Self {
        Self {
            places: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(seed)),
            known: Vec::new(),
            highest: Vec::new(),
            forgotten: 0,
            most: SEAL_SENDERS,
        }
    }

    /// Where a sender is remembered.
    pub fn place(&self, sender: &Sender) -> Option<usize> {
        self.places.get(sender).map(|place| *place as usize)
    }

    /// The key of the sender at a place.
    pub fn key(&self, place: usize) -> &SenderKey {
        &self.known[place].key
    }

    /// Hears a number of the sender at a place, if it was not heard before.
    pub fn hear(&mut self, place: usize, number: u64) -> bool {
        let window = &mut self.known[place].window;
        let heard = window.hear(number);
        // Only where something was heard can the highest have changed; a closed one stays closed.
        if heard {
            self.highest[place] = window.highest();
        }
        heard
    }

    /// The highest number that a sender had that was forgotten.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The sender at a place, of which nothing may be heard, can be forgotten once `highest` is the
    /// oldest.
    pub fn close_at(&mut self, place: usize, highest: u64) {
        self.known[place].window = Window::above(u64::MAX);
        self.highest[place] = highest;
    }

    /// Remembers a sender of which nothing up to `floor` may be heard. If there is no room, the one
    /// whose latest datagram is oldest makes it.
    pub fn remember(&mut self, sender: Sender, key: SenderKey, floor: u64) -> usize {
        let known = Known { sender, key, window: Window::above(floor) };
        if self.known.len() < self.most {
            self.places.insert(sender, self.known.len() as u32);
            self.known.push(known);
            self.highest.push(floor);
            return self.known.len() - 1;
        }
        let oldest = self.highest.iter().enumerate().min_by_key(|(_, highest)| **highest);
        let place = oldest.map_or(0, |(place, _)| place);
        self.forgotten = self.forgotten.max(self.highest[place]);
        self.places.remove(&self.known[place].sender);
        self.places.insert(sender, place as u32);
        self.known[place] = known;
        self.highest[place] = floor;
        place
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.known.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn few(most: usize) -> Senders {
        Senders { most, ..Senders::new(7) }
    }

    fn add(senders: &mut Senders, name: u8, floor: u64) -> usize {
        let key = SenderKey::derive(&[name; 32], &[name; SEAL_SENDER_BYTES]);
        senders.remember([name; SEAL_SENDER_BYTES], key, floor)
    }

    #[test]
    fn the_one_whose_latest_datagram_is_oldest_makes_room_and_stays_barred() {
        let mut senders = few(3);
        for (name, number) in [(1, 100), (2, 50), (3, 70)] {
            let place = add(&mut senders, name, 0);
            assert!(senders.hear(place, number));
        }
        assert_eq!(senders.forgotten(), 0);
        add(&mut senders, 4, 60);
        assert_eq!(senders.len(), 3);
        assert_eq!(senders.place(&[2; SEAL_SENDER_BYTES]), None);
        assert_eq!(senders.forgotten(), 50);
        add(&mut senders, 5, 80);
        assert_eq!(senders.place(&[4; SEAL_SENDER_BYTES]), None);
        assert_eq!(senders.forgotten(), 60);
        let one = senders.place(&[1; SEAL_SENDER_BYTES]).unwrap();
        assert!(!senders.hear(one, 100) && senders.hear(one, 101));
    }

    #[test]
    fn whoever_is_closed_is_never_heard_and_never_makes_room() {
        let mut senders = few(2);
        let own = add(&mut senders, 1, u64::MAX);
        for name in 2..50 {
            let place = add(&mut senders, name, 0);
            assert!(senders.hear(place, u64::from(name)));
            assert!(!senders.hear(own, u64::from(name)) && !senders.hear(own, u64::MAX));
        }
        assert_eq!(senders.place(&[1; SEAL_SENDER_BYTES]), Some(own));
    }

    #[test]
    fn nobody_is_remembered_beyond_the_bound() {
        let mut senders = Senders::new(1);
        for number in 0..SEAL_SENDERS as u64 + 100 {
            let mut sender = [0; SEAL_SENDER_BYTES];
            sender[..8].copy_from_slice(&number.to_le_bytes());
            senders.remember(sender, SenderKey::derive(&[1; 32], &sender), number);
            assert!(senders.len() <= SEAL_SENDERS && senders.places.len() == senders.len());
        }
        assert_eq!(senders.forgotten(), 99);
    }
}
