//! What a node holds for others: items (BEP 44), peers of topics (BEP 5) and members of sets.
//!
//! The shelf knows bytes, versions and leases. What a value means, and so whether it may be held and
//! for how long, is told by an [`Admission`].

mod admission;
mod calendar;
mod items;
mod known;
mod listed;
mod members;
mod peers;
pub mod persisted;
pub mod persisted_member;
pub mod persisted_peer;
mod room;
mod sources;
mod staged;
mod upkeep;

pub use admission::{Admission, Lease, Mainline, Refused, ShelfLimits};
pub use items::{Items, Offered, Taken};
pub use listed::Listed;
pub use members::Members;
pub use peers::Peers;
pub use persisted::ITEM_SPACE;
pub use persisted_member::MEMBER_SPACE;
pub use persisted_peer::PEER_SPACE;
pub use sources::{Source, Way};
pub use upkeep::Verdict;
