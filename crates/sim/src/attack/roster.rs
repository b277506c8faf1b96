//! Who is where: contacts in the order of their ids, so that those closest to a place are found
//! quickly.

use hashbrown::HashMap;
use wire::{Contact, Endpoint, NodeId, Point};

/// Contacts, one of each address.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// By id.
    sorted: Vec<Contact>,
    ids: HashMap<Endpoint, NodeId, foldhash::fast::FixedState>,
}

impl Roster {
    /// The contacts, in the order of their ids.
    pub fn contacts(&self) -> &[Contact] {
        &self.sorted
    }

    /// Who is at an address.
    pub fn id_at(&self, endpoint: &Endpoint) -> Option<NodeId> {
        self.ids.get(endpoint).copied()
    }

    /// Whoever was at this address before is there no more.
    pub fn insert(&mut self, contact: Contact) {
        match self.ids.insert(contact.endpoint, contact.id) {
            Some(before) if before == contact.id => return,
            Some(before) => {
                let gone = Contact { id: before, endpoint: contact.endpoint };
                self.sorted.retain(|known| *known != gone);
            }
            None => {}
        }
        let place = self.sorted.partition_point(|known| known.id < contact.id);
        self.sorted.insert(place, contact);
    }

    /// The `count` contacts closest to a place, closest first.
    pub fn closest(&self, target: &Point, count: usize) -> Vec<Contact> {
        let mut range = &self.sorted[..];
        for bit in 0..160 {
            let bit_of = |bytes: &[u8; 20]| bytes[bit / 8] >> (7 - bit % 8) & 1;
            let ones = range.partition_point(|contact| bit_of(contact.id.as_bytes()) == 0);
            let (zeros, ones) = range.split_at(ones);
            let same = if bit_of(target.as_bytes()) == 0 { zeros } else { ones };
            if same.len() < count {
                break;
            }
            range = same;
        }
        let mut closest = range.to_vec();
        closest.sort_by_key(|contact| target.distance(&contact.id.point()));
        closest.truncate(count);
        closest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;

    #[test]
    fn the_closest_are_those_that_sorting_all_would_give() {
        let (mut chance, mut roster) = (Chance::of(1, "roster"), Roster::default());
        for host in 0..500u16 {
            let [a, b] = host.to_be_bytes();
            let endpoint = Endpoint::v4([10, 0, a, b], 1);
            roster.insert(Contact { id: NodeId::new(chance.bytes()), endpoint });
            if host % 7 == 0 {
                roster.insert(Contact { id: NodeId::new(chance.bytes()), endpoint });
            }
        }
        assert_eq!(roster.contacts().len(), 500);
        for count in [1, 8, 20, 499, 600] {
            let target = Point::new(chance.bytes());
            let mut all = roster.contacts().to_vec();
            all.sort_by_key(|contact| target.distance(&contact.id.point()));
            all.truncate(count);
            assert_eq!(roster.closest(&target, count), all);
        }
    }
}
