//! Promises of values of many chunks: record and chunks live on together, from what the network has.

use std::time::Duration;

use kv::{
    Change, ChunksFare, ChunksPutRequest, Consistency, Done, Fares, GetRequest, KeepError,
    KeepRequest, Key, ManifestBuilder, ManifestReader, Namespace, PIECE_BYTES, PROMISED_BYTES,
    PromiseStatus, PutRequest, Request, ValueHasher,
};
use wire::{Item, Seq};

use super::large::{cut, value};
use super::promises::{keep_request, promise};
use super::world::asking::{get_request, put_for};
use super::world::{START, World};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

impl World {
    fn first_promise(&mut self, node: usize) -> PromiseStatus {
        self.promises(node).remove(0)
    }

    fn chunks(&mut self, node: usize) -> ChunksFare {
        self.first_promise(node).chunks.expect("it is a large value").fare
    }
}

/// A value of so many pieces for so long, and a promise of the first node to keep it.
fn kept(nodes: usize, pieces: usize, life: Duration, ttl: Duration) -> (World, Vec<u8>) {
    let (mut world, value) = (World::joined(nodes), value(pieces));
    world.unchecked = true;
    world.store_large(1, "k", &value, START + life);
    let report = world.keep(0, keep_request("k", ttl)).expect("it was put");
    assert_eq!((report.renews, report.chunks), (Some(ttl), Some(cut(&value).1.len() as u64)));
    (world, value)
}

#[test]
fn a_promised_large_value_outlives_its_expiry_and_most_of_its_holders() {
    let (mut world, value) = kept(12, 40, DAY, DAY);
    for round in 0..8 {
        // Every node but the keeper is replaced in turn.
        let living = world.living();
        let gone: Vec<usize> = living.iter().copied().filter(|node| *node != 0).take(3).collect();
        world.down(&gone);
        for _ in 0..3 {
            let node = world.add(kv::Config::default());
            world.join(node, 0);
        }
        world.run(DAY / 2);
        let reader = *world.living().last().expect("some live");
        assert!(world.read_large(reader, "k").0.as_ref() == Ok(&value), "round {round}");
    }
    let status = world.first_promise(0);
    assert!(matches!(status.fares, Fares::Alive { .. } | Fares::Renewed { .. }), "{status:?}");
    assert!(matches!(world.chunks(0), ChunksFare::Kept { .. }), "{status:?}");
    world.request(0, Request::Unkeep(promise("k")));
    world.run(3 * DAY);
    assert!(world.get(0, "k").is_err(), "without a promise");
    let held: usize =
        world.living().iter().map(|n| world.members[*n].kv.node().held_items().0).sum();
    assert_eq!(held, 0, "chunks end with their value");
}

#[test]
fn chunks_that_too_few_hold_are_given_to_the_others() {
    let (mut world, value) = (World::joined(12), value(40));
    let (manifest, items) = cut(&value);
    world.put_manifest(1, "k", &manifest, START + 7 * DAY);
    // Each chunk at one node only, as after a loss of the seven others.
    for item in &items {
        let last = world.closest(&item.target(), 8)[7];
        assert_eq!(world.give_leased(last, item, START + 8 * DAY), Ok(()));
    }
    world.keep(0, keep_request("k", 7 * DAY)).expect("its record is there");
    world.run(MINUTE);
    let ChunksFare::Kept { given } = world.chunks(0) else { panic!("{:?}", world.chunks(0)) };
    assert!(given >= items.len() * 6, "{given} copies");
    for item in &items {
        let near = world.closest(&item.target(), 8);
        let holding = near.iter().filter(|node| world.lease_at(**node, item).is_some());
        assert_eq!(holding.count(), 8);
    }
    assert!(world.read_large(5, "k").0 == Ok(value));
}

#[test]
fn lost_chunks_are_told_and_so_is_that_their_holders_came_back() {
    let (mut world, value) = (World::joined(12), value(60));
    let (manifest, items) = cut(&value);
    world.put_chunks(2, &items[3..], START + 7 * DAY);
    world.put_manifest(2, "k", &manifest, START + 7 * DAY);
    world.keep(0, keep_request("k", 7 * DAY)).expect("its record is there");
    assert_eq!(world.chunks(0), ChunksFare::NotYet);
    world.run(2 * MINUTE);
    let fare = world.chunks(0);
    assert!(matches!(fare, ChunksFare::Missing { missing: 3, .. }), "{fare:?}");
    assert!(matches!(world.first_promise(0).fares, Fares::Alive { .. }));
    world.put_chunks(2, &items[..3], START + 7 * DAY);
    world.run(2 * HOUR);
    assert!(matches!(world.chunks(0), ChunksFare::Kept { .. }), "{:?}", world.chunks(0));
    assert!(world.read_large(5, "k").0 == Ok(value));
}

#[test]
fn a_renewal_extends_the_leases_of_the_chunks_first() {
    let (mut world, value) = kept(10, 50, HOUR, HOUR);
    let first = world.first_promise(0).expires.expect("it has an expiry");
    world.run(40 * MINUTE);
    let renewed = world.first_promise(0).expires.expect("it has an expiry");
    assert!(renewed > first);
    for item in &cut(&value).1 {
        for node in world.closest(&item.target(), 8) {
            let lease = world.lease_at(node, item).expect("it is a holder");
            assert!(lease >= renewed, "{} ms too soon", renewed.since(lease).as_millis());
        }
    }
    world.run(6 * HOUR);
    assert!(world.read_large(7, "k").0 == Ok(value));
}

#[test]
fn who_may_not_sign_keeps_the_chunks_until_the_record_expires() {
    let mut world = World::joined(10);
    let value = value(40);
    world.store_large(1, "k", &value, START + DAY);
    let namespace = Namespace::of(Namespace::default().owner());
    let report = world.keep(0, KeepRequest { namespace, ..keep_request("k", DAY) });
    assert_eq!(report.map(|report| report.renews), Ok(None));
    world.run(20 * HOUR);
    assert!(matches!(world.chunks(0), ChunksFare::Kept { .. }), "{:?}", world.chunks(0));
    assert!(world.read_large(7, "k").0 == Ok(value));
    world.run(DAY);
    assert!(matches!(world.first_promise(0).fares, Fares::Expired(_)));
}

#[test]
fn a_newer_value_is_kept_from_then_on_and_the_chunks_of_the_old_one_end() {
    let (mut world, _) = kept(10, 40, DAY, DAY);
    let newer = super::large::value(45);
    world.run(HOUR / 2);
    let expires = world.now_at(1).wall + DAY;
    world.store_large(1, "k", &newer, expires);
    world.run(3 * DAY);
    assert!(world.read_large(7, "k").0 == Ok(newer));
    assert_eq!(world.first_promise(0).chunks.map(|chunks| chunks.of), Some(46));
    world.put(3, put_for("k", b"small", DAY)).expect("enough are up");
    world.run(3 * DAY);
    assert_eq!((&*world.read(7, "k"), world.first_promise(0).chunks), (&b"small"[..], None));
    let held: usize = world.members.iter().map(|member| member.kv.node().held_items().0).sum();
    assert!(held <= 10, "{held} items are held: chunks of what nobody keeps");
}

#[test]
fn a_walk_through_many_chunks_is_paced_and_those_of_two_values_do_not_add_up() {
    let (mut world, _) = kept(12, 400, DAY, DAY);
    let second = value(300);
    world.store_large(1, "l", &second, START + DAY);
    world.keep(0, keep_request("l", DAY)).expect("it was put");
    let mut most = 0;
    for _ in 0..30 {
        let datagrams = world.datagrams;
        world.run(Duration::from_secs(1));
        most = most.max(world.datagrams - datagrams);
    }
    let fares = world.promises(0);
    let done = |it: &PromiseStatus| matches!(it.chunks.expect("large").fare, ChunksFare::Kept { given } if given < 100);
    assert!(fares.iter().all(done), "{fares:?}");
    // Fifty chunks of some twenty datagrams each.
    assert!(most < 1_500, "{most} datagrams in one second");
}

/// A record whose manifest names so many bytes, and chunks that nobody has.
fn endless(key: &str, length: u64) -> Item {
    let mut top = length.div_ceil(PIECE_BYTES as u64);
    while top > 32 {
        top = top.div_ceil(49);
    }
    let mut manifest = length.to_be_bytes().to_vec();
    manifest.extend([7; 32]);
    (0..top).for_each(|index| manifest.extend([index as u8; 20]));
    let mut envelope = b"\xd8XR\x01d".to_vec();
    envelope.extend(format!("1:ei{}e1:m{}:", (START + DAY).0, manifest.len()).bytes());
    envelope.extend(manifest);
    envelope.push(b'e');
    let namespace = Namespace::default();
    let signer = namespace.signer().expect("an open namespace can be written");
    let seq = i64::try_from(START.0 * 1000 + 60_000_000).ok().and_then(Seq::new).expect("small");
    let value = wire::item::byte_string(&envelope);
    Item::mutable(signer, key.as_bytes(), seq, &value).expect("a small value")
}

#[test]
fn nobody_makes_a_keeper_walk_through_more_than_can_be_kept() {
    let mut world = World::joined(8);
    world.store(1, "k", b"small");
    world.keep(0, keep_request("k", DAY)).expect("it was put");
    let endless = endless("k", PROMISED_BYTES + 1);
    (0..8).for_each(|node| assert_eq!(world.give(node, &endless, b"k", None), Ok(())));
    let refused = world.keep(3, keep_request("k", DAY));
    assert!(matches!(refused, Err(KeepError::TooLarge(_))), "{refused:?}");
    let sent = world.datagrams;
    world.run(3 * HOUR);
    let status = world.first_promise(0);
    assert_eq!(status.chunks.map(|chunks| chunks.fare), Some(ChunksFare::TooLarge));
    assert_eq!(status.renews, None);
    assert!(world.datagrams - sent < 10_000);
}

#[test]
fn a_promise_of_a_large_value_that_ends_while_it_is_looked_after_leaves_no_trace() {
    let (mut world, _) = kept(8, 400, DAY, DAY);
    world.run(Duration::from_secs(1));
    let id = world.request(0, Request::Unkeep(promise("k")));
    assert!(matches!(world.finish(0, id), Done::Unkept(Ok(()))));
    world.run(MINUTE);
    let sent = world.datagrams;
    world.run(MINUTE);
    assert!(world.datagrams - sent < 1_000 && world.promises(0).is_empty());
    world.store(1, "other", b"v");
    world.keep(0, keep_request("other", DAY)).expect("looks go on");
}

#[test]
fn a_large_value_of_a_secret_namespace_is_renewed_and_stays_readable_for_friends_alone() {
    let mut world = World::joined(10);
    let namespace = Namespace::secret("open sesame").expect("a passphrase");
    let key = Key::new("k").expect("a short key");
    let value = value(40);
    let mut hasher = ValueHasher::default();
    hasher.feed(&value);
    let mut builder = ManifestBuilder::new(namespace.chunk_seal(&key, &hasher.finish()));
    let mut items = Vec::new();
    builder.feed(&value, |item| items.push(item));
    let manifest = builder.finish(|item| items.push(item));
    assert_eq!(world.put_chunks(1, &items, START + HOUR).short, 0);
    let change = Change::PutManifest { manifest, content_type: None, expires: START + HOUR };
    let put = PutRequest { namespace: namespace.clone(), change, ..put_for("k", b"", HOUR) };
    world.put(1, put).expect("all are up");
    // Who has not the secret sees that there is something, and keeps the record alone.
    let blind =
        KeepRequest { namespace: Namespace::of(namespace.owner()), key: key.clone(), ttl: HOUR };
    assert!(matches!(world.keep(3, blind), Err(KeepError::NotFound { .. })));
    let keep = KeepRequest { namespace: namespace.clone(), key: key.clone(), ttl: HOUR };
    let report = world.keep(0, keep).expect("it was put");
    assert_eq!((report.renews, report.chunks), (Some(HOUR), Some(items.len() as u64)));
    world.run(10 * HOUR);
    let get = GetRequest { namespace: namespace.clone(), ..get_request("k", Consistency::Quorum) };
    let id = world.request(7, Request::Get(get));
    let Done::Got(Ok(got)) = world.finish(7, id) else { panic!("it is kept") };
    let manifest = got.manifest.expect("a large value");
    let seal = namespace.chunk_seal(&key, &manifest.hash);
    assert!(world.read_chunks(7, ManifestReader::new(&manifest, seal)).0 == Ok(value));
    assert!(matches!(world.chunks(0), ChunksFare::Kept { .. }), "{:?}", world.chunks(0));
}

#[test]
fn a_keeper_that_is_cut_off_while_it_looks_at_chunks_tells_so_and_goes_on_later() {
    let (mut world, value) = kept(10, 200, DAY, DAY);
    world.run(Duration::from_secs(2));
    world.cut_off(&[0]);
    world.run(HOUR);
    assert_eq!(world.chunks(0), ChunksFare::Unreachable, "{:?}", world.first_promise(0));
    world.heal();
    world.join(0, 1);
    world.run(HOUR);
    assert!(matches!(world.chunks(0), ChunksFare::Kept { .. }), "{:?}", world.chunks(0));
    assert!(world.read_large(7, "k").0 == Ok(value));
}

#[test]
fn walks_that_are_in_no_hurry_keep_no_short_life_from_being_renewed() {
    const LEAST: Duration = kv::LEAST_PROMISED_TTL;
    let (mut world, value) = kept(10, 40, LEAST, LEAST);
    for number in 0..6 {
        let (key, other) = (format!("long {number}"), super::large::value(300));
        world.store_large(1, &key, &other, START + 7 * DAY);
        world.keep(0, keep_request(&key, 7 * DAY)).expect("it was put");
    }
    world.run(2 * HOUR);
    assert!(world.read_large(7, "k").0 == Ok(value));
    let all = world.promises(0);
    let kept =
        |it: &PromiseStatus| matches!(it.chunks.expect("large").fare, ChunksFare::Kept { .. });
    assert_eq!((all.len(), all.iter().filter(|it| kept(it)).count()), (7, 7), "{all:?}");
}

#[test]
fn a_walk_beside_a_full_queue_of_chunks_says_nothing_false_and_ends_well() {
    let (mut world, _) = kept(8, 200, DAY, DAY);
    world.run(Duration::from_secs(1));
    let (_, items) = cut(&super::large::value(64));
    let request = ChunksPutRequest { items, expires: START + DAY, lease: START + DAY };
    for _ in 0..20 {
        for _ in 0..70 {
            world.request(0, Request::ChunksPut(request.clone()));
        }
        world.run(Duration::from_secs(1));
    }
    world.run(HOUR);
    assert!(matches!(world.chunks(0), ChunksFare::Kept { .. }), "{:?}", world.chunks(0));
}
