//! Contacts for a store's node that were not won by datagrams: for tests and simulations.

use core::time::Duration;

use node::Instant;
use wire::Contact;

use crate::state::Kv;

impl Kv {
    /// Has a contact enter the node's table as if it had just answered: [`node::Node::acquaint`].
    #[doc(hidden)]
    pub fn acquaint(&mut self, contact: Contact, round_trip: Duration, now: Instant) {
        self.node_mut().acquaint(contact, round_trip, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Simulations have a million stores in one process. What few of them need belongs in boxes.
    #[test]
    fn a_store_is_a_value_of_less_than_four_kilobytes() {
        assert!(size_of::<Kv>() < 4000, "{} bytes", size_of::<Kv>());
    }
}
