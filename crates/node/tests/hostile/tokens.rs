//! Write tokens are for one address and one target, and for some minutes.

use std::time::Duration;

use wire::item::immutable_target;
use wire::{Endpoint, Target};

use super::bencoded::{Dictionary, query};
use super::items::{get, immutable};
use super::victim::{Victim, private, private_v6};

const VALUE: &[u8] = b"2:hi";

fn token(victim: &mut Victim, from: Endpoint, target: Target) -> Vec<u8> {
    let arguments = Dictionary::new().string("target", target.as_bytes());
    victim.ask(from, &query("get", &arguments, b"aa")).value("token")
}

fn put(victim: &mut Victim, from: Endpoint, token: &[u8]) -> Option<i64> {
    let arguments = immutable(VALUE).string("token", token);
    victim.ask(from, &query("put", &arguments, b"aa")).code
}

#[test]
fn a_token_is_short_and_at_least_eight_bytes() {
    let mut victim = Victim::new();
    let length = token(&mut victim, private(1), immutable_target(VALUE)).len();
    assert!((8..=20).contains(&length), "{length} bytes");
}

#[test]
fn a_token_opens_nothing_from_another_address() {
    let mut victim = Victim::new();
    let token = token(&mut victim, private(1), immutable_target(VALUE));
    for other in [private(2), private_v6(1), Endpoint::v4([127, 0, 0, 1], 6881)] {
        assert_eq!(put(&mut victim, other, &token), Some(203), "{other}");
    }
    assert_eq!(put(&mut victim, private(1).with_port(99), &token), None, "another port will do");
}

#[test]
fn a_token_opens_no_other_target_and_no_topic() {
    let mut victim = Victim::new();
    let other = token(&mut victim, private(1), Target::new([9; 20]));
    assert_eq!(put(&mut victim, private(1), &other), Some(203));
    let topic = Dictionary::new().string("info_hash", &[3; 20]);
    let announce = topic.string("token", &other).integer("port", 5);
    let answer = victim.ask(private(1), &query("announce_peer", &announce, b"aa"));
    assert_eq!(answer.code, Some(203));
    assert_eq!(victim.node.held_peers(), (0, 0));
}

#[test]
fn a_token_is_good_for_five_minutes_at_least_and_ten_at_most() {
    for offset in [0, 1, 150, 299] {
        let mut victim = Victim::new();
        victim.pass(Duration::from_secs(offset));
        let token = token(&mut victim, private(1), immutable_target(VALUE));
        assert_eq!(put(&mut victim, private(1), &token), None);
        victim.pass(Duration::from_secs(299));
        assert_eq!(put(&mut victim, private(1), &token), None, "after five minutes");
        victim.pass(Duration::from_secs(301));
        assert_eq!(put(&mut victim, private(1), &token), Some(203), "after ten minutes");
    }
}

#[test]
fn two_nodes_give_different_tokens() {
    let mut one = Victim::new();
    let other_seed = node::Config { id: Some(wire::NodeId::new([8; 20])), ..Default::default() };
    let mut other = Victim::with(other_seed);
    let target = immutable_target(VALUE);
    let (first, second) =
        (token(&mut one, private(1), target), token(&mut other, private(1), target));
    assert_ne!(first, second);
    assert_eq!(put(&mut other, private(1), &first), Some(203));
}

#[test]
fn an_announcement_needs_a_token_as_well() {
    let mut victim = Victim::new();
    let topic = Dictionary::new().string("info_hash", &[3; 20]);
    let announce = |victim: &mut Victim, from, token: &[u8]| {
        let arguments = topic.clone().string("token", token).integer("port", 5);
        victim.ask(from, &query("announce_peer", &arguments, b"aa")).code
    };
    let good = victim.ask(private(1), &query("get_peers", &topic, b"aa")).value("token");
    assert_eq!(announce(&mut victim, private(2), &good), Some(203));
    assert_eq!(announce(&mut victim, private(1), b"12345678"), Some(203));
    assert_eq!(announce(&mut victim, private(1), &good), None);
    victim.pass(Duration::from_secs(601));
    assert_eq!(announce(&mut victim, private(1), &good), Some(203));
    assert!(get(&mut victim, immutable_target(VALUE)).has("token"));
}
