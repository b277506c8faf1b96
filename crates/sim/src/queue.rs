//! What will happen, in the order in which it will: a calendar queue (R. Brown, 1988) of two wheels.
//!
//! Events at the same time come out in the order in which they went in, so a world's course hangs on
//! nothing but its inputs. The near wheel has a slot for each 1,024 µs of the next 8 seconds, which is
//! where datagrams fall; what comes later waits in a far wheel with a slot for each turn of the near one,
//! and what comes after that in a heap. A slot is put in order when its time comes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Of the near wheel: a slot spans 2^10 µs, and the wheel has 2^13 of them.
const SLOT_BITS: u32 = 10;
const NEAR_SLOTS: u64 = 1 << 13;

/// Turns of the near wheel that the far one holds: 72 minutes.
const FAR_SLOTS: u64 = 1 << 9;

/// Room for so many events is kept in a slot of the near wheel when it is empty.
const KEPT_EVENTS: usize = 32;

/// An event with its time in microseconds and its number in the order of coming.
#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    at: u64,
    number: u64,
    what: T,
}

impl<T> Entry<T> {
    fn key(&self) -> (u64, u64) {
        (self.at, self.number)
    }

    fn slot(&self) -> u64 {
        self.at >> SLOT_BITS
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Events by time.
#[derive(Debug)]
pub struct Queue<T> {
    /// The slot whose time has come, latest first.
    present: Vec<Entry<T>>,
    /// Which slot that is.
    slot: u64,
    near: Vec<Vec<Entry<T>>>,
    near_len: usize,
    far: Vec<Vec<Entry<T>>>,
    far_len: usize,
    distant: BinaryHeap<Reverse<Entry<T>>>,
    numbers: u64,
}

impl<T: Copy> Default for Queue<T> {
    fn default() -> Self {
        Self {
            present: Vec::new(),
            slot: 0,
            near: (0..NEAR_SLOTS).map(|_| Vec::new()).collect(),
            near_len: 0,
            far: (0..FAR_SLOTS).map(|_| Vec::new()).collect(),
            far_len: 0,
            distant: BinaryHeap::new(),
            numbers: 0,
        }
    }
}

impl<T: Copy> Queue<T> {
    /// How many events wait.
    pub fn len(&self) -> usize {
        self.present.len() + self.near_len + self.far_len + self.distant.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an event; one for a time that has passed comes next.
    pub fn push(&mut self, at_us: u64, what: T) {
        let entry = Entry { at: at_us, number: self.numbers, what };
        self.numbers += 1;
        self.place(entry);
    }

    fn place(&mut self, entry: Entry<T>) {
        let slot = entry.slot();
        let turn = slot / NEAR_SLOTS;
        if slot <= self.slot {
            let place = self.present.partition_point(|other| *other > entry);
            self.present.insert(place, entry);
        } else if turn == self.turn() {
            self.near[(slot % NEAR_SLOTS) as usize].push(entry);
            self.near_len += 1;
        } else if turn - self.turn() < FAR_SLOTS {
            self.far[(turn % FAR_SLOTS) as usize].push(entry);
            self.far_len += 1;
        } else {
            self.distant.push(Reverse(entry));
        }
    }

    fn turn(&self) -> u64 {
        self.slot / NEAR_SLOTS
    }

    /// The time of the next event.
    pub fn next_at(&mut self) -> Option<u64> {
        self.advance();
        self.present.last().map(|entry| entry.at)
    }

    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(u64, T)> {
        self.advance();
        self.present.pop().map(|entry| (entry.at, entry.what))
    }

    /// Goes on to the next slot that holds something, if the present one is used up.
    fn advance(&mut self) {
        while self.present.is_empty() && !self.is_empty() {
            if self.near_len == 0 {
                self.turn_to_next();
                continue;
            }
            self.slot += 1;
            if self.slot.is_multiple_of(NEAR_SLOTS) {
                self.pour();
            }
            self.begin_slot();
        }
    }

    /// The present slot's events are put in order. The emptied buffer of the one before is kept for this
    /// place in the wheel unless it is large: else every place would keep what its busiest time took.
    fn begin_slot(&mut self) {
        let slot = &mut self.near[(self.slot % NEAR_SLOTS) as usize];
        self.near_len -= slot.len();
        std::mem::swap(&mut self.present, slot);
        if slot.capacity() > KEPT_EVENTS {
            *slot = Vec::new();
        }
        self.present.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Nothing is left in this turn of the near wheel: goes to the next turn in which something is.
    fn turn_to_next(&mut self) {
        let mut turn = self.turn() + 1;
        if self.far_len == 0 {
            if let Some(Reverse(first)) = self.distant.peek() {
                turn = turn.max(first.slot() / NEAR_SLOTS);
            }
        } else {
            while self.far[(turn % FAR_SLOTS) as usize].is_empty() {
                turn += 1;
            }
        }
        self.slot = turn * NEAR_SLOTS;
        self.pour();
        self.begin_slot();
    }

    /// A turn begins: what waits for it goes into the near wheel, and the far one takes from the heap.
    fn pour(&mut self) {
        let turn = self.turn();
        let waiting = std::mem::take(&mut self.far[(turn % FAR_SLOTS) as usize]);
        self.far_len -= waiting.len();
        for entry in waiting {
            self.near[(entry.slot() % NEAR_SLOTS) as usize].push(entry);
            self.near_len += 1;
        }
        let within = |first: &Entry<T>| first.slot() / NEAR_SLOTS < turn + FAR_SLOTS;
        while self.distant.peek().is_some_and(|Reverse(first)| within(first)) {
            let Some(Reverse(entry)) = self.distant.pop() else { return };
            let to = entry.slot() / NEAR_SLOTS;
            if to == turn {
                self.near[(entry.slot() % NEAR_SLOTS) as usize].push(entry);
                self.near_len += 1;
            } else {
                self.far[(to % FAR_SLOTS) as usize].push(entry);
                self.far_len += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;

    /// The time of a new event: soon, later, or far beyond both wheels.
    fn time(chance: &mut Chance, now: u64) -> u64 {
        let reach = [1, 2_000, 300_000, 20_000_000, 6_000_000_000, 30_000_000_000];
        now + chance.below(*chance.clone().pick(&reach).unwrap()) as u64
    }

    #[test]
    fn events_come_out_by_time_and_then_in_the_order_in_which_they_went_in() {
        for seed in 0..20 {
            let mut chance = Chance::of(seed, "queue");
            let mut queue = Queue::default();
            let mut model: BinaryHeap<Reverse<(u64, u64)>> = BinaryHeap::new();
            let mut now = 0;
            for number in 0..5_000 {
                let at = time(&mut chance, now);
                queue.push(at, number);
                model.push(Reverse((at, number)));
                assert_eq!(queue.len(), model.len());
                while chance.happens(0.45) && !model.is_empty() {
                    let Reverse(expected) = model.pop().unwrap();
                    assert_eq!(queue.next_at(), Some(expected.0));
                    assert_eq!(queue.pop(), Some(expected), "seed {seed}");
                    now = expected.0;
                }
            }
            while let Some(Reverse(expected)) = model.pop() {
                assert_eq!(queue.pop(), Some(expected), "seed {seed}");
            }
            assert!(queue.is_empty() && queue.pop().is_none());
        }
    }

    #[test]
    fn an_event_for_a_time_that_has_passed_comes_next() {
        let mut queue = Queue::default();
        queue.push(5_000_000, 'a');
        queue.push(9_000_000, 'c');
        assert_eq!(queue.pop(), Some((5_000_000, 'a')));
        queue.push(1_000, 'b');
        assert_eq!(queue.pop(), Some((1_000, 'b')));
        assert_eq!(queue.pop(), Some((9_000_000, 'c')));
    }
}
