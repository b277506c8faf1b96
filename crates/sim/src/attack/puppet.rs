//! What a member says: as an honest node would, until a scheme has it say something else.

use wire::compact::NodesBuffer;
use wire::offer::Bits;
use wire::{
    CompactPeers, Contact, Family, Found, Item, MemberList, NodeId, NodeLists, Point, Query, Reply,
    Seq,
};

use super::Gang;
use super::hostile::Asked;

/// Contacts that honest nodes name.
const NAMED: usize = 8;

/// The token that members give: they take any.
const TOKEN: &[u8] = b"a token!";

/// What a member shows of an item that it is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Shown {
    /// Nothing.
    #[default]
    Nothing,
    /// That it held this version once.
    Version(Seq),
    /// This item.
    Item(Box<Item>),
}

/// What a member says to a question. Of it goes onto the wire what belongs to the question.
#[derive(Clone, Debug, PartialEq)]
pub struct Says {
    /// As whom it answers.
    pub id: NodeId,
    /// Whom it names, 23 at most.
    pub named: Vec<Contact>,
    /// What it shows.
    pub shown: Shown,
}

impl Gang {
    /// What an honest node in a member's place would say, with a view of all.
    pub fn behave(&mut self, asked: &Asked<'_>) -> Says {
        let mut says = Says { id: asked.member.id, named: Vec::new(), shown: Shown::Nothing };
        if let Query::Put { item, .. } = asked.message.query {
            self.keep(item);
        }
        if let Some(target) = target(&asked.message.query) {
            says.named = self.closest(&target, NAMED);
        }
        if let Query::Get { target, .. } | Query::WaitingGet { target, .. } = asked.message.query
            && let Some(item) = self.shelf.get(&target)
        {
            says.shown = Shown::Item(Box::new(item.clone()));
        }
        says
    }

    /// Keeps an item, unless a higher version of it is there.
    pub fn keep(&mut self, item: wire::Unverified<'_>) {
        // A gang need not check what it was given by those that check themselves.
        let Some(item) = item.claim().trusted() else { return };
        let older = |known: &Item| known.seq() < item.seq();
        if self.shelf.get(&item.target()).is_none_or(older) {
            self.shelf.insert(item.target(), item.to_item());
        }
    }
}

/// The place that a question is about.
pub(super) fn target(query: &Query<'_>) -> Option<Point> {
    match query {
        Query::FindNode { target, .. } | Query::SampleInfohashes { target, .. } => Some(*target),
        Query::GetPeers { info_hash, .. } => Some(info_hash.point()),
        Query::Get { target, .. }
        | Query::WaitingGet { target, .. }
        | Query::Members { target, .. } => Some(target.point()),
        _ => None,
    }
}

/// The datagram that says this.
pub(super) fn write(gang: &Gang, asked: &Asked<'_>, says: &Says) -> Option<Vec<u8>> {
    let mut list = NodesBuffer::new(Family::V4);
    says.named.iter().for_each(|contact| list.push(&contact.id, &contact.endpoint));
    let nodes = NodeLists { v4: Some(list.as_nodes()), v6: None };
    let token = Some(TOKEN);
    let (mut buffer, speaker) = ([0; 2048], gang.speaker(says.id));
    let (transaction, to) = (asked.message.transaction, &asked.from);
    let reply = match asked.message.query {
        Query::FindNode { .. } => Reply::Nodes(nodes),
        Query::GetPeers { .. } => {
            Reply::Peers { nodes, token, values: CompactPeers::default(), filters: None }
        }
        Query::Get { .. } | Query::WaitingGet { .. } => {
            Reply::Item { nodes, token, found: found(&says.shown) }
        }
        Query::SampleInfohashes { .. } => {
            Reply::Samples { nodes, interval_s: 60, num: 0, samples: Some(&[]) }
        }
        Query::Members { .. } => {
            let members = Some(MemberList::default());
            Reply::Members { nodes, token, members, more: false, num: 0 }
        }
        Query::Offer { .. } | Query::OfferSets { .. } | Query::OfferMembers { .. } => {
            Reply::Offered { token, wanted: Bits::default(), newer: Bits::default() }
        }
        Query::Ping | Query::Put { .. } | Query::Add { .. } | Query::AnnouncePeer { .. } => {
            Reply::Ack
        }
        Query::Unknown => {
            let text = "method unknown";
            let length = speaker.write_error(transaction, to, 204, text, &mut buffer)?;
            return Some(buffer[..length].to_vec());
        }
    };
    let length = speaker.write_reply(transaction, to, &reply, &mut buffer)?;
    Some(buffer[..length].to_vec())
}

fn found(shown: &Shown) -> Found<'_> {
    match shown {
        Shown::Nothing => Found::Nothing,
        Shown::Version(seq) => Found::Version(*seq),
        Shown::Item(item) => Found::Item(item.as_ref().as_ref().as_unverified()),
    }
}
