//! Each check sees what it is for: nodes that live in a world of their own, and a witness that is
//! shown other datagrams than went to and fro.

mod words;

use core::time::Duration;

use kv::{Change, Expected, Key, Namespace, PutRequest, Request};
use node::{Outbox, UnixMillis};
use wire::message::Speaker;
use wire::{
    Endpoint, Found, Item, NodeId, NodeLists, Query, Reply, Seq, Signer, Target, TransactionId,
    Want,
};

use super::requests::Requests;
use super::{Witness, all};
use crate::clock::START;
use crate::network::{Latency, Network, Site};
use crate::world::{Input, MachineId, Moment, Observer, Violation, World};

const NOBODY: [u8; 4] = [10, 9, 9, 9];
const SOMEBODY: [u8; 4] = [8, 8, 4, 4];

/// A world with nodes that nobody watches, and somebody who is shown what we like.
struct Stage {
    world: World,
    witness: Witness,
    found: Vec<Violation>,
}

fn place(number: u8) -> Endpoint {
    Endpoint::v4([10, 0, 0, number], 8000)
}

fn speaker() -> Speaker {
    Speaker { id: NodeId::new([7; 20]), network: None, read_only: false }
}

fn outbox(to: Endpoint, datagrams: &[Vec<u8>]) -> Outbox {
    let mut outbox = Outbox::default();
    for bytes in datagrams {
        outbox.send(to, |buffer| {
            buffer[..bytes.len()].copy_from_slice(bytes);
            Some(bytes.len())
        });
    }
    outbox
}

fn written(write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Vec<u8> {
    let mut buffer = [0; 2048];
    let length = write(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

fn query(transaction: u32, query: &Query<'_>) -> Vec<u8> {
    written(|to| speaker().write_query(TransactionId(transaction), query, to))
}

fn reply(transaction: u32, to: &Endpoint, reply: &Reply<'_>) -> Vec<u8> {
    let transaction = transaction.to_be_bytes();
    written(|buffer| speaker().write_reply(&transaction, to, reply, buffer))
}

impl Stage {
    /// Nodes that know each other, the first of them with a disk.
    fn new(nodes: u8) -> Self {
        let network = Network::new(1, Latency::Constant(Duration::from_millis(10)));
        let mut world = World::new(1, network);
        world.doors.push(place(1));
        for number in 1..=nodes {
            let id = world.add(kv::Config::default(), Site(0), [Some(place(number)), None]);
            if number == 1 {
                world.give_disk(id);
            }
            world.start(id);
        }
        let mut stage = Self { world, witness: Witness::new(all()), found: Vec::new() };
        stage.pass(1);
        stage.show(&Input::Start(0), &Outbox::default());
        stage
    }

    fn pass(&mut self, seconds: u64) {
        let until = self.world.now() + Duration::from_secs(seconds);
        while self.world.step(until).is_some() {}
    }

    fn moment(&self) -> Moment {
        Moment { at: self.world.now(), machine: MachineId(0) }
    }

    /// Shows the witness that the first node acted on this and said that.
    fn show(&mut self, input: &Input<'_>, outbox: &Outbox) {
        let moment = self.moment();
        let machine = &mut self.world.machines[0];
        self.witness.before(moment, machine, input);
        self.witness.after(moment, machine, input, outbox, &mut self.found);
    }

    /// Lets the first node hear something while the witness watches.
    fn hear(&mut self, from: Endpoint, bytes: &[u8]) -> Vec<(Endpoint, Vec<u8>)> {
        let (moment, now) = (self.moment(), self.world.now_at(MachineId(0)));
        let (input, mut outbox) = (Input::Datagram(from, bytes), Outbox::default());
        let machine = &mut self.world.machines[0];
        self.witness.before(moment, machine, &input);
        machine.kv_mut().unwrap().datagram(now, from, bytes, &mut outbox);
        self.witness.after(moment, machine, &input, &outbox, &mut self.found);
        outbox.datagrams().map(|(to, bytes)| (to, bytes.to_vec())).collect()
    }

    /// Lets the first node hear something of which the witness knows nothing.
    fn unheard(&mut self, from: Endpoint, bytes: &[u8]) -> Vec<(Endpoint, Vec<u8>)> {
        let (now, mut outbox) = (self.world.now_at(MachineId(0)), Outbox::default());
        let kv = self.world.machines[0].kv_mut().unwrap();
        kv.datagram(now, from, bytes, &mut outbox);
        outbox.datagrams().map(|(to, bytes)| (to, bytes.to_vec())).collect()
    }

    /// Lets the first node start a request of which the witness knows nothing.
    fn unseen(&mut self, request: Request) -> Vec<(Endpoint, Vec<u8>)> {
        let (now, mut outbox) = (self.world.now_at(MachineId(0)), Outbox::default());
        let kv = self.world.machines[0].kv_mut().unwrap();
        kv.request(now, request, &mut outbox);
        outbox.datagrams().map(|(to, bytes)| (to, bytes.to_vec())).collect()
    }

    /// The checks that found something.
    fn checks(&self) -> Vec<&'static str> {
        let mut checks: Vec<_> = self.found.iter().map(|violation| violation.check).collect();
        checks.dedup();
        checks
    }
}

fn transaction_of(datagram: &[u8]) -> u32 {
    match wire::Message::read(datagram) {
        Ok(wire::Message::Query(query)) => {
            u32::from_be_bytes(query.transaction.try_into().unwrap())
        }
        other => panic!("{other:?} is no question"),
    }
}

fn item(seq: i64, expires: UnixMillis) -> Item {
    // The envelope of docs/records.md: magic bytes, then a dictionary with value and expiry.
    let expires = expires.0.to_string();
    let envelope = [&b"\xd8XR\x01d1:d5:value1:ei"[..], expires.as_bytes(), b"ee"].concat();
    let value = [envelope.len().to_string().as_bytes(), b":", &envelope].concat();
    let seq = Seq::new(seq).unwrap();
    Item::mutable(&Signer::from_seed(&[3; 32]), b"salt", seq, &value).unwrap()
}

fn get(target: Target) -> Query<'static> {
    Query::Get { target, newer_than: None, want: Want::default() }
}

fn told(item: &Item) -> Reply<'_> {
    let found = Found::from(item.as_ref());
    Reply::Item { nodes: NodeLists::default(), token: None, found }
}

#[test]
fn an_answer_to_a_question_that_nobody_saw_is_seen_as_counted_and_its_sender_as_unproven() {
    let mut stage = Stage::new(1);
    let somebody = Endpoint::v4(NOBODY, 1);
    let asked = stage.unseen(Request::Ping(somebody));
    let answer = reply(transaction_of(&asked[0].1), &place(1), &Reply::Ack);
    stage.hear(somebody, &answer);
    assert_eq!(stage.checks(), ["replies", "proven"]);
}

#[test]
fn an_answer_that_is_shown_with_its_question_is_right_once() {
    let mut stage = Stage::new(1);
    let somebody = Endpoint::v4(NOBODY, 1);
    let asked = stage.unseen(Request::Ping(somebody));
    stage.show(&Input::Tick, &outbox(somebody, &[asked[0].1.clone()]));
    let answer = reply(transaction_of(&asked[0].1), &place(1), &Reply::Ack);
    stage.hear(somebody, &answer);
    stage.hear(somebody, &answer);
    assert_eq!(stage.found, []);
}

#[test]
fn a_contact_that_leaves_without_having_failed_is_seen() {
    let mut stage = Stage::new(4);
    // What the witness does not see: how they came to be known. Their going is what counts here.
    stage.found.clear();
    for number in 2..=4 {
        let ping = stage.unseen(Request::Ping(place(number))).remove(0).1;
        stage.show(&Input::Tick, &outbox(place(number), std::slice::from_ref(&ping)));
        let id = stage.world.machines[usize::from(number) - 1].kv().unwrap().node().id();
        let speaker = Speaker { id, ..speaker() };
        let transaction = transaction_of(&ping).to_be_bytes();
        let answer = written(|to| speaker.write_reply(&transaction, &place(1), &Reply::Ack, to));
        stage.hear(place(number), &answer);
    }
    assert_eq!(stage.found, [], "all of them answered");
    stage.world.kill(MachineId(1));
    stage.pass(3600);
    stage.show(&Input::Tick, &Outbox::default());
    for _ in 0..64 {
        stage.show(&Input::Tick, &Outbox::default());
    }
    // It counts answers to questions that were not shown, either.
    assert!(stage.checks().contains(&"displaced"));
}

#[test]
fn datagrams_that_are_too_long_unreadable_martian_or_twice_under_one_number_are_seen() {
    let to = Endpoint::v4(NOBODY, 1);
    let long = query(1, &Query::Offer { offers: wire::offer::Offers::read(&[1; 28]).unwrap() });
    let ping = query(2, &Query::Ping);
    let find = Query::FindNode { target: NodeId::new([1; 20]).point(), want: Want::default() };
    let cases: [(Endpoint, Vec<Vec<u8>>); 4] = [
        (to, vec![vec![b'x'; 2000]]),
        (Endpoint::v4([0, 0, 0, 0], 1), vec![ping.clone()]),
        (to, vec![ping.clone(), ping.clone()]),
        (to, vec![ping.clone(), query(2, &find)]),
    ];
    for (to, datagrams) in cases {
        let mut stage = Stage::new(1);
        stage.show(&Input::Tick, &outbox(to, &datagrams));
        assert_eq!(stage.checks(), ["datagrams"], "{datagrams:?}");
    }
    let mut stage = Stage::new(1);
    stage.show(&Input::Tick, &outbox(to, &[long, ping]));
    assert_eq!(stage.found, []);
}

#[test]
fn a_value_that_is_too_long_for_a_plain_answer_is_seen_by_what_it_answers() {
    let mut stage = Stage::new(1);
    let from = Endpoint::v4(NOBODY, 1);
    let big = Item::immutable(&[b"996:", &[b'v'; 996][..]].concat()).unwrap();
    let answer = reply(1, &from, &told(&big));
    let ping = query(1, &Query::Ping);
    stage.show(&Input::Datagram(from, &ping), &outbox(from, std::slice::from_ref(&answer)));
    assert_eq!(stage.checks(), ["datagrams"]);
    stage.found.clear();
    let asked = query(1, &get(big.target()));
    stage.show(&Input::Datagram(from, &asked), &outbox(from, &[answer]));
    assert_eq!(stage.found, []);
}

#[test]
fn a_lookup_that_asks_one_address_again_and_again_is_seen() {
    let mut stage = Stage::new(3);
    let target = NodeId::new([9; 20]).point();
    let asked = stage.unseen(Request::Lookup(target));
    let (to, first) = asked[0].clone();
    let sent = outbox(to, &[first]);
    stage.show(&Input::Tick, &sent);
    stage.show(&Input::Tick, &sent);
    assert!(!stage.checks().contains(&"lookups"));
    stage.show(&Input::Tick, &sent);
    assert!(stage.checks().contains(&"lookups"), "{:?}", stage.found);
}

#[test]
fn a_put_by_a_token_that_nobody_was_seen_to_get_is_seen() {
    for shown in [true, false] {
        let mut stage = Stage::new(1);
        let from = Endpoint::v4(NOBODY, 1);
        let item = item(START.0 as i64 * 1000, START + Duration::from_secs(9999));
        let asked = query(1, &get(item.target()));
        let answers = match shown {
            true => stage.hear(from, &asked),
            false => stage.unheard(from, &asked),
        };
        let answer = answers
            .iter()
            .find(|(_, bytes)| matches!(wire::Message::read(bytes), Ok(wire::Message::Reply(_))));
        let Ok(wire::Message::Reply(message)) = wire::Message::read(&answer.unwrap().1) else {
            panic!("an answer");
        };
        let token = message.read_as(wire::ReplyKind::Item).unwrap().1.token().unwrap();
        let put = Query::Put {
            item: item.as_ref().as_unverified(),
            cas: None,
            lease: None,
            token,
            target: None,
        };
        stage.hear(from, &query(2, &put));
        let expected: &[&str] = if shown { &[] } else { &["tokens"] };
        assert_eq!(stage.checks(), expected, "{:?}", stage.found);
    }
}

#[test]
fn a_version_that_goes_back_and_what_is_served_after_its_end_are_seen() {
    let from = Endpoint::v4(NOBODY, 1);
    let later = START + Duration::from_secs(9999);
    let serve = |stage: &mut Stage, item: &Item| {
        let asked = query(1, &get(item.target()));
        let answer = outbox(from, &[reply(1, &from, &told(item))]);
        stage.show(&Input::Datagram(from, &asked), &answer);
    };
    let mut stage = Stage::new(1);
    for seq in [5, 5, 6] {
        serve(&mut stage, &item(seq, later));
    }
    assert_eq!(stage.found, []);
    serve(&mut stage, &item(5, later));
    assert_eq!(stage.checks(), ["versions"]);
    let mut stage = Stage::new(1);
    serve(&mut stage, &item(5, START));
    assert_eq!(stage.checks(), ["expiry"]);
}

#[test]
fn an_older_version_may_come_back_once_the_newer_need_not_be_remembered() {
    let from = Endpoint::v4(NOBODY, 1);
    let end = |seconds| START + Duration::from_secs(seconds);
    let (brief, lasting) = (item(6, end(600)), item(5, end(9999)));
    let mut stage = Stage::new(1);
    let serve = |stage: &mut Stage, item: &Item| {
        let asked = query(1, &get(item.target()));
        let answer = outbox(from, &[reply(1, &from, &told(item))]);
        stage.show(&Input::Datagram(from, &asked), &answer);
    };
    serve(&mut stage, &brief);
    stage.pass(601);
    serve(&mut stage, &lasting);
    serve(&mut stage, &lasting);
    assert_eq!(stage.found, []);
    serve(&mut stage, &item(4, end(9999)));
    assert_eq!(stage.checks(), ["versions"]);
}

#[test]
fn nothing_in_the_place_of_a_version_is_seen_until_it_may_be_forgotten() {
    let from = Endpoint::v4(NOBODY, 1);
    let mut stage = Stage::new(1);
    let item = item(5, START + Duration::from_secs(600));
    let asked = query(1, &get(item.target()));
    let nothing = Reply::Item { nodes: NodeLists::default(), token: None, found: Found::Nothing };
    let (some, none) = (reply(1, &from, &told(&item)), reply(1, &from, &nothing));
    let input = Input::Datagram(from, &asked);
    stage.show(&input, &outbox(from, &[some]));
    stage.show(&input, &outbox(from, std::slice::from_ref(&none)));
    assert_eq!(stage.checks(), ["versions"]);
    stage.found.clear();
    stage.pass(601);
    stage.show(&input, &outbox(from, &[none]));
    assert_eq!(stage.found, []);
}

#[test]
fn what_was_acknowledged_and_is_not_there_is_seen_after_a_restart_and_before() {
    let from = Endpoint::v4(NOBODY, 1);
    let item = item(5, START + Duration::from_secs(9999));
    let put = Query::Put {
        item: item.as_ref().as_unverified(),
        cas: None,
        lease: None,
        token: b"token",
        target: None,
    };
    let put = query(1, &put);
    let acknowledged = |stage: &mut Stage| {
        stage.show(&Input::Datagram(from, &put), &Outbox::default());
        let yes = reply(1, &from, &Reply::Ack);
        stage.show(&Input::Committed(true), &outbox(from, &[yes]));
        assert_eq!(stage.found, []);
    };
    let mut stage = Stage::new(1);
    acknowledged(&mut stage);
    stage.show(&Input::Start(0), &Outbox::default());
    assert_eq!(stage.checks(), ["durable"]);
    let mut stage = Stage::new(1);
    acknowledged(&mut stage);
    stage.pass(130);
    stage.show(&Input::Tick, &Outbox::default());
    assert_eq!(stage.checks(), ["kept"]);
    let mut stage = Stage::new(1);
    acknowledged(&mut stage);
    stage.pass(10_000);
    stage.show(&Input::Start(0), &Outbox::default());
    assert_eq!(stage.found, [], "its time is over");
}

#[test]
fn more_bytes_than_an_unproven_address_may_get_are_seen() {
    let to = Endpoint::v4(SOMEBODY, 1);
    let asked = query(1, &Query::Ping);
    let answer = reply(1, &to, &Reply::Ack);
    let mut stage = Stage::new(1);
    let most = 20_000 / answer.len();
    let answers = vec![answer; most];
    stage.show(&Input::Datagram(to, &asked), &outbox(to, &answers));
    assert_eq!(stage.found, []);
    stage.show(&Input::Datagram(to, &asked), &outbox(to, &answers[..2]));
    assert_eq!(stage.checks(), ["budgets"]);
}

#[test]
fn a_queue_that_bursts_is_seen() {
    let to = Endpoint::v4(NOBODY, 1);
    let pings: Vec<Vec<u8>> = (0..21_000).map(|number| query(number, &Query::Ping)).collect();
    let mut stage = Stage::new(1);
    stage.show(&Input::Tick, &outbox(to, &pings));
    assert_eq!(stage.checks(), ["queues"]);
}

#[test]
fn a_request_that_ends_twice_or_not_at_all_is_seen() {
    let mut stage = Stage::new(1);
    let put = Request::Put(PutRequest {
        namespace: Namespace::default(),
        key: Key::new("key").unwrap(),
        change: Change::Delete,
        expected: Expected::Anything,
        trace: false,
    });
    let id = stage.world.request(MachineId(0), put.clone()).unwrap();
    let done = std::iter::from_fn(|| {
        let until = stage.world.now() + Duration::from_secs(60);
        stage.world.step(until)
    });
    let done = done.filter_map(|happened| match happened {
        crate::world::Happened::Told(_, event @ kv::Event::Done(..)) => Some(event),
        _ => None,
    });
    let done: Vec<kv::Event> = done.collect();
    let mut requests = Requests::default();
    let (mut found, moment) = (Vec::new(), stage.moment());
    requests.asked(moment, &stage.world.machines[0], id, &put);
    requests.told(moment, &stage.world.machines[0], &done[0], &mut found);
    assert_eq!(found, []);
    requests.told(moment, &stage.world.machines[0], &done[0], &mut found);
    requests.asked(moment, &stage.world.machines[0], id, &put);
    for minute in 0..12 {
        let moment = Moment { at: moment.at + Duration::from_secs(60 * minute), ..moment };
        let machine = &mut stage.world.machines[0];
        requests.before(moment, machine, &Input::Tick);
        requests.after(moment, machine, &Input::Tick, &Outbox::default(), &mut found);
    }
    let said: Vec<&str> = found.iter().map(|violation| violation.what.as_str()).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("not on its way") && said[1].contains("not ended"), "{said:?}");
}

#[test]
fn a_stranger_with_an_odd_transaction_id_gets_its_answer_read() {
    let mut stage = Stage::new(1);
    let from = Endpoint::v4(NOBODY, 1);
    let asked =
        b"d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q3:get1:t2:aa1:y1:qe";
    stage.hear(from, asked);
    assert_eq!(stage.found, []);
    let answers = stage.hear(from, asked);
    let (_, answer) = answers.iter().find(|(to, _)| *to == from).unwrap();
    let copy = super::exchange::with_own_transaction(answer).unwrap();
    assert!(matches!(wire::Message::read(&copy), Ok(wire::Message::Reply(_))));
}
