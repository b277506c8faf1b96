//! Somebody who has the key and speaks with one node under virtual time: seals and opens by the
//! AEAD's own crate, as the format is written down.

use std::time::Duration;

use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use node::{
    Changes, Command, Config, Counters, Destination, Drop, Event, Instant, Mainline, NetworkKey,
    Node, Now, OperationId, Outbox, UnixMillis, Written,
};
use sha2::{Digest, Sha256};
use wire::{Endpoint, Item, Message};

/// The secret of the network.
pub const SECRET: [u8; 32] = [0x4b; 32];

/// When all begins, in milliseconds since 1970.
pub const START_MS: u64 = 1_700_000_000_000;

/// An address of a private network.
pub fn at(host: u8) -> Endpoint {
    Endpoint::v4([10, 2, 0, host], 6881)
}

/// A node of the sealed network.
pub fn sealed() -> Config {
    sealed_with(SECRET)
}

/// A node of a sealed network with another secret.
pub fn sealed_with(secret: [u8; 32]) -> Config {
    Config { network_key: Some(NetworkKey::from_secret(secret)), ..Config::default() }
}

/// Seals and opens under a secret, as another implementation would.
pub struct Seal(XChaCha20Poly1305);

/// The key of the AEAD.
pub fn key(secret: [u8; 32]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"xorbit sealed network v1\0");
    hash.update(secret);
    hash.update(Config::default().network.tag().expect("a network of its own has a tag").0);
    hash.finalize().into()
}

impl Seal {
    pub fn new(secret: [u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(&key(secret).into()))
    }

    pub fn seal(&self, sender: [u8; 16], number: u64, plain: &[u8]) -> Vec<u8> {
        let nonce = [&sender[..], &number.to_be_bytes()].concat();
        let whole = XNonce::try_from(&nonce[..]).expect("24 bytes");
        let mut body = plain.to_vec();
        let tag = self.0.encrypt_inout_detached(&whole, b"", body.as_mut_slice().into());
        [&nonce[..], &body, &tag.expect("short enough")].concat()
    }

    pub fn open(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = datagram.split_at_checked(24)?;
        let (body, tag) = rest.split_at_checked(rest.len().checked_sub(16)?)?;
        let nonce = XNonce::try_from(nonce).ok()?;
        let (mut body, tag) = (body.to_vec(), Tag::try_from(tag).ok()?);
        self.0
            .decrypt_inout_detached(&nonce, b"", body.as_mut_slice().into(), &tag)
            .ok()
            .map(|()| body)
    }
}

/// Another member of the network, of which we know all.
pub struct Insider {
    pub seal: Seal,
    pub sender: [u8; 16],
}

impl Insider {
    pub fn new(name: u8) -> Self {
        Self { seal: Seal::new(SECRET), sender: [name; 16] }
    }

    /// A ping sealed under a number, in microseconds since 1970.
    pub fn ping(&self, number: u64) -> Vec<u8> {
        self.seal.seal(self.sender, number, &ping(self.sender[0]))
    }
}

/// Puts an item onto a node's own shelf.
pub fn hold(item: &Item) -> Command {
    let written = Written::Item { item: item.clone(), lease: None };
    Command::Write { written, to: vec![Destination::OwnShelf { cas: None }] }
}

/// A ping of the node whose id is this byte over and over.
pub fn ping(name: u8) -> Vec<u8> {
    let id = [name; 20];
    [&b"d1:ad2:id20:"[..], &id, b"e1:q4:ping1:t4:aaaa1:y1:qe"].concat()
}

/// The answer to a query, from the node whose id is this byte over and over.
pub fn pong(name: u8, transaction: &[u8]) -> Vec<u8> {
    let id = [name; 20];
    [&b"d1:rd2:id20:"[..], &id, b"e1:t4:", transaction, b"1:y1:re"].concat()
}

/// A sealed node under virtual time.
pub struct Member {
    pub node: Node<Mainline>,
    pub now: Now,
    pub events: Vec<Event>,
    outbox: Outbox,
}

impl Member {
    pub fn new() -> Self {
        Self::started_at(Now {
            monotonic: Instant::from_micros(5_000_000),
            wall: UnixMillis(START_MS),
        })
    }

    pub fn started_at(now: Now) -> Self {
        Self::seeded(3, now)
    }

    pub fn seeded(seed: u8, now: Now) -> Self {
        Self::of(sealed(), seed, now)
    }

    fn of(config: Config, seed: u8, now: Now) -> Self {
        let node = Node::new(config, Mainline, [seed; 32], now);
        Self { node, now, events: Vec::new(), outbox: Outbox::default() }
    }

    /// A node that answers puts once its disk has them.
    pub fn durable() -> Self {
        let now = Self::new().now;
        Self::of(Config { durable: true, ..sealed() }, 3, now)
    }

    /// Its disk has, or has not, what gathered so far. Gives what it sent.
    pub fn disk_did(&mut self, works: bool) -> Vec<(Endpoint, Vec<u8>)> {
        let batch = self.node.changes().take(&mut Changes::default());
        match works {
            true => self.node.stored(self.now, batch, &mut self.outbox),
            false => self.node.not_stored(self.now, batch, &mut self.outbox),
        }
        self.drain()
    }

    /// The same node again after the process was started anew: nothing is kept but its id.
    pub fn restarted(&self) -> Self {
        Self::of(Config { id: Some(self.node.id()), ..sealed() }, 77, self.now)
    }

    /// Its clock, in the unit of numbers.
    pub fn micros(&self) -> u64 {
        self.now.wall.0 * 1000
    }

    /// Hands it a datagram and gives all that it sent.
    pub fn hear(&mut self, from: Endpoint, bytes: &[u8]) -> Vec<(Endpoint, Vec<u8>)> {
        self.node.datagram(self.now, from, bytes, &mut self.outbox);
        self.drain()
    }

    pub fn command(&mut self, command: Command) -> (OperationId, Vec<(Endpoint, Vec<u8>)>) {
        let operation = self.node.command(self.now, command, &mut self.outbox);
        (operation, self.drain())
    }

    /// Sends a ping to `to`; gives the datagram and its transaction id.
    pub fn ask(&mut self, to: Endpoint) -> (OperationId, Vec<u8>, Vec<u8>) {
        let (operation, sent) = self.command(Command::Ping(to));
        let bytes = sent.into_iter().find(|(other, _)| *other == to).expect("a ping").1;
        let transaction = match Message::read(&Seal::new(SECRET).open(&bytes).expect("opens")) {
            Ok(Message::Query(query)) => query.transaction.to_vec(),
            other => panic!("{other:?}"),
        };
        (operation, bytes, transaction)
    }

    /// Whether a datagram is answered.
    pub fn answers(&mut self, from: Endpoint, bytes: &[u8]) -> bool {
        let answers: Vec<_> =
            self.hear(from, bytes).into_iter().filter(|(to, _)| *to == from).collect();
        !answers.is_empty()
    }

    /// Hands it a datagram that must get silence and change nothing but the counters of drops.
    #[track_caller]
    pub fn ignores(&mut self, from: Endpoint, bytes: &[u8], reason: Drop) {
        let before = (self.state(), self.dropped(reason));
        let sent = self.hear(from, bytes);
        assert!(sent.is_empty(), "{} datagrams for {} bytes", sent.len(), bytes.len());
        assert_eq!((self.state(), self.dropped(reason)), (before.0, before.1 + 1));
    }

    /// All that can be seen of it, but for what it received and dropped.
    fn state(&self) -> (Counters, [usize; 6], Option<Endpoint>) {
        let counters = Counters {
            received: 0,
            received_bytes: 0,
            dropped: Default::default(),
            ..*self.node.counters()
        };
        let [v4, v6] = wire::Family::ALL.map(|family| self.node.table(family).len());
        let ((items, bytes), (topics, _)) = (self.node.held_items(), self.node.held_peers());
        let held = [v4, v6, items, bytes, topics, self.events.len()];
        (counters, held, self.node.external(wire::Family::V4))
    }

    /// Lets time pass, by both clocks.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now.monotonic + span;
        while let Some(due) = self.node.deadline().filter(|due| *due <= end) {
            self.pass_to(due);
            self.node.tick(self.now, &mut self.outbox);
            self.drain();
        }
        self.pass_to(end);
    }

    fn pass_to(&mut self, at: Instant) {
        let passed = at.since(self.now.monotonic);
        self.now.monotonic = self.now.monotonic + passed;
        self.now.wall = self.now.wall + passed;
    }

    fn drain(&mut self) -> Vec<(Endpoint, Vec<u8>)> {
        let sent = self.outbox.datagrams().map(|(to, bytes)| (to, bytes.to_vec())).collect();
        self.outbox.clear();
        while let Some(event) = self.node.next_event() {
            self.events.push(event);
        }
        self.node.check_invariant();
        sent
    }

    pub fn dropped(&self, reason: Drop) -> u64 {
        self.node.counters().dropped_for(reason)
    }
}
