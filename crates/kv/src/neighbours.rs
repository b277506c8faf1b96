//! Whom the lookups of batches have heard, in the order of their ids, so that the next lookup near by
//! starts from those it would end with. Only who has answered is remembered: what others merely tell
//! of, each lookup finds out for itself.

use alloc::vec::Vec;

use node::{Instant, LookupResult};
use wire::{Contact, Family, NodeId, Point};

use crate::limits::{NEIGHBOUR_LIFE, NEIGHBOURS};

/// Contacts that answered lately.
#[derive(Default)]
pub(crate) struct Neighbours {
    /// Of each family, by id.
    families: [Vec<Heard>; 2],
}

#[derive(Clone, Copy)]
struct Heard {
    contact: Contact,
    at: Instant,
}

impl Neighbours {
    /// Takes in who answered a lookup, and drops who of the closest did not.
    pub fn learn(&mut self, result: &LookupResult, now: Instant) {
        for contact in &result.silent {
            let family = &mut self.families[contact.endpoint.family() as usize];
            if let Ok(place) = place(family, &contact.id)
                && family[place].contact == *contact
            {
                family.remove(place);
            }
        }
        for responder in &result.closest {
            self.heard(responder.contact, now);
        }
    }

    fn heard(&mut self, contact: Contact, now: Instant) {
        let family = &mut self.families[contact.endpoint.family() as usize];
        let heard = Heard { contact, at: now };
        match place(family, &contact.id) {
            Ok(place) => family[place] = heard,
            Err(_) if family.len() >= NEIGHBOURS => {
                forget_older_half(family);
                if let Err(place) = place(family, &contact.id) {
                    family.insert(place, heard);
                }
            }
            Err(place) => family.insert(place, heard),
        }
    }

    /// The closest to a place, as many of each family, in no order.
    pub fn closest(&self, target: &Point, wanted: usize, now: Instant) -> Vec<Contact> {
        let mut closest = Vec::with_capacity(wanted);
        for family in Family::ALL {
            let mut found = Vec::with_capacity(wanted);
            gather(&self.families[family as usize], 0, target, wanted, &mut found);
            let fresh = found.iter().filter(|heard| now.since(heard.at) < NEIGHBOUR_LIFE);
            closest.extend(fresh.map(|heard| heard.contact));
        }
        closest
    }
}

/// Where an id stands or would stand.
fn place(family: &[Heard], id: &NodeId) -> Result<usize, usize> {
    family.binary_search_by(|heard| heard.contact.id.cmp(id))
}

/// Half at a time, so that room costs little for each newcomer.
fn forget_older_half(family: &mut Vec<Heard>) {
    let mut times: Vec<Instant> = family.iter().map(|heard| heard.at).collect();
    let (_, median, _) = times.select_nth_unstable(family.len() / 2);
    let median = *median;
    family.retain(|heard| heard.at > median);
}

/// Adds the closest until there are enough. All in `among` agree with each other before `bit`, so
/// those that agree with the target there, too, are closer than all that do not.
fn gather(among: &[Heard], bit: usize, target: &Point, wanted: usize, found: &mut Vec<Heard>) {
    if among.len() <= wanted - found.len() {
        return found.extend(among);
    }
    let split = among.partition_point(|heard| !is_set(heard.contact.id.as_bytes(), bit));
    let (zeros, ones) = among.split_at(split);
    let (near, far) = if is_set(target.as_bytes(), bit) { (ones, zeros) } else { (zeros, ones) };
    gather(near, bit + 1, target, wanted, found);
    if found.len() < wanted {
        gather(far, bit + 1, target, wanted, found);
    }
}

fn is_set(bytes: &[u8], bit: usize) -> bool {
    bytes.get(bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use wire::Endpoint;

    fn contact(id: [u8; 20]) -> Contact {
        Contact { id: NodeId::new(id), endpoint: Endpoint::v4([10, id[0], id[1], id[2]], 8000) }
    }

    proptest! {
        #[test]
        fn the_closest_are_those_that_sorting_by_distance_gives(
            ids in prop::collection::vec(any::<[u8; 20]>(), 0..80),
            near in prop::collection::vec(any::<u8>(), 0..20),
            target in any::<[u8; 20]>(),
            wanted in 1_usize..24,
        ) {
            let (target, now) = (NodeId::new(target).point(), Instant::default());
            let mut neighbours = Neighbours::default();
            let mut all: BTreeSet<NodeId> = ids.into_iter().map(NodeId::new).collect();
            // Some that differ from the target in their last bits only.
            all.extend(near.into_iter().map(|last| {
                let mut id = *target.as_bytes();
                id[19] ^= last;
                NodeId::new(id)
            }));
            all.iter().for_each(|id| neighbours.heard(contact(*id.as_bytes()), now));
            let found: BTreeSet<NodeId> =
                neighbours.closest(&target, wanted, now).iter().map(|found| found.id).collect();
            let mut sorted: Vec<NodeId> = all.into_iter().collect();
            sorted.sort_by_key(|id| target.distance(&id.point()));
            prop_assert_eq!(found, sorted.into_iter().take(wanted).collect());
        }
    }

    #[test]
    fn beyond_the_bound_those_unheard_for_longest_go() {
        let mut neighbours = Neighbours::default();
        let at = |second: usize| Instant::default() + NEIGHBOUR_LIFE / 10_000 * second as u32;
        for number in 0..=NEIGHBOURS {
            let [.., high, low] = number.to_be_bytes();
            let mut id = [0; 20];
            (id[0], id[1]) = (low, high);
            neighbours.heard(contact(id), at(number));
        }
        let held = &neighbours.families[0];
        assert!(held.len() <= NEIGHBOURS && held.len() >= NEIGHBOURS / 2 - 1, "{}", held.len());
        assert!(held.iter().all(|heard| heard.at > at(NEIGHBOURS / 2 - 1)));
    }

    #[test]
    fn who_was_not_heard_for_long_is_not_asked() {
        let (mut neighbours, start) = (Neighbours::default(), Instant::default());
        neighbours.heard(contact([1; 20]), start);
        let target = NodeId::new([1; 20]).point();
        assert_eq!(neighbours.closest(&target, 8, start).len(), 1);
        assert_eq!(neighbours.closest(&target, 8, start + NEIGHBOUR_LIFE).len(), 0);
    }
}
