//! What a machine heard and said, read once for all checks, and matched by a ledger of our own: which
//! question an answer belongs to, in either direction.
//!
//! A ledger is kept for each life of a machine and made of datagrams alone. It knows more questions as
//! open than the node does, never fewer, since it cannot see which of them the node has given up.

use core::time::Duration;

use hashbrown::HashMap;
use kv::Kv;
use node::{Instant, Method, Now, OperationId, UnixMillis};
use wire::bencode::Reader;
use wire::{
    Endpoint, Found, InfoHash, Message, NetworkTag, NodeId, Point, Query, QueryMessage, Reply,
    ReplyKind, Seq, Target, TransactionId,
};

use super::issued::Shown;
use super::lease::{self, Lease};
use super::sound::Sound;
use super::walls::Walls;
use crate::world::{Input, Machine, Moment};

/// A slow write is sent once more within this time.
const SENT_AGAIN_WITHIN: Duration = Duration::from_secs(5);

/// After a timer of its node ran out, no question is open that is older: 30 s of waiting and 4 of
/// patience, by a clock that is a tenth slow.
const OPEN_FOR: Duration = Duration::from_secs(45);

/// Puts of which no more is heard after so long were given up with their batch, or lost.
const OWED_FOR: Duration = Duration::from_secs(300);

/// Queries that may be answered later; what an answer to more of them says counts for nothing.
const OWED: usize = 1 << 16;

/// A question of a machine's node that no answer came to yet.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// What was asked.
    pub method: Method,
    /// Of what shape its answer is.
    pub kind: ReplyKind,
    /// The answer may come late: it was asked to wait.
    pub waits: bool,
    /// When, in the world's time.
    pub at: Instant,
    /// How many times it was sent.
    pub times: u8,
}

/// A put on its way to a holder: what it would hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Put {
    /// Where it lies.
    pub target: Target,
    /// Its version; `None` for an immutable item.
    pub seq: Option<Seq>,
    /// For how long.
    pub lease: Lease,
    /// Its value, by hash.
    pub value: u64,
    /// It shall take the place of this version alone.
    pub cas: Option<Seq>,
    /// It is signed by whom it says, or needs no signature.
    pub sound: bool,
}

/// A query that a machine's node heard and owes an answer to.
#[derive(Clone, Copy, Debug)]
pub struct Owed {
    /// What was asked.
    pub method: Method,
    /// About which place.
    pub target: Option<Point>,
    /// Of what shape the answer is.
    pub kind: ReplyKind,
    /// What shall be held, if it is a put of an item.
    pub put: Option<Put>,
    /// When it was heard, by the machine's own clocks.
    pub at: Now,
    /// Another query under the same transaction came from there: nobody knows which is answered.
    pub ambiguous: bool,
}

/// An answer to a question of the node's own.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// Who answered, as what, and where it sees the node.
    Reply(NodeId, Kin, Option<Endpoint>),
    /// A refusal.
    Refusal,
    /// It says nothing that can be read.
    Nonsense,
}

/// As what somebody answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kin {
    /// A member of this network.
    pub network: Option<NetworkTag>,
    /// It says that it is Xorbit.
    pub is_xorbit: bool,
}

/// What a machine acted on.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    /// Somebody asked.
    Query(Endpoint, QueryMessage<'a>),
    /// Somebody asked something that cannot be read.
    BadQuery,
    /// An answer to an open question.
    Answer(Endpoint, Asked, Answer),
    /// An answer to no open question.
    Unmatched,
    /// Nothing that can be read.
    Noise,
    /// No datagram.
    Nothing,
}

/// What a machine said.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// A question, and the open one under the same transaction to the same address.
    Query(TransactionId, Query<'a>, Option<Asked>),
    /// An answer to what was asked, if that is known.
    Reply(Option<Owed>, Option<Reply<'a>>),
    /// A refusal of what was asked, if that is known, and its text.
    Refusal(Option<Owed>, &'a [u8]),
    /// Nothing that can be read.
    Noise,
}

/// A datagram that a machine sends.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// To whom.
    pub to: Endpoint,
    /// How long it is.
    pub bytes: usize,
    /// What it says.
    pub what: What<'a>,
}

/// Numbers of a node before it acted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before {
    /// Questions of its own that it counts as answered.
    pub replies: u64,
    /// Items held and their bytes, those on their way to the disk included.
    pub items: (usize, usize),
    /// Members of sets held.
    pub members: (usize, usize),
    /// Peers held.
    pub peers: (usize, usize),
    /// Changes that gather for the disk.
    pub changes: usize,
}

impl Before {
    /// What stands there now.
    pub fn of(kv: &Kv) -> Self {
        let node = kv.node();
        Self {
            replies: node.counters().replies,
            items: node.held_items(),
            members: node.held_members(),
            peers: node.held_peers(),
            changes: node.gathering(),
        }
    }
}

/// One step of one machine, as the checks see it.
pub struct Seen<'a> {
    /// When and where.
    pub moment: Moment,
    /// The machine, after it acted.
    pub machine: &'a Machine,
    /// Its node.
    pub kv: &'a Kv,
    /// What its clocks show.
    pub local: Now,
    /// Which wall times its node may believe.
    pub walls: &'a Walls,
    /// What it acted on, as it came.
    pub input: Input<'a>,
    /// What it acted on, as it reads.
    pub heard: Heard<'a>,
    /// What the token is worth that it was shown.
    pub shown: Shown,
    /// What it says.
    pub said: &'a [Said<'a>],
    /// How it was before.
    pub before: Before,
    /// Each query is known that it may answer still.
    pub owes_all: bool,
    /// What it heard and said before.
    pub ledger: &'a Ledger,
    /// Its open questions, without those that it asks just now, and without the one that was answered.
    pub open: &'a Open,
    /// Who left a question unanswered for long, and when it was asked.
    pub given_up: &'a [(Endpoint, Instant)],
}

/// Questions that no answer came to yet.
pub type Open = HashMap<(TransactionId, Endpoint), Asked, foldhash::fast::FixedState>;

/// A transaction id of a stranger's, by its hash, and the stranger's address.
type Theirs = (u64, Endpoint);

/// Which questions are open, in both directions, of one life of one machine.
#[derive(Default)]
pub struct Ledger {
    open: Open,
    owed: HashMap<Theirs, Owed, foldhash::fast::FixedState>,
    /// Who left which question unanswered, as it was seen when they were last looked through.
    given_up: Vec<(Endpoint, Instant)>,
    /// What was heard just now and is answered at once or never.
    passing: Option<Theirs>,
    /// When there was too much to remember all that is owed.
    forgot_at: Option<Instant>,
    swept: Instant,
}

impl Ledger {
    /// Takes what a machine acted on: an answer closes its question.
    pub fn hear<'a>(
        &mut self,
        input: &Input<'a>,
        local: Now,
        wall: UnixMillis,
        sound: &mut Sound,
    ) -> Heard<'a> {
        let Input::Datagram(from, bytes) = *input else { return Heard::Nothing };
        match Message::read(bytes) {
            Ok(Message::Query(message)) => {
                self.owe(from, &message, local, wall, sound);
                Heard::Query(from, message)
            }
            Ok(Message::BadQuery { .. }) => Heard::BadQuery,
            Ok(Message::Reply(message)) => {
                let Some(asked) = self.open.remove(&(message.transaction, from)) else {
                    return Heard::Unmatched;
                };
                let answer = match message.read_as(asked.kind) {
                    Ok((id, _)) => {
                        let kin = Kin { network: message.network, is_xorbit: message.is_xorbit };
                        Answer::Reply(id, kin, message.seen_at)
                    }
                    Err(_) => Answer::Nonsense,
                };
                Heard::Answer(from, asked, answer)
            }
            Ok(Message::Error(message)) => match self.open.remove(&(message.transaction, from)) {
                Some(asked) => Heard::Answer(from, asked, Answer::Refusal),
                None => Heard::Unmatched,
            },
            Err(_) => Heard::Noise,
        }
    }

    fn owe(
        &mut self,
        from: Endpoint,
        message: &QueryMessage<'_>,
        at: Now,
        wall: UnixMillis,
        sound: &mut Sound,
    ) {
        let query = &message.query;
        let put = match query {
            Query::Put { item, lease, cas, .. } => Some(Put {
                target: item.claim().target(),
                seq: item.signed.map(|signed| signed.seq),
                lease: lease::of(item, *lease, wall),
                value: hash_of(item.value),
                cas: *cas,
                sound: sound.is(item),
            }),
            _ => None,
        };
        let target = put.map(|put| put.target.point()).or_else(|| target_of(query));
        let (method, kind) = (Method::of(query), kind_of(query));
        let mut owed = Owed { method, target, kind, put, at, ambiguous: false };
        let place = (fingerprint(message.transaction), from);
        let before = self.owed.get(&place);
        if let Some(before) = before {
            let same = before.method == method && before.target == target && before.put == put;
            owed.ambiguous = before.ambiguous || !same;
        }
        // What is answered at once may be a spoilt copy of what waits under the same transaction.
        let waits = before.is_some()
            || matches!(method, Method::Put | Method::Add)
            || matches!(query, Query::WaitingGet { .. });
        self.passing = (!waits).then_some(place);
        if self.owed.len() < OWED || self.owed.contains_key(&place) {
            self.owed.insert(place, owed);
        } else {
            self.forgot_at = Some(at.monotonic);
        }
    }

    /// Reads what a machine says. `spare` holds copies of what carries a stranger's odd transaction id.
    pub fn read<'a>(&self, to: Endpoint, bytes: &'a [u8], spare: Option<&'a [u8]>) -> Said<'a> {
        let what = match Message::read(spare.unwrap_or(bytes)) {
            Ok(Message::Query(message)) => match message.transaction.try_into() {
                Ok(transaction) => {
                    let transaction = TransactionId(u32::from_be_bytes(transaction));
                    let twin = self.open.get(&(transaction, to)).copied();
                    What::Query(transaction, message.query, twin)
                }
                Err(_) => What::Noise,
            },
            Ok(Message::Reply(message)) => {
                let owed = self.owed_to(to, message.transaction, spare.map(|_| bytes));
                let reply = owed.and_then(|owed| message.read_as(owed.kind).ok());
                What::Reply(owed, reply.map(|(_, reply)| reply))
            }
            Ok(Message::Error(message)) => {
                let owed = self.owed_to(to, message.transaction, spare.map(|_| bytes));
                What::Refusal(owed, message.text)
            }
            Ok(Message::BadQuery { .. }) | Err(_) => What::Noise,
        };
        Said { to, bytes: bytes.len(), what }
    }

    /// What an answer answers: under the transaction id in it, or the odd one in its `original`.
    fn owed_to(&self, to: Endpoint, own: TransactionId, original: Option<&[u8]>) -> Option<Owed> {
        let fingerprint = match original {
            Some(bytes) => fingerprint(transaction(bytes)?),
            None => fingerprint(&own.0.to_be_bytes()),
        };
        self.owed.get(&(fingerprint, to)).copied()
    }

    /// Whether each query is known that may be answered still.
    pub fn owes_all(&self, now: Now) -> bool {
        self.forgot_at.is_none_or(|at| now.monotonic.since(at) > OWED_FOR)
    }

    /// How many questions that may wait were heard within so long and not answered yet.
    pub fn waiting(&self, now: Now, within: Duration) -> usize {
        let waits = |owed: &&Owed| owed.method == Method::Get;
        let young = |owed: &&Owed| now.monotonic.since(owed.at.monotonic) <= within;
        let all = self.owed.values().filter(waits).filter(young);
        // Under one transaction id two may wait for different things.
        all.map(|owed| 1 + usize::from(owed.ambiguous)).sum()
    }

    /// Who left a question unanswered until it was given up, and when it was asked; told once.
    pub fn take_given_up(&mut self) -> Vec<(Endpoint, Instant)> {
        core::mem::take(&mut self.given_up)
    }

    /// The questions that are open.
    pub fn open(&self) -> &Open {
        &self.open
    }

    /// Notes what was asked, and forgets what nobody can answer any more.
    pub fn note(&mut self, said: &[Said<'_>], at: Instant, local: Now, ticked: bool) {
        for said in said {
            let What::Query(transaction, query, twin) = said.what else { continue };
            // Ids are drawn: one may come again by chance.
            let twin = twin.filter(|twin| at.since(twin.at) <= SENT_AGAIN_WITHIN);
            let asked = Asked {
                method: Method::of(&query),
                kind: kind_of(&query),
                waits: matches!(query, Query::WaitingGet { .. }),
                at: twin.map_or(at, |twin| twin.at),
                times: twin.map_or(1, |twin| twin.times.saturating_add(1)),
            };
            self.open.insert((transaction, said.to), asked);
        }
        if let Some(place) = self.passing.take() {
            self.owed.remove(&place);
        }
        if ticked && at.since(self.swept) > OPEN_FOR {
            self.swept = at;
            let given_up = self.open.extract_if(|_, asked| at.since(asked.at) > OPEN_FOR);
            self.given_up.extend(given_up.map(|((_, to), asked)| (to, asked.at)));
            let young = |owed: &Owed| local.monotonic.since(owed.at.monotonic) <= OWED_FOR;
            self.owed.retain(|_, owed| young(owed));
        }
    }
}

/// The lookup that a question belongs to, as the node labels it.
pub fn lookup_of(kv: &Kv, transaction: TransactionId) -> Option<OperationId> {
    kv.node().lookup_of(transaction)
}

/// The place that a query is about.
fn target_of(query: &Query<'_>) -> Option<Point> {
    match query {
        Query::FindNode { target, .. } | Query::SampleInfohashes { target, .. } => Some(*target),
        Query::GetPeers { info_hash, .. } | Query::AnnouncePeer { info_hash, .. } => {
            Some(InfoHash::point(info_hash))
        }
        Query::Get { target, .. }
        | Query::WaitingGet { target, .. }
        | Query::Add { target, .. }
        | Query::Members { target, .. }
        | Query::OfferMembers { target, .. } => Some(target.point()),
        Query::Put { target, .. } => target.map(|target| target.point()),
        Query::Ping | Query::Offer { .. } | Query::OfferSets { .. } | Query::Unknown => None,
    }
}

/// The shape of the answer to a query (docs/protocol.md, "Queries and replies").
fn kind_of(query: &Query<'_>) -> ReplyKind {
    match Method::of(query) {
        Method::FindNode => ReplyKind::Nodes,
        Method::GetPeers => ReplyKind::Peers,
        Method::Get => ReplyKind::Item,
        Method::SampleInfohashes => ReplyKind::Samples,
        Method::Offer | Method::OfferSets | Method::OfferMembers => ReplyKind::Offered,
        Method::Members => ReplyKind::Members,
        Method::Ping | Method::AnnouncePeer | Method::Put | Method::Add | Method::Unknown => {
            ReplyKind::Ack
        }
    }
}

/// The version in an answer about a target: of the item, or remembered.
pub fn version_in(reply: &Reply<'_>) -> Option<Seq> {
    match reply {
        Reply::Item { found: Found::Item(item), .. } => item.signed.map(|signed| signed.seq),
        Reply::Item { found: Found::Version(seq), .. } => Some(*seq),
        _ => None,
    }
}

fn fingerprint(transaction: &[u8]) -> u64 {
    hash_of(transaction)
}

/// Stands for some bytes.
pub fn hash_of(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(bytes, 0)
}

/// Where in a message its transaction id stands.
fn transaction(bytes: &[u8]) -> Option<&[u8]> {
    let mut entries = Reader::new(bytes).dictionary().ok()?;
    while let Some(key) = entries.next_key().ok()? {
        let raw = entries.reader.raw().ok()?;
        if key == b"t" {
            return Reader::new(raw).string().ok();
        }
    }
    None
}

/// A copy of an answer to a stranger whose transaction id has not four bytes, with one that has: the
/// reader takes only those for answers.
pub fn with_own_transaction(bytes: &[u8]) -> Option<Vec<u8>> {
    let transaction = transaction(bytes)?;
    if transaction.len() == 4 {
        return None;
    }
    let start = transaction.as_ptr() as usize - bytes.as_ptr() as usize;
    let name = transaction.len().to_string().len() + 1;
    let mut copy = bytes[..start - name].to_vec();
    copy.extend(b"4:\0\0\0\0");
    copy.extend(&bytes[start + transaction.len()..]);
    Some(copy)
}
