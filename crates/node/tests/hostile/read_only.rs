//! Nodes that only ask (BEP 43): others, and ourselves.

use std::time::Duration;

use node::{Command, Config, Drop, Network};

use super::bencoded::{Dictionary, outer, query};
use super::victim::{Victim, global, id, own_tag, private, with_tag};

/// A ping with this value of `ro`.
fn ping(ro: &[u8], who: [u8; 20]) -> Vec<u8> {
    let arguments = Dictionary::new().string("id", &who).encode();
    outer("q", b"aa").raw("a", &arguments).string("q", b"ping").raw("ro", ro).encode()
}

#[test]
fn a_sender_that_only_asks_is_answered_and_never_added_or_asked() {
    let mut victim = Victim::new();
    for host in 0..50 {
        let who = id(host as u8 * 5, 1);
        let sent = victim.hear(private(host), &ping(b"i1e", who));
        assert_eq!(sent.len(), 1, "the answer and nothing else");
        assert!(sent[0].query().is_none());
        victim.pass(Duration::from_secs(1));
        assert!(!victim.knows(who));
    }
    assert!(victim.queries().is_empty());
}

#[test]
fn a_sender_that_says_it_does_not_only_ask_is_as_any_other() {
    let mut victim = Victim::new();
    let sent = victim.hear(private(1), &ping(b"i0e", id(1, 1)));
    assert!(sent.iter().any(|sent| sent.query().is_some()), "it is asked whether it lives");
}

#[test]
fn a_contact_that_begins_to_only_ask_gives_no_sign_of_life_by_that() {
    let mut victim = Victim::new();
    victim.acquaint(id(1, 1), private(1));
    assert!(victim.knows(id(1, 1)));
    for _ in 0..60 {
        victim.pass(Duration::from_secs(60));
        victim.hear(private(1), &ping(b"i1e", id(1, 1)));
    }
    assert!(!victim.knows(id(1, 1)), "it did not answer");
}

#[test]
fn an_ephemeral_node_answers_nothing_and_says_that_it_only_asks() {
    let mut victim = Victim::with(Config { ephemeral: true, ..Config::default() });
    let target = Dictionary::new().string("target", &[1; 20]);
    let datagrams = [
        query("ping", &Dictionary::new(), b"aa"),
        query("find_node", &target, b"aa"),
        query("get", &target, b"aa"),
        query("vote", &target, b"aa"),
        query("find_node", &Dictionary::new(), b"aa"),
        with_tag(&query("ping", &Dictionary::new(), b"aa"), &own_tag()),
    ];
    for datagram in &datagrams {
        assert!(victim.hear(private(1), datagram).is_empty());
    }
    assert_eq!(victim.dropped(Drop::ReadOnly), datagrams.len() as u64);
    victim.command(Command::Ping(private(1)));
    let sent = victim.sent.pop().expect("a ping");
    assert!(sent.bytes.windows(7).any(|seven| seven == b"2:roi1e"));
}

#[test]
fn a_node_that_answers_does_not_say_that_it_only_asks() {
    let mut victim = Victim::new();
    victim.command(Command::Ping(private(1)));
    let sent = victim.sent.pop().expect("a ping");
    assert!(!sent.bytes.windows(4).any(|four| four == b"2:ro"));
}

#[test]
fn a_public_node_answers_only_once_it_knows_that_it_can_be_reached() {
    let mut victim = Victim::with(Config { network: Network::Public, ..Config::default() });
    assert!(victim.node.is_read_only());
    assert!(victim.hear(global(1), &query("ping", &Dictionary::new(), b"aa")).is_empty());
    assert_eq!(victim.dropped(Drop::ReadOnly), 1);
    let mut victim = Victim::public();
    let answer = victim.ask(global(1), &query("ping", &Dictionary::new(), b"aa"));
    assert_eq!(answer.code, None);
}

#[test]
fn a_forged_echo_from_elsewhere_does_not_make_a_public_node_answer() {
    let mut victim = Victim::with(Config { network: Network::Public, ..Config::default() });
    let own = *victim.node.id().as_bytes();
    let echo = super::bencoded::query_of(&own, "ping", &Dictionary::new(), b"aaaa");
    victim.hear(global(1), &echo);
    assert!(victim.node.is_read_only(), "its address is not known yet");
}
