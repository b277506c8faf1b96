//! Whole networks of nodes under virtual time.

mod world;

use std::time::Duration;

use node::{
    Answer, Command, Config, Destination, Ended, Event, Holds, LookupResult, Network, Outcome,
    Question, Responder, Until, Written,
};
use wire::item::byte_string;
use wire::{Endpoint, Family, InfoHash, Item, Point, Seq, Signer, Target};
use world::World;

fn lookup(world: &mut World, node: usize, question: Question) -> LookupResult {
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

fn write(world: &mut World, node: usize, written: Written, result: &LookupResult) -> Vec<Outcome> {
    write_if(world, node, written, None, result)
}

fn write_if(
    world: &mut World,
    node: usize,
    written: Written,
    cas: Option<Seq>,
    result: &LookupResult,
) -> Vec<Outcome> {
    let destination = |r: &Responder| {
        Some(Destination::Node { contact: r.contact, token: r.token.clone()?, cas })
    };
    let to = result.closest.iter().filter_map(destination).collect();
    let operation = world.command(node, Command::Write { written, to });
    match world.finish(node, operation) {
        Event::Wrote(_, outcomes) => outcomes.into_iter().map(|(_, outcome)| outcome).collect(),
        other => panic!("{other:?}"),
    }
}

fn item_question(item: &Item, salt: &[u8]) -> Question {
    Question::Item { target: item.target(), salt: salt.into(), newer_than: None }
}

#[test]
fn a_lookup_finds_the_closest_of_a_network_of_a_hundred() {
    let mut world = World::joined(100);
    for byte in 0..20 {
        let target = Point::new([byte * 13; 20]);
        let from = usize::from(byte) * 5;
        let result = lookup(&mut world, from, Question::Nodes(target));
        assert_eq!(result.ended, Ended::Converged);
        let mut all: Vec<_> = world.nodes.iter().map(|node| node.id()).collect();
        all.retain(|id| *id != world.nodes[from].id());
        all.sort_by_key(|id| target.distance(&id.point()));
        let found: Vec<_> = result.closest.iter().map(|r| r.contact.id).collect();
        assert_eq!(found, all[..8]);
        assert!(result.asked <= 30, "{} messages", result.asked);
    }
}

#[test]
fn an_item_put_at_one_node_is_found_from_every_other() {
    let mut world = World::joined(30);
    let item = Item::immutable(b"12:Hello World!").expect("a small value");
    let found = lookup(&mut world, 3, item_question(&item, b""));
    assert!(found.items.is_empty());
    let outcomes = write(&mut world, 3, Written::item(item.clone()), &found);
    assert_eq!(outcomes, vec![Outcome::Stored; 8]);
    for node in 0..30 {
        let result = lookup(&mut world, node, item_question(&item, b""));
        assert_eq!(result.items, std::slice::from_ref(&item), "from node {node}");
        let holding = result.closest.iter().filter(|r| r.holds == Holds::Item(0)).count();
        assert!(holding >= 7, "the asker itself may hold the eighth");
    }
}

#[test]
fn a_newer_version_replaces_an_older_one_and_never_the_other_way() {
    let mut world = World::joined(12);
    let signer = Signer::from_seed(&[9; 32]);
    let version = |seq, value: &str| {
        let value = byte_string(value.as_bytes());
        Item::mutable(&signer, b"salt", Seq::new(seq).expect("positive"), &value).expect("small")
    };
    let (old, new) = (version(1, "old"), version(2, "new"));
    let found = lookup(&mut world, 0, item_question(&new, b"salt"));
    write(&mut world, 0, Written::item(new.clone()), &found);
    let outcomes = write(&mut world, 0, Written::item(old), &found);
    assert!(
        outcomes.iter().all(|o| matches!(o, Outcome::Refused { code: 302, .. })),
        "{outcomes:?}"
    );
    let newest = Written::item(version(3, "newest"));
    let outcomes = write_if(&mut world, 0, newest, Seq::new(1), &found);
    assert!(
        outcomes.iter().all(|o| matches!(o, Outcome::Refused { code: 301, .. })),
        "{outcomes:?}"
    );
    let result = lookup(&mut world, 5, item_question(&new, b"salt"));
    assert_eq!(result.items, [new]);
}

#[test]
fn a_third_of_the_nodes_may_die_and_lookups_still_end_well() {
    let mut world = World::joined(30);
    let item = Item::immutable(b"5:alive").expect("a small value");
    let found = lookup(&mut world, 1, item_question(&item, b""));
    write(&mut world, 1, Written::item(item.clone()), &found);
    for node in (0..30).step_by(3) {
        world.down[node] = true;
    }
    for node in (1..30).filter(|node| node % 3 != 0) {
        let result = lookup(&mut world, node, item_question(&item, b""));
        assert_eq!(result.ended, Ended::Converged);
        assert_eq!(result.items, std::slice::from_ref(&item));
        assert!(result.took < Duration::from_secs(5), "{:?}", result.took);
    }
}

#[test]
fn peers_announced_are_found_and_counted() {
    let mut world = World::joined(20);
    let info_hash = InfoHash::new([0x5a; 20]);
    let question = Question::Peers { info_hash, no_seed: false, scrape: true };
    for node in 0..5 {
        let found = lookup(&mut world, node, question.clone());
        let written = Written::Peer { info_hash, port: Some(7000), seed: node == 0 };
        let outcomes = write(&mut world, node, written, &found);
        assert_eq!(outcomes, vec![Outcome::Stored; 8]);
    }
    let command = Command::Lookup {
        question,
        width: 8,
        until: Until::Converged,
        trace: false,
        seeds: Vec::new(),
    };
    let operation = world.command(9, command);
    let Event::LookedUp(_, result) = world.finish(9, operation) else { panic!("a lookup") };
    let mut peers: Vec<Endpoint> = Vec::new();
    for event in &world.events[9] {
        if let Event::Peers(of, found) = event
            && *of == operation
        {
            peers.extend(found);
        }
    }
    peers.sort();
    let expected: Vec<_> = (0..5).map(|node| Endpoint::v4([10, 0, 0, node], 7000)).collect();
    assert_eq!(peers, expected);
    let (seeds, others) = *result.filters.expect("filters");
    assert_eq!((seeds.estimate().round(), others.estimate().round()), (1.0, 4.0));
}

#[test]
fn a_node_that_starts_alone_serves_and_one_that_starts_offline_joins_later() {
    let mut world = World::new();
    let (first, second) = (Endpoint::v4([10, 0, 0, 1], 8000), Endpoint::v4([10, 0, 0, 2], 8000));
    world.add(first, Config::default());
    world.down[0] = true;
    world.add(second, Config::default());
    world.command(1, Command::Join(vec![first]));
    world.run(Duration::from_secs(30));
    let failures = world.events[1].iter().filter(|e| matches!(e, Event::JoinFailed { .. })).count();
    assert!((2..10).contains(&failures), "{failures} attempts in 30 s");
    world.down[0] = false;
    world.run(Duration::from_secs(70));
    assert!(world.events[1].iter().any(|event| matches!(event, Event::Joined { contacts: 1 })));
    assert_eq!(world.nodes[0].table(Family::V4).len(), 1, "the first learned of the second");
}

#[test]
fn nobody_reachable_is_told_apart_from_nothing_found() {
    let mut world = World::joined(3);
    let absent = Target::new([9; 20]);
    let question = Question::Item { target: absent, salt: [].into(), newer_than: None };
    assert_eq!(lookup(&mut world, 0, question.clone()).ended, Ended::Converged);
    world.down[1] = true;
    world.down[2] = true;
    assert_eq!(lookup(&mut world, 0, question).ended, Ended::Unreachable);
}

#[test]
fn an_ephemeral_client_works_through_one_door_and_enters_no_table() {
    let mut world = World::joined(20);
    let config = Config { ephemeral: true, ..Config::default() };
    let client = world.add(Endpoint::v4([10, 9, 9, 9], 5), config);
    let door = world.places[7];
    world.command(client, Command::Join(vec![door]));
    let item = Item::immutable(b"2:hi").expect("a small value");
    let found = lookup(&mut world, client, item_question(&item, b""));
    assert_eq!(found.closest.len(), 8);
    assert_eq!(write(&mut world, client, Written::item(item), &found), vec![Outcome::Stored; 8]);
    world.run(Duration::from_secs(5));
    let id = world.nodes[client].id();
    for node in &world.nodes[..20] {
        assert!(node.table(Family::V4).get(&id).is_none());
    }
}

#[test]
fn networks_of_other_names_do_not_mix() {
    let mut world = World::joined(5);
    let config = Config { network: Network::named("other"), ..Config::default() };
    let stranger = world.add(Endpoint::v4([10, 9, 9, 9], 5), config);
    let door = world.places[0];
    world.command(stranger, Command::Join(vec![door]));
    world.run(Duration::from_secs(60));
    let id = world.nodes[stranger].id();
    assert!(world.nodes[..5].iter().all(|node| node.table(Family::V4).get(&id).is_none()));
    assert!(world.nodes[stranger].table(Family::V4).is_empty());
}

#[test]
fn a_ping_and_a_sample_are_answered_and_silence_is_told() {
    let mut world = World::joined(3);
    let place = world.places[1];
    let operation = world.command(0, Command::Ping(place));
    let Event::Answered(_, Answer::Pong { id, .. }) = world.finish(0, operation) else {
        panic!("a pong")
    };
    assert_eq!(id, world.nodes[1].id());
    let command = Command::Sample { to: place, target: Point::new([1; 20]) };
    let operation = world.command(0, command);
    let Event::Answered(_, Answer::Samples { samples, .. }) = world.finish(0, operation) else {
        panic!("a sample")
    };
    assert_eq!(samples, Some(vec![]));
    world.down[1] = true;
    let operation = world.command(0, Command::Ping(place));
    assert!(matches!(world.finish(0, operation), Event::Answered(_, Answer::Silent)));
}

#[test]
fn an_idle_network_is_quiet() {
    let mut world = World::joined(20);
    world.run(Duration::from_secs(60));
    let before = world.datagrams;
    world.run(Duration::from_secs(3600));
    let each = (world.datagrams - before) / 20;
    // Sixteen neighbours are asked for a sign of life each two minutes, by whoever is first of two.
    assert!(each < 600, "{each} datagrams per node in an idle hour");
}

#[test]
fn dead_contacts_leave_the_tables() {
    let mut world = World::joined(20);
    for node in 0..10 {
        world.down[node] = true;
    }
    world.run(Duration::from_secs(3 * 3600));
    for node in 10..20 {
        assert_eq!(world.nodes[node].table(Family::V4).len(), 9, "node {node}");
    }
}

#[test]
fn the_same_seed_and_inputs_give_the_same_life() {
    let trace = || {
        let mut world = World::joined(15);
        let result = lookup(&mut world, 4, Question::Nodes(Point::new([3; 20])));
        (world.datagrams, world.now, result.asked, world.nodes[9].id())
    };
    assert_eq!(trace(), trace());
}
