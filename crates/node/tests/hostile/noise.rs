//! Bytes without sense, and sense with wrong bytes in it.

use std::time::Duration;

use node::{Command, Config, Drop};
use wire::Endpoint;

use super::bencoded::{Dictionary, outer, query, reply_of, string};
use super::victim::{Chance, Victim, global, id, private, private_v6, way_to, with_tag};

/// Sound messages of every kind, to be broken.
fn sound() -> Vec<Vec<u8>> {
    let place = [7; 20];
    let target = Dictionary::new().string("target", &place);
    let topic = Dictionary::new().string("info_hash", &place);
    let both = target.clone().raw("want", b"l2:n42:n6e");
    let announce = topic.clone().integer("port", 5).integer("implied_port", 1);
    let put = Dictionary::new().string("token", b"12345678").raw("v", b"d1:ai1ee");
    let signed = put
        .clone()
        .string("k", &[1; 32])
        .string("sig", &[2; 64])
        .string("salt", b"salt")
        .integer("seq", 5)
        .integer("cas", 4);
    let member = [
        &b"d1:ei1700000100000e1:i3:ada1:k32:"[..],
        &[1; 32],
        b"1:li1700000200000e1:ri1e1:s64:",
        &[2; 64],
        b"1:vi1700000000000000ee",
    ]
    .concat();
    let add = target.clone().string("token", b"12345678").raw("m", &member);
    let mut nodes = Vec::new();
    for host in 0..8_u8 {
        nodes.extend([host; 20]);
        nodes.extend([10, 2, 0, host, 0x1a, 0xe1]);
    }
    let found = Dictionary::new()
        .string("nodes", &nodes)
        .string("token", b"abcd")
        .raw("values", b"l6:aaaaaa6:bbbbbbe")
        .raw("v", b"5:hello")
        .raw("members", &[b"l", &member[..], &member, b"e"].concat())
        .integer("more", 1);
    let error = outer("e", b"abcd").raw("e", b"li203e3:bade").encode();
    vec![
        query("ping", &Dictionary::new(), b"aa"),
        query("find_node", &both, b"aa"),
        query("get_peers", &topic.clone().integer("scrape", 1).integer("noseed", 1), b"aa"),
        query("announce_peer", &announce.string("token", b"12345678"), b"aa"),
        query("get", &both.clone().integer("seq", 3), b"aa"),
        query("put", &put, b"aa"),
        query("put", &signed, b"aa"),
        query("sample_infohashes", &target, b"aa"),
        query("add", &add, b"aa"),
        query("members", &both.clone().string("after", &place), b"aa"),
        query("vote", &target, b"aa"),
        reply_of(&id(1, 2), &found, b"abcd"),
        error,
    ]
}

fn sender(chance: &mut Chance) -> Endpoint {
    let host = chance.below(300) as u16;
    match chance.below(4) {
        0 => global(host),
        1 => private_v6(host),
        2 => Endpoint::v4([127, 0, 0, 1], 1 + host),
        _ => private(host),
    }
}

#[test]
fn random_bytes_get_no_answer_and_are_all_counted() {
    let mut victim = Victim::new();
    let mut chance = Chance(1);
    let mut received = 0;
    for _ in 0..20_000 {
        let length = chance.below(2200);
        let length = if chance.below(2) == 0 { length % 40 } else { length };
        let bytes = chance.bytes(length);
        received += 1;
        assert!(victim.hear(sender(&mut chance), &bytes).is_empty());
    }
    assert_eq!(victim.counters().received, received);
    let dropped = victim.dropped(Drop::Malformed) + victim.dropped(Drop::Length);
    assert_eq!(dropped, received, "{:?}", victim.counters());
}

#[test]
fn sound_messages_with_wrong_bytes_in_them_break_nothing() {
    let mut victim = Victim::new();
    let mut chance = Chance(2);
    for host in 0..20 {
        victim.acquaint(id(host as u8 * 12, 1), private(host));
    }
    let sound = sound();
    for round in 0..20_000 {
        let mut bytes = sound[chance.below(sound.len())].clone();
        for _ in 0..1 + chance.below(4) {
            let place = chance.below(bytes.len());
            match chance.below(5) {
                0 => bytes[place] = chance.draw() as u8,
                1 => bytes.truncate(place.max(1)),
                2 => bytes.insert(place, b"dlie:0123456789-"[chance.below(16)]),
                3 => {
                    bytes.remove(place);
                    bytes.push(b'e');
                }
                _ => bytes[place] ^= 1 << chance.below(8),
            }
        }
        let from = sender(&mut chance);
        for sent in victim.hear(from, &bytes) {
            assert!(sent.bytes.len() <= 1400, "{} bytes", sent.bytes.len());
        }
        if round % 100 == 0 {
            victim.look(way_to(chance.draw() as u8));
            victim.pass(Duration::from_millis(700));
        }
    }
    assert_eq!(victim.counters().received, victim.counters().received.max(20_000));
}

#[test]
fn answers_with_wrong_bytes_in_them_break_no_lookup() {
    let mut victim = Victim::new();
    let mut chance = Chance(3);
    for host in 0..16 {
        victim.acquaint(id(host as u8 * 15, 1), private(host));
    }
    let sound = sound();
    let answers = &sound[sound.len() - 2..];
    for round in 0..300 {
        let operation = victim.look(match round % 2 {
            0 => way_to(round as u8),
            _ => node::Question::Item {
                target: wire::Target::new([round as u8; 20]),
                salt: [].into(),
                newer_than: None,
            },
        });
        for _ in 0..6 {
            for (to, transaction, _) in victim.queries() {
                let mut bytes = answers[chance.below(2)].clone();
                let at = bytes.windows(4).position(|four| four == b"abcd").expect("a transaction");
                let last = bytes.windows(4).rposition(|four| four == b"abcd").unwrap_or(at);
                bytes[last..last + 4].copy_from_slice(&transaction);
                let place = chance.below(bytes.len());
                bytes[place] = chance.draw() as u8;
                victim.hear(to, &bytes);
            }
            victim.pass(Duration::from_millis(100));
        }
        victim.pass(Duration::from_secs(31));
        assert!(victim.result(operation).is_some(), "the lookup of round {round} never ended");
        victim.events.clear();
    }
}

#[test]
fn a_datagram_that_is_empty_or_too_long_is_dropped_for_its_length() {
    let mut victim = Victim::new();
    let from = private(1);
    assert!(victim.hear(from, b"").is_empty());
    let long = query("ping", &Dictionary::new().string("x", &[b'x'; 2100]), b"aa");
    assert!(victim.hear(from, &long).is_empty());
    assert_eq!(victim.dropped(Drop::Length), 2);
    let jumbo = query("ping", &Dictionary::new().string("x", &[b'x'; 1900]), b"aa");
    assert!(victim.ask_raw(from, &jumbo).is_some(), "up to 2,048 bytes are read");
}

#[test]
fn senders_that_nothing_can_be_sent_to_are_dropped_as_martians() {
    let mut victim = Victim::new();
    let v6 = |bytes: [u8; 2]| {
        let mut ip = [1; 16];
        ip[..2].copy_from_slice(&bytes);
        Endpoint::v6(ip, 5)
    };
    let martians = [
        private(1).with_port(0),
        global(1).with_port(0),
        Endpoint::v4([0, 0, 0, 0], 5),
        Endpoint::v4([0, 1, 2, 3], 5),
        Endpoint::v4([224, 0, 0, 1], 5),
        Endpoint::v4([240, 0, 0, 1], 5),
        Endpoint::v4([255, 255, 255, 255], 5),
        Endpoint::v6([0; 16], 5),
        v6([0xff, 0x02]),
        v6([0xfe, 0x80]),
    ];
    for martian in martians {
        assert!(victim.hear(martian, &sound()[0]).is_empty(), "{martian}");
    }
    assert_eq!(victim.dropped(Drop::Martian), martians.len() as u64);
}

#[test]
fn nesting_without_end_is_dropped() {
    let mut victim = Victim::new();
    for deep in [vec![b'l'; 2000], vec![b'd'; 2000], b"d1:a".repeat(500), b"d0:".repeat(600)] {
        assert!(victim.hear(private(1), &deep).is_empty());
        let inside = outer("q", b"aa").raw("a", &deep).string("q", b"ping").encode();
        victim.hear(private(1), &inside);
    }
    let nested = [b"l".repeat(60), b"e".repeat(60)].concat();
    let odd = query("ping", &Dictionary::new().raw("x", &nested), b"aa");
    assert!(victim.ask_raw(private(1), &odd).is_some(), "odd, but sound");
}

#[test]
fn lengths_and_numbers_beyond_all_bounds_are_survived() {
    let mut victim = Victim::new();
    for text in [
        &b"99999999999999999999:a"[..],
        b"d1:t2:aa1:y1:q1:q99999:ping",
        b"d1:ad2:id99999:abce",
        b"d1:eli99999999999999999999999999ee1:t4:abcd1:y1:ee",
        b"d1:rd2:id20:abcdefghij01234567893:seqi-9223372036854775809eee1:t4:abcd1:y1:re",
        b"i9223372036854775808e",
        b"-1:",
        b"d-1:e",
    ] {
        assert!(victim.hear(private(1), text).is_empty());
    }
    for number in ["-9223372036854775808", "9223372036854775807", "9223372036854775808"] {
        let arguments = Dictionary::new()
            .string("info_hash", &[1; 20])
            .string("token", b"12345678")
            .raw("port", format!("i{number}e").as_bytes());
        let answer = victim.ask(private(1), &query("announce_peer", &arguments, b"aa"));
        assert_eq!(answer.code, Some(203), "port {number}");
    }
}

#[test]
fn a_query_from_our_own_id_is_dropped_as_our_own() {
    let mut victim = Victim::new();
    let own = *victim.node.id().as_bytes();
    let ping = super::bencoded::query_of(&own, "ping", &Dictionary::new(), b"aa");
    assert!(victim.hear(private(1), &ping).is_empty());
    assert_eq!(victim.dropped(Drop::Own), 1);
    assert!(!victim.knows(own));
}

#[test]
fn a_flood_of_messages_of_all_kinds_leaves_everything_bounded() {
    let config = Config {
        shelf: node::ShelfLimits { items: 50, bytes: 5_000, ..Default::default() },
        ..Config::default()
    };
    let mut victim = Victim::with(config);
    let mut chance = Chance(4);
    let tag = super::victim::own_tag();
    for round in 0..4_000_u32 {
        let place = chance.bytes(20);
        let from = sender(&mut chance);
        let get = query("get", &Dictionary::new().string("target", &place), b"aa");
        victim.hear(from, &with_tag(&get, &tag));
        let value = string(&place);
        let hash = wire::item::immutable_target(&value);
        let asked = query("get", &Dictionary::new().string("target", hash.as_bytes()), b"aa");
        let Some(answer) = victim.ask_raw(from, &asked) else { continue };
        let token = super::bencoded::Answer::read(&answer).value("token");
        let put = Dictionary::new().string("token", &token).raw("v", &value);
        victim.hear(from, &query("put", &put, b"aa"));
        let topic = Dictionary::new().string("info_hash", &place);
        victim.hear(from, &query("get_peers", &topic, b"aa"));
        if round % 64 == 0 {
            victim.command(Command::Ping(private(round as u16)));
            victim.pass(Duration::from_secs(1));
        }
    }
    let (items, bytes) = victim.node.held_items();
    assert!((10..=50).contains(&items) && bytes <= 5_000, "{items} items, {bytes} bytes");
}
