//! `members`: of a member of a set no older version is told after a newer one, as long as that is to be
//! remembered.

use hashbrown::HashMap;
use node::UnixMillis;
use wire::{Reply, Seq};

use super::exchange::{Seen, What};
use super::{Check, PerMachine};
use crate::world::{Input, Violation};

/// Members that are remembered of a node.
const REMEMBERED: usize = 1 << 16;

/// Follows the versions of members that nodes tell.
#[derive(Default)]
pub struct Members(PerMachine<State>);

#[derive(Default)]
struct State {
    told: HashMap<u64, (Seq, UnixMillis), foldhash::fast::FixedState>,
    latest: UnixMillis,
}

impl Check for Members {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let state = self.0.at(seen.moment.machine);
        if matches!(seen.input, Input::Start(_)) {
            *state = State::default();
        }
        for said in seen.said {
            let What::Reply(Some(owed), Some(reply)) = &said.what else { continue };
            let (Some(target), Reply::Members { members: Some(members), .. }) =
                (owed.target.filter(|_| !owed.ambiguous), reply)
            else {
                continue;
            };
            state.latest = state.latest.max(seen.walls.latest());
            for member in members.iter() {
                let place = [target.as_bytes(), &member.writer.as_bytes()[..], member.saying.item];
                let place = super::exchange::hash_of(&place.concat());
                let (seq, until) = (member.saying.seq, UnixMillis(member.saying.remembered_ms));
                let before = state.told.insert(place, (seq, until));
                if let Some((newer, until)) = before
                    && newer > seq
                    && until > state.latest
                {
                    let what = format!(
                        "`{}` is told version {seq} of a member after version {newer}",
                        said.to
                    );
                    found.push(seen.moment.violates("members", what));
                }
            }
            if state.told.len() > REMEMBERED {
                state.told.clear();
            }
        }
    }
}
