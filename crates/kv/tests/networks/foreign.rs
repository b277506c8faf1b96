//! Raw items of BEP 44, as foreign programs put and read them, beside records.

use kv::{Done, Event, GetError, ItemSigning, Namespace, PutError, Request, Version};
use wire::item::immutable_target;
use wire::{InfoHash, Seq, Signer};

use super::world::asking::{put_request, target};
use super::world::{ITEM_SIGNER_SEED, World};

fn signing(salt: &[u8], seq: Option<i64>, cas: Option<i64>) -> ItemSigning {
    let number = |number| Seq::new(number).expect("not negative");
    ItemSigning {
        signer: Signer::from_seed(&ITEM_SIGNER_SEED),
        salt: salt.into(),
        seq: seq.map(number),
        cas: cas.map(number),
    }
}

/// As if a foreign program knew the key of the default namespace.
fn in_default(salt: &[u8], seq: i64) -> ItemSigning {
    let namespace = Namespace::default();
    let signer = namespace.signer().expect("an open namespace can be written").clone();
    ItemSigning { signer, ..signing(salt, Some(seq), None) }
}

#[test]
fn an_immutable_item_is_put_and_got_by_its_hash() {
    let mut world = World::joined(12);
    let put = world.put_item(2, b"d3:fooi7ee", None).expect("a sound item");
    assert_eq!(put.item.target(), immutable_target(b"d3:fooi7ee"));
    assert_eq!((put.replicas.known, put.replicas.stored.len()), (8, 8));
    for node in 0..12 {
        let got = world.get_item(node, put.item.target(), b"").expect("it was put");
        assert_eq!(got.item, put.item);
        // The first answer proves itself by its hash, so not all holders are waited for.
        let named = got.replicas.stored.len();
        assert!((1..=8).contains(&named), "{named} holders from {node}");
    }
    let absent = world.get_item(2, immutable_target(b"i1e"), b"");
    assert!(matches!(absent, Err(GetError::NotFound { .. })), "{absent:?}");
}

#[test]
fn an_absent_item_is_not_called_unseen_while_most_are_silent() {
    let mut world = World::joined(20);
    let target = immutable_target(b"i1e");
    let near = world.closest(&target, 8);
    let far = world.far_from(&target, 8)[0];
    world.down(&near[..5]);
    let absent = world.get_item(far, target, b"");
    assert!(matches!(absent, Err(GetError::NotEnoughReplicas { answered: 3, .. })), "{absent:?}");
}

#[test]
fn a_mutable_item_without_a_version_gets_one_above_what_is_there() {
    let mut world = World::joined(12);
    for expected in 1..4 {
        let put = world.put_item(2, b"2:hi", Some(signing(b"s", None, None))).expect("sound");
        assert_eq!(put.item.seq(), Seq::new(expected));
    }
    let put = world.put_item(3, b"2:ho", Some(signing(b"s", Some(99), None))).expect("higher");
    let got = world.get_item(8, put.item.target(), b"s").expect("it was put");
    assert_eq!((got.item.value(), got.item.seq()), (&b"2:ho"[..], Seq::new(99)));
    let far = world.far_from(&put.item.target(), 8)[0];
    let wrong_salt = world.get_item(far, put.item.target(), b"t");
    assert!(wrong_salt.is_err(), "the salt is part of the name: {wrong_salt:?}");
}

#[test]
fn a_lower_version_and_a_failed_swap_are_conflicts() {
    let mut world = World::joined(12);
    world.put_item(2, b"2:hi", Some(signing(b"s", Some(5), Some(77)))).expect("nothing is there");
    let lower = world.put_item(3, b"2:ho", Some(signing(b"s", Some(4), None)));
    assert!(matches!(lower, Err(PutError::Conflict { .. })), "{lower:?}");
    let swap = world.put_item(3, b"2:ho", Some(signing(b"s", Some(6), Some(4))));
    assert!(matches!(swap, Err(PutError::Conflict { .. })), "{swap:?}");
    world.put_item(3, b"2:ho", Some(signing(b"s", Some(6), Some(5)))).expect("that is there");
}

#[test]
fn what_a_foreign_program_puts_is_a_plain_record() {
    let mut world = World::joined(12);
    for (value, expected) in [
        (&b"5:hello"[..], &b"hello"[..]),
        (b"0:", b""),
        (b"d1:ai1ee", b"d1:ai1ee"),
        (b"i42e", b"i42e"),
        (b"l1:a1:be", b"l1:a1:be"),
        (b"6:\xd8XR\x01de", b"\xd8XR\x01de"),
    ] {
        let seq = world.held(world.closest(&target("k"), 1)[0], "k").map_or(1, |held| held.seq + 1);
        let seq = i64::try_from(seq).expect("a small version");
        world.put_item(4, value, Some(in_default(b"k", seq))).expect("a sound item");
        let got = world.get(9, "k").expect("it was put");
        assert_eq!((&*got.value, got.expires), (expected, None));
        assert_eq!(Some(got.version), Version::new(seq.unsigned_abs()));
    }
}

#[test]
fn a_record_can_be_read_as_a_raw_item_and_replaces_a_foreign_one() {
    let mut world = World::joined(12);
    world.put_item(4, b"7:foreign", Some(in_default(b"k", 3))).expect("a sound item");
    let put = world.store(5, "k", b"ours");
    let got = world.get_item(6, target("k"), b"k").expect("it was put");
    assert_eq!(got.item.seq().map(Seq::get), put.version.map(|version| version.get() as i64));
    assert!(got.item.value().windows(4).any(|window| window == b"ours"));
    assert_eq!(*world.read(7, "k"), *b"ours");
}

#[test]
fn a_foreign_version_that_is_ahead_of_all_clocks_is_still_topped() {
    let mut world = World::joined(12);
    let ahead = 1_700_000_000_000_000 + 30 * 60 * 1_000_000;
    world.put_item(4, b"7:foreign", Some(in_default(b"k", ahead))).expect("a sound item");
    let put = world.put(5, put_request("k", b"ours")).expect("half an hour is allowed");
    assert!(put.version > Version::new(ahead.unsigned_abs()));
    assert_eq!(*world.read(7, "k"), *b"ours");
}

#[test]
fn a_node_that_announces_itself_is_found_by_others() {
    let mut world = World::joined(12);
    let info_hash = InfoHash::new([0x33; 20]);
    for (node, port) in [(1, Some(7001)), (2, None)] {
        let id = world.request(node, Request::Announce { info_hash, port, seed: node == 1 });
        let Done::Announced(Ok(report)) = world.finish(node, id) else { panic!("not announced") };
        assert_eq!((report.replicas.known, report.replicas.stored.len()), (8, 8));
        assert_eq!((report.version, report.expires), (None, None));
    }
    let id = world.request(9, Request::Peers { info_hash, scrape: true });
    let Done::Peers(report) = world.finish(9, id) else { panic!("a search for peers") };
    let mut peers: Vec<wire::Endpoint> = Vec::new();
    for event in world.events(9) {
        if let Event::Peers(of, found) = event {
            assert_eq!(*of, id);
            peers.extend(found);
        }
    }
    peers.sort();
    peers.dedup();
    assert_eq!(peers, [world.place(1).with_port(7001), world.place(2)]);
    assert_eq!(report.peers, 2);
    let (seeds, others) = *report.filters.expect("a scrape");
    assert_eq!((seeds.estimate().round(), others.estimate().round()), (1.0, 1.0));
}
