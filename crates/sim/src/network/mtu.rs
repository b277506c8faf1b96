//! Large datagrams vanish: their fragments are dropped, and nobody tells the sender.

use super::lot::Paths;
use super::{Condition, Copy, Way};
use crate::chance::Chance;

/// A black hole for large datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Mtu {
    /// On which ways.
    pub paths: Paths,
    /// The most bytes that a datagram may carry, without the headers of IP and UDP.
    pub bytes: usize,
}

impl Condition for Mtu {
    fn change(&mut self, way: &Way, sent: &[u8], copies: &mut Vec<Copy>, _: &mut Chance) {
        if self.paths.has(way) {
            let fits =
                |copy: &Copy| copy.spoiled.as_ref().map_or(sent.len(), Vec::len) <= self.bytes;
            copies.retain(fits);
        }
    }
}
