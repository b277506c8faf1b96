//! A record ends when it says, by each holder's own clock, and a clock that jumps ends nothing.

use std::time::Duration;

use kv::{Absence, Change, DEFAULT_TTL, GetError, MAX_TTL, PutError, PutRequest};

use super::world::asking::{put_for, put_plain, put_request, target};
use super::world::{START, World};

const MINUTE: Duration = Duration::from_secs(60);
const YEAR_MS: i64 = 365 * 24 * 3_600_000;

#[test]
fn a_record_is_found_until_it_expires_and_not_after() {
    let mut world = World::joined(9);
    let put = world.put(0, put_for("k", b"v", 10 * MINUTE)).expect("enough holders are up");
    let expires = put.expires.expect("an envelope carries an expiry");
    let left = expires.since(world.now_at(3).wall);
    world.run(left - Duration::from_millis(200));
    assert_eq!(*world.read(3, "k"), *b"v");
    world.run(Duration::from_millis(200));
    let gone = world.get(4, "k");
    assert!(matches!(gone, Err(GetError::NotFound { .. })), "{gone:?}");
    world.run(2 * MINUTE);
    let near = world.closest(&target("k"), 8);
    for node in near {
        assert_eq!(world.members[node].kv.node().held_items(), (0, 0), "node {node}");
    }
}

#[test]
fn each_holder_judges_by_its_own_clock() {
    let mut world = World::joined(9);
    let near = world.closest(&target("k"), 8);
    world.put(near[7], put_for("k", b"v", 10 * MINUTE)).expect("enough holders are up");
    // Small steps, as time synchronisation makes them, are believed at once.
    world.members[near[0]].wall_ahead_ms = 9_000;
    world.members[near[1]].wall_ahead_ms = -9_000;
    world.run(10 * MINUTE - Duration::from_secs(5));
    let holds = |world: &mut World, place: usize| world.held(near[place], "k").is_some();
    assert!(!holds(&mut world, 0), "its clock is ahead");
    assert!(holds(&mut world, 1) && holds(&mut world, 2));
    world.run(Duration::from_secs(7));
    assert!(!holds(&mut world, 2));
    assert!(holds(&mut world, 1), "its clock is behind");
    world.run(Duration::from_secs(8));
    assert!(!holds(&mut world, 1));
}

#[test]
fn a_reader_whose_clock_is_ahead_is_told_that_the_record_has_expired() {
    let mut world = World::joined(9);
    let put = world.put(0, put_for("k", b"v", 10 * MINUTE)).expect("enough holders are up");
    world.members[5].wall_ahead_ms = 601_000;
    match world.get(5, "k") {
        Err(GetError::NotFound { absence: Absence::Expired(version), .. }) => {
            assert_eq!(Some(version), put.version);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(*world.read(6, "k"), *b"v", "to others it lives");
}

#[test]
fn a_wall_clock_that_jumps_deletes_nothing_at_once() {
    let mut world = World::joined(9);
    world.store(0, "k", b"v");
    for (node, ahead) in [(0..5, 2 * YEAR_MS), (5..9, -2 * YEAR_MS)] {
        node.for_each(|node| world.members[node].wall_ahead_ms = ahead);
    }
    world.run(9 * MINUTE);
    let near = world.closest(&target("k"), 8);
    for node in &near {
        assert!(world.held(*node, "k").is_some(), "node {node}");
    }
    for node in 0..9 {
        world.members[node].wall_ahead_ms = 0;
    }
    world.run(30 * MINUTE);
    assert_eq!(*world.read(3, "k"), *b"v");
}

#[test]
fn a_jump_that_stands_is_believed_after_a_while() {
    let mut world = World::joined(9);
    world.put(0, put_for("k", b"v", 60 * MINUTE)).expect("enough holders are up");
    for node in 0..9 {
        world.members[node].wall_ahead_ms = 2 * 3_600_000;
    }
    world.run(5 * MINUTE);
    let near = world.closest(&target("k"), 8);
    assert!(near.iter().all(|node| world.held(*node, "k").is_some()));
    world.run(20 * MINUTE);
    assert!(near.iter().all(|node| world.held(*node, "k").is_none()));
}

#[test]
fn plain_values_live_two_hours_from_their_last_put() {
    let mut world = World::joined(9);
    let put = world.put(0, put_plain("k", b"plain")).expect("enough holders are up");
    assert_eq!(put.expires, None);
    let near = world.closest(&target("k"), 8);
    let held = world.held(near[0], "k").expect("it was stored");
    assert_eq!(held.value, b"5:plain", "just the bytes");
    world.run(119 * MINUTE);
    let got = world.get(4, "k").expect("two hours are not over");
    assert_eq!((&*got.value, got.expires), (&b"plain"[..], None));
    world.run(2 * MINUTE);
    assert!(matches!(world.get(4, "k"), Err(GetError::NotFound { .. })));

    world.put(0, put_plain("k", b"plain")).expect("enough holders are up");
    world.run(100 * MINUTE);
    let again = world.held(near[0], "k").expect("two hours are not over").item;
    for node in &near {
        assert_eq!(world.give(*node, &again, b"k", None), Ok(()), "the same once more");
    }
    world.run(100 * MINUTE);
    assert_eq!(*world.read(4, "k"), *b"plain", "its timer was reset");
}

#[test]
fn reading_a_plain_value_does_not_prolong_it() {
    let mut world = World::joined(9);
    world.put(0, put_plain("k", b"plain")).expect("enough holders are up");
    for _ in 0..11 {
        world.run(10 * MINUTE);
        assert_eq!(*world.read(3, "k"), *b"plain");
    }
    world.run(11 * MINUTE);
    assert!(world.get(3, "k").is_err());
}

#[test]
fn lives_outside_the_bounds_are_refused_before_anything_is_sent() {
    let mut world = World::joined(3);
    let before = world.datagrams;
    for ttl in [Duration::ZERO, Duration::from_micros(999), MAX_TTL + Duration::from_millis(1)] {
        assert_eq!(world.put(0, put_for("k", b"v", ttl)), Err(PutError::BadTtl(ttl)));
    }
    assert_eq!(world.datagrams, before);
    world.put(0, put_for("k", b"v", MAX_TTL)).expect("a year is allowed");
}

#[test]
fn a_record_lives_a_week_unless_told_otherwise() {
    let mut world = World::joined(3);
    let put = world.store(0, "k", b"v");
    let life = put.expires.expect("an envelope carries an expiry").since(START);
    assert!(life >= DEFAULT_TTL && life < DEFAULT_TTL + MINUTE, "{life:?}");
    world.run(DEFAULT_TTL - 10 * MINUTE);
    assert_eq!(*world.read(1, "k"), *b"v");
    world.run(10 * MINUTE);
    assert!(world.get(1, "k").is_err());
}

#[test]
fn an_expired_record_may_be_put_again() {
    let mut world = World::joined(9);
    for round in 0..3_u8 {
        world.put(round.into(), put_for("k", &[round], MINUTE)).expect("enough holders are up");
        assert_eq!(*world.read(7, "k"), [round]);
        world.run(2 * MINUTE);
        assert!(world.get(7, "k").is_err());
    }
}

#[test]
fn a_content_type_that_is_too_long_is_refused() {
    let mut world = World::new(1);
    let node = world.add(kv::Config::default());
    let with = |length: usize| {
        let content_type = Some("x".repeat(length).into());
        let value = b"v".as_slice().into();
        let change = Change::Put { value, content_type, ttl: DEFAULT_TTL, plain: false };
        PutRequest { change, ..put_request("k", b"") }
    };
    assert_eq!(world.put(node, with(129)), Err(PutError::BadContentType(129)));
    assert!(world.put(node, with(128)).is_ok());
}
