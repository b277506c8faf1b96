//! Contacts for a node that were not won by datagrams: a simulation of a large network need not
//! play the hours in which tables fill before what it is about can begin.

use core::time::Duration;

use wire::Contact;

use crate::shelf::Admission;
use crate::state::Node;
use crate::time::Instant;

impl<A: Admission> Node<A> {
    /// Has a contact enter the table as if it had just answered a ping of ours after `round_trip`,
    /// under our network's tag: by the same code and the same rules as any that answers, so that it
    /// may as well wait for a place, or be refused. Nothing else takes note: no event comes of it,
    /// and the node does not count as joined.
    ///
    /// For tests and simulations only. On a real network nothing may enter that did not answer.
    #[doc(hidden)]
    pub fn acquaint(&mut self, contact: Contact, round_trip: Duration, now: Instant) {
        let ours = self.config.network.tag().is_some();
        let table = &mut self.tables[contact.endpoint.family() as usize];
        table.answered(contact, round_trip, ours, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Network};
    use crate::limits::{FIRST_BUCKETS, REPLACEMENTS};
    use crate::shelf::Mainline;
    use crate::time::Now;
    use wire::{Endpoint, Family, NodeId};

    const ROUND_TRIP: Duration = Duration::from_millis(20);

    fn node(network: Network) -> Node<Mainline> {
        let config = Config { network, id: Some(NodeId::new([0; 20])), ..Config::default() };
        Node::new(config, Mainline, [1; 32], Now::default())
    }

    fn contact(number: u8, ip: [u8; 4]) -> Contact {
        let mut id = [0xff; 20];
        id[19] = number;
        Contact { id: NodeId::new(id), endpoint: Endpoint::v4(ip, 1) }
    }

    #[test]
    fn acquaintances_stand_in_the_table_like_any_contact_that_answered() {
        let (mut node, now) = (node(Network::named("lab")), Now::default().monotonic);
        let most = (FIRST_BUCKETS[0] + REPLACEMENTS) as u8;
        for number in 0..=most {
            node.acquaint(contact(number, [10, 0, 0, number]), ROUND_TRIP, now);
        }
        node.check_invariant();
        let table = node.table(Family::V4);
        assert_eq!(table.len(), FIRST_BUCKETS[0], "the rest waits, or is too many");
        let known = table.get(&contact(0, [10, 0, 0, 0]).id).unwrap();
        assert_eq!(
            (known.round_trip(), known.is_ours(), known.is_good()),
            (ROUND_TRIP, true, true)
        );
        assert!(node.next_event().is_none());
    }

    #[test]
    fn the_rules_of_the_table_hold_for_acquaintances() {
        let now = Now::default().monotonic;
        let mut public = node(Network::Public);
        public.acquaint(contact(1, [10, 0, 0, 1]), ROUND_TRIP, now);
        assert!(public.table(Family::V4).is_empty(), "a private address has no place in Mainline");
        (1..=9).for_each(|last| public.acquaint(contact(last, [8, 8, 8, last]), ROUND_TRIP, now));
        assert_eq!(public.table(Family::V4).len(), crate::limits::PER_PREFIX_IN_BUCKET);
    }
}
