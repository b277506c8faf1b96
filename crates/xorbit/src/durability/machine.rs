//! A node on a store, and a client beside it, under virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use kv::{
    Change, Consistency, Done, Event, Expected, GetRequest, Key, Kv, Namespace, PutRequest,
    Request, RequestId,
};
use node::{BatchNumber, Changes, Instant, Now, Outbox, UnixMillis};
use store::{Batch, Store, StoreError};
use wire::Endpoint;

use super::known::{Content, Known};
use crate::persistence::commit;
use crate::restore::take_back;

/// Keys that are written: few, so that writes meet.
const KEYS: u64 = 12;

/// What the clock shows at first.
const START: UnixMillis = UnixMillis(1_700_000_000_000);

/// Chance for the tests' own use: Marsaglia's xorshift of 64 bits.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % end
    }
}

/// What outlives the machine's power: what was sent and acknowledged, and the time.
pub struct History {
    pub chance: Chance,
    pub known: BTreeMap<String, Known>,
    pub now: Now,
    pub acknowledged: usize,
    pub refused: usize,
    sent: u64,
    namespace: Namespace,
}

impl History {
    pub fn new(seed: u64) -> Self {
        Self {
            chance: Chance(seed),
            known: BTreeMap::new(),
            now: Now { monotonic: Instant::default(), wall: START },
            acknowledged: 0,
            refused: 0,
            sent: 0,
            namespace: Namespace::default(),
        }
    }

    /// Lets time pass on both clocks.
    pub fn pass(&mut self, span: Duration) {
        self.now = Now { monotonic: self.now.monotonic + span, wall: self.now.wall + span };
    }
}

/// The two nodes: the one under test and an ephemeral client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Server,
    Client,
}

impl Who {
    fn place(self) -> Endpoint {
        Endpoint::v4([10, 0, 0, if self == Who::Server { 1 } else { 2 }], 8000)
    }
}

/// A machine that runs a node on a store, while its power lasts.
pub struct Machine<'h, S> {
    pub store: S,
    pub history: &'h mut History,
    server: Kv,
    client: Kv,
    outbox: Outbox,
    batch: Batch,
    /// On its way to the disk.
    in_flight: Option<(BatchNumber, Changes)>,
    writes: BTreeMap<(Who, RequestId), (String, Content)>,
    reads: BTreeMap<(Who, RequestId), String>,
}

impl<'h, S: Store> Machine<'h, S> {
    /// Starts a node with what a store holds.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn start(mut store: S, history: &'h mut History) -> Result<Self, (S, StoreError)> {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&history.chance.below(u64::MAX).to_le_bytes());
        let config = kv::Config::default();
        let (server, _) = match take_back(&mut store, config.clone(), seed, history.now) {
            Ok(taken) => taken,
            Err(error) => return Err((store, error)),
        };
        let mut client = config;
        client.node.ephemeral = true;
        // Another seed, or it would be the same node.
        seed[31] = 1;
        let client = Kv::new(client, seed, history.now);
        let (outbox, batch) = (Outbox::default(), Batch::new());
        let (writes, reads) = (BTreeMap::new(), BTreeMap::new());
        let mut machine =
            Self { store, history, server, client, outbox, batch, in_flight: None, writes, reads };
        let join = Request::Join(vec![Who::Server.place()]);
        let now = machine.history.now;
        machine.client.request(now, join, &mut machine.outbox);
        machine.exchange(Who::Client);
        Ok(machine)
    }

    fn kv(&mut self, who: Who) -> &mut Kv {
        match who {
            Who::Server => &mut self.server,
            Who::Client => &mut self.client,
        }
    }

    /// Carries what `from` has sent back and forth until nobody says anything more.
    fn exchange(&mut self, mut from: Who) {
        loop {
            self.hear(from);
            let sent: Vec<_> = self.outbox.datagrams().map(|(_, bytes)| bytes.to_vec()).collect();
            self.outbox.clear();
            if sent.is_empty() {
                return;
            }
            let to = if from == Who::Server { Who::Client } else { Who::Server };
            let (now, mut outbox) = (self.history.now, std::mem::take(&mut self.outbox));
            for bytes in sent {
                self.kv(to).datagram(now, from.place(), &bytes, &mut outbox);
            }
            self.outbox = outbox;
            from = to;
        }
    }

    /// Takes what one of them tells.
    fn hear(&mut self, who: Who) {
        while let Some(event) = self.kv(who).next_event() {
            let Event::Done(id, done) = event else { continue };
            match done {
                Done::Put(result) => {
                    let (key, content) = self.writes.remove(&(who, id)).unwrap();
                    match result {
                        Ok(report) => {
                            self.history.acknowledged += 1;
                            let known = self.history.known.entry(key).or_default();
                            known.acknowledge(report.version.unwrap(), content, report.expires);
                        }
                        Err(_) => self.history.refused += 1,
                    }
                }
                Done::Got(result) => {
                    let key = self.reads.remove(&(who, id)).unwrap();
                    let wall = self.history.now.wall;
                    let known = self.history.known.entry(key.clone()).or_default();
                    known.check(&key, result.as_deref(), wall);
                }
                _ => {}
            }
        }
    }

    fn ask(&mut self, who: Who, request: Request) -> RequestId {
        let (now, mut outbox) = (self.history.now, std::mem::take(&mut self.outbox));
        let id = self.kv(who).request(now, request, &mut outbox);
        self.outbox = outbox;
        id
    }

    /// Lets a millisecond pass, and timers run.
    fn tick(&mut self) {
        self.history.pass(Duration::from_millis(1));
        for who in [Who::Server, Who::Client] {
            let (now, mut outbox) = (self.history.now, std::mem::take(&mut self.outbox));
            if self.kv(who).deadline().is_some_and(|at| at <= now.monotonic) {
                self.kv(who).tick(now, &mut outbox);
            }
            self.outbox = outbox;
            self.exchange(who);
        }
    }

    /// Somebody writes something somewhere.
    pub fn write(&mut self) {
        self.tick();
        let history = &mut *self.history;
        let who = if history.chance.below(3) == 0 { Who::Server } else { Who::Client };
        let key = format!("k{}", history.chance.below(KEYS));
        history.sent += 1;
        let known = history.known.entry(key.clone()).or_default();
        let current = known.acknowledged.as_ref().map(|(version, _)| *version);
        let expected = match (history.chance.below(6), current) {
            (0, Some(version)) => Expected::Version(version),
            (1, _) => Expected::Absent,
            _ => Expected::Anything,
        };
        let content = (history.chance.below(5) > 0).then(|| {
            let length = history.chance.below(300) as usize;
            [history.sent.to_string().as_bytes(), &vec![b'.'; length]].concat()
        });
        let ttl = [Duration::from_secs(60), Duration::from_secs(86_400)];
        let ttl = ttl[history.chance.below(2) as usize];
        known.send(content.clone(), history.now.wall, ttl);
        let change = match &content {
            None => Change::Delete,
            Some(value) => Change::Put {
                value: value.as_slice().into(),
                content_type: None,
                ttl,
                plain: false,
            },
        };
        let namespace = history.namespace.clone();
        let request = PutRequest {
            namespace,
            key: Key::new(key.clone()).unwrap(),
            change,
            expected,
            trace: false,
        };
        let id = self.ask(who, Request::Put(request));
        self.writes.insert((who, id), (key, content));
        self.exchange(who);
    }

    /// Somebody reads a key and holds what comes to what may.
    pub fn read(&mut self, number: u64) {
        self.tick();
        let who = if self.history.chance.below(2) == 0 { Who::Server } else { Who::Client };
        let key = format!("k{number}");
        let request = GetRequest {
            namespace: self.history.namespace.clone(),
            key: Key::new(key.clone()).unwrap(),
            consistency: Consistency::Quorum,
            trace: false,
        };
        let id = self.ask(who, Request::Get(request));
        self.reads.insert((who, id), key);
        self.exchange(who);
        for _ in 0..100 {
            if !self.reads.contains_key(&(who, id)) {
                return;
            }
            self.tick();
        }
        panic!("a read waits for ever");
    }

    /// Reads all keys.
    pub fn check(&mut self) {
        (0..KEYS).for_each(|number| self.read(number));
        self.server.node().check_invariant();
    }

    /// Hands over what has gathered, if nothing is on its way.
    pub fn hand_over(&mut self) {
        if self.in_flight.is_none() && !self.server.changes().is_empty() {
            let mut changes = Changes::default();
            let number = self.server.changes().take(&mut changes);
            self.in_flight = Some((number, changes));
        }
    }

    /// Lets the disk do what is on its way. If it fails nobody hears of it yet.
    ///
    /// # Errors
    /// As the store says.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        let Some((_, changes)) = &self.in_flight else { return Ok(()) };
        commit(&mut self.store, &mut self.batch, changes)
    }

    /// Tells the node what became of what was on its way.
    pub fn committed(&mut self, works: bool) {
        let Some((number, _)) = self.in_flight.take() else { return };
        let (now, mut outbox) = (self.history.now, std::mem::take(&mut self.outbox));
        if works {
            self.server.stored(now, number, &mut outbox);
        } else {
            self.server.not_stored(now, number, &mut outbox);
        }
        self.outbox = outbox;
        self.exchange(Who::Server);
    }

    /// The next thing that happens. What a disk refuses is told to the node.
    ///
    /// # Errors
    /// As the store says, after the node has heard of it.
    pub fn step(&mut self) -> Result<(), StoreError> {
        match self.history.chance.below(10) {
            0..5 => self.write(),
            5 => {
                let number = self.history.chance.below(KEYS);
                self.read(number);
            }
            6 | 7 => self.hand_over(),
            _ => {
                let outcome = self.commit();
                self.committed(outcome.is_ok());
                return outcome;
            }
        }
        Ok(())
    }
}
