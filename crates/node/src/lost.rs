//! Contacts that fell silent and left the table. They may be cut off from us, not gone: now and then
//! one is asked for a sign of life, so that the halves of a divided network find together again
//! without anybody's help.

use alloc::collections::VecDeque;
use core::time::Duration;

use wire::{Contact, NodeId};

use crate::limits::{LOST, LOST_FOR};
use crate::time::Instant;

/// Lost contacts, those that were asked longest ago first.
#[derive(Default)]
pub(crate) struct Lost(VecDeque<(Contact, Instant)>);

impl Lost {
    /// Remembers a contact that was lost now, in place of the one asked longest ago if need be.
    pub fn add(&mut self, contact: Contact, now: Instant) {
        self.found(&contact.id);
        if self.0.len() >= LOST {
            self.0.pop_front();
        }
        self.0.push_back((contact, now));
    }

    /// The next one to ask; it is asked again after all others, until it was lost for too long.
    pub fn next(&mut self, now: Instant) -> Option<Contact> {
        self.0.retain(|(_, since)| now.since(*since) < LOST_FOR);
        let (contact, since) = self.0.pop_front()?;
        self.0.push_back((contact, since));
        Some(contact)
    }

    /// Forgets a contact that gave a sign of life; tells whether it was lost.
    pub fn found(&mut self, id: &NodeId) -> bool {
        let before = self.0.len();
        self.0.retain(|(contact, _)| contact.id != *id);
        self.0.len() < before
    }

    /// Whether nobody was lost.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A contact that comes back shows that more may: so soon we look for our neighbours.
pub(crate) const LOOK_AFTER: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Endpoint;

    #[test]
    fn lost_contacts_are_asked_in_turn_until_they_are_found_or_too_old() {
        let contact = |byte: u8| Contact {
            id: NodeId::new([byte; 20]),
            endpoint: Endpoint::v4([10, 0, 0, byte], 1),
        };
        let (mut lost, now) = (Lost::default(), Instant::default());
        for byte in 0..=LOST as u8 {
            lost.add(contact(byte), now);
        }
        assert_eq!(lost.next(now), Some(contact(1)), "the first made room");
        assert_eq!(lost.next(now), Some(contact(2)));
        assert!(lost.found(&contact(3).id) && !lost.found(&contact(3).id));
        assert_eq!(lost.next(now), Some(contact(4)));
        assert_eq!(lost.next(now + LOST_FOR), None);
        assert!(lost.is_empty());
    }
}
