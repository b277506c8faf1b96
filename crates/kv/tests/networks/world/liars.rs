//! Nodes that answer every question with what a story has them say.

use wire::message::Speaker;
use wire::{
    Endpoint, Found, Item, Message, NetworkTag, NodeId, NodeLists, Query, Reply, Seq, Target,
    TransactionId,
};

use super::World;

/// What a liar says that it holds, whatever it is asked for.
#[derive(Clone)]
pub enum Says {
    Nothing,
    /// It once held this version.
    Version(u64),
    Item(Item),
    /// The item with another value under its signature.
    Forged(Item),
}

/// A node that says what it is told to. To every put it says that it stored.
pub struct Liar {
    id: NodeId,
    says: Says,
    network: Option<NetworkTag>,
}

impl World {
    /// Puts a liar closer to a target than any honest node, and introduces it to all.
    pub fn add_liar(&mut self, target: &Target, number: u8, says: Says) -> NodeId {
        let mut close = *target.as_bytes();
        close[19] ^= 1 + number;
        let id = NodeId::new(close);
        let place = Endpoint::v4([10, 99, 0, number], 8000);
        let network = self.members[0].kv.node().network().tag();
        let speaker = Speaker { id, network, read_only: false };
        let mut buffer = [0; 512];
        let length = speaker.write_query(TransactionId(0), &Query::Ping, &mut buffer);
        let ping = buffer[..length.expect("a ping is short")].to_vec();
        self.liars.insert(place, Liar { id, says, network });
        for node in 0..self.members.len() {
            let to = self.place(node);
            self.fly(place, to, ping.clone());
        }
        id
    }

    /// Lets a liar answer, if there is one at this address.
    pub(super) fn liar_hears(&mut self, at: Endpoint, from: Endpoint, datagram: &[u8]) {
        let Some(liar) = self.liars.get(&at) else { return };
        let Ok(Message::Query(question)) = Message::read(datagram) else { return };
        let (nodes, token) = (NodeLists::default(), Some(&b"a token"[..]));
        let reply = match question.query {
            Query::FindNode { .. } => Reply::Nodes(nodes),
            Query::Get { .. } => Reply::Item { nodes, token, found: liar.says.found() },
            _ => Reply::Ack,
        };
        let speaker = Speaker { id: liar.id, network: liar.network, read_only: false };
        let mut buffer = [0; 2048];
        let length = speaker.write_reply(question.transaction, &from, &reply, &mut buffer);
        let answer = buffer[..length.expect("a reply fits a datagram")].to_vec();
        self.fly(at, from, answer);
    }
}

impl Says {
    fn found(&self) -> Found<'_> {
        match self {
            Says::Nothing => Found::Nothing,
            Says::Version(version) => {
                let version = i64::try_from(*version).ok().and_then(Seq::new);
                Found::Version(version.expect("a small version"))
            }
            Says::Item(item) => Found::Item(item.as_ref().as_unverified()),
            Says::Forged(item) => {
                let item = item.as_ref().as_unverified();
                Found::Item(wire::Unverified { value: b"6:forged", ..item })
            }
        }
    }
}
