//! Lists of contacts that lead nowhere, in circles, or to ourselves.

use std::collections::HashMap;
use std::time::Duration;

use node::{Config, Network};
use wire::limits::NODES_PER_LIST;
use wire::{Endpoint, Family};

use super::bencoded::{Dictionary, reply_of};
use super::victim::{Chance, Victim, global, id, private, private_v6, way_to};

fn compact(contacts: &[([u8; 20], Endpoint)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (id, endpoint) in contacts {
        bytes.extend(id);
        bytes.extend(endpoint.ip_bytes());
        bytes.extend(endpoint.port().to_be_bytes());
    }
    bytes
}

/// A lookup whose first answer holds these lists. Gives the victim with what it sent then.
fn told(mut victim: Victim, values: &Dictionary) -> Victim {
    victim.acquaint(id(0xf0, 1), private(1));
    victim.sent.clear();
    victim.look(way_to(0));
    let (transaction, _) = victim.queries_to(private(1)).remove(0);
    victim.hear(private(1), &reply_of(&id(0xf0, 1), values, &transaction));
    victim.pass(Duration::from_secs(31));
    victim
}

fn asked(victim: &mut Victim) -> HashMap<Endpoint, usize> {
    let mut asked = HashMap::new();
    for (to, _, method) in victim.queries() {
        if method == "find_node" {
            *asked.entry(to).or_default() += 1;
        }
    }
    asked
}

#[test]
fn martians_in_a_list_are_never_asked() {
    let martians: Vec<_> = [
        private(2).with_port(0),
        Endpoint::v4([0, 0, 0, 0], 6881),
        Endpoint::v4([224, 1, 1, 1], 6881),
        Endpoint::v4([255, 255, 255, 255], 6881),
        Endpoint::v4([0, 9, 9, 9], 6881),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, endpoint)| (id(0, index as u8), endpoint))
    .collect();
    let values = Dictionary::new().string("nodes", &compact(&martians));
    let mut victim = told(Victim::new(), &values);
    assert!(victim.queries().is_empty());
}

#[test]
fn martians_of_ipv6_in_a_list_are_never_asked() {
    let v6 = |first: [u8; 2]| {
        let mut ip = [1; 16];
        ip[..2].copy_from_slice(&first);
        Endpoint::v6(ip, 6881)
    };
    let martians: Vec<_> = [
        Endpoint::v6([0; 16], 6881),
        v6([0xff, 0x0e]),
        v6([0xfe, 0x80]),
        private_v6(3).with_port(0),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, endpoint)| (id(0, index as u8), endpoint))
    .collect();
    let values = Dictionary::new().string("nodes6", &compact(&martians));
    let mut victim = told(Victim::new(), &values);
    assert!(victim.queries().is_empty());
}

#[test]
fn our_own_id_in_a_list_is_never_asked() {
    let victim = Victim::new();
    let own = *victim.node.id().as_bytes();
    let values = Dictionary::new().string("nodes", &compact(&[(own, private(9))]));
    let mut victim = told(victim, &values);
    assert!(!asked(&mut victim).contains_key(&private(9)));
}

#[test]
fn one_address_under_many_ids_is_asked_once_and_when_silent_once_more() {
    let many: Vec<_> = (0..30).map(|index| (id(0, index), private(77))).collect();
    let values = Dictionary::new().string("nodes", &compact(&many));
    let mut victim = told(Victim::new(), &values);
    assert_eq!(asked(&mut victim).get(&private(77)), Some(&2));
}

#[test]
fn one_id_at_many_addresses_is_asked_once() {
    let many: Vec<_> = (2..30).map(|host| (id(0, 0), private(host))).collect();
    let values = Dictionary::new().string("nodes", &compact(&many));
    let mut victim = told(Victim::new(), &values);
    assert_eq!(asked(&mut victim).len(), 1);
}

#[test]
fn of_a_list_with_too_many_entries_only_the_first_are_read() {
    let many: Vec<_> = (2..72).map(|host| (id(0, host as u8), private(host))).collect();
    let values = Dictionary::new().string("nodes", &compact(&many));
    let mut victim = told(Victim::new(), &values);
    let asked = asked(&mut victim);
    assert!(asked.len() <= NODES_PER_LIST, "{}", asked.len());
    assert!(asked.keys().all(|at| *at < private(2 + NODES_PER_LIST as u16)));
}

#[test]
fn a_list_with_a_broken_entry_is_ignored_and_the_rest_of_the_answer_is_not() {
    let mut broken = compact(&[(id(0, 1), private(2))]);
    broken.pop();
    let values = Dictionary::new().string("nodes", &broken).integer("nodes6", 5);
    let mut victim = told(Victim::new(), &values);
    assert!(asked(&mut victim).is_empty());
    assert!(victim.knows(id(0xf0, 1)), "it answered");
}

#[test]
fn an_address_of_the_other_family_in_disguise_breaks_nothing() {
    let mut mapped = [0; 16];
    mapped[10..12].copy_from_slice(&[0xff, 0xff]);
    mapped[12..].copy_from_slice(&[10, 1, 0, 9]);
    let mut bytes = id(0, 1).to_vec();
    bytes.extend(mapped);
    bytes.extend(6881_u16.to_be_bytes());
    let values = Dictionary::new().string("nodes6", &bytes);
    let mut victim = told(Victim::new(), &values);
    assert_eq!(victim.node.table(Family::V6).len(), 0);
    // Nobody is asked again soon.
    victim.pass(Duration::from_secs(301));
    victim.acquaint(id(0, 1), private(9));
    assert!(victim.knows(id(0, 1)));
}

#[test]
fn a_lookup_that_is_always_told_of_closer_ones_ends() {
    let mut victim = Victim::new();
    victim.acquaint(id(0xf0, 1), private(1));
    victim.sent.clear();
    let operation = victim.look(way_to(0));
    let mut chance = Chance(9);
    let mut ids: HashMap<Endpoint, [u8; 20]> = HashMap::from([(private(1), id(0xf0, 1))]);
    let mut queries = 0;
    for round in 1..4000_u32 {
        let Some((to, transaction, method)) = victim.queries().into_iter().next() else { break };
        if method != "find_node" {
            continue;
        }
        queries += 1;
        let mut contacts = Vec::new();
        for place in 0..8 {
            // Each told node lies closer than all before it.
            let mut closer = [0; 20];
            closer[4 + (round / 64) as usize % 12] = 0x80 >> (round / 8 % 8);
            closer[18..].copy_from_slice(&(chance.draw() as u16).to_be_bytes());
            let at = private((round * 8 + place) as u16);
            ids.insert(at, closer);
            contacts.push((closer, at));
        }
        let who = ids.get(&to).copied().unwrap_or(id(0xf0, 1));
        let values = Dictionary::new().string("nodes", &compact(&contacts));
        victim.hear(to, &reply_of(&who, &values, &transaction));
        victim.pass(Duration::from_millis(1));
    }
    victim.pass(Duration::from_secs(31));
    assert!(victim.result(operation).is_some(), "it never ended");
    assert!(queries <= node::limits::LOOKUP_MESSAGES, "{queries} queries");
}

#[test]
fn a_flood_of_contacts_is_verified_slowly_and_only_what_answers_enters() {
    let mut victim = Victim::new();
    victim.acquaint(id(0xf0, 1), private(1));
    victim.sent.clear();
    let mut pings = 0;
    for round in 0..200_u32 {
        victim.look(way_to(round as u8));
        let many: Vec<_> = (0..32)
            .map(|n| (id(round as u8, n), private((round * 32) as u16 + u16::from(n))))
            .collect();
        let values = Dictionary::new().string("nodes", &compact(&many));
        for (to, transaction, method) in victim.queries() {
            pings += usize::from(method == "ping");
            if to == private(1) {
                victim.hear(to, &reply_of(&id(0xf0, 1), &values, &transaction));
            }
        }
        victim.pass(Duration::from_millis(50));
    }
    let bound = 10 * node::limits::VERIFICATIONS_PER_S as usize + 50;
    assert!(pings <= bound, "{pings} pings in ten seconds");
    assert_eq!(victim.node.table(Family::V4).len(), 1);
}

#[test]
fn a_public_node_follows_no_list_into_private_networks() {
    let public = Config { network: Network::Public, ..Config::default() };
    let mut victim = Victim::with(public);
    victim.acquaint(id(0xf0, 1), global(1));
    victim.sent.clear();
    victim.look(way_to(0));
    let (transaction, _) = victim.queries_to(global(1)).remove(0);
    let inside = [
        (id(0, 1), private(2)),
        (id(0, 2), Endpoint::v4([127, 0, 0, 1], 6881)),
        (id(0, 3), Endpoint::v4([192, 168, 0, 1], 6881)),
        (id(0, 4), Endpoint::v4([169, 254, 0, 1], 6881)),
        (id(0, 5), Endpoint::v4([100, 64, 0, 1], 6881)),
    ];
    let values = Dictionary::new().string("nodes", &compact(&inside));
    victim.hear(global(1), &reply_of(&id(0xf0, 1), &values, &transaction));
    victim.pass(Duration::from_secs(5));
    assert!(victim.queries().iter().all(|(to, ..)| *to == global(1)));
}
