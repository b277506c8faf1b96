//! A walk through model networks, in which every node knows whom it would know.

use super::*;
use crate::operation::Ended;
use proptest::prelude::*;
use std::collections::HashSet;
use std::vec::Vec;
use wire::secure_id;

fn contact(id: [u8; 20], port: u16) -> Contact {
    Contact { id: NodeId::new(id), endpoint: Endpoint::v4([127, 0, 0, 1], port) }
}

/// Walks through a network in which each node knows its own `known` closest; node `i` is dead if
/// `dead` says so. Gives the ids that the walk ended with, and how it ended.
fn run(
    ids: &[[u8; 20]],
    dead: &[bool],
    target: Point,
    width: usize,
    known: usize,
) -> (Vec<NodeId>, Ended) {
    let contacts: Vec<Contact> =
        ids.iter().enumerate().map(|(i, id)| contact(*id, i as u16 + 1)).collect();
    let nearest = |point: Point, count: usize| {
        let mut sorted = contacts.clone();
        sorted.sort_by_key(|c| point.distance(&c.id.point()));
        sorted.truncate(count);
        sorted
    };
    let mut walk = Walk::new(target, width);
    for contact in contacts.iter().take(3) {
        walk.start_from(*contact);
    }
    let mut queue: std::collections::VecDeque<Next> = std::collections::VecDeque::new();
    let mut asked = HashSet::new();
    loop {
        while let Some(next) = walk.next_to_ask() {
            assert!(asked.insert(next.endpoint), "{} asked twice", next.endpoint);
            queue.push_back(next);
        }
        walk.check_invariant();
        if let Some(ended) = walk.ended(false) {
            let found =
                walk.closest_answered().filter_map(|index| walk.candidate(index).0).collect();
            return (found, ended);
        }
        let next = queue.pop_front().expect("a walk that goes on waits for somebody");
        let index = usize::from(next.endpoint.port()) - 1;
        if dead[index] {
            walk.slow(next.candidate);
            walk.failed(next.candidate);
            continue;
        }
        let id = contacts[index].id;
        walk.answered(next.candidate, id);
        let mut told = nearest(id.point(), known);
        told.sort_by_key(|c| target.distance(&c.id.point()));
        for contact in told.into_iter().take(8) {
            walk.told(next.candidate, contact);
        }
        walk.heard_out();
    }
}

proptest! {
    #[test]
    fn in_a_network_where_all_know_all_the_closest_living_are_found(
        ids in proptest::collection::hash_set(any::<[u8; 20]>(), 3..60),
        dead_seed: u64,
        target: [u8; 20],
        width in 1usize..10,
    ) {
        let ids: Vec<[u8; 20]> = ids.into_iter().collect();
        let mut dead: Vec<bool> = (0..ids.len()).map(|i| dead_seed >> (i % 64) & 3 == 0).collect();
        dead[0] = false;
        let target = Point::new(target);
        let (found, ended) = run(&ids, &dead, target, width, ids.len());
        prop_assert_eq!(ended, Ended::Converged);
        let mut alive: Vec<_> = ids.iter().zip(&dead).filter(|(_, dead)| !**dead)
            .map(|(id, _)| NodeId::new(*id)).collect();
        alive.sort_by_key(|id| target.distance(&id.point()));
        alive.truncate(width);
        // Every node tells of the 8 closest it knows, dead ones among them; so the closest living
        // are all found as long as the dead do not crowd them out of all lists.
        let hidden = dead.iter().filter(|dead| **dead).count() + width > 8;
        prop_assert!(hidden || found == alive, "{:?} is not {:?}", found, alive);
        prop_assert_eq!(found.first(), alive.first().filter(|_| !hidden).or(found.first()));
    }
}

#[test]
fn a_candidate_that_answers_under_another_id_takes_the_place_of_that() {
    let mut walk = Walk::new(Point::new([0; 20]), 8);
    walk.start_from(contact([1; 20], 1));
    walk.start_from(contact([2; 20], 2));
    let first = walk.next_to_ask().unwrap();
    let second = walk.next_to_ask().unwrap();
    walk.answered(first.candidate, NodeId::new([9; 20]));
    walk.answered(second.candidate, NodeId::new([2; 20]));
    walk.check_invariant();
    let ids: Vec<_> = walk.closest_answered().map(|index| walk.candidate(index).0).collect();
    assert_eq!(ids, [Some(NodeId::new([2; 20])), Some(NodeId::new([9; 20]))]);
    assert_eq!(walk.closest_silent().count(), 0);
}

#[test]
fn nobody_takes_the_place_of_one_that_has_answered_under_its_id() {
    let mut walk = Walk::new(Point::new([0; 20]), 8);
    walk.start_from(contact([1; 20], 1));
    walk.start_from(contact([2; 20], 2));
    let first = walk.next_to_ask().unwrap();
    let liar = walk.next_to_ask().unwrap();
    assert!(walk.answered(first.candidate, NodeId::new([1; 20])));
    assert!(!walk.answered(liar.candidate, NodeId::new([1; 20])));
    walk.check_invariant();
    let closest: Vec<_> = walk.closest_answered().map(|index| walk.candidate(index).1).collect();
    assert_eq!(closest, [first.endpoint]);
    assert_eq!(walk.closest_silent().collect::<Vec<_>>(), [contact([2; 20], 2)]);
}

#[test]
fn a_walk_without_anybody_ends_as_unreachable() {
    let walk = Walk::new(Point::new([0; 20]), 8);
    assert_eq!(walk.ended(false), Some(Ended::Unreachable));
}

#[test]
fn doors_are_tried_only_when_nobody_else_answers() {
    let mut walk = Walk::new(Point::new([0; 20]), 8);
    walk.start_from(contact([1; 20], 1));
    walk.start_from_door(Endpoint::v4([127, 0, 0, 1], 9));
    let first = walk.next_to_ask().unwrap();
    assert_eq!(first.id, Some(NodeId::new([1; 20])));
    assert_eq!(walk.next_to_ask(), None);
    walk.slow(first.candidate);
    let door = walk.next_to_ask().unwrap();
    assert_eq!(door.id, None);
    walk.failed(first.candidate);
    walk.answered(door.candidate, NodeId::new([2; 20]));
    walk.heard_out();
    assert_eq!(walk.ended(false), Some(Ended::Converged));
    assert_eq!(walk.closest_answered().count(), 1);
    assert_eq!(walk.closest_silent().count(), 1);
}

#[test]
fn a_slow_one_of_the_closest_is_asked_and_waited_for_once_more() {
    let mut walk = Walk::new(Point::new([0; 20]), 2);
    for id in 1..=6 {
        walk.start_from(contact([id; 20], u16::from(id)));
    }
    let first: Vec<Next> = core::iter::from_fn(|| walk.next_to_ask()).collect();
    assert_eq!(first.len(), 2, "no more than the width are asked");
    assert!(walk.slow(first[0].candidate), "it is asked once more");
    let third = walk.next_to_ask().expect("a slot for the slow one");
    for next in [first[1], third] {
        walk.answered(next.candidate, next.id.unwrap());
        walk.heard_out();
    }
    walk.check_invariant();
    assert_eq!(walk.ended(false), None, "it is waited for");
    assert!(!walk.slow(first[0].candidate), "but not for ever");
    assert_eq!(walk.ended(false), Some(Ended::Converged));
    assert_eq!(walk.ended(true), None, "unless whoever asks is patient");
    assert_eq!(walk.closest_silent().count(), 1);
    walk.answered(first[0].candidate, first[0].id.unwrap());
    assert_eq!(walk.closest_silent().count(), 0, "late is better than never");
    walk.check_invariant();
}

#[test]
fn a_slow_one_that_is_not_among_the_closest_is_not_asked_again() {
    let mut walk = Walk::new(Point::new([0; 20]), 1);
    walk.start_from(contact([9; 20], 9));
    let far = walk.next_to_ask().unwrap();
    walk.start_from(contact([1; 20], 1));
    assert!(!walk.slow(far.candidate));
    assert!(walk.next_to_ask().is_some());
}

#[test]
fn queries_to_those_pushed_out_of_the_closest_hold_no_slots() {
    let mut walk = Walk::new(Point::new([0; 20]), 8);
    for id in 101..=110 {
        walk.start_from(contact([id; 20], u16::from(id)));
    }
    let first: Vec<Next> = core::iter::from_fn(|| walk.next_to_ask()).collect();
    assert_eq!(first.len(), PARALLELISM);
    walk.answered(first[0].candidate, first[0].id.unwrap());
    for id in 1..=8 {
        walk.told(first[0].candidate, contact([id; 20], u16::from(id)));
    }
    walk.heard_out();
    let second = core::iter::from_fn(|| walk.next_to_ask()).count();
    assert_eq!(second, PARALLELISM, "as many of the closest as at first");
    walk.check_invariant();
}

#[test]
fn one_address_under_many_ids_is_asked_once() {
    let mut walk = Walk::new(Point::new([0; 20]), 8);
    walk.start_from(contact([1; 20], 1));
    let liar = walk.next_to_ask().unwrap();
    walk.answered(liar.candidate, NodeId::new([1; 20]));
    for id in 2..50 {
        walk.told(liar.candidate, contact([id; 20], 2));
    }
    walk.heard_out();
    assert!(walk.next_to_ask().is_some());
    assert!(walk.next_to_ask().is_none());
}

#[test]
fn the_number_of_messages_is_bounded() {
    let mut walk = Walk::new(Point::new([0; 20]), 8);
    walk.start_from(contact([0xff; 20], 1));
    let mut port = 1;
    let mut asked = 0;
    // A mirage: each answer tells of a node that is closer still.
    while let Some(next) = walk.next_to_ask() {
        asked += 1;
        walk.answered(next.candidate, next.id.unwrap());
        let mut id = [0; 20];
        id[..2].copy_from_slice(&(u16::MAX - port).to_be_bytes());
        port += 1;
        walk.told(next.candidate, contact(id, port));
        walk.heard_out();
        walk.check_invariant();
    }
    assert_eq!(asked, LOOKUP_MESSAGES);
    assert!(walk.ended(false).is_some());
    assert!(!walk.ask_again(0), "nor is anybody asked something else");
    walk.check_invariant();
}

#[test]
fn a_door_that_somebody_tells_of_is_asked_as_the_contact_it_is() {
    let mut walk = Walk::new(Point::new([0; 20]), 8);
    for port in 1..=10 {
        walk.start_from_door(Endpoint::v4([127, 0, 0, 1], port));
    }
    let first = walk.next_to_ask().unwrap();
    walk.answered(first.candidate, NodeId::new([0x80; 20]));
    let mut told = 0;
    for port in 1..=10 {
        told += u32::from(walk.told(first.candidate, contact([port as u8; 20], port)));
    }
    walk.heard_out();
    walk.check_invariant();
    assert_eq!(told, 9, "all but the one that answered");
    let asked = core::iter::from_fn(|| walk.next_to_ask()).filter(|next| next.id.is_some()).count();
    assert!(asked >= 3, "{asked}");
}

/// A contact at a global address under the id closest to the place of all zeros that it may have.
fn global(network: u8, last: u8) -> Contact {
    let endpoint = Endpoint::v4([20, 7, network, network], 6881);
    let ids = (0..8).map(|random| secure_id::derive(&endpoint, [random; 20]));
    let closest = ids.min_by_key(|id| Point::new([0; 20]).distance(&id.point())).unwrap();
    let mut bytes = *closest.as_bytes();
    bytes[10] = last;
    Contact { id: NodeId::new(bytes), endpoint }
}

/// A walk in the public network whose first candidate has just been asked, and that one.
fn strict_walk() -> (Walk, Next) {
    let mut walk = Walk::new(Point::new([0; 20]), 4).in_network(true);
    walk.start_from(global(1, 0));
    let liar = walk.next_to_ask().unwrap();
    assert!(walk.answered(liar.candidate, liar.id.unwrap()));
    (walk, liar)
}

#[test]
fn in_the_public_network_ids_that_follow_from_no_address_come_last() {
    let (mut walk, liar) = strict_walk();
    for network in 20..60 {
        let contact = Contact { id: NodeId::new([0; 20]), ..global(network, 0) };
        let made_up =
            NodeId::new([0, 0, 0, network, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        walk.told(liar.candidate, Contact { id: made_up, ..contact });
    }
    for network in 2..10 {
        walk.told(liar.candidate, global(network, 0));
    }
    walk.heard_out();
    while walk.ended(false).is_none() {
        let next = walk.next_to_ask().expect("somebody is to be asked");
        assert!(walk.answered(next.candidate, next.id.unwrap()));
        walk.heard_out();
        walk.check_invariant();
    }
    let ids = walk.closest_answered().filter_map(|index| {
        let (id, endpoint) = walk.candidate(index);
        Some((id?, endpoint))
    });
    let all: Vec<_> = ids.collect();
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|(id, endpoint)| secure_id::complies(id, endpoint)));
}

#[test]
fn nobody_is_hidden_by_being_named_under_a_far_id_first() {
    let mut walk = Walk::new(Point::new([0; 20]), 1);
    walk.start_from(contact([0xf0; 20], 1));
    let liar = walk.next_to_ask().unwrap();
    walk.answered(liar.candidate, NodeId::new([0xf0; 20]));
    assert!(walk.told(liar.candidate, contact([0xff; 20], 2)));
    assert!(walk.told(liar.candidate, contact([0x01; 20], 2)), "closer under the same address");
    assert!(!walk.told(liar.candidate, contact([0x02; 20], 2)), "farther again");
    walk.heard_out();
    walk.check_invariant();
    let next = walk.next_to_ask().unwrap();
    assert_eq!((next.id, next.endpoint.port()), (Some(NodeId::new([1; 20])), 2));
    assert!(walk.next_to_ask().is_none());
    assert!(!walk.told(liar.candidate, contact([0x00; 20], 2)), "nor is it asked twice");
}

#[test]
fn in_the_public_network_a_silent_node_counts_if_we_knew_it_or_half_of_the_closest_tell_of_it() {
    let (mut walk, liar) = strict_walk();
    let mut all: Vec<Contact> = (2..60).map(|network| global(network, 0)).collect();
    all.sort_by_key(|contact| Point::new([0; 20]).distance(&contact.id.point()));
    let (ghost, neighbour) = (all[0], all[1]);
    // That we could join through its address makes nobody a contact of ours.
    walk.start_from_door(ghost.endpoint);
    for contact in &all[..5] {
        walk.told(liar.candidate, *contact);
    }
    walk.heard_out();
    while let Some(next) = walk.next_to_ask() {
        if [ghost.endpoint, neighbour.endpoint].contains(&next.endpoint) {
            walk.failed(next.candidate);
            continue;
        }
        assert!(walk.answered(next.candidate, next.id.unwrap()));
        walk.told(next.candidate, neighbour);
        walk.heard_out();
    }
    assert_eq!(walk.closest_answered().count(), 4);
    assert_eq!(walk.closest_silent().collect::<Vec<_>>(), [neighbour]);
}

#[test]
fn in_the_public_network_eight_contacts_of_our_own_are_asked_whatever_the_first_of_them_tell() {
    let mut walk = Walk::new(Point::new([0; 20]), 4).in_network(true);
    let mut own: Vec<Contact> = (100..112).map(|network| global(network, 0)).collect();
    own.sort_by_key(|contact| Point::new([0; 20]).distance(&contact.id.point()));
    let neighbour = own[0].endpoint.with_port(99);
    walk.start_from(own[0]);
    walk.start_from(Contact { endpoint: neighbour, id: NodeId::new([0xff; 20]) });
    own[1..].iter().for_each(|contact| walk.start_from(*contact));
    let first: Vec<Next> = core::iter::from_fn(|| walk.next_to_ask()).collect();
    let asked: Vec<Endpoint> = first.iter().map(|next| next.endpoint).collect();
    let wanted: Vec<Endpoint> = own[..LOOKUP_GUIDES].iter().map(|own| own.endpoint).collect();
    assert_eq!(asked, wanted, "one of each network");
    for next in &first[..4] {
        assert!(walk.answered(next.candidate, next.id.unwrap()));
        walk.heard_out();
    }
    assert_eq!(
        walk.ended(false),
        None,
        "the closest four have answered, and others are to be heard"
    );
    for next in &first[4..] {
        assert!(walk.answered(next.candidate, next.id.unwrap()));
    }
    assert_eq!(walk.ended(false), Some(Ended::Converged));
    walk.check_invariant();
}

#[test]
fn with_half_of_the_width_answered_as_many_are_asked_at_once_as_are_looked_for() {
    let mut walk = Walk::new(Point::new([0; 20]), 8);
    for id in 101..=120 {
        walk.start_from(contact([id; 20], u16::from(id)));
    }
    let mut waiting: Vec<Next> = core::iter::from_fn(|| walk.next_to_ask()).collect();
    for answer in 1..=4u8 {
        assert_eq!(waiting.len(), PARALLELISM, "answer {answer}");
        let next = waiting.remove(0);
        walk.answered(next.candidate, next.id.unwrap());
        for number in 0..8 {
            // Each tells of eight that are closer than all before.
            let id = 101 - 10 * answer + number;
            walk.told(next.candidate, contact([id; 20], u16::from(id)));
        }
        walk.heard_out();
        waiting.iter().for_each(|other| walk.failed(other.candidate));
        waiting = core::iter::from_fn(|| walk.next_to_ask()).collect();
        walk.check_invariant();
    }
    assert_eq!(waiting.len(), 8);
}

#[test]
fn what_is_asked_once_more_counts_among_the_messages() {
    let mut walk = Walk::new(Point::new([0; 20]), 8);
    walk.start_from(contact([0xff; 20], 1));
    let (mut port, mut sent) = (1, 0);
    while let Some(next) = walk.next_to_ask() {
        sent += 1 + usize::from(walk.slow(next.candidate));
        walk.answered(next.candidate, next.id.unwrap());
        let mut id = [0; 20];
        id[..2].copy_from_slice(&(u16::MAX - port).to_be_bytes());
        port += 1;
        walk.told(next.candidate, contact(id, port));
        walk.heard_out();
        walk.check_invariant();
    }
    assert_eq!(sent, LOOKUP_MESSAGES);
    assert!(usize::from(port) < LOOKUP_MESSAGES * 2 / 3);
}

#[test]
fn who_is_named_last_has_room_though_many_were_named_on_the_way() {
    let id = |far: u8, number: u16| {
        let mut id = [0; 20];
        (id[0], id[1]) = (far, 1);
        id[18..].copy_from_slice(&number.to_be_bytes());
        id
    };
    let mut walk = Walk::new(Point::new([0; 20]), 8);
    walk.start_from(contact(id(0x80, 0), 1));
    let first = walk.next_to_ask().expect("the only one is asked").candidate;
    walk.answered(first, NodeId::new(id(0x80, 0)));
    for number in 1..=1000 {
        walk.told(first, contact(id(0x40, number), number + 1));
        walk.check_invariant();
    }
    assert_eq!(walk.candidates.len(), LOOKUP_CANDIDATES);
    let asked = walk.next_to_ask().expect("somebody is closer").candidate;
    assert!(!walk.told(first, contact(id(0x60, 1), 2000)), "farther than all that are known");
    assert!(walk.told(asked, contact(id(0, 1), 2001)), "closer than all that are known");
    walk.check_invariant();
    assert_eq!(walk.candidates.len(), LOOKUP_CANDIDATES);
    let closest = walk.next_to_ask().expect("one is on its way");
    assert_eq!(closest.id, Some(NodeId::new(id(0, 1))));
    assert_eq!(walk.candidate(asked).1.port(), 2, "who is asked keeps the name");
}
