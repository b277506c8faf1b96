//! The replies, one variant for each shape. A reply does not say what it answers, so it is read with
//! the [`ReplyKind`] that the pending query expects.

use crate::bencode::{Malformed, Reader, Writer};
use crate::bloom::{BLOOM_BYTES, Bloom};
use crate::compact::{CompactNodes, CompactPeers, Contact};
use crate::endpoint::Family;
use crate::id::{InfoHash, NodeId};
use crate::item::{ItemRef, Seq, Signed, Unverified};
use crate::key::PublicKey;
use crate::limits::{ID_BYTES, SAMPLES_PER_REPLY, TOKEN_BYTES};
use crate::member::MemberList;
use crate::offer::Bits;

/// What shape of reply a query expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// To `ping`, `announce_peer` and `put`.
    Ack,
    /// To `find_node`.
    Nodes,
    /// To `get_peers`.
    Peers,
    /// To `get`.
    Item,
    /// To `sample_infohashes`.
    Samples,
    /// To `offer`, `offer_sets` and `offer_members`.
    Offered,
    /// To `members`.
    Members,
}

/// The contacts of a reply; a family that was not wanted is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct NodeLists<'a> {
    /// `nodes`.
    pub v4: Option<CompactNodes<'a>>,
    /// `nodes6`.
    pub v6: Option<CompactNodes<'a>>,
}

/// What a `get` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nothing is held there.
    Nothing,
    /// Something is held whose version is not above the one the asker has.
    Version(Seq),
    /// The item, to be verified.
    Item(Unverified<'a>),
}

/// A reply and its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// Yes.
    Ack,
    /// Contacts near the target.
    Nodes(NodeLists<'a>),
    /// Peers and contacts.
    Peers {
        /// Contacts near the info hash.
        nodes: NodeLists<'a>,
        /// Lets the asker announce itself; absent when the topic is full.
        token: Option<&'a [u8]>,
        /// Peers of the asker's family.
        values: CompactPeers<'a>,
        /// Filters of seeds and of other peers, to a scrape (BEP 33).
        filters: Option<(&'a [u8; BLOOM_BYTES], &'a [u8; BLOOM_BYTES])>,
    },
    /// An item and contacts.
    Item {
        /// Contacts near the target.
        nodes: NodeLists<'a>,
        /// Lets the asker put; absent: nothing can be stored here.
        token: Option<&'a [u8]>,
        /// The item, if held.
        found: Found<'a>,
    },
    /// Info hashes that the node holds peers of (BEP 51).
    Samples {
        /// Contacts near the target.
        nodes: NodeLists<'a>,
        /// For so many seconds the sample stays the same.
        interval_s: i64,
        /// How many info hashes are held in all.
        num: i64,
        /// A random sample of them, 20 bytes each; absent: the node does not support the query.
        samples: Option<&'a [u8]>,
    },
    /// Which of the items, parts of sets or members offered the node lacks.
    Offered {
        /// Lets the asker put all of them.
        token: Option<&'a [u8]>,
        /// Those it wants.
        wanted: Bits,
        /// Those of which it holds or remembers a higher version.
        newer: Bits,
    },
    /// Members of a set and contacts.
    Members {
        /// Contacts near the target.
        nodes: NodeLists<'a>,
        /// Lets the asker add.
        token: Option<&'a [u8]>,
        /// The members, to be verified; absent: the node does not support the query.
        members: Option<MemberList<'a>>,
        /// There are more behind the last of them.
        more: bool,
        /// How many are held in all, removed ones that are remembered included.
        num: i64,
    },
}

impl<'a> Reply<'a> {
    /// The contacts in it, of both families.
    pub fn nodes(&self) -> impl Iterator<Item = Contact> + use<'a> {
        let lists = match self {
            Reply::Ack | Reply::Offered { .. } => NodeLists::default(),
            Reply::Nodes(nodes)
            | Reply::Samples { nodes, .. }
            | Reply::Peers { nodes, .. }
            | Reply::Item { nodes, .. }
            | Reply::Members { nodes, .. } => *nodes,
        };
        [lists.v4, lists.v6].into_iter().flatten().flat_map(|list| list.iter())
    }

    /// The token in it, by which the asker may write.
    pub fn token(&self) -> Option<&'a [u8]> {
        match self {
            Reply::Peers { token, .. }
            | Reply::Item { token, .. }
            | Reply::Offered { token, .. }
            | Reply::Members { token, .. } => *token,
            Reply::Ack | Reply::Nodes(_) | Reply::Samples { .. } => None,
        }
    }

    /// Reads the `r` dictionary as `kind`, with the id of the sender. Fields of other kinds are
    /// ignored; a field whose form is broken counts as absent, so that one odd extra does not make
    /// a whole answer worthless.
    pub(crate) fn read(kind: ReplyKind, body: &'a [u8]) -> Result<(NodeId, Self), Malformed> {
        let values = Values::read(body)?;
        let id = values.id.and_then(NodeId::read).ok_or(Malformed)?;
        let nodes = values.nodes();
        let token = values.token.filter(|token| token.len() <= TOKEN_BYTES && !token.is_empty());
        let reply = match kind {
            ReplyKind::Ack => Reply::Ack,
            ReplyKind::Nodes => Reply::Nodes(nodes),
            ReplyKind::Peers => Reply::Peers {
                nodes,
                token,
                values: values.values.unwrap_or_default(),
                filters: match (values.seeds, values.peers) {
                    (Some(seeds), Some(peers)) => seeds.try_into().ok().zip(peers.try_into().ok()),
                    _ => None,
                },
            },
            ReplyKind::Item => Reply::Item { nodes, token, found: values.found() },
            ReplyKind::Samples => Reply::Samples {
                nodes,
                interval_s: values.interval_s.unwrap_or(0),
                num: values.num.unwrap_or(0),
                samples: values.samples.filter(|bytes| bytes.len().is_multiple_of(ID_BYTES)),
            },
            ReplyKind::Offered => {
                let bits = |bytes: Option<&[u8]>| Bits::read(bytes.unwrap_or_default());
                Reply::Offered { token, wanted: bits(values.wanted), newer: bits(values.newer) }
            }
            ReplyKind::Members => Reply::Members {
                nodes,
                token,
                members: values.members.and_then(MemberList::read),
                more: values.more == Some(1),
                num: values.num.unwrap_or(0),
            },
        };
        Ok((id, reply))
    }

    /// Writes the `r` dictionary, keys in order.
    pub(crate) fn write_body(&self, id: &NodeId, writer: &mut Writer<'_>) {
        writer.raw(b"d");
        match self {
            Reply::Ack => writer.entry(b"id", id.as_bytes()),
            Reply::Nodes(nodes) => {
                writer.entry(b"id", id.as_bytes());
                write_nodes(nodes, writer);
            }
            Reply::Peers { nodes, token, values, filters } => {
                if let Some((seeds, peers)) = filters {
                    writer.entry(b"BFpe", *peers);
                    writer.entry(b"BFsd", *seeds);
                }
                writer.entry(b"id", id.as_bytes());
                write_nodes(nodes, writer);
                write_token(*token, writer);
                if !values.is_empty() {
                    writer.string(b"values");
                    writer.raw(b"l");
                    writer.raw(values.as_bytes());
                    writer.raw(b"e");
                }
            }
            Reply::Item { nodes, token, found } => write_item(id, nodes, *token, found, writer),
            Reply::Samples { nodes, interval_s, num, samples } => {
                writer.entry(b"id", id.as_bytes());
                writer.integer_entry(b"interval", *interval_s);
                write_nodes(nodes, writer);
                writer.integer_entry(b"num", *num);
                if let Some(samples) = samples {
                    writer.entry(b"samples", samples);
                }
            }
            Reply::Offered { token, wanted, newer } => {
                writer.entry(b"id", id.as_bytes());
                writer.entry(b"newer", newer.as_bytes());
                write_token(*token, writer);
                writer.entry(b"wanted", wanted.as_bytes());
            }
            Reply::Members { nodes, token, members, more, num } => {
                writer.entry(b"id", id.as_bytes());
                if let Some(members) = members {
                    writer.string(b"members");
                    writer.raw(b"l");
                    writer.raw(members.as_bytes());
                    writer.raw(b"e");
                }
                if *more {
                    writer.integer_entry(b"more", 1);
                }
                write_nodes(nodes, writer);
                writer.integer_entry(b"num", *num);
                write_token(*token, writer);
            }
        }
        writer.raw(b"e");
    }
}

/// The info hashes of a sample, at most [`SAMPLES_PER_REPLY`].
pub fn samples(bytes: &[u8]) -> impl Iterator<Item = InfoHash> + use<'_> {
    bytes.chunks_exact(ID_BYTES).filter_map(InfoHash::read).take(SAMPLES_PER_REPLY)
}

/// The filters of a scrape, ready to be united.
pub fn blooms(filters: (&[u8; BLOOM_BYTES], &[u8; BLOOM_BYTES])) -> Option<(Bloom, Bloom)> {
    Some((Bloom::read(filters.0)?, Bloom::read(filters.1)?))
}

impl<'a> From<ItemRef<'a>> for Found<'a> {
    fn from(item: ItemRef<'a>) -> Self {
        Found::Item(item.as_unverified())
    }
}

fn write_item(
    id: &NodeId,
    nodes: &NodeLists<'_>,
    token: Option<&[u8]>,
    found: &Found<'_>,
    writer: &mut Writer<'_>,
) {
    let signed = match found {
        Found::Item(item) => item.signed.as_ref(),
        _ => None,
    };
    writer.entry(b"id", id.as_bytes());
    if let Some(signed) = signed {
        writer.entry(b"k", signed.key.as_bytes());
    }
    write_nodes(nodes, writer);
    if let Some(signed) = signed {
        writer.integer_entry(b"seq", signed.seq.get());
        writer.entry(b"sig", &signed.signature);
    } else if let Found::Version(seq) = found {
        writer.integer_entry(b"seq", seq.get());
    }
    write_token(token, writer);
    if let Found::Item(item) = found {
        writer.string(b"v");
        writer.raw(item.value);
    }
}

fn write_nodes(nodes: &NodeLists<'_>, writer: &mut Writer<'_>) {
    if let Some(list) = &nodes.v4 {
        writer.entry(b"nodes", list.as_bytes());
    }
    if let Some(list) = &nodes.v6 {
        writer.entry(b"nodes6", list.as_bytes());
    }
}

fn write_token(token: Option<&[u8]>, writer: &mut Writer<'_>) {
    if let Some(token) = token {
        writer.entry(b"token", token);
    }
}

/// All values of all replies, between one pass over the dictionary and the typed reply.
#[derive(Default)]
struct Values<'a> {
    id: Option<&'a [u8]>,
    interval_s: Option<i64>,
    key: Option<&'a [u8]>,
    newer: Option<&'a [u8]>,
    members: Option<&'a [u8]>,
    more: Option<i64>,
    nodes4: Option<&'a [u8]>,
    nodes6: Option<&'a [u8]>,
    num: Option<i64>,
    peers: Option<&'a [u8]>,
    samples: Option<&'a [u8]>,
    seeds: Option<&'a [u8]>,
    seq: Option<i64>,
    signature: Option<&'a [u8]>,
    token: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    values: Option<CompactPeers<'a>>,
    wanted: Option<&'a [u8]>,
}

impl<'a> Values<'a> {
    fn read(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut found = Self::default();
        let mut entries = Reader::new(body).dictionary()?;
        while let Some(key) = entries.next_key()? {
            let raw = entries.reader.raw()?;
            let string = || Reader::new(raw).string().ok();
            let integer = || Reader::new(raw).integer().ok();
            match key {
                b"BFpe" => found.peers = string(),
                b"BFsd" => found.seeds = string(),
                b"id" => found.id = string(),
                b"interval" => found.interval_s = integer(),
                b"k" => found.key = string(),
                b"newer" => found.newer = string(),
                b"members" => found.members = Some(raw),
                b"more" => found.more = integer(),
                b"nodes" => found.nodes4 = string(),
                b"nodes6" => found.nodes6 = string(),
                b"num" => found.num = integer(),
                b"samples" => found.samples = string(),
                b"seq" => found.seq = integer(),
                b"sig" => found.signature = string(),
                b"token" => found.token = string(),
                b"v" => found.value = Some(raw),
                b"values" => {
                    let inside = raw.strip_prefix(b"l").and_then(|raw| raw.strip_suffix(b"e"));
                    found.values = inside.map(CompactPeers::new);
                }
                b"wanted" => found.wanted = string(),
                _ => {}
            }
        }
        Ok(found)
    }

    fn nodes(&self) -> NodeLists<'a> {
        NodeLists {
            v4: self.nodes4.and_then(|bytes| CompactNodes::read(bytes, Family::V4)),
            v6: self.nodes6.and_then(|bytes| CompactNodes::read(bytes, Family::V6)),
        }
    }

    fn found(&self) -> Found<'a> {
        let seq = self.seq.and_then(Seq::new);
        let Some(value) = self.value else {
            return seq.map_or(Found::Nothing, Found::Version);
        };
        let key = self.key.and_then(|key| key.try_into().ok()).map(PublicKey::new);
        let signature = self.signature.and_then(|signature| signature.try_into().ok());
        let signed = match (key, seq, signature) {
            // The salt is not in the reply: the asker knows it.
            (Some(key), Some(seq), Some(signature)) => {
                Some(Signed { key, salt: &[], seq, signature })
            }
            _ => None,
        };
        Found::Item(Unverified { value, signed })
    }
}
