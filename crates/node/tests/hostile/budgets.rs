//! What strangers can make us send: little to an address that may be somebody else's.

use std::time::Duration;

use node::{Config, Drop, Method};
use wire::{Endpoint, Family};

use super::bencoded::{Dictionary, query};
use super::victim::{Victim, global, id, own_tag, private, private_v6, with_tag};

const TEN_SECONDS: u64 = 10_000;

/// A node that knows enough for long answers.
fn known(config: Config) -> Victim {
    let mut victim = Victim::with(config);
    for host in 0..30 {
        victim.acquaint(id(host as u8 * 8, 1), private(host));
        victim.acquaint(id(host as u8 * 8, 1), private_v6(host));
    }
    victim.sent.clear();
    victim
}

fn long_question() -> Vec<u8> {
    let arguments = Dictionary::new().string("target", &[1; 20]).raw("want", b"l2:n42:n6e");
    query("find_node", &arguments, b"aa")
}

/// Bytes that the node sends when it is asked once a millisecond for ten seconds.
fn flooded(victim: &mut Victim, from: impl Fn(u64) -> Endpoint, question: &[u8]) -> usize {
    let mut bytes = 0;
    for step in 0..TEN_SECONDS {
        bytes +=
            victim.hear(from(step), question).iter().map(|sent| sent.bytes.len()).sum::<usize>();
        victim.pass(Duration::from_millis(1));
    }
    bytes
}

#[test]
fn an_unproven_global_address_gets_a_bounded_share() {
    let mut victim = known(Config::default());
    let bytes = flooded(&mut victim, |_| global(1), &long_question());
    assert!((1_000..=41_000).contains(&bytes), "{bytes} bytes in ten seconds");
    let refused = victim.dropped(Drop::Unproven) + victim.dropped(Drop::Paced);
    assert!(refused > 9_000, "{refused} refused and counted");
}

#[test]
fn ports_and_tags_make_no_difference_to_an_unproven_address() {
    let tagged = with_tag(&long_question(), &own_tag());
    for (family, at) in [
        (Family::V4, global(1)),
        (Family::V6, {
            let mut ip = [0x20; 16];
            ip[1] = 1;
            Endpoint::v6(ip, 6881)
        }),
    ] {
        assert_eq!(at.family(), family);
        let mut victim = known(Config::default());
        let from = |step: u64| at.with_port(1 + (step % 60_000) as u16);
        let bytes = flooded(&mut victim, from, &tagged);
        assert!(bytes <= 41_000, "{bytes} bytes in ten seconds");
    }
}

#[test]
fn a_whole_network_gets_little_more_than_one_address_of_it() {
    let mut victim = known(Config::default());
    let from = |step: u64| Endpoint::v4([77, 7, 7, step as u8], 6881);
    let bytes = flooded(&mut victim, from, &long_question());
    assert!(bytes <= 161_000, "{bytes} bytes in ten seconds");
}

#[test]
fn malformed_and_unknown_queries_count_as_well() {
    for question in
        [query("vote", &Dictionary::new(), b"aa"), query("find_node", &Dictionary::new(), b"aa")]
    {
        let mut victim = known(Config::default());
        let bytes = flooded(&mut victim, |_| global(1), &question);
        assert!(bytes <= 41_000, "{bytes} bytes in ten seconds");
    }
}

#[test]
fn loopback_and_private_askers_are_served_without_bound() {
    let mut victim = known(Config::default());
    for from in [Endpoint::v4([127, 0, 0, 1], 9), private(500), private_v6(500)] {
        for _ in 0..2_000 {
            assert!(victim.ask_raw(from, &long_question()).is_some());
        }
    }
    assert_eq!(victim.dropped(Drop::Unproven) + victim.dropped(Drop::Paced), 0);
}

#[test]
fn a_proven_member_of_our_network_is_served_without_bound() {
    let mut victim = known(Config::default());
    victim.acquaint_in(id(0x77, 7), global(1), Some(own_tag()));
    let tagged = with_tag(&long_question(), &own_tag());
    for _ in 0..2_000 {
        assert!(victim.ask_raw(global(1), &tagged).is_some());
    }
}

#[test]
fn a_foreign_asker_that_is_proven_is_still_served_at_a_pace() {
    let mut victim = known(Config::default());
    let topic = Dictionary::new().string("target", &[1; 20]);
    let token = victim.ask(global(1), &query("get", &topic, b"aa")).value("token");
    let value = super::bencoded::string(b"x");
    let put = Dictionary::new().string("token", &token).raw("v", &value);
    // A token proves the address; the put itself may be refused.
    victim.ask(global(1), &query("put", &put, b"aa"));
    let mut answers = 0;
    for _ in 0..TEN_SECONDS {
        answers += usize::from(victim.ask_raw(global(1), &long_question()).is_some());
        victim.pass(Duration::from_millis(1));
    }
    assert!(answers <= 50, "{answers} answers in ten seconds");
}

#[test]
fn a_cap_bounds_all_that_is_sent_whatever_its_size() {
    let seconds = 4;
    for cap in [2_000, 50_000, 300_000, 600_000, 2_000_000] {
        let mut victim = known(Config { cap_bytes_per_s: Some(cap), ..Config::default() });
        victim.pass(Duration::from_secs(30));
        let before = victim.counters().sent_bytes;
        let mut answers = 0;
        let questions = 2 * cap / 600 / 100 + 1;
        for step in 0..100 * seconds {
            for _ in 0..questions {
                let from = private(step as u16 % 100);
                answers += u32::from(victim.ask_raw(from, &long_question()).is_some());
            }
            victim.pass(Duration::from_millis(10));
        }
        let bytes = (victim.counters().sent_bytes - before) as u32;
        // What flows in that time, what may be sent at once before it, and rounding.
        let most = (seconds + 1) * cap + cap / 100 + 2_000;
        assert!(bytes <= most, "{bytes} bytes at {cap} a second");
        assert!(bytes >= (seconds - 1) * cap, "{bytes} bytes at {cap} a second");
        // Our own questions to newcomers take their share, and no more.
        assert!(answers * 600 > cap, "{answers} answers at {cap} bytes a second");
        assert!(victim.dropped(Drop::Capped) > 0);
    }
}

#[test]
fn answers_and_drops_add_up_to_what_was_asked() {
    let mut victim = known(Config::default());
    let before = victim.counters();
    flooded(&mut victim, |_| global(1), &long_question());
    let after = victim.counters();
    let asked = after.answered_to(Method::FindNode) - before.answered_to(Method::FindNode);
    let sent = after.sent - before.sent;
    let held_back = victim.dropped(Drop::Unproven) + victim.dropped(Drop::Paced);
    assert_eq!(asked, TEN_SECONDS);
    assert!(sent + held_back >= TEN_SECONDS, "{sent} sent, {held_back} held back");
}
