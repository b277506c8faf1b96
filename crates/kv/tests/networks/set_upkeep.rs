//! Holders look after the sets they hold: members stay on the closest nodes, removed ones stay away.
//! Nothing is listed here before the end, since a listing repairs.

use std::collections::BTreeMap;
use std::time::Duration;

use kv::{Config, Done, LeaveReport, Request};
use node::Method;
use wire::{Cursor, Member};

use super::world::asking::target;
use super::world::sets::{KEY, addition, fresh, removal, writer};
use super::world::{OfSet, Says, World};

const MINUTE: Duration = Duration::from_secs(60);

/// What a holder tells of each member: whether it lives, under which version.
type Told = BTreeMap<Cursor, (bool, i64)>;

fn told(world: &mut World, node: usize) -> Told {
    let wall_ms = world.now_at(node).wall.0;
    let saying = |member: &Member| (member.saying().lives(wall_ms), member.saying().seq.get());
    let members = world.all_held(node, KEY);
    members.iter().map(|member| (member.cursor(), saying(member))).collect()
}

/// Members by several writers, of whom every tenth item is removed again; what every holder shall tell.
fn fill(world: &mut World, count: usize) -> Told {
    for number in 0..count {
        let living = world.living();
        let node = living[number % living.len()];
        let (writer, item) = (Some(writer(1 + (number % 5) as u8)), format!("item {number}"));
        world.change(node, addition(writer.clone(), item.as_bytes())).expect("all are up");
        if number % 10 == 0 {
            world.change(node, removal(writer, item.as_bytes())).expect("it is there");
        }
    }
    let near = world.closest_living(&target(KEY), 1)[0];
    let full = told(world, near);
    assert_eq!(full.len(), count);
    full
}

/// How many of the closest nodes that live do not hold just this.
fn differing(world: &mut World, full: &Told) -> usize {
    let near = world.closest_living(&target(KEY), 8);
    near.into_iter().filter(|node| told(world, *node) != *full).count()
}

fn answered(world: &World, method: Method) -> u64 {
    world.members.iter().map(|member| member.kv.node().counters().answered_to(method)).sum()
}

fn leave(world: &mut World, node: usize) -> LeaveReport {
    let id = world.request(node, Request::Leave { within: None });
    match world.finish(node, id) {
        Done::Left(report) => report,
        other => panic!("a leave ended with {other:?}"),
    }
}

fn newcomer(world: &mut World, door: usize) -> usize {
    let node = world.add(Config::default());
    world.join(node, door);
    node
}

#[test]
fn a_set_outlives_the_replacement_of_half_of_all_nodes_one_by_one() {
    let mut world = World::joined(24);
    let full = fill(&mut world, 50);
    for old in 0..12 {
        if old % 2 == 0 {
            leave(&mut world, old);
        }
        world.down(&[old]);
        newcomer(&mut world, 23);
        world.run(MINUTE * 20);
    }
    assert_eq!(differing(&mut world, &full), 0);
    let listed = world.items(30);
    assert_eq!(listed.len(), 45, "none lost, and none of the removed is back");
}

#[test]
fn nodes_that_join_get_the_set_they_are_closest_to() {
    let mut world = World::joined(12);
    let full = fill(&mut world, 20);
    for _ in 0..8 {
        newcomer(&mut world, 0);
    }
    assert!(differing(&mut world, &full) > 0, "newcomers hold nothing at first");
    world.run(MINUTE);
    assert_eq!(differing(&mut world, &full), 0);
}

#[test]
fn holders_that_die_are_replaced() {
    let mut world = World::joined(20);
    let full = fill(&mut world, 20);
    let near = world.closest(&target(KEY), 8);
    world.down(&near[1..6]);
    assert_eq!(differing(&mut world, &full), 5);
    world.run(MINUTE * 45);
    assert_eq!(differing(&mut world, &full), 0);
}

#[test]
fn a_node_that_leaves_hands_over_its_members_at_once() {
    let mut world = World::joined(12);
    let full = fill(&mut world, 50);
    for node in world.closest(&target(KEY), 3) {
        let report = leave(&mut world, node);
        assert_eq!((report.members, report.members_not_handed_over), (50, 0));
        world.down(&[node]);
        assert_eq!(differing(&mut world, &full), 0, "at once");
    }
}

#[test]
fn a_leave_counts_the_members_it_could_not_hand_over() {
    let mut world = World::joined(9);
    fill(&mut world, 20);
    let near = world.closest(&target(KEY), 1)[0];
    world.cut_off(&[near]);
    let report = leave(&mut world, near);
    assert_eq!((report.members, report.members_not_handed_over), (20, 20));
    let mut alone = World::joined(1);
    alone.add_item(0, b"ada");
    let report = leave(&mut alone, 0);
    assert_eq!((report.members, report.members_not_handed_over), (1, 1));
}

#[test]
fn a_second_round_sends_no_members_and_a_quiet_network_says_little() {
    let mut world = World::joined(16);
    let full = fill(&mut world, 50);
    world.run(MINUTE * 5);
    assert_eq!(differing(&mut world, &full), 0);
    let (added, compared) = (answered(&world, Method::Add), answered(&world, Method::OfferMembers));
    let offered = answered(&world, Method::OfferSets);
    // Somebody joins far from the set: everybody looks again.
    loop {
        let node = newcomer(&mut world, 0);
        if !world.closest_living(&target(KEY), 8).contains(&node) {
            break;
        }
        world.down(&[node]);
    }
    world.run(MINUTE * 5);
    assert!(answered(&world, Method::OfferSets) > offered);
    let offered = answered(&world, Method::OfferSets);
    world.run(MINUTE * 180);
    let hourly = (answered(&world, Method::OfferSets) - offered) / 3;
    assert!((1..=28).contains(&hourly), "{hourly} offers an hour among 8 holders");
    assert_eq!(
        (answered(&world, Method::Add), answered(&world, Method::OfferMembers)),
        (added, compared)
    );
}

#[test]
fn only_what_another_lacks_of_a_large_set_is_sent_after_a_few_questions() {
    let mut world = World::joined(8);
    world.unchecked = true;
    let near = world.closest(&target(KEY), 8);
    let members: Vec<Member> = (0..1500)
        .map(|number| fresh(&writer(1 + (number % 3) as u8), format!("item {number}").as_bytes()))
        .collect();
    for node in 0..8 {
        for (number, member) in members.iter().enumerate() {
            // One holder lacks three of them, another has one alone.
            let lacks = node == near[3] && number % 500 == 7 || node != near[5] && number == 99;
            if !lacks {
                assert_eq!(world.give_member(node, member), Ok(()));
            }
        }
    }
    let (added, compared) = (answered(&world, Method::Add), answered(&world, Method::OfferMembers));
    world.run(MINUTE * 150);
    for node in 0..8 {
        assert_eq!(world.members[node].kv.node().held_members(), (1, 1500), "at {node}");
    }
    let added = answered(&world, Method::Add) - added;
    assert!((10..=3 * 7 + 7).contains(&added), "{added} members were sent for 10 that lacked");
    let compared = answered(&world, Method::OfferMembers) - compared;
    // All members of it would be 50 questions to each of 7.
    assert!(compared < 100, "{compared} pages of versions");
}

#[test]
fn a_large_set_is_handed_over_whole() {
    let mut world = World::joined(8);
    world.unchecked = true;
    for number in 0..700 {
        let member = fresh(&writer(1 + (number % 3) as u8), format!("item {number}").as_bytes());
        (0..8).for_each(|node| assert_eq!(world.give_member(node, &member), Ok(())));
    }
    let node = newcomer(&mut world, 0);
    world.run(MINUTE);
    assert_eq!(world.members[node].kv.node().held_members(), (1, 700));
    // Each of the others may have begun before it heard that another brings them.
    let received = world.members[node].kv.node().counters().answered_to(Method::Add);
    assert!(received <= 700 * 8, "{received} members were sent");
}

#[test]
fn foreign_nodes_near_a_set_break_nothing_and_are_not_asked() {
    let mut world = World::joined(12);
    let full = fill(&mut world, 20);
    let foreign = [OfSet::ForeignRefusal, OfSet::ForeignSilence, OfSet::ForeignSilence];
    for (number, says) in foreign.into_iter().enumerate() {
        world.add_liar(&target(KEY), number as u8, Says::OfSet(says));
    }
    // One under our tag that knows no offers: it is asked, but not by each round.
    world.add_liar(&target(KEY), 3, Says::Nothing);
    for _ in 0..3 {
        newcomer(&mut world, 0);
        world.run(MINUTE);
    }
    world.run(MINUTE * 180);
    let near: Vec<usize> = world.closest_living(&target(KEY), 4);
    for node in near {
        assert_eq!(told(&mut world, node), full, "at {node}");
    }
    assert_eq!(world.offers_heard(0), 0, "foreign");
    assert_eq!(world.offers_heard(1), 0, "foreign");
    let asked = world.offers_heard(3);
    assert!((1..=15).contains(&asked), "once by each, not {asked} times");
}

#[test]
fn a_copy_that_missed_a_removal_learns_of_it_and_brings_nothing_back() {
    let mut world = World::joined(12);
    let near = world.closest(&target(KEY), 8);
    world.add_item(near[0], b"ada");
    world.add_item(near[0], b"bob");
    world.down(&near[..3]);
    world.change(near[5], removal(None, b"ada")).expect("five of eight");
    world.up(&near[..3]);
    world.run(MINUTE * 150);
    for node in near {
        assert_eq!(world.items_held(node), [b"bob"], "at {node}");
    }
}

#[test]
fn lost_datagrams_delay_members_and_lose_none() {
    let mut world = World::joined(16);
    let full = fill(&mut world, 50);
    world.loss = 100;
    for old in 0..6 {
        world.down(&[old]);
        newcomer(&mut world, 15);
        world.run(MINUTE * 30);
    }
    world.run(MINUTE * 90);
    assert_eq!(differing(&mut world, &full), 0);
}
