//! `timers`: nothing is waited for beyond its time. A question is given up soon, an answer that was let
//! wait is given in time, and whatever is on its way waits for somebody.

use core::time::Duration;

use node::Instant;

use super::exchange::Seen;
use super::{Check, PerMachine};
use crate::world::{Input, Violation};

/// How often a node's questions are looked through.
const LOOKED_THROUGH_EVERY: Duration = Duration::from_secs(2);

/// A question is given up after 4 s at most (docs/protocol.md, "Lookups"), by a clock a tenth slow.
const PATIENCE: Duration = Duration::from_secs(6);

/// One that may wait 30 s before it is answered.
const LONG_PATIENCE: Duration = Duration::from_secs(40);

/// A machine that was paused has so long to catch up.
const CATCHES_UP: Duration = Duration::from_secs(5);

/// Looks for what should have ended.
#[derive(Default)]
pub struct Timers(PerMachine<Instant>);

impl Check for Timers {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let looked = self.0.at(seen.moment.machine);
        let now = seen.moment.at;
        let awake = now >= seen.machine.paused_until + CATCHES_UP;
        if now.since(*looked) < LOOKED_THROUGH_EVERY || !awake {
            return;
        }
        *looked = now;
        let node = seen.kv.node();
        let late = seen.open.iter().filter(|((transaction, to), asked)| {
            let patience = if asked.waits { LONG_PATIENCE } else { PATIENCE };
            now.since(asked.at) > patience && node.waits_for(*transaction, to)
        });
        let late = late
            .map(|((_, to), asked)| (asked.at, *to, asked.method))
            .min_by_key(|late| (late.0, late.1));
        if let Some((at, to, method)) = late {
            let age = now.since(at).as_secs();
            let what = format!("a {method:?} to `{to}` is waited for after {age} s");
            found.push(seen.moment.violates("timers", what));
        }
        let loads = node.loads();
        if loads.waits > 0 && seen.owes_all && !matches!(seen.input, Input::Datagram(..)) {
            let young = seen.ledger.waiting(seen.local, LONG_PATIENCE);
            if loads.waits > young {
                let what = format!("{} answers wait, {young} of them rightly", loads.waits);
                found.push(seen.moment.violates("timers", what));
            }
        }
        let waits_for_somebody = loads.pending + loads.paced + loads.acknowledgements > 0;
        if loads.lookups + loads.writes > 0 && !waits_for_somebody {
            let (lookups, writes) = (loads.lookups, loads.writes);
            let what = format!("{lookups} lookups and {writes} writes wait for nobody");
            found.push(seen.moment.violates("timers", what));
        }
    }
}
