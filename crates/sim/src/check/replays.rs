//! `replays`: in a sealed network no datagram is heard twice. What comes again, byte for byte, is not
//! answered, and is no answer.

use hashbrown::HashSet;
use node::{Counters, Outbox};

use super::PerMachine;
use crate::world::{Input, Machine, Moment, Observer, Violation};

/// Datagrams that are remembered of a life.
const REMEMBERED: usize = 1 << 18;

/// Remembers what sealed nodes heard.
#[derive(Default)]
pub struct Replays(PerMachine<State>);

#[derive(Default)]
struct State {
    /// Datagrams that arrived in this life, by hash.
    arrived: HashSet<u64, foldhash::fast::FixedState>,
    again: bool,
    heard: u64,
}

impl Observer for Replays {
    fn before(&mut self, moment: Moment, machine: &mut Machine, input: &Input<'_>) {
        if machine.config.node.network_key.is_none() {
            return;
        }
        let state = self.0.at(moment.machine);
        state.again = false;
        match input {
            Input::Start(_) => state.arrived.clear(),
            Input::Datagram(_, bytes) => {
                if state.arrived.len() >= REMEMBERED {
                    state.arrived.clear();
                }
                let hash = xxhash_rust::xxh3::xxh3_64_with_seed(bytes, 0);
                state.again = !state.arrived.insert(hash);
            }
            _ => {}
        }
        state.heard = machine.kv().map_or(0, |kv| heard(kv.node().counters()));
    }

    fn after(
        &mut self,
        moment: Moment,
        machine: &mut Machine,
        input: &Input<'_>,
        _: &Outbox,
        found: &mut Vec<Violation>,
    ) {
        let Input::Datagram(from, _) = input else { return };
        if machine.config.node.network_key.is_none() {
            return;
        }
        let state = self.0.at(moment.machine);
        let Some(kv) = machine.kv().filter(|_| state.again) else { return };
        if heard(kv.node().counters()) > state.heard {
            let what = format!("what `{from}` sends is heard though the same was heard before");
            found.push(moment.violates("replays", what));
        }
    }
}

/// What was heard that said something: questions that were answered or refused, and answers.
fn heard(counters: &Counters) -> u64 {
    counters.answered.iter().sum::<u64>() + counters.refused + counters.replies
}
