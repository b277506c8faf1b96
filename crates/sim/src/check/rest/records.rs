//! Every record that somebody keeps lies on the nodes closest to it, in its highest version.
//!
//! Looked at is all that is kept to its end on any living node: records, tombstones, chunks. Excused is
//! what ends within minutes, what is newer than some clock may take, and what somebody remembers to have
//! been replaced by what has ended.

use core::time::Duration;

use node::UnixMillis;
use wire::{Seq, Target};

use super::Wrong;
use crate::check::standing::{clock_slack, true_wall};
use crate::oracle::{Oracle, Reachable};
use crate::world::{MachineId, World};

/// What ends sooner need not be handed over any more.
const ALMOST: Duration = Duration::from_secs(300);

/// Holders refuse versions further ahead of their clocks.
const AHEAD: Duration = Duration::from_secs(3600);

/// The first record that does not lie where it belongs.
pub(super) fn wrong(world: &World, oracle: &Oracle) -> Option<Wrong> {
    let slack = clock_slack(world);
    let wall = true_wall(world);
    let ends_after = wall + slack + ALMOST;
    let newest = (wall + AHEAD).0.saturating_sub(slack.as_millis() as u64);
    kept(world, ends_after).iter().find_map(|target| {
        let (seq, at) = highest(world, target, ends_after)?;
        if seq.is_some_and(|seq| seq.get().unsigned_abs() / 1000 > newest) {
            return None;
        }
        let machine = &world.machines[at.index()];
        let replicas = machine.config.replicas;
        let closest = oracle.holders(machine, &target.point(), replicas);
        // Who is not reached by all stands in nobody's way by not holding it.
        let lacks = |node: &&Reachable| {
            node.by_all && !holds(world, node.machine, target, seq, wall)
        };
        let first = closest.iter().find(lacks)?;
        let lacking = closest.iter().filter(lacks).count();
        let version = seq.map_or(String::new(), |seq| format!(" in version {}", seq.get()));
        let what = format!(
            "{lacking} of the {} nodes closest to record `{target}` do not hold it{version}, this one \
             first; machine {} does",
            closest.len(),
            at.0
        );
        Some(("records", Some(first.machine), what))
    })
}

/// All that is kept to its end by anybody, in order, but for what has come to that end, or is about to.
fn kept(world: &World, ends_after: UnixMillis) -> Vec<Target> {
    let nodes = world.living().filter_map(|id| Some(world.machines[id.index()].kv()?.node()));
    let mut kept: Vec<Target> = nodes
        .flat_map(|node| {
            let lasts =
                |target: &Target| node.shelved(target).is_some_and(|it| it.until > ends_after);
            node.kept_targets().into_iter().filter(lasts)
        })
        .collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

/// The highest version under a target, and who holds it; `None` if that has ended, or is about to.
fn highest(
    world: &World,
    target: &Target,
    ends_after: UnixMillis,
) -> Option<(Option<Seq>, MachineId)> {
    let shelved = world.living().filter_map(|id| {
        let shelved = world.machines[id.index()].kv()?.node().shelved(target)?;
        let remembered = shelved.marker_until > true_wall(world);
        (shelved.is_item || remembered).then_some((shelved, id))
    });
    // Of one version the item counts and not the memory of it, and the longest lease.
    let (highest, at) = shelved.max_by_key(|(it, _)| (it.seq, it.is_item, it.until))?;
    (highest.is_item && highest.until > ends_after).then_some((highest.seq, at))
}

fn holds(
    world: &World,
    machine: MachineId,
    target: &Target,
    seq: Option<Seq>,
    wall: UnixMillis,
) -> bool {
    let kv = world.machines[machine.index()].kv();
    let shelved = kv.and_then(|kv| kv.node().shelved(target));
    shelved.is_some_and(|it| it.is_item && it.seq >= seq && it.until > wall)
}
