//! What happened, in numbers.

use wire::Query;

/// What a query that was answered asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Method {
    /// `ping`.
    Ping,
    /// `find_node`.
    FindNode,
    /// `get_peers`.
    GetPeers,
    /// `announce_peer`.
    AnnouncePeer,
    /// `get`, those that wait included.
    Get,
    /// `put`.
    Put,
    /// `sample_infohashes`.
    SampleInfohashes,
    /// `offer`.
    Offer,
    /// Something that we do not know, or cannot read.
    Unknown,
    /// `add`.
    Add,
    /// `members`.
    Members,
    /// `offer_sets`.
    OfferSets,
    /// `offer_members`.
    OfferMembers,
}

impl Method {
    /// All methods, with their names for people and metrics.
    pub const ALL: [(Method, &'static str); 13] = [
        (Method::Ping, "ping"),
        (Method::FindNode, "find_node"),
        (Method::GetPeers, "get_peers"),
        (Method::AnnouncePeer, "announce_peer"),
        (Method::Get, "get"),
        (Method::Put, "put"),
        (Method::SampleInfohashes, "sample_infohashes"),
        (Method::Offer, "offer"),
        (Method::Unknown, "unknown"),
        (Method::Add, "add"),
        (Method::Members, "members"),
        (Method::OfferSets, "offer_sets"),
        (Method::OfferMembers, "offer_members"),
    ];

    /// That of a query.
    pub fn of(query: &Query<'_>) -> Self {
        match query {
            Query::Ping => Method::Ping,
            Query::FindNode { .. } => Method::FindNode,
            Query::GetPeers { .. } => Method::GetPeers,
            Query::AnnouncePeer { .. } => Method::AnnouncePeer,
            Query::Get { .. } | Query::WaitingGet { .. } => Method::Get,
            Query::Put { .. } => Method::Put,
            Query::SampleInfohashes { .. } => Method::SampleInfohashes,
            Query::Offer { .. } => Method::Offer,
            Query::Add { .. } => Method::Add,
            Query::Members { .. } => Method::Members,
            Query::OfferSets { .. } => Method::OfferSets,
            Query::OfferMembers { .. } => Method::OfferMembers,
            Query::Unknown => Method::Unknown,
        }
    }
}

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
    /// Queries answered, by [`Method`].
    pub answered: [u64; Method::ALL.len()],
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

    pub(crate) fn answer(&mut self, method: Method) {
        self.answered[method as usize] += 1;
    }

    /// How many queries of this method were answered.
    pub fn answered_to(&self, method: Method) -> u64 {
        self.answered[method as usize]
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
    fn every_reason_and_method_stands_at_its_own_place() {
        for (place, (reason, _)) in Drop::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, place);
        }
        for (place, (method, _)) in Method::ALL.iter().enumerate() {
            assert_eq!(*method as usize, place);
        }
    }
}
