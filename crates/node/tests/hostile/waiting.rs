//! Gets that wait: who may, for how long, how many, and what becomes of them.

use std::time::Duration;

use node::limits::{WAITS_PER_ADDRESS, WAITS_PER_PREFIX};
use node::{Changes, Command, Config, Destination, Drop, Event, Held, Inquired, Inquiry, Written};
use wire::{Contact, Endpoint, Item, NodeId, Seq, Signer, Target};

use super::bencoded::{Answer, Dictionary, query, reply_of, string};
use super::items::{get, immutable, mutable, name, put};
use super::victim::{Victim, global, own_tag, private, with_tag};

const SECOND: Duration = Duration::from_secs(1);

fn token(victim: &mut Victim, from: Endpoint, target: Target) -> Vec<u8> {
    let arguments = Dictionary::new().string("target", target.as_bytes());
    victim.ask(from, &query("get", &arguments, b"aa")).value("token")
}

/// The arguments of a get that waits.
fn waiting(target: Target, seq: i64, wait: i64, token: &[u8]) -> Dictionary {
    let arguments = Dictionary::new().string("target", target.as_bytes()).integer("seq", seq);
    arguments.integer("wait", wait).string("token", token)
}

/// Asks to wait with a good token; the answer, if it comes at once.
fn ask(victim: &mut Victim, from: Endpoint, seq: i64, transaction: &[u8]) -> Option<Answer> {
    let token = token(victim, from, name(b"k"));
    let question = query("get", &waiting(name(b"k"), seq, 30, &token), transaction);
    victim.ask_raw(from, &question).map(|answer| Answer::read(&answer))
}

/// What was sent to an address and not taken yet.
fn answers(victim: &mut Victim, to: Endpoint) -> Vec<Answer> {
    let (taken, kept) = std::mem::take(&mut victim.sent)
        .into_iter()
        .partition(|sent| sent.to == to && sent.query().is_none());
    victim.sent = kept;
    let taken: Vec<_> = taken;
    taken.iter().map(|sent| Answer::read(&sent.bytes)).collect()
}

fn give(victim: &mut Victim, seq: i64, value: &[u8]) {
    assert_eq!(put(victim, name(b"k"), mutable(b"k", seq, value)), None);
}

#[test]
fn a_waiting_get_is_answered_once_when_something_newer_comes() {
    let mut victim = Victim::new();
    give(&mut victim, 1, b"3:one");
    assert!(ask(&mut victim, private(1), 1, b"wait").is_none(), "nothing newer yet");
    victim.sent.clear();
    victim.pass(10 * SECOND);
    assert!(answers(&mut victim, private(1)).is_empty());
    give(&mut victim, 2, b"3:two");
    let told = answers(&mut victim, private(1));
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].transaction(), told[0].number("seq")), (b"wait".to_vec(), 2));
    assert!(told[0].has("v") && told[0].has("token") && told[0].has("sig"));
    give(&mut victim, 3, b"5:three");
    victim.pass(60 * SECOND);
    assert!(answers(&mut victim, private(1)).is_empty(), "once");
    assert_eq!(victim.node.waits(), 0);
}

#[test]
fn at_the_end_of_its_time_it_is_answered_with_the_version_alone() {
    let mut victim = Victim::new();
    for (seq, wait) in [(0, 1), (1, 7), (1, 30)] {
        if seq > 0 {
            give(&mut victim, seq, b"1:v");
        }
        let token = token(&mut victim, private(1), name(b"k"));
        let arguments = waiting(name(b"k"), seq, wait, &token);
        assert!(victim.ask_raw(private(1), &query("get", &arguments, b"aa")).is_none());
        victim.sent.clear();
        victim.pass(Duration::from_millis(wait as u64 * 1000 - 1));
        assert!(answers(&mut victim, private(1)).is_empty());
        victim.pass(Duration::from_millis(1));
        let told = answers(&mut victim, private(1));
        assert_eq!((told.len(), told[0].has("v"), told[0].has("seq")), (1, false, seq > 0));
        assert_eq!(victim.node.waits(), 0);
    }
}

#[test]
fn what_is_newer_already_is_answered_at_once() {
    let mut victim = Victim::new();
    give(&mut victim, 5, b"1:v");
    let told = ask(&mut victim, private(1), 4, b"aa").expect("at once");
    assert!(told.has("v"));
    let value = string(b"x");
    let target = wire::item::immutable_target(&value);
    assert_eq!(put(&mut victim, target, immutable(&value)), None);
    let token = token(&mut victim, private(1), target);
    let question = query("get", &waiting(target, 9, 30, &token), b"aa");
    assert!(victim.ask(private(1), &question).has("v"), "an immutable item is never old");
}

#[test]
fn a_put_that_only_renews_what_is_held_answers_nobody() {
    let mut victim = Victim::new();
    give(&mut victim, 1, b"1:v");
    assert!(ask(&mut victim, private(1), 1, b"aa").is_none());
    victim.sent.clear();
    give(&mut victim, 1, b"1:v");
    assert!(answers(&mut victim, private(1)).is_empty());
    assert_eq!(victim.node.waits(), 1);
}

#[test]
fn a_deletion_is_a_version_like_any_other() {
    let mut victim = Victim::new();
    give(&mut victim, 1, b"1:v");
    assert!(ask(&mut victim, private(1), 1, b"aa").is_none());
    victim.sent.clear();
    let tombstone = b"35:\xd8XR\x01d1:ei1700604800000e1:ti1ee";
    let tombstone = [b"30:", &tombstone[3..]].concat();
    give(&mut victim, 2, &tombstone);
    assert_eq!(answers(&mut victim, private(1))[0].number("seq"), 2);
}

#[test]
fn our_own_put_answers_who_waits_as_well() {
    let mut victim = Victim::new();
    assert!(ask(&mut victim, private(1), 0, b"aa").is_none());
    victim.sent.clear();
    let signer = Signer::from_seed(&[1; 32]);
    let seq = Seq::new(3).expect("not negative");
    let item = Item::mutable(&signer, b"k", seq, b"1:v").expect("a sound item");
    let to = vec![Destination::OwnShelf { cas: None }];
    victim.command(Command::Write { written: Written::item(item), to });
    assert_eq!(answers(&mut victim, private(1))[0].number("seq"), 3);
}

#[test]
fn where_a_disk_keeps_the_shelf_waits_are_answered_when_it_has_the_item() {
    let mut victim = Victim::with(Config { durable: true, ..Config::default() });
    assert!(ask(&mut victim, private(1), 0, b"aa").is_none());
    let token = token(&mut victim, private(2), name(b"k"));
    let put = mutable(b"k", 1, b"1:v").string("token", &token);
    victim.sent.clear();
    victim.hear(private(2), &query("put", &put, b"bb"));
    assert!(victim.sent.is_empty());
    let batch = victim.node.changes().take(&mut Changes::default());
    let told: Vec<Endpoint> = victim.stored(batch).iter().map(|sent| sent.to).collect();
    assert_eq!(told, [private(2), private(1)], "the writer first");
    assert_eq!(victim.node.waits(), 0);
}

#[test]
fn without_a_good_token_nobody_waits() {
    let mut victim = Victim::new();
    let good = token(&mut victim, private(1), name(b"k"));
    let other_target = token(&mut victim, private(1), name(b"l"));
    let question = |token: &[u8]| query("get", &waiting(name(b"k"), 0, 30, token), b"aa");
    for bad in [&b""[..], b"x", &[0; 8], &[7; 64], &[7; 65], &[1; 500], &other_target] {
        victim.ask(private(1), &question(bad));
    }
    victim.ask(private(2), &question(&good));
    let without = waiting(name(b"k"), 0, 30, &good).without("token");
    victim.ask(private(1), &query("get", &without, b"aa"));
    assert_eq!(victim.node.waits(), 0);
    victim.pass(601 * SECOND);
    victim.ask(private(1), &question(&good));
    assert_eq!(victim.node.waits(), 0, "too old");
}

#[test]
fn absurd_waits_are_answered_at_once_and_what_is_no_number_is_malformed() {
    let mut victim = Victim::new();
    let token = token(&mut victim, private(1), name(b"k"));
    for wait in [0, -1, 31, 255, 256, 257, 1 << 40, i64::MAX, i64::MIN] {
        let question = query("get", &waiting(name(b"k"), 0, wait, &token), b"aa");
        let told = victim.ask(private(1), &question);
        assert_eq!((told.code, told.has("token")), (None, true), "{wait}");
    }
    for wait in [&b"2:30"[..], b"le", b"i99999999999999999999e"] {
        let arguments = waiting(name(b"k"), 0, 1, &token).raw("wait", wait);
        assert_eq!(victim.ask(private(1), &query("get", &arguments, b"aa")).code, Some(203));
    }
    assert_eq!(victim.node.waits(), 0);
}

#[test]
fn the_same_query_once_more_waits_once() {
    let mut victim = Victim::new();
    for transaction in [&b"aa"[..], b"aa", b"bb", b"aa", &[9; 32]] {
        assert!(ask(&mut victim, private(1), 0, transaction).is_none());
    }
    assert_eq!(victim.node.waits(), 3);
    victim.sent.clear();
    give(&mut victim, 1, b"1:v");
    let told = answers(&mut victim, private(1));
    let transactions: Vec<_> = told.iter().map(Answer::transaction).collect();
    assert_eq!(transactions, [b"bb".to_vec(), b"aa".to_vec(), vec![9; 32]]);
}

/// Parks so many answers, each of another port; gives how many were let wait.
fn flood(victim: &mut Victim, count: usize, from: impl Fn(usize) -> Endpoint) -> usize {
    let mut parked = 0;
    for number in 0..count {
        // More targets than one, so that not the bound of a target is what stops it.
        let target = Target::new([(number / 512) as u8; 20]);
        let token = token(victim, from(number), target);
        let question = waiting(target, 0, 30, &token);
        let transaction = (number as u32).to_be_bytes();
        parked += usize::from(
            victim.ask_raw(from(number), &query("get", &question, &transaction)).is_none(),
        );
    }
    victim.sent.clear();
    parked
}

#[test]
fn one_address_parks_a_bounded_number_and_the_rest_is_answered_at_once() {
    let mut victim = Victim::new();
    let port = |number: usize| private(1).with_port(1 + number as u16);
    assert_eq!(flood(&mut victim, 2 * WAITS_PER_ADDRESS, port), WAITS_PER_ADDRESS);
    assert_eq!(flood(&mut victim, 1, |_| private(2)), 1, "others still may");
    victim.pass(30 * SECOND);
    assert_eq!(victim.node.waits(), 0);
    assert_eq!(flood(&mut victim, 1, |_| private(1)), 1, "and itself again");
}

#[test]
fn many_addresses_of_one_network_park_a_bounded_number() {
    let mut victim = Victim::new();
    let host = |number: usize| Endpoint::v4([10, 1, 1, (number % 250) as u8], 5);
    assert_eq!(flood(&mut victim, 2 * WAITS_PER_PREFIX, host), WAITS_PER_PREFIX);
    assert_eq!(flood(&mut victim, 1, |_| Endpoint::v4([10, 1, 2, 1], 5)), 1);
}

#[test]
fn parked_answers_keep_the_pace_of_foreign_addresses() {
    let mut victim = Victim::new();
    let token = token(&mut victim, global(1), name(b"k"));
    for number in 0..60_u8 {
        let question = query("get", &waiting(name(b"k"), 0, 30, &token), &[b'a', number]);
        victim.hear(global(1), &question);
    }
    assert_eq!(victim.node.waits(), 60);
    victim.sent.clear();
    give(&mut victim, 1, b"1:v");
    let told = answers(&mut victim, global(1)).len();
    assert!((1..=10).contains(&told), "{told} at once to a foreign address");
    assert!(victim.dropped(Drop::Paced) >= 50);
    let tagged = |number: u8| {
        let question = query("get", &waiting(name(b"k"), 1, 30, &token), &[b'b', number]);
        with_tag(&question, &own_tag())
    };
    (0..60).for_each(|number| drop(victim.hear(global(1), &tagged(number))));
    give(&mut victim, 2, b"1:w");
    assert_eq!(answers(&mut victim, global(1)).len(), 60, "our own network's have no pace");
}

#[test]
fn others_are_answered_as_quickly_while_many_wait() {
    let mut victim = Victim::new();
    flood(&mut victim, 300, |number| private(number as u16));
    assert!(get(&mut victim, name(b"k")).has("token"));
    let due = victim.node.deadline().expect("waits end");
    assert!(due > victim.now.monotonic, "nothing is done for them meanwhile");
}

fn inquiry(wait: Option<u8>) -> Inquiry {
    Inquiry {
        contact: Contact { id: NodeId::new([3; 20]), endpoint: private(1) },
        target: name(b"k"),
        salt: b"k"[..].into(),
        newer_than: None,
        wait: wait.map(|wait_s| (wait_s, b"token"[..].into())),
    }
}

fn ended(victim: &Victim) -> Vec<&Inquired> {
    let answered = victim.events.iter().filter_map(|event| match event {
        Event::Inquired(_, inquired) => Some(inquired),
        _ => None,
    });
    answered.collect()
}

#[test]
fn an_answer_that_was_let_wait_says_nothing_of_the_way_and_is_verified() {
    let mut victim = Victim::new();
    victim.acquaint([3; 20], private(1));
    victim.sent.clear();
    victim.command(Command::Inquire(inquiry(Some(25))));
    let (transaction, method) = victim.queries_to(private(1)).remove(0);
    assert_eq!(method, "get");
    victim.pass(20 * SECOND);
    assert!(ended(&victim).is_empty() && victim.queries().is_empty(), "it may take its time");
    let sound = mutable(b"k", 7, b"1:v").without("salt").string("token", b"fresh");
    victim.hear(private(1), &reply_of(&[3; 20], &sound, &transaction));
    let told = ended(&victim);
    let [Inquired::Answered { held: Held::Item(item), took, .. }] = told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((item.seq(), *took), (Seq::new(7), 20 * SECOND));
    let table = victim.node.table(wire::Family::V4);
    let known = table.get(&NodeId::new([3; 20])).expect("it answered");
    assert!(known.round_trip() < SECOND, "{:?}", known.round_trip());

    victim.events.clear();
    victim.command(Command::Inquire(inquiry(Some(25))));
    let (transaction, _) = victim.queries_to(private(1)).remove(0);
    let forged = mutable(b"k", 8, b"1:v").without("salt").raw("v", b"1:w");
    victim.hear(private(1), &reply_of(&[3; 20], &forged, &transaction));
    assert!(matches!(ended(&victim)[..], [Inquired::Silent]));
}

#[test]
fn silence_ends_an_inquiry_and_a_cancelled_one_tells_nothing() {
    let mut victim = Victim::new();
    victim.command(Command::Inquire(inquiry(Some(25))));
    victim.pass(24 * SECOND);
    assert!(ended(&victim).is_empty());
    victim.pass(6 * SECOND);
    assert!(matches!(ended(&victim)[..], [Inquired::Silent]));
    victim.events.clear();
    for _ in 0..10_000 {
        let operation = victim.command(Command::Inquire(inquiry(Some(25))));
        victim.node.cancel(operation, victim.now);
    }
    assert!(ended(&victim).is_empty(), "nor do cancelled ones take up room");
    victim.pass(60 * SECOND);
    assert!(ended(&victim).is_empty());
}
