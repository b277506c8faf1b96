//! The datagrams that a node wants sent after an input.
//!
//! The driver owns the outbox and drains it after each batch of inputs. Its buffers are kept, so
//! that once they have grown to a batch's size, answering allocates nothing.

use alloc::vec::Vec;

use wire::Endpoint;
use wire::limits::DATAGRAM_BYTES;

use crate::limits::{SEAL_BYTES, SEAL_HEAD_BYTES};

/// Bytes that a writer gets: a sealed datagram, too, must stay within the bound.
pub(crate) const WRITABLE_BYTES: usize = DATAGRAM_BYTES - SEAL_BYTES;

/// Datagrams with their destinations, in the order in which they came. Around each stays room for a
/// seal, which is thus put on in place.
#[derive(Default)]
pub struct Outbox {
    buffer: Vec<u8>,
    used: usize,
    slots: Vec<Slot>,
}

#[derive(Clone, Copy)]
struct Slot {
    to: Endpoint,
    start: u32,
    length: u16,
}

impl Outbox {
    /// Writes a datagram in place. `write` gets the free buffer and gives the length it used, or
    /// `None` to send nothing. Tells the length.
    #[inline]
    pub fn send(
        &mut self,
        to: Endpoint,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Option<usize> {
        if self.buffer.len() < self.used + DATAGRAM_BYTES {
            self.buffer.resize((self.used + DATAGRAM_BYTES).next_power_of_two(), 0);
        }
        let start = self.used + SEAL_HEAD_BYTES;
        let length = write(&mut self.buffer[start..start + WRITABLE_BYTES])?;
        self.used += length + SEAL_BYTES;
        // Both fit: a datagram is at most DATAGRAM_BYTES, and drivers drain far below 4 GiB.
        self.slots.push(Slot { to, start: start as u32, length: length as u16 });
        Some(length)
    }

    /// Widens the datagrams from the one of index `first` on by the room for their seals, and has
    /// each sealed.
    pub(crate) fn seal_from(&mut self, first: usize, mut seal: impl FnMut(&mut [u8])) {
        for slot in &mut self.slots[first..] {
            slot.start -= SEAL_HEAD_BYTES as u32;
            slot.length += SEAL_BYTES as u16;
            let start = slot.start as usize;
            seal(&mut self.buffer[start..start + usize::from(slot.length)]);
        }
    }

    /// The datagrams that wait.
    pub fn datagrams(&self) -> impl ExactSizeIterator<Item = (Endpoint, &[u8])> {
        self.slots.iter().map(|slot| {
            let start = slot.start as usize;
            (slot.to, &self.buffer[start..start + usize::from(slot.length)])
        })
    }

    /// Forgets the datagrams, once they are sent.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.used = 0;
    }

    /// How many datagrams wait.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}
