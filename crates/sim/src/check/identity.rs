//! `identity`: a node believes an external address only if three networks agree on it, or one voter on
//! the same machine or local network says so (docs/protocol.md, "Identity").

use std::net::IpAddr;

use hashbrown::HashSet;
use wire::{Endpoint, Family, Prefix, Scope};

use super::exchange::{Answer, Heard, Seen};
use super::{Check, PerMachine};
use crate::world::{Input, Violation};

/// Networks that must agree.
const VOTERS: usize = 3;

/// Words that are remembered.
const REMEMBERED: usize = 4096;

/// Counts who sees a node where.
#[derive(Default)]
pub struct Identity(PerMachine<State>);

#[derive(Default)]
struct State {
    /// Which network ever told of which address.
    votes: HashSet<(Prefix, IpAddr), foldhash::fast::FixedState>,
    /// Somebody on the same machine or local network said so.
    told_locally: Vec<IpAddr>,
    believed: [Option<Endpoint>; 2],
}

impl Check for Identity {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let state = self.0.at(seen.moment.machine);
        if matches!(seen.input, Input::Start(_)) {
            *state = State::default();
        }
        let Heard::Answer(from, _, Answer::Reply(_, _, Some(told))) = seen.heard else { return };
        match from.scope() {
            Scope::Global if state.votes.len() < REMEMBERED => {
                state.votes.insert((from.prefix(), told.ip()));
            }
            Scope::Private | Scope::Loopback if !state.told_locally.contains(&told.ip()) => {
                state.told_locally.truncate(REMEMBERED);
                state.told_locally.push(told.ip());
            }
            _ => {}
        }
        for family in Family::ALL {
            let believed = seen.kv.node().external(family);
            let before = std::mem::replace(&mut state.believed[family as usize], believed);
            let Some(now) = believed.filter(|_| believed != before) else { continue };
            let votes = state.votes.iter().filter(|(_, ip)| *ip == now.ip()).count();
            let full = state.votes.len() >= REMEMBERED;
            if votes < VOTERS && !full && !state.told_locally.contains(&now.ip()) {
                let what = format!("`{now}` is believed to be its address, which {votes} tell");
                found.push(seen.moment.violates("identity", what));
            }
        }
    }
}
