//! `replies`: an answer counts only if it answers a question that is open, from the address that was
//! asked, and only once; and each question ends once, by an answer or by being given up.

use super::exchange::{Heard, Seen, What};
use super::{Check, PerMachine};
use crate::world::{Input, Violation};

/// Compares what a node counts as answered with the questions that are open.
#[derive(Default)]
pub struct Matching(PerMachine<State>);

#[derive(Default)]
struct State {
    asked: u64,
    /// Questions that had ended when the life began.
    before: u64,
}

impl Check for Matching {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let state = self.0.at(seen.moment.machine);
        let node = seen.kv.node();
        let counters = node.counters();
        let ended = counters.replies + counters.timeouts;
        if matches!(seen.input, Input::Start(_)) {
            *state = State { asked: node.loads().pending as u64, before: ended };
        }
        let new = |what: &What<'_>| matches!(what, What::Query(_, _, None));
        state.asked += seen.said.iter().filter(|said| new(&said.what)).count() as u64;
        if matches!(seen.input, Input::Tick) {
            let ended = ended - state.before;
            // What waits for its pace is given up at its time, too, though nobody has seen it yet.
            let most = state.asked + node.loads().paced as u64;
            if ended > most {
                let what = format!("{ended} questions were answered or given up, of {most} asked");
                found.push(seen.moment.violates("replies", what));
            }
        }
        let Input::Datagram(from, _) = seen.input else { return };
        let counted = counters.replies - seen.before.replies;
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
