//! Writers that meet: the newer version stays, and nobody is told of a success that was none.

use std::time::Duration;

use kv::{Config, Done, PutError, Request};

use super::world::asking::{put_request, target};
use super::world::{START, World};

#[test]
fn a_newer_version_replaces_an_older_one_and_never_the_other_way() {
    let mut world = World::joined(12);
    world.store(0, "k", b"old");
    let old = world.held(world.closest(&target("k"), 1)[0], "k").expect("it was stored");
    world.store(5, "k", b"new");
    for node in world.closest(&target("k"), 8) {
        assert_eq!(world.give(node, &old.item, b"k", None), Err(302));
        assert_eq!(world.held(node, "k").map(|held| held.seq > old.seq), Some(true));
    }
    assert_eq!(*world.read(9, "k"), *b"new");
}

#[test]
fn an_equal_version_with_another_value_is_refused_and_with_the_same_one_renewed() {
    let mut world = World::joined(3);
    let expires = START.0 + 3_600_000;
    let item = |value: &[u8]| World::record("k", START.0 * 1000, value, expires, None);
    assert_eq!(world.give(1, &item(b"one"), b"k", None), Ok(()));
    assert_eq!(world.give(1, &item(b"two"), b"k", None), Err(302));
    assert_eq!(world.give(1, &item(b"one"), b"k", None), Ok(()));
    assert_eq!(world.held(1, "k").map(|held| held.item), Some(item(b"one")));
}

#[test]
fn of_two_puts_at_once_both_end_well_and_all_holders_agree_after_a_read() {
    for seed in 0..40 {
        let mut world = World::joined_with(10, seed, &Config::default());
        world.jitter = Duration::from_millis(60);
        let ids = [
            world.request(2, Request::Put(put_request("k", b"two"))),
            world.request(7, Request::Put(put_request("k", b"seven"))),
        ];
        let puts = [world.finish_put(2, ids[0]), world.finish_put(7, ids[1])];
        let versions = puts.map(|put| put.expect("no holder failed").version);
        let higher = versions.into_iter().max().flatten().expect("two versions");
        let winner: &[u8] = if versions[0] > versions[1] { b"two" } else { b"seven" };
        let got = world.get(4, "k").expect("a majority stored");
        assert_eq!((&*got.value, got.version), (winner, higher), "seed {seed}");
        world.run(Duration::from_secs(2));
        let near = world.closest(&target("k"), 8);
        assert_eq!(world.versions(&near, "k"), vec![higher.get(); 8], "seed {seed}");
    }
}

#[test]
fn many_writers_of_one_key_are_all_answered_and_leave_one_value() {
    let mut world = World::joined_with(10, 5, &Config::default());
    world.jitter = Duration::from_millis(40);
    let ids: Vec<_> = (0..10)
        .map(|node| world.request(node, Request::Put(put_request("k", &[node as u8]))))
        .collect();
    let mut stored = Vec::new();
    for (node, id) in ids.into_iter().enumerate() {
        match world.finish(node, id) {
            Done::Put(Ok(put)) => stored.push((put.version, node as u8)),
            // Overtaken again and again: told as such, never as a success.
            Done::Put(Err(PutError::NotEnoughReplicas(_))) => {}
            other => panic!("{other:?}"),
        }
    }
    let (version, winner) = stored.iter().max().copied().expect("somebody was the last");
    for node in 0..10 {
        let got = world.get(node, "k").expect("a majority stored");
        assert!(Some(got.version) >= version);
        if Some(got.version) == version {
            assert_eq!(*got.value, [winner]);
        }
    }
}

#[test]
fn a_writer_whose_clock_is_behind_still_writes_above_what_is_there() {
    let mut world = World::joined(9);
    world.store(0, "k", b"first");
    world.members[3].wall_ahead_ms = -600_000;
    let second = world.store(3, "k", b"second");
    assert_eq!(*world.read(5, "k"), *b"second");
    world.members[4].wall_ahead_ms = -600_000;
    let third = world.store(4, "k", b"third");
    assert!(third.version > second.version);
    assert_eq!(*world.read(6, "k"), *b"third");
}

#[test]
fn a_version_at_the_end_of_all_versions_is_told() {
    let mut world = World::joined(3);
    // A plain item, since holders judge the versions of records alone.
    let namespace = kv::Namespace::default();
    let signing = kv::ItemSigning {
        signer: namespace.signer().expect("an open namespace can be written").clone(),
        salt: b"k".as_slice().into(),
        seq: wire::Seq::new(1 << 53),
        cas: None,
    };
    world.put_item(0, b"3:end", Some(signing)).expect("holders take it");
    let put = world.put(1, put_request("k", b"v"));
    assert!(matches!(put, Err(PutError::VersionExhausted(_))), "{put:?}");
}

#[test]
fn versions_from_far_ahead_are_refused_by_the_holders() {
    let mut world = World::joined(9);
    world.members[3].wall_ahead_ms = 2 * 3_600_000;
    let Err(PutError::NotEnoughReplicas(report)) = world.put(3, put_request("k", b"v")) else {
        panic!("its clock is two hours ahead")
    };
    assert!(report.replicas.refused.iter().all(|refusal| refusal.code == 203), "{report:?}");
    assert!(report.replicas.stored.len() <= 1, "only by itself: {report:?}");
}

#[test]
fn a_writer_from_far_ahead_does_not_lock_the_key_for_others() {
    let mut world = World::joined(9);
    world.members[3].wall_ahead_ms = 2 * 3_600_000;
    assert!(world.put(3, put_request("k", b"v")).is_err());
    world.store(4, "k", b"w");
    assert_eq!(*world.read(5, "k"), *b"w");
}
