//! Nodes that answer every question with what a story has them say.

use std::time::Duration;

use node::UnixMillis;
use wire::member::MembersBuffer;
use wire::message::Speaker;
use wire::{
    Endpoint, Found, Item, Member, Message, NetworkTag, NodeId, NodeLists, Query, QueryMessage,
    Reply, Seq, Target, TransactionId,
};

use super::World;

/// What a liar says that it holds, whatever it is asked for.
#[derive(Clone)]
pub enum Says {
    Nothing,
    /// It once held this version.
    Version(u64),
    /// It once held a version that lies so far ahead of the true time at each question.
    Ahead(Duration),
    Item(Item),
    /// The item with another value under its signature.
    Forged(Item),
    /// Something of a set.
    OfSet(OfSet),
}

/// What a liar, or a foreign node, says of a set.
#[derive(Clone)]
pub enum OfSet {
    /// It is no Xorbit, and refuses.
    ForeignRefusal,
    /// It is no Xorbit, and does not answer what it does not know.
    ForeignSilence,
    /// It is Xorbit and does not answer.
    Silence,
    /// Always this page, with more behind it or not.
    Page(Vec<Member>, bool),
}

/// A node that says what it is told to. To every put it says that it stored.
pub struct Liar {
    id: NodeId,
    says: Says,
    network: Option<NetworkTag>,
    /// How many offers of sets it was sent.
    offers: usize,
}

impl World {
    /// Puts a liar closer to a target than any honest node, and introduces it to all.
    pub fn add_liar(&mut self, target: &Target, number: u8, says: Says) -> NodeId {
        let mut close = *target.as_bytes();
        close[19] ^= 1 + number;
        let id = NodeId::new(close);
        let place = Endpoint::v4([10, 99, 0, number], 8000);
        let network = self.members[0].kv.node().network().tag();
        let speaker =
            Speaker { id, network: network.filter(|_| !says.is_foreign()), read_only: false };
        let mut buffer = [0; 512];
        let length = speaker.write_query(TransactionId(0), &Query::Ping, &mut buffer);
        let ping = buffer[..length.expect("a ping is short")].to_vec();
        self.liars.insert(place, Liar { id, says, network, offers: 0 });
        for node in 0..self.members.len() {
            let to = self.place(node);
            self.fly(place, to, ping.clone());
        }
        id
    }

    /// How many offers of sets a liar, by its number, was sent.
    pub fn offers_heard(&self, number: u8) -> usize {
        self.liars.get(&Endpoint::v4([10, 99, 0, number], 8000)).map_or(0, |liar| liar.offers)
    }

    /// Lets a liar answer, if there is one at this address.
    pub(super) fn liar_hears(&mut self, at: Endpoint, from: Endpoint, datagram: &[u8]) {
        let wall = self.wall();
        let Some(liar) = self.liars.get_mut(&at) else { return };
        let Ok(Message::Query(question)) = Message::read(datagram) else { return };
        liar.offers += usize::from(matches!(question.query, Query::OfferSets { .. }));
        let liar = &*liar;
        let (nodes, token) = (NodeLists::default(), Some(&b"a token"[..]));
        let reply = match question.query {
            Query::FindNode { .. } => Reply::Nodes(nodes),
            Query::Get { .. } => Reply::Item { nodes, token, found: liar.says.found(wall) },
            Query::Members { .. } => match liar.says.page() {
                Some((members, more)) => {
                    let members = Some(members.as_list());
                    let reply = Reply::Members { nodes, token, members, more, num: 7 };
                    let bytes = liar.write(&reply, &question, &from);
                    return self.fly(at, from, bytes);
                }
                None => {
                    let refusal = liar.refuse(&question, &from);
                    return refusal.into_iter().for_each(|bytes| self.fly(at, from, bytes));
                }
            },
            _ => Reply::Ack,
        };
        let answer = liar.write(&reply, &question, &from);
        self.fly(at, from, answer);
    }
}

impl Liar {
    fn speaker(&self) -> Speaker {
        let network = self.network.filter(|_| !self.says.is_foreign());
        Speaker { id: self.id, network, read_only: false }
    }

    fn write(&self, reply: &Reply<'_>, question: &QueryMessage<'_>, to: &Endpoint) -> Vec<u8> {
        let mut buffer = [0; 2048];
        let length = self.speaker().write_reply(question.transaction, to, reply, &mut buffer);
        let mut answer = buffer[..length.expect("a reply fits a datagram")].to_vec();
        if self.says.is_foreign() {
            let version = answer.windows(4).position(|bytes| bytes == b"Xo\x00\x01");
            let version = version.expect("every message tells its version");
            answer[version..version + 4].copy_from_slice(b"LT\x02\x00");
        }
        answer
    }

    /// The refusal of a question for members, unless it is passed over in silence.
    fn refuse(&self, question: &QueryMessage<'_>, to: &Endpoint) -> Option<Vec<u8>> {
        if matches!(self.says, Says::OfSet(OfSet::Silence | OfSet::ForeignSilence)) {
            return None;
        }
        let mut buffer = [0; 256];
        let speaker = self.speaker();
        let text = "Method Unknown";
        let length = speaker.write_error(question.transaction, to, 204, text, &mut buffer)?;
        Some(buffer[..length].to_vec())
    }
}

impl Says {
    fn is_foreign(&self) -> bool {
        matches!(self, Says::OfSet(OfSet::ForeignRefusal | OfSet::ForeignSilence))
    }

    /// A page, whatever was asked for; `None`: it answers no questions for members.
    fn page(&self) -> Option<(MembersBuffer, bool)> {
        let Says::OfSet(OfSet::Page(members, more)) = self else { return None };
        let mut page = MembersBuffer::default();
        assert!(members.iter().all(|member| page.push(member.as_ref())));
        Some((page, *more))
    }

    fn found(&self, wall: UnixMillis) -> Found<'_> {
        let version = |number: u64| {
            let version = i64::try_from(number).ok().and_then(Seq::new);
            Found::Version(version.expect("a small version"))
        };
        match self {
            Says::Nothing | Says::OfSet(_) => Found::Nothing,
            Says::Version(number) => version(*number),
            Says::Ahead(ahead) => version((wall + *ahead).0 * 1000),
            Says::Item(item) => Found::Item(item.as_ref().as_unverified()),
            Says::Forged(item) => {
                let item = item.as_ref().as_unverified();
                Found::Item(wire::Unverified { value: b"6:forged", ..item })
            }
        }
    }
}
