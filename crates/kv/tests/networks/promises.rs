//! Promises: a value lives on until it is told otherwise, and no write or deletion is undone for it.

use std::time::Duration;

use kv::{
    Absence, Done, Fares, GetError, KeepError, KeepReport, KeepRequest, Key, LEAST_PROMISED_TTL,
    MAX_TTL, Namespace, PROMISES, PromiseId, PromiseStatus, PutRequest, Request,
};

use super::world::World;
use super::world::asking::{put_for, put_plain, put_request, target};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

pub fn keep_request(key: &str, ttl: Duration) -> KeepRequest {
    let key = Key::new(key).expect("a short key");
    KeepRequest { namespace: Namespace::default(), key, ttl }
}

pub fn promise(key: &str) -> PromiseId {
    PromiseId::of(&Namespace::default(), &Key::new(key).expect("a short key"))
}

impl World {
    pub fn keep(&mut self, node: usize, keep: KeepRequest) -> Result<Box<KeepReport>, KeepError> {
        let id = self.request(node, Request::Keep(keep));
        match self.finish(node, id) {
            Done::Kept(outcome) => outcome,
            other => panic!("a promise ended with {other:?}"),
        }
    }

    pub fn promises(&mut self, node: usize) -> Vec<PromiseStatus> {
        let id = self.request(node, Request::Promises);
        match self.finish(node, id) {
            Done::Promises(all) => all,
            other => panic!("promises were told as {other:?}"),
        }
    }

    fn fares(&mut self, node: usize) -> Fares {
        self.promises(node)[0].fares
    }
}

/// A value in the default namespace that one node has promised to keep.
fn kept(nodes: usize, seed: u64, life: Duration, ttl: Duration) -> World {
    let mut world = World::joined_with(nodes, seed, &kv::Config::default());
    world.put(1, put_for("k", b"v", life)).expect("enough are up");
    world.keep(0, keep_request("k", ttl)).expect("it was put");
    world
}

#[test]
fn a_promised_value_lives_for_a_month_while_its_holders_are_replaced() {
    let mut world = kept(10, 1, DAY, DAY);
    world.unchecked = true;
    let mut expired = World::joined(3);
    expired.put(1, put_for("k", b"v", DAY)).expect("enough are up");
    for day in 0..30 {
        let mut near = world.closest_living(&target("k"), 3);
        near.retain(|node| *node != 0);
        world.down(&near[..2]);
        for _ in 0..2 {
            let node = world.add(kv::Config::default());
            world.join(node, 0);
        }
        world.run(DAY);
        let reader = *world.living().last().expect("some live");
        let got = world.get(reader, "k").expect("it is kept");
        assert_eq!((&*got.value, got.agreed), (&b"v"[..], 8), "day {day}");
    }
    let status = &world.promises(0)[0];
    assert!(status.looked.is_some() && status.renews == Some(DAY), "{status:?}");
    expired.run(DAY * 2);
    assert!(expired.get(2, "k").is_err(), "without a promise");
}

#[test]
fn what_came_since_the_last_look_is_told_and_looked_at_when_somebody_asks() {
    let mut world = kept(5, 1, DAY, DAY);
    world.run(MINUTE);
    let put = world.put(1, put_for("k", b"new", DAY)).expect("enough are up");
    let told = &world.promises(0)[0];
    assert!(put.version > Some(told.version), "no look is due for an hour");
    assert_eq!(Some(told.fares), put.version.map(Fares::Newer));
    world.run(MINUTE);
    let told = &world.promises(0)[0];
    assert_eq!((Some(told.version), told.expires), (put.version, put.expires));
    assert!(matches!(told.fares, Fares::Alive { holding: 5, .. }), "{told:?}");
    world.delete(1, "k");
    assert!(matches!(world.fares(0), Fares::Newer(_)));
    world.run(MINUTE);
    assert!(matches!(world.fares(0), Fares::Deleted(_)));
}

#[test]
fn a_write_beside_a_renewal_is_never_reverted() {
    let mut met = 0;
    for seed in 0..150 {
        let mut world = kept(10, seed, 20 * MINUTE, 20 * MINUTE);
        let due = world.promises(0)[0].next_in.expect("it is planned");
        world.jitter = Duration::from_millis(seed % 5 * 20);
        // Somebody whose clock is a little ahead or behind writes about when it is renewed.
        world.members[4].wall_ahead_ms = (seed as i64 % 7 - 3) * 400;
        world.run((due + Duration::from_millis(seed * 11 % 700)).saturating_sub(MINUTE / 200));
        let put = world.request(4, Request::Put(put_for("k", b"new", HOUR)));
        let stored = world.finish_put(4, put).is_ok();
        world.run(Duration::from_secs(5));
        met += usize::from(world.promises(0)[0].fares == Fares::Overtaken);
        if stored {
            for reader in [2, 7] {
                assert_eq!(*world.read(reader, "k"), *b"new", "seed {seed}");
            }
            world.run(2 * HOUR);
            assert_eq!(*world.read(7, "k"), *b"new", "seed {seed}, renewed");
        }
    }
    assert!(met > 0, "no write met a renewal");
}

#[test]
fn a_promise_without_a_signer_brings_the_same_bytes_back_when_all_holders_died() {
    let mut world = World::joined(12);
    let theirs = Namespace::of(Namespace::default().owner());
    let near = world.closest(&target("k"), 8);
    let keeper = world.far_from(&target("k"), 8)[0];
    world.store(keeper, "k", b"v");
    let before = world.held(near[0], "k").expect("it is a holder").item;
    let keep = KeepRequest { namespace: theirs, ..keep_request("k", DAY) };
    let report = world.keep(keeper, keep).expect("it was put");
    assert_eq!((report.renews, report.durable), (None, false));
    world.down(&near);
    for _ in 0..8 {
        let node = world.add(kv::Config::default());
        world.join(node, keeper);
    }
    world.run(2 * HOUR);
    for node in world.closest_living(&target("k"), 8) {
        let held = world.held(node, "k").expect("it came back");
        assert_eq!(held.item, before, "byte for byte");
    }
    world.run(7 * DAY);
    assert!(matches!(world.fares(keeper), Fares::Expired(_)));
    assert!(world.get(keeper, "k").is_err(), "it may not renew");
}

#[test]
fn a_plain_value_is_put_again_every_hour() {
    let mut world = World::joined(12);
    world.put(1, put_plain("k", b"v")).expect("enough are up");
    let report = world.keep(0, keep_request("k", DAY)).expect("it was put");
    assert_eq!((report.expires, report.renews), (None, None));
    let version = report.version.get();
    world.run(DAY);
    let near = world.closest(&target("k"), 8);
    assert_eq!(world.versions(&near, "k"), vec![version; 8]);
    let id = world.request(0, Request::Unkeep(promise("k")));
    assert!(matches!(world.finish(0, id), Done::Unkept(Ok(()))));
    world.run(3 * HOUR);
    assert_eq!(world.versions(&near, "k"), vec![0; 8]);
}

#[test]
fn a_deletion_is_not_undone_and_what_is_put_later_is_kept_again() {
    for away in [None, Some(3 * HOUR), Some(5 * DAY)] {
        let mut world = kept(12, 3, DAY, DAY);
        if away.is_some() {
            // The promising node misses it, even until nobody remembers.
            world.cut_off(&[0]);
        }
        world.delete(5, "k");
        world.run(away.unwrap_or(HOUR));
        world.heal();
        world.join(0, 1);
        world.run(3 * HOUR);
        let fares = world.fares(0);
        match away {
            Some(away) if away > DAY => assert!(matches!(fares, Fares::Expired(_)), "{fares:?}"),
            _ => assert!(matches!(fares, Fares::Deleted(_)), "{fares:?}"),
        }
        world.run(3 * DAY);
        assert!(world.get(7, "k").is_err());
        assert!(world.promises(0)[0].next_in.is_some(), "it rests, and looks");
        world.put(5, put_for("k", b"again", DAY)).expect("enough are up");
        world.run(3 * DAY);
        assert_eq!(*world.read(7, "k"), *b"again");
    }
}

#[test]
fn what_expired_while_the_keeper_was_away_does_not_come_back() {
    let mut world = kept(12, 4, DAY, DAY);
    world.cut_off(&[0]);
    world.run(16 * HOUR);
    assert_eq!(world.fares(0), Fares::Alone);
    world.run(3 * DAY);
    world.heal();
    world.join(0, 1);
    world.run(2 * HOUR);
    assert!(matches!(world.fares(0), Fares::Expired(_)), "{:?}", world.fares(0));
    assert!(world.get(6, "k").is_err());
}

#[test]
fn what_a_majority_knows_to_have_ended_is_not_said_to_be_kept() {
    let mut world = kept(12, 6, 30 * DAY, 30 * DAY);
    world.cut_off(&[0]);
    world.put(5, put_for("k", b"short-lived", HOUR)).expect("enough are up");
    world.run(2 * HOUR);
    world.heal();
    world.join(0, 1);
    world.run(MINUTE / 10);
    let again = world.keep(0, keep_request("k", 30 * DAY));
    let ended = matches!(again, Err(KeepError::NotFound { absence: Absence::Expired(_), .. }));
    assert!(ended, "{again:?}");
}

#[test]
fn a_node_that_was_always_alone_renews() {
    let mut world = World::joined(1);
    world.put(0, put_for("k", b"v", DAY)).expect("it is alone");
    world.keep(0, keep_request("k", DAY)).expect("it was put");
    world.run(7 * DAY);
    assert_eq!(*world.read(0, "k"), *b"v");
}

#[test]
fn a_renewal_on_the_smaller_side_of_a_cut_does_not_beat_a_write_on_the_other() {
    let mut world = kept(12, 5, HOUR, HOUR);
    let near = world.closest(&target("k"), 8);
    let mut small: Vec<usize> = near[..2].to_vec();
    small.push(0);
    world.cut_off(&small);
    let writer = *near[2..].iter().find(|node| **node != 0).expect("six are left");
    world.run(10 * MINUTE);
    world.put(writer, put_for("k", b"new", DAY)).expect("a majority is on this side");
    world.run(2 * HOUR);
    world.heal();
    world.run(2 * HOUR);
    for reader in [near[0], near[1], writer] {
        assert_eq!(*world.read(reader, "k"), *b"new");
    }
}

#[test]
fn a_secret_value_is_renewed_and_stays_readable_for_friends_alone() {
    let mut world = World::joined(12);
    let namespace = Namespace::secret("open sesame").expect("a passphrase");
    let put = PutRequest { namespace: namespace.clone(), ..put_for("k", b"v", HOUR) };
    let first = world.put(1, put).expect("enough are up");
    let keep = KeepRequest { namespace: namespace.clone(), ..keep_request("k", HOUR) };
    world.keep(0, keep).expect("it was put");
    world.run(DAY);
    let key = Key::new("k").expect("a short key");
    let get = kv::GetRequest { namespace, key, consistency: kv::Consistency::Quorum, trace: false };
    let id = world.request(5, Request::Get(get));
    let Done::Got(Ok(got)) = world.finish(5, id) else { panic!("it is kept") };
    assert_eq!(*got.value, *b"v");
    assert!(Some(got.version) > first.version && world.promises(0)[0].secret);
    assert_eq!(Some(got.version.written_at()), first.version.map(kv::Version::written_at));
}

#[test]
fn ten_thousand_promises_are_looked_after_within_their_hour_and_few_at_once() {
    const MANY: usize = 10_000;
    let mut world = World::joined(2);
    world.unchecked = true;
    for number in 0..MANY {
        let key = format!("key {number}");
        world.store(1, &key, b"v");
        world.keep(0, keep_request(&key, 30 * DAY)).expect("it was put");
    }
    let (before, mut most) = (world.now_at(0).wall, 0);
    for _ in 0..75 * 60 {
        let datagrams = world.datagrams;
        world.run(Duration::from_secs(1));
        most = most.max(world.datagrams - datagrams);
    }
    let all = world.promises(0);
    assert_eq!(all.len(), MANY);
    let late = all.iter().filter(|it| it.looked.is_none_or(|looked| looked < before)).count();
    assert_eq!(late, 0, "of {MANY}");
    // Without a spread and a pace it would be 10,000 lookups in the second when they are due.
    assert!(most < 500, "{most} datagrams in one second");
}

#[test]
fn a_node_takes_only_so_many_promises() {
    let mut world = World::joined(1);
    world.unchecked = true;
    for number in 0..PROMISES {
        let key = format!("key {number}");
        world.put(0, put_plain(&key, b"v")).expect("it is alone");
        world.keep(0, keep_request(&key, DAY)).expect("there is room");
    }
    world.store(0, "one more", b"v");
    assert_eq!(world.keep(0, keep_request("one more", DAY)), Err(KeepError::TooMany));
    world.keep(0, keep_request("key 7", DAY)).expect("it is kept already");
    let id = world.request(0, Request::Unkeep(promise("key 7")));
    assert!(matches!(world.finish(0, id), Done::Unkept(Ok(()))));
    world.keep(0, keep_request("one more", DAY)).expect("there is room again");
}

#[test]
fn a_promise_that_is_made_again_puts_at_once_what_all_others_lost() {
    let mut world = World::joined(2);
    world.store(1, "k", b"v");
    let keeper = world.add(kv::Config {
        node: node::Config { ephemeral: true, ..node::Config::default() },
        ..kv::Config::default()
    });
    world.join(keeper, 0);
    world.run(MINUTE / 60);
    world.keep(keeper, keep_request("k", DAY)).expect("it was put");
    world.down(&[0, 1]);
    let fresh = world.add(kv::Config::default());
    world.join(keeper, fresh);
    world.run(30 * MINUTE);
    let again = world.keep(keeper, keep_request("k", DAY)).expect("it was promised");
    assert!(matches!(again.fares, Fares::Alive { .. }), "{again:?}");
    world.run(MINUTE / 60);
    assert_eq!(*world.read(fresh, "k"), *b"v");
}

#[test]
fn what_cannot_be_kept_is_told() {
    let mut world = World::joined(12);
    let absent = world.keep(0, keep_request("nothing", DAY));
    assert!(matches!(absent, Err(KeepError::NotFound { absence: Absence::NeverSeen, .. })));
    world.store(0, "k", b"v");
    world.delete(0, "k");
    let deleted = world.keep(0, keep_request("k", DAY));
    assert!(matches!(deleted, Err(KeepError::NotFound { absence: Absence::Deleted(_), .. })));
    for ttl in [Duration::ZERO, LEAST_PROMISED_TTL - MINUTE, MAX_TTL + MINUTE] {
        assert_eq!(world.keep(0, keep_request("k", ttl)), Err(KeepError::BadTtl(ttl)));
    }
    world.put(0, put_request("k", b"w")).expect("enough are up");
    let near = world.closest(&target("k"), 8);
    world.down(&near[1..]);
    let few = world.keep(near[0], keep_request("k", DAY));
    assert!(matches!(few, Err(KeepError::NotEnoughReplicas { answered: 1.., .. })), "{few:?}");
    let unkept = world.request(near[0], Request::Unkeep(promise("k")));
    let done = world.finish(near[0], unkept);
    assert!(matches!(done, Done::Unkept(Err(kv::UnkeepError::NotKept))), "{done:?}");
    assert!(matches!(world.get(near[0], "k"), Err(GetError::NotEnoughReplicas { .. })));
}
