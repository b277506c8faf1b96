//! Nodes with the key are a network like any other; nodes without it are no part of it.

use std::collections::HashSet;
use std::time::Duration;

use node::{
    Command, Config, Destination, Drop, Ended, Event, LookupResult, Network, Outcome, Question,
    Until, Written,
};
use wire::{Endpoint, Family, Item, Point};

use super::insider::{SECRET, Seal, hold, sealed, sealed_with};
use super::world::World;

fn network(count: u8) -> World {
    let mut world = World::new();
    for host in 0..count {
        join(&mut world, Endpoint::v4([10, 0, 0, host], 8000), sealed());
    }
    world.run(Duration::from_secs(20));
    world
}

/// Adds a node that joins through the first.
fn join(world: &mut World, place: Endpoint, config: Config) -> usize {
    let node = world.add(place, config);
    if node > 0 {
        let first = world.places[0];
        world.command(node, Command::Join(vec![first]));
    }
    world.run(Duration::from_millis(200));
    node
}

fn look(world: &mut World, node: usize, question: Question) -> LookupResult {
    let command = Command::Lookup {
        question,
        width: 8,
        until: Until::Converged,
        trace: false,
        seeds: Vec::new(),
    };
    let operation = world.command(node, command);
    match world.finish(node, operation) {
        Event::LookedUp(_, result) => *result,
        other => panic!("{other:?}"),
    }
}

fn item_question(item: &Item) -> Question {
    Question::Item { target: item.target(), salt: Box::default(), newer_than: None }
}

fn contacts(world: &World, node: usize) -> usize {
    world.nodes[node].table(Family::V4).len()
}

#[test]
fn members_find_each_other_and_hold_values_for_each_other() {
    let mut world = network(12);
    let item = Item::immutable(b"5:hello").expect("a small value");
    let found = look(&mut world, 3, item_question(&item));
    assert_eq!(found.closest.len(), 8);
    let to = found.closest.iter().filter_map(|responder| {
        let token = responder.token.clone()?;
        Some(Destination::Node { contact: responder.contact, token, cas: None })
    });
    let written = Written::Item { item: item.clone(), lease: None };
    let operation = world.command(3, Command::Write { written, to: to.collect() });
    match world.finish(3, operation) {
        Event::Wrote(_, outcomes) => {
            assert!(outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Stored));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(look(&mut world, 9, item_question(&item)).items, [item]);
    for node in 0..world.nodes.len() {
        assert_eq!(contacts(&world, node), 11);
        let counters = world.nodes[node].counters();
        assert_eq!(counters.dropped_for(Drop::Unsealed), 0);
        assert_eq!(counters.dropped_for(Drop::Replayed), 0);
    }
}

#[test]
fn who_has_no_key_or_another_neither_joins_nor_reads_nor_is_heard() {
    let mut world = network(3);
    let item = Item::immutable(b"6:secret").expect("a small value");
    world.command(0, hold(&item));
    let mut other_secret = SECRET;
    other_secret[31] ^= 1;
    let outsiders = [
        Config::default(),
        sealed_with(other_secret),
        Config { network: Network::named("other"), ..sealed() },
    ];
    for (host, config) in outsiders.into_iter().enumerate() {
        let outsider = join(&mut world, Endpoint::v4([10, 0, 1, host as u8], 8000), config);
        world.run(Duration::from_secs(90));
        assert_eq!(contacts(&world, outsider), 0);
        let found = look(&mut world, outsider, item_question(&item));
        assert_eq!((found.ended, found.items.len()), (Ended::Unreachable, 0));
        assert_eq!(world.nodes[outsider].counters().replies, 0);
        assert!(world.nodes[0].counters().dropped_for(Drop::Unsealed) > 0);
        assert!((0..3).all(|member| contacts(&world, member) == 2), "nobody came to know it");
    }
    // The other way round: members ask, and are not understood.
    let plain = world.places[3];
    let operation = world.command(0, Command::Ping(plain));
    let answered = world.finish(0, operation);
    assert!(matches!(answered, Event::Answered(_, node::Answer::Silent)), "{answered:?}");
}

#[test]
fn no_nonce_comes_twice_and_all_that_is_sent_is_sealed() {
    let seal = Seal::new(SECRET);
    let mut member = super::insider::Member::new();
    let mut nonces = HashSet::new();
    let mut sent = Vec::new();
    for host in 1..=200 {
        let (_, bytes, _) = member.ask(super::insider::at(host));
        sent.push(bytes);
        let insider = super::insider::Insider::new(host);
        let ping = insider.ping(member.micros() + u64::from(host));
        sent.extend(member.hear(super::insider::at(host), &ping).into_iter().map(|(_, b)| b));
        // Also within a millisecond, and while the clock stands.
        if host % 10 == 0 {
            member.pass(Duration::from_micros(300));
        }
    }
    assert!(sent.len() >= 400, "{}", sent.len());
    for datagram in &sent {
        assert!(nonces.insert(datagram[..24].to_vec()), "a nonce came twice");
        let plain = seal.open(datagram).expect("it is sealed");
        assert_eq!(plain.len() + 40, datagram.len());
        assert!(wire::Message::read(&plain).is_ok());
    }
    assert_eq!(member.node.counters().sent_bytes, sent.iter().map(|d| d.len() as u64).sum());
}

#[test]
fn a_node_on_its_own_way_is_sealed_too() {
    // Queries that no caller asked for: pings of newcomers, joining, upkeep.
    let mut world = network(2);
    world.run(Duration::from_secs(3600));
    for node in 0..2 {
        let counters = world.nodes[node].counters();
        assert_eq!(contacts(&world, node), 1);
        assert!(counters.replies >= 3, "{counters:?}");
        assert_eq!(counters.dropped, [0; Drop::ALL.len()], "{counters:?}");
    }
    let walked = look(&mut world, 0, Question::Nodes(Point::new([1; 20])));
    assert_eq!(walked.closest.len(), 1);
}

#[test]
fn a_put_that_waited_for_the_disk_is_answered_under_the_seal_too() {
    let mut member = super::insider::Member::durable();
    let (seal, from) = (Seal::new(SECRET), super::insider::at(1));
    let mut number = member.micros();
    for (works, kind) in [(true, &b"1:y1:r"[..]), (false, b"1:y1:e")] {
        let item = Item::immutable(if works { b"1:a" } else { b"1:b" }).expect("a small value");
        let mut say = |member: &mut super::insider::Member, plain: &[u8]| {
            number += 1;
            member.hear(from, &seal.seal([1; 16], number, plain))
        };
        let get = [
            &b"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa6:target20:"[..],
            item.target().as_bytes(),
            b"e1:q3:get1:t4:aaaa1:y1:qe",
        ]
        .concat();
        let answers = say(&mut member, &get);
        let answer = answers.iter().find(|(to, _)| *to == from).expect("an answer");
        let answer = seal.open(&answer.1).expect("sealed");
        let at = answer.windows(9).position(|part| part == b"5:token8:").expect("a token") + 9;
        let put = [
            &b"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa5:token8:"[..],
            &answer[at..at + 8],
            b"1:v",
            item.as_ref().value(),
            b"e1:q3:put1:t4:bbbb1:y1:qe",
        ];
        assert!(say(&mut member, &put.concat()).is_empty(), "it waits for the disk");
        let told = member.disk_did(works);
        let told = seal.open(&told[0].1).expect("sealed");
        assert!(told.windows(6).any(|part| part == kind), "{}", told.escape_ascii());
    }
}

#[test]
fn nothing_of_the_key_is_shown() {
    let shown = format!("{:?}", sealed());
    assert!(shown.contains("NetworkKey(..)"), "{shown}");
    assert!(!shown.contains("75") && !shown.contains("4b"), "{shown}");
}
