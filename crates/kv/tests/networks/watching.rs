//! A watch tells each newer version once, in rising order, and never misses the last.

use std::time::Duration;

use kv::{
    Config, Done, ItemSigning, Key, Namespace, PutRequest, Request, Version, WatchError,
    WatchRequest,
};
use wire::{Endpoint, Seq};

use super::world::asking::{delete_request, put_for, put_request, target};
use super::world::watching::watch_request;
use super::world::{START, Says, World};

const SECOND: Duration = Duration::from_secs(1);

/// One way of a datagram in a world without jitter.
const ONE_WAY: Duration = Duration::from_millis(10);

/// A node that answers nobody, as the program's verbs start it.
fn add_ephemeral(world: &mut World) -> usize {
    let node = node::Config { ephemeral: true, ..node::Config::default() };
    let watcher = world.add(Config { node, ..Config::default() });
    world.join(watcher, 0);
    watcher
}

fn text(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| Some((*value).to_owned())).collect()
}

#[test]
fn a_watch_tells_what_is_there_and_then_each_newer_version_and_a_deletion() {
    let mut world = World::joined(20);
    world.store(3, "k", b"one");
    let watcher = add_ephemeral(&mut world);
    let id = world.watch(watcher, "k", None);
    world.until_told(watcher, id, 1, 10);
    for value in ["two", "three"] {
        world.run(40 * SECOND);
        world.store(5, "k", value.as_bytes());
    }
    world.delete(6, "k");
    world.run(40 * SECOND);
    world.store(7, "k", b"four");
    world.run(SECOND);
    let mut expected = text(&["one", "two", "three"]);
    expected.push(None);
    expected.extend(text(&["four"]));
    assert_eq!(world.told_values(watcher, id), expected);
    world.told_versions(watcher, id);
}

#[test]
fn a_key_that_holds_nothing_is_watched_until_it_does() {
    let mut world = World::joined(12);
    let watcher = add_ephemeral(&mut world);
    let id = world.watch(watcher, "k", None);
    world.run(100 * SECOND);
    assert!(world.told(watcher, id).is_empty());
    let put = world.store(3, "k", b"v");
    world.run(SECOND);
    let told = world.told(watcher, id);
    assert_eq!((told.len(), Some(told[0].version)), (1, put.version));
    assert_eq!((told[0].expires, told[0].target), (put.expires, target("k")));
}

#[test]
fn the_watcher_hears_no_later_than_one_trip_after_the_put_is_acknowledged() {
    let mut world = World::joined(30);
    let watcher = add_ephemeral(&mut world);
    let id = world.watch(watcher, "k", None);
    let mut quickest = Duration::MAX;
    for round in 0..20_u8 {
        world.run(Duration::from_millis(3_700));
        let put = world.request(usize::from(round), Request::Put(put_request("k", &[round])));
        let (version, acknowledged) = world.until_put(usize::from(round), put);
        let heard = world.until_told(watcher, id, usize::from(round) + 1, 10);
        assert_eq!(world.told_versions(watcher, id).last(), Some(&version));
        let after = heard.since(acknowledged);
        assert!(after <= ONE_WAY, "round {round}: {after:?}");
        quickest = quickest.min(after);
    }
    // Holders tell the writer and the watcher at the same moment.
    assert_eq!(quickest, Duration::ZERO);
}

#[test]
fn a_watch_resumes_where_another_ended() {
    let mut world = World::joined(12);
    let first = world.store(3, "k", b"one").version;
    let second = world.store(3, "k", b"two").version;
    for (after, expected) in [
        (None, text(&["two"])),
        (first, text(&["two"])),
        (second, vec![]),
        (Version::new(u64::MAX >> 1), vec![]),
    ] {
        let watcher = add_ephemeral(&mut world);
        let id = world.watch(watcher, "k", after);
        world.run(5 * SECOND);
        assert_eq!(world.told_values(watcher, id), expected, "after {after:?}");
    }
    let watcher = add_ephemeral(&mut world);
    let id = world.watch(watcher, "k", second);
    world.run(5 * SECOND);
    world.store(4, "k", b"three");
    world.run(SECOND);
    assert_eq!(world.told_values(watcher, id), text(&["three"]));
}

#[test]
fn two_watches_of_one_key_in_one_node_tell_the_same() {
    let mut world = World::joined(12);
    let first = world.store(3, "k", b"one").version;
    let early = world.watch(7, "k", None);
    world.run(5 * SECOND);
    let waiting: usize = (0..12).map(|node| world.waits(node)).sum();
    let late = world.watch(7, "k", None);
    let later = world.watch(7, "k", first);
    world.run(SECOND);
    assert_eq!((0..12).map(|node| world.waits(node)).sum::<usize>(), waiting, "asked once for all");
    world.store(3, "k", b"two");
    world.run(SECOND);
    assert_eq!(world.told_values(7, early), text(&["one", "two"]));
    assert_eq!(world.told_values(7, late), text(&["one", "two"]));
    assert_eq!(world.told_values(7, later), text(&["two"]));
    world.cancel(7, early);
    world.store(3, "k", b"three");
    world.run(SECOND);
    assert_eq!(world.told(7, early).len(), 2);
    assert_eq!(world.told(7, late).len(), 3);
}

#[test]
fn a_holder_watches_its_own_shelf_and_its_own_puts() {
    let mut world = World::joined(3);
    let ids: Vec<_> = (0..3).map(|node| world.watch(node, "k", None)).collect();
    world.run(5 * SECOND);
    for writer in 0..3 {
        world.store(writer, "k", &[b'0' + writer as u8]);
    }
    world.run(SECOND);
    for (node, id) in ids.into_iter().enumerate() {
        assert_eq!(world.told_values(node, id), text(&["0", "1", "2"]), "node {node}");
    }
}

#[test]
fn a_node_alone_watches_what_it_puts_itself() {
    let mut world = World::new(1);
    let node = world.add(Config::default());
    let id = world.watch(node, "k", None);
    world.run(5 * SECOND);
    world.store(node, "k", b"v");
    world.run(SECOND);
    assert_eq!(world.told_values(node, id), text(&["v"]));
}

#[test]
fn who_reaches_nobody_is_told_so() {
    let mut world = World::joined(2);
    world.down(&[0, 1]);
    let watcher = add_ephemeral(&mut world);
    let id = world.watch(watcher, "k", None);
    let done = world.finish(watcher, id);
    assert!(matches!(done, Done::Watched(WatchError::Unreachable)), "{done:?}");
    assert!(world.members[watcher].kv.is_idle());
}

#[test]
fn holders_that_know_no_waits_are_polled() {
    let mut world = World::joined(12);
    (0..12).for_each(|node| world.members[node].foreign = true);
    let watcher = add_ephemeral(&mut world);
    let id = world.watch(watcher, "k", None);
    world.run(10 * SECOND);
    assert_eq!((0..12).map(|node| world.waits(node)).sum::<usize>(), 0);
    for round in 1..=5_usize {
        let put = world.request(2, Request::Put(put_request("k", &[round as u8])));
        let (_, acknowledged) = world.until_put(2, put);
        let heard = world.until_told(watcher, id, round, 10);
        assert!(heard.since(acknowledged) < 7 * SECOND);
        world.run(20 * SECOND);
    }
    let before = world.gets();
    world.run(600 * SECOND);
    let asked = world.gets() - before;
    assert!((8 * 600 / 6..8 * 600 / 4).contains(&asked), "{asked} questions in ten minutes");
}

#[test]
fn a_quiet_watch_costs_a_question_for_each_holder_every_25_seconds() {
    let mut world = World::joined(12);
    world.store(3, "k", b"v");
    let watcher = add_ephemeral(&mut world);
    world.watch(watcher, "k", None);
    world.run(10 * SECOND);
    let before = world.gets();
    world.run(600 * SECOND);
    let asked = world.gets() - before;
    // And a lookup or two.
    assert!((8 * 600 / 26..8 * 600 / 25 + 40).contains(&asked), "{asked} questions in ten minutes");
}

#[test]
fn nothing_waits_any_more_once_the_watcher_is_gone() {
    let mut world = World::joined(12);
    world.store(3, "k", b"v");
    for cancelled in [true, false] {
        let watcher = add_ephemeral(&mut world);
        let id = world.watch(watcher, "k", None);
        world.run(40 * SECOND);
        assert_eq!((0..12).map(|node| world.waits(node)).sum::<usize>(), 8);
        match cancelled {
            true => world.cancel(watcher, id),
            false => world.down(&[watcher]),
        }
        let before = world.told(watcher, id).len();
        world.run(26 * SECOND);
        assert_eq!((0..12).map(|node| world.waits(node)).sum::<usize>(), 0);
        world.store(3, "k", b"w");
        world.run(10 * SECOND);
        assert_eq!(world.told(watcher, id).len(), before);
    }
}

#[test]
fn a_node_watches_a_bounded_number_of_keys() {
    let mut world = World::joined(3);
    let ids: Vec<_> = (0..101).map(|number| world.watch(1, &format!("k{number}"), None)).collect();
    world.run(5 * SECOND);
    for (number, id) in ids.iter().enumerate() {
        let done = world.take_done(1, *id);
        assert_eq!(
            matches!(done, Some(Done::Watched(WatchError::Busy))),
            number == 100,
            "{done:?}"
        );
    }
    world.cancel(1, ids[0]);
    let id = world.watch(1, "k100", None);
    world.store(0, "k100", b"v");
    world.run(5 * SECOND);
    assert_eq!(world.told_values(1, id), text(&["v"]));
}

#[test]
fn what_has_expired_before_it_is_seen_is_not_told_and_expiry_itself_neither() {
    let mut world = World::joined(12);
    world.put(3, put_for("k", b"brief", SECOND)).expect("all are up");
    world.run(10 * SECOND);
    let watcher = add_ephemeral(&mut world);
    let id = world.watch(watcher, "k", None);
    world.run(10 * SECOND);
    assert!(world.told(watcher, id).is_empty());
    world.put(3, put_for("k", b"brief again", SECOND)).expect("all are up");
    world.run(100 * SECOND);
    assert_eq!(world.told_values(watcher, id), text(&["brief again"]));
}

#[test]
fn a_deletion_that_is_there_already_is_told() {
    let mut world = World::joined(12);
    world.store(3, "k", b"v");
    world.put(4, delete_request("k")).expect("there is something to delete");
    let watcher = add_ephemeral(&mut world);
    let id = world.watch(watcher, "k", None);
    world.run(5 * SECOND);
    assert_eq!(world.told_values(watcher, id), [None]);
}

#[test]
fn a_watch_works_in_both_families() {
    let mut world = World::new(1);
    let place = |family: usize, number: u8| {
        let mut v6 = [0; 16];
        (v6[0], v6[15]) = (0xfd, number);
        let v4 = (family != 1).then(|| Endpoint::v4([10, 0, 0, number], 8000));
        [v4, (family != 0).then(|| Endpoint::v6(v6, 8000))]
    };
    for number in 1..=9 {
        let index = world.add_at(place(usize::from(number % 3), number), Config::default());
        if index > 0 {
            world.join(index, 1);
        }
        world.run(SECOND);
    }
    world.run(20 * SECOND);
    let id = world.watch(1, "k", None);
    world.run(5 * SECOND);
    world.store(1, "k", b"v");
    world.run(SECOND);
    assert_eq!(world.told_values(1, id), text(&["v"]));
}

/// A world of twelve nodes and these liars about `k`, closer to it than any of them.
fn among_liars(says: &[Says]) -> World {
    let mut world = World::joined(12);
    for (number, says) in says.iter().enumerate() {
        world.add_liar(&target("k"), number as u8, says.clone());
    }
    world.run(5 * SECOND);
    world
}

#[test]
fn liars_neither_make_up_versions_nor_keep_them_back_nor_busy_the_watcher() {
    let year = START.0 + (1 << 36);
    let ahead = World::record("k", (START.0 + 7_200_000) * 1000, b"ahead", year, None);
    let old = World::record("k", START.0 * 1000 - 5, b"old", year, None);
    for says in [
        Says::Nothing,
        Says::Version(START.0 * 1000 + 600_000_000),
        Says::Version(i64::MAX as u64),
        Says::Item(ahead.clone()),
        Says::Item(old),
        Says::Forged(ahead),
    ] {
        let mut world = among_liars(&[says.clone(), says.clone(), says]);
        world.store(3, "k", b"one");
        let watcher = add_ephemeral(&mut world);
        let id = world.watch(watcher, "k", None);
        world.run(10 * SECOND);
        let before = world.datagrams;
        world.run(300 * SECOND);
        let sent = world.datagrams - before;
        assert!(sent < 3_000, "{sent} datagrams in five minutes");
        world.store(4, "k", b"two");
        world.run(SECOND);
        assert_eq!(world.told_values(watcher, id), text(&["one", "two"]));
    }
}

#[test]
fn a_secret_namespace_is_watched_by_who_knows_its_passphrase() {
    let mut world = World::joined(12);
    let secret = Namespace::secret("open sesame").expect("a passphrase");
    // Knows where the key lies and whose it is, and no more.
    let listener = Namespace::of(secret.owner());
    let put = |value: &[u8]| PutRequest { namespace: secret.clone(), ..put_request("k", value) };
    let watch = |world: &mut World, namespace: &Namespace| {
        let watcher = add_ephemeral(world);
        let request = WatchRequest { namespace: namespace.clone(), ..watch_request("k", None) };
        (watcher, world.request(watcher, Request::Watch(request)))
    };
    let (insider, open) = watch(&mut world, &secret);
    let (outsider, closed) = watch(&mut world, &listener);
    world.run(5 * SECOND);
    world.put(3, put(b"one")).expect("all are up");
    world.put(3, put(b"two")).expect("all are up");
    let deletion = PutRequest { namespace: secret.clone(), ..delete_request("k") };
    world.put(4, deletion).expect("there is something to delete");
    world.run(SECOND);
    let mut expected = text(&["one", "two"]);
    expected.push(None);
    assert_eq!(world.told_values(insider, open), expected);
    assert!(world.told(outsider, closed).is_empty(), "without the secret the key lies elsewhere");
}

#[test]
fn what_does_not_open_is_told_as_that() {
    let mut world = World::joined(12);
    let secret = Namespace::secret("open sesame").expect("a passphrase");
    let watcher = add_ephemeral(&mut world);
    let request = WatchRequest { namespace: secret.clone(), ..watch_request("k", None) };
    let id = world.request(watcher, Request::Watch(request));
    let sealed = PutRequest { namespace: secret.clone(), ..put_request("k", b"sealed") };
    world.put(3, sealed.clone()).expect("all are up");
    // Somebody who can sign writes what is not sealed.
    let key = Key::new("k").expect("a short key");
    let seq = Seq::new(i64::try_from(START.0 * 1000 + 60_000_000).expect("a small version"));
    let signed = ItemSigning {
        signer: secret.signer().expect("it can be written").clone(),
        salt: secret.salt(&key),
        seq,
        cas: None,
    };
    world.put_item(4, b"4:open", Some(signed)).expect("a sound item");
    world.run(SECOND);
    world.put(3, PutRequest { ..sealed }).expect("all are up");
    world.run(SECOND);
    assert_eq!(world.told_values(watcher, id), text(&["sealed", "(sealed)", "sealed"]));
}
