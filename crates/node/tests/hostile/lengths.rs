//! No answer is longer than a datagram should be: 1,400 bytes with a value, 1,024 without.

use std::time::Duration;

use node::{Mainline, Network};
use wire::item::byte_string;
use wire::limits::{PLAIN_REPLY_BYTES, VALUE_REPLY_BYTES};
use wire::{Endpoint, Family, Item, Seq, Signer};

use super::bencoded::{Answer, Dictionary, query, string};
use super::victim::{Chance, Victim, id, own_tag, private, private_v6, with_tag};

/// The longest transaction id that is echoed.
const LONG: [u8; 32] = [b't'; 32];

/// A node that knows many of both families.
fn full() -> Victim {
    let mut victim = Victim::new();
    for host in 0..120_u16 {
        let [high, low] = (host * 541).to_be_bytes();
        victim.acquaint(id(high, low), private(host));
        victim.acquaint(id(high, low), private_v6(host));
    }
    for family in Family::ALL {
        let known = victim.node.table(family).len();
        assert!(known > 60, "{known} contacts of {family:?}");
    }
    victim
}

fn askers() -> [Endpoint; 2] {
    [private(60_000), private_v6(60_000)]
}

fn both() -> Dictionary {
    Dictionary::new().raw("want", b"l2:n42:n6e")
}

/// The answer to a query that asks for as much as it can, with its length.
fn asked(
    victim: &mut Victim,
    from: Endpoint,
    method: &str,
    arguments: &Dictionary,
) -> (Answer, usize) {
    let datagram = with_tag(&query(method, arguments, &LONG), &own_tag());
    let answer = victim.ask_raw(from, &datagram).expect("an answer");
    (Answer::read(&answer), answer.len())
}

fn list_bytes(answer: &Answer, key: &str) -> usize {
    if answer.has(key) { answer.value(key).len() } else { 0 }
}

#[test]
fn find_node_gives_ones_own_twice_eight_and_half_as_many_of_both_families_as_fit() {
    let mut victim = full();
    for from in askers() {
        for place in [[0; 20], [0x80; 20], [0xff; 20]] {
            let arguments = both().string("target", &place);
            let (answer, length) = asked(&mut victim, from, "find_node", &arguments);
            assert!(length <= PLAIN_REPLY_BYTES, "{length} bytes");
            assert_eq!(list_bytes(&answer, "nodes"), 16 * 26);
            assert_eq!(list_bytes(&answer, "nodes6"), 11 * 38);
        }
    }
}

#[test]
fn a_full_swarm_with_filters_and_both_families_stays_within_the_bound() {
    let mut victim = full();
    let place = [0x42; 20];
    for host in 0..600_u16 {
        for from in [private(host), private_v6(host)] {
            let topic = Dictionary::new().string("info_hash", &place);
            let token = victim.ask(from, &query("get_peers", &topic, b"aa")).value("token");
            let announce = topic.string("token", &token).integer("port", 9);
            let announce = announce.integer("seed", i64::from(host % 2));
            assert_eq!(victim.ask(from, &query("announce_peer", &announce, b"aa")).code, None);
        }
    }
    assert_eq!(victim.node.held_peers(), (1, 1200));
    for from in askers() {
        for want in [both(), Dictionary::new(), Dictionary::new().raw("want", b"l2:n6e")] {
            for scrape in [0, 1] {
                let arguments = want.clone().string("info_hash", &place).integer("scrape", scrape);
                let (answer, length) = asked(&mut victim, from, "get_peers", &arguments);
                assert!(length <= PLAIN_REPLY_BYTES, "{length} bytes, scrape {scrape}");
                assert_eq!(answer.has("BFpe") && answer.has("BFsd"), scrape == 1);
                let entry = if from.family() == Family::V4 { 6 } else { 18 };
                assert!(answer.peers().iter().all(|peer| peer.len() == entry));
                if scrape == 0 {
                    let bytes = answer.peers().len() * (entry + 3);
                    assert!(bytes > 150, "{bytes} bytes of peers");
                }
            }
        }
    }
}

#[test]
fn a_sample_of_many_topics_stays_within_the_bound() {
    let mut victim = full();
    let mut chance = Chance(5);
    for _ in 0..300 {
        let topic = Dictionary::new().string("info_hash", &chance.bytes(20));
        let token = victim.ask(private(1), &query("get_peers", &topic, b"aa")).value("token");
        let announce = topic.string("token", &token).integer("port", 9);
        victim.ask(private(1), &query("announce_peer", &announce, b"aa"));
    }
    for from in askers() {
        let arguments = both().string("target", &[3; 20]);
        let (answer, length) = asked(&mut victim, from, "sample_infohashes", &arguments);
        assert!(length <= PLAIN_REPLY_BYTES, "{length} bytes");
        assert_eq!((answer.value("samples").len(), answer.number("num")), (20 * 20, 300));
        assert!(list_bytes(&answer, "nodes") >= 26 && list_bytes(&answer, "nodes6") >= 38);
    }
}

/// Puts an item as a stranger does.
fn hold(victim: &mut Victim, item: &Item) {
    let from = private(7);
    let target = item.target();
    let get = Dictionary::new().string("target", target.as_bytes());
    let token = victim.ask(from, &query("get", &get, b"aa")).value("token");
    let item = item.as_ref();
    let mut put = Dictionary::new().string("token", &token).raw("v", item.value());
    if let Some(signed) = item.signed() {
        put = put
            .string("k", signed.key.as_bytes())
            .string("sig", &signed.signature)
            .integer("seq", signed.seq.get())
            .string("salt", signed.salt);
    }
    let answer = victim.ask(from, &query("put", &put, b"aa"));
    assert_eq!(answer.code, None, "{answer:?}");
}

#[test]
fn the_largest_values_travel_within_the_bound_and_with_contacts() {
    let mut victim = full();
    let signer = Signer::from_seed(&[1; 32]);
    let last = Seq::new(i64::MAX).expect("not negative");
    let large = byte_string(&[b'v'; 996]);
    let items = [
        Item::immutable(&large).expect("1,000 bytes are allowed"),
        Item::mutable(&signer, &[b's'; 64], last, &large).expect("1,000 bytes are allowed"),
        Item::immutable(b"1:v").expect("a small value"),
        Item::mutable(&signer, b"", last, b"1:v").expect("a small value"),
    ];
    for item in &items {
        hold(&mut victim, item);
    }
    for from in askers() {
        for item in &items {
            for want in [both(), Dictionary::new()] {
                let arguments = want.string("target", item.target().as_bytes());
                let (answer, length) = asked(&mut victim, from, "get", &arguments);
                assert!(length <= VALUE_REPLY_BYTES, "{length} bytes");
                assert_eq!(answer.values["v"], item.value());
                let contacts = list_bytes(&answer, "nodes") + list_bytes(&answer, "nodes6");
                assert!(contacts >= 26, "contacts beside {length} bytes");
            }
        }
    }
}

#[test]
fn a_value_that_is_left_out_leaves_a_short_answer() {
    let mut victim = full();
    let signer = Signer::from_seed(&[1; 32]);
    let last = Seq::new(i64::MAX).expect("not negative");
    let item = Item::mutable(&signer, b"s", last, &byte_string(&[b'v'; 996])).expect("allowed");
    hold(&mut victim, &item);
    for from in askers() {
        let known = both().string("target", item.target().as_bytes()).integer("seq", i64::MAX);
        let absent = both().string("target", &[9; 20]);
        for arguments in [known, absent] {
            let (answer, length) = asked(&mut victim, from, "get", &arguments);
            assert!(length <= PLAIN_REPLY_BYTES, "{length} bytes");
            assert!(!answer.has("v") && answer.has("token"));
            assert_eq!(list_bytes(&answer, "nodes"), 15 * 26);
            assert_eq!(list_bytes(&answer, "nodes6"), 10 * 38);
        }
    }
}

#[test]
fn errors_are_short() {
    let mut victim = full();
    let put = Dictionary::new().string("token", b"wrong").raw("v", &string(&[b'v'; 900]));
    for (method, arguments) in
        [("vote", Dictionary::new()), ("find_node", Dictionary::new()), ("put", put)]
    {
        let (answer, length) = asked(&mut victim, private_v6(3), method, &arguments);
        assert!(answer.code.is_some() && length < 160, "{method}: {length} bytes");
    }
}

#[test]
fn whatever_is_asked_no_answer_exceeds_its_bound() {
    let mut victim = full();
    let mut chance = Chance(6);
    let signer = Signer::from_seed(&[1; 32]);
    for salt in 0..10_u8 {
        let value = byte_string(&chance.bytes(100 * usize::from(salt) + 90));
        let seq = Seq::new(1 << (salt * 6)).expect("not negative");
        hold(&mut victim, &Item::mutable(&signer, &[salt], seq, &value).expect("allowed"));
    }
    let targets: Vec<[u8; 20]> = (0..10_u8)
        .map(|salt| *wire::item::mutable_target(&signer.public_key(), &[salt]).as_bytes())
        .collect();
    for _ in 0..2_000 {
        let place = targets[chance.below(targets.len())];
        let want: &[u8] =
            [&b"le"[..], b"l2:n4e", b"l2:n6e", b"l2:n42:n6e", b"l2:n62:n42:n4e"][chance.below(5)];
        let arguments = Dictionary::new()
            .string("target", &place)
            .string("info_hash", &place)
            .raw("want", want)
            .integer("scrape", chance.below(2) as i64);
        let method = ["get", "find_node", "get_peers", "sample_infohashes"][chance.below(4)];
        let from = askers()[chance.below(2)];
        let transaction = chance.bytes(1 + chance.0 as usize % 32);
        let datagram = with_tag(&query(method, &arguments, &transaction), &own_tag());
        let answer = victim.ask_raw(from, &datagram).expect("an answer");
        let bound = match Answer::read(&answer).has("v") {
            true => VALUE_REPLY_BYTES,
            false => PLAIN_REPLY_BYTES,
        };
        assert!(answer.len() <= bound, "{method}: {} bytes", answer.len());
    }
}

#[test]
fn the_queries_that_a_node_sends_are_short_too() {
    let mut victim = Victim::new();
    victim.acquaint(id(1, 1), private(1));
    victim.sent.clear();
    victim.look(super::victim::way_to(9));
    victim.pass(Duration::from_secs(5));
    assert!(!victim.sent.is_empty());
    assert!(victim.sent.iter().all(|sent| sent.bytes.len() < 200));
}

#[test]
fn a_public_node_keeps_the_bounds_without_a_tag() {
    let mut victim = Victim::public();
    for host in 10..40 {
        victim.acquaint(id(host as u8 * 6, 1), super::victim::global(host));
    }
    let node: &node::Node<Mainline> = &victim.node;
    assert_eq!(node.network(), Network::Public);
    assert!(node.table(Family::V4).len() >= 30);
    let arguments = both().string("target", &[0x55; 20]);
    let from = super::victim::global(900);
    let answer = victim.ask_raw(from, &query("find_node", &arguments, &LONG)).expect("an answer");
    assert!(answer.len() <= PLAIN_REPLY_BYTES);
    assert_eq!(list_bytes(&Answer::read(&answer), "nodes"), 8 * 26, "as all expect there");
    assert!(!Answer::read(&answer).outer.contains_key("xn"));
}
