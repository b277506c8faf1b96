//! What is too large is refused with the limit, before anything is sent.

use std::time::Duration;

use kv::{Change, DEFAULT_TTL, KeyError, MAX_TTL, PutError, PutRequest, largest_value};

use super::world::World;
use super::world::asking::put_request;

fn put(value: Vec<u8>, content_type: Option<&str>, plain: bool, ttl: Duration) -> PutRequest {
    let content_type = content_type.map(Box::from);
    let change = Change::Put { value: value.into(), content_type, ttl, plain };
    PutRequest { change, ..put_request("k", b"") }
}

#[test]
fn the_largest_value_is_stored_and_read_back_in_each_form() {
    let mut world = World::joined(9);
    let long = "x".repeat(128);
    for (content_type, plain) in
        [(None, false), (None, true), (Some("text/plain"), false), (Some(long.as_str()), false)]
    {
        let limit = largest_value(content_type, plain);
        let value = vec![0xa5; limit];
        for ttl in [Duration::from_millis(900_000), MAX_TTL] {
            let request = put(value.clone(), content_type, plain, ttl);
            world.put(1, request).expect("the largest value fits");
            let got = world.get(6, "k").expect("it was put");
            assert_eq!(*got.value, *value);
        }
    }
}

#[test]
fn one_byte_more_is_refused_with_the_limit_and_nothing_is_sent() {
    let mut world = World::joined(9);
    let before = world.datagrams;
    for (content_type, plain) in [(None, false), (None, true), (Some("text/plain"), false)] {
        let limit = largest_value(content_type, plain);
        for length in [limit + 1, limit + 2, 1001, 100_000] {
            let refused = world.put(1, put(vec![0; length], content_type, plain, DEFAULT_TTL));
            assert_eq!(refused, Err(PutError::TooLarge { length, limit }));
        }
    }
    assert_eq!(world.datagrams, before);
}

#[test]
fn a_plain_value_has_the_996_bytes_that_fit_an_item() {
    assert_eq!(largest_value(None, true), 996);
    assert!(largest_value(None, false) > 900);
    assert!(largest_value(Some("text/plain"), false) < largest_value(None, false));
}

#[test]
fn a_raw_item_that_is_none_is_refused_before_anything_is_sent() {
    let mut world = World::joined(9);
    let before = world.datagrams;
    let signing = |salt: &[u8]| kv::ItemSigning {
        signer: wire::Signer::from_seed(&[1; 32]),
        salt: salt.into(),
        seq: None,
        cas: None,
    };
    for (value, signed, refusal) in [
        (&b"d1:bi1e1:ai1ee"[..], None, wire::Refusal::NotCanonical),
        (b"02:hi", None, wire::Refusal::NotCanonical),
        (b"", None, wire::Refusal::NotCanonical),
        (&[b'i'; 1001], None, wire::Refusal::ValueTooBig),
        (b"i1e", Some(signing(&[0; 65])), wire::Refusal::SaltTooBig),
    ] {
        assert_eq!(world.put_item(1, value, signed), Err(PutError::BadItem(refusal)));
    }
    assert_eq!(world.datagrams, before);
    world.put_item(1, b"i1e", Some(signing(&[0; 64]))).expect("64 bytes of salt are allowed");
}

#[test]
fn keys_outside_the_bounds_are_told_apart() {
    assert_eq!(kv::Key::new(""), Err(KeyError::Empty));
    assert_eq!(kv::Key::new("x".repeat(1025)), Err(KeyError::TooLong(1025)));
    let told = KeyError::TooLong(1025).to_string();
    assert!(told.contains("1025") && told.contains("1024"), "{told}");
}
