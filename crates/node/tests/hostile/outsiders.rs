//! A network of one's own stays among itself: who carries another tag, or comes from the internet
//! without ours, neither enters the table nor leads lookups.

use std::time::Duration;

use node::{Command, Config, Event, Question, StepOutcome};
use wire::{Endpoint, Family};

use super::bencoded::{Dictionary, query_of, reply_of};
use super::victim::{Victim, global, id, own_tag, private, way_to, with_tag};

const OTHER_TAG: [u8; 4] = *b"othr";

fn ping(who: [u8; 20]) -> Vec<u8> {
    query_of(&who, "ping", &Dictionary::new(), b"aa")
}

#[test]
fn a_global_stranger_without_our_tag_is_answered_and_never_asked_or_added() {
    let mut victim = Victim::new();
    for host in 0..20 {
        let who = id(host as u8 * 12, 1);
        let sent = victim.hear(global(host), &ping(who));
        assert_eq!(sent.len(), 1, "the answer and nothing else");
        victim.pass(Duration::from_secs(1));
        assert!(!victim.knows(who));
    }
    assert!(victim.queries().is_empty());
}

#[test]
fn a_global_member_with_our_tag_is_asked_and_enters_only_if_it_answers_under_it() {
    let mut victim = Victim::new();
    victim.acquaint_in(id(1, 1), global(1), Some(own_tag()));
    assert!(victim.knows(id(1, 1)));
    victim.hear(global(2), &with_tag(&ping(id(2, 2)), &own_tag()));
    let (transaction, _) = victim.queries_to(global(2)).remove(0);
    victim.hear(global(2), &reply_of(&id(2, 2), &Dictionary::new(), &transaction));
    assert!(!victim.knows(id(2, 2)), "its answer carries no tag");
}

#[test]
fn who_carries_another_tag_stays_out_wherever_it_is() {
    let mut victim = Victim::new();
    for at in [private(1), global(1), Endpoint::v4([127, 0, 0, 1], 9)] {
        let sent = victim.hear(at, &with_tag(&ping(id(1, 1)), &OTHER_TAG));
        assert_eq!(sent.len(), 1, "the answer and nothing else");
        let operation = victim.command(Command::Ping(at));
        let (transaction, _) = victim.queries_to(at).remove(0);
        let reply = reply_of(&id(1, 1), &Dictionary::new(), &transaction);
        victim.hear(at, &with_tag(&reply, &OTHER_TAG));
        assert!(!victim.knows(id(1, 1)));
        assert!(victim.events.iter().any(|event| event.ends() == Some(operation)));
    }
}

#[test]
fn a_private_foreign_node_without_a_tag_is_an_ordinary_contact() {
    let mut victim = Victim::new();
    victim.acquaint(id(1, 1), private(1));
    victim.acquaint(id(2, 2), Endpoint::v4([127, 0, 0, 1], 9));
    assert!(victim.knows(id(1, 1)) && victim.knows(id(2, 2)));
}

#[test]
fn a_global_stranger_in_a_list_does_not_lead_a_lookup_out() {
    let mut victim = Victim::new();
    victim.acquaint(id(0xf0, 1), private(1));
    victim.sent.clear();
    let operation = victim.look(way_to(0));
    let (transaction, _) = victim.queries_to(private(1)).remove(0);
    let mut nodes = id(0, 1).to_vec();
    nodes.extend(global(9).ip_bytes());
    nodes.extend(global(9).port().to_be_bytes());
    let values = Dictionary::new().string("nodes", &nodes);
    victim.hear(private(1), &reply_of(&id(0xf0, 1), &values, &transaction));
    // It may be asked who it is, but what it says without our tag counts for nothing.
    let mut further = id(0, 0).to_vec();
    further.extend([61, 1, 1, 9, 0x1a, 0xe1]);
    let astray = Dictionary::new().string("nodes", &further).string("token", b"abcd");
    for (transaction, _) in victim.queries_to(global(9)) {
        victim.hear(global(9), &reply_of(&id(0, 1), &astray, &transaction));
    }
    victim.pass(Duration::from_secs(10));
    let asked: Vec<Endpoint> = victim.queries().into_iter().map(|(to, ..)| to).collect();
    assert!(!asked.contains(&Endpoint::v4([61, 1, 1, 9], 6881)), "{asked:?}");
    let result = victim.result(operation).expect("it ended");
    assert!(result.closest.iter().all(|found| found.contact.endpoint == private(1)));
    assert!(!victim.knows(id(0, 1)));
    let distrusted = victim.events.iter().any(
        |event| matches!(event, Event::Step(_, step) if step.outcome == StepOutcome::Distrusted),
    );
    assert!(distrusted);
}

#[test]
fn a_door_we_were_told_to_join_through_is_a_member_without_a_tag() {
    let mut victim = Victim::new();
    victim.command(Command::Join(vec![global(5)]));
    let (transaction, _) = victim.queries_to(global(5)).remove(0);
    victim.hear(global(5), &reply_of(&id(5, 5), &Dictionary::new(), &transaction));
    assert!(victim.knows(id(5, 5)));
}

#[test]
fn a_public_node_takes_no_member_of_somebodys_own_network() {
    let mut victim = Victim::public();
    let known = victim.node.table(Family::V4).len();
    victim.acquaint_in(id(0x99, 1), global(50), Some(OTHER_TAG));
    assert!(!victim.knows(id(0x99, 1)));
    victim.acquaint_in(id(0x98, 1), global(51), None);
    assert!(victim.knows(id(0x98, 1)));
    victim.acquaint(id(0x97, 1), private(3));
    assert!(!victim.knows(id(0x97, 1)), "a private address has no place in Mainline");
    assert_eq!(victim.node.table(Family::V4).len(), known + 1);
}

#[test]
fn one_global_machine_has_one_place_and_one_network_few() {
    let mut victim = Victim::new();
    for port in 1..30 {
        let at = global(1).with_port(port);
        victim.acquaint_in(id(port as u8 * 8, 1), at, Some(own_tag()));
    }
    assert_eq!(victim.node.table(Family::V4).len(), 1);
    let mut victim = Victim::with(Config::default());
    for host in 0..60_u8 {
        let at = Endpoint::v4([77, 7, 7, host], 6881);
        victim.acquaint_in(id(0x80 | host, host), at, Some(own_tag()));
    }
    let known = victim.node.table(Family::V4).len();
    assert!(known <= 2 * 8, "{known} of one /24");
}

/// An id in the bucket of those that share five bits with the node, which holds eight.
fn in_bucket_five(victim: &Victim, number: u8) -> [u8; 20] {
    let mut id = *victim.node.id().as_bytes();
    id[0] ^= 0b0000_0100;
    id[1] = number;
    id
}

#[test]
fn a_contact_that_moves_does_not_crowd_a_network_in_its_bucket() {
    let mut victim = Victim::public();
    let crowd = |host: u8| Endpoint::v4([70, 7, 7, host], 6881);
    for number in 0..2 {
        let id = in_bucket_five(&victim, number);
        victim.acquaint(id, crowd(number));
    }
    let mover = in_bucket_five(&victim, 9);
    victim.acquaint(mover, global(90));
    assert!(victim.knows(mover));
    // It falls silent once, and then answers from a network that has its share already.
    victim.look(Question::Nodes(wire::Point::new(mover)));
    victim.pass(Duration::from_secs(5));
    victim.command(Command::Ping(crowd(9)));
    for (transaction, _) in victim.queries_to(crowd(9)) {
        victim.hear(crowd(9), &reply_of(&mover, &Dictionary::new(), &transaction));
    }
}

/// A public node with a full bucket, and those in it that were put there.
fn full_bucket(first: Endpoint) -> (Victim, Vec<[u8; 20]>) {
    let mut victim = Victim::public();
    let mut members = Vec::new();
    for number in 0..8 {
        let at = if number == 0 { first } else { global(200 + u16::from(number)) };
        let id = in_bucket_five(&victim, number);
        victim.acquaint(id, at);
        members.push(id);
    }
    let known = members.iter().filter(|id| victim.knows(**id)).count();
    assert!(known >= 7, "at most one place was taken before");
    (victim, members)
}

/// Lets all but the first fall silent, so that those that wait move up.
fn silence(victim: &mut Victim, members: &[[u8; 20]]) {
    for id in &members[1..] {
        victim.look(Question::Nodes(wire::Point::new(*id)));
        victim.pass(Duration::from_secs(10));
    }
}

#[test]
fn contacts_that_wait_do_not_crowd_a_network_when_they_move_up() {
    let crowd = |host: u8| Endpoint::v4([70, 7, 7, host], 6881);
    let (mut victim, members) = full_bucket(crowd(0));
    for number in 10..14 {
        let id = in_bucket_five(&victim, number);
        victim.acquaint(id, crowd(number));
    }
    silence(&mut victim, &members);
}

#[test]
fn one_machine_that_waits_under_many_ids_gets_one_place() {
    let (mut victim, members) = full_bucket(global(300));
    for number in 10..16 {
        let id = in_bucket_five(&victim, number);
        victim.acquaint(id, global(400).with_port(u16::from(number)));
    }
    silence(&mut victim, &members);
    let places = victim.node.table(Family::V4).iter();
    let places = places.filter(|entry| entry.endpoint.ip() == global(400).ip()).count();
    assert!(places <= 1, "{places} places for one machine");
}
