//! What single nodes hold, asked of each by the datagrams of a stranger.

use kv::Namespace;
use node::{Method, Outbox, UnixMillis};
use wire::item::Signed;
use wire::message::Speaker;
use wire::{
    Endpoint, Found, Item, Message, NodeId, Query, Reply, ReplyKind, Seq, Target, TransactionId,
    Unverified, Want,
};

use super::World;

/// The seed of a signer who is nobody's namespace by name.
pub const ITEM_SIGNER_SEED: [u8; 32] = [42; 32];

/// What a node holds under a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub seq: u64,
    /// The bencoded value.
    pub value: Vec<u8>,
    pub item: Item,
}

impl World {
    /// The nodes closest to a target, closest first, of those that hold for others.
    pub fn closest(&self, target: &Target, count: usize) -> Vec<usize> {
        let holding = |index: &usize| !self.members[*index].kv.node().is_read_only();
        let mut order: Vec<usize> = (0..self.members.len()).filter(holding).collect();
        order.sort_by_key(|index| target.point().distance(&self.id(*index).point()));
        order.truncate(count);
        order
    }

    /// Like [`World::closest`], of those that are up.
    pub fn closest_living(&self, target: &Target, count: usize) -> Vec<usize> {
        let mut order = self.closest(target, usize::MAX);
        order.retain(|index| !self.members[*index].down);
        order.truncate(count);
        order
    }

    /// How many offers of other holders a node has answered.
    pub fn answered_offers(&self, node: usize) -> u64 {
        self.members[node].kv.node().counters().answered_to(Method::Offer)
    }

    /// All nodes but the `count` closest.
    pub fn far_from(&self, target: &Target, count: usize) -> Vec<usize> {
        let near = self.closest(target, count);
        (0..self.members.len()).filter(|index| !near.contains(index)).collect()
    }

    pub fn id(&self, node: usize) -> NodeId {
        self.members[node].kv.node().id()
    }

    /// What a node holds of a record, seen from outside.
    pub fn held(&mut self, node: usize, key: &str) -> Option<Held> {
        self.held_item(node, super::asking::target(key), key.as_bytes())
    }

    /// What a node holds under a target, seen from outside.
    pub fn held_item(&mut self, node: usize, target: Target, salt: &[u8]) -> Option<Held> {
        let (found, _) = self.ask_for(node, target, salt);
        found
    }

    /// The versions that these nodes hold of a record; 0 where nothing is held.
    pub fn versions(&mut self, nodes: &[usize], key: &str) -> Vec<u64> {
        nodes.iter().map(|node| self.held(*node, key).map_or(0, |held| held.seq)).collect()
    }

    /// Gives a node an item as a stranger would; the error's code if it refuses.
    pub fn give(
        &mut self,
        node: usize,
        item: &Item,
        salt: &[u8],
        cas: Option<Seq>,
    ) -> Result<(), i64> {
        self.give_as(node, item, salt, cas, None)
    }

    /// Gives a node a chunk to keep until then.
    pub fn give_leased(&mut self, node: usize, chunk: &Item, until: UnixMillis) -> Result<(), i64> {
        self.give_as(node, chunk, b"", None, i64::try_from(until.0).ok())
    }

    /// Until when a node keeps a chunk.
    pub fn lease_at(&mut self, node: usize, chunk: &Item) -> Option<UnixMillis> {
        let newer_than = Some(Seq::default());
        let query = Query::Get { target: chunk.target(), newer_than, want: Want::default() };
        let answer = self.ask(node, &query);
        let Ok(Message::Reply(reply)) = Message::read(&answer) else { return None };
        match reply.read_as(ReplyKind::Item) {
            Ok((_, Reply::Item { found: Found::Version(seq), .. })) => {
                Some(UnixMillis(seq.get().unsigned_abs()))
            }
            _ => None,
        }
    }

    fn give_as(
        &mut self,
        node: usize,
        item: &Item,
        salt: &[u8],
        cas: Option<Seq>,
        lease: Option<i64>,
    ) -> Result<(), i64> {
        let (_, token) = self.ask_for(node, item.target(), salt);
        let item = item.as_ref().as_unverified();
        let query = Query::Put { item, cas, lease, token: &token, target: None };
        let answer = self.ask(node, &query);
        match Message::read(&answer) {
            Ok(Message::Reply(_)) => Ok(()),
            Ok(Message::Error(error)) => Err(error.code),
            other => panic!("a put was answered by {other:?}"),
        }
    }

    /// A record of the default namespace as one of its writers could sign it.
    pub fn record(key: &str, seq: u64, value: &[u8], expires: u64, until: Option<u64>) -> Item {
        let mut envelope = b"\xd8XR\x01d1:d".to_vec();
        envelope.extend(format!("{}:", value.len()).bytes());
        envelope.extend(value);
        envelope.extend(format!("1:ei{expires}e").bytes());
        envelope.extend(until.map_or(String::new(), |until| format!("1:li{until}e")).bytes());
        envelope.push(b'e');
        let namespace = Namespace::default();
        let signer = namespace.signer().expect("an open namespace can be written");
        let seq = i64::try_from(seq).ok().and_then(Seq::new).expect("a small version");
        let value = wire::item::byte_string(&envelope);
        Item::mutable(signer, key.as_bytes(), seq, &value).expect("a small value")
    }

    fn ask_for(&mut self, node: usize, target: Target, salt: &[u8]) -> (Option<Held>, Vec<u8>) {
        let query = Query::Get { target, newer_than: None, want: Want::default() };
        let answer = self.ask(node, &query);
        let Ok(Message::Reply(reply)) = Message::read(&answer) else {
            panic!("a get was not answered")
        };
        let (_, reply) = reply.read_as(ReplyKind::Item).expect("an answer to a get");
        let Reply::Item { token, found, .. } = reply else { panic!("an answer to a get") };
        let held = match found {
            Found::Item(item) => {
                let signed = item.signed.map(|signed| Signed { salt, ..signed });
                let item = Unverified { signed, ..item };
                let item = item.verify().expect("holders hold what is sound");
                assert_eq!(item.target(), target);
                let seq = item.seq().map_or(0, |seq| seq.get().unsigned_abs());
                Some(Held { seq, value: item.value().to_vec(), item: item.to_item() })
            }
            _ => None,
        };
        (held, token.expect("a token").to_vec())
    }

    /// Asks a node from an address of no node, past the network.
    pub(super) fn ask(&mut self, node: usize, query: &Query<'_>) -> Vec<u8> {
        let stranger = Endpoint::v4([10, 255, 0, 1], 9);
        let speaker = Speaker { id: NodeId::new([0xee; 20]), network: None, read_only: true };
        let mut buffer = [0; 2048];
        let length = speaker.write_query(TransactionId(1), query, &mut buffer);
        let length = length.expect("a query fits a datagram");
        let now = self.now_at(node);
        let mut outbox = Outbox::default();
        self.members[node].kv.datagram(now, stranger, &buffer[..length], &mut outbox);
        let mut answers = outbox.datagrams().filter(|(to, _)| *to == stranger);
        let (_, answer) = answers.next().expect("every node answers");
        answer.to_vec()
    }
}
