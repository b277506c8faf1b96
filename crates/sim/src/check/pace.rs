//! `pace`: no globally addressed stranger sees more questions than docs/protocol.md ("Budgets") says: 5
//! at once, then one each 500 ms. Members of the node's own network are exempt, and who says that it is
//! Xorbit.

use core::time::Duration;

use hashbrown::{HashMap, HashSet};
use node::Instant;
use wire::Scope;

use super::exchange::{Answer, Heard, Seen, What};
use super::{Check, PerMachine};
use crate::world::{Input, Violation};

/// Questions at once, and how long each weighs.
const BURST: u32 = 5;
const EACH: Duration = Duration::from_millis(500);

/// Late timers send two together that were meant to be apart.
const TOLERANCE: u32 = 3;

/// A machine that was paused sends all at once whose time has come meanwhile.
const CATCHES_UP: Duration = Duration::from_secs(120);

/// Addresses that are remembered.
const REMEMBERED: usize = 1 << 16;

/// Counts questions to strangers.
#[derive(Default)]
pub struct Pace(PerMachine<State>);

#[derive(Default)]
struct State {
    /// Addresses that answered as members of our network, or as Xorbit.
    exempt: HashSet<Vec<u8>, foldhash::fast::FixedState>,
    /// When all questions to an address will have lost their weight.
    light_at: HashMap<Vec<u8>, Instant, foldhash::fast::FixedState>,
}

impl Check for Pace {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let state = self.0.at(seen.moment.machine);
        if matches!(seen.input, Input::Start(_)) {
            *state = State::default();
        }
        let own = seen.kv.node().network().tag();
        if let Heard::Answer(from, _, Answer::Reply(_, kin, _)) = seen.heard
            && from.scope() == Scope::Global
            && (kin.is_xorbit || kin.network.is_some_and(|tag| Some(tag) == own))
        {
            state.exempt.insert(from.ip_bytes().to_vec());
        }
        let now = seen.local.monotonic;
        let awake = seen.moment.at >= seen.machine.paused_until + CATCHES_UP;
        for said in seen.said {
            let asks = matches!(said.what, What::Query(..));
            if !asks || said.to.scope() != Scope::Global {
                continue;
            }
            let address = said.to.ip_bytes();
            if state.exempt.contains(address) {
                continue;
            }
            let light_at = state.light_at.entry(address.to_vec()).or_default();
            *light_at = (*light_at).max(now) + EACH;
            let weight = light_at.since(now);
            if awake && weight > EACH * (BURST + TOLERANCE) {
                let questions = weight.as_millis() / EACH.as_millis();
                let what =
                    format!("the pace of `{}` is exceeded by {questions} questions", said.to);
                found.push(seen.moment.violates("pace", what));
            }
        }
        if state.light_at.len() > REMEMBERED {
            state.light_at.retain(|_, light_at| *light_at > now);
        }
    }
}
