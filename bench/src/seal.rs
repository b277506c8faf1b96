//! What does a network's seal cost? One node without sockets answers the same queries with and without a key, in turn,
//! in this thread; its CPU time is all that is counted.
//!
//! The datagrams are sealed here with the AEAD's own crate, which also shows that the format is the standard one.

use std::time::Duration;

use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305, XNonce};
use nix::time::{ClockId, clock_gettime};
use node::{
    Command, Config, Destination, Instant, Mainline, NetworkKey, Node, Now, Outbox, UnixMillis,
    Written,
};
use sha2::{Digest, Sha256};
use wire::{Endpoint, Item};

use crate::args::Args;
use crate::failure::Failure;
use crate::krpc::{self, Argument};
use crate::quantiles::median;
use crate::table::{Table, mark};

/// Answers in one sample.
const ANSWERS: usize = 20_000;
/// Answers before the outbox is emptied, as a driver does after a batch.
const BATCH: usize = 64;
/// Enough that each reply can name eight contacts.
const NEIGHBOURS: u8 = 24;
/// Bytes of the value that is asked for.
const VALUE: usize = 200;
/// What a seal may cost for each datagram, in microseconds.
const LIMIT_US: f64 = 1.0;
/// A secret as good as any.
const SECRET: [u8; 32] = [0x5e; 32];
/// The wall clock of the measurement, in milliseconds since 1970.
const WALL_MS: u64 = 1_800_000_000_000;

/// A node and what is needed to speak with it.
struct Subject {
    node: Node<Mainline>,
    outbox: Outbox,
    seal: Option<Seal>,
    now: Now,
    target: [u8; 20],
}

/// The asker's side of a seal.
struct Seal {
    cipher: XChaCha20Poly1305,
    number: u64,
}

/// One kind of datagram: what it costs without a seal and with one.
struct Row {
    name: &'static str,
    /// Bytes of a query and of its answer, unsealed.
    bytes: [usize; 2],
    plain_us: f64,
    sealed_us: f64,
}

/// The command `seal`.
pub fn run(mut args: Args) -> Result<(), Failure> {
    let rounds: usize = args.value("--rounds")?.unwrap_or(15).max(1);
    args.finish()?;
    let mut subjects = [Subject::new(None), Subject::new(Some(Seal::new()))];
    for subject in &mut subjects {
        subject.acquaint();
    }
    let rows = ["ping", "get"].map(|name| measure(&mut subjects, name, rounds));
    let [_, sealed] = &mut subjects;
    let strangers = median((0..rounds).map(|_| sealed.turn_away()));
    print!("{}", text(&rows, strangers, rounds));
    Ok(())
}

fn measure(subjects: &mut [Subject; 2], name: &'static str, rounds: usize) -> Row {
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (subject, samples) in subjects.iter_mut().zip(&mut samples) {
            let queries = (0..ANSWERS as u32).map(|tid| subject.query(name, tid)).collect();
            samples.push(subject.answer(queries));
        }
    }
    let [plain, _] = subjects;
    let query = plain.query(name, 1);
    plain.node.datagram(plain.now, asker(), &query, &mut plain.outbox);
    let answer = plain.outbox.datagrams().map(|(_, bytes)| bytes.len()).next().unwrap_or(0);
    plain.outbox.clear();
    let [plain_us, sealed_us] = samples.map(median);
    Row { name, bytes: [query.len(), answer], plain_us, sealed_us }
}

impl Subject {
    fn new(seal: Option<Seal>) -> Self {
        let now =
            Now { monotonic: Instant::from_micros(1_000_000), wall: UnixMillis(WALL_MS - 1000) };
        let network_key = seal.is_some().then(|| NetworkKey::from_secret(SECRET));
        let mut node =
            Node::new(Config { network_key, ..Config::default() }, Mainline, [1; 32], now);
        let value = wire::item::byte_string(&[b'v'; VALUE]);
        let item = Item::immutable(&value).expect("200 bytes are allowed");
        let mut outbox = Outbox::default();
        let (written, cas) = (Written::Item { item: item.clone(), lease: None }, None);
        let to = vec![Destination::OwnShelf { cas }];
        node.command(now, Command::Write { written, to }, &mut outbox);
        let target = *item.target().as_bytes();
        let now =
            Now { monotonic: now.monotonic + Duration::from_secs(1), wall: UnixMillis(WALL_MS) };
        Self { node, outbox, seal, now, target }
    }

    /// Fills the routing table, so that answers name contacts.
    fn acquaint(&mut self) {
        for host in 1..=NEIGHBOURS {
            let at = Endpoint::v4([127, 0, 0, host], 7000);
            self.node.command(self.now, Command::Ping(at), &mut self.outbox);
            let asked = self.outbox.datagrams().next().map(|(_, bytes)| self.opened(bytes));
            self.outbox.clear();
            let asked = asked.unwrap_or_default();
            let tid = krpc::read(&asked).map(|message| message.tid).unwrap_or_default();
            let mut reply = b"d1:rd2:id20:".to_vec();
            reply.extend([host.wrapping_mul(37); 20]);
            reply.extend(b"e1:t4:");
            reply.extend(tid);
            reply.extend(b"1:y1:re");
            let reply = self.sealed(reply);
            self.node.datagram(self.now, at, &reply, &mut self.outbox);
            self.outbox.clear();
        }
    }

    fn query(&mut self, name: &str, tid: u32) -> Vec<u8> {
        let id = ("id", Argument::Bytes(b"abcdefghij0123456789"));
        let mut query = match name {
            "get" => krpc::query(name, &[id, ("target", Argument::Bytes(&self.target))]),
            _ => krpc::query(name, &[id]),
        };
        krpc::stamp(&mut query, tid.to_be_bytes());
        self.sealed(query)
    }

    /// CPU time for each answer, in microseconds.
    fn answer(&mut self, queries: Vec<Vec<u8>>) -> f64 {
        let before = self.answered();
        let started = cpu_time();
        self.hear(&queries);
        let spent = cpu_time() - started;
        assert_eq!(self.answered() - before, ANSWERS as u64, "each was answered");
        spent.as_secs_f64() * 1e6 / ANSWERS as f64
    }

    fn answered(&self) -> u64 {
        self.node.counters().answered.iter().sum()
    }

    /// CPU time for each datagram of a stranger, in microseconds.
    fn turn_away(&mut self) -> f64 {
        let junk: Vec<Vec<u8>> = (0..ANSWERS as u64)
            .map(|number| {
                let mut junk = self.query("get", 1);
                // Another sender each time, as who wants to cost most would do.
                junk[..8]
                    .copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
                junk
            })
            .collect();
        let started = cpu_time();
        self.hear(&junk);
        (cpu_time() - started).as_secs_f64() * 1e6 / ANSWERS as f64
    }

    fn hear(&mut self, datagrams: &[Vec<u8>]) {
        for batch in datagrams.chunks(BATCH) {
            for datagram in batch {
                self.node.datagram(self.now, asker(), datagram, &mut self.outbox);
            }
            self.outbox.clear();
        }
    }

    fn sealed(&mut self, plain: Vec<u8>) -> Vec<u8> {
        match &mut self.seal {
            Some(seal) => seal.seal(plain),
            None => plain,
        }
    }

    fn opened(&self, datagram: &[u8]) -> Vec<u8> {
        match &self.seal {
            Some(seal) => seal.open(datagram),
            None => datagram.to_vec(),
        }
    }
}

impl Seal {
    fn new() -> Self {
        let mut hash = Sha256::new();
        hash.update(b"xorbit sealed network v1\0");
        hash.update(SECRET);
        hash.update(Config::default().network.tag().map_or([0; 4], |tag| tag.0));
        let cipher = XChaCha20Poly1305::new(&hash.finalize());
        Self { cipher, number: WALL_MS * 1000 }
    }

    fn seal(&mut self, mut body: Vec<u8>) -> Vec<u8> {
        self.number += 1;
        let mut nonce = XNonce::from([0xa5; 24]);
        nonce[16..].copy_from_slice(&self.number.to_be_bytes());
        let tag = self.cipher.encrypt_inout_detached(&nonce, b"", body.as_mut_slice().into());
        let tag = tag.expect("a short datagram");
        [&nonce[..], &body, &tag].concat()
    }

    /// The content; nothing if it does not open.
    fn open(&self, datagram: &[u8]) -> Vec<u8> {
        let (nonce, rest) = datagram.split_at(24);
        let (body, tag) = rest.split_at(rest.len() - 16);
        let (mut body, mut whole, mut end) =
            (body.to_vec(), XNonce::default(), chacha20poly1305::Tag::default());
        whole.copy_from_slice(nonce);
        end.copy_from_slice(tag);
        let opened =
            self.cipher.decrypt_inout_detached(&whole, b"", body.as_mut_slice().into(), &end);
        opened.map(|()| body).unwrap_or_default()
    }
}

fn asker() -> Endpoint {
    Endpoint::v4([127, 0, 0, 200], 9000)
}

fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

fn text(rows: &[Row], strangers: f64, rounds: usize) -> String {
    let headings =
        ["query", "bytes in", "bytes out", "plain µs", "sealed µs", "µs/datagram", "mark"];
    let mut table = Table::new(1, &headings);
    for row in rows {
        // A query is opened, its answer sealed: two datagrams.
        let each = (row.sealed_us - row.plain_us) / 2.0;
        let numbers = [row.plain_us, row.sealed_us, each].map(|us| format!("{us:.2}"));
        let [query, answer] = row.bytes.map(|bytes| bytes.to_string());
        let mut cells = vec![row.name.to_owned(), query, answer];
        cells.extend(numbers);
        cells.push(mark(each, LIMIT_US));
        table.row(cells);
    }
    format!(
        "{}\nMedians of {rounds} rounds of {ANSWERS} answers, CPU of one thread, no sockets; a seal adds 40 bytes.\n\
         A stranger's `get` that does not open costs {strangers:.2} µs.\n",
        table.text()
    )
}
