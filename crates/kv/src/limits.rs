//! Every bound of keys and records, in one place, with its unit and where it comes from.

use core::time::Duration;

use wire::limits::MEMBER_OFFERS_PER_QUERY;

/// Longest key, in bytes; the shortest is 1.
pub const KEY_BYTES: usize = 1024;

/// A key of up to so many bytes is its own salt; a longer one is hashed to 64, which no key that is
/// its own salt can equal (BEP 44: salts of up to 64 bytes).
pub const PLAIN_KEY_BYTES: usize = 63;

/// Life of a record that is put without one.
pub const DEFAULT_TTL: Duration = Duration::from_secs(7 * 24 * 3600);

/// Longest life of a record.
pub const MAX_TTL: Duration = Duration::from_secs(365 * 24 * 3600);

/// Nodes that shall hold each record (BEP 5: K = 8).
pub const DEFAULT_REPLICAS: usize = 8;

/// Most replicas that a network can be set to: what a lookup can end with.
pub const MAX_REPLICAS: usize = 20;

/// Holders refuse versions that lie so far ahead of their clock.
pub const VERSION_AHEAD: Duration = Duration::from_secs(3600);

/// A version that few holders tell of without an item is believed up to so far ahead of our clock:
/// whoever writes above it stays within [`VERSION_AHEAD`] of theirs though ours is half an hour fast.
pub const HEARSAY_AHEAD: Duration = Duration::from_secs(VERSION_AHEAD.as_secs() / 2);

/// Below this all versions stay: one widespread client cannot count further.
pub const VERSION_END: u64 = 1 << 53;

/// Longest content type, in bytes.
pub const CONTENT_TYPE_BYTES: usize = 128;

/// How often a node looks after all that it keeps, about; and half as long an item is left alone that
/// somebody looked after.
pub const ROUND_EVERY: Duration = Duration::from_secs(3600);

/// A node that starts with items looks after them within so long: spread, since many may start at
/// once.
pub const FIRST_ROUND_WITHIN: Duration = Duration::from_secs(120);

/// So long after somebody near came or went a round begins, at the latest after twice as long.
pub const CHANGE_SETTLES: Duration = Duration::from_secs(5);

/// Rounds in which nobody lacked anything make the next change wait longer, at most so long: seven
/// doublings. With five, behind boxes that forget, nodes with 900 items said 2.8 datagrams a second for ever.
pub const CHANGE_SETTLES_MAX: Duration = Duration::from_secs(640);

/// Kept items that a round looks at in one go ...
pub const SLICE: usize = 64;

/// ... and the pause before the next: 6,400 items a second at most.
pub const SLICE_EVERY: Duration = Duration::from_millis(10);

/// Offers of items to other holders on their way at once, and waiting.
pub const OFFERS: usize = 16;

/// Items on their way to other holders at once.
pub const HAND_OFFS: usize = 128;

/// Items on their way to one other holder at once.
pub const HAND_OFFS_PER_CONTACT: usize = 16;

/// Sets up to so many members are compared member by member, larger ones part by part first.
pub const COMPARED_WHOLE: usize = 2 * MEMBER_OFFERS_PER_QUERY;

/// Parts of sets that wait to be compared with those of other holders, before a round pauses.
pub const COMPARISONS: usize = 256;

/// After so many silences in one round what a contact was offered is not offered once more.
pub const ROUND_SILENCES: u8 = 3;

/// Contacts remembered that understand no offers of sets ...
pub const NO_SETS: usize = 1024;

/// ... for so long.
pub const NO_SETS_FOR: Duration = Duration::from_secs(24 * 3600);

/// Items that wait to be looked after by a lookup of their own.
pub const REFRESHES: usize = 65_536;

/// From one such lookup to the next: each asks ten nodes or so. At ten a second, worlds under the rules of
/// Mainline said 73 datagrams a node and second for as long as neighbours changed.
pub const REFRESH_EVERY: Duration = Duration::from_secs(1);

/// For so long a lookup has done for an item what holders need who understand no offers.
pub const REFRESH_LASTS: Duration = Duration::from_secs(1800);

/// So long a leaving node hands off what it keeps, unless told otherwise.
pub const LEAVING: Duration = Duration::from_secs(10);

/// Promises of one node. At one look an hour and 25 datagrams each that is 115 datagrams a second.
pub const PROMISES: usize = 16_384;

/// How often the holders of a promised value are looked at, give or take a quarter: a plain value
/// lives two hours from its last put.
pub const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// How soon a promise is looked at again that fares badly, give or take a quarter: most of what may
/// be in the way, such as holders that just died, is over by then ...
pub const LOOK_AGAIN: Duration = Duration::from_secs(300);

/// ... or after this part of its life, if that is sooner.
pub const LOOK_AGAIN_PARTS: u32 = 16;

/// No promise is looked at again sooner than this.
pub const LOOK_AGAIN_LEAST: Duration = Duration::from_secs(1);

/// After a start the first promise is looked at after this time, when the node may have joined.
pub const FIRST_LOOK_AFTER: Duration = Duration::from_secs(10);

/// Promises that are looked at at once ...
pub const LOOKS: usize = 8;

/// ... and the pause between two that begin: 10,000 that are all due take 200 s.
pub const LOOKS_PAUSE: Duration = Duration::from_millis(20);

/// Largest value whose chunks a promise looks after, in bytes: 1,104,586 chunks, whose walk takes over six
/// hours.
pub const PROMISED_BYTES: u64 = 1 << 30;

/// Walks through the chunks of promised values on their way at once; half of them only if a renewal
/// follows, so that none of these waits for a long one that is in no hurry.
pub const WALKS: usize = 8;

/// Chunks of a promised value that are looked at together ...
pub const WALK_BATCH: usize = 16;

/// ... and the pause before the next, for each of the walks on their way: at most 50 chunks a second in
/// all, of about 10 datagrams each way. All of 64 MiB take 23 minutes.
pub const WALK_EVERY: Duration = Duration::from_millis(320);

/// A walk that must be done before a renewal pauses less: all pauses take this part of the promised
/// life at most ...
pub const WALK_WITHIN_PARTS: u32 = 8;

/// ... and chunks are leased for this part of it longer than the record is renewed.
pub const WALK_MARGIN_PARTS: u32 = 8;

/// Shortest life that a promise renews to: a renewal that fails can be tried a few times before the
/// value expires.
pub const LEAST_PROMISED_TTL: Duration = Duration::from_secs(600);

/// Longest passphrase of a secret namespace, in bytes; the shortest is 1.
pub const PASSPHRASE_BYTES: usize = 1024;

/// What is sealed is padded to a multiple of so many bytes, so that its length tells less.
pub const SEALED_STEP: usize = 64;

/// Most bytes that are sealed, padding included: more of them, with what stands around them in the
/// envelope at its widest, do not fit an item.
pub const SEALED_BYTES: usize = 14 * SEALED_STEP;

/// Members that one listing of a set gives at most; more are listed from its cursor on.
pub const LISTING_MEMBERS: usize = 1_000;

/// A listing ends after so long with what it has: the time of a lookup once more.
pub const LISTING_TIME: Duration = Duration::from_secs(30);

/// A holder is not asked for more while so many members that it told wait for slower ones.
pub const LISTING_AHEAD: usize = 64;

/// Members that one listing gives to replicas that lack them: each costs up to a datagram a replica.
pub const LISTING_REPAIRS: usize = 64;

/// Requests at once.
pub const REQUESTS: usize = 2048;

/// Watches at once, each with a question at every replica.
pub const WATCHES: usize = 100;

/// How long a holder is asked to wait, in seconds: less than the 30 s after which many NATs forget who
/// asked (RFC 4787, REQ-5), so that a node that nobody can reach still hears the answer.
pub const WATCH_WAIT_S: u8 = 25;

/// A holder that grants no waits is polled so often in a network of one's own ...
pub const WATCH_POLL: Duration = Duration::from_secs(5);

/// ... and so often in the public one, where most do not.
pub const WATCH_POLL_PUBLIC: Duration = Duration::from_secs(30);

/// After so long it is asked to wait once more: it may have been full, or be another by now.
pub const WATCH_WAIT_AGAIN: Duration = Duration::from_secs(300);

/// Questions in a row that a holder leaves unanswered before it is given up.
pub const WATCH_FAILURES: u8 = 2;

/// How often a watch looks for its replicas if nothing hints that they have changed.
pub const WATCH_LOOK: Duration = Duration::from_secs(300);

/// How soon it looks again if something does; doubles while too few are found ...
pub const WATCH_LOOK_MIN: Duration = Duration::from_secs(5);

/// ... up to this.
pub const WATCH_LOOK_MAX: Duration = Duration::from_secs(60);

const _: () = assert!(WATCH_WAIT_S < wire::limits::WAIT_S);
// Half of a node's queries are left for all else.
const _: () = assert!(2 * WATCHES * MAX_REPLICAS <= node::limits::PENDING);

/// Puts and gets of batches that wait for their turn.
pub const BATCHED_WAITING: usize = 1024;

/// Contacts of each family that batches remember: about 300 KiB.
pub const NEIGHBOURS: usize = 4096;

/// A contact that batches have not heard for so long is asked no more: after 15 minutes a node is
/// questionable (BEP 5), and to learn it again costs next to nothing.
pub const NEIGHBOUR_LIFE: Duration = Duration::from_secs(600);

/// Chunks of large values that wait for their turn.
pub const CHUNKS_WAITING: usize = 4096;

/// A round takes something once more that often, since holders turned out to be gone.
pub const ROUND_REPEATS: u8 = 4;

/// Datagrams on their way at once at most, of all chunks and of all that is batched. A receive buffer
/// of 208 KiB, as Linux grants unless told otherwise, takes about 180 full datagrams or 500 short ones.
pub const WINDOW_MAX: usize = 256;

/// Datagrams that may always be on their way: nodes that are gone slow a transfer only so much.
pub const WINDOW_MIN: usize = 64;

/// What a chunk that is put counts in the window: one datagram to each replica.
pub const CHUNK_PUT_WEIGHT: usize = 8;

/// What a chunk that is fetched counts in the window: its answer is a full datagram.
pub const CHUNK_GET_WEIGHT: usize = 2;

/// The window halves at most so often: one burst that was lost counts once.
pub const WINDOW_HALVES_EVERY: Duration = Duration::from_millis(500);

const _: () = assert!(PLAIN_KEY_BYTES < wire::limits::SALT_BYTES);
const _: () = assert!(MAX_TTL.as_secs() == node::limits::MEMBER_LIFE.as_secs());
const _: () = assert!(MAX_REPLICAS <= wire::limits::NODES_PER_LIST);
const _: () = assert!(LOOK_EVERY.as_secs() * 5 / 4 < node::limits::PLAIN_LEASE.as_secs());
const _: () = assert!(2 * REQUESTS <= node::limits::OPERATIONS);
