//! Replicas that lie: no minority of them makes a reader believe what is not, or keeps a writer out.

use std::time::Duration;

use kv::Consistency;

use super::world::asking::{put_for, put_request, target};
use super::world::{START, Says, World};

/// Twelve honest nodes, and liars closer to the key than all of them.
fn among_liars(says: &[Says]) -> World {
    let mut world = World::joined(12);
    for (number, says) in says.iter().enumerate() {
        world.add_liar(&target("k"), number as u8, says.clone());
    }
    world.run(Duration::from_secs(5));
    world
}

/// Milliseconds times 1,000, as versions count.
fn version_at(ahead: Duration) -> u64 {
    (START + ahead).0 * 1000
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn liars_that_claim_to_hold_nothing_hide_nothing() {
    let mut world = among_liars(&[Says::Nothing, Says::Nothing, Says::Nothing]);
    let put = world.store(2, "k", b"v");
    assert_eq!((put.replicas.known, put.replicas.stored.len()), (8, 8), "so they say");
    for node in 0..12 {
        let got = world.get(node, "k").expect("five hold it");
        assert_eq!((&*got.value, got.agreed, got.missing), (&b"v"[..], 5, 3), "from {node}");
    }
}

#[test]
fn a_version_that_somebody_claims_hides_nothing_and_keeps_nobody_out() {
    for claimed in [Duration::ZERO, 10 * MINUTE, 59 * MINUTE, 60 * MINUTE, 61 * MINUTE] {
        let says = Says::Version(version_at(claimed));
        let mut world = among_liars(&[says.clone(), says.clone(), says]);
        // Their clocks are not quite the writer's.
        for node in 0..12 {
            world.members[node].wall_ahead_ms = (node as i64 - 6) * 1_500;
        }
        for round in 0..4_u8 {
            let node = usize::from(round) * 3;
            let put = world.put(node, put_request("k", &[round]));
            assert!(put.is_ok(), "claimed {claimed:?}, round {round}: {put:?}");
            assert_eq!(*world.read(11 - node, "k"), [round]);
        }
        world.delete(5, "k");
        assert!(world.get(6, "k").is_err());
    }
}

#[test]
fn a_version_just_ahead_of_what_holders_take_keeps_no_fast_clock_out() {
    for ahead in [30 * MINUTE, 60 * MINUTE, 60 * MINUTE + Duration::from_millis(5), 61 * MINUTE] {
        let mut world = among_liars(&[Says::Ahead(ahead)]);
        for (round, fast_s) in [0, 1, 5, 10, 70].into_iter().enumerate() {
            let node = round * 2;
            world.members[node].wall_ahead_ms = fast_s * 1_000;
            let put = world.put(node, put_request("k", &[round as u8]));
            assert!(put.is_ok(), "{ahead:?} claimed, {fast_s} s ahead: {put:?}");
            assert_eq!(*world.read(11 - node, "k"), [round as u8]);
        }
        world.delete(8, "k");
    }
}

#[test]
fn what_most_holders_remember_far_ahead_of_the_clock_is_written_above() {
    let mut world = World::joined(12);
    world.members[2].wall_ahead_ms = 50 * 60_000;
    world.put(2, put_for("k", b"by a fast clock", 120 * MINUTE)).unwrap();
    world.put(5, put_for("k", b"above it", MINUTE)).unwrap();
    world.run(3 * MINUTE);
    assert!(world.get(6, "k").is_err(), "it has ended, and its version is remembered");
    world.store(7, "k", b"again");
    assert_eq!(*world.read(9, "k"), *b"again");
}

#[test]
fn a_version_beyond_all_versions_keeps_nobody_out() {
    let mut world = among_liars(&[Says::Version(1 << 53), Says::Version(i64::MAX as u64)]);
    world.store(3, "k", b"v");
    assert_eq!(*world.read(9, "k"), *b"v");
}

#[test]
fn an_old_copy_that_a_liar_insists_on_is_never_read() {
    let old = World::record("k", START.0 * 1000 - 5, b"old", START.0 + (1 << 36), None);
    let mut world = among_liars(&[Says::Item(old.clone()), Says::Item(old)]);
    world.store(3, "k", b"new");
    for node in 0..12 {
        assert_eq!(*world.read(node, "k"), *b"new");
    }
    world.delete(4, "k");
    for node in 0..12 {
        assert!(world.get(node, "k").is_err(), "from {node}");
    }
}

#[test]
fn a_forged_item_counts_as_no_answer() {
    let item = World::record("k", version_at(30 * MINUTE), b"v", START.0 + (1 << 36), None);
    let mut world = among_liars(&[Says::Forged(item.clone()), Says::Forged(item)]);
    let put = world.store(3, "k", b"new");
    assert_eq!((put.replicas.stored.len(), put.replicas.silent.len()), (6, 2));
    for consistency in [Consistency::First, Consistency::Quorum] {
        let got = world.get_as(8, "k", consistency).expect("six hold it");
        assert_eq!(*got.value, *b"new");
    }
}

#[test]
fn many_different_copies_do_not_hide_the_newest() {
    let copy = |number: u64| {
        let version = START.0 * 1000 - number;
        Says::Item(World::record("k", version, &[number as u8], START.0 + (1 << 36), None))
    };
    let mut world = among_liars(&[copy(1), copy(2), copy(3)]);
    world.store(3, "k", b"new");
    assert_eq!(*world.read(9, "k"), *b"new");
}
