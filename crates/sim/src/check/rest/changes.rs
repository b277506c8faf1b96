//! A network at rest takes what changes in its stride: who comes while no door answers is in it soon after
//! one does, who has just come finds what others find and writes where others write, everybody can
//! overwrite everything, and when somebody dies, tables and records are right again within the time that
//! the silence of a quiet contact takes.
//!
//! In half of all worlds, since what follows takes as long as all before.

use core::time::Duration;

use kv::{Change, Done, Expected, Key, Namespace, PutRequest, Request};
use wire::Point;

use super::{LOOKED_EVERY, Wrong, lookups, records, tables, values};
use crate::chance::Chance;
use crate::check::standing::clock_slack;
use crate::oracle::Oracle;
use crate::plan::population::Kind;
use crate::run::Run;
use crate::workload::desk::nodes;
use crate::world::MachineId;

/// No door answers for so long.
const SHUT: Duration = Duration::from_secs(90);

/// Joining is tried again each minute; then a round of upkeep follows, and a second look.
const AFTER_COMING: Duration = Duration::from_secs(25 * 60);

/// A node that comes back soon and empty is not missed: the next round of upkeep, an hour after the last,
/// finds what it lacks.
const AFTER_FORGETTING: Duration = Duration::from_secs(70 * 60);

/// Where nobody has gone for long a contact is quiet for an hour before it is asked; three silences later it
/// goes.
const AFTER_DYING: Duration = Duration::from_secs(80 * 60);

/// Who has just come has heard of the network by now.
const ARRIVES: Duration = Duration::from_secs(10);

/// Holders refuse versions further ahead of their clocks; clocks that far off are not judged.
const MOST_SLACK: Duration = Duration::from_secs(20 * 60);

/// Places that who has just come looks for, and machines that overwrite something.
const ASKED: u32 = 4;

/// Changes things, and tells what did not come right.
pub(super) fn wrong(run: &mut Run) -> Vec<Wrong> {
    let mut chance = Chance::of(run.plan.seed, "changes at rest");
    if chance.happens(0.5) {
        return Vec::new();
    }
    let mut wrong = overwritten(run, &mut chance);
    if wrong.is_empty() {
        wrong = newcomer(run, &mut chance);
    }
    if wrong.is_empty() && run.world.violations.is_empty() {
        wrong = shut_out(run);
    }
    if wrong.is_empty() && run.world.violations.is_empty() {
        wrong = death(run, &mut chance);
    }
    wrong
}

/// Everybody can overwrite everything.
fn overwritten(run: &mut Run, chance: &mut Chance) -> Vec<Wrong> {
    if clock_slack(&run.world) > MOST_SLACK {
        return Vec::new();
    }
    let mut machines = nodes(&run.world);
    chance.shuffle(&mut machines);
    machines.truncate(ASKED as usize);
    let requests: Vec<(MachineId, Request)> = machines
        .into_iter()
        .zip(1..)
        .filter(|(machine, key)| !values::out_of_reach(run, *machine, *key, false))
        .map(|(machine, key)| (machine, put(run.workload.keys.place(key))))
        .collect();
    let asked: Vec<MachineId> = requests.iter().map(|(machine, _)| *machine).collect();
    let answers = run.ask(requests);
    let fails = |answer: &Option<Done>| !matches!(answer, Some(Done::Put(Ok(_))));
    let failed = asked.into_iter().zip(answers).find(|(_, answer)| fails(answer));
    let wrong = failed.map(|(machine, answer)| {
        ("changes", Some(machine), format!("a put at rest ended with {answer:?}"))
    });
    wrong.into_iter().collect()
}

fn put((namespace, key): (Namespace, Key)) -> Request {
    let ttl = Duration::from_secs(24 * 3600);
    let value = b"at rest".as_slice().into();
    let change = Change::Put { value, content_type: None, ttl, plain: false };
    Request::Put(PutRequest { namespace, key, change, expected: Expected::Anything, trace: false })
}

/// Who has just come finds what others find, and writes where others write.
fn newcomer(run: &mut Run, chance: &mut Chance) -> Vec<Wrong> {
    if run.numbers.without_doors || run.plan.population.kind == Kind::Mainline {
        return Vec::new();
    }
    let machine = come(run);
    run.pass(run.world.now() + ARRIVES, &mut |_| {});
    let oracle = Oracle::of(&run.world);
    for _ in 0..ASKED {
        let to = Point::new(chance.bytes());
        let answer = run.ask(vec![(machine, Request::Lookup(to))]).pop().flatten();
        if let Some(wrong) = lookups::judge(run, &oracle, machine, &to, answer.as_ref()) {
            return vec![wrong];
        }
    }
    for number in 0..ASKED {
        let place = (Namespace::default(), crate::workload::name(u32::MAX - number));
        let Some(Some(Done::Put(Ok(report)))) = run.ask(vec![(machine, put(place))]).pop() else {
            continue;
        };
        let at = &run.world.machines[machine.index()];
        let to = report.target.point();
        let closest = oracle.within_reach_of(at).closest(&to, run.plan.replicas);
        let stored = |id| report.replicas.stored.iter().any(|replica| replica.id == id);
        let misses = |id| !stored(id) && Some(id) != at.kv().map(|kv| kv.node().id());
        if let Some(missed) = closest.iter().find(|node| node.by_all && misses(node.contact.id)) {
            let what = format!("a put to {to} left out `{}`", missed.contact.endpoint);
            return vec![("changes", Some(machine), what)];
        }
    }
    Vec::new()
}

/// Who comes while no door answers is in the network soon after one does.
fn shut_out(run: &mut Run) -> Vec<Wrong> {
    if run.numbers.without_doors || run.plan.population.kind == Kind::Mainline {
        return Vec::new();
    }
    let doors = run.world.doors.iter().filter_map(|door| Some(run.world.at(door)?.0));
    let mut doors: Vec<MachineId> = doors.collect();
    doors.sort();
    doors.dedup();
    doors.iter().for_each(|door| run.world.kill(*door));
    come(run);
    run.pass(run.world.now() + SHUT, &mut |_| {});
    for door in &doors {
        run.world.start(*door);
    }
    let forgot = doors.iter().any(|door| run.world.machines[door.index()].disk.is_none());
    let within = if forgot { AFTER_FORGETTING } else { AFTER_COMING };
    comes_right(run, within, "who came while no door answered")
}

/// When somebody dies, all is right again soon.
fn death(run: &mut Run, chance: &mut Chance) -> Vec<Wrong> {
    let doors = run.world.doors.iter().filter_map(|door| Some(run.world.at(door)?.0));
    let doors: Vec<MachineId> = doors.collect();
    let mut others = nodes(&run.world);
    others.retain(|machine| !doors.contains(machine));
    let Some(dies) = chance.pick(&others).copied() else { return Vec::new() };
    run.world.kill(dies);
    comes_right(run, AFTER_DYING, "a death")
}

fn come(run: &mut Run) -> MachineId {
    let machine = run.plan.population.add_machine(&mut run.world);
    run.world.start(machine);
    machine
}

/// Waits until tables and records are right, at most for so long.
fn comes_right(run: &mut Run, within: Duration, after: &str) -> Vec<Wrong> {
    let until = run.world.now() + within;
    loop {
        run.pass(run.world.now() + LOOKED_EVERY, &mut |_| {});
        let oracle = Oracle::of(&run.world);
        let wrong =
            tables::wrong(&run.world, &oracle).or_else(|| records::wrong(&run.world, &oracle));
        let Some((_, machine, what)) = wrong else { return Vec::new() };
        if !run.world.violations.is_empty() {
            return Vec::new();
        }
        if run.world.now() >= until {
            let minutes = within.as_secs() / 60;
            return vec![("changes", machine, format!("{minutes} min after {after}: {what}"))];
        }
    }
}
