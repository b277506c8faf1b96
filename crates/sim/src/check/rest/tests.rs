//! Small worlds that hold, and what is broken in them afterwards.

use core::time::Duration;

use kv::{Done, Request, Version};
use node::{Instant, UnixMillis};
use wire::{NodeId, Point, Target};

use super::*;
use crate::check::rest::quiet::Rate;
use crate::history::{Asked, Operation, Told};
use crate::network::{Condition, ConditionId, Copy, Way};
use crate::plan::population::{Kind, Stack};
use crate::plan::{Plan, Wishes};
use crate::profile::Profile;

const MINUTE: Duration = Duration::from_secs(60);

/// A small world of a profile, without disks, in which datagrams can be read.
fn world(seed: u64, profile: &str) -> Run {
    let (nodes, span) = (Some(20), Some(6 * MINUTE));
    let profile = Profile::named(profile);
    let mut plan = Plan::draw(seed, &Wishes { nodes, span, profile, ..Wishes::default() });
    plan.population.kind = Kind::Private;
    plan.population.stack = Stack::V4;
    plan.population.sealed = false;
    plan.population.disks = 0.0;
    plan.requests_per_s = 2.0;
    Run::new(plan)
}

/// One that has lived and holds.
fn healthy(seed: u64) -> Run {
    let mut run = world(seed, "calm");
    let verdict = run.go(&mut |_| {});
    assert_eq!(verdict.violations, []);
    run
}

#[test]
fn worlds_in_calm_and_in_lossy_weather_hold_and_enough_is_judged_in_them() {
    for (seed, profile) in [(1, "calm"), (2, "calm"), (3, "weather"), (4, "weather")] {
        let verdict = world(seed, profile).go(&mut |_| {});
        assert_eq!(verdict.violations, [], "seed {seed}");
        let Numbers { lookups, standing, healed, history, before, .. } = verdict.numbers;
        assert!(lookups == 30 && standing > 5 && healed.is_some(), "seed {seed}");
        assert!(history.values > 20 && before.datagrams > 0.01, "seed {seed}: {history:?}");
        let in_calm = profile == "calm";
        assert!(!in_calm || history.reads > 50 && history.reads_in_trouble == 0, "{history:?}");
    }
}

#[test]
fn a_node_that_knows_nobody_is_seen() {
    let mut run = healthy(1);
    let lonely = run.plan.population.add_machine(&mut run.world);
    run.world.doors.clear();
    run.world.start(lonely);
    let wrong = tables::wrong(&run.world, &Oracle::of(&run.world));
    let (check, _, what) = wrong.expect("it knows nobody, and nobody knows it");
    assert!(check == "neighbours" && what.contains("does not know"), "{what}");
}

/// Loses what one node of a healthy world holds: its target, and the node that should hold it.
fn loses(run: &mut Run) -> (Target, MachineId) {
    let oracle = Oracle::of(&run.world);
    let living: Vec<MachineId> = run.world.living().collect();
    let target = living.iter().find_map(|id| {
        let kv = run.world.machines[id.index()].kv()?;
        kv.node().kept_targets().first().copied()
    });
    let target = target.expect("something is kept");
    let holder = oracle.family(wire::Family::V4).closest(&target.point(), 1)[0];
    let machine = &mut run.world.machines[holder.machine.index()];
    machine.config.node.id = Some(holder.contact.id);
    run.world.kill(holder.machine);
    run.world.start(holder.machine);
    (target, holder.machine)
}

#[test]
fn a_record_that_one_of_its_nodes_has_lost_is_seen_and_comes_back_before_long() {
    let mut run = healthy(1);
    let (_, holder) = loses(&mut run);
    let wrong = |run: &Run| records::wrong(&run.world, &Oracle::of(&run.world));
    let (check, machine, _) = wrong(&run).expect("it is gone");
    assert_eq!((check, machine), ("records", Some(holder)));
    run.pass(run.world.now() + HEALS, &mut |_| {});
    assert_eq!(wrong(&run), None);
}

/// Nothing is offered to anybody any more: hand-off is switched off.
struct NoOffers;

impl Condition for NoOffers {
    fn change(
        &mut self,
        _: &Way,
        sent: &[u8],
        copies: &mut Vec<Copy>,
        _: &mut crate::chance::Chance,
    ) {
        if sent.windows(10).any(|part| part == b"1:q5:offer") {
            copies.clear();
        }
    }
}

#[test]
fn where_nothing_is_handed_over_a_lost_record_does_not_come_back_and_that_is_seen() {
    let mut run = healthy(1);
    run.world.network.begin(ConditionId(900), Box::new(NoOffers));
    loses(&mut run);
    run.works_until = run.world.now();
    assert_eq!(heals(&mut run), None);
    let violation = run.world.violations.first().expect("it has not healed");
    assert!(["records", "neighbours"].contains(&violation.check), "{violation:?}");
}

/// A write of key 1 of which a user was told that these machines stored it.
fn stored(run: &Run, expires: UnixMillis, holders: Vec<MachineId>) -> Operation {
    let (at, version) = (run.world.now(), Version::new((1 << 53) - 1).unwrap());
    let ttl = Duration::from_secs(3600);
    let expected = kv::Expected::Anything;
    Operation {
        machine: MachineId(0),
        key: 1,
        asked: Asked::Put { value: 1 << 40, ttl, expected },
        begun: at,
        ended: Some((at, Told::Stored(version, Some(expires)))),
        holders,
    }
}

#[test]
fn a_read_that_does_not_give_what_is_stored_is_seen_unless_all_have_lost_it() {
    let mut run = healthy(1);
    let since = run.left_alone();
    assert_eq!(values::wrong(&mut run, since), []);
    let late = UnixMillis(u64::MAX);
    let operation = stored(&run, late, vec![MachineId(3)]);
    run.workload.history.operations.push(operation);
    let wrong = values::wrong(&mut run, since);
    assert!(wrong.iter().any(|(check, _, what)| *check == "values" && what.contains("is stored")));
    run.world.machines[3].lost_at = Some(run.world.now());
    assert_eq!(values::wrong(&mut run, since), []);
}

#[test]
fn what_comes_back_after_a_newer_version_has_ended_is_seen() {
    let mut run = healthy(1);
    let holders: Vec<MachineId> = (0..8).map(MachineId).collect();
    let operation = stored(&run, UnixMillis(0), holders);
    run.workload.history.operations.push(operation);
    let wrong = values::wrong(&mut run, Instant::default());
    assert!(wrong.iter().any(|(_, _, what)| what.contains("came back")), "{wrong:?}");
}

#[test]
fn a_read_that_is_not_answered_at_rest_is_seen() {
    let mut run = healthy(1);
    let mut operation = stored(&run, UnixMillis(0), Vec::new());
    operation.asked = Asked::Get(kv::Consistency::Quorum);
    operation.ended = Some((run.world.now(), Told::Unsure));
    run.workload.history.operations.push(operation);
    let since = run.left_alone();
    let wrong = values::wrong(&mut run, since);
    assert!(wrong.iter().any(|(_, _, what)| what.contains("Unsure")), "{wrong:?}");
}

#[test]
fn a_lookup_that_misses_the_closest_or_two_others_is_seen() {
    let mut run = healthy(1);
    let (asker, to) = (MachineId(5), Point::new([0x5a; 20]));
    let answer = run.ask(vec![(asker, Request::Lookup(to))]).remove(0);
    let oracle = Oracle::of(&run.world);
    let judge = |answer: Option<&Done>| lookups::judge(&run, &oracle, asker, &to, answer);
    assert_eq!(judge(answer.as_ref()), None);
    assert!(judge(None).is_some());
    let Some(Done::Lookup(report)) = answer else { panic!("{answer:?}") };
    let own: NodeId = run.world.machines[5].kv().unwrap().node().id();
    let without = |places: &[usize]| {
        let mut report = report.clone();
        let mut place = 0;
        report.closest.retain(|_| {
            place += 1;
            !places.contains(&(place - 1))
        });
        Done::Lookup(report)
    };
    let closest = oracle.family(wire::Family::V4).closest(&to, 3);
    assert!(closest.iter().all(|node| node.contact.id != own), "the asker is elsewhere");
    assert!(judge(Some(&without(&[1]))).is_none());
    assert!(judge(Some(&without(&[0]))).is_some());
    assert!(judge(Some(&without(&[1, 2]))).is_some());
}

#[test]
fn a_request_that_never_ends_is_seen() {
    let mut run = healthy(1);
    for id in run.world.living().collect::<Vec<_>>() {
        run.world.pause(id, 10 * HEALS);
    }
    while run.workload.unended() == 0 {
        run.workload.act(&mut run.world);
    }
    assert!(!ends(&mut run));
    assert_eq!(run.world.violations[0].check, "requests");
}

#[test]
fn what_nodes_say_is_measured_and_three_times_as_much_is_too_much() {
    let mut run = healthy(1);
    let before = run.world.delivered();
    let rate = quiet::measure(&mut run, 4 * MINUTE);
    let living = run.world.living().count() as f64;
    let delivered = (run.world.delivered() - before) as f64 / living / 240.0;
    assert!((rate.datagrams / delivered - 1.0).abs() < 0.05, "{rate:?}, {delivered} delivered");
    assert!(rate.bytes > 40.0 * rate.datagrams);
    let of = |datagrams| Rate { datagrams, bytes: 0.0 };
    assert!(
        !quiet::is_too_much(of(1.0), of(3.2), 0.0) && quiet::is_too_much(of(1.0), of(3.4), 0.0)
    );
    assert!(
        !quiet::is_too_much(of(0.0), of(0.2), 0.0) && quiet::is_too_much(of(0.0), of(0.4), 0.0)
    );
    assert!(!quiet::is_too_much(of(0.0), of(0.9), 0.7), "where lookups look after items");
}
