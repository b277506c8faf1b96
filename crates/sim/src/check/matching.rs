//! `replies`: an answer counts only if it answers a question that is open, from the address that was
//! asked, and only once.

use super::Check;
use super::exchange::{Heard, Seen};
use crate::world::{Input, Violation};

/// Compares what a node counts as answered with the questions that are open.
pub struct Matching;

impl Check for Matching {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let Input::Datagram(from, _) = seen.input else { return };
        let counted = seen.kv.node().counters().replies - seen.before.replies;
        let allowed = u64::from(matches!(seen.heard, Heard::Answer(..)));
        if counted > allowed {
            let what = format!(
                "{counted} answers were counted where a datagram from `{from}` answers {allowed} \
                 open questions"
            );
            found.push(seen.moment.violates("replies", what));
        }
    }
}
