//! `expiry`: nothing is served after its end, by the clock of the node that serves it. A clock that
//! was set is believed late, so what ends by each time that the node may believe is what counts.
//!
//! A member of a set is told for as long as any version of it that the node took is to be remembered:
//! whoever wrote the newest may have seen none of the others.

use hashbrown::HashMap;
use node::UnixMillis;
use wire::{Found, Query, Reply, UnverifiedMember};

use super::exchange::{Heard, Seen, What, hash_of};
use super::lease;
use super::{Check, PerMachine};
use crate::world::Violation;

/// Members whose ends are remembered of a machine, before those that have ended are forgotten.
const REMEMBERED: usize = 1 << 16;

/// Reads the end of what is served out of it.
#[derive(Default)]
pub struct Expiry(PerMachine<State>);

/// Until when members are to be remembered, by set, writer and item, as the versions say that came to a
/// machine or were written there.
#[derive(Default)]
struct State {
    ends: HashMap<u64, UnixMillis, foldhash::fast::FixedState>,
}

impl Check for Expiry {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let (state, now) = (self.0.at(seen.moment.machine), seen.walls.earliest());
        if let Heard::Query(_, message) = seen.heard
            && let Query::Add { member, target, .. } = message.query
        {
            state.note(target.as_bytes(), &member, now);
        }
        for said in seen.said {
            let over = match &said.what {
                What::Query(_, Query::Add { member, target, .. }, _) => {
                    state.note(target.as_bytes(), member, now);
                    None
                }
                What::Reply(_, Some(Reply::Item { found: Found::Item(item), .. })) => {
                    let times = lease::times(item.value).filter(|_| item.signed.is_some());
                    times.map(|(until, _)| ("an item", until))
                }
                What::Reply(Some(owed), Some(Reply::Members { members: Some(members), .. })) => {
                    let target = owed.target.filter(|_| !owed.ambiguous);
                    let end = |member| {
                        let end = state.end(target?.as_bytes(), &member);
                        // What was written here alone is known from what is told of it.
                        state.note(target?.as_bytes(), &member, now);
                        Some(end)
                    };
                    members.iter().filter_map(end).min().map(|until| ("a member", until))
                }
                _ => None,
            };
            if let Some((what, until)) = over.filter(|(_, until)| *until <= now) {
                let late = now.0 - until.0;
                let what = format!("`{}` is served {what} that ended {late} ms ago", said.to);
                found.push(seen.moment.violates("expiry", what));
            }
        }
    }
}

impl State {
    /// A version came to the machine, or was written there.
    fn note(&mut self, target: &[u8; 20], member: &UnverifiedMember<'_>, now: UnixMillis) {
        let end = self.end(target, member);
        self.ends.insert(place(target, member), end);
        if self.ends.len() > REMEMBERED {
            self.ends.retain(|_, end| *end > now);
        }
    }

    /// When a member must not be told any more.
    fn end(&self, target: &[u8; 20], member: &UnverifiedMember<'_>) -> UnixMillis {
        let known = self.ends.get(&place(target, member)).copied().unwrap_or_default();
        known.max(UnixMillis(member.saying.remembered_ms))
    }
}

fn place(target: &[u8; 20], member: &UnverifiedMember<'_>) -> u64 {
    hash_of(&[&target[..], &member.writer.as_bytes()[..], member.saying.item].concat())
}
