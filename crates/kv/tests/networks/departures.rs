//! Nodes that go: how soon others know, and what it costs them meanwhile.

use std::time::Duration;

use wire::message::Speaker;
use wire::{Family, Query, TransactionId};

use super::large::{cut, value};
use super::world::asking::target;
use super::world::{START, World};

/// How many nodes that are up name `gone` among the contacts that they tell others of.
fn who_name(world: &World, gone: usize) -> usize {
    let (id, point) = (world.id(gone), world.id(gone).point());
    let names = |node: &&usize| {
        let table = world.members[**node].kv.node().table(Family::V4);
        table.closest::<8>(&point).iter().any(|entry| entry.id == id)
    };
    world.living().iter().filter(|node| **node != gone).filter(names).count()
}

#[test]
fn whoever_says_goodbye_is_named_to_nobody_from_then_on() {
    let mut world = World::joined(16);
    assert_eq!(who_name(&world, 5), 15);
    world.say_goodbye(5);
    world.down(&[5]);
    world.run(Duration::from_millis(200));
    assert_eq!(who_name(&world, 5), 0);
    world.run(Duration::from_secs(5));
    let known = |node: &usize| world.members[*node].kv.node().table(Family::V4).get(&world.id(5));
    assert!(world.living().iter().all(|node| known(node).is_none()), "it is gone from all tables");
}

#[test]
fn a_goodbye_in_the_name_of_somebody_who_lives_changes_nothing() {
    let mut world = World::joined(16);
    let network = world.members[5].kv.node().network().tag();
    let speaker = Speaker { id: world.id(5), network, read_only: true };
    let mut buffer = [0; 512];
    let length = speaker.write_query(TransactionId(0), &Query::Ping, &mut buffer).expect("a ping");
    for node in (0..16).filter(|node| *node != 5) {
        let (from, to) = (world.place(5), world.place(node));
        world.fly(from, to, buffer[..length].to_vec());
    }
    world.run(Duration::from_secs(5));
    assert_eq!(who_name(&world, 5), 15);
}

#[test]
fn a_neighbour_that_dies_is_noticed_and_what_it_held_is_held_by_others_soon() {
    let mut world = World::joined(16);
    let keys: Vec<String> = (0..40).map(|number| format!("key {number}")).collect();
    keys.iter().for_each(|key| drop(world.store(0, key, b"v")));
    world.run(Duration::from_secs(60));
    world.down(&[5, 11]);
    world.run(Duration::from_secs(240));
    assert_eq!((who_name(&world, 5), who_name(&world, 11)), (0, 0));
    for key in &keys {
        let near = world.closest_living(&target(key), 8);
        assert!(world.versions(&near, key).iter().all(|version| *version > 0), "{key}");
    }
}

#[test]
fn a_transfer_does_not_wait_for_the_dead_at_each_chunk() {
    let expires = START + Duration::from_secs(24 * 3600);
    let mut took = [Duration::ZERO; 2];
    for (dead, took) in [0, 3].into_iter().zip(&mut took) {
        let mut world = World::joined(20);
        world.down(&[4, 9, 13][..dead]);
        let began = world.time();
        let report = world.put_chunks(0, &cut(&value(1500)).1, expires);
        assert_eq!(report.short, 0);
        *took = world.time().since(began);
    }
    let [all, without] = took;
    assert!(without < all * 2 + Duration::from_secs(2), "{all:?} with all, {without:?} without 3");
}

#[test]
fn somebody_silent_who_answers_again_is_written_to_again() {
    let expires = START + Duration::from_secs(24 * 3600);
    let mut world = World::joined(16);
    world.down(&[4]);
    let (_, items) = cut(&value(300));
    let report = world.put_chunks(0, &items, expires);
    let without = report.held + report.sent;
    world.up(&[4]);
    // Whoever has a question for it asks it again within a second, and hears.
    for _ in 0..3 {
        world.run(Duration::from_secs(2));
        world.put_chunks(0, &items[..8], expires);
    }
    let (_, others) = cut(&value(600));
    let report = world.put_chunks(0, &others, expires);
    let with = report.held + report.sent;
    assert!(with > 2 * without, "{without} copies of 300, then {with} of 600");
    let copies = |node: usize| world.members[node].kv.node().held_items().0;
    assert!(copies(4) > 100, "{} of some 300", copies(4));
}
