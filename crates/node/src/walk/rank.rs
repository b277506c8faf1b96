//! Where a candidate of a walk stands in the order of those to ask.

use wire::{Distance, Endpoint, NodeId, Point, secure_id};

/// Those that are closer come first. Where ids must follow from addresses (BEP 42), one that does not
/// comes after all that do: nobody can prove that it belongs where it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    made_up: bool,
    distance: Distance,
}

impl Rank {
    /// Of somebody whose id nobody knows.
    pub const LAST: Self = Self { made_up: true, distance: Distance::MAX };

    /// Of a contact, on a way to `target`; `strict`: ids must follow from addresses.
    pub fn of(target: &Point, strict: bool, id: &NodeId, endpoint: &Endpoint) -> Self {
        let made_up = strict && !secure_id::complies(id, endpoint);
        Self { made_up, distance: target.distance(&id.point()) }
    }
}
