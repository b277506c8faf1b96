//! At rest each key is read, and gives the newest of which a user was told that it is stored, or what was
//! written later. What was overwritten, deleted or has ended does not come back.

use kv::{Consistency, Version};
use node::Instant;

use super::Wrong;
use crate::check::standing::{Fate, Standing, clock_slack, may_be_gone};
use crate::history::{Asked, Operation, Told};
use crate::oracle::Oracle;
use crate::run::Run;
use crate::workload::keys::{LARGE, SWAPS};
use crate::world::{Machine, MachineId, World};

/// What is wrong with the reads since a time.
pub(super) fn wrong(run: &mut Run, since: Instant) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let reads = run.workload.history.operations.iter();
    for read in reads.filter(|read| read.begun >= since && !read.asked.writes()) {
        match judge(run, read) {
            Ok(Verdict::Stands) => run.numbers.standing += 1,
            Ok(Verdict::Ended) => run.numbers.ended += 1,
            Ok(Verdict::Lost) => run.numbers.lost += 1,
            Err(what) => {
                let what = format!("key {}: {what}", read.key);
                wrong.push(("values", Some(read.machine), what));
            }
        }
    }
    wrong
}

enum Verdict {
    Stands,
    Ended,
    Lost,
}

fn judge(run: &Run, read: &Operation) -> Result<Verdict, String> {
    let history = &run.workload.history;
    let told = read.ended.map_or(Told::Cut, |(_, told)| told);
    let standing = Standing::of(history, read.key);
    let large = (LARGE..LARGE + SWAPS).contains(&read.key);
    match told {
        Told::Found(..) | Told::Absent(_) | Told::Garbled(_) => {}
        Told::Unsure if large && chunks_may_be_lost(&run.world, history.of_key(read.key)) => {
            return Ok(Verdict::Lost);
        }
        Told::Unsure if holders_out_of_reach(run, read, large) => return Ok(Verdict::Lost),
        other => return Err(format!("a read at rest ended with {other:?}")),
    }
    let Some(standing) = standing else { return Ok(Verdict::Ended) };
    let due = standing.version;
    match (standing.fate(&run.world), told) {
        (Fate::Stands, Told::Found(_, version)) if version < due => {
            Err(format!("version {version} was read, though version {due} is stored"))
        }
        (Fate::Stands, Told::Absent(_)) if standing.has_value() && !is_gone(run, read, due) => {
            Err(format!("nothing was read, though version {due} is stored"))
        }
        (Fate::Stands, _) => Ok(Verdict::Stands),
        (Fate::Ended, Told::Found(_, version))
            if version < due && remembered(run, read, &standing) =>
        {
            Err(format!("version {version} came back after version {due} ended"))
        }
        (Fate::Ended, _) => Ok(Verdict::Ended),
        (Fate::Lost, _) => Ok(Verdict::Lost),
    }
}

fn is_gone(run: &Run, read: &Operation, version: Version) -> bool {
    let slack = clock_slack(&run.world);
    may_be_gone(&run.workload.history, read.key, version, run.world.now(), slack)
}

/// Whether most of those who stored a version still know that they did, and are heard by who reads: then
/// nothing older is believed.
fn remembered(run: &Run, read: &Operation, standing: &Standing<'_>) -> bool {
    let oracle = Oracle::of(&run.world);
    let reader = &run.world.machines[read.machine.index()];
    let heard: Vec<MachineId> = oracle
        .within_reach_of(reader)
        .iter()
        .filter(|node| node.by_all || node.machine == read.machine)
        .map(|node| node.machine)
        .collect();
    let kept = standing.kept(&run.world).filter(|id| heard.contains(id)).count();
    kept > run.plan.replicas / 2
}

/// Whether most of the closest to what is read hold nothing or are behind boxes, which not everybody gets
/// through; of chunks nobody knows here where they lie.
fn holders_out_of_reach(run: &Run, read: &Operation, large: bool) -> bool {
    let all = matches!(read.asked, Asked::Get(Consistency::All));
    match large {
        true => some_out_of_reach(&run.world, &Oracle::of(&run.world)),
        false => out_of_reach(run, read.machine, read.key, all),
    }
}

/// Whether too many of the closest to a key hold nothing or are behind boxes for a machine to be sure of
/// most of them, or of all.
pub(super) fn out_of_reach(run: &Run, machine: MachineId, key: u32, all: bool) -> bool {
    let oracle = Oracle::of(&run.world);
    if !some_out_of_reach(&run.world, &oracle) {
        return false;
    }
    let (namespace, key) = run.workload.keys.place(key);
    let place = namespace.target(&key).point();
    let (reached, closest) = oracle.reached(machine, &run.world, &place);
    reached < if all { closest } else { closest / 2 + 1 }
}

fn some_out_of_reach(world: &World, oracle: &Oracle) -> bool {
    !world.nats().is_empty() || oracle.has_bystanders()
}

/// Each chunk was stored by a majority: it may be lost once so many machines have lost something, and one
/// attacker can have been all of them.
fn chunks_may_be_lost<'h>(world: &World, operations: impl Iterator<Item = &'h Operation>) -> bool {
    let written = operations.filter(|operation| operation.asked.writes());
    let Some(since) = written.map(|operation| operation.begun).min() else { return true };
    let replicas = world.machines.first().map_or(1, |machine| machine.config.replicas);
    let lost = world.machines.iter().filter(|machine| !machine.kept_all_since(since)).count();
    let attacked = world.machines.iter().any(Machine::is_attacker);
    attacked || lost > replicas.min(world.machines.len()) / 2
}
