//! What happened, in numbers.

/// Why a datagram was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Drop {
    /// Empty, or longer than a datagram may be.
    Length,
    /// From an address that nothing can be sent to.
    Martian,
    /// Not a message.
    Malformed,
    /// A reply to nothing we asked, or from another address than we asked.
    Unmatched,
    /// A query while we answer none.
    ReadOnly,
    /// A query from ourselves.
    Own,
    /// The answer would exceed what an unproven address may get.
    Unproven,
    /// The answer would exceed the pace for its address.
    Paced,
    /// The answer would exceed the cap on everything.
    Capped,
    /// The answer did not fit a datagram.
    Oversized,
    /// In a sealed network: not sealed, or with another key.
    Unsealed,
    /// In a sealed network: heard before, older than what we remember, our own, or stamped by a
    /// clock that differs from ours by more than [`SEAL_FRESH`](crate::limits::SEAL_FRESH).
    Replayed,
}

impl Drop {
    /// All reasons, with their names for people and metrics.
    pub const ALL: [(Drop, &'static str); 12] = [
        (Drop::Length, "length"),
        (Drop::Martian, "martian"),
        (Drop::Malformed, "malformed"),
        (Drop::Unmatched, "unmatched"),
        (Drop::ReadOnly, "read_only"),
        (Drop::Own, "own"),
        (Drop::Unproven, "unproven"),
        (Drop::Paced, "paced"),
        (Drop::Capped, "capped"),
        (Drop::Oversized, "oversized"),
        (Drop::Unsealed, "unsealed"),
        (Drop::Replayed, "replayed"),
    ];
}

/// Counters since the node started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams received.
    pub received: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Queries answered, by method: ping, find_node, get_peers, announce_peer, get, put,
    /// sample_infohashes, offer, unknown or malformed, add, members, offer_sets, offer_members.
    pub answered: [u64; 13],
    /// Of the gets, those that were let wait for a newer version.
    pub waits: u64,
    /// Queries refused with an error.
    pub refused: u64,
    /// Queries of ours that were answered.
    pub replies: u64,
    /// Queries of ours that nobody answered.
    pub timeouts: u64,
    /// Datagrams dropped, by [`Drop`].
    pub dropped: [u64; Drop::ALL.len()],
}

impl Counters {
    pub(crate) fn drop(&mut self, reason: Drop) {
        self.dropped[reason as usize] += 1;
    }

    /// How many datagrams were dropped for this reason.
    pub fn dropped_for(&self, reason: Drop) -> u64 {
        self.dropped[reason as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_stands_at_its_own_place() {
        for (place, (reason, _)) in Drop::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, place);
        }
    }
}
