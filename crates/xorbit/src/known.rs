//! A contact in a node's tables, and how it is.

use std::time::Duration;

use node::Instant;
use node::table::Entry;
use wire::Contact;

/// A contact in the tables of a node.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Who, and where.
    pub contact: Contact,
    /// The last measured round trip, in whole milliseconds; of more than four seconds, four.
    pub round_trip: Duration,
    /// Questions in a row that it did not answer; 0: it is well.
    pub failures: u8,
    /// How long ago it last gave a sign, in whole seconds.
    pub quiet: Duration,
    /// It is Xorbit, too.
    pub is_xorbit: bool,
}

impl Known {
    pub(crate) fn at(entry: &Entry, now: Instant) -> Self {
        Self {
            contact: entry.contact(),
            round_trip: entry.round_trip(),
            failures: entry.failures(),
            quiet: now.since(entry.last_heard()),
            is_xorbit: entry.is_xorbit(),
        }
    }
}
