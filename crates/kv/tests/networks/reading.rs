//! What is put at one node is got from every other.

use std::time::Duration;

use kv::{
    Absence, Change, Config, Done, GetError, GetRequest, Key, Namespace, PutRequest, Request,
};
use wire::Signer;

use super::world::asking::{get_request, put_for, put_request, target};
use super::world::{START, World};

#[test]
fn what_is_put_at_one_node_is_got_from_every_other() {
    let mut world = World::joined(20);
    let put = world.store(3, "greeting", b"hello");
    for node in 0..20 {
        let got = world.get(node, "greeting").expect("it was put");
        assert_eq!(*got.value, *b"hello", "from node {node}");
        assert_eq!(Some(got.version), put.version);
        assert_eq!(got.expires, put.expires);
        assert_eq!(got.target, put.target);
    }
}

#[test]
fn a_node_alone_keeps_and_gives_back_what_it_is_given() {
    let mut world = World::new(1);
    let node = world.add(Config::default());
    let put = world.store(node, "alone", b"here");
    assert_eq!((put.replicas.known, put.replicas.needed), (1, 1));
    assert_eq!(put.replicas.stored.len(), 1);
    assert_eq!(put.replicas.stored[0].endpoint, None, "this node itself");
    let got = world.get(node, "alone").expect("it was put");
    assert_eq!((&*got.value, got.known, got.agreed), (&b"here"[..], 1, 1));
    world.delete(node, "alone");
    assert!(world.get(node, "alone").is_err());
    assert_eq!(world.datagrams, 0, "there is nobody to talk to");
}

#[test]
fn in_a_small_network_every_node_is_a_replica() {
    for count in [2, 3, 5, 8] {
        let mut world = World::joined(count);
        let put = world.store(0, "k", b"v");
        assert_eq!(put.replicas.known, count);
        assert_eq!(put.replicas.needed, count / 2 + 1);
        assert_eq!(put.replicas.stored.len(), count);
        for node in 0..count {
            let got = world.get(node, "k").expect("it was put");
            assert_eq!((got.known, got.agreed), (count, count));
        }
    }
}

#[test]
fn an_ephemeral_client_puts_and_gets_through_one_door_and_holds_nothing() {
    let mut world = World::joined(20);
    let ephemeral = node::Config { ephemeral: true, ..node::Config::default() };
    let client = world.add(Config { node: ephemeral, ..Config::default() });
    world.join(client, 7);
    let put = world.store(client, "k", b"from afar");
    assert_eq!(put.replicas.stored.len(), 8);
    let own = world.id(client);
    assert!(put.replicas.stored.iter().all(|replica| replica.id != own));
    assert_eq!(world.members[client].kv.node().held_items(), (0, 0));
    assert_eq!(*world.read(12, "k"), *b"from afar");
    world.store(13, "k", b"from within");
    assert_eq!(*world.read(client, "k"), *b"from within");
}

#[test]
fn a_key_that_nobody_put_was_never_seen() {
    let mut world = World::joined(12);
    for consistency in [kv::Consistency::First, kv::Consistency::Quorum, kv::Consistency::All] {
        let absent = world.get_as(2, "absent", consistency);
        let never = GetError::NotFound { absence: Absence::NeverSeen, effort: effort(&absent) };
        assert_eq!(absent, Err(never));
    }
}

fn effort(outcome: &super::world::asking::GetOutcome) -> kv::Effort {
    match outcome {
        Err(GetError::NotFound { effort, .. }) => *effort,
        other => panic!("{other:?}"),
    }
}

#[test]
fn namespaces_and_keys_are_kept_apart() {
    let mut world = World::joined(12);
    let signer = Signer::from_seed(&[5; 32]);
    let theirs = Namespace::signed(signer.clone());
    world.store(0, "k", b"everybody's");
    let own = PutRequest { namespace: theirs.clone(), ..put_request("k", b"theirs") };
    world.put(1, own).expect("enough holders are up");
    world.store(0, "k2", b"another key");
    assert_eq!(*world.read(5, "k"), *b"everybody's");
    let reader = Namespace::of(signer.public_key());
    let request = GetRequest { namespace: reader, ..get_request("k", Default::default()) };
    let id = world.request(6, Request::Get(request));
    let Done::Got(Ok(got)) = world.finish(6, id) else { panic!("a value") };
    assert_eq!(*got.value, *b"theirs");
}

#[test]
fn a_reader_of_a_signed_namespace_cannot_write_it() {
    let mut world = World::joined(3);
    let namespace = Namespace::of(Signer::from_seed(&[5; 32]).public_key());
    let before = world.datagrams;
    let refused = world.put(0, PutRequest { namespace, ..put_request("k", b"v") });
    assert!(matches!(refused, Err(kv::PutError::Namespace(_))), "{refused:?}");
    assert_eq!(world.datagrams, before);
}

#[test]
fn keys_of_all_lengths_are_found_again() {
    let mut world = World::joined(9);
    for length in [1, 63, 64, 65, 1024] {
        let key = "k".repeat(length);
        world.store(1, &key, &key.as_bytes()[..length.min(900)]);
        assert_eq!(world.read(7, &key).len(), length.min(900), "{length} bytes");
    }
    assert_eq!(Key::new("k".repeat(1025)), Err(kv::KeyError::TooLong(1025)));
}

#[test]
fn content_type_and_expiry_come_back_as_put() {
    let mut world = World::joined(9);
    let ttl = Duration::from_secs(600);
    let mut request = put_for("page", b"<p>", ttl);
    let Change::Put { content_type, .. } = &mut request.change else { panic!("a put") };
    *content_type = Some("text/html".into());
    let put = world.put(2, request).expect("enough holders are up");
    let got = world.get(8, "page").expect("it was put");
    assert_eq!(got.content_type.as_deref(), Some("text/html"));
    assert_eq!(got.expires, put.expires);
    let expires = got.expires.expect("an envelope carries an expiry");
    let life = expires.since(START);
    assert!(life > ttl && life < ttl + Duration::from_secs(60), "{life:?}");
}

#[test]
fn the_last_of_many_values_is_read_from_everywhere() {
    let mut world = World::joined(15);
    let mut last = None;
    for round in 0..12 {
        let put = world.store(round % 15, "k", format!("value {round}").as_bytes());
        assert!(put.version > last, "versions rise");
        last = put.version;
    }
    for node in 0..15 {
        assert_eq!(*world.read(node, "k"), *b"value 11");
    }
}

#[test]
fn empty_and_binary_values_are_values() {
    let mut world = World::joined(9);
    let all: Vec<u8> = (0..=255).collect();
    for value in [&b""[..], &all, b"\xd8XR\x01d1:t", b"d1:ei5ee"] {
        world.store(0, "k", value);
        assert_eq!(*world.read(5, "k"), *value);
    }
}

#[test]
fn a_key_lies_where_the_hash_of_namespace_and_key_says() {
    let mut world = World::joined(20);
    let put = world.store(0, "k", b"v");
    assert_eq!(put.target, target("k"));
    let near = world.closest(&put.target, 8);
    for node in 0..20 {
        assert_eq!(world.held(node, "k").is_some(), near.contains(&node), "node {node}");
    }
}

#[test]
fn the_same_seed_and_requests_give_the_same_life() {
    let life = || {
        let config = Config::default();
        let mut world = World::joined_with(12, 99, &config);
        world.jitter = Duration::from_millis(50);
        world.loss = 100;
        let put = world.put(3, put_request("k", b"v"));
        let got = world.get(8, "k");
        (put, got, world.datagrams, world.now_at(0))
    };
    assert_eq!(life(), life());
}
