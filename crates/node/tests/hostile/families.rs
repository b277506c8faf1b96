//! Which families of contacts an answer holds (BEP 32).

use wire::Endpoint;

use super::bencoded::{Answer, Dictionary, query};
use super::victim::{Victim, id, private, private_v6};

fn victim() -> Victim {
    let mut victim = Victim::new();
    for host in 0..12 {
        victim.acquaint(id(host as u8 * 20, 4), private(host));
        victim.acquaint(id(host as u8 * 20, 6), private_v6(host));
    }
    victim
}

/// The numbers of IPv4 and IPv6 contacts, where lists are present.
fn lists(answer: &Answer) -> (Option<usize>, Option<usize>) {
    let count = |key: &str, size: usize| {
        answer.has(key).then(|| {
            let bytes = answer.value(key).len();
            assert!(bytes.is_multiple_of(size), "{bytes} bytes of `{key}`");
            bytes / size
        })
    };
    (count("nodes", 26), count("nodes6", 38))
}

fn ask(victim: &mut Victim, from: Endpoint, method: &str, want: Option<&[u8]>) -> Answer {
    let place = [0x60; 20];
    let arguments = Dictionary::new().string("target", &place).string("info_hash", &place);
    let arguments = match want {
        Some(want) => arguments.raw("want", want),
        None => arguments,
    };
    victim.ask(from, &query(method, &arguments, b"aa"))
}

const METHODS: [&str; 4] = ["find_node", "get_peers", "get", "sample_infohashes"];

#[test]
fn without_a_wish_contacts_are_of_the_askers_family() {
    let mut victim = victim();
    for method in METHODS {
        let answer = ask(&mut victim, private(500), method, None);
        assert_eq!(lists(&answer), (Some(8), None), "{method}");
        let answer = ask(&mut victim, private_v6(500), method, None);
        assert_eq!(lists(&answer), (None, Some(8)), "{method}");
    }
}

#[test]
fn a_wish_is_granted_whatever_family_asks() {
    let mut victim = victim();
    for from in [private(500), private_v6(500)] {
        for method in METHODS {
            let mut wish = |want: &[u8]| lists(&ask(&mut victim, from, method, Some(want)));
            assert_eq!(wish(b"l2:n4e"), (Some(8), None), "{method}");
            assert_eq!(wish(b"l2:n6e"), (None, Some(8)), "{method}");
            let both = wish(b"l2:n42:n6e");
            assert!(both.0 >= Some(5) && both.1 >= Some(4), "{method}: {both:?}");
        }
    }
}

#[test]
fn unknown_wishes_are_ignored() {
    let mut victim = victim();
    for want in [&b"le"[..], b"l2:n5e", b"li4ee", b"ll2:n4ee", b"l0:e"] {
        let answer = ask(&mut victim, private(500), "find_node", Some(want));
        assert_eq!(lists(&answer), (Some(8), None));
    }
    let answer = ask(&mut victim, private(500), "find_node", Some(b"l3:foo2:n6i9ee"));
    assert_eq!(lists(&answer), (None, Some(8)));
}

#[test]
fn a_family_that_nobody_is_known_of_is_an_empty_list() {
    let mut victim = Victim::new();
    victim.acquaint(id(1, 1), private(1));
    let answer = ask(&mut victim, private(500), "find_node", Some(b"l2:n42:n6e"));
    assert_eq!(lists(&answer), (Some(1), Some(0)));
}

#[test]
fn contacts_of_the_two_families_stay_in_their_own_tables() {
    let mut victim = Victim::new();
    // An IPv4-mapped address is an IPv4 address, however it is written.
    let mut mapped = [0; 16];
    mapped[10..12].copy_from_slice(&[0xff, 0xff]);
    mapped[12..].copy_from_slice(&[10, 9, 9, 9]);
    victim.acquaint(id(1, 1), Endpoint::v6(mapped, 5));
    assert_eq!(victim.node.table(wire::Family::V4).len(), 1);
    assert_eq!(victim.node.table(wire::Family::V6).len(), 0);
}
