//! Compare-and-swap: of several that expect the same, one wins, and the others are told.

use std::time::Duration;

use kv::{Change, Config, Expected, PutError, PutRequest, Request, RequestId, Version};
use node::Method;

use super::world::World;
use super::world::asking::{PutOutcome, delete_request, put_for, put_if, target};

/// The outcomes of two puts that start at the same moment.
fn at_once(world: &mut World, puts: [(usize, PutRequest); 2]) -> [PutOutcome; 2] {
    let ids = puts.map(|(node, request)| (node, world.request(node, Request::Put(request))));
    ids.map(|(node, id)| world.finish_put(node, id))
}

/// Exactly one of the two won and the other was told of the conflict; the winner's place.
fn winner(outcomes: &[PutOutcome; 2]) -> usize {
    let won = |outcome: &PutOutcome| match outcome {
        Ok(_) => true,
        Err(PutError::Conflict { .. }) => false,
        other => panic!("{other:?}"),
    };
    match (won(&outcomes[0]), won(&outcomes[1])) {
        (true, false) => 0,
        (false, true) => 1,
        both => panic!("who won: {both:?}"),
    }
}

#[test]
fn of_two_puts_that_expect_the_same_version_exactly_one_wins() {
    for seed in 0..60 {
        let mut world = World::joined_with(10, seed, &Config::default());
        let before = world.store(0, "k", b"before").version.expect("a version");
        world.jitter = Duration::from_millis(seed * 7);
        let put = |value| put_if("k", value, Expected::Version(before));
        let nodes = [(seed % 10) as usize, ((seed * 7 + 5) % 10) as usize];
        if nodes[0] == nodes[1] {
            continue;
        }
        let outcomes = at_once(&mut world, [(nodes[0], put(b"zero")), (nodes[1], put(b"one"))]);
        let expected: &[u8] = [&b"zero"[..], b"one"][winner(&outcomes)];
        world.run(Duration::from_secs(2));
        for reader in 0..10 {
            assert_eq!(*world.read(reader, "k"), *expected, "seed {seed}, from {reader}");
        }
    }
}

#[test]
fn of_two_puts_that_expect_nothing_exactly_one_wins() {
    for seed in 0..60 {
        let mut world = World::joined_with(10, seed, &Config::default());
        world.jitter = Duration::from_millis(seed * 7);
        let put = |value| put_if("k", value, Expected::Absent);
        let outcomes = at_once(&mut world, [(1, put(b"zero")), (8, put(b"one"))]);
        let expected: &[u8] = [&b"zero"[..], b"one"][winner(&outcomes)];
        world.run(Duration::from_secs(2));
        assert_eq!(*world.read(5, "k"), *expected, "seed {seed}");
    }
}

#[test]
fn two_conditional_puts_at_one_node_are_decided_as_well() {
    let mut world = World::joined(10);
    let before = world.store(0, "k", b"before").version.expect("a version");
    let put = |value| put_if("k", value, Expected::Version(before));
    for node in 0..10 {
        let key = format!("k{node}");
        let absent = |value| put_if(&key, value, Expected::Absent);
        winner(&at_once(&mut world, [(node, absent(b"a")), (node, absent(b"b"))]));
    }
    winner(&at_once(&mut world, [(3, put(b"a")), (3, put(b"b"))]));
}

#[test]
fn a_condition_that_holds_is_a_put_like_any_other() {
    let mut world = World::joined(12);
    let first = world.put(0, put_if("k", b"1", Expected::Absent)).expect("nothing is there");
    assert_eq!(first.replicas.stored.len(), 8);
    let mut version = first.version.expect("a version");
    for round in 2..6_u8 {
        let put = put_if("k", &[round], Expected::Version(version));
        let report = world.put(round.into(), put).expect("nobody else writes");
        assert_eq!((report.replicas.stored.len(), report.replicas.known), (8, 8));
        assert!(report.version > Some(version));
        version = report.version.expect("a version");
        assert_eq!(*world.read(9, "k"), [round]);
    }
}

#[test]
fn a_condition_that_does_not_hold_is_a_conflict_with_what_is_there() {
    let mut world = World::joined(12);
    let wrong = Version::new(7).expect("a small number");
    let on_nothing = world.put(3, put_if("k", b"v", Expected::Version(wrong)));
    assert_eq!(on_nothing, Err(PutError::Conflict { current: None }));
    let current = world.store(0, "k", b"there").version;
    for expected in [Expected::Absent, Expected::Version(wrong)] {
        let put = world.put(5, put_if("k", b"v", expected));
        assert_eq!(put, Err(PutError::Conflict { current }));
    }
    let delete = PutRequest { expected: Expected::Version(wrong), ..delete_request("k") };
    assert_eq!(world.put(5, delete), Err(PutError::Conflict { current }));
    assert_eq!(*world.read(8, "k"), *b"there");
}

#[test]
fn a_conflict_after_a_deletion_tells_that_nothing_is_there() {
    let mut world = World::joined(12);
    let before = world.store(0, "k", b"v").version.expect("a version");
    world.delete(1, "k");
    let put = world.put(2, put_if("k", b"w", Expected::Version(before)));
    assert_eq!(put, Err(PutError::Conflict { current: None }));
}

#[test]
fn absence_holds_after_a_deletion_and_after_expiry() {
    let mut world = World::joined(12);
    world.store(0, "k", b"v");
    world.delete(1, "k");
    world.put(2, put_if("k", b"again", Expected::Absent)).expect("it was deleted");
    assert_eq!(*world.read(3, "k"), *b"again");
    world.put(2, put_for("short", b"v", Duration::from_secs(5))).expect("enough are up");
    world.run(Duration::from_secs(10));
    world.put(4, put_if("short", b"again", Expected::Absent)).expect("it has expired");
    assert_eq!(*world.read(5, "short"), *b"again");
}

#[test]
fn a_deletion_may_be_conditional() {
    let mut world = World::joined(12);
    let before = world.store(0, "k", b"v").version.expect("a version");
    world.store(1, "k", b"w");
    let delete =
        |version| PutRequest { expected: Expected::Version(version), ..delete_request("k") };
    assert!(matches!(world.put(2, delete(before)), Err(PutError::Conflict { .. })));
    let current = world.get(3, "k").expect("it was put").version;
    world.put(4, delete(current)).expect("that is the version");
    assert!(world.get(5, "k").is_err());
}

#[test]
fn a_conditional_put_that_a_newer_one_overtook_loses() {
    for seed in 0..20 {
        let mut world = World::joined_with(10, seed, &Config::default());
        let before = world.store(0, "k", b"before").version.expect("a version");
        world.jitter = Duration::from_millis(40);
        // Somebody writes without a condition; the clock of the other is ahead by a little.
        world.members[4].wall_ahead_ms = 500;
        let conditional =
            world.request(2, Request::Put(put_if("k", b"swap", Expected::Version(before))));
        world.run(Duration::from_millis(seed * 5));
        let plain = world.store(4, "k", b"plain");
        let swapped = world.finish_put(2, conditional);
        let won = match &swapped {
            Ok(report) => Some(report.version),
            Err(PutError::Conflict { .. } | PutError::NotEnoughReplicas(_)) => None,
            other => panic!("{other:?}"),
        };
        world.run(Duration::from_secs(2));
        let got = world.get(7, "k").expect("a majority stored");
        let highest = won.into_iter().flatten().chain(plain.version).max();
        assert_eq!(Some(got.version), highest, "seed {seed}");
    }
}

#[test]
fn a_silent_arbiter_leaves_the_outcome_open_and_nothing_else_is_written() {
    let mut world = World::joined(12);
    let before = world.store(0, "k", b"before").version.expect("a version");
    let near = world.closest(&target("k"), 8);
    let far = world.far_from(&target("k"), 8)[0];
    let answered =
        |world: &World, method| world.members[near[0]].kv.node().counters().answered_to(method);
    let (gets, puts) = (answered(&world, Method::Get), answered(&world, Method::Put));
    let put = put_if("k", b"after", Expected::Version(before));
    let id = world.request(far, Request::Put(put));
    // It answers the lookup, and falls silent before the write can reach it.
    while answered(&world, Method::Get) == gets {
        world.run(Duration::from_millis(1));
    }
    world.down(&near[..1]);
    let Err(PutError::Undetermined { version }) = world.finish_put(far, id) else {
        panic!("the arbiter said nothing")
    };
    assert!(version > before);
    assert_eq!(answered(&world, Method::Put), puts);
    assert_eq!(world.versions(&near[1..], "k"), vec![before.get(); 7], "no other was asked");
    world.up(&near[..1]);
    assert_eq!(*world.read(9, "k"), *b"before");
}

/// A swap from far that its arbiter is about to answer; before, who asks, the arbiter, and another.
fn swap_on_its_way() -> (World, Version, (usize, RequestId), usize, usize) {
    let begun = || {
        let mut world = World::joined(12);
        let before = world.store(0, "k", b"before").version.expect("a version");
        let near = world.closest(&target("k"), 2);
        let far = world.far_from(&target("k"), 8)[0];
        let put = put_if("k", b"ours", Expected::Version(before));
        let id = world.request(far, Request::Put(put));
        (world, before, (far, id), near[0], near[1])
    };
    let (mut rehearsal, _, _, arbiter, _) = begun();
    let puts = |world: &World| world.members[arbiter].kv.node().counters().answered_to(Method::Put);
    let (answered, mut until) = (puts(&rehearsal), Duration::ZERO);
    while puts(&rehearsal) == answered {
        rehearsal.run(Duration::from_millis(1));
        until += Duration::from_millis(1);
    }
    let mut begun = begun();
    begun.0.run(until - Duration::from_millis(5));
    begun
}

#[test]
fn a_swap_whose_yes_was_lost_and_that_was_replaced_since_is_no_conflict() {
    let (mut world, before, (far, id), arbiter, other) = swap_on_its_way();
    world.cut(arbiter, far);
    world.run(Duration::from_millis(10));
    assert!(world.versions(&[arbiter], "k")[0] > before.get(), "it has stored");
    let theirs = world.store(other, "k", b"theirs").version.expect("a version");
    world.heal();
    let put = world.finish_put(far, id);
    let Err(PutError::Undetermined { version }) = put else { panic!("{put:?}") };
    assert!(before < version && version < theirs);
    assert_eq!(*world.read(9, "k"), *b"theirs");
}

#[test]
fn a_conditional_put_needs_a_majority_too() {
    let mut world = World::joined(20);
    let before = world.store(0, "k", b"before").version.expect("a version");
    let near = world.closest(&target("k"), 8);
    let far = world.far_from(&target("k"), 8)[0];
    world.down(&near[3..]);
    let put = world.put(far, put_if("k", b"after", Expected::Version(before)));
    let Err(PutError::NotEnoughReplicas(report)) = put else { panic!("{put:?}") };
    assert_eq!((report.replicas.stored.len(), report.replicas.silent.len()), (3, 5));
}

#[test]
fn a_plain_value_may_be_swapped_by_its_version() {
    let mut world = World::joined(9);
    let mut request = super::world::asking::put_plain("k", b"one");
    request.expected = Expected::Absent;
    let version = world.put(0, request.clone()).expect("nothing is there").version;
    let version = version.expect("a version");
    request.expected = Expected::Version(version);
    let Change::Put { value, .. } = &mut request.change else { panic!("a put") };
    *value = b"two".as_slice().into();
    world.put(4, request.clone()).expect("that is the version");
    assert!(matches!(world.put(5, request), Err(PutError::Conflict { .. })));
    assert_eq!(*world.read(3, "k"), *b"two");
}

#[test]
fn a_counter_that_all_increment_by_swapping_loses_no_step() {
    let mut world = World::joined_with(6, 3, &Config::default());
    world.jitter = Duration::from_millis(30);
    world.store(0, "counter", &[0]);
    let mut steps = 0;
    for _ in 0..12 {
        let mut swaps = Vec::new();
        for node in 0..6 {
            let got = world.get(node, "counter").expect("a majority holds it");
            let next = [got.value[0] + 1];
            let put = put_if("counter", &next, Expected::Version(got.version));
            swaps.push((node, world.request(node, Request::Put(put))));
        }
        for (node, id) in swaps {
            steps += u8::from(world.finish_put(node, id).is_ok());
        }
    }
    assert!(steps >= 12, "somebody wins each round: {steps}");
    assert_eq!(*world.read(2, "counter"), [steps]);
}
