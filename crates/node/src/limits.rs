//! Every bound of a node, in one place, with its unit and where it comes from. Bounds of the wire
//! are in [`wire::limits`].

use core::time::Duration;

/// Contacts a node list carries and a bucket holds (BEP 5: K = 8).
pub const K: usize = 8;

/// Contacts named to nodes of one's own network: where half of all nodes leave within minutes, the eight
/// closest of a table are not enough to learn of the eight closest that live.
pub const NAMED: usize = 2 * K;

/// Contacts in the first buckets, which cover most of the key space, so that lookups start close
/// (libtorrent's measure).
pub const FIRST_BUCKETS: [usize; 4] = [128, 64, 32, 16];

/// Verified contacts that wait in a bucket for a place. Eight of them found no more where half of all
/// nodes end within 1.4 minutes (99.94 % of lookups right, 99.92 % with four), and cost 2 kB a node.
pub const REPLACEMENTS: usize = 4;

/// Failures in a row after which a contact is bad (BEP 5: "multiple queries in a row") ...
pub const MAX_FAILURES: u8 = 3;

/// ... and where so many datagrams get lost that this befalls the living.
pub const MOST_FAILURES: u8 = 8;

/// Without a sign for so long a contact is questionable (BEP 5: 15 minutes), at first ...
pub const STALE: Duration = Duration::from_secs(15 * 60);

/// ... then for at least ...
pub const STALE_MIN: Duration = Duration::from_secs(60);

/// ... and at most so long, by how many turn out to be gone.
pub const STALE_MAX: Duration = Duration::from_secs(3600);

/// After so long without an answer from it a bucket is refreshed by a lookup (BEP 5: 15 minutes; an hour
/// in the paper of Maymounkov and Mazieres): longer than any contact goes unasked, so that only parts of
/// the key space where nobody answers are looked into.
pub const REFRESH: Duration = Duration::from_secs(90 * 60);

/// How often a node looks after its table and shelf, if they hold anything.
pub const MAINTENANCE: Duration = Duration::from_secs(60);

/// Contacts of one /24 (IPv6: /64) in a bucket under the strict rules.
pub const PER_PREFIX_IN_BUCKET: usize = 2;

/// Queries on their way at once. At 4 s each that is 1,000 a second to peers that never answer.
pub const PENDING: usize = 4096;

/// Queries to verify contacts that wait for a place in the table, on their way at once.
pub const VERIFICATIONS: usize = 16;

/// Queries that a lookup may send in one family before it ends with what it has.
pub const LOOKUP_MESSAGES: usize = 256;

/// Candidates that a lookup remembers in one family.
pub const LOOKUP_CANDIDATES: usize = 256;

/// Contacts of our own that a lookup in the public network asks whatever others tell: with half of them
/// hostile, 1 of 256 lookups asks none of the others.
pub const LOOKUP_GUIDES: usize = 8;

/// Who told of whom that a lookup remembers in one family: 40 answers of the longest list, and four
/// times as many of the usual one.
pub const LOOKUP_TOLD: usize = 40 * wire::limits::NODES_PER_LIST;

/// A lookup ends at the latest after so long.
pub const LOOKUP_TIME: Duration = Duration::from_secs(30);

/// Different items under one target that a lookup carries; more can only be an attack.
pub const LOOKUP_ITEMS: usize = 8;

/// Peers that a lookup reports.
pub const LOOKUP_PEERS: usize = 4096;

/// Lookups and write phases at once.
pub const OPERATIONS: usize = 4096;

/// Queries on their way at once in a lookup that still gets closer (Kademlia's alpha; libtorrent 5).
pub const PARALLELISM: usize = 4;

/// All queries of a lookup on their way at once in one family, those to candidates that closer ones
/// have pushed out of the closest included.
pub const IN_FLIGHT: usize = 4 * PARALLELISM;

/// A reply later than this opens a slot, at the earliest.
pub const SLOW_MIN: Duration = Duration::from_millis(150);

/// A reply later than this opens a slot in any case (libtorrent: 1 s).
pub const SLOW_MAX: Duration = Duration::from_millis(1000);

/// Whoever looks at its clock so much too late stood still, as a machine that slept does.
pub const STOOD_STILL: Duration = Duration::from_secs(2);

/// A query is given up after so long.
pub const TIMEOUT: Duration = Duration::from_secs(4);

/// How long a write token is good at least; at most twice as long (BEP 5: five minutes, ten).
pub const TOKEN_EPOCH: Duration = Duration::from_secs(300);

/// Life of an item without an expiry of its own (BEP 44: 2 hours).
pub const PLAIN_LEASE: Duration = Duration::from_secs(2 * 3600);

/// Life of an announced peer (seen: 30 to 60 minutes).
pub const PEER_LEASE: Duration = Duration::from_secs(45 * 60);

/// Items on the shelf by default.
pub const ITEMS: usize = 1_000_000;

/// Bytes of items on the shelf by default.
pub const ITEM_BYTES: usize = 512 << 20;

/// Per cent of the shelf that one address may fill, so that no stranger fills it alone.
pub const PER_ADDRESS_PERCENT: u8 = 25;

/// Per cent of the shelf that one /24 (IPv6: /64) may fill.
pub const PER_PREFIX_PERCENT: u8 = 50;

/// Puts that wait until they are durable. At 5 ms for a batch that is 3 million a second.
pub const ACKNOWLEDGEMENTS: usize = 16_384;

/// Addresses that owe us answers and are remembered for it: the closest to some hundred targets.
pub const SILENCES: usize = 1024;

/// Without a sign for so long a neighbour is asked for one: upkeep must learn soon of who died ...
pub const NEIGHBOUR_STALE: Duration = Duration::from_secs(120);

/// ... and where many go, for so long.
pub const NEIGHBOUR_STALE_MIN: Duration = Duration::from_secs(10);

/// A contact whose last query was not answered is asked again after so long.
pub const RECHECK: Duration = Duration::from_secs(20);

/// Contacts that fell silent and are asked for a sign of life now and then ...
pub const LOST: usize = 64;

/// ... for so long.
pub const LOST_FOR: Duration = Duration::from_secs(24 * 3600);

/// How many of them with each upkeep.
pub const LOST_CHECKS: usize = 2;

/// Sets on the shelf.
pub const SETS: usize = 65_536;

/// Members of one set, removed ones that are remembered included: a reader that asks 8 holders for
/// all of them, a few in each reply, is done in seconds.
pub const MEMBERS_PER_SET: usize = 4_096;

/// Members of one set by one writer: nobody fills a set with one key. Keys cost nothing, so this
/// keeps mistakes in bounds, and what somebody means to do only dearer.
pub const MEMBERS_PER_WRITER: usize = 1_024;

/// Bytes of members on the shelf.
pub const SET_BYTES: usize = 64 << 20;

/// Longest time for which a member is held or remembered, as for records.
pub const MEMBER_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);

/// Members whose version lies so far ahead of our clock are refused, as records are.
pub const MEMBER_AHEAD: Duration = Duration::from_secs(3600);

/// Topics with peers on the shelf.
pub const TOPICS: usize = 50_000;

/// Peers of one topic (BEP 33: below 6,000, where its filters break down).
pub const PEERS_PER_TOPIC: usize = 5_000;

/// Peers of all topics.
pub const PEERS: usize = 500_000;

/// Peers in one reply of each family: 80 of 8 bytes, 25 of 21, beside 8 contacts and a token, stay
/// within BEP 32's 1,024 bytes.
pub const PEERS_IN_REPLY: [usize; 2] = [80, 25];

/// Info hashes in a sample: 20 bytes each beside 8 contacts of both families.
pub const SAMPLE: usize = 20;

/// A sample stays the same for so long (BEP 51: at most 6 hours).
pub const SAMPLE_INTERVAL: Duration = Duration::from_secs(60);

/// Answers that wait for a newer version, in all: about 300 bytes each, tables included.
pub const WAITS: usize = 16_384;

/// Of them, answers to one address, behind which many may watch from their ephemeral nodes ...
pub const WAITS_PER_ADDRESS: usize = 256;

/// ... to one /24 (IPv6: /64) ...
pub const WAITS_PER_PREFIX: usize = 1024;

/// ... and for one target: one put sends all of them, up to 1.4 MB.
pub const WAITS_PER_TARGET: usize = 1024;

/// Queries to a globally addressed foreign node, and replies to it beside them: one each so often ...
pub const PACE_INTERVAL: Duration = Duration::from_millis(500);

/// ... after a burst of so many: together at most 50 in any 10 s, where libtorrent begins to ban.
pub const PACE_BURST: u32 = 5;

/// Datagrams that wait for their pace.
pub const PACED_QUEUE: usize = 1024;

/// Bytes per second to an address that has not shown that it receives what we send ...
pub const UNPROVEN_BYTES_PER_S: u32 = 2_000;

/// ... after so many at once.
pub const UNPROVEN_BURST_BYTES: u32 = 20_000;

/// For so long an address that showed that it receives what we send counts as one that does, at
/// most: addresses change hands, and contacts that we know are asked for a sign each 15 minutes.
pub const PROOF_LIFE: Duration = Duration::from_secs(3600);

/// How much more a whole /24 (IPv6: /64) may get than one address of it.
pub const UNPROVEN_PREFIX_FACTOR: u32 = 4;

/// Slots of each budget table; addresses that fall into one slot share it.
pub const BUDGET_SLOTS: usize = 4096;

/// Verification pings to addresses that only somebody else told us of, a second.
pub const VERIFICATIONS_PER_S: u32 = 50;

/// Different networks that must agree before an external address is believed.
pub const ADDRESS_VOTERS: usize = 3;

/// Votes for external addresses that are remembered.
pub const ADDRESS_VOTES: usize = 16;

/// Lookups by which a node that joined fills the parts of its table that it knows little of: a table
/// of the public network is about 20 deep (BEP 42: 2^20 times 8 nodes).
pub const FILLING_LOOKUPS: usize = 24;

/// First wait before joining is tried again; doubles up to [`JOIN_RETRY_MAX`].
pub const JOIN_RETRY_MIN: Duration = Duration::from_secs(1);

/// Longest wait before joining is tried again.
pub const JOIN_RETRY_MAX: Duration = Duration::from_secs(60);

/// Addresses to join through that are remembered.
pub const JOIN_ENDPOINTS: usize = 64;

/// A seal's first part: who sealed, 128 random bits drawn at the node's start, so that two nodes
/// never share them.
pub const SEAL_SENDER_BYTES: usize = 16;

/// A seal's second part: the number that its sender gives no other datagram.
pub const SEAL_NUMBER_BYTES: usize = 8;

/// What stands before a sealed datagram: the 24-byte nonce of XChaCha20-Poly1305.
pub const SEAL_HEAD_BYTES: usize = SEAL_SENDER_BYTES + SEAL_NUMBER_BYTES;

/// What stands behind a sealed datagram: the tag of Poly1305 (RFC 8439).
pub const SEAL_TAG_BYTES: usize = 16;

/// How much longer a seal makes a datagram.
pub const SEAL_BYTES: usize = SEAL_HEAD_BYTES + SEAL_TAG_BYTES;

/// A sealed datagram is heard if its sender's clock and ours differ by at most so much: clocks that
/// nobody sets stay within it for months, and a write token lives no longer.
pub const SEAL_FRESH: Duration = Duration::from_secs(600);

/// A node whose clock was set back by more than this begins anew as another sender.
pub const SEAL_SET_BACK: Duration = Duration::from_secs(60);

/// Latest datagrams of a sender that are remembered: so many may overtake one (RFC 6479 and
/// IPsec, RFC 4303: 64).
pub const SEAL_WINDOW: usize = 64;

/// Senders that are remembered, each with about 600 bytes.
pub const SEAL_SENDERS: usize = 4096;

const _: () = assert!(SEAL_HEAD_BYTES == 24 && SEAL_BYTES == 40);
const _: () = assert!(wire::limits::VALUE_REPLY_BYTES + SEAL_BYTES < wire::limits::DATAGRAM_BYTES);
const _: () = assert!(LOOKUP_GUIDES < IN_FLIGHT);
const _: () = assert!(LOOKUP_MESSAGES <= LOOKUP_CANDIDATES);
const _: () = assert!(SLOW_MAX.as_micros() < TIMEOUT.as_micros());
const _: () = assert!(WAITS_PER_ADDRESS <= WAITS_PER_PREFIX && WAITS_PER_PREFIX <= WAITS);
const _: () = assert!(2 * MEMBERS_PER_WRITER <= MEMBERS_PER_SET);
const _: () = assert!(K <= NAMED && NAMED <= wire::limits::NODES_PER_LIST);
const _: () = assert!(PEERS_IN_REPLY[0] <= wire::limits::PEERS_PER_REPLY);
