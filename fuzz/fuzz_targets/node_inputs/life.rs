//! The store's life: its clocks, its datagrams, its requests, and what must hold after each input.

use std::collections::HashSet;
use std::time::Duration;

use kv::{
    Change, Config, Consistency, Done, Event, Expected, GetRequest, ItemPutRequest, ItemSigning,
    Key, Kv, MembersRequest, Namespace, PutRequest, Request, RequestId, SetChange, SetRequest,
    Version, WriteReport,
};
use node::{Instant, Network, Now, Outbox, ShelfLimits, UnixMillis};
use wire::item::byte_string;
use wire::limits::{PLAIN_REPLY_BYTES, VALUE_REPLY_BYTES};
use wire::{Cursor, Endpoint, InfoHash, Message, Point, Seq, Signer, Target};

use super::choices::Choices;

/// A query of the store that waits for an answer.
#[derive(Clone)]
pub struct Asked {
    pub to: Endpoint,
    pub transaction: Vec<u8>,
    pub datagram: Vec<u8>,
}

pub struct Life {
    pub kv: Kv,
    pub asked: Vec<Asked>,
    /// What it answered last.
    pub answers: Vec<Vec<u8>>,
    /// The last token that it gave, which strangers may show again.
    pub token: Vec<u8>,
    pub versions: Vec<Version>,
    now: Now,
    outbox: Outbox,
    waiting: HashSet<RequestId>,
}

impl Life {
    pub fn new(choices: &mut Choices<'_>) -> Self {
        let kind = choices.byte();
        let node = node::Config {
            network_key: None,
            network: if kind & 1 == 0 { Network::named("fuzz") } else { Network::Public },
            id: None,
            ephemeral: kind & 6 == 6,
            shelf: if kind & 8 == 0 {
                ShelfLimits::default()
            } else {
                ShelfLimits { items: 4, bytes: 2_000, ..ShelfLimits::default() }
            },
            cap_bytes_per_s: (kind & 48 == 48).then_some(5_000),
            durable: false,
        };
        let replicas = usize::from(kind >> 6) * 6 + 2;
        let monotonic = Instant::default() + Duration::from_secs(1000);
        let now = Now { monotonic, wall: UnixMillis(1_700_000_000_000) };
        Self {
            kv: Kv::new(Config { node, replicas }, [kind; 32], now),
            asked: Vec::new(),
            answers: Vec::new(),
            token: Vec::new(),
            versions: Vec::new(),
            now,
            outbox: Outbox::default(),
            waiting: HashSet::new(),
        }
    }

    pub fn hear(&mut self, from: Endpoint, datagram: &[u8]) {
        self.kv.datagram(self.now, from, datagram, &mut self.outbox);
        self.check();
    }

    pub fn raw_datagram(&mut self, choices: &mut Choices<'_>) {
        let from = choices.endpoint();
        let datagram = choices.bytes(2100);
        self.hear(from, datagram);
    }

    /// Lets time pass, and sometimes sets the wall clock.
    pub fn pass(&mut self, choices: &mut Choices<'_>) {
        let span = match choices.byte() {
            span @ 0..128 => Duration::from_millis(u64::from(span) * 20),
            span @ 128..224 => Duration::from_secs(u64::from(span - 127) * 5),
            span => Duration::from_secs(u64::from(span - 223) * 3600),
        };
        if choices.seldom(16) {
            self.now.wall = UnixMillis(choices.number());
        }
        if choices.seldom(128) {
            // A driver may also be late and tick once.
            self.advance(span);
            self.tick();
        } else {
            self.tick_until(self.now.monotonic + span, 200);
        }
    }

    fn advance(&mut self, span: Duration) {
        self.now.monotonic = self.now.monotonic + span;
        self.now.wall = self.now.wall + span;
    }

    fn tick(&mut self) {
        self.kv.tick(self.now, &mut self.outbox);
        self.check();
    }

    /// Ticks when asked to, at most so often.
    fn tick_until(&mut self, end: Instant, most: usize) {
        for _ in 0..most {
            let Some(due) = self.kv.deadline().filter(|due| *due <= end) else { break };
            self.advance(due.since(self.now.monotonic));
            self.tick();
        }
        self.advance(end.since(self.now.monotonic));
    }

    pub fn request(&mut self, choices: &mut Choices<'_>) {
        // Few enough that all can end in the time that is waited for them.
        if self.waiting.len() >= 24 {
            return;
        }
        let request = self.choose_request(choices);
        let join = matches!(request, Request::Join(_));
        let id = self.kv.request(self.now, request, &mut self.outbox);
        if !join {
            assert!(self.waiting.insert(id), "a request's id comes once");
        }
        self.check();
    }

    fn choose_request(&mut self, choices: &mut Choices<'_>) -> Request {
        let point = choices.id();
        match choices.byte() % 13 {
            0 | 1 => Request::Join(vec![choices.endpoint()]),
            2..=4 => Request::Put(self.choose_put(choices)),
            5 | 6 => Request::Get(GetRequest {
                namespace: Namespace::default(),
                key: key(choices),
                consistency: [Consistency::First, Consistency::Quorum, Consistency::All]
                    [choices.below(3)],
                trace: choices.seldom(128),
            }),
            7 => Request::ItemPut(ItemPutRequest {
                value: match choices.seldom(200) {
                    true => byte_string(choices.bytes(1000)).into(),
                    false => choices.bytes(1100).into(),
                },
                signed: choices.seldom(128).then(|| ItemSigning {
                    signer: Signer::from_seed(&[choices.byte() & 1; 32]),
                    salt: choices.bytes(70).into(),
                    seq: Seq::new(choices.number() as i64),
                    cas: Seq::new(choices.number() as i64),
                }),
            }),
            8 => Request::ItemGet { target: Target::new(point), salt: choices.bytes(70).into() },
            9 => Request::Announce {
                info_hash: InfoHash::new(point),
                port: choices.seldom(128).then_some(9),
                seed: choices.seldom(128),
            },
            10 => Request::Peers { info_hash: InfoHash::new(point), scrape: choices.seldom(128) },
            11 => self.choose_of_set(choices),
            _ => match choices.below(3) {
                0 => Request::Lookup(Point::new(point)),
                1 => Request::Ping(choices.endpoint()),
                _ => Request::Sample { to: choices.endpoint(), target: Point::new(point) },
            },
        }
    }

    fn choose_of_set(&mut self, choices: &mut Choices<'_>) -> Request {
        let (namespace, key) = (Namespace::default(), key(choices));
        if choices.seldom(128) {
            let after = choices.seldom(64).then(|| Cursor::new(choices.id()));
            return Request::Members(MembersRequest { namespace, key, after, limit: 3 });
        }
        let ttl = ttl(choices);
        Request::Set(SetRequest {
            namespace,
            key,
            writer: choices.seldom(128).then(|| Signer::from_seed(&[choices.byte() & 1; 32])),
            item: [choices.byte() & 3].into(),
            change: if choices.seldom(96) { SetChange::Remove } else { SetChange::Add { ttl } },
        })
    }

    fn choose_put(&mut self, choices: &mut Choices<'_>) -> PutRequest {
        let change = match choices.below(4) {
            0 => Change::Delete,
            _ => Change::Put {
                value: choices.bytes(1100).into(),
                content_type: choices.seldom(32).then(|| "text/plain".into()),
                ttl: ttl(choices),
                plain: choices.seldom(64),
            },
        };
        let expected = match choices.below(4) {
            0 => Expected::Absent,
            1 => {
                let known = choices.below(self.versions.len());
                let version = self.versions.get(known).copied();
                let any = Version::new(choices.number() >> 1);
                version.or(any).map_or(Expected::Anything, Expected::Version)
            }
            _ => Expected::Anything,
        };
        let namespace = Namespace::default();
        let trace = choices.seldom(32);
        PutRequest { namespace, key: key(choices), change, expected, trace }
    }

    /// What must hold after each input; takes what the store sends and tells.
    fn check(&mut self) {
        self.answers.clear();
        for (to, datagram) in self.outbox.datagrams() {
            match Message::read(datagram) {
                Ok(Message::Query(query)) => {
                    let transaction = query.transaction.to_vec();
                    self.asked.push(Asked { to, transaction, datagram: datagram.to_vec() });
                }
                Ok(_) => {
                    assert_answer_length(datagram);
                    self.answers.push(datagram.to_vec());
                }
                Err(_) => panic!("it sends what it could not read itself"),
            }
        }
        self.outbox.clear();
        while let Some(event) = self.kv.next_event() {
            if let Event::Done(id, done) = event {
                assert!(self.waiting.remove(&id), "{id:?} ends once");
                self.ended(&done);
            }
        }
        self.kv.node().check_invariant();
        self.kv.deadline();
    }

    fn ended(&mut self, done: &Done) {
        match done {
            Done::Put(Ok(put)) => {
                self.versions.extend(put.version);
                assert_complete(&put.replicas);
                assert!(put.replicas.stored.len() >= put.replicas.needed);
            }
            Done::Put(Err(kv::PutError::NotEnoughReplicas(put))) => {
                assert!(put.replicas.stored.len() < put.replicas.needed);
            }
            Done::Set(Ok(set)) => {
                assert_complete(&set.replicas);
                assert!(set.replicas.stored.len() >= set.replicas.needed);
            }
            Done::Members(Ok(listed)) => {
                assert!(listed.members.len() <= 3 && listed.answered >= listed.needed);
                let places = listed.members.iter().map(|m| Cursor::of(&m.writer, &m.item));
                assert!(places.clone().is_sorted());
                assert!(places.last() <= listed.next || listed.next.is_none());
            }
            Done::Got(Ok(got)) => {
                self.versions.push(got.version);
                let told = got.agreed + got.stale + got.missing + got.silent;
                assert_eq!(told, got.known, "{got:?}");
            }
            _ => {}
        }
    }

    /// Nobody answers any more: every request ends.
    pub fn end(&mut self) {
        self.tick_until(self.now.monotonic + Duration::from_secs(900), 20_000);
        assert!(self.waiting.is_empty(), "{:?} never ended", self.waiting);
        assert!(self.kv.is_idle());
    }
}

fn key(choices: &mut Choices<'_>) -> Key {
    let name = ["a", "b", "a longer one of more than sixty-three bytes, which is hashed to a salt"];
    Key::new(name[choices.below(3)]).expect("a sound key")
}

fn ttl(choices: &mut Choices<'_>) -> Duration {
    match choices.below(4) {
        0 => Duration::from_millis(choices.number()),
        1 => Duration::from_secs(60),
        _ => Duration::from_secs(3600),
    }
}

fn assert_complete(report: &WriteReport) {
    let told = report.stored.len() + report.refused.len() + report.silent.len();
    assert_eq!(told, report.known, "{report:?}");
}

fn assert_answer_length(datagram: &[u8]) {
    let has_value = datagram.windows(3).any(|three| three == b"1:v");
    let bound = if has_value { VALUE_REPLY_BYTES } else { PLAIN_REPLY_BYTES };
    assert!(datagram.len() <= bound, "{} bytes", datagram.len());
}
