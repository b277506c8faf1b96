//! What users were told must fit what they did. One check, one file.
//!
//! What `docs/records.md` promises is that two majorities of the same replicas meet. Who the replicas are
//! is what each asker knows. So a read that begins after a write or another read has ended must not give
//! less, as long as everybody knows the same nodes: nobody came or went, and everything that was
//! said arrived, from the beginning of the one to the end of the other and for a while before. Where that
//! does not hold, reads that gave less are counted and not judged.

mod invented;
mod order;
mod swaps;
#[cfg(test)]
mod tests;

use core::time::Duration;

use node::Instant;

use super::Trouble;
use crate::history::History;
use crate::world::Violation;

/// What is known of a run beside its history.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'c> {
    /// When something was going on.
    pub trouble: &'c Trouble,
    /// How far clocks are off at most.
    pub clock_slack: Duration,
    /// Somebody who means harm may write under users' keys, where everybody may.
    pub attacked: bool,
}

/// How much of a history was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Reads by a quorum that were compared with what was stored or read before.
    pub reads: u64,
    /// Of all others, those that came while something was going on, or right after it.
    pub reads_in_trouble: u64,
    /// Of these, those that gave less than what was stored or read before.
    pub stale_in_trouble: u64,
    /// Reads that too few answered, while nothing was going on.
    pub unanswered: u64,
    /// Values that were read, each with its version, and compared with what was written.
    pub values: u64,
    /// Swaps of which a user was told that they won.
    pub swaps: u64,
    /// Swaps that won beside another one, while something was going on.
    pub swaps_beside: u64,
    /// Swaps that may or may not have happened.
    pub undetermined: u64,
}

/// Judges a history.
pub fn judge(
    history: &History,
    circumstances: &Circumstances<'_>,
    found: &mut Vec<Violation>,
) -> Judged {
    let mut judged = Judged::default();
    invented::judge(history, circumstances, &mut judged, found);
    order::judge(history, circumstances, &mut judged, found);
    swaps::judge(history, circumstances, &mut judged, found);
    judged
}

/// A time of the world, for people.
fn at(time: Instant) -> String {
    crate::plan::span(time.since(Instant::default()))
}
