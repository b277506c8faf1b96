//! Many addresses that work together: who is in the gang, what it knows, and what it says when it
//! behaves.

use core::time::Duration;
use std::collections::BTreeMap;

use node::Instant;
use wire::message::Speaker;
use wire::{
    Contact, Endpoint, Item, NetworkTag, NodeId, Point, Query, ReplyKind, Scope, Target,
    TransactionId, secure_id,
};

use super::roster::Roster;
use super::{Hand, Tally};
use crate::chance::Chance;

/// Honest nodes near it that each member greets.
const GREETED_NEAR: usize = 24;

/// Greetings that the whole gang sends at a time.
const GREETINGS: usize = 400;

/// After so long, members greet again.
const GREETS_AGAIN: Duration = Duration::from_secs(10 * 60);

/// What an attack finds: whom, and where it may settle.
#[derive(Clone, Debug, Default)]
pub struct Grounds {
    /// Honest nodes.
    pub honest: Vec<Contact>,
    /// Addresses for the members.
    pub places: Vec<Endpoint>,
    /// The tag that the network's messages carry.
    pub network: Option<NetworkTag>,
    /// Places in the key space that matter to somebody.
    pub keys: Vec<Target>,
    /// The address of somebody who is no node.
    pub victim: Option<Endpoint>,
}

/// Members that work together.
pub struct Gang {
    /// Its chance.
    pub chance: Chance,
    /// What it has done.
    pub tally: Tally,
    /// What it was put, by target.
    pub shelf: BTreeMap<Target, Item>,
    /// What it found.
    pub grounds: Grounds,
    /// It behaves until then.
    pub strikes_at: Instant,
    members: Roster,
    known: Roster,
    greetings: Vec<(Endpoint, Endpoint)>,
    greets_at: Instant,
}

impl Gang {
    /// A gang without members, which behaves until `strikes_at`.
    pub fn new(chance: Chance, grounds: Grounds, strikes_at: Instant) -> Self {
        let mut known = Roster::default();
        grounds.honest.iter().for_each(|contact| known.insert(*contact));
        Self {
            chance,
            tally: Tally::default(),
            shelf: BTreeMap::new(),
            grounds,
            strikes_at,
            members: Roster::default(),
            known,
            greetings: Vec::new(),
            greets_at: Instant::default(),
        }
    }

    /// Takes in a member.
    pub fn enlist(&mut self, member: Contact) {
        self.members.insert(member);
    }

    /// All members, in the order of their ids.
    pub fn members(&self) -> &[Contact] {
        self.members.contacts()
    }

    /// The member at an address.
    pub fn member_at(&self, endpoint: Endpoint) -> Option<Contact> {
        self.members.id_at(&endpoint).map(|id| Contact { id, endpoint })
    }

    /// The `count` members closest to a place, closest first.
    pub fn closest_members(&self, target: &Point, count: usize) -> Vec<Contact> {
        self.members.closest(target, count)
    }

    /// Honest nodes, in the order of their ids.
    pub fn known(&self) -> &[Contact] {
        self.known.contacts()
    }

    /// The `count` honest nodes closest to a place, closest first.
    pub fn closest_known(&self, target: &Point, count: usize) -> Vec<Contact> {
        self.known.closest(target, count)
    }

    /// The `count` closest of members and honest nodes, as an honest node with a full view would tell.
    pub fn closest(&self, target: &Point, count: usize) -> Vec<Contact> {
        let mut closest = self.members.closest(target, count);
        closest.extend(self.known.closest(target, count));
        closest.sort_by_key(|contact| target.distance(&contact.id.point()));
        closest.truncate(count);
        closest
    }

    /// An honest node was heard.
    pub(super) fn learn(&mut self, contact: Contact) {
        if self.members.id_at(&contact.endpoint).is_none() {
            self.known.insert(contact);
        }
    }

    /// An id near a place that a node at this address may have: in a network at global addresses the
    /// closest that BEP 42 allows, which leaves the choice of 8 beginnings of 21 bits; elsewhere any.
    pub fn id_near(&mut self, endpoint: &Endpoint, target: &Point) -> NodeId {
        let noise = self.chance.bytes();
        self.id_near_with(noise, endpoint, target)
    }

    /// The same with a choice of the last bits.
    pub fn id_near_with(&self, last: [u8; 5], endpoint: &Endpoint, target: &Point) -> NodeId {
        let mut noise = *target.as_bytes();
        noise[15..].copy_from_slice(&last);
        if !self.must_comply(endpoint) {
            return NodeId::new(noise);
        }
        let candidate = |random: u8| {
            let mut noise = noise;
            noise[19] = noise[19] & 0xf8 | random;
            secure_id::derive(endpoint, noise)
        };
        let closest = (0..8).map(candidate).min_by_key(|id| target.distance(&id.point()));
        closest.unwrap_or(NodeId::new(noise))
    }

    /// Any id that a node at this address may have.
    pub fn any_id(&mut self, endpoint: &Endpoint) -> NodeId {
        let noise = self.chance.bytes();
        if self.must_comply(endpoint) {
            secure_id::derive(endpoint, noise)
        } else {
            NodeId::new(noise)
        }
    }

    /// Whether honest nodes prefer ids that follow from addresses: those of the public network do.
    fn must_comply(&self, endpoint: &Endpoint) -> bool {
        self.grounds.network.is_none() && endpoint.scope() == Scope::Global
    }

    /// An address at which nobody is, of the kind that members have, one of many.
    pub fn nowhere(&self, noise: [u8; 4]) -> Endpoint {
        let [a, b, c, d] = noise;
        let global =
            self.grounds.places.first().is_some_and(|place| place.scope() == Scope::Global);
        match global {
            true => Endpoint::v4([203, a | 1, b, c], 6881 + u16::from(d)),
            false => Endpoint::v4([10, 128 | a, b, c], 20_000 + u16::from(d)),
        }
    }

    /// Who speaks when the member of this id does.
    pub fn speaker(&self, id: NodeId) -> Speaker {
        Speaker { id, network: self.grounds.network, read_only: false }
    }

    /// Sends, and counts it.
    pub fn send(&mut self, hand: &mut Hand<'_>, from: Endpoint, to: Endpoint, bytes: &[u8]) {
        self.tally.sent += 1;
        self.tally.sent_bytes += bytes.len() as u64;
        hand.send(from, to, bytes);
    }

    /// A member asks somebody. What comes back is known by its transaction id, which tells the kind.
    pub fn ask(&mut self, hand: &mut Hand<'_>, member: Contact, to: Endpoint, query: &Query<'_>) {
        let number = self.chance.u64() as u32 >> KIND_BITS;
        let transaction = kind_of(query) << (32 - KIND_BITS) | number;
        let bytes = self.query(member, transaction, query);
        self.send(hand, member.endpoint, to, &bytes);
    }

    /// A query of a member, as it goes onto the wire.
    pub fn query(&self, member: Contact, transaction: u32, query: &Query<'_>) -> Vec<u8> {
        let mut buffer = [0; 2048];
        let speaker = self.speaker(member.id);
        let length = speaker.write_query(TransactionId(transaction), query, &mut buffer);
        buffer[..length.unwrap_or(0)].to_vec()
    }

    /// Greets more of the honest nodes, so that members get known and stay so.
    pub(super) fn greet(&mut self, hand: &mut Hand<'_>, anywhere: usize) {
        if self.greetings.is_empty() && hand.now >= self.greets_at {
            self.greets_at = hand.now + GREETS_AGAIN;
            self.plan_greetings(anywhere);
        }
        for _ in 0..GREETINGS {
            let Some((from, to)) = self.greetings.pop() else { return };
            if let Some(member) = self.member_at(from) {
                self.ask(hand, member, to, &Query::Ping);
            }
        }
    }

    fn plan_greetings(&mut self, anywhere: usize) {
        let members = self.members().to_vec();
        let anywhere = anywhere.min(self.known().len());
        for member in members {
            for near in self.known.closest(&member.id.point(), GREETED_NEAR) {
                self.greetings.push((member.endpoint, near.endpoint));
            }
            for _ in 0..anywhere {
                let Some((_, to)) = self.pair() else { break };
                self.greetings.push((member.endpoint, to.endpoint));
            }
        }
        self.chance.shuffle(&mut self.greetings);
    }
}

/// The first bits of a transaction id tell what kind of reply it awaits.
const KIND_BITS: u32 = 3;

fn kind_of(query: &Query<'_>) -> u32 {
    match query {
        Query::FindNode { .. } => 1,
        Query::GetPeers { .. } => 2,
        Query::Get { .. } | Query::WaitingGet { .. } => 3,
        Query::Members { .. } => 4,
        Query::Offer { .. } | Query::OfferSets { .. } | Query::OfferMembers { .. } => 5,
        Query::Put { .. } | Query::Add { .. } | Query::AnnouncePeer { .. } => 6,
        Query::Ping | Query::SampleInfohashes { .. } | Query::Unknown => 0,
    }
}

/// The kind of reply that a transaction id of a gang's awaits, and whether it is to a write.
pub(super) fn awaited(transaction: TransactionId) -> (ReplyKind, bool) {
    match transaction.0 >> (32 - KIND_BITS) {
        1 => (ReplyKind::Nodes, false),
        2 => (ReplyKind::Peers, false),
        3 => (ReplyKind::Item, false),
        4 => (ReplyKind::Members, false),
        5 => (ReplyKind::Offered, false),
        6 => (ReplyKind::Ack, true),
        _ => (ReplyKind::Ack, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gang(network: Option<NetworkTag>) -> Gang {
        let grounds = Grounds { network, ..Grounds::default() };
        Gang::new(Chance::of(1, "gang"), grounds, Instant::default())
    }

    #[test]
    fn ids_are_ground_as_far_as_the_network_lets_them() {
        let (place, target) = (Endpoint::v4([124, 31, 75, 21], 1), Point::new([0x5a; 20]));
        let ground = gang(None).id_near(&place, &target);
        assert!(secure_id::complies(&ground, &place));
        let mut others = gang(None);
        for _ in 0..50 {
            let other = others.any_id(&place);
            assert!(secure_id::complies(&other, &place));
            assert!(target.distance(&ground.point()) <= target.distance(&other.point()));
        }
        let free = gang(Some(NetworkTag([1; 4]))).id_near(&place, &target);
        assert!(target.shared_bits(&free.point()) >= 120);
    }
}
