//! `durable`: what a node with a disk acknowledged on the wire it holds after each restart, or
//! something newer, until its time is over. `kept`: what any node acknowledged stays on its shelf as
//! long as it lives, whatever its clock does meanwhile; and after a restart what upkeep kept to its end
//! is kept so again. Damage to the disk excuses from both.

use core::time::Duration;

use node::Instant;
use wire::Target;

use super::claims::Claims;
use super::exchange::{Seen, What};
use super::{Check, PerMachine};
use crate::world::{Input, Violation};

/// How often all that is owed is looked for in a node that runs.
const LOOKED_FOR_EVERY: Duration = Duration::from_secs(120);

/// How often while its clock was set lately.
const LOOKED_FOR_SOON: Duration = Duration::from_secs(10);

/// Fewer items than these may all be released between two looks.
const FEW: usize = 3;

/// Looks for what was acknowledged.
#[derive(Default)]
pub struct Durability(PerMachine<State>);

#[derive(Default)]
struct State {
    claims: Claims,
    looked: Instant,
    /// What was kept to its end when it was looked last.
    kept: Vec<Target>,
}

impl Check for Durability {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let state = self.0.at(seen.moment.machine);
        if matches!(seen.input, Input::Start(_)) {
            let disk = seen.machine.disk.as_ref();
            let whole = disk.is_some_and(|disk| !disk.is_damaged());
            state.claims.restart(whole, seen.walls);
            if whole {
                state.look_for_kept(seen, found);
            }
            state.look("durable", seen, found);
        }
        state.claims.look(seen);
        for said in seen.said {
            if let What::Reply(Some(owed), _) = &said.what
                && let (Some(put), false) = (&owed.put, owed.ambiguous)
            {
                state.claims.take(put);
            }
        }
        let every = if seen.walls.are_many() { LOOKED_FOR_SOON } else { LOOKED_FOR_EVERY };
        if matches!(seen.input, Input::Tick) && seen.moment.at.since(state.looked) >= every {
            state.look("kept", seen, found);
        }
    }
}

impl State {
    /// What came back from the disk is kept to its end as it was before: one or the other may have been
    /// released since it was looked, but not all.
    fn look_for_kept(&self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let node = seen.kv.node();
        let is_there = |target: &&Target| node.shelved(target).is_some_and(|it| it.is_item);
        let back: Vec<&Target> = self.kept.iter().filter(is_there).collect();
        let kept = node.kept_targets();
        if back.len() >= FEW && !back.iter().any(|target| kept.contains(target)) {
            let what = format!("none of {} items is kept to its end after a restart", back.len());
            found.push(seen.moment.violates("durable", what));
        }
    }

    fn look(&mut self, check: &'static str, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        self.looked = seen.moment.at;
        self.kept = seen.kv.node().kept_targets();
        let (node, latest) = (seen.kv.node(), self.claims.latest());
        let mut lost: Vec<Target> = self
            .claims
            .iter()
            .filter(|(target, claim)| !claim.is_kept_by(node.shelved(target).as_ref(), latest))
            .map(|(target, _)| *target)
            .collect();
        lost.sort_unstable();
        if let Some(target) = lost.first() {
            let Some(claim) = self.claims.of(target).copied() else { return };
            let (shelved, lost) = (node.shelved(target), lost.len());
            let what = format!(
                "{lost} acknowledged items are not held; of {target} {claim:?} was acknowledged and \
                 {shelved:?} is there at {latest:?}"
            );
            found.push(seen.moment.violates(check, what));
        }
        let ended = |lease: super::lease::Lease| lease.until.max(lease.remembered) <= latest;
        let over: Vec<Target> = self
            .claims
            .iter()
            .filter(|(_, claim)| ended(claim.lease))
            .map(|(target, _)| *target)
            .collect();
        over.iter().for_each(|target| self.claims.forget(target));
    }
}
