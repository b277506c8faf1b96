//! Secret namespaces: who knows the passphrase can read, and nobody else, whatever holders do.

use std::sync::OnceLock;
use std::time::Duration;

use kv::{
    Absence, Change, Consistency, DEFAULT_TTL, Done, Expected, GetError, GetRequest, Key,
    Namespace, NamespaceError, PutError, PutReport, PutRequest, Request, Version,
};
use wire::{Item, Seq, Target};

use super::world::asking::{GetOutcome, PutOutcome, get_request, put_request};
use super::world::{START, Says, World};

const KEY: &str = "a name that tells much";
const VALUE: &[u8] = b"a value that tells more";
const MOMENT: Duration = Duration::from_secs(2);

/// The namespace of these tests; making one is slow.
fn secret() -> Namespace {
    static SECRET: OnceLock<Namespace> = OnceLock::new();
    SECRET.get_or_init(|| Namespace::secret("open sesame").expect("a passphrase")).clone()
}

fn key(text: &str) -> Key {
    Key::new(text).expect("a short key")
}

fn target(text: &str) -> Target {
    secret().target(&key(text))
}

fn put(text: &str, value: &[u8]) -> PutRequest {
    PutRequest { namespace: secret(), ..put_request(text, value) }
}

fn store(world: &mut World, node: usize, text: &str, value: &[u8]) -> Box<PutReport> {
    world.put(node, put(text, value)).expect("enough holders are up")
}

fn delete(world: &mut World, node: usize, text: &str) -> PutOutcome {
    world.put(node, PutRequest { change: Change::Delete, ..put(text, b"") })
}

fn get_as(world: &mut World, node: usize, text: &str, consistency: Consistency) -> GetOutcome {
    get_from(world, node, secret(), text, consistency)
}

fn get_from(
    world: &mut World,
    node: usize,
    namespace: Namespace,
    text: &str,
    consistency: Consistency,
) -> GetOutcome {
    let request = GetRequest { namespace, ..get_request(text, consistency) };
    let id = world.request(node, Request::Get(request));
    match world.finish(node, id) {
        Done::Got(outcome) => outcome,
        other => panic!("a get ended with {other:?}"),
    }
}

fn get(world: &mut World, node: usize, text: &str) -> GetOutcome {
    get_as(world, node, text, Consistency::Quorum)
}

fn read(world: &mut World, node: usize, text: &str) -> Box<[u8]> {
    get(world, node, text).expect("a majority holds it").value
}

/// What a node holds under a key of the namespace.
fn held(world: &mut World, node: usize, text: &str) -> Option<Item> {
    let salt = secret().salt(&key(text));
    world.held_item(node, target(text), &salt).map(|held| held.item)
}

/// An item as somebody signs it who has the passphrase, and bytes of their own.
fn signed(text: &str, seq: Seq, value: &[u8]) -> Item {
    let (namespace, salt) = (secret(), secret().salt(&key(text)));
    let signer = namespace.signer().expect("a secret namespace can be written");
    Item::mutable(signer, &salt, seq, value).expect("a small value")
}

fn above(item: &Item, by: i64) -> Seq {
    let seq = item.seq().expect("a mutable item").get();
    Seq::new(seq + by).expect("a small version")
}

/// Gives an item to these nodes, as its writer would.
fn give(world: &mut World, nodes: &[usize], text: &str, item: &Item) {
    let salt = secret().salt(&key(text));
    for node in nodes {
        assert_eq!(world.give(*node, item, &salt, None), Ok(()));
    }
}

#[test]
fn what_is_put_with_a_secret_is_got_with_it_from_any_node() {
    let mut world = World::joined(20);
    let mut request = put(KEY, VALUE);
    let content_type = Some("text/plain".into());
    let change = Change::Put { value: VALUE.into(), content_type, ttl: DEFAULT_TTL, plain: false };
    request.change = change;
    let put = world.put(3, request).expect("all are up");
    for node in 0..20 {
        let got = get(&mut world, node, KEY).expect("it was put");
        assert_eq!((&*got.value, got.content_type.as_deref()), (VALUE, Some("text/plain")));
        assert_eq!((Some(got.version), got.expires), (put.version, put.expires));
        for consistency in [Consistency::First, Consistency::All] {
            assert_eq!(
                *get_as(&mut world, node, KEY, consistency).expect("it was put").value,
                *VALUE
            );
        }
    }
}

#[test]
fn a_wrong_secret_finds_nothing_and_overwrites_nothing() {
    let mut world = World::joined(12);
    store(&mut world, 3, KEY, VALUE);
    let wrong = Namespace::secret("open sesami").expect("a passphrase");
    let named = Namespace::secret_named("open sesame", "another").expect("a passphrase");
    for other in [wrong, named, Namespace::default()] {
        let got = get_from(&mut world, 5, other.clone(), KEY, Consistency::Quorum);
        let Err(GetError::NotFound { absence: Absence::NeverSeen, .. }) = got else {
            panic!("{got:?}")
        };
        world.put(6, PutRequest { namespace: other, ..put(KEY, b"theirs") }).expect("all are up");
    }
    assert_eq!(*read(&mut world, 7, KEY), *VALUE);
}

#[test]
fn holders_see_neither_name_nor_value_nor_content_type() {
    let mut world = World::joined(12);
    let content_type = Some("text/telling".into());
    let change = Change::Put { value: VALUE.into(), content_type, ttl: DEFAULT_TTL, plain: false };
    world.put(3, PutRequest { change, ..put(KEY, VALUE) }).expect("all are up");
    let mut lengths = vec![];
    for node in world.closest(&target(KEY), 8) {
        let item = held(&mut world, node, KEY).expect("all eight hold it");
        let item = item.as_ref();
        let salt = item.signed().expect("a mutable item").salt;
        assert_eq!(salt.len(), 32);
        for told in ["name", "tells", "value", "text", "telling"] {
            let within = |bytes: &[u8]| bytes.windows(told.len()).any(|w| w == told.as_bytes());
            assert!(!within(item.value()) && !within(salt), "`{told}` is there");
        }
        lengths.push(item.value().len());
    }
    // Nor how long the value is, to the byte.
    let near = world.closest(&target(KEY), 8);
    store(&mut world, 3, KEY, &[b'x'; 40]);
    assert_eq!(
        held(&mut world, near[0], KEY).map(|item| item.value().len() == lengths[0]),
        Some(true)
    );
}

#[test]
fn the_same_value_is_never_sealed_into_the_same_bytes() {
    let mut world = World::joined(12);
    let near = world.closest(&target(KEY), 8);
    let mut seen = std::collections::HashSet::new();
    for writer in 0..12 {
        store(&mut world, writer, KEY, VALUE);
        let item = held(&mut world, near[0], KEY).expect("it was put");
        // The nonce stands first in what is sealed.
        let start = item.value().windows(7).position(|window| window == b"1:x104:");
        let start = start.expect("an envelope with sealed bytes") + 7;
        assert!(seen.insert(item.value()[start..start + 24].to_vec()), "a nonce came twice");
    }
}

#[test]
fn bytes_that_a_holder_alters_are_passed_over() {
    let mut world = World::joined(20);
    store(&mut world, 3, KEY, VALUE);
    let near = world.closest(&target(KEY), 8);
    let item = held(&mut world, near[0], KEY).expect("it was put");
    for number in 0..3 {
        world.add_liar(&target(KEY), number, Says::Forged(item.clone()));
    }
    world.run(MOMENT);
    for node in 0..20 {
        assert_eq!(*read(&mut world, node, KEY), *VALUE);
    }
}

#[test]
fn what_is_signed_and_does_not_open_is_told_and_never_given() {
    let mut world = World::joined(12);
    store(&mut world, 3, KEY, VALUE);
    store(&mut world, 3, "another", b"theirs");
    let near = world.closest(&target(KEY), 8);
    let nearest_other = world.closest(&target("another"), 1)[0];
    let good = held(&mut world, near[0], KEY).expect("it was put");
    let other = held(&mut world, nearest_other, "another").expect("it was put");
    let mut flipped = good.value().to_vec();
    let last = flipped.len() - 5;
    flipped[last] ^= 1;
    let unsealed = World::record("k", 1, b"clear", u64::MAX >> 1, None);
    // One bit; another key's; its own of an older version; without a seal; no envelope at all.
    let wrong = [&flipped[..], other.value(), good.value(), unsealed.value(), b"5:plain"];
    for (by, value) in (1..).zip(wrong) {
        let bad = signed(KEY, above(&good, by * 10), value);
        give(&mut world, &near, KEY, &bad);
        for consistency in [Consistency::First, Consistency::Quorum, Consistency::All] {
            let got = get_as(&mut world, near[1], KEY, consistency);
            let version = bad.seq().and_then(|seq| Version::new(seq.get().unsigned_abs()));
            let version = version.expect("a version");
            assert_eq!(got, Err(GetError::Unopened { version, older: None }), "{by}");
        }
    }
    // Whoever has the passphrase gets out of it.
    store(&mut world, 5, KEY, b"mended");
    assert_eq!(*read(&mut world, 7, KEY), *b"mended");
}

#[test]
fn an_older_value_that_opens_is_told_of_and_not_taken_for_the_newest() {
    let mut world = World::joined(12);
    store(&mut world, 3, KEY, VALUE);
    let near = world.closest(&target(KEY), 8);
    let good = held(&mut world, near[0], KEY).expect("it was put");
    let version = above(&good, 7);
    let bad = signed(KEY, version, b"5:wrong");
    give(&mut world, &near[..2], KEY, &bad);
    let version = Version::new(version.get().unsigned_abs()).expect("a version");
    let reader = near[6];
    match get(&mut world, reader, KEY) {
        Err(GetError::Unopened { version: newest, older: Some(older) }) => {
            assert_eq!((newest, &*older.value), (version, VALUE));
        }
        other => panic!("{other:?}"),
    }
    let first = get_as(&mut world, reader, KEY, Consistency::First).expect("its own opens");
    assert_eq!(*first.value, *VALUE);
    let beside = world.far_from(&target(KEY), 8)[0];
    let first = get_as(&mut world, beside, KEY, Consistency::First).expect("some open");
    assert_eq!(*first.value, *VALUE);
    // What nobody can read is not spread.
    world.run(MOMENT);
    for node in &near[2..] {
        assert_eq!(held(&mut world, *node, KEY).as_ref(), Some(&good));
    }
    // A condition sees what is there, though it cannot read it.
    let absent = PutRequest { expected: Expected::Absent, ..put(KEY, b"new") };
    assert_eq!(world.put(3, absent), Err(PutError::Conflict { current: Some(version) }));
    let over = PutRequest { expected: Expected::Version(version), ..put(KEY, b"new") };
    world.put(3, over).expect("that version is there");
    assert_eq!(*read(&mut world, reader, KEY), *b"new");
}

#[test]
fn what_does_not_open_can_be_deleted() {
    let mut world = World::joined(12);
    store(&mut world, 3, KEY, VALUE);
    let near = world.closest(&target(KEY), 8);
    let good = held(&mut world, near[0], KEY).expect("it was put");
    give(&mut world, &near, KEY, &signed(KEY, above(&good, 1), b"5:wrong"));
    delete(&mut world, 2, KEY).expect("something is there");
    let got = get(&mut world, 5, KEY);
    assert!(matches!(got, Err(GetError::NotFound { absence: Absence::Deleted(_), .. })), "{got:?}");
}

/// A put of this value at the same moment of the same life, so that all have the same version.
fn at_one_moment(value: &[u8]) -> Item {
    let mut world = World::joined(12);
    let near = world.closest(&target(KEY), 8);
    store(&mut world, near[0], KEY, value);
    held(&mut world, near[0], KEY).expect("it was put")
}

#[test]
fn what_does_not_open_ends_when_it_expires() {
    let mut world = World::joined(12);
    let near = world.closest(&target(KEY), 8);
    let expires = START.0 + 3_600_000;
    let clear = World::record("k", START.0 * 1000, b"clear", expires, None);
    let seq = clear.seq().expect("a mutable item");
    give(&mut world, &near, KEY, &signed(KEY, seq, clear.value()));
    let version = Version::new(seq.get().unsigned_abs()).expect("a version");
    let got = get(&mut world, near[5], KEY);
    assert_eq!(got, Err(GetError::Unopened { version, older: None }));
    world.members[near[5]].wall_ahead_ms = 3_600_001;
    match get(&mut world, near[5], KEY) {
        Err(GetError::NotFound { absence: Absence::Expired(gone), .. }) => {
            assert_eq!(gone, version)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_two_values_under_one_version_one_wins_and_is_sealed_again() {
    let twins = [at_one_moment(b"one"), at_one_moment(b"two")];
    assert_eq!(twins[0].seq(), twins[1].seq());
    let mut world = World::joined(12);
    let near = world.closest(&target(KEY), 8);
    for (place, node) in near.iter().enumerate() {
        give(&mut world, &[*node], KEY, &twins[place % 2]);
    }
    let got = get(&mut world, near[1], KEY).expect("all hold something");
    let greater = if twins[0].value() > twins[1].value() { b"one" } else { b"two" };
    assert_eq!((&*got.value, got.agreed, got.stale), (&greater[..], 4, 4));
    world.run(MOMENT);
    let again = held(&mut world, near[0], KEY).expect("it was given one");
    assert!(again.seq() > twins[0].seq());
    for node in &near {
        assert_eq!(held(&mut world, *node, KEY).as_ref(), Some(&again));
    }
    assert_eq!(*read(&mut world, near[2], KEY), *greater);
}

#[test]
fn garbage_under_the_version_of_a_value_does_not_win_by_its_bytes() {
    let good = at_one_moment(b"one");
    let garbage = signed(KEY, good.seq().expect("a mutable item"), b"9:zzzzzzzzz");
    assert!(garbage.value() > good.value());
    let mut world = World::joined(12);
    let near = world.closest(&target(KEY), 8);
    give(&mut world, &near[..6], KEY, &garbage);
    give(&mut world, &near[6..], KEY, &good);
    assert_eq!(*read(&mut world, near[0], KEY), *b"one");
    world.run(MOMENT);
    for node in &near {
        let item = held(&mut world, *node, KEY).expect("it was given one");
        assert!(item.seq() > good.seq());
    }
    assert_eq!(*read(&mut world, near[3], KEY), *b"one");
}

#[test]
fn a_deletion_holds_and_what_is_deleted_can_be_put_again() {
    let mut world = World::joined(12);
    store(&mut world, 3, KEY, VALUE);
    let near = world.closest(&target(KEY), 8);
    let old = held(&mut world, near[0], KEY).expect("it was put");
    world.down(&near[..3]);
    let deleted = delete(&mut world, near[4], KEY).expect("it is there").version;
    world.up(&near[..3]);
    match get(&mut world, near[5], KEY) {
        Err(GetError::NotFound { absence: Absence::Deleted(version), .. }) => {
            assert_eq!(Some(version), deleted);
        }
        other => panic!("{other:?}"),
    }
    world.run(MOMENT);
    for node in &near {
        let item = held(&mut world, *node, KEY).expect("the tombstone was brought to all");
        assert_eq!(item.seq().map(|seq| seq.get().unsigned_abs()), deleted.map(Version::get));
        let salt = secret().salt(&key(KEY));
        assert_eq!(world.give(*node, &old, &salt, None), Err(302));
    }
    assert!(matches!(delete(&mut world, 2, KEY), Err(PutError::NotFound(_))));
    let absent = PutRequest { expected: Expected::Absent, ..put(KEY, b"again") };
    world.put(2, absent).expect("a tombstone is absence");
    assert_eq!(*read(&mut world, 8, KEY), *b"again");
}

#[test]
fn a_swap_wins_over_the_version_it_expects_and_no_other() {
    let mut world = World::joined(12);
    let version = store(&mut world, 3, KEY, b"one").version.expect("a version");
    let swap = || PutRequest { expected: Expected::Version(version), ..put(KEY, b"two") };
    let second = world.put(5, swap()).expect("it holds that version").version;
    assert_eq!(world.put(6, swap()), Err(PutError::Conflict { current: second }));
    assert_eq!(*read(&mut world, 7, KEY), *b"two");
}

#[test]
fn a_value_expires_by_what_stands_outside_of_the_seal() {
    let mut world = World::joined(12);
    let ttl = Duration::from_secs(60);
    let change = Change::Put { value: VALUE.into(), content_type: None, ttl, plain: false };
    world.put(3, PutRequest { change, ..put(KEY, b"") }).expect("all are up");
    let near = world.closest(&target(KEY), 8);
    assert_eq!(*read(&mut world, 5, KEY), *VALUE);
    world.run(Duration::from_secs(61));
    assert!(matches!(get(&mut world, 5, KEY), Err(GetError::NotFound { .. })));
    assert_eq!(held(&mut world, near[0], KEY), None);
}

#[test]
fn holders_that_missed_a_put_get_it_from_the_next_reader() {
    let mut world = World::joined(12);
    let near = world.closest(&target(KEY), 8);
    world.down(&near[..3]);
    store(&mut world, near[5], KEY, VALUE);
    world.up(&near[..3]);
    let got = get(&mut world, near[6], KEY).expect("five are a majority");
    assert_eq!((got.missing, got.repairing), (3, 3));
    world.run(MOMENT);
    let [first, rest @ ..] = &near[..] else { panic!("eight") };
    let item = held(&mut world, *first, KEY);
    assert!(item.is_some());
    for node in rest {
        assert_eq!(held(&mut world, *node, KEY), item, "byte for byte");
    }
}

#[test]
fn the_largest_value_is_stored_and_read_back_and_one_byte_more_refused() {
    let mut world = World::joined(9);
    let limit = secret().largest_value(None, false);
    let largest = vec![0xa5; limit];
    store(&mut world, 3, KEY, &largest);
    assert_eq!(*read(&mut world, 5, KEY), *largest);
    let length = limit + 1;
    let refused = world.put(3, put(KEY, &vec![0xa5; length]));
    assert_eq!(refused, Err(PutError::TooLarge { length, limit }));
}

#[test]
fn a_plain_put_into_a_secret_namespace_is_refused_before_anything_is_sent() {
    let mut world = World::joined(9);
    let sent = world.datagrams;
    let change =
        Change::Put { value: VALUE.into(), content_type: None, ttl: DEFAULT_TTL, plain: true };
    let refused = world.put(3, PutRequest { change, ..put(KEY, b"") });
    assert_eq!(refused, Err(PutError::Namespace(NamespaceError::PlainInSecret)));
    assert_eq!(world.datagrams, sent);
}
