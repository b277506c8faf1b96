//! What a node costs in memory, and what it costs to find the closest contacts when that memory is
//! cold: fills the tables of many stores as a network of a million nodes would, lets each look after
//! its table once, and tells how much of this process is resident after each step (Linux).
//!
//! ```sh
//! cargo run --release -p xorbit-kv --example footprint -- 20000
//! ```

use core::time::Duration;
use std::time;

use kv::{Config, Kv};
use node::limits::{FIRST_BUCKETS, K, REPLACEMENTS};
use node::{Dice, Instant, Now, Outbox, UnixMillis};
use wire::message::{Message, Speaker};
use wire::reply::{NodeLists, Reply};
use wire::{Contact, Endpoint, Family, NodeId, Query};

/// Nodes of the network; a machine that has 10.0.0.0/8 to itself has room for more.
const NETWORK: usize = 1_000_000;

fn main() {
    let stores = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(20_000);
    let network = Network::new(NETWORK, &mut Dice::new([1; 32]));
    let now = at(0);
    let mut meter = Meter::new(stores);
    let mut all = Vec::with_capacity(stores);
    for member in 0..stores {
        let mut config = Config::default();
        config.node.id = Some(network.ids[member * (NETWORK / stores)]);
        all.push(Kv::new(config, seed(member), now));
    }
    println!("a store is a value of {} bytes", size_of::<Kv>());
    meter.tell("newborn");
    let mut dice = Dice::new([2; 32]);
    for store in &mut all {
        network.introduce(store, &mut dice, now.monotonic);
    }
    let known = |store: &Kv| store.node().table(Family::V4).len();
    let contacts: usize = all.iter().map(known).sum();
    meter.tell(&format!("with {} contacts each", contacts / stores));
    let mut outbox = Outbox::default();
    for store in &mut all {
        network.live(store, at(1200), &mut outbox);
    }
    meter.tell("after looking after its table");
    let mut found = 0;
    let started = time::Instant::now();
    for _ in 0..10 {
        for store in &all {
            let target = dice.node_id().point();
            found += store.node().table(Family::V4).closest::<K>(&target).iter().count();
        }
    }
    let each = started.elapsed() / (10 * stores) as u32;
    assert_eq!(found, 10 * stores * K, "a full table always has eight to tell of");
    println!("{each:?} for the {K} closest to a target, by a node that was not asked for long");
}

fn at(seconds: u64) -> Now {
    Now {
        monotonic: Instant::from_micros(seconds * 1_000_000),
        wall: UnixMillis(1_700_000_000_000 + seconds * 1000),
    }
}

fn seed(number: usize) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    seed
}

/// All nodes there are, in the order of their ids, each under the address of its place.
struct Network {
    ids: Vec<NodeId>,
}

impl Network {
    fn new(nodes: usize, dice: &mut Dice) -> Self {
        let mut ids: Vec<NodeId> = (0..nodes).map(|_| dice.node_id()).collect();
        ids.sort();
        Self { ids }
    }

    fn contact(&self, place: usize) -> Contact {
        let [_, a, b, c] = (place as u32).to_be_bytes();
        Contact { id: self.ids[place], endpoint: Endpoint::v4([10, a, b, c], 6881) }
    }

    /// Fills a table: each bucket, and the places behind it, as far as there are nodes for them.
    fn introduce(&self, store: &mut Kv, dice: &mut Dice, now: Instant) {
        let own = store.node().id();
        let mut beside = 0..self.ids.len();
        for index in 0.. {
            if beside.len() <= 1 {
                return;
            }
            let is_one = |id: &NodeId| id.as_bytes()[index / 8] & (0x80 >> (index % 8)) != 0;
            let zeros = self.ids[beside.clone()].partition_point(|id| !is_one(id));
            let middle = beside.start + zeros;
            let (low, high) = (beside.start..middle, middle..beside.end);
            let (nearer, bucket) = if is_one(&own) { (high, low) } else { (low, high) };
            let places = FIRST_BUCKETS.get(index).copied().unwrap_or(K) + REPLACEMENTS;
            // Some are drawn twice: so a few more are.
            for draw in 0..places + places / 8 {
                let whole = bucket.len() <= places;
                let chosen = if whole { draw } else { dice.below(bucket.len()) };
                if chosen < bucket.len() {
                    let contact = self.contact(bucket.start + chosen);
                    store.acquaint(contact, Duration::from_millis(40), now);
                }
            }
            beside = nearer;
        }
    }

    /// Lets a store do what it is time for, and has all whom it asks answer.
    fn live(&self, store: &mut Kv, now: Now, outbox: &mut Outbox) {
        store.tick(now, outbox);
        for second in 1..30 {
            let later = Duration::from_secs(second);
            let now = Now { monotonic: now.monotonic + later, wall: now.wall + later };
            let asked: Vec<(Endpoint, Vec<u8>)> =
                outbox.datagrams().map(|(to, bytes)| (to, bytes.to_vec())).collect();
            outbox.clear();
            for (to, bytes) in asked {
                let mut answer = [0; 1400];
                let length = self.answer(&to, &bytes, &mut answer);
                store.datagram(now, to, &answer[..length], outbox);
            }
            store.tick(now, outbox);
            while store.next_event().is_some() {}
        }
        outbox.clear();
    }

    /// What the node at `from` answers to a question.
    fn answer(&self, from: &Endpoint, question: &[u8], answer: &mut [u8]) -> usize {
        let Ok(Message::Query(query)) = Message::read(question) else { return 0 };
        let [_, a, b, c] = *from.ip_bytes() else { return 0 };
        let place = u32::from_be_bytes([0, a, b, c]) as usize;
        let speaker = Speaker { id: self.ids[place], network: query.network, read_only: false };
        let reply = match query.query {
            Query::Ping => Reply::Ack,
            _ => Reply::Nodes(NodeLists::default()),
        };
        let asker = Endpoint::v4([10, 255, 255, 255], 6881);
        speaker.write_reply(query.transaction, &asker, &reply, answer).unwrap_or(0)
    }
}

/// Tells how many bytes of this process are resident for each store.
struct Meter {
    before: usize,
    stores: usize,
}

impl Meter {
    fn new(stores: usize) -> Self {
        Self { before: resident(), stores }
    }

    fn tell(&mut self, when: &str) {
        let each = resident().saturating_sub(self.before) / self.stores;
        println!("{each:>6} bytes resident a store, {when}");
    }
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells of processes");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).map(str::parse::<usize>);
    kib.and_then(Result::ok).expect("a process of Linux has a resident set") * 1024
}
