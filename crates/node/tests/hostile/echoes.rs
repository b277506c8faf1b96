//! Every query that can be answered is answered under its own transaction id.

use node::Drop;

use super::bencoded::{Answer, Dictionary, outer, query, text};
use super::victim::{Victim, global, private, private_v6};

#[test]
fn transaction_ids_of_1_to_32_bytes_are_echoed_byte_for_byte() {
    let mut victim = Victim::new();
    for length in 1..=32_usize {
        let transaction: Vec<u8> = (0..length).map(|byte| (byte * 37) as u8 ^ 0xf0).collect();
        let answer = victim.ask(private(1), &query("ping", &Dictionary::new(), &transaction));
        assert_eq!(answer.transaction(), transaction);
        assert!(answer.code.is_none());
    }
}

#[test]
fn a_malformed_query_is_told_so_under_its_transaction_id() {
    let mut victim = Victim::new();
    let bad = Dictionary::new().string("target", b"short");
    for length in 1..=32 {
        let transaction = vec![0xaa; length];
        let answer = victim.ask(private(1), &query("find_node", &bad, &transaction));
        assert_eq!((answer.code, answer.transaction()), (Some(203), transaction));
    }
    assert_eq!(victim.counters().refused, 32);
}

#[test]
fn queries_without_a_usable_transaction_id_are_dropped_and_counted() {
    let mut victim = Victim::new();
    let ping = |t: &[u8]| query("ping", &Dictionary::new(), t);
    let no_string = outer("q", b"").raw("t", b"i5e").string("q", b"ping").encode();
    let none = outer("q", b"").without("t").string("q", b"ping").encode();
    let bad = query("find_node", &Dictionary::new(), &[b'x'; 33]);
    let all = [ping(b""), ping(&[b'x'; 33]), ping(&[b'x'; 500]), no_string, none, bad];
    for datagram in &all {
        assert!(victim.hear(private(1), datagram).is_empty());
    }
    assert_eq!(victim.dropped(Drop::Malformed), all.len() as u64);
}

#[test]
fn an_unknown_method_is_told_as_unknown() {
    let mut victim = Victim::new();
    for method in ["vote", "", "PING", "ping ", "get_peers2", "\u{0}"] {
        let answer = victim.ask(private(1), &query(method, &Dictionary::new(), b"aa"));
        assert_eq!(answer.code, Some(204), "{method}");
    }
    let like_find_node = Dictionary::new().string("target", &[1; 20]);
    assert_eq!(victim.ask(private(1), &query("vote", &like_find_node, b"aa")).code, Some(204));
}

#[test]
fn queries_that_lack_what_they_need_are_malformed() {
    let mut victim = Victim::new();
    let none = Dictionary::new();
    let target = none.clone().string("target", &[1; 20]);
    let topic = none.clone().string("info_hash", &[1; 20]);
    let token = topic.clone().string("token", b"12345678");
    let put = none.clone().string("token", b"12345678");
    let signed = put.clone().raw("v", b"i1e").string("k", &[1; 32]).string("sig", &[1; 64]);
    for (method, arguments) in [
        ("find_node", none.clone()),
        ("find_node", none.clone().string("target", &[1; 19])),
        ("find_node", none.clone().string("target", &[1; 21])),
        ("find_node", none.clone().integer("target", 1)),
        ("find_node", target.clone().string("want", b"n4")),
        ("get_peers", none.clone()),
        ("get_peers", target.clone()),
        ("get_peers", none.clone().string("info_hash", b"")),
        ("announce_peer", topic.clone().integer("port", 5)),
        ("announce_peer", token.clone()),
        ("announce_peer", token.clone().integer("port", 0)),
        ("announce_peer", token.clone().integer("port", 65_536)),
        ("announce_peer", token.clone().integer("port", -1)),
        ("announce_peer", token.clone().string("port", b"5")),
        ("announce_peer", topic.clone().integer("port", 5).string("token", &[1; 65])),
        ("get", none.clone()),
        ("get", topic.clone()),
        ("put", put.clone()),
        ("put", none.clone().raw("v", b"i1e")),
        ("put", put.clone().raw("v", b"i1e").string("k", &[1; 31])),
        ("put", signed.clone()),
        ("put", signed.clone().integer("seq", -1)),
        ("put", signed.clone().integer("seq", 1).string("sig", &[1; 63])),
        ("put", signed.clone().integer("seq", 1).without("sig")),
        ("put", signed.clone().integer("seq", 1).integer("cas", -1)),
        ("put", signed.clone().integer("seq", 1).string("cas", b"1")),
        ("sample_infohashes", none.clone()),
    ] {
        let answer = victim.ask(private(1), &query(method, &arguments, b"aa"));
        assert_eq!(answer.code, Some(203), "{method} {:?}", arguments.encode());
    }
    let (items, _) = victim.node.held_items();
    assert_eq!((items, victim.node.held_peers()), (0, (0, 0)));
}

#[test]
fn a_query_without_a_sound_id_or_arguments_is_malformed() {
    let mut victim = Victim::new();
    let from = private(1);
    for id in [&b""[..], &[1; 19], &[1; 21]] {
        let answer =
            victim.ask(from, &super::bencoded::query_of(id, "ping", &Dictionary::new(), b"aa"));
        assert_eq!(answer.code, Some(203));
    }
    let shapes = [
        outer("q", b"aa").string("q", b"ping"),
        outer("q", b"aa").string("q", b"ping").raw("a", b"le"),
        outer("q", b"aa").string("q", b"ping").raw("a", b"i1e"),
        outer("q", b"aa").string("q", b"ping").raw("a", b"de"),
        outer("q", b"aa").raw("q", b"i1e").raw("a", b"d2:id20:abcdefghij0123456789e"),
        outer("q", b"aa").raw("a", b"d2:id20:abcdefghij0123456789e"),
    ];
    for shape in shapes {
        assert_eq!(victim.ask(from, &shape.encode()).code, Some(203));
    }
}

#[test]
fn messages_of_no_kind_are_dropped() {
    let mut victim = Victim::new();
    for kind in ["", "x", "qq", "Q"] {
        let message = outer(kind, b"aaaa").string("q", b"ping").encode();
        assert!(victim.hear(private(1), &message).is_empty());
    }
    let none = outer("q", b"aaaa").without("y").string("q", b"ping").encode();
    assert!(victim.hear(private(1), &none).is_empty());
    assert_eq!(victim.dropped(Drop::Malformed), 5);
}

#[test]
fn every_answer_tells_the_asker_its_address_in_6_or_18_bytes() {
    let mut victim = Victim::new();
    let target = Dictionary::new().string("target", &[1; 20]);
    for from in [private(77), private_v6(77), global(3), super::victim::global(9).with_port(1)] {
        let mut compact = from.ip_bytes().to_vec();
        compact.extend(from.port().to_be_bytes());
        let queries = [
            query("ping", &Dictionary::new(), b"aa"),
            query("find_node", &target, b"aa"),
            query("get", &target, b"aa"),
            query("vote", &target, b"aa"),
            query("find_node", &Dictionary::new(), b"aa"),
        ];
        for datagram in queries {
            let answer = victim.ask(from, &datagram);
            assert_eq!(text(&answer.outer["ip"]), compact, "to {from}");
            assert!(compact.len() == 6 || compact.len() == 18);
        }
    }
}

#[test]
fn what_one_family_of_clients_demands_holds_for_every_answer() {
    let mut victim = Victim::new();
    let target = Dictionary::new().string("target", &[1; 20]);
    for datagram in [
        query("ping", &Dictionary::new(), b"aaaa"),
        query("get", &target, b"aaaa"),
        query("vote", &target, b"aaaa"),
    ] {
        let bytes = victim.ask_raw(private(1), &datagram).expect("an answer");
        assert_eq!(wire::bencode::check_canonical(&bytes), Ok(()), "keys in order");
        let answer = Answer::read(&bytes);
        assert_eq!(text(&answer.outer["v"]).len(), 4);
        if let Some(error) = answer.outer.get("e") {
            let mut list = wire::bencode::Reader::new(error);
            list.list().expect("a list");
            list.integer().expect("a code");
            let told = list.string().expect("a text");
            assert!(list.end() && std::str::from_utf8(told).is_ok());
        }
    }
}

#[test]
fn keys_in_any_order_and_unknown_ones_are_understood() {
    let mut victim = Victim::new();
    let id = b"2:id20:abcdefghij0123456789";
    let mut unsorted = b"d1:y1:q3:zzzi5e1:q4:ping1:t2:aa1:ad5:extral1:xe".to_vec();
    unsorted.extend(id);
    unsorted.extend(b"1:0i0ee1:vi9ee");
    let answer = victim.ask(private(1), &unsorted);
    assert_eq!((answer.code, answer.transaction()), (None, b"aa".to_vec()));
}
