//! Every bound of the wire, in one place, with its unit and where it comes from.

/// Length of a node id, info hash or target, in bytes (BEP 5).
pub const ID_BYTES: usize = 20;

/// Largest datagram we read, in bytes. Ethernet's 1,500 less the IPv4 and UDP headers is 1,472; the
/// room above serves jumbo frames and loopback, where peers may send more than BEP 32's 1,024.
pub const DATAGRAM_BYTES: usize = 2048;

/// Largest reply with a value that we send, in bytes: stays unfragmented on IPv6 (1,452) with room
/// for a network seal.
pub const VALUE_REPLY_BYTES: usize = 1400;

/// Largest reply without a value that we send, in bytes (BEP 32, "Maximum packet size").
pub const PLAIN_REPLY_BYTES: usize = 1024;

/// Largest bencoded form of an item's value, in bytes (BEP 44: larger ones may be refused).
pub const VALUE_BYTES: usize = 1000;

/// Largest salt of a mutable item, in bytes (BEP 44).
pub const SALT_BYTES: usize = 64;

/// Longest transaction id of a stranger that we echo, in bytes. Seen in the field: 2 to 8.
pub const TRANSACTION_BYTES: usize = 32;

/// Longest write token of a stranger that we carry, in bytes. Seen in the field: 4, 8 and 20.
pub const TOKEN_BYTES: usize = 64;

/// Longest wait that a `get` may ask for, in seconds. Many NATs forget who asked after 30 s of silence
/// (RFC 4787, REQ-5, wants two minutes).
pub const WAIT_S: u8 = 30;
/// Largest item of a set's member, in bytes: two of them fit one page beside their signatures.
pub const MEMBER_ITEM_BYTES: usize = 512;

/// Largest wire form of a member, in bytes: the item, 96 bytes of key and signature, three numbers of
/// 19 digits, and the names around them.
pub const MEMBER_BYTES: usize = MEMBER_ITEM_BYTES + 208;

/// Bytes of members in one reply, as much as the largest value of an item may have.
pub const MEMBERS_BYTES: usize = VALUE_BYTES;

/// Members in one reply: one with an item of a single byte takes at least 128 bytes.
pub const MEMBERS_PER_REPLY: usize = 8;

/// How deep lists and dictionaries may nest. The messages of the BEPs need 4.
pub const BENCODE_DEPTH: u32 = 64;

/// Contacts in one node list of a reply that we read. BEP 5 says 8, two families of clients send 20.
pub const NODES_PER_LIST: usize = 32;

/// Peers in one reply that we read.
pub const PEERS_PER_REPLY: usize = 256;

/// Info hashes in one `sample_infohashes` reply that we read.
pub const SAMPLES_PER_REPLY: usize = 100;

/// Bytes of an error's text that we keep.
pub const ERROR_TEXT_BYTES: usize = 128;

const _: () = assert!(VALUE_REPLY_BYTES < DATAGRAM_BYTES);
const _: () = assert!(MEMBER_BYTES <= MEMBERS_BYTES);
const _: () = assert!(PLAIN_REPLY_BYTES <= VALUE_REPLY_BYTES);

/// Items that one holder offers another in one query: 28 bytes each, so that it stays within 1,024.
pub const OFFERS_PER_QUERY: usize = 30;

/// Sets, or parts of sets, that one holder offers another in one query: 32 bytes each.
pub const SET_OFFERS_PER_QUERY: usize = 26;

/// Members that one holder offers another in one query: 28 bytes each, beside the set's target.
pub const MEMBER_OFFERS_PER_QUERY: usize = OFFERS_PER_QUERY;

/// Bytes of the digest of a part of a set: two that differ in spite of one digest take 2^44 tries,
/// and whoever finds such hides no more than which of their own members a holder lacks.
pub const SET_DIGEST_BYTES: usize = 11;

const _: () = assert!(SET_OFFERS_PER_QUERY <= OFFERS_PER_QUERY);
