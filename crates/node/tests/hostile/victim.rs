//! One node under virtual time, to which strangers send what they like.

use std::time::Duration;

use node::{
    BatchNumber, Command, Config, Counters, Drop, Event, Instant, LookupResult, Mainline, Network,
    Node, Now, OperationId, Outbox, Question, UnixMillis, Until,
};
use wire::{Endpoint, Family, Message, NodeId, Point};

use super::bencoded::{Answer, Dictionary, query_of, reply_of};

/// A datagram that the node sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Instant,
    pub to: Endpoint,
    pub bytes: Vec<u8>,
}

impl Sent {
    /// The transaction id and method, if it is a query.
    pub fn query(&self) -> Option<(Vec<u8>, &'static str)> {
        match Message::read(&self.bytes) {
            Ok(Message::Query(query)) => Some((query.transaction.to_vec(), query.query.method())),
            _ => None,
        }
    }
}

/// The node that strangers write to.
pub struct Victim {
    pub node: Node<Mainline>,
    pub now: Now,
    pub events: Vec<Event>,
    /// All that it sent and nobody has taken yet.
    pub sent: Vec<Sent>,
    outbox: Outbox,
}

impl Victim {
    /// A node of a network of its own.
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    /// A node of Mainline that has found out that it can be reached.
    pub fn public() -> Self {
        let mut victim = Self::with(Config { network: Network::Public, ..Config::default() });
        for network in 1..=4_u8 {
            victim.acquaint([network + 20; 20], Endpoint::v4([80 + network, 1, 1, 1], 6881));
        }
        let own = victim.node.external(Family::V4).expect("four networks agree");
        let probe = victim.sent.iter().find(|sent| sent.to == own).cloned();
        let probe = probe.expect("it tries to reach itself");
        victim.hear(own, &probe.bytes);
        assert!(!victim.node.is_read_only());
        victim.sent.clear();
        victim
    }

    pub fn with(config: Config) -> Self {
        let start = Instant::default() + Duration::from_secs(1000);
        let now = Now { monotonic: start, wall: UnixMillis(1_700_000_000_000) };
        Self {
            node: Node::new(config, Mainline, [9; 32], now),
            now,
            events: Vec::new(),
            sent: Vec::new(),
            outbox: Outbox::default(),
        }
    }

    /// Hands it a datagram. Gives what it sent at once.
    pub fn hear(&mut self, from: Endpoint, bytes: &[u8]) -> Vec<Sent> {
        self.node.datagram(self.now, from, bytes, &mut self.outbox);
        self.drain()
    }

    /// Hands it a query and gives the answer, which also must not be missing.
    pub fn ask(&mut self, from: Endpoint, bytes: &[u8]) -> Answer {
        Answer::read(&self.ask_raw(from, bytes).expect("an answer"))
    }

    /// Hands it a query and gives the datagram with the answer, if there is one.
    pub fn ask_raw(&mut self, from: Endpoint, bytes: &[u8]) -> Option<Vec<u8>> {
        let sent = self.hear(from, bytes);
        let mut answers = sent.into_iter().filter(|sent| sent.to == from && sent.query().is_none());
        let answer = answers.next().map(|sent| sent.bytes);
        assert!(answers.next().is_none(), "one query, one answer");
        answer
    }

    pub fn command(&mut self, command: Command) -> OperationId {
        let operation = self.node.command(self.now, command, &mut self.outbox);
        self.drain();
        operation
    }

    /// The disk has this batch. Gives what it sent.
    pub fn stored(&mut self, batch: BatchNumber) -> Vec<Sent> {
        self.node.stored(self.now, batch, &mut self.outbox);
        self.drain()
    }

    /// The disk did not take this batch. Gives what it sent.
    pub fn not_stored(&mut self, batch: BatchNumber) -> Vec<Sent> {
        self.node.not_stored(self.now, batch, &mut self.outbox);
        self.drain()
    }

    /// Starts a lookup.
    pub fn look(&mut self, question: Question) -> OperationId {
        self.command(Command::Lookup {
            question,
            width: 8,
            until: Until::Converged,
            trace: true,
            seeds: Vec::new(),
        })
    }

    /// Lets time pass; ticks as asked for.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now.monotonic + span;
        while let Some(due) = self.node.deadline().filter(|due| *due <= end) {
            self.pass_to(due);
            self.node.tick(self.now, &mut self.outbox);
            self.drain();
        }
        self.pass_to(end);
    }

    /// Stands still for so long, as a machine that sleeps, and looks at its clock then.
    pub fn stand_still(&mut self, span: Duration) {
        self.pass_to(self.now.monotonic + span);
        self.node.tick(self.now, &mut self.outbox);
        self.drain();
    }

    fn pass_to(&mut self, at: Instant) {
        let passed = at.since(self.now.monotonic);
        self.now.monotonic = self.now.monotonic + passed;
        self.now.wall = self.now.wall + passed;
    }

    fn drain(&mut self) -> Vec<Sent> {
        let at = self.now.monotonic;
        let sent = self.outbox.datagrams().map(|(to, bytes)| Sent { at, to, bytes: bytes.into() });
        let sent: Vec<Sent> = sent.collect();
        self.outbox.clear();
        self.sent.extend(sent.iter().cloned());
        while let Some(event) = self.node.next_event() {
            self.events.push(event);
        }
        self.node.check_invariant();
        sent
    }

    /// Takes the queries that it sent to an address.
    pub fn queries_to(&mut self, to: Endpoint) -> Vec<(Vec<u8>, &'static str)> {
        let (taken, kept) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|sent| sent.to == to && sent.query().is_some());
        self.sent = kept;
        let taken: Vec<Sent> = taken;
        taken.iter().filter_map(Sent::query).collect()
    }

    /// Takes all queries that it sent, with their destinations.
    pub fn queries(&mut self) -> Vec<(Endpoint, Vec<u8>, &'static str)> {
        let sent = std::mem::take(&mut self.sent);
        sent.iter().filter_map(|s| s.query().map(|(t, method)| (s.to, t, method))).collect()
    }

    /// Introduces a contact by a ping, and answers the node's own ping to it.
    pub fn acquaint(&mut self, id: [u8; 20], at: Endpoint) {
        self.acquaint_in(id, at, None);
    }

    /// Introduces a contact of the network with this tag.
    pub fn acquaint_in(&mut self, id: [u8; 20], at: Endpoint, tag: Option<[u8; 4]>) {
        let tagged = |message: Vec<u8>| match tag {
            Some(tag) => with_tag(&message, &tag),
            None => message,
        };
        if self.node.is_read_only() {
            self.command(Command::Ping(at));
        } else {
            self.hear(at, &tagged(query_of(&id, "ping", &Dictionary::new(), b"aa")));
        }
        for (transaction, _) in self.queries_to(at) {
            let seen = Endpoint::v4([203, 0, 113, 5], 7000);
            let mut compact = seen.ip_bytes().to_vec();
            compact.extend(seen.port().to_be_bytes());
            let reply =
                with_entry(&reply_of(&id, &Dictionary::new(), &transaction), "ip", &compact);
            self.hear(at, &tagged(reply));
        }
        // Not more than some contacts a second are worth a ping.
        self.pass(Duration::from_millis(25));
    }

    pub fn dropped(&self, reason: Drop) -> u64 {
        self.node.counters().dropped_for(reason)
    }

    pub fn counters(&self) -> Counters {
        *self.node.counters()
    }

    /// Whether its tables hold this id.
    pub fn knows(&self, id: [u8; 20]) -> bool {
        Family::ALL.iter().any(|family| self.node.table(*family).get(&NodeId::new(id)).is_some())
    }

    /// The result of a lookup that has ended.
    pub fn result(&self, operation: OperationId) -> Option<&LookupResult> {
        self.events.iter().find_map(|event| match event {
            Event::LookedUp(of, result) if *of == operation => Some(&**result),
            _ => None,
        })
    }
}

/// A message with one more string in its outer dictionary.
pub fn with_entry(message: &[u8], key: &str, value: &[u8]) -> Vec<u8> {
    let entries = super::bencoded::entries(message);
    let all = entries.iter().fold(Dictionary::new(), |all, (key, value)| all.raw(key, value));
    all.string(key, value).encode()
}

/// A message with the tag of a network.
pub fn with_tag(message: &[u8], tag: &[u8; 4]) -> Vec<u8> {
    with_entry(message, "xn", tag)
}

/// The tag of the network that nodes belong to by default.
pub fn own_tag() -> [u8; 4] {
    Config::default().network.tag().expect("a network of its own has a tag").0
}

/// An address of a private network.
pub fn private(host: u16) -> Endpoint {
    let [high, low] = host.to_be_bytes();
    Endpoint::v4([10, 1, high, low], 6881)
}

/// An address of a private network in IPv6.
pub fn private_v6(host: u16) -> Endpoint {
    let mut ip = [0; 16];
    ip[0] = 0xfd;
    ip[14..].copy_from_slice(&host.to_be_bytes());
    Endpoint::v6(ip, 6881)
}

/// An address in the internet; each host in a network of its own.
pub fn global(host: u16) -> Endpoint {
    let [high, low] = host.to_be_bytes();
    Endpoint::v4([60 + (high & 0x3f), low, 1, 1], 6881)
}

/// An id that begins with these bytes.
pub fn id(first: u8, second: u8) -> [u8; 20] {
    let mut id = [0x5a; 20];
    (id[0], id[1]) = (first, second);
    id
}

/// A lookup's way and nothing else.
pub fn way_to(byte: u8) -> Question {
    Question::Nodes(Point::new([byte; 20]))
}

/// Bytes that look random and are the same each time.
pub struct Chance(pub u64);

impl Chance {
    pub fn draw(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.draw() % bound.max(1) as u64) as usize
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.draw() as u8).collect()
    }
}
