//! What a node holds for others: items (BEP 44) and peers of topics (BEP 5).
//!
//! The shelf knows bytes, versions and leases. What a value means, and so whether it may be held and
//! for how long, is told by an [`Admission`].

mod items;
mod peers;

pub use items::{Admission, Items, Lease, Mainline, Refused, ShelfLimits};
pub use peers::Peers;
