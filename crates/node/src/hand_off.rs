//! Between holders: which of my items do you lack? A node answers such offers, and a store above
//! makes them (see [`Command::Offer`](crate::Command::Offer)).
//!
//! Whoever offers gets a token for our own place, with which it may put all that is wanted.

use alloc::vec::Vec;
use core::hash::Hasher;

use siphasher::sip::SipHasher13;
use wire::member::offer::{MemberOffer, MemberOffers, SetOffer, SetOffers};
use wire::offer::{Bits, Offer, Offers};
use wire::{Contact, Endpoint, Family, Item, NodeId, Query, Target};

use crate::ask::Question as Ask;
use crate::operation::{Answer, Event, OperationId};
use crate::outbox::Outbox;
use crate::pending::Purpose;
use crate::serve::Asked;
use crate::shelf::{Admission, Verdict};
use crate::state::Node;
use crate::time::{Instant, Now, UnixMillis};

/// Most contacts that are looked at as holders of one item.
const MOST_HOLDERS: usize = 20;

/// What one contact is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferOf {
    /// Items, at most [`OFFERS_PER_QUERY`](wire::limits::OFFERS_PER_QUERY).
    Items(Vec<Offer>),
    /// Sets or parts of them, at most [`SET_OFFERS_PER_QUERY`](wire::limits::SET_OFFERS_PER_QUERY).
    Sets(Vec<SetOffer>),
    /// Members of the set at this place, at most
    /// [`MEMBER_OFFERS_PER_QUERY`](wire::limits::MEMBER_OFFERS_PER_QUERY).
    Members(Target, Vec<MemberOffer>),
}

/// A contact that should hold an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub contact: Contact,
    /// Whether it understands offers and may hold sets: it carried our network's tag, or said in Mainline
    /// that it is Xorbit.
    pub is_xorbit: bool,
}

impl<A: Admission> Node<A> {
    pub(crate) fn serve_offer(
        &mut self,
        asked: &Asked<'_>,
        offers: Offers<'_>,
        from: &NodeId,
        outbox: &mut Outbox,
    ) {
        let (wall, known) = (self.lease_wall(asked.now), self.knows(from, &asked.from));
        let (mut wanted, mut newer) = (Bits::default(), Bits::default());
        for (index, offer) in offers.iter().enumerate() {
            match self.items.judge_offer(&offer, wall) {
                Verdict::Wanted => wanted.set(index),
                Verdict::Newer => newer.set(index),
                // Only whom we know to live keeps us from looking after an item ourselves, and not
                // for all items: nobody shall let an item die by saying again and again that all is
                // well with it.
                Verdict::Same if known && self.heeds(&offer.target, asked.now.monotonic) => {
                    self.items.looked_after(&offer.target, asked.now.monotonic.as_secs());
                }
                Verdict::Same => {}
            }
        }
        self.answer_offer(asked, wanted, newer, outbox);
    }

    /// Whether others may look after an item in our place: seven of eight, another eighth each hour.
    pub(crate) fn heeds(&self, target: &Target, now: Instant) -> bool {
        let mut hasher = SipHasher13::new_with_key(&self.heeding);
        hasher.write(target.as_bytes());
        hasher.write_u32(now.as_secs() / 3600);
        !hasher.finish().is_multiple_of(8)
    }

    /// Offers something to one contact for a caller.
    pub(crate) fn offer(
        &mut self,
        operation: OperationId,
        contact: Contact,
        of: &OfferOf,
        now: Instant,
        outbox: &mut Outbox,
    ) {
        let bytes = match of {
            OfferOf::Items(items) => Offers::encode(items),
            OfferOf::Sets(sets) => SetOffers::encode(sets),
            OfferOf::Members(_, members) => MemberOffers::encode(members),
        };
        let query = match of {
            OfferOf::Items(_) => Offers::read(&bytes).map(|offers| Query::Offer { offers }),
            OfferOf::Sets(_) => SetOffers::read(&bytes).map(|sets| Query::OfferSets { sets }),
            OfferOf::Members(target, _) => MemberOffers::read(&bytes)
                .map(|members| Query::OfferMembers { target: *target, members }),
        };
        let sent = query.is_ok_and(|query| {
            let (purpose, expected) = (Purpose::Ask(operation), Some(contact.id));
            self.ask(Ask { to: contact.endpoint, expected, query: &query, purpose }, now, outbox)
        });
        if !sent {
            self.events.push_back(Event::Answered(operation, Answer::Silent));
        }
    }

    /// Rises whenever somebody who may share items with us came or went.
    pub fn neighbourhood_changes(&self) -> u64 {
        self.tables.iter().map(crate::table::Table::near_changes).sum()
    }

    /// Which contacts should hold an item if it lies on the `most` closest nodes, closest first; and
    /// whether we are one of these nodes, which we are not if we are `leaving`.
    pub fn holders(&self, target: &Target, most: usize, leaving: bool) -> (Vec<Holder>, bool) {
        let point = target.point();
        let mut holders: Vec<Holder> = Family::ALL
            .iter()
            .flat_map(|family| {
                let closest = self.tables[*family as usize].closest_likely::<MOST_HOLDERS>(&point);
                let holder = |entry: crate::table::Entry| Holder {
                    contact: entry.contact(),
                    is_xorbit: entry.is_xorbit(),
                };
                closest.iter().map(holder).collect::<Vec<_>>()
            })
            .collect();
        holders.sort_by_key(|holder| point.distance(&holder.contact.id.point()));
        holders.dedup_by_key(|holder| holder.contact.id);
        holders.truncate(most);
        let own = point.distance(&self.id().point());
        let last = holders.last().map(|holder| point.distance(&holder.contact.id.point()));
        let belongs = holders.len() < most || last.is_none_or(|last| own < last);
        let among = belongs && !leaving && !self.is_read_only();
        if among && holders.len() == most {
            holders.pop();
        }
        (holders, among)
    }

    /// Whether a contact stays where it is though it was silent: so much gets lost that this says little.
    pub fn is_likely(&self, contact: &Contact) -> bool {
        self.tables[contact.endpoint.family() as usize].is_likely(contact)
    }

    /// Whether anything lies on our shelf.
    pub fn holds_for_others(&self) -> bool {
        !self.items.is_empty() || !self.members.is_empty()
    }

    /// Whether puts wait for the disk: what they bring will be kept once it is there.
    pub fn is_storing(&self) -> bool {
        !self.acknowledgements.is_empty()
    }

    /// All targets whose items are kept to their end, in order.
    pub fn kept_targets(&self) -> Vec<Target> {
        self.items.kept_targets()
    }

    /// What may be offered of a kept item, and the second in which somebody last looked after it.
    pub fn offerable(&mut self, target: &Target, now: Now) -> Option<(Offer, u32)> {
        let wall = self.lease_wall(now);
        self.items.offerable(target, wall)
    }

    /// Somebody looked after a kept item just now: it is on those that should hold it.
    pub fn looked_after(&mut self, target: &Target, now: Instant) {
        self.items.looked_after(target, now.as_secs());
    }

    /// A kept item with the end of its lease.
    pub fn kept_item(&mut self, target: &Target, now: Now) -> Option<(Item, UnixMillis)> {
        let wall = self.lease_wall(now);
        let item = self.items.get(target, wall)?.clone();
        Some((item, self.items.kept_until(target)?))
    }

    /// A kept item is safe with others and need not stay here: it goes when room runs out.
    pub fn release(&mut self, target: &Target) {
        self.items.release(target);
    }

    /// Whether a contact lives, as far as our table knows.
    pub(crate) fn knows(&self, id: &NodeId, endpoint: &Endpoint) -> bool {
        let entry = self.tables[endpoint.family() as usize].get(id);
        entry.is_some_and(|entry| entry.endpoint == *endpoint)
    }
}
