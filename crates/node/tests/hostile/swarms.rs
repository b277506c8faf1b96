//! Peers of topics: announcements, counting by filters (BEP 33), and samples (BEP 51).

use std::time::Duration;

use wire::{Bloom, Endpoint};

use super::bencoded::{Answer, Dictionary, query};
use super::victim::{Chance, Victim, private, private_v6};

const TOPIC: [u8; 20] = [0x77; 20];

fn topic() -> Dictionary {
    Dictionary::new().string("info_hash", &TOPIC)
}

fn announce(victim: &mut Victim, from: Endpoint, seed: bool) {
    let token = victim.ask(from, &query("get_peers", &topic(), b"aa")).value("token");
    let arguments = topic().string("token", &token).integer("port", 4000);
    let arguments = if seed { arguments.integer("seed", 1) } else { arguments };
    assert_eq!(victim.ask(from, &query("announce_peer", &arguments, b"aa")).code, None);
}

fn get_peers(victim: &mut Victim, from: Endpoint, arguments: Dictionary) -> Answer {
    victim.ask(from, &query("get_peers", &arguments, b"aa"))
}

fn filter(answer: &Answer, key: &str) -> f64 {
    let bytes = answer.value(key);
    assert_eq!(bytes.len(), 256);
    Bloom::read(&bytes).expect("256 bytes").estimate()
}

#[test]
fn a_scrape_counts_seeds_and_other_peers_of_both_families_apart() {
    let mut victim = Victim::new();
    for host in 0..40 {
        announce(&mut victim, private(host), host < 10);
        announce(&mut victim, private_v6(host), host < 20);
    }
    for from in [private(99), private_v6(99)] {
        let answer = get_peers(&mut victim, from, topic().integer("scrape", 1));
        let (seeds, others) = (filter(&answer, "BFsd"), filter(&answer, "BFpe"));
        assert!((seeds - 30.0).abs() < 3.0 && (others - 50.0).abs() < 4.0, "{seeds}, {others}");
    }
}

#[test]
fn filters_come_only_when_asked_for_and_only_for_a_topic_that_is_known() {
    let mut victim = Victim::new();
    let asked = topic().integer("scrape", 1);
    assert!(!get_peers(&mut victim, private(99), asked.clone()).has("BFsd"), "nothing is known");
    announce(&mut victim, private(1), false);
    for silent in [topic(), topic().integer("scrape", 0), topic().integer("scrape", 2)] {
        let answer = get_peers(&mut victim, private(99), silent);
        assert!(!answer.has("BFsd") && !answer.has("BFpe"));
    }
    let answer = get_peers(&mut victim, private(99), asked);
    assert_eq!((filter(&answer, "BFsd"), filter(&answer, "BFpe").round()), (0.0, 1.0));
}

#[test]
fn who_wants_no_seeds_gets_others_first() {
    let mut victim = Victim::new();
    for host in 0..400 {
        announce(&mut victim, private(host), host >= 20);
    }
    let is_seed = |peer: &Vec<u8>| u16::from_be_bytes([peer[2], peer[3]]) >= 20;
    let answer = get_peers(&mut victim, private(999), topic().integer("noseed", 1));
    let seeds = answer.peers().iter().filter(|peer| is_seed(peer)).count();
    assert_eq!(answer.peers().len() - seeds, 20, "all that are no seeds");
    let mut all_kinds = 0;
    for _ in 0..20 {
        let answer = get_peers(&mut victim, private(999), topic());
        all_kinds += answer.peers().iter().filter(|peer| is_seed(peer)).count();
    }
    assert!(all_kinds > 1000, "{all_kinds} seeds in twenty answers");
}

#[test]
fn one_address_counts_once_and_its_last_word_holds() {
    let mut victim = Victim::new();
    for port in [1000, 2000, 3000] {
        announce(&mut victim, private(1).with_port(port), port == 3000);
    }
    assert_eq!(victim.node.held_peers(), (1, 1));
    let answer = get_peers(&mut victim, private(99), topic().integer("scrape", 1));
    assert_eq!(answer.peers().len(), 1);
    assert_eq!((filter(&answer, "BFsd").round(), filter(&answer, "BFpe")), (1.0, 0.0));
}

#[test]
fn an_implied_port_is_that_of_the_sender() {
    let mut victim = Victim::new();
    let from = private(5).with_port(5555);
    let token = victim.ask(from, &query("get_peers", &topic(), b"aa")).value("token");
    let base = topic().string("token", &token).integer("implied_port", 1);
    for arguments in [base.clone(), base.clone().integer("port", 0), base.integer("port", 9)] {
        assert_eq!(victim.ask(from, &query("announce_peer", &arguments, b"aa")).code, None);
        let answer = get_peers(&mut victim, private(99), topic());
        assert_eq!(answer.peers(), [[10, 1, 0, 5, 0x15, 0xb3].to_vec()]);
    }
}

#[test]
fn peers_are_of_the_askers_family_alone() {
    let mut victim = Victim::new();
    announce(&mut victim, private(1), false);
    announce(&mut victim, private_v6(1), false);
    let both = topic().raw("want", b"l2:n42:n6e");
    let four = get_peers(&mut victim, private(99), both.clone()).peers();
    assert_eq!(four.iter().map(Vec::len).collect::<Vec<_>>(), [6]);
    let six = get_peers(&mut victim, private_v6(99), both).peers();
    assert_eq!(six.iter().map(Vec::len).collect::<Vec<_>>(), [18]);
}

#[test]
fn peers_that_do_not_come_back_are_forgotten() {
    let mut victim = Victim::new();
    announce(&mut victim, private(1), false);
    victim.pass(Duration::from_secs(30 * 60));
    announce(&mut victim, private(2), false);
    assert_eq!(get_peers(&mut victim, private(99), topic()).peers().len(), 2);
    victim.pass(Duration::from_secs(30 * 60));
    assert_eq!(get_peers(&mut victim, private(99), topic()).peers().len(), 1);
    victim.pass(Duration::from_secs(30 * 60));
    assert!(get_peers(&mut victim, private(99), topic()).peers().is_empty());
    assert_eq!(victim.node.held_peers(), (0, 0));
}

#[test]
fn a_sample_tells_its_interval_its_number_and_itself() {
    let mut victim = Victim::new();
    let target = Dictionary::new().string("target", &[1; 20]);
    let sample =
        |victim: &mut Victim| victim.ask(private(99), &query("sample_infohashes", &target, b"aa"));
    let empty = sample(&mut victim);
    assert_eq!((empty.value("samples").len(), empty.number("num")), (0, 0));
    assert!(empty.has("nodes"));
    announce(&mut victim, private(1), false);
    victim.pass(Duration::from_secs(61));
    let answer = sample(&mut victim);
    assert_eq!((answer.value("samples"), answer.number("num")), (TOPIC.to_vec(), 1));
    assert!((0..=21_600).contains(&answer.number("interval")));
}

#[test]
fn a_sample_stays_the_same_for_as_long_as_it_says_and_shows_others_later() {
    let mut victim = Victim::new();
    let mut chance = Chance(8);
    let mut topics = Vec::new();
    for _ in 0..100 {
        let hash = chance.bytes(20);
        let topic = Dictionary::new().string("info_hash", &hash);
        let token = victim.ask(private(1), &query("get_peers", &topic, b"aa")).value("token");
        let announce = topic.string("token", &token).integer("port", 5);
        victim.ask(private(1), &query("announce_peer", &announce, b"aa"));
        topics.push(hash);
    }
    let target = Dictionary::new().string("target", &[1; 20]);
    let sample = |victim: &mut Victim| {
        let answer = victim.ask(private(99), &query("sample_infohashes", &target, b"aa"));
        assert_eq!(answer.number("num"), 100);
        (answer.value("samples"), answer.number("interval"))
    };
    let (first, interval) = sample(&mut victim);
    assert!(first.chunks(20).all(|hash| topics.iter().any(|topic| topic == hash)));
    let mut distinct: Vec<_> = first.chunks(20).collect();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len() * 20, first.len(), "no topic twice");
    victim.pass(Duration::from_secs(interval.unsigned_abs() / 2));
    let (again, left) = sample(&mut victim);
    assert_eq!(again, first);
    assert!(left <= interval);
    victim.pass(Duration::from_secs(interval.unsigned_abs()));
    assert_ne!(sample(&mut victim).0, first);
}
