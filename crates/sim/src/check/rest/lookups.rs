//! Lookups from several nodes to several places find who is closest there.

use kv::{Done, Request};
use node::limits::K;
use wire::{Contact, Point};

use super::Wrong;
use crate::chance::Chance;
use crate::oracle::{Oracle, missed};
use crate::run::Run;
use crate::workload::desk::nodes;
use crate::world::MachineId;

/// So many nodes ask ...
const ASKERS: usize = 6;

/// ... for so many places each.
const PLACES: usize = 5;

/// Asks, and tells which answers are not right. Each node asks for its places one after another.
pub(super) fn wrong(run: &mut Run) -> Vec<Wrong> {
    let mut chance = Chance::of(run.plan.seed, "lookups at rest");
    let mut askers = nodes(&run.world);
    chance.shuffle(&mut askers);
    askers.truncate(ASKERS);
    let mut wrong = Vec::new();
    for _ in 0..PLACES {
        let places: Vec<(MachineId, Point)> =
            askers.iter().map(|asker| (*asker, Point::new(chance.bytes()))).collect();
        let requests = places.iter().map(|(asker, to)| (*asker, Request::Lookup(*to))).collect();
        let answers = run.ask(requests);
        let oracle = Oracle::of(&run.world);
        for ((asker, to), answer) in places.iter().zip(answers) {
            run.numbers.lookups += 1;
            wrong.extend(judge(run, &oracle, *asker, to, answer.as_ref()));
        }
    }
    wrong
}

pub(super) fn judge(
    run: &Run,
    oracle: &Oracle,
    asker: MachineId,
    to: &Point,
    answer: Option<&Done>,
) -> Option<Wrong> {
    let Some(Done::Lookup(report)) = answer else {
        return Some(("lookups", Some(asker), format!("a lookup of {to} ended with {answer:?}")));
    };
    let machine = &run.world.machines[asker.index()];
    let known = oracle.within_reach_of(machine);
    let mut found: Vec<Contact> = report.closest.iter().map(|one| one.contact).collect();
    // A lookup never names who asks.
    let own = machine.kv().and_then(|kv| known.get(&kv.node().id()));
    found.extend(own.map(|node| node.contact));
    let lives = |contact: &Contact| {
        let at = run.world.at(&contact.endpoint);
        at.is_some_and(|(id, _)| run.world.machines[id.index()].answers())
    };
    let missed = missed(known, to, K, &found, lives);
    (!missed.is_right()).then(|| {
        let nodes: Vec<String> =
            missed.nodes.iter().map(|node| node.contact.endpoint.to_string()).collect();
        let what = format!(
            "a lookup of {to} missed {} of the {K} closest nodes: {}",
            nodes.len(),
            nodes.join(", ")
        );
        ("lookups", Some(asker), what)
    })
}
