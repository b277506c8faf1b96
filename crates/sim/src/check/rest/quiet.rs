//! At rest a network before long says about as much as it said before anything went wrong.

use core::time::Duration;
use std::collections::BTreeSet;

use super::Wrong;
use crate::oracle::Oracle;
use crate::run::Run;
use crate::workload::desk::nodes;
use crate::world::{MachineId, World};

/// Upkeep, and looks for those who were lost, may go on for so long after the network has healed.
const RETURNS: Duration = Duration::from_secs(90 * 60);

/// For how long it is measured.
pub const MEASURED: Duration = Duration::from_secs(300);

/// How many times as much may be said at rest as before: by then there are records to look after.
const FACTOR: f64 = 3.0;

/// So much more may be said whatever it was before, in datagrams a node and second.
const AND: f64 = 0.3;

/// What two lookups of an item say, which each hour are due where somebody answers who understands no offers:
/// mostly one holder works for all.
const AN_ITEM_AND_HOUR: f64 = 60.0;

/// What nodes say, in the mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// Datagrams a node and second.
    pub datagrams: f64,
    /// Bytes a node and second.
    pub bytes: f64,
}

/// Lets time pass, and measures what nodes say that live through it.
pub fn measure(run: &mut Run, span: Duration) -> Rate {
    let before = said(&run.world);
    run.pass(run.world.now() + span, &mut |_| {});
    let after = said(&run.world);
    let (mut datagrams, mut bytes, mut count) = (0, 0, 0u32);
    for (id, life, was) in before {
        if let Some((.., is)) =
            after.iter().find(|(other, lives, _)| (*other, *lives) == (id, life))
        {
            datagrams += is.0 - was.0;
            bytes += is.1 - was.1;
            count += 1;
        }
    }
    let whole = f64::from(count.max(1)) * span.as_secs_f64();
    Rate { datagrams: datagrams as f64 / whole, bytes: bytes as f64 / whole }
}

/// What each node has said in its life: datagrams and bytes.
fn said(world: &World) -> Vec<(MachineId, u32, (u64, u64))> {
    let nodes = nodes(world).into_iter();
    nodes
        .filter_map(|id| {
            let machine = &world.machines[id.index()];
            let counters = machine.kv()?.node().counters();
            Some((id, machine.life, (counters.sent, counters.sent_bytes)))
        })
        .collect()
}

/// Whether more is said at rest than may be.
pub(super) fn is_too_much(before: Rate, at_rest: Rate, upkeep: f64) -> bool {
    at_rest.datagrams > FACTOR * before.datagrams + AND + upkeep
}

/// What it costs to look after all items by lookups, in datagrams a node and second; nothing where offers
/// do.
fn upkeep(world: &World) -> f64 {
    if !Oracle::of(world).has_bystanders() {
        return 0.0;
    }
    let living = nodes(world);
    let kept = living.iter().filter_map(|id| Some(world.machines[id.index()].kv()?.node()));
    let kept: BTreeSet<_> = kept.flat_map(|node| node.kept_targets()).collect();
    kept.len() as f64 * AN_ITEM_AND_HOUR / 3600.0 / living.len().max(1) as f64
}

/// Waits until about as much is said as before anything went wrong.
pub(super) fn wrong(run: &mut Run) -> Vec<Wrong> {
    let before = run.numbers.before;
    let until = run.world.now() + RETURNS;
    loop {
        let at_rest = measure(run, MEASURED);
        run.numbers.at_rest = at_rest;
        if !is_too_much(before, at_rest, upkeep(&run.world)) || !run.world.violations.is_empty() {
            run.numbers.quiet = Some(run.world.now().since(run.left_alone()));
            return Vec::new();
        }
        if run.world.now() >= until {
            let what = format!(
                "{:.2} datagrams a node and second at rest, {:.2} before anything went wrong",
                at_rest.datagrams, before.datagrams
            );
            return vec![("traffic", None, what)];
        }
    }
}
