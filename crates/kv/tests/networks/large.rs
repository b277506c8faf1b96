//! Values of many chunks: what of them is sent, how long they live, and that nothing but the value
//! itself ever comes back.

use std::time::Duration;

use kv::{
    Change, ChunksFound, ChunksPutRequest, ChunksReport, Done, Manifest, ManifestBuilder,
    ManifestReader, PIECE_BYTES, PutError, ReadError, Request, Wanted,
};
use node::UnixMillis;
use wire::Item;

use super::world::asking::put_request;
use super::world::{START, Says, World};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// So many chunks may wait for their turn (`crates/kv/src/limits.rs`).
const CHUNKS_WAITING: usize = 4096;

/// Bytes of which no two chunks are the same.
pub fn value(chunks: usize) -> Vec<u8> {
    (0..chunks * PIECE_BYTES).map(|at| (at / PIECE_BYTES * 31 + at % 251) as u8).collect()
}

pub fn cut(value: &[u8]) -> (Manifest, Vec<Item>) {
    let (mut builder, mut items) = (ManifestBuilder::default(), Vec::new());
    builder.feed(value, |item| items.push(item));
    let manifest = builder.finish(|item| items.push(item));
    (manifest, items)
}

impl World {
    pub fn put_chunks(&mut self, node: usize, items: &[Item], expires: UnixMillis) -> ChunksReport {
        let (items, lease) = (items.to_vec(), expires + DAY);
        let request = ChunksPutRequest { items, expires, lease };
        let id = self.request(node, Request::ChunksPut(request));
        match self.finish(node, id) {
            Done::ChunksPut(outcome) => *outcome.expect("the queue has room"),
            other => panic!("a put of chunks ended with {other:?}"),
        }
    }

    pub fn put_manifest(
        &mut self,
        node: usize,
        key: &str,
        manifest: &Manifest,
        expires: UnixMillis,
    ) {
        let manifest = manifest.clone();
        let change = Change::PutManifest { manifest, content_type: None, expires };
        let put = kv::PutRequest { change, ..put_request(key, b"") };
        self.put(node, put).expect("a majority stores the record");
    }

    /// Puts a value and all its chunks.
    pub fn store_large(&mut self, node: usize, key: &str, value: &[u8], expires: UnixMillis) {
        let (manifest, items) = cut(value);
        let report = self.put_chunks(node, &items, expires);
        assert_eq!((report.stored, report.short), (items.len(), 0));
        self.put_manifest(node, key, &manifest, expires);
    }

    pub fn get_chunks(&mut self, node: usize, wanted: &[Wanted]) -> ChunksFound {
        let targets = wanted.iter().map(|wanted| wanted.target).collect();
        let id = self.request(node, Request::ChunksGet(targets));
        match self.finish(node, id) {
            Done::ChunksGot(outcome) => outcome.expect("the queue has room"),
            other => panic!("a get of chunks ended with {other:?}"),
        }
    }

    /// The value under a key, and how many queries its chunks took.
    pub fn read_large(&mut self, node: usize, key: &str) -> (Result<Vec<u8>, ReadError>, usize) {
        let report = self.get(node, key).expect("a majority holds the record");
        let manifest = report.manifest.expect("it is a large value");
        assert!(report.value.is_empty());
        self.read_chunks(node, ManifestReader::new(&manifest, None))
    }

    /// What a reader comes to, and how many queries it took.
    pub fn read_chunks(
        &mut self,
        node: usize,
        mut reader: ManifestReader,
    ) -> (Result<Vec<u8>, ReadError>, usize) {
        let (mut value, mut asked) = (Vec::new(), 0);
        loop {
            let wanted: Vec<Wanted> = std::iter::from_fn(|| reader.wanted()).take(64).collect();
            if wanted.is_empty() {
                break;
            }
            let found = self.get_chunks(node, &wanted);
            asked += found.asked;
            for (wanted, item) in wanted.into_iter().zip(found.items) {
                match item {
                    Some(item) => reader.found(wanted, item),
                    None => reader.lost(wanted),
                }
            }
            reader.drain(|bytes| value.extend_from_slice(bytes));
        }
        (reader.verdict().map(|()| value), asked)
    }
}

#[test]
fn a_large_value_comes_back_from_any_node_at_one_answer_a_chunk() {
    let mut world = World::joined(16);
    let value = value(200);
    world.store_large(2, "k", &value, START + 7 * DAY);
    for node in [0, 9, 15] {
        let (read, asked) = world.read_large(node, "k");
        assert!(read.as_ref() == Ok(&value), "from {node}");
        // 200 chunks and the 5 of the tree, some of which the reader holds itself.
        assert!(asked <= 205 * 12 / 10, "{asked} queries");
    }
}

#[test]
fn a_repeated_put_sends_only_what_is_missing() {
    let mut world = World::joined(16);
    let (_, items) = cut(&value(60));
    let expires = START + DAY;
    let first = world.put_chunks(3, &items[..40], expires);
    assert_eq!((first.stored, first.held), (40, 0));
    let second = world.put_chunks(3, &items, expires);
    assert_eq!((second.stored, second.short), (items.len(), 0));
    assert_eq!(second.held, first.sent, "what others keep is not sent again");
    assert!(second.sent <= (items.len() - 40) * 8, "{second:?}");
    let third = world.put_chunks(11, &items, expires);
    // The other node keeps some itself; of those that this one has kept, it sends a copy there.
    assert_eq!((third.stored, third.short), (items.len(), 0));
    let own = world.members[3].kv.node().held_items().0;
    assert!(third.sent <= items.len() * 8 - third.held && third.sent <= own, "{third:?}");
}

#[test]
fn a_put_that_shall_live_longer_sends_the_chunks_again_and_extends_their_leases() {
    let mut world = World::joined(12);
    let value = value(50);
    world.store_large(1, "k", &value, START + DAY);
    let (_, items) = cut(&value);
    let longer = world.put_chunks(1, &items, START + 5 * DAY);
    assert_eq!(longer.held, 0, "none was kept so long");
    world.store_large(1, "k", &value, START + 5 * DAY);
    world.run(4 * DAY);
    assert!(world.read_large(7, "k").0 == Ok(value));
}

#[test]
fn chunks_live_as_long_as_their_value_and_go_when_it_has_expired() {
    let mut world = World::joined(10);
    let value = value(40);
    world.store_large(1, "k", &value, START + 3 * DAY);
    world.run(2 * DAY);
    assert!(world.read_large(8, "k").0 == Ok(value));
    world.run(3 * DAY);
    assert!(world.get(8, "k").is_err());
    let held: usize = world.members.iter().map(|member| member.kv.node().held_items().0).sum();
    assert_eq!(held, 0);
}

#[test]
fn lost_nodes_up_to_most_of_the_replicas_lose_no_chunk() {
    let mut world = World::joined(16);
    let value = value(60);
    world.store_large(2, "k", &value, START + DAY);
    world.down(&[4, 7, 12]);
    assert!(world.read_large(0, "k").0 == Ok(value));
}

#[test]
fn a_value_that_is_partly_lost_is_told_with_the_number_of_chunks() {
    let mut world = World::joined(12);
    let (manifest, items) = cut(&value(200));
    // Of the tree's chunks the first holds 49 others.
    let first_of_tree = 49;
    let lost = [0, 7, first_of_tree];
    let kept: Vec<Item> = (0..items.len())
        .filter(|index| !lost.contains(index))
        .map(|index| items[index].clone())
        .collect();
    world.put_chunks(2, &kept, START + DAY);
    world.put_manifest(2, "k", &manifest, START + DAY);
    let (read, _) = world.read_large(5, "k");
    assert_eq!(read, Err(ReadError::Missing { missing: 1 + 49, of: 205 }));
}

#[test]
fn a_holder_that_gives_another_chunk_is_passed_over() {
    let mut world = World::joined(12);
    let value = value(1);
    let (_, items) = cut(&value);
    let false_one = Item::immutable(&wire::item::byte_string(&[9; PIECE_BYTES])).expect("it fits");
    for (number, says) in
        [Says::Item(false_one.clone()), Says::Forged(false_one)].iter().enumerate()
    {
        world.add_liar(&items[0].target(), number as u8, says.clone());
    }
    world.run(Duration::from_secs(5));
    let report = world.put_chunks(2, &items, START + DAY);
    assert_eq!(report.stored, 1, "{report:?}");
    for node in 0..12 {
        let id = world.request(node, Request::ChunksGet(vec![items[0].target()]));
        let Done::ChunksGot(Ok(found)) = world.finish(node, id) else { panic!("chunks") };
        assert_eq!(found.items, [Some(items[0].clone())], "from {node}");
    }
}

#[test]
fn a_holder_that_falsely_claims_to_keep_a_chunk_hides_it_from_no_reader() {
    let mut world = World::joined(12);
    let (_, items) = cut(&value(1));
    let year = Says::Version((START + 365 * DAY).0);
    for number in 0..3 {
        world.add_liar(&items[0].target(), number, year.clone());
    }
    world.run(Duration::from_secs(5));
    let report = world.put_chunks(2, &items, START + DAY);
    assert_eq!((report.stored, report.held), (1, 3), "{report:?}");
    for node in 0..12 {
        let id = world.request(node, Request::ChunksGet(vec![items[0].target()]));
        let Done::ChunksGot(Ok(found)) = world.finish(node, id) else { panic!("chunks") };
        assert_eq!(found.items, [Some(items[0].clone())], "from {node}");
    }
}

#[test]
fn chunks_that_nobody_can_take_are_told() {
    let mut world = World::new(1);
    let node = world.add(kv::Config {
        node: node::Config { ephemeral: true, ..node::Config::default() },
        ..kv::Config::default()
    });
    let (_, items) = cut(&value(3));
    let report = world.put_chunks(node, &items, START + DAY);
    assert_eq!((report.stored, report.short), (0, 3));
    assert!(matches!(report.failed, Some(PutError::Unreachable(_))), "{report:?}");
    let id = world.request(node, Request::ChunksGet(vec![items[0].target()]));
    let Done::ChunksGot(Ok(found)) = world.finish(node, id) else { panic!("chunks") };
    assert_eq!(found.items, [None]);
}

#[test]
fn more_chunks_than_may_wait_are_refused_at_once() {
    let mut world = World::joined(2);
    let (_, items) = cut(&value(64));
    let request = ChunksPutRequest { items, expires: START + DAY, lease: START + DAY };
    let ids: Vec<_> =
        (0..80).map(|_| world.request(0, Request::ChunksPut(request.clone()))).collect();
    let refused = ids.iter().filter(|id| {
        matches!(world.take_done(0, **id), Some(Done::ChunksPut(Err(PutError::Busy))))
    });
    assert!(refused.count() >= 10);
}

#[test]
fn a_network_that_loses_datagrams_loses_no_chunk() {
    let mut world = World::joined(12);
    world.loss = 30;
    let value = value(60);
    let (manifest, items) = cut(&value);
    // As the library does it: a batch of which too little was stored is put again.
    let stored = (0..3).any(|_| world.put_chunks(1, &items, START + DAY).short == 0);
    assert!(stored);
    world.loss = 0;
    world.put_manifest(1, "k", &manifest, START + DAY);
    world.loss = 30;
    let report = world.get(6, "k").expect("a majority answers");
    let mut reader = ManifestReader::new(&report.manifest.expect("a large value"), None);
    let mut read = Vec::new();
    while let Some(first) = reader.wanted() {
        let wanted: Vec<Wanted> =
            [first].into_iter().chain(std::iter::from_fn(|| reader.wanted())).collect();
        let found = world.get_chunks(6, &wanted);
        for (wanted, item) in wanted.into_iter().zip(found.items) {
            reader.found(wanted, item.expect("every chunk is found"));
        }
        reader.drain(|bytes| read.extend_from_slice(bytes));
    }
    assert_eq!(reader.verdict(), Ok(()));
    assert!(read == value);
}

#[test]
fn a_watch_tells_of_a_large_value_without_fetching_it() {
    let mut world = World::joined(10);
    let watch = world.watch(3, "k", None);
    let value = value(40);
    world.store_large(0, "k", &value, START + DAY);
    world.run(Duration::from_secs(5));
    assert_eq!(world.told_values(3, watch), [Some(format!("({} bytes)", value.len()))]);
}

#[test]
fn as_many_chunks_as_may_wait_come_from_our_own_shelf_on_a_small_stack() {
    let fetch = || {
        let mut world = World::joined(1);
        let (_, items) = cut(&value(1));
        world.put_chunks(0, &items, START + DAY);
        let targets = vec![items[0].target(); CHUNKS_WAITING];
        let id = world.request(0, Request::ChunksGet(targets));
        match world.finish(0, id) {
            Done::ChunksGot(Ok(found)) => found.items.iter().flatten().count(),
            other => panic!("a get of chunks ended with {other:?}"),
        }
    };
    let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(fetch).unwrap();
    assert_eq!(thread.join().unwrap(), CHUNKS_WAITING);
}
