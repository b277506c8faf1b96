//! A read brings what it found to those that lack it.

use std::time::Duration;

use kv::{Config, Consistency, GetRequest, Namespace, Request};
use node::Method;
use wire::Signer;

use super::world::asking::{get_request, put_for, target};
use super::world::{START, World};

const MOMENT: Duration = Duration::from_secs(2);

#[test]
fn holders_that_missed_a_put_get_it_from_the_next_reader() {
    for reader in 0..20 {
        let mut world = World::joined_with(20, 3, &Config::default());
        let near = world.closest(&target("k"), 8);
        let far = world.far_from(&target("k"), 8)[0];
        world.store(far, "k", b"old");
        world.down(&near[..3]);
        let new = world.store(far, "k", b"new").version.expect("a version").get();
        world.up(&near[..3]);
        let got = world.get(reader, "k").expect("a majority holds it");
        assert_eq!((&*got.value, got.stale, got.repairing), (&b"new"[..], 3, 3), "from {reader}");
        world.run(MOMENT);
        assert_eq!(world.versions(&near, "k"), vec![new; 8], "from {reader}");
        let again = world.get(reader, "k").expect("all hold it");
        assert_eq!((again.agreed, again.stale, again.repairing), (8, 0, 0));
    }
}

#[test]
fn holders_that_never_had_it_get_it_too() {
    let mut world = World::joined(20);
    let near = world.closest(&target("k"), 8);
    let far = world.far_from(&target("k"), 8)[0];
    world.down(&near[5..]);
    let version = world.store(far, "k", b"v").version.expect("a version").get();
    world.up(&near[5..]);
    let got = world.get(near[6], "k").expect("a majority holds it");
    assert_eq!((got.missing, got.repairing), (3, 3), "itself among them");
    world.run(MOMENT);
    assert_eq!(world.versions(&near, "k"), vec![version; 8]);
}

#[test]
fn an_ephemeral_reader_repairs_before_it_leaves() {
    let mut world = World::joined(12);
    let near = world.closest(&target("k"), 8);
    world.down(&near[..2]);
    let version = world.store(near[4], "k", b"v").version.expect("a version").get();
    world.up(&near[..2]);
    let ephemeral = node::Config { ephemeral: true, ..node::Config::default() };
    let client = world.add(Config { node: ephemeral, ..Config::default() });
    world.join(client, near[3]);
    let got = world.get(client, "k").expect("a majority holds it");
    assert_eq!(got.repairing, 2);
    while !world.members[client].kv.is_idle() {
        world.run(Duration::from_millis(1));
    }
    world.down(&[client]);
    assert_eq!(world.versions(&near, "k"), vec![version; 8]);
}

#[test]
fn a_stale_copy_never_replaces_a_newer_one() {
    let mut world = World::joined(12);
    let near = world.closest(&target("k"), 8);
    world.store(near[0], "k", b"old");
    // Most hold the old one; the newest is in the minority.
    world.cut_off(&near[..3]);
    let put = world.put(near[0], super::world::asking::put_request("k", b"new"));
    assert!(put.is_err(), "a minority");
    world.heal();
    let newest = world.held(near[0], "k").expect("it holds its own").seq;
    for reader in near.iter().rev() {
        world.get(*reader, "k").expect("a majority answers");
        world.run(MOMENT);
        let versions = world.versions(&near, "k");
        assert!(versions[..3].iter().all(|version| *version == newest), "{versions:?}");
    }
    assert_eq!(world.versions(&near, "k"), vec![newest; 8]);
}

#[test]
fn two_values_under_one_version_become_one() {
    let mut world = World::joined(12);
    let near = world.closest(&target("k"), 8);
    let expires = START.0 + 3_600_000;
    let item = |value: &[u8]| World::record("k", START.0 * 1000 + 5, value, expires, None);
    for (place, node) in near.iter().enumerate() {
        let value: &[u8] = if place % 2 == 0 { b"lesser" } else { b"zreater" };
        assert_eq!(world.give(*node, &item(value), b"k", None), Ok(()));
    }
    let got = world.get(near[1], "k").expect("all hold something");
    assert_eq!(*got.value, *b"zreater");
    assert_eq!((got.agreed, got.stale), (4, 4));
    world.run(MOMENT);
    let first = world.held(near[0], "k").expect("it was given one");
    assert!(first.seq > START.0 * 1000 + 5);
    for node in &near {
        assert_eq!(world.held(*node, "k").map(|held| held.seq), Some(first.seq));
    }
    assert_eq!(*world.read(near[2], "k"), *b"zreater");
}

#[test]
fn a_reader_without_the_signer_repairs_what_it_can() {
    let mut world = World::joined(12);
    let signer = Signer::from_seed(&[5; 32]);
    let theirs = Namespace::signed(signer.clone());
    let key = get_request("k", Consistency::Quorum).key;
    let near = world.closest(&theirs.target(&key), 8);
    world.down(&near[..3]);
    let mut request = super::world::asking::put_request("k", b"v");
    request.namespace = theirs.clone();
    world.put(near[5], request).expect("five are a majority");
    world.up(&near[..3]);
    let namespace = Namespace::of(signer.public_key());
    let request = GetRequest { namespace, ..get_request("k", Consistency::Quorum) };
    let id = world.request(near[6], Request::Get(request));
    world.finish(near[6], id);
    world.run(MOMENT);
    for node in near {
        assert!(world.held_item(node, theirs.target(&key), b"k").is_some());
    }
}

#[test]
fn a_tombstone_is_brought_to_those_that_lack_it() {
    let mut world = World::joined(12);
    let near = world.closest(&target("k"), 8);
    world.store(near[0], "k", b"v");
    world.down(&near[..3]);
    let deleted = world.delete(near[4], "k").version.expect("a version").get();
    world.up(&near[..3]);
    assert!(world.get(near[5], "k").is_err());
    world.run(MOMENT);
    assert_eq!(world.versions(&near, "k"), vec![deleted; 8]);
}

#[test]
fn what_has_expired_is_not_repaired() {
    let mut world = World::joined(12);
    let near = world.closest(&target("k"), 8);
    world.down(&near[..3]);
    world.put(near[4], put_for("k", b"v", Duration::from_secs(60))).expect("five are enough");
    world.up(&near[..3]);
    world.members[near[5]].wall_ahead_ms = 120_000;
    let before = world.members[near[0]].kv.node().counters().answered_to(Method::Put);
    assert!(world.get(near[5], "k").is_err(), "expired by the reader's clock");
    world.run(MOMENT);
    assert_eq!(world.members[near[0]].kv.node().counters().answered_to(Method::Put), before);
}

#[test]
fn nothing_is_repaired_on_the_word_of_a_minority() {
    let mut world = World::joined(20);
    let near = world.closest(&target("k"), 8);
    let far = world.far_from(&target("k"), 8)[0];
    world.down(&near[..1]);
    world.store(far, "k", b"v");
    world.up(&near[..1]);
    world.down(&near[3..]);
    assert!(world.get(far, "k").is_err());
    world.run(MOMENT);
    assert!(world.held(near[0], "k").is_none());
}
