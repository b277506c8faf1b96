//! A small world under virtual time: nodes, and a network that delays, loses and repeats nothing
//! unless told to.
#![allow(dead_code, reason = "each test program uses what it needs of the world")]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use node::{Command, Config, Event, Instant, Mainline, Node, Now, OperationId, Outbox, UnixMillis};
use wire::Endpoint;

pub const DELAY: Duration = Duration::from_millis(10);

/// A datagram on its way: when it arrives, in which order it left, from, to, and its bytes.
type Flight = (Instant, u64, Endpoint, Endpoint, Vec<u8>);

/// Nodes and datagrams on their way.
pub struct World {
    pub nodes: Vec<Node<Mainline>>,
    pub places: Vec<Endpoint>,
    pub down: Vec<bool>,
    pub events: Vec<Vec<Event>>,
    pub datagrams: u64,
    pub now: Now,
    by_place: HashMap<Endpoint, usize>,
    flying: BinaryHeap<Reverse<Flight>>,
    order: u64,
    outbox: Outbox,
}

impl World {
    pub fn new() -> Self {
        Self {
            nodes: Vec::new(),
            places: Vec::new(),
            down: Vec::new(),
            events: Vec::new(),
            datagrams: 0,
            now: Now { monotonic: Instant::from_micros(0), wall: UnixMillis(1_700_000_000_000) },
            by_place: HashMap::new(),
            flying: BinaryHeap::new(),
            order: 0,
            outbox: Outbox::default(),
        }
    }

    /// A network of `count` nodes at private addresses that have all joined through the first.
    pub fn joined(count: usize) -> Self {
        let mut world = Self::new();
        for index in 0..count {
            let [high, low] = (index as u16).to_be_bytes();
            world.add(Endpoint::v4([10, 0, high, low], 8000), Config::default());
            if index > 0 {
                let first = world.places[0];
                world.command(index, Command::Join(vec![first]));
            }
            world.run(Duration::from_millis(200));
        }
        world.run(Duration::from_secs(20));
        world
    }

    pub fn add(&mut self, place: Endpoint, config: Config) -> usize {
        let index = self.nodes.len();
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(index as u64).to_le_bytes());
        self.nodes.push(Node::new(config, Mainline, seed, self.now));
        self.places.push(place);
        self.down.push(false);
        self.events.push(Vec::new());
        self.by_place.insert(place, index);
        index
    }

    pub fn command(&mut self, node: usize, command: Command) -> OperationId {
        let operation = self.nodes[node].command(self.now, command, &mut self.outbox);
        self.drain(node);
        operation
    }

    /// Hands a datagram from `from` to a node, as if it had arrived.
    pub fn deliver(&mut self, node: usize, from: Endpoint, bytes: &[u8]) {
        self.nodes[node].datagram(self.now, from, bytes, &mut self.outbox);
        self.drain(node);
    }

    /// Like [`World::deliver`], and gives what the node sends back to `from` instead of sending it.
    pub fn exchange(&mut self, node: usize, from: Endpoint, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.nodes[node].datagram(self.now, from, bytes, &mut self.outbox);
        let back = self.outbox.datagrams().filter(|(to, _)| *to == from);
        let back = back.map(|(_, bytes)| bytes.to_vec()).collect();
        self.outbox.clear();
        back
    }

    fn drain(&mut self, node: usize) {
        for (to, bytes) in self.outbox.datagrams() {
            self.order += 1;
            self.datagrams += 1;
            let at = self.now.monotonic + DELAY;
            let from = self.places[node];
            self.flying.push(Reverse((at, self.order, from, to, bytes.to_vec())));
        }
        self.outbox.clear();
        while let Some(event) = self.nodes[node].next_event() {
            self.events[node].push(event);
        }
        self.nodes[node].check_invariant();
    }

    /// Lets time pass.
    pub fn run(&mut self, span: Duration) {
        let end = self.now.monotonic + span;
        while self.step(end) {}
        self.pass_to(end);
    }

    /// Runs until `operation` of `node` has ended, and gives the event that ended it.
    pub fn finish(&mut self, node: usize, operation: OperationId) -> Event {
        let limit = self.now.monotonic + Duration::from_secs(60);
        loop {
            let ended = |event: &Event| event.ends() == Some(operation);
            if let Some(place) = self.events[node].iter().position(ended) {
                return self.events[node].remove(place);
            }
            assert!(self.step(limit), "{operation:?} never ended");
        }
    }

    fn step(&mut self, end: Instant) -> bool {
        let arrival = self.flying.peek().map(|Reverse((at, ..))| *at);
        let due = (0..self.nodes.len())
            .filter(|index| !self.down[*index])
            .filter_map(|index| Some((self.nodes[index].deadline()?, index)))
            .min();
        match (arrival, due) {
            (Some(at), due) if at <= end && due.is_none_or(|(other, _)| at <= other) => {
                self.pass_to(at);
                let Some(Reverse((_, _, from, to, bytes))) = self.flying.pop() else {
                    return false;
                };
                if let Some(index) = self.by_place.get(&to).copied()
                    && !self.down[index]
                {
                    self.deliver(index, from, &bytes);
                }
            }
            (_, Some((at, index))) if at <= end => {
                self.pass_to(at);
                self.nodes[index].tick(self.now, &mut self.outbox);
                self.drain(index);
            }
            _ => return false,
        }
        true
    }

    fn pass_to(&mut self, at: Instant) {
        let passed = at.since(self.now.monotonic);
        self.now.monotonic = self.now.monotonic + passed;
        self.now.wall = self.now.wall + passed;
    }
}
