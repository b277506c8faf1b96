//! Replies that nobody asked for, that come from elsewhere, or that lie.

use std::time::Duration;

use node::limits::LOOKUP_MESSAGES;
use node::{
    Answer, Command, Drop, Event, Holds, OfferOf, OperationId, Question, Step, StepOutcome,
};
use wire::offer::Offer;
use wire::{Contact, Endpoint, Family, Item, NodeId, Seq, Signer, Target};

use super::bencoded::{Dictionary, outer, query_of, reply_of};
use super::victim::{Victim, global, id, private, way_to, with_entry};

fn answer(victim: &Victim, operation: OperationId) -> Option<&Answer> {
    victim.events.iter().find_map(|event| match event {
        Event::Answered(of, answer) if *of == operation => Some(answer),
        _ => None,
    })
}

fn steps(victim: &Victim, operation: OperationId) -> Vec<Step> {
    let of = |event: &Event| match event {
        Event::Step(of, step) if *of == operation => Some(step.clone()),
        _ => None,
    };
    victim.events.iter().filter_map(of).collect()
}

/// Pings an address and gives the transaction id of the ping.
fn pinged(victim: &mut Victim, at: Endpoint) -> (OperationId, Vec<u8>) {
    let operation = victim.command(Command::Ping(at));
    let (transaction, method) = victim.queries_to(at).remove(0);
    assert_eq!(method, "ping");
    (operation, transaction)
}

fn pong(transaction: &[u8]) -> Vec<u8> {
    reply_of(&id(3, 3), &Dictionary::new(), transaction)
}

#[test]
fn a_reply_matches_by_transaction_and_address_together() {
    let mut victim = Victim::new();
    let (operation, transaction) = pinged(&mut victim, private(1));
    let mut other = transaction.clone();
    other[3] ^= 1;
    victim.hear(private(2), &pong(&transaction));
    victim.hear(private(1).with_port(9), &pong(&transaction));
    victim.hear(private(1), &pong(&other));
    assert_eq!(victim.dropped(Drop::Unmatched), 3);
    assert_eq!(answer(&victim, operation), None, "it still waits");
    victim.hear(private(1), &pong(&transaction));
    assert!(matches!(answer(&victim, operation), Some(Answer::Pong { .. })));
    victim.hear(private(1), &pong(&transaction));
    assert_eq!(victim.dropped(Drop::Unmatched), 4, "one query, one reply");
    assert!(!victim.knows(id(9, 9)));
}

#[test]
fn transaction_ids_are_four_bytes_and_others_match_nothing() {
    let mut victim = Victim::new();
    let (operation, transaction) = pinged(&mut victim, private(1));
    assert_eq!(transaction.len(), 4);
    let longer = [transaction.clone(), vec![0]].concat();
    for odd in [&b""[..], b"a", &transaction[..2], &transaction[..3], &longer] {
        victim.hear(private(1), &pong(odd));
        victim.hear(private(1), &outer("e", odd).raw("e", b"li203e0:e").encode());
    }
    assert_eq!(victim.dropped(Drop::Malformed), 10);
    assert_eq!(answer(&victim, operation), None);
}

#[test]
fn a_reply_after_the_end_matches_nothing() {
    let mut victim = Victim::new();
    let (operation, transaction) = pinged(&mut victim, private(1));
    victim.pass(Duration::from_secs(5));
    assert_eq!(answer(&victim, operation), Some(&Answer::Silent));
    victim.hear(private(1), &pong(&transaction));
    assert_eq!(victim.dropped(Drop::Unmatched), 1);
    assert!(!victim.knows(id(3, 3)));
}

#[test]
fn a_reply_without_an_id_is_worth_nothing() {
    for body in [&b"de"[..], b"le", b"i1e", b"d2:id19:aaaaaaaaaaaaaaaaaaae", b"d2:idi1ee"] {
        let mut victim = Victim::new();
        let (operation, transaction) = pinged(&mut victim, private(1));
        victim.hear(private(1), &outer("r", &transaction).raw("r", body).encode());
        assert_eq!(answer(&victim, operation), Some(&Answer::Silent));
        assert!(victim.node.table(Family::V4).is_empty());
    }
}

#[test]
fn a_reply_under_our_own_id_is_not_believed() {
    let mut victim = Victim::new();
    let own = *victim.node.id().as_bytes();
    let (operation, transaction) = pinged(&mut victim, private(1));
    victim.hear(private(1), &reply_of(&own, &Dictionary::new(), &transaction));
    assert_eq!(answer(&victim, operation), Some(&Answer::Silent));
    assert!(victim.node.table(Family::V4).is_empty());
}

#[test]
fn who_answers_under_another_id_counts_as_that_and_the_one_expected_is_gone() {
    let mut victim = Victim::new();
    victim.acquaint(id(1, 1), private(1));
    victim.events.clear();
    let operation = victim.look(way_to(0));
    let (transaction, _) = victim.queries_to(private(1)).remove(0);
    let mut nodes = id(7, 7).to_vec();
    nodes.extend([10, 1, 0, 7, 0x1a, 0xe1]);
    let values = Dictionary::new().string("nodes", &nodes);
    victim.hear(private(1), &reply_of(&id(9, 9), &values, &transaction));
    let steps = steps(&victim, operation);
    assert!(matches!(steps[0].outcome, StepOutcome::Answered { .. }), "{steps:?}");
    assert_eq!(steps[0].id, Some(wire::NodeId::new(id(9, 9))));
    assert!(victim.knows(id(9, 9)) && !victim.knows(id(1, 1)));
}

#[test]
fn a_stranger_that_takes_the_id_of_a_living_contact_does_not_take_its_place() {
    let mut victim = Victim::new();
    victim.acquaint(id(1, 1), private(1));
    victim.acquaint(id(1, 1), private(2));
    let entry = victim.node.table(Family::V4).get(&wire::NodeId::new(id(1, 1)));
    assert_eq!(entry.map(|entry| entry.endpoint), Some(private(1)));
}

#[test]
fn errors_of_every_kind_end_a_question_and_a_lookup() {
    for error in [
        &b"li201e7:generice"[..],
        b"li-9223372036854775808e0:e",
        b"li9223372036854775807e0:e",
        b"li302ee",
        b"li203ei5ee",
        b"li203e3:\xff\xfe\xfdli1eee",
        b"li0e0:e",
    ] {
        let mut victim = Victim::new();
        let (operation, transaction) = pinged(&mut victim, private(1));
        let message = outer("e", &transaction).raw("e", error);
        // Some nodes send an `r` beside the error.
        let message = message.raw("r", b"d2:id20:abcdefghij0123456789e").encode();
        victim.hear(private(1), &message);
        assert!(matches!(answer(&victim, operation), Some(Answer::Refused { .. })), "{error:?}");
    }
    for error in [&b"le"[..], b"de", b"i203e", b"l3:bade", b"li203e", b""] {
        let mut victim = Victim::new();
        let (operation, transaction) = pinged(&mut victim, private(1));
        victim.hear(private(1), &outer("e", &transaction).raw("e", error).encode());
        victim.pass(Duration::from_secs(5));
        assert_eq!(answer(&victim, operation), Some(&Answer::Silent), "no error at all");
    }
}

#[test]
fn a_long_error_text_is_cut() {
    let mut victim = Victim::new();
    let (operation, transaction) = pinged(&mut victim, private(1));
    let mut list = b"li203e1500:".to_vec();
    list.extend([0xff; 1500]);
    list.push(b'e');
    victim.hear(private(1), &outer("e", &transaction).raw("e", &list).encode());
    let Some(Answer::Refused { code: 203, text }) = answer(&victim, operation) else {
        panic!("a refusal")
    };
    assert!(text.chars().count() <= wire::limits::ERROR_TEXT_BYTES);
}

#[test]
fn a_node_that_refuses_the_question_is_asked_for_contacts_once_and_then_left() {
    let mut victim = Victim::new();
    victim.acquaint(id(1, 1), private(1));
    let question =
        Question::Item { target: Target::new([2; 20]), salt: [].into(), newer_than: None };
    let operation = victim.look(question);
    let mut methods = Vec::new();
    for _ in 0..5 {
        for (transaction, method) in victim.queries_to(private(1)) {
            methods.push(method);
            let error = outer("e", &transaction).raw("e", b"li204e7:unknowne").encode();
            victim.hear(private(1), &error);
        }
    }
    assert_eq!(methods, ["get", "find_node"]);
    assert!(victim.result(operation).is_some());
}

#[test]
fn nodes_that_all_refuse_the_question_do_not_double_what_a_lookup_may_send() {
    let mut victim = Victim::new();
    victim.acquaint([0xff; 20], private(1));
    let question =
        Question::Item { target: Target::new([0; 20]), salt: [].into(), newer_than: None };
    let operation = victim.look(question);
    let id_of = |host: u16| {
        let mut id = [0; 20];
        id[..2].copy_from_slice(&(u16::MAX - host).to_be_bytes());
        if host == 1 { [0xff; 20] } else { id }
    };
    let (mut sent, mut last) = (0, 1);
    let mut queries = victim.queries();
    while !queries.is_empty() {
        for (to, transaction, method) in queries {
            match method {
                "get" => {
                    let error = outer("e", &transaction).raw("e", b"li204e7:unknowne").encode();
                    victim.hear(to, &error);
                }
                "find_node" => {
                    // A mirage: each tells of one that is closer still.
                    last += 1;
                    let place = private(last);
                    let port = place.port().to_be_bytes();
                    let nodes = [&id_of(last)[..], place.ip_bytes(), &port].concat();
                    let nodes = Dictionary::new().string("nodes", &nodes);
                    let host = (1..last).find(|host| private(*host) == to).expect("it was told of");
                    victim.hear(to, &reply_of(&id_of(host), &nodes, &transaction));
                }
                _ => continue,
            }
            sent += 1;
        }
        queries = victim.queries();
    }
    victim.pass(Duration::from_secs(10));
    let asked = victim.result(operation).map(|result| result.asked);
    assert_eq!((sent, asked), (LOOKUP_MESSAGES, Some(LOOKUP_MESSAGES)));
}

/// A lookup for the signer's item that one contact answers with these values.
fn looked_up(values: impl Fn(&Item) -> Dictionary) -> (Victim, OperationId) {
    let signer = Signer::from_seed(&[1; 32]);
    let seq = Seq::new(5).expect("not negative");
    let item = Item::mutable(&signer, b"s", seq, b"5:hello").expect("a small value");
    let mut victim = Victim::new();
    victim.acquaint(id(1, 1), private(1));
    let salt = b"s".as_slice().into();
    let question = Question::Item { target: item.target(), salt, newer_than: None };
    let operation = victim.look(question);
    let (transaction, _) = victim.queries_to(private(1)).remove(0);
    victim.hear(private(1), &reply_of(&id(1, 1), &values(&item), &transaction));
    tell_of_nobody(&mut victim);
    (victim, operation)
}

/// Answers the question for contacts that follows an answer without any.
fn tell_of_nobody(victim: &mut Victim) {
    for (transaction, method) in victim.queries_to(private(1)) {
        assert_eq!(method, "find_node");
        victim.hear(private(1), &reply_of(&id(1, 1), &Dictionary::new(), &transaction));
    }
}

#[test]
fn a_holder_that_tells_of_its_item_alone_is_asked_for_contacts_once() {
    let (known, told_of) = (private(1), private(2));
    for told in [true, false] {
        let mut victim = Victim::new();
        victim.acquaint(id(1, 1), private(1));
        let item = Item::immutable(b"2:hi").expect("a small value");
        let question = Question::Item { target: item.target(), salt: [].into(), newer_than: None };
        let operation = victim.look(question);
        let holds = Dictionary::new().string("token", b"abcd").raw("v", item.value());
        let (transaction, _) = victim.queries_to(private(1)).remove(0);
        victim.hear(private(1), &reply_of(&id(1, 1), &holds, &transaction));
        let asked = victim.queries_to(private(1));
        assert_eq!(asked.iter().map(|(_, method)| *method).collect::<Vec<_>>(), ["find_node"]);
        if told {
            let nodes = [&id(2, 2)[..], &[10, 1, 0, 2, 0x1a, 0xe1]].concat();
            let nodes = Dictionary::new().string("nodes", &nodes);
            victim.hear(known, &reply_of(&id(1, 1), &nodes, &asked[0].0));
            for (transaction, method) in victim.queries_to(told_of) {
                if method == "get" {
                    victim.hear(told_of, &reply_of(&id(2, 2), &holds, &transaction));
                }
            }
        }
        victim.pass(Duration::from_secs(5));
        let result = victim.result(operation).expect("it ended");
        let holders = result.closest.iter().filter(|holder| holder.holds == Holds::Item(0));
        assert_eq!(holders.count(), if told { 2 } else { 1 }, "{result:?}");
        assert!(result.closest.iter().all(|holder| holder.token.as_deref() == Some(b"abcd")));
    }
}

fn sound(item: &Item) -> Dictionary {
    let item = item.as_ref();
    let signed = item.signed().expect("a mutable item");
    Dictionary::new()
        .string("token", b"abcd")
        .string("k", signed.key.as_bytes())
        .string("sig", &signed.signature)
        .integer("seq", signed.seq.get())
        .raw("v", item.value())
}

#[test]
fn an_item_that_verifies_is_found() {
    let (victim, operation) = looked_up(sound);
    let result = victim.result(operation).expect("it ended");
    assert_eq!((result.items.len(), result.closest.len()), (1, 1));
    assert_eq!(result.closest[0].holds, Holds::Item(0));
    assert_eq!(result.found_at[0].id, result.closest[0].contact.id);
}

#[test]
fn an_item_that_does_not_verify_makes_the_whole_answer_worthless() {
    type Change = fn(&Item) -> Dictionary;
    let changes: [Change; 9] = [
        |item| sound(item).raw("v", b"5:hellp"),
        |item| sound(item).integer("seq", 6),
        |item| sound(item).string("sig", &[0; 64]),
        |item| sound(item).string("k", &[7; 32]),
        |item| sound(item).without("sig"),
        |item| sound(item).without("k"),
        |item| sound(item).without("seq"),
        |item| sound(item).raw("v", b"d1:bi1e1:ai1ee"),
        |item| sound(item).integer("seq", -5),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let (victim, operation) = looked_up(change);
        let result = victim.result(operation).expect("it ended");
        assert!(result.items.is_empty() && result.closest.is_empty(), "change {index}");
        assert!(matches!(steps(&victim, operation)[0].outcome, StepOutcome::Distrusted));
    }
}

#[test]
fn a_version_without_its_item_is_told_as_such_and_makes_no_item() {
    let (victim, operation) = looked_up(|_| Dictionary::new().integer("seq", 1 << 52));
    let result = victim.result(operation).expect("it ended");
    assert!(matches!(result.closest[0].holds, Holds::Version(_)) && result.items.is_empty());
}

#[test]
fn a_version_is_told_to_who_asked_to_leave_the_item_out() {
    let mut victim = Victim::new();
    victim.acquaint(id(1, 1), private(1));
    let newer_than = Seq::new(9);
    let question = Question::Item { target: Target::new([2; 20]), salt: [].into(), newer_than };
    let operation = victim.look(question);
    let (transaction, _) = victim.queries_to(private(1)).remove(0);
    let values = Dictionary::new().integer("seq", 9);
    victim.hear(private(1), &reply_of(&id(1, 1), &values, &transaction));
    tell_of_nobody(&mut victim);
    let result = victim.result(operation).expect("it ended");
    assert_eq!(newer_than.map(Holds::Version), Some(result.closest[0].holds));
}

#[test]
fn tokens_that_cannot_be_ours_to_carry_are_left_out() {
    for (token, carried) in [(&[b't'; 64][..], true), (&[b't'; 65], false), (b"", false)] {
        let (victim, operation) = looked_up(|_| Dictionary::new().string("token", token));
        let result = victim.result(operation).expect("it ended");
        assert_eq!(result.closest[0].token.is_some(), carried, "{} bytes", token.len());
    }
}

#[test]
fn what_was_offered_to_one_node_is_not_held_because_another_at_its_place_says_so() {
    for (by, counts) in [(id(1, 1), true), (id(2, 2), false)] {
        let mut victim = Victim::new();
        victim.acquaint(id(1, 1), private(1));
        let to = Contact { id: NodeId::new(id(1, 1)), endpoint: private(1) };
        let of = OfferOf::Items(vec![Offer { target: Target::new([2; 20]), number: 9 }]);
        let operation = victim.command(Command::Offer { to, of });
        let (transaction, _) = victim.queries_to(private(1)).remove(0);
        let values = Dictionary::new().string("token", b"token").string("wanted", &[]);
        victim.hear(private(1), &reply_of(&by, &values, &transaction));
        let answer = answer(&victim, operation);
        assert_eq!(matches!(answer, Some(Answer::Offered { .. })), counts, "{answer:?}");
        assert_eq!(answer == Some(&Answer::Silent), !counts);
        assert_eq!(victim.knows(id(1, 1)), counts, "another is there now");
    }
}

#[test]
fn one_network_alone_cannot_tell_a_public_node_where_it_is() {
    let config = node::Config { network: node::Network::Public, ..node::Config::default() };
    let mut victim = Victim::with(config);
    let before = victim.node.id();
    for host in 0..40_u8 {
        let at = Endpoint::v4([8, 8, 8, host], 6881);
        let (_, transaction) = pinged(&mut victim, at);
        let reply = reply_of(&id(host, 1), &Dictionary::new(), &transaction);
        victim.hear(at, &with_entry(&reply, "ip", &[66, 66, 66, 66, 1, 1]));
        victim.pass(Duration::from_secs(3));
    }
    assert_eq!(victim.node.external(Family::V4), None);
    assert_eq!(victim.node.id(), before);
}

#[test]
fn an_address_in_a_form_that_is_none_is_ignored() {
    let mut victim = Victim::new();
    for (host, ip) in
        [&b""[..], b"abc", &[1; 7], &[1; 17], &[1; 19], &[0; 6], &[1; 300]].into_iter().enumerate()
    {
        let at = private(host as u16);
        let (operation, transaction) = pinged(&mut victim, at);
        let reply = reply_of(&id(host as u8, 1), &Dictionary::new(), &transaction);
        victim.hear(at, &with_entry(&reply, "ip", ip));
        assert!(matches!(answer(&victim, operation), Some(Answer::Pong { .. })));
    }
    assert_eq!(victim.node.external(Family::V4), None);
}

#[test]
fn a_reply_at_the_wrong_moment_of_a_write_changes_nothing() {
    let mut victim = Victim::new();
    let contact = wire::Contact { id: wire::NodeId::new(id(1, 1)), endpoint: private(1) };
    let item = Item::immutable(b"2:hi").expect("a small value");
    let destination =
        node::Destination::Node { contact, token: b"abcd".as_slice().into(), cas: None };
    let written = node::Written::item(item);
    let operation = victim.command(Command::Write { written, to: vec![destination] });
    let (transaction, method) = victim.queries_to(private(1)).remove(0);
    assert_eq!(method, "put");
    victim.hear(private(1), &reply_of(&id(2, 2), &Dictionary::new(), &transaction));
    let outcomes = victim.events.iter().find_map(|event| match event {
        Event::Wrote(of, outcomes) if *of == operation => Some(outcomes.clone()),
        _ => None,
    });
    let outcomes = outcomes.expect("the write ended");
    assert_eq!(outcomes[0].1, node::Outcome::Silent, "somebody else answered");
    victim.hear(global(1), &query_of(&id(1, 1), "ping", &Dictionary::new(), &transaction));
}

#[test]
fn who_stood_still_blames_nobody_for_silence() {
    let failed = |asleep: bool| {
        let mut victim = Victim::public();
        let contacts = [(id(1, 1), global(10)), (id(200, 2), global(11))];
        contacts.into_iter().for_each(|(id, at)| victim.acquaint(id, at));
        assert!(contacts.iter().all(|(id, _)| victim.knows(*id)));
        victim.look(Question::Nodes(wire::Point::new([7; 20])));
        match asleep {
            true => victim.stand_still(Duration::from_secs(60)),
            false => victim.pass(Duration::from_secs(60)),
        }
        let table = victim.node.table(Family::V4);
        contacts
            .iter()
            .filter(|(id, _)| table.get(&NodeId::new(*id)).is_none_or(|entry| entry.failures() > 0))
            .count()
    };
    assert_eq!(failed(true), 0, "it slept, and heard nobody");
    assert_eq!(failed(false), 2, "they were silent");
}
