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
pub(crate) struct Lost {
    contacts: VecDeque<(Contact, Instant)>,
    look_after: Duration,
    back_at: Instant,
}

impl Lost {
    /// Remembers a contact that was lost now, in place of the one asked longest ago if need be.
    pub fn add(&mut self, contact: Contact, now: Instant) {
        self.found(&contact.id);
        if self.contacts.len() >= LOST {
            self.contacts.pop_front();
        }
        self.contacts.push_back((contact, now));
    }

    /// The next one to ask; it is asked again after all others, until it was lost for too long.
    pub fn next(&mut self, now: Instant) -> Option<Contact> {
        self.contacts.retain(|(_, since)| now.since(*since) < LOST_FOR);
        let (contact, since) = self.contacts.pop_front()?;
        self.contacts.push_back((contact, since));
        Some(contact)
    }

    /// Forgets a contact that gave a sign of life; tells whether it was lost.
    pub fn found(&mut self, id: &NodeId) -> bool {
        let before = self.contacts.len();
        self.contacts.retain(|(contact, _)| contact.id != *id);
        self.contacts.len() < before
    }

    /// Somebody is back: so soon we look for our neighbours. Sooner after a quiet time than where
    /// datagrams get lost and contacts seem to go and come back all the time.
    pub fn look_after(&mut self, now: Instant) -> Duration {
        let quiet = now.since(self.back_at) >= 2 * LOOK_AFTER_MAX;
        self.back_at = now;
        self.look_after = match quiet || self.look_after.is_zero() {
            true => LOOK_AFTER,
            false => (2 * self.look_after).min(LOOK_AFTER_MAX),
        };
        self.look_after
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.contacts.len()
    }

    /// Whether nobody was lost.
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty()
    }
}

/// A contact that comes back shows that more may: so soon we look for our neighbours.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// Those that come back one after another make us look at most so often.
const LOOK_AFTER_MAX: Duration = Duration::from_secs(64);

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Endpoint;

    #[test]
    fn those_that_keep_coming_back_make_us_look_ever_less_often() {
        let (mut lost, at) = (Lost::default(), |s: u64| Instant::from_micros(s * 1_000_000));
        assert_eq!(lost.look_after(at(1)), LOOK_AFTER);
        assert_eq!(lost.look_after(at(2)), 2 * LOOK_AFTER);
        for _ in 0..10 {
            lost.look_after(at(3));
        }
        assert_eq!(lost.look_after(at(4)), LOOK_AFTER_MAX);
        assert_eq!(lost.look_after(at(4) + 2 * LOOK_AFTER_MAX), LOOK_AFTER);
    }

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
