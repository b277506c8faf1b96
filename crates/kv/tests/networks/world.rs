//! A small world under virtual time: stores, and a network that delays, loses and cuts as told.

pub mod asking;
pub mod disks;
mod holders;
mod liars;
pub mod sets;
pub mod watching;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::Duration;

use kv::{Config, Done, Event, Kv, Request, RequestId};
use node::{Instant, Now, Outbox, UnixMillis};
use wire::{Endpoint, Family};

pub use holders::ITEM_SIGNER_SEED;
use liars::Liar;
pub use liars::{OfSet, Says};

/// What the clocks of all nodes show at first, unless they are set otherwise.
pub const START: UnixMillis = UnixMillis(1_700_000_000_000);

/// The least time that a datagram takes.
const DELAY: Duration = Duration::from_millis(10);

/// One node of the world.
pub struct Member {
    pub kv: Kv,
    /// Where it can be reached, in each family.
    pub places: [Option<Endpoint>; 2],
    /// It neither hears nor acts, and forgets nothing.
    pub down: bool,
    /// It does not know the argument `wait`, as nodes of others do not.
    pub foreign: bool,
    /// How far its wall clock is set forward, in milliseconds.
    pub wall_ahead_ms: i64,
    events: Vec<Event>,
}

/// A datagram on its way: when it arrives, in which order it left, from, to, and its bytes.
type Flight = (Instant, u64, Endpoint, Endpoint, Vec<u8>);

/// Nodes and datagrams on their way.
pub struct World {
    pub members: Vec<Member>,
    /// All datagrams that nodes have sent.
    pub datagrams: u64,
    /// Of 1,000 datagrams so many are lost.
    pub loss: u64,
    /// Of 1,000 datagrams so many arrive twice.
    pub doubled: u64,
    /// A datagram takes up to so much longer than [`DELAY`].
    pub jitter: Duration,
    /// Leave out the checks after each input, which take long where much is held.
    pub unchecked: bool,
    now: Instant,
    by_place: HashMap<Endpoint, usize>,
    liars: HashMap<Endpoint, Liar>,
    cuts: HashSet<(usize, usize)>,
    flying: BinaryHeap<Reverse<Flight>>,
    order: u64,
    chance: u64,
    outbox: Outbox,
}

impl World {
    /// An empty world; the seed decides what is lost and how long datagrams take.
    pub fn new(seed: u64) -> Self {
        Self {
            members: Vec::new(),
            datagrams: 0,
            loss: 0,
            doubled: 0,
            jitter: Duration::ZERO,
            unchecked: false,
            now: Instant::default(),
            by_place: HashMap::new(),
            liars: HashMap::new(),
            cuts: HashSet::new(),
            flying: BinaryHeap::new(),
            order: 0,
            chance: seed,
            outbox: Outbox::default(),
        }
    }

    /// A network of `count` nodes at private addresses that have all joined through the first.
    pub fn joined(count: usize) -> Self {
        Self::joined_with(count, 1, &Config::default())
    }

    /// Like [`World::joined`], all with this config.
    pub fn joined_with(count: usize, seed: u64, config: &Config) -> Self {
        let mut world = Self::new(seed);
        for index in 0..count {
            world.add(config.clone());
            if index > 0 {
                world.join(index, 0);
            }
            world.run(Duration::from_millis(100));
        }
        world.run(Duration::from_secs(20));
        world
    }

    /// A node at the next private IPv4 address.
    pub fn add(&mut self, config: Config) -> usize {
        let [_, _, high, low] = (self.members.len() as u32).to_be_bytes();
        let place = Endpoint::v4([10, 0, high, low], 8000);
        self.add_at([Some(place), None], config)
    }

    /// A node at these addresses.
    pub fn add_at(&mut self, places: [Option<Endpoint>; 2], config: Config) -> usize {
        let index = self.members.len();
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(index as u64).to_le_bytes());
        seed[8..16].copy_from_slice(&self.chance.to_le_bytes());
        let now = Now { monotonic: self.now, wall: START + self.now.since(Instant::default()) };
        let kv = Kv::new(config, seed, now);
        self.by_place.extend(places.iter().flatten().map(|place| (*place, index)));
        let events = Vec::new();
        let member = Member { kv, places, down: false, foreign: false, wall_ahead_ms: 0, events };
        self.members.push(member);
        index
    }

    /// Lets a node join through another.
    pub fn join(&mut self, node: usize, door: usize) {
        let doors = self.members[door].places.into_iter().flatten().collect();
        self.request(node, Request::Join(doors));
    }

    /// The time at a node, by its own clock.
    pub fn now_at(&self, node: usize) -> Now {
        let ahead = self.members[node].wall_ahead_ms;
        let wall = UnixMillis(self.wall().0.saturating_add_signed(ahead));
        Now { monotonic: self.now, wall }
    }

    /// The true time.
    pub fn wall(&self) -> UnixMillis {
        START + self.now.since(Instant::default())
    }

    /// From now on nothing passes between the two.
    pub fn cut(&mut self, one: usize, other: usize) {
        self.cuts.extend([(one, other), (other, one)]);
    }

    /// From now on nothing passes between these and all others.
    pub fn cut_off(&mut self, group: &[usize]) {
        for other in (0..self.members.len()).filter(|other| !group.contains(other)) {
            group.iter().for_each(|member| self.cut(*member, other));
        }
    }

    /// The nodes that are up.
    pub fn living(&self) -> Vec<usize> {
        (0..self.members.len()).filter(|index| !self.members[*index].down).collect()
    }

    /// Undoes all cuts.
    pub fn heal(&mut self) {
        self.cuts.clear();
    }

    /// Lets a node say that it is not there any more.
    pub fn say_goodbye(&mut self, node: usize) {
        let now = self.now_at(node);
        self.members[node].kv.say_goodbye(now, &mut self.outbox);
        self.drain(node);
    }

    /// Takes these nodes down.
    pub fn down(&mut self, nodes: &[usize]) {
        nodes.iter().for_each(|node| self.members[*node].down = true);
    }

    /// Brings these nodes back as they were.
    pub fn up(&mut self, nodes: &[usize]) {
        nodes.iter().for_each(|node| self.members[*node].down = false);
    }

    /// A number that the seed decides.
    pub fn draw(&mut self) -> u64 {
        // SplitMix64.
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Starts a request.
    pub fn request(&mut self, node: usize, request: Request) -> RequestId {
        let now = self.now_at(node);
        let id = self.members[node].kv.request(now, request, &mut self.outbox);
        self.drain(node);
        id
    }

    /// Lets time pass.
    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step(end) {}
        self.now = end;
    }

    /// Runs until a request is done.
    pub fn finish(&mut self, node: usize, id: RequestId) -> Done {
        let limit = self.now + Duration::from_secs(120);
        loop {
            if let Some(done) = self.take_done(node, id) {
                return done;
            }
            assert!(self.step(limit), "{id:?} of node {node} was never done");
        }
    }

    /// The end of a request, if it has come.
    pub fn take_done(&mut self, node: usize, id: RequestId) -> Option<Done> {
        let events = &mut self.members[node].events;
        let ends = |event: &Event| matches!(event, Event::Done(done, _) if *done == id);
        let place = events.iter().position(ends)?;
        match events.remove(place) {
            Event::Done(_, done) => Some(done),
            _ => None,
        }
    }

    /// What a node has told and nobody has taken yet.
    pub fn events(&self, node: usize) -> &[Event] {
        &self.members[node].events
    }

    fn drain(&mut self, node: usize) {
        let datagrams: Vec<_> =
            self.outbox.datagrams().map(|(to, bytes)| (to, bytes.to_vec())).collect();
        self.outbox.clear();
        for (to, bytes) in datagrams {
            self.datagrams += 1;
            let Some(from) = self.members[node].places[to.family() as usize] else { continue };
            let reached = self.by_place.get(&to);
            let cut = reached.is_some_and(|other| self.cuts.contains(&(node, *other)));
            if !cut {
                self.fly(from, to, bytes);
            }
        }
        let member = &mut self.members[node];
        while let Some(event) = member.kv.next_event() {
            member.events.push(event);
        }
        if !self.unchecked {
            member.kv.node().check_invariant();
        }
    }

    /// Sends a datagram on its way, if it is not lost.
    pub fn fly(&mut self, from: Endpoint, to: Endpoint, bytes: Vec<u8>) {
        let chance = self.draw();
        if chance % 1000 < self.loss {
            return;
        }
        if (chance >> 10) % 1000 < self.doubled {
            let chance = self.draw();
            self.depart(from, to, bytes.clone(), chance);
        }
        self.depart(from, to, bytes, chance);
    }

    fn depart(&mut self, from: Endpoint, to: Endpoint, bytes: Vec<u8>, chance: u64) {
        self.order += 1;
        let spread = self.jitter.as_micros() as u64 + 1;
        let at = self.now + DELAY + Duration::from_micros((chance >> 16) % spread);
        self.flying.push(Reverse((at, self.order, from, to, bytes)));
    }

    fn step(&mut self, end: Instant) -> bool {
        let arrival = self.flying.peek().map(|Reverse((at, ..))| *at);
        let living = self.members.iter_mut().enumerate().filter(|(_, member)| !member.down);
        let due = living.filter_map(|(index, m)| Some((m.kv.deadline()?, index))).min();
        match (arrival, due) {
            (Some(at), due) if at <= end && due.is_none_or(|(other, _)| at <= other) => {
                self.now = self.now.max(at);
                let Some(Reverse((_, _, from, to, bytes))) = self.flying.pop() else {
                    return false;
                };
                self.liar_hears(to, from, &bytes);
                let reached = self.by_place.get(&to).copied();
                if let Some(index) = reached.filter(|index| !self.members[*index].down) {
                    let now = self.now_at(index);
                    let bytes = watching::as_understood(&bytes, self.members[index].foreign);
                    self.members[index].kv.datagram(now, from, &bytes, &mut self.outbox);
                    self.drain(index);
                }
            }
            (_, Some((at, index))) if at <= end => {
                self.now = self.now.max(at);
                let now = self.now_at(index);
                self.members[index].kv.tick(now, &mut self.outbox);
                self.drain(index);
            }
            _ => return false,
        }
        true
    }

    /// The address of a node in the family in which it was added first.
    pub fn place(&self, node: usize) -> Endpoint {
        let [v4, v6] = self.members[node].places;
        v4.or(v6).expect("every member has an address")
    }

    /// How many contacts a node knows in a family.
    pub fn contacts(&self, node: usize, family: Family) -> usize {
        self.members[node].kv.node().table(family).len()
    }
}
