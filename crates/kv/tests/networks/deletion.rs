//! What was deleted, or has expired, stays away.

use std::time::Duration;

use kv::{Absence, Expected, GetError, PutError};

use super::world::asking::{delete_request, put_for, put_plain, put_request, target};
use super::world::{START, World};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn absence(world: &mut World, node: usize, key: &str) -> Absence {
    match world.get(node, key) {
        Err(GetError::NotFound { absence, .. }) => absence,
        other => panic!("{other:?}"),
    }
}

fn near(world: &World) -> Vec<usize> {
    world.closest(&target("k"), 8)
}

#[test]
fn what_was_deleted_is_told_as_deleted_from_everywhere() {
    let mut world = World::joined(12);
    world.store(0, "k", b"v");
    let deleted = world.delete(5, "k").version.expect("a tombstone has a version");
    for node in 0..12 {
        assert_eq!(absence(&mut world, node, "k"), Absence::Deleted(deleted));
    }
    let near = near(&world);
    assert_eq!(world.versions(&near, "k"), vec![deleted.get(); 8]);
}

#[test]
fn there_is_nothing_to_delete_where_nothing_lives() {
    let mut world = World::joined(9);
    let nothing =
        |world: &mut World| matches!(world.put(3, delete_request("k")), Err(PutError::NotFound(_)));
    assert!(nothing(&mut world), "never put");
    world.store(0, "k", b"v");
    world.delete(1, "k");
    assert!(nothing(&mut world), "deleted");
    world.put(0, put_for("k", b"v", Duration::from_secs(5))).expect("enough holders are up");
    world.run(Duration::from_secs(10));
    assert!(nothing(&mut world), "expired");
}

#[test]
fn an_old_copy_that_comes_back_stays_dead() {
    let mut world = World::joined(12);
    world.store(0, "k", b"v");
    let near = near(&world);
    let old = world.held(near[0], "k").expect("it was stored").item;
    world.delete(5, "k");
    for node in &near {
        assert_eq!(world.give(*node, &old, b"k", None), Err(302));
    }
    assert!(matches!(absence(&mut world, 7, "k"), Absence::Deleted(_)));
}

#[test]
fn a_holder_that_missed_the_deletion_does_not_bring_the_value_back() {
    let mut world = World::joined(12);
    world.store(0, "k", b"v");
    let near = near(&world);
    world.down(&near[..3]);
    let deleted = world.delete(near[5], "k").version.expect("a tombstone has a version");
    world.up(&near[..3]);
    for node in 0..12 {
        assert_eq!(absence(&mut world, node, "k"), Absence::Deleted(deleted), "from {node}");
    }
    world.run(Duration::from_secs(2));
    assert_eq!(world.versions(&near, "k"), vec![deleted.get(); 8], "all were told");
}

#[test]
fn a_marker_outlives_the_value_until_its_old_expiry() {
    let mut world = World::joined(9);
    world.put(0, put_for("k", b"long", DAY)).expect("enough holders are up");
    let near = near(&world);
    let old = world.held(near[0], "k").expect("it was stored").item;
    world.put(1, put_for("k", b"short", HOUR)).expect("enough holders are up");
    world.run(2 * HOUR);
    assert!(world.get(2, "k").is_err(), "the short one has expired");
    for node in &near {
        assert_eq!(world.give(*node, &old, b"k", None), Err(302), "an hour after");
    }
    world.run(Duration::from_secs(21 * 3600));
    for node in &near {
        assert_eq!(world.give(*node, &old, b"k", None), Err(302), "an hour before its own end");
    }
    assert_eq!(absence(&mut world, 4, "k"), Absence::NeverSeen);
}

#[test]
fn a_tombstone_is_kept_until_what_it_replaced_would_have_expired() {
    let mut world = World::joined(9);
    world.put(0, put_for("k", b"v", 4 * HOUR)).expect("enough holders are up");
    let near = near(&world);
    let old = world.held(near[0], "k").expect("it was stored").item;
    world.delete(1, "k");
    world.run(4 * HOUR - Duration::from_secs(60));
    assert!(matches!(absence(&mut world, 4, "k"), Absence::Deleted(_)));
    assert_eq!(world.give(near[1], &old, b"k", None), Err(302));
    world.run(2 * Duration::from_secs(60));
    assert_eq!(world.give(near[1], &old, b"k", None), Err(203), "now the copy itself has expired");
    assert_eq!(absence(&mut world, 4, "k"), Absence::NeverSeen);
}

#[test]
fn two_short_values_after_a_long_one_leave_the_long_one_dead() {
    let mut world = World::joined(9);
    world.put(0, put_for("k", b"long", DAY)).expect("enough holders are up");
    let near = near(&world);
    // One holder misses all that follows and keeps the long one.
    world.down(&near[..1]);
    world.put(near[4], put_for("k", b"short", HOUR)).expect("enough holders are up");
    world.run(2 * HOUR);
    world.put(near[4], put_for("k", b"short again", HOUR)).expect("enough holders are up");
    world.run(2 * HOUR);
    world.up(&near[..1]);
    world.run(Duration::from_secs(60));
    let old = world.held(near[0], "k").expect("it slept").item;
    for node in &near[1..] {
        assert_eq!(world.give(*node, &old, b"k", None), Err(302));
    }
}

#[test]
fn a_long_value_on_a_stale_holder_is_not_read_after_a_short_one_has_ended() {
    let mut world = World::joined(12);
    world.put(0, put_for("k", b"long", DAY)).expect("enough holders are up");
    let near = near(&world);
    world.down(&near[..2]);
    world.put(near[4], put_for("k", b"short", HOUR)).expect("enough holders are up");
    world.run(2 * HOUR);
    world.up(&near[..2]);
    world.run(Duration::from_secs(120));
    assert!(world.held(near[0], "k").is_some(), "it slept");
    for node in 0..12 {
        let got = world.get(node, "k");
        assert!(matches!(got, Err(GetError::NotFound { .. })), "from {node}: {got:?}");
    }
    let put = super::world::asking::put_if("k", b"new", Expected::Absent);
    world.put(near[6], put).expect("nothing lives there");
    assert_eq!(*world.read(near[7], "k"), *b"new");
}

#[test]
fn a_node_alone_whose_clock_was_set_back_still_writes() {
    let mut world = World::new(1);
    let node = world.add(kv::Config::default());
    world.put(node, put_for("k", b"long", DAY)).expect("it holds itself");
    world.put(node, put_for("k", b"short", Duration::from_secs(60))).expect("it holds itself");
    world.run(Duration::from_secs(300));
    world.members[node].wall_ahead_ms = -600_000;
    let put = world.put(node, put_request("k", b"new"));
    assert!(put.is_ok(), "{put:?}");
    assert_eq!(*world.read(node, "k"), *b"new");
}

#[test]
fn a_plain_value_after_a_long_one_leaves_the_long_one_dead() {
    let mut world = World::joined(9);
    world.put(0, put_for("k", b"long", DAY)).expect("enough holders are up");
    let near = near(&world);
    let old = world.held(near[0], "k").expect("it was stored").item;
    world.put(1, put_plain("k", b"plain")).expect("enough holders are up");
    world.run(3 * HOUR);
    assert!(world.get(4, "k").is_err(), "plain values live two hours");
    for node in &near {
        assert_eq!(world.give(*node, &old, b"k", None), Err(302));
    }
}

#[test]
fn a_key_may_be_put_again_after_it_was_deleted() {
    let mut world = World::joined(9);
    world.store(0, "k", b"one");
    let deleted = world.delete(1, "k").version;
    let again = world.store(2, "k", b"two");
    assert!(again.version > deleted);
    assert_eq!(*world.read(3, "k"), *b"two");
    world.delete(4, "k");
    let put = super::world::asking::put_if("k", b"three", Expected::Absent);
    world.put(5, put).expect("a tombstone counts as absent");
    assert_eq!(*world.read(6, "k"), *b"three");
}

#[test]
fn deleting_a_plain_value_keeps_it_away_for_its_two_hours() {
    let mut world = World::joined(9);
    world.put(0, put_plain("k", b"v")).expect("enough holders are up");
    let near = near(&world);
    let old = world.held(near[0], "k").expect("it was stored").item;
    world.delete(3, "k");
    world.run(2 * HOUR - Duration::from_secs(60));
    assert!(matches!(absence(&mut world, 4, "k"), Absence::Deleted(_)));
    assert_eq!(world.give(near[1], &old, b"k", None), Err(302));
}

#[test]
fn a_put_after_a_marker_succeeds_also_when_the_writers_clock_is_behind() {
    let mut world = World::joined(9);
    world.put(0, put_for("k", b"long", DAY)).expect("enough holders are up");
    world.put(1, put_for("k", b"short", Duration::from_secs(60))).expect("enough are up");
    world.run(Duration::from_secs(300));
    world.members[5].wall_ahead_ms = -600_000;
    let put = world.put(5, put_request("k", b"new"));
    assert!(put.is_ok(), "{put:?}");
    assert_eq!(*world.read(2, "k"), *b"new");
}

#[test]
fn of_a_put_and_a_deletion_at_once_the_higher_version_stays() {
    for seed in 0..20 {
        let mut world = World::joined_with(9, seed, &kv::Config::default());
        world.store(0, "k", b"before");
        world.jitter = Duration::from_millis(50);
        let put = world.request(2, kv::Request::Put(put_request("k", b"after")));
        let delete = world.request(6, kv::Request::Put(delete_request("k")));
        let put = world.finish_put(2, put).expect("no holder failed").version;
        let deleted = match world.finish_put(6, delete) {
            Ok(report) => report.version,
            other => panic!("{other:?}"),
        };
        let got = world.get(4, "k");
        match &got {
            Ok(got) => assert!(put > deleted && Some(got.version) == put, "seed {seed}"),
            Err(GetError::NotFound { absence: Absence::Deleted(version), .. }) => {
                assert!(deleted > put && Some(*version) == deleted, "seed {seed}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn records_that_a_story_signs_by_hand_expire_as_they_say() {
    let mut world = World::joined(3);
    let item = World::record("k", START.0 * 1000, b"v", START.0 + 60_000, None);
    assert_eq!(world.give(1, &item, b"k", None), Ok(()));
    assert!(world.held(1, "k").is_some());
    world.run(Duration::from_secs(60));
    assert!(world.held(1, "k").is_none());
}
