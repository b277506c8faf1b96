//! How many replicas a read waits for, and what it says when they do not answer.

use std::time::Duration;

use kv::{Config, Consistency, Expected, GetError, PutError, Version};

use super::world::World;
use super::world::asking::{put_if, put_request, target};

#[test]
fn a_first_read_needs_one_holder_a_quorum_a_majority_and_all_every_one() {
    let mut world = World::joined(20);
    let near = world.closest(&target("k"), 8);
    let far = world.far_from(&target("k"), 8)[0];
    world.store(far, "k", b"v");
    let read = |world: &mut World, consistency| {
        world.get_as(far, "k", consistency).map(|got| got.value.to_vec())
    };
    for consistency in [Consistency::First, Consistency::Quorum, Consistency::All] {
        assert_eq!(read(&mut world, consistency), Ok(b"v".to_vec()));
    }
    world.down(&near[7..]);
    assert_eq!(read(&mut world, Consistency::Quorum), Ok(b"v".to_vec()));
    let all = read(&mut world, Consistency::All);
    assert!(
        matches!(&all, Err(GetError::NotEnoughReplicas { answered: 7, known: 8, needed: 8, .. })),
        "{all:?}"
    );
    world.down(&near[1..]);
    assert_eq!(read(&mut world, Consistency::First), Ok(b"v".to_vec()));
    let quorum = read(&mut world, Consistency::Quorum);
    assert!(matches!(quorum, Err(GetError::NotEnoughReplicas { answered: 1, .. })), "{quorum:?}");
}

#[test]
fn a_majority_that_is_silent_leaves_absence_unsure() {
    let mut world = World::joined(20);
    let near = world.closest(&target("k"), 8);
    let far = world.far_from(&target("k"), 8)[0];
    world.down(&near[..5]);
    let absent = world.get(far, "k");
    assert!(
        matches!(&absent, Err(GetError::NotEnoughReplicas { answered: 3, found: None, .. })),
        "{absent:?}"
    );
}

#[test]
fn a_client_whom_nobody_answers_is_told_so() {
    let mut world = World::joined(5);
    let ephemeral = node::Config { ephemeral: true, ..node::Config::default() };
    let client = world.add(Config { node: ephemeral, ..Config::default() });
    world.join(client, 0);
    world.store(client, "k", b"v");
    world.down(&[0, 1, 2, 3, 4]);
    assert!(matches!(world.get(client, "k"), Err(GetError::Unreachable(_))));
    let put = world.put(client, put_request("k", b"w"));
    assert!(matches!(put, Err(PutError::Unreachable(_))), "{put:?}");
}

#[test]
fn where_only_the_holders_are_silent_the_network_is_not_called_unreachable() {
    let mut world = World::joined(20);
    let ephemeral = node::Config { ephemeral: true, ..node::Config::default() };
    let client = world.add(Config { node: ephemeral, replicas: 1 });
    world.join(client, 0);
    let holder = world.closest(&target("k"), 1);
    world.down(&holder);
    let put = world.put(client, put_request("k", b"v"));
    let Err(PutError::NotEnoughReplicas(report)) = put else { panic!("{put:?}") };
    assert_eq!((report.replicas.known, report.replicas.silent.len()), (1, 1));
    for consistency in [Consistency::First, Consistency::Quorum, Consistency::All] {
        let got = world.get_as(client, "k", consistency);
        assert!(matches!(got, Err(GetError::NotEnoughReplicas { answered: 0, known: 1, .. })));
    }
}

#[test]
fn a_client_that_knows_no_door_is_told_at_once() {
    let mut world = World::new(1);
    let ephemeral = node::Config { ephemeral: true, ..node::Config::default() };
    let client = world.add(Config { node: ephemeral, ..Config::default() });
    assert!(matches!(world.get(client, "k"), Err(GetError::Unreachable(_))));
    let put = world.put(client, put_request("k", b"v"));
    assert!(matches!(put, Err(PutError::Unreachable(_))), "{put:?}");
}

#[test]
fn a_node_cut_off_from_all_others_has_no_majority() {
    let mut world = World::joined(9);
    world.store(0, "k", b"v");
    world.cut_off(&[4]);
    let put = world.put(4, put_request("k", b"w"));
    let Err(PutError::NotEnoughReplicas(report)) = put else { panic!("{put:?}") };
    assert_eq!((report.replicas.known, report.replicas.needed), (8, 5));
    let got = world.get(4, "k");
    assert!(matches!(got, Err(GetError::NotEnoughReplicas { .. })), "{got:?}");
    world.heal();
    world.run(Duration::from_secs(60));
    world.store(4, "k", b"x");
    assert_eq!(*world.read(2, "k"), *b"x");
}

#[test]
fn the_larger_side_of_a_split_goes_on_and_the_smaller_one_does_not() {
    let mut world = World::joined(7);
    world.store(0, "k", b"before");
    world.cut_off(&[4, 5, 6]);
    let minority = world.put(5, put_request("k", b"minority"));
    assert!(matches!(minority, Err(PutError::NotEnoughReplicas(_))), "{minority:?}");
    let majority = world.store(1, "k", b"majority");
    assert_eq!((majority.replicas.stored.len(), majority.replicas.silent.len()), (4, 3));
    assert!(matches!(world.get(6, "k"), Err(GetError::NotEnoughReplicas { .. })));
    assert_eq!(*world.read(2, "k"), *b"majority");
    world.heal();
    // Later and so higher: what the minority's side stored is overwritten.
    world.run(Duration::from_secs(60));
    assert_eq!(*world.read(5, "k"), *b"majority");
}

/// A record on its eight holders, and then eight nodes that lie closer to it than any of them.
fn displaced() -> World {
    let mut world = World::joined(12);
    world.store(0, "k", b"v");
    for index in 0..8_u8 {
        let mut close = *target("k").as_bytes();
        close[19] ^= 1 << index;
        let id = Some(wire::NodeId::new(close));
        let near = node::Config { id, ..node::Config::default() };
        let newcomer = world.add(Config { node: near, ..Config::default() });
        world.join(newcomer, 0);
        world.run(Duration::from_millis(400));
    }
    // Soon enough that the former holders have not yet handed it off.
    world.run(Duration::from_secs(1));
    assert_eq!(world.closest(&target("k"), 8).iter().min(), Some(&12));
    world
}

#[test]
fn a_record_whose_holders_were_displaced_is_found_with_one_of_them_and_moves_on() {
    let mut world = displaced();
    // The reader counts itself and asks eight others: one of them is a former holder.
    let got = world.get(12, "k").expect("a node that was asked holds it");
    assert_eq!((&*got.value, got.known, got.agreed, got.missing), (&b"v"[..], 8, 0, 8));
    assert_eq!(got.repairing, 8);
    world.run(Duration::from_secs(5));
    let got = world.get(15, "k").expect("it moved to its new holders");
    assert_eq!((got.agreed, got.missing), (8, 0));
}

#[test]
fn a_record_that_the_reader_itself_still_holds_is_found() {
    let mut world = displaced();
    let holder = (0..12).find(|node| world.held(*node, "k").is_some()).expect("eight hold it");
    assert_eq!(*world.read(holder, "k"), *b"v");
}

#[test]
fn a_put_is_above_a_version_that_only_a_displaced_holder_has() {
    let mut world = displaced();
    let held = (0..12).find_map(|node| world.held(node, "k")).expect("eight hold it");
    let before = Version::new(held.seq);
    // Its clock is behind, so that only what it saw can lift its version.
    world.members[12].wall_ahead_ms = -1_000_000;
    let put = world.store(12, "k", b"w");
    assert!(put.version > before, "{put:?}");
    assert_eq!(*world.read(13, "k"), *b"w");
}

#[test]
fn a_swap_of_what_only_a_displaced_holder_has_goes_through() {
    let mut world = displaced();
    let held = (0..12).find_map(|node| world.held(node, "k")).expect("eight hold it");
    let version = Version::new(held.seq).expect("a version");
    let swap = put_if("k", b"w", Expected::Version(version));
    let put = world.put(12, swap.clone()).expect("that is the version");
    assert_eq!(put.replicas.stored.len(), 8);
    assert!(matches!(world.put(13, swap), Err(PutError::Conflict { .. })));
    assert_eq!(*world.read(14, "k"), *b"w");
}
