//! `lookups`: one asks no address the same question more than twice, the second time because it was
//! slow, sends no more questions than it may, and ends in time.
//!
//! Which lookup a question belongs to the node says; all else is seen on the wire.

use core::time::Duration;

use hashbrown::HashMap;
use node::limits::{LOOKUP_MESSAGES, LOOKUP_TIME};
use node::{Instant, Method, OperationId};
use wire::{Endpoint, Family};

use super::exchange::{Seen, What, lookup_of};
use super::{Check, PerMachine};
use crate::world::{Input, Violation};

/// Nothing more is sent for a lookup after so long: its time, and as long again for questions that
/// wait for their pace.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(90);

/// One that is slow is asked once more.
const TIMES: u8 = 2;

/// Follows the lookups.
#[derive(Default)]
pub struct Lookups(PerMachine<State>);

#[derive(Default)]
struct State {
    lookups: HashMap<OperationId, Lookup, foldhash::fast::FixedState>,
    swept: Instant,
}

struct Lookup {
    asked: HashMap<(Endpoint, usize), u8, foldhash::fast::FixedState>,
    sent: [usize; 2],
    at: Instant,
}

impl Check for Lookups {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let state = self.0.at(seen.moment.machine);
        if matches!(seen.input, Input::Start(_)) {
            *state = State::default();
        }
        let now = seen.moment.at;
        for said in seen.said {
            let What::Query(transaction, query, _) = said.what else { continue };
            let Some(operation) = lookup_of(seen.kv, transaction) else { continue };
            let new = || Lookup { asked: HashMap::default(), sent: [0; 2], at: now };
            let lookup = state.lookups.entry(operation).or_insert_with(new);
            let method = Method::of(&query);
            let times = lookup.asked.entry((said.to, method as usize)).or_default();
            *times = times.saturating_add(1);
            if *times > TIMES {
                let method = query.method();
                let what = format!("a lookup asks `{}` the same `{method}` {times} times", said.to);
                found.push(seen.moment.violates("lookups", what));
            }
            let sent = &mut lookup.sent[said.to.family() as usize];
            *sent += 1;
            if *sent > LOOKUP_MESSAGES {
                let family = Family::ALL[said.to.family() as usize];
                let what = format!(
                    "a lookup sends its {sent}th question in {family:?}, of {LOOKUP_MESSAGES}"
                );
                found.push(seen.moment.violates("lookups", what));
            }
        }
        if matches!(seen.input, Input::Tick) {
            late(seen, found);
            if now.since(state.swept) > FORGOTTEN_AFTER {
                state.swept = now;
                state.lookups.retain(|_, lookup| now.since(lookup.at) <= FORGOTTEN_AFTER);
            }
        }
    }
}

/// A lookup that should have ended.
fn late(seen: &Seen<'_>, found: &mut Vec<Violation>) {
    let oldest = seen.kv.node().loads().oldest_lookup;
    let ran = oldest.map(|began| seen.local.monotonic.since(began)).unwrap_or_default();
    if ran >= LOOKUP_TIME {
        let ran = ran.as_secs();
        let what = format!("a lookup is on its way after {ran} s, of {}", LOOKUP_TIME.as_secs());
        found.push(seen.moment.violates("lookups", what));
    }
}
