//! Values of many chunks in secret namespaces: friends read them, holders see chunks that tell nothing.

use std::collections::HashSet;
use std::sync::OnceLock;
use std::time::Duration;

use kv::{
    Change, Consistency, Done, Form, GetReport, GetRequest, Key, Manifest, ManifestBuilder,
    ManifestReader, Namespace, NamespaceError, PutError, PutRequest, ReadError, Request,
    ValueHasher, Wanted,
};
use node::UnixMillis;
use wire::Item;
use wire::item::byte_string;

use super::world::asking::{get_request, put_request};
use super::world::{START, Says, World};

const DAY: Duration = Duration::from_secs(24 * 3600);
const KEY: &str = "a film";

/// The namespace of these tests; making one is slow.
fn secret() -> Namespace {
    static SECRET: OnceLock<Namespace> = OnceLock::new();
    SECRET.get_or_init(|| Namespace::secret("open sesame").expect("a passphrase")).clone()
}

/// Text of which no two pieces are the same.
fn value(length: usize) -> Vec<u8> {
    (0..length).map(|at| b'a' + (at / 956 * 7 + at % 23) as u8 % 26).collect()
}

/// The manifest of a value under the key of these tests, and its chunks.
fn cut(value: &[u8]) -> (Manifest, Vec<Item>) {
    let mut hasher = ValueHasher::default();
    hasher.feed(value);
    let key = Key::new(KEY).expect("a short key");
    let seal = secret().chunk_seal(&key, &hasher.finish());
    let (mut builder, mut items) = (ManifestBuilder::new(seal), Vec::new());
    builder.feed(value, |item| items.push(item));
    let manifest = builder.finish(|item| items.push(item));
    (manifest, items)
}

fn put_of(namespace: Namespace, manifest: Manifest, expires: UnixMillis) -> PutRequest {
    let change = Change::PutManifest { manifest, content_type: None, expires };
    PutRequest { namespace, change, ..put_request(KEY, b"") }
}

impl World {
    fn store_secret(&mut self, node: usize, value: &[u8], expires: UnixMillis) -> Vec<Item> {
        let (manifest, items) = cut(value);
        let report = self.put_chunks(node, &items, expires);
        assert_eq!((report.stored, report.short), (items.len(), 0));
        self.put(node, put_of(secret(), manifest, expires)).expect("all are up");
        items
    }

    fn secret_record(&mut self, node: usize) -> Box<GetReport> {
        let get = GetRequest { namespace: secret(), ..get_request(KEY, Consistency::Quorum) };
        let id = self.request(node, Request::Get(get));
        match self.finish(node, id) {
            Done::Got(outcome) => outcome.expect("a majority holds the record"),
            other => panic!("a get ended with {other:?}"),
        }
    }

    fn read_secret(&mut self, node: usize) -> Result<Vec<u8>, ReadError> {
        let manifest = self.secret_record(node).manifest.expect("a large value");
        let key = Key::new(KEY).expect("a short key");
        let seal = secret().chunk_seal(&key, &manifest.hash);
        self.read_chunks(node, ManifestReader::new(&manifest, seal)).0
    }
}

#[test]
fn friends_read_a_large_value_from_any_node_and_holders_see_none_of_it() {
    let mut world = World::joined(16);
    let value = value(100_000);
    let items = world.store_secret(2, &value, START + DAY);
    for node in [0, 9, 15] {
        assert!(world.read_secret(node).as_ref() == Ok(&value), "from {node}");
    }
    let (mut open, mut clear) = (ManifestBuilder::default(), Vec::new());
    open.feed(&value, |item| clear.push(item.target()));
    let parts: HashSet<&[u8]> = value.windows(12).collect();
    for item in &items {
        let bytes = item.value();
        assert_eq!(bytes.len(), 1000, "one length for all");
        assert!(!clear.contains(&item.target()));
        assert!(
            !bytes.windows(12).any(|within| parts.contains(within)),
            "a part of it stands in a chunk"
        );
    }
    for node in world.closest(&secret().target(&Key::new(KEY).expect("a short key")), 8) {
        let salt = secret().salt(&Key::new(KEY).expect("a short key"));
        let target = secret().target(&Key::new(KEY).expect("a short key"));
        let record = world.held_item(node, target, &salt).expect("it is a holder").item;
        let (manifest, _) = cut(&value);
        let told = |part: &[u8]| record.value().windows(part.len()).any(|within| within == part);
        assert!(!told(&manifest.hash) && !told(&manifest.length.to_be_bytes()));
        assert!(!items.iter().any(|item| told(item.target().as_bytes())));
    }
}

#[test]
fn a_put_that_was_interrupted_sends_the_rest_and_one_that_is_repeated_nothing() {
    let mut world = World::joined(16);
    let (_, items) = cut(&value(60_000));
    let expires = START + DAY;
    let first = world.put_chunks(3, &items[..40], expires);
    let (_, again) = cut(&value(60_000));
    let second = world.put_chunks(3, &again, expires);
    assert_eq!((second.held, second.short), (first.sent, 0));
    let third = world.put_chunks(3, &again, expires);
    assert_eq!((third.sent, third.stored), (0, items.len()));
    // Another version shares nothing that would tell in what they differ.
    let (_, other) = cut(&value(60_001));
    assert_eq!(world.put_chunks(3, &other, expires).held, 0);
}

#[test]
fn an_altered_chunk_is_refused_and_another_holder_asked() {
    let mut world = World::joined(12);
    let value = value(20_000);
    let (_, items) = cut(&value);
    let mut altered = items[7].value().to_vec();
    altered[500] ^= 1;
    let altered = Item::immutable(&altered).expect("it is as long as before");
    let false_one = Item::immutable(&byte_string(&[9; 996])).expect("it fits");
    for (number, says) in
        [Says::Item(altered.clone()), Says::Forged(altered), Says::Item(false_one)]
            .into_iter()
            .enumerate()
    {
        world.add_liar(&items[7].target(), number as u8, says);
    }
    world.run(Duration::from_secs(5));
    world.store_secret(2, &value, START + DAY);
    for node in 0..12 {
        assert!(world.read_secret(node).as_ref() == Ok(&value), "from {node}");
    }
}

#[test]
fn chunks_that_are_lost_are_told_by_their_number() {
    let mut world = World::joined(12);
    let value = value(100 * 956);
    let (manifest, items) = cut(&value);
    let kept: Vec<Item> = items.iter().skip(2).cloned().collect();
    world.put_chunks(2, &kept, START + DAY);
    world.put(2, put_of(secret(), manifest, START + DAY)).expect("all are up");
    assert_eq!(world.read_secret(5), Err(ReadError::Missing { missing: 2, of: 103 }));
}

#[test]
fn a_wrong_secret_opens_no_chunk_even_with_the_manifest_in_hand() {
    let mut world = World::joined(8);
    let value = value(20_000);
    world.store_secret(2, &value, START + DAY);
    let manifest = world.secret_record(5).manifest.expect("a large value");
    let wrong = Namespace::secret("open sesami").expect("a passphrase");
    let key = Key::new(KEY).expect("a short key");
    for seal in [wrong.chunk_seal(&key, &manifest.hash), None] {
        let read = world.read_chunks(5, ManifestReader::new(&manifest, seal)).0;
        assert_eq!(read, Err(ReadError::Mismatch));
    }
}

#[test]
fn chunks_in_the_open_enter_no_secret_namespace_and_sealed_ones_no_other() {
    let mut world = World::joined(3);
    let value = value(5_000);
    let (sealed, _) = cut(&value);
    let mut open = ManifestBuilder::default();
    open.feed(&value, |_| {});
    let open = open.finish(|_| {});
    assert_eq!((sealed.form, open.form), (Form::Sealed, Form::Open));
    let sent = world.datagrams;
    let wrong = Err(PutError::Namespace(NamespaceError::WrongChunks));
    assert_eq!(world.put(0, put_of(secret(), open, START + DAY)), wrong);
    assert_eq!(world.put(0, put_of(Namespace::default(), sealed, START + DAY)), wrong);
    assert_eq!(world.datagrams, sent);
}

#[test]
fn a_reader_asks_for_no_more_chunks_than_its_manifest_names() {
    let (manifest, items) = cut(&value(40_000));
    let key = Key::new(KEY).expect("a short key");
    let mut reader = ManifestReader::new(&manifest, secret().chunk_seal(&key, &manifest.hash));
    let mut wanted: Vec<Wanted> = Vec::new();
    while let Some(next) = reader.wanted() {
        let item = items.iter().find(|item| item.target() == next.target);
        reader.found(next, item.expect("it was made").clone());
        reader.drain(|_| {});
        wanted.push(next);
    }
    assert_eq!((wanted.len(), reader.verdict()), (items.len(), Ok(())));
}
