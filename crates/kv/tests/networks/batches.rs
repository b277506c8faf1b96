//! Many puts and gets at once: what they cost, and that each comes to what it would come to alone,
//! whatever was learned before and has changed since.

use std::time::Duration;

use kv::{Batched, Config, Consistency, Done, Expected, GetError, Request, RequestId};

use super::world::asking::{GetOutcome, PutOutcome, get_request, put_if, put_request, target};
use super::world::{Says, World};

/// A network, and a client of it that answers nobody and knows only the first node.
fn with_client(nodes: usize) -> (World, usize) {
    let mut world = World::joined(nodes);
    let client = add_client(&mut world);
    (world, client)
}

fn add_client(world: &mut World) -> usize {
    let mut config = Config::default();
    config.node.ephemeral = true;
    let client = world.add(config);
    world.join(client, 0);
    world.run(Duration::from_secs(1));
    client
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("key {number}")).collect()
}

impl World {
    fn get_batched(&mut self, node: usize, keys: &[String]) -> Vec<GetOutcome> {
        self.get_batched_as(node, keys, Consistency::Quorum)
    }

    fn get_batched_as(
        &mut self,
        node: usize,
        keys: &[String],
        consistency: Consistency,
    ) -> Vec<GetOutcome> {
        let batched = |key: &String| Request::Batched(Batched::Get(get_request(key, consistency)));
        let ids: Vec<RequestId> = keys.iter().map(|key| self.request(node, batched(key))).collect();
        let outcomes = ids.into_iter().map(|id| match self.finish(node, id) {
            Done::Got(outcome) => outcome,
            other => panic!("a get ended with {other:?}"),
        });
        outcomes.collect()
    }

    fn put_batched(&mut self, node: usize, puts: Vec<kv::PutRequest>) -> Vec<PutOutcome> {
        let batched = |put| Request::Batched(Batched::Put(put));
        let ids: Vec<RequestId> =
            puts.into_iter().map(|put| self.request(node, batched(put))).collect();
        ids.into_iter().map(|id| self.finish_put(node, id)).collect()
    }

    fn put_all(&mut self, node: usize, keys: &[String]) {
        let puts = keys.iter().map(|key| put_request(key, key.as_bytes())).collect();
        let outcomes = self.put_batched(node, puts);
        assert!(outcomes.iter().all(Result::is_ok));
    }
}

/// Queries for each key, all keys together.
fn asked_per_key(outcomes: &[GetOutcome]) -> f64 {
    let asked = |outcome: &GetOutcome| match outcome {
        Ok(report) => report.effort.asked,
        Err(GetError::NotFound { effort, .. }) => effort.asked,
        Err(error) => panic!("{error}"),
    };
    outcomes.iter().map(asked).sum::<usize>() as f64 / outcomes.len() as f64
}

#[test]
fn a_batch_asks_each_replica_of_each_key_once_and_hardly_anybody_else() {
    let (mut world, client) = with_client(50);
    let keys = keys(600);
    world.put_all(client, &keys);
    let reader = add_client(&mut world);
    let outcomes = world.get_batched(reader, &keys);
    for (key, outcome) in keys.iter().zip(&outcomes) {
        let report = outcome.as_ref().expect("it was stored");
        assert_eq!((&*report.value, report.agreed), (key.as_bytes(), 8));
    }
    let asked = asked_per_key(&outcomes);
    assert!((8.0..=8.8).contains(&asked), "{asked} queries a key");
    // Once all are known: eight each, and none for nothing.
    assert_eq!(asked_per_key(&world.get_batched(reader, &keys[..100])), 8.0);
    let absent = self::keys(1000).split_off(900);
    assert_eq!(asked_per_key(&world.get_batched(reader, &absent)), 8.0);
}

#[test]
fn a_batch_takes_a_tenth_of_the_time_that_one_after_the_other_takes() {
    let (mut world, client) = with_client(50);
    let keys = keys(300);
    world.put_all(client, &keys);
    let alone = add_client(&mut world);
    let batched = add_client(&mut world);
    let start = world.now_at(alone).monotonic;
    for key in &keys {
        world.read(alone, key);
    }
    let middle = world.now_at(alone).monotonic;
    assert!(world.get_batched(batched, &keys).iter().all(Result::is_ok));
    let end = world.now_at(alone).monotonic;
    let (single, batch) = (middle.since(start), end.since(middle));
    assert!(batch * 10 <= single, "{batch:?}, and {single:?} one after the other");
}

#[test]
fn a_batch_finds_the_same_replicas_as_a_get_alone() {
    let (mut world, client) = with_client(60);
    let keys = keys(150);
    world.put_all(client, &keys);
    let alone = add_client(&mut world);
    for (key, batched) in keys.iter().zip(world.get_batched(client, &keys)) {
        let (batched, single) = (batched.unwrap(), world.get(alone, key).unwrap());
        let facts = |report: &kv::GetReport| {
            (report.version, report.source, report.agreed, report.known, report.missing)
        };
        assert_eq!(facts(&batched), facts(&single), "{key}");
    }
}

#[test]
fn nodes_that_went_after_they_were_learned_cost_time_but_no_key() {
    let (mut world, client) = with_client(40);
    let keys = keys(200);
    world.put_all(client, &keys);
    // Three: of no key's eight replicas more than these can be gone.
    world.down(&[1, 14, 27]);
    let outcomes = world.get_batched(client, &keys);
    let alone = add_client(&mut world);
    for (key, batched) in keys.iter().zip(outcomes) {
        let single = world.get(alone, key);
        let value = |outcome: &GetOutcome| outcome.as_ref().ok().map(|report| report.value.clone());
        assert_eq!(value(&batched), value(&single), "{key}: {batched:?} {single:?}");
        assert_eq!(value(&batched).as_deref(), Some(key.as_bytes()));
    }
    // What is put now lies on those that live.
    world.put_all(client, &keys);
    world.get_batched(alone, &keys).into_iter().for_each(|outcome| {
        outcome.expect("a majority lives");
    });
}

#[test]
fn newcomers_closer_than_all_that_were_learned_are_found() {
    let (mut world, client) = with_client(16);
    let keys = keys(80);
    world.put_all(client, &keys);
    for _ in 0..16 {
        let node = world.add(Config::default());
        world.join(node, 0);
        world.run(Duration::from_millis(100));
    }
    world.run(Duration::from_secs(60));
    let batched = world.get_batched(client, &keys);
    let alone = add_client(&mut world);
    for (key, batched) in keys.iter().zip(batched) {
        let (batched, single) = (batched.unwrap(), world.get(alone, key).unwrap());
        assert_eq!(batched.source, single.source, "{key}");
        assert_eq!(&*batched.value, key.as_bytes());
    }
}

#[test]
fn liars_that_were_learned_hide_nothing_from_a_batch() {
    let mut world = World::joined(12);
    let client = add_client(&mut world);
    for (number, says) in
        [Says::Nothing, Says::Nothing, Says::Version(1 << 50)].into_iter().enumerate()
    {
        world.add_liar(&target("key 0"), number as u8, says);
    }
    world.run(Duration::from_secs(5));
    let keys = keys(60);
    world.put_all(client, &keys);
    for round in 0..3 {
        for (key, outcome) in keys.iter().zip(world.get_batched(client, &keys)) {
            assert_eq!(*outcome.expect("five hold it").value, *key.as_bytes(), "round {round}");
        }
    }
}

#[test]
fn lost_datagrams_lose_no_key_of_a_batch() {
    let (mut world, client) = with_client(30);
    let reader = add_client(&mut world);
    // Both know somebody: the way in is one datagram, which may be lost like any other.
    for client in [client, reader] {
        assert!(matches!(world.get(client, "none"), Err(GetError::NotFound { .. })));
    }
    world.loss = 20;
    let keys = keys(300);
    world.put_all(client, &keys);
    let mut heard_too_few = 0;
    for (key, outcome) in keys.iter().zip(world.get_batched(reader, &keys)) {
        // Of about two thousand one hears too few of its replicas. That is told, and the next get
        // has another chance.
        let report = outcome.or_else(|error| {
            assert!(matches!(error, GetError::NotEnoughReplicas { .. }), "{key}: {error}");
            heard_too_few += 1;
            world.get(reader, key)
        });
        assert_eq!(*report.expect("a majority answers").value, *key.as_bytes());
    }
    assert!(heard_too_few <= 2, "{heard_too_few} of {}", keys.len());
}

#[test]
fn conditions_in_a_batch_hold_each_for_its_own_key() {
    let (mut world, client) = with_client(20);
    let keys = keys(40);
    world.put_all(client, &keys[..20]);
    let puts = keys.iter().map(|key| put_if(key, b"new", Expected::Absent)).collect();
    for (number, outcome) in world.put_batched(client, puts).into_iter().enumerate() {
        assert_eq!(outcome.is_ok(), number >= 20, "{number}: {outcome:?}");
    }
}

#[test]
fn a_batched_get_of_the_first_value_asks_no_more_than_one_of_a_majority() {
    let (mut world, client) = with_client(30);
    let keys = keys(100);
    world.put_all(client, &keys);
    let outcomes = world.get_batched_as(client, &keys, Consistency::First);
    let asked = asked_per_key(&outcomes);
    assert!(asked <= 8.0, "{asked}");
}

#[test]
fn no_more_datagrams_are_on_their_way_than_the_window_takes() {
    let (mut world, client) = with_client(20);
    let keys = keys(500);
    let before = world.datagrams;
    for key in &keys {
        let get = get_request(key, Consistency::Quorum);
        world.request(client, Request::Batched(Batched::Get(get)));
    }
    // Nothing has been answered yet; of each, a few of eight are asked first.
    assert!(world.datagrams - before <= 128, "{}", world.datagrams - before);
}

#[test]
fn beyond_what_may_wait_a_batch_is_told_that_the_node_is_busy() {
    let (mut world, client) = with_client(3);
    let request = || Request::Batched(Batched::Get(get_request("k", Consistency::Quorum)));
    let ids: Vec<RequestId> = (0..1200).map(|_| world.request(client, request())).collect();
    let busy = |id: &RequestId, world: &mut World| {
        matches!(world.take_done(client, *id), Some(Done::Got(Err(GetError::Busy))))
    };
    assert!(ids.iter().take(1024).all(|id| !busy(id, &mut world)));
    assert!(busy(ids.last().unwrap(), &mut world));
    // Those that wait are still served.
    assert!(matches!(world.finish(client, ids[1000]), Done::Got(Err(GetError::NotFound { .. }))));
}

#[test]
fn where_nobody_is_a_batch_ends_at_once() {
    let mut world = World::new(1);
    let mut config = Config::default();
    config.node.ephemeral = true;
    let client = world.add(config);
    for outcome in world.get_batched(client, &keys(300)) {
        assert!(matches!(outcome, Err(GetError::Unreachable(_))));
    }
}
