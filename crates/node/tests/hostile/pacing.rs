//! No foreign node in the internet hears from us more than five times a second over ten seconds:
//! some ban whoever exceeds that.

use std::collections::HashMap;
use std::time::Duration;

use node::{Command, Config, Destination, Network, Question, Written};
use wire::{Contact, Endpoint, Item, NodeId, Point, Target};

use super::bencoded::{Dictionary, query, reply_of};
use super::victim::{Chance, Sent, Victim, global, id};

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// The most datagrams that one address got in any ten seconds.
fn densest(sent: &[Sent]) -> HashMap<Endpoint, usize> {
    let mut times: HashMap<Endpoint, Vec<_>> = HashMap::new();
    for datagram in sent {
        times.entry(datagram.to).or_default().push(datagram.at);
    }
    let most = |times: Vec<node::Instant>| {
        let window = |first: usize| {
            let inside = |at: &&node::Instant| at.since(times[first]) < TEN_SECONDS;
            times[first..].iter().take_while(inside).count()
        };
        (0..times.len()).map(window).max().unwrap_or(0)
    };
    times.into_iter().map(|(to, times)| (to, most(times))).collect()
}

fn assert_paced(victim: &Victim) {
    for (to, most) in densest(&victim.sent) {
        assert!(most <= 50, "{to} got {most} datagrams in ten seconds");
    }
}

fn item(victim: &mut Victim, target: [u8; 20]) {
    victim.look(Question::Item { target: Target::new(target), salt: [].into(), newer_than: None });
}

fn write(victim: &mut Victim, number: u32, to: &[Contact]) {
    let value = wire::item::byte_string(&number.to_be_bytes());
    let item = Item::immutable(&value).expect("a small value");
    let destination = |contact: &Contact| Destination::Node {
        contact: *contact,
        token: [1; 8].into(),
        cas: None,
    };
    let to = to.iter().map(destination).collect();
    victim.command(Command::Write { written: Written::item(item), to });
}

#[test]
fn a_storm_of_lookups_and_writes_reaches_foreign_nodes_at_a_pace() {
    let mut victim = Victim::public();
    let mut contacts = Vec::new();
    for host in 10..16 {
        victim.acquaint(id(host as u8 * 16, 1), global(host));
        let id = NodeId::new(id(host as u8 * 16, 1));
        contacts.push(Contact { id, endpoint: global(host) });
    }
    victim.sent.clear();
    let mut chance = Chance(3);
    for number in 0..200 {
        let target = [chance.draw() as u8; 20];
        item(&mut victim, target);
        write(&mut victim, number, &contacts);
        victim.pass(Duration::from_millis(100));
    }
    victim.pass(Duration::from_secs(60));
    assert!(victim.sent.len() > 300, "{} datagrams", victim.sent.len());
    assert_paced(&victim);
}

#[test]
fn writes_that_are_sent_again_keep_the_pace_too() {
    let mut victim = Victim::public();
    victim.acquaint(id(1, 1), global(10));
    victim.sent.clear();
    let contact = Contact { id: NodeId::new(id(1, 1)), endpoint: global(10) };
    for number in 0..120 {
        write(&mut victim, number, &[contact]);
        victim.pass(Duration::from_millis(250));
    }
    victim.pass(Duration::from_secs(30));
    assert_paced(&victim);
}

/// Joins through a foreign door that answers everything, and looks for many things through it.
fn looked_through_a_door(config: Config) -> Victim {
    let mut victim = Victim::with(config);
    victim.command(Command::Join(vec![global(5)]));
    let mut heard = 0;
    let mut answer_all = |victim: &mut Victim| {
        let unheard: Vec<_> = victim.sent[heard..].to_vec();
        heard = victim.sent.len();
        for (transaction, _) in unheard.iter().filter_map(Sent::query) {
            victim.hear(global(5), &reply_of(&id(5, 5), &Dictionary::new(), &transaction));
        }
    };
    let mut chance = Chance(4);
    for _ in 0..300 {
        answer_all(&mut victim);
        victim.pass(Duration::from_millis(20));
        let target = [chance.draw() as u8; 20];
        item(&mut victim, target);
    }
    assert!(victim.knows(id(5, 5)));
    victim.pass(TEN_SECONDS);
    victim
}

#[test]
fn a_door_of_mainline_is_a_foreign_node_like_any_other() {
    let config = Config { network: Network::Public, ..Config::default() };
    assert_paced(&looked_through_a_door(config));
}

#[test]
fn a_foreign_door_of_our_own_network_is_spared_as_well() {
    assert_paced(&looked_through_a_door(Config::default()));
}

#[test]
fn questions_and_answers_to_one_address_share_its_pace() {
    let mut victim = Victim::public();
    victim.acquaint(id(1, 1), global(10));
    victim.sent.clear();
    let ping = query("ping", &Dictionary::new(), b"aa");
    for _ in 0..400 {
        victim.hear(global(10), &ping);
        victim.command(Command::Ping(global(10)));
        victim.pass(Duration::from_millis(50));
    }
    victim.pass(TEN_SECONDS);
    assert_paced(&victim);
}

#[test]
fn lookups_end_in_time_also_while_their_queries_wait_for_the_pace() {
    let mut victim = Victim::with(Config { network: Network::Public, ..Config::default() });
    victim.command(Command::Join(vec![global(5)]));
    let operations: Vec<_> =
        (0..200_u8).map(|byte| victim.look(Question::Nodes(Point::new([byte; 20])))).collect();
    victim.pass(Duration::from_secs(35));
    let ended = operations.iter().filter(|id| victim.result(**id).is_some()).count();
    assert_eq!(ended, operations.len(), "a lookup takes at most 30 s");
}

#[test]
fn more_than_can_wait_for_the_pace_is_given_up_at_once() {
    let mut victim = Victim::public();
    let operations: Vec<_> =
        (0..3_000).map(|_| victim.command(Command::Ping(global(70)))).collect();
    let silent = victim.events.iter().filter(|event| event.ends().is_some()).count();
    assert!(silent >= 3_000 - node::limits::PACED_QUEUE - 20, "{silent}");
    victim.pass(Duration::from_secs(600));
    let ended: Vec<_> = victim.events.iter().filter_map(|event| event.ends()).collect();
    assert!(operations.iter().all(|operation| ended.contains(operation)));
    // What was given up has not used up the pace of what comes later.
    victim.sent.clear();
    victim.command(Command::Ping(global(70)));
    victim.pass(Duration::from_secs(1));
    assert_eq!(victim.queries_to(global(70)).len(), 1);
}
