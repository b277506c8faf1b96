//! What a caller may ask of a node, and what it hears in return.
//!
//! Every command gets an [`OperationId`]; its events carry the same id, and each operation ends
//! with exactly one event that [`Event::ends`].

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use wire::offer::Bits;
use wire::{Bloom, Contact, Cursor, Endpoint, InfoHash, Item, Member, NodeId, Point, Seq, Target};

use crate::hand_off::OfferOf;
use crate::time::UnixMillis;

/// Names one operation of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(u64);

impl OperationId {
    /// The operation of this number; nodes count theirs from 1.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The operation after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// When a lookup ends, if it does not run out of messages or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When enough of the closest have answered; slow ones do not hold it up.
    Converged,
    /// When the closest have answered or were given up, slow ones too.
    Patient,
    /// Like [`Until::Converged`], or with the first immutable item: its hash proves it, so that
    /// nobody need agree.
    Proof,
}

/// What a lookup asks the nodes on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Only the way.
    Nodes(Point),
    /// Peers of a topic.
    Peers {
        /// The topic.
        info_hash: InfoHash,
        /// Rather no seeds.
        no_seed: bool,
        /// Filters for counting, too (BEP 33).
        scrape: bool,
    },
    /// An item.
    Item {
        /// Its name.
        target: Target,
        /// The salt in its name, which replies do not repeat.
        salt: Box<[u8]>,
        /// Leave out what is not above this version.
        newer_than: Option<Seq>,
    },
}

impl Question {
    /// The place that the lookup walks towards.
    pub fn target(&self) -> Point {
        match self {
            Question::Nodes(point) => *point,
            Question::Peers { info_hash, .. } => info_hash.point(),
            Question::Item { target, .. } => target.point(),
        }
    }
}

/// What a write phase stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// An item.
    Item {
        /// The item.
        item: Item,
        /// For an immutable one: until when holders that know leases shall keep it.
        lease: Option<UnixMillis>,
    },
    /// A member of a set.
    Member(Member),
    /// Ourselves as a peer of a topic.
    Peer {
        /// The topic.
        info_hash: InfoHash,
        /// Our port, or `None` for the one our datagrams come from.
        port: Option<u16>,
        /// We are a seed (BEP 33).
        seed: bool,
    },
}

impl Written {
    /// An item under no other lease than its own.
    pub fn item(item: Item) -> Self {
        Written::Item { item, lease: None }
    }
}

/// Where a write phase stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// At another node.
    Node {
        /// Which.
        contact: Contact,
        /// The token that it gave.
        token: Box<[u8]>,
        /// Only if it holds this version of the item (BEP 44, "CAS").
        cas: Option<Seq>,
    },
    /// On our own shelf.
    OwnShelf {
        /// Only if this version of the item lies there.
        cas: Option<Seq>,
    },
}

impl Destination {
    /// The other node; `None`: our own shelf.
    pub fn contact(&self) -> Option<Contact> {
        match self {
            Destination::Node { contact, .. } => Some(*contact),
            Destination::OwnShelf { .. } => None,
        }
    }
}

/// What to ask of one node about a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// Whom.
    pub contact: Contact,
    /// The item's name.
    pub target: Target,
    /// The salt in its name, which replies do not repeat.
    pub salt: Box<[u8]>,
    /// Leave out what is not above this version.
    pub newer_than: Option<Seq>,
    /// Answer at the latest after so many seconds, 1 to [`wire::limits::WAIT_S`], if there is nothing
    /// newer before, with the token that this node gave for the target. A node that knows no waits,
    /// or grants none, answers at once.
    pub wait: Option<(u8, Box<[u8]>)>,
}

/// Something to do.
#[derive(Clone, Debug)]
pub enum Command {
    /// Tell the nearest contacts that we are not there any more from now on: no answer is given, and no
    /// event comes of it.
    SayGoodbye,
    /// Join the network through these addresses, and again whenever all contacts are lost.
    Join(Vec<Endpoint>),
    /// Find the nodes closest to a target, and what they hold.
    Lookup {
        /// What to ask.
        question: Question,
        /// How many closest nodes must have answered at the end.
        width: usize,
        /// When it ends.
        until: Until,
        /// Tell each step.
        trace: bool,
        /// Contacts to start from beside those of the tables: whoever looks up many places near each
        /// other knows them from the lookup before. What they answer counts as any answer does.
        seeds: Vec<Contact>,
    },
    /// Store something at nodes that gave a token, and on our own shelf.
    Write {
        /// What.
        written: Written,
        /// Where.
        to: Vec<Destination>,
    },
    /// Ask one address: are you there?
    Ping(Endpoint),
    /// Ask one node what it holds under a target, perhaps to answer only when that is newer.
    Inquire(Inquiry),
    /// Ask one contact for an immutable item.
    Fetch {
        /// Whom.
        contact: Contact,
        /// The item's name.
        target: Target,
    },
    /// Ask one address which topics it holds peers of.
    Sample {
        /// Whom.
        to: Endpoint,
        /// Near which place contacts are wanted.
        target: Point,
    },
    /// Ask a contact what it lacks of this.
    Offer {
        /// Whom.
        to: Contact,
        /// What we hold.
        of: OfferOf,
    },
    /// Ask one node for members of a set.
    Members {
        /// Whom.
        to: Contact,
        /// Where the set lies.
        target: Target,
        /// Only those behind this place.
        after: Option<Cursor>,
    },
}

/// What a node tells.
#[derive(Clone, Debug)]
pub enum Event {
    /// The first answer of a network came.
    Joined {
        /// How many contacts the table holds.
        contacts: usize,
    },
    /// No address to join through answered; it is tried again.
    JoinFailed {
        /// After so long.
        retry_in: Duration,
    },
    /// Enough other nodes see us at this address.
    ExternalAddress(Endpoint),
    /// Our id changed, to follow from our address (BEP 42).
    Renamed(NodeId),
    /// A step of a traced lookup.
    Step(OperationId, Step),
    /// A lookup found a verified item that it had not seen before.
    Item(OperationId, Item),
    /// A lookup found peers that it had not seen before.
    Peers(OperationId, Vec<Endpoint>),
    /// A lookup ended.
    LookedUp(OperationId, Box<LookupResult>),
    /// A write phase ended: what became of each destination, in the order given; without a contact
    /// our own shelf.
    Wrote(OperationId, Vec<(Option<Contact>, Outcome)>),
    /// Our own shelf shows something else under a target of which [`crate::Node::notice_shelf`]
    /// wants to hear.
    ShelfChanged(Target),
    /// One address answered, or not.
    Answered(OperationId, Answer),
    /// An inquiry ended.
    Inquired(OperationId, Inquired),
}

impl Event {
    /// The operation that ends with this event.
    pub fn ends(&self) -> Option<OperationId> {
        match self {
            Event::LookedUp(id, _)
            | Event::Wrote(id, _)
            | Event::Answered(id, _)
            | Event::Inquired(id, _) => Some(*id),
            _ => None,
        }
    }
}

/// Why a lookup ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The closest nodes that live have answered.
    Converged,
    /// An immutable item was found, and the lookup was to go no further.
    Proved,
    /// Nobody answered.
    Unreachable,
    /// It had sent as many queries as it may.
    OutOfMessages,
    /// It had run as long as it may.
    OutOfTime,
    /// The caller had what it wanted.
    Cancelled,
}

/// What a lookup found.
#[derive(Clone, Debug)]
pub struct LookupResult {
    /// Where it walked to.
    pub target: Point,
    /// Why it ended.
    pub ended: Ended,
    /// The closest nodes that answered, closest first.
    pub closest: Vec<Responder>,
    /// Of the closest nodes known, those that did not answer.
    pub silent: Vec<Contact>,
    /// The different items found, in the order in which they came.
    pub items: Vec<Item>,
    /// Who gave each of the items first; not always one of the closest.
    pub found_at: Vec<Contact>,
    /// Filters of seeds and other peers, of all nodes together (BEP 33).
    pub filters: Option<Box<(Bloom, Bloom)>>,
    /// Queries sent.
    pub asked: usize,
    /// Replies received.
    pub answered: usize,
    /// How many nodes stand between us and the closest one, it included.
    pub hops: u8,
    /// Somebody did not answer in time who was not known to be silent.
    pub fell_silent: bool,
    /// From the command to the end.
    pub took: Duration,
}

/// A node that answered a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responder {
    /// Who.
    pub contact: Contact,
    /// In what time.
    pub round_trip: Duration,
    /// Lets us write there.
    pub token: Option<Box<[u8]>>,
    /// It says that it is Xorbit.
    pub is_xorbit: bool,
    /// What it holds.
    pub holds: Holds,
}

/// What a node holds of an item that is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Nothing.
    Nothing,
    /// A version that was not wanted.
    Version(Seq),
    /// [`LookupResult::items`] at this index.
    Item(usize),
}

/// A step of a lookup: one query and how it ended.
#[derive(Clone, Debug)]
pub struct Step {
    /// Whom we asked; the id is missing for an address that we only joined through.
    pub id: Option<NodeId>,
    /// Where.
    pub endpoint: Endpoint,
    /// How long after the lookup's start.
    pub asked_after: Duration,
    /// How long until the end of this query.
    pub took: Duration,
    /// Through how many nodes we came to it, itself included.
    pub hop: u8,
    /// What came back.
    pub outcome: StepOutcome,
}

/// How one query of a lookup ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It answered.
    Answered {
        /// Contacts it gave.
        nodes: usize,
        /// Of these, so many that we did not know.
        new: usize,
        /// Peers it gave.
        peers: usize,
        /// What it holds of the item.
        holds: Holds,
    },
    /// It refused, with this code.
    Refused(i64),
    /// It answered as another node, of another network, or with an item that does not verify.
    Distrusted,
    /// It did not answer in time.
    Silent,
}

/// What became of a write at one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It said that it stored.
    Stored,
    /// It refused.
    Refused {
        /// The error code (BEP 5, BEP 44).
        code: i64,
        /// What it said, perhaps nothing; unreadable characters replaced.
        text: Box<str>,
        /// It had been asked more than once: what it refuses now it may have done before, and its
        /// yes was lost.
        repeated: bool,
    },
    /// It did not answer in time.
    Silent,
}

/// What a node holds that an inquiry asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nothing.
    Nothing,
    /// A version that was not wanted, or of an item that has ended.
    Version(Seq),
    /// This item, verified.
    Item(Item),
}

/// What an inquiry came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inquired {
    /// An answer.
    Answered {
        /// Who answered, perhaps under another id than expected.
        contact: Contact,
        /// What it holds.
        held: Held,
        /// Lets us write there, and ask it to wait.
        token: Option<Box<[u8]>>,
        /// Contacts near the target.
        nodes: Vec<Contact>,
        /// After so long.
        took: Duration,
    },
    /// A refusal, with this code.
    Refused(i64),
    /// No answer, or none that can be trusted.
    Silent,
}

/// What one address answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a ping.
    Pong {
        /// Its id.
        id: NodeId,
        /// In what time.
        round_trip: Duration,
    },
    /// To a request for an immutable item.
    Item {
        /// The item, if it was held and verifies; it may be another than the one asked for.
        item: Option<Item>,
        /// Contacts near the target.
        nodes: Vec<Contact>,
    },
    /// To a request for samples.
    Samples {
        /// Its id.
        id: NodeId,
        /// The sample, or `None` if it does not support the query.
        samples: Option<Vec<InfoHash>>,
        /// How many info hashes it holds in all.
        num: u64,
        /// The sample stays the same for so long.
        interval: Duration,
        /// Contacts near the target.
        nodes: Vec<Contact>,
    },
    /// To an offer.
    Offered {
        /// Lets us put, or add, all of them.
        token: Option<Box<[u8]>>,
        /// Those that it wants; of sets, those of which it holds something else.
        wanted: Bits,
        /// Those of which it holds or remembers a higher version.
        newer: Bits,
    },
    /// To a request for members.
    Members {
        /// Its id.
        id: NodeId,
        /// Verified members as they came, or `None` if it does not support the query.
        members: Option<Vec<Member>>,
        /// There are more behind the last of them.
        more: bool,
        /// How many it holds in all, as it says.
        num: u64,
    },
    /// A refusal.
    Refused {
        /// The error code.
        code: i64,
        /// What it said.
        text: Box<str>,
    },
    /// Nothing.
    Silent,
}
