//! Offers to holders, and puts of what they lack: few on their way at once, to each and in all.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hashbrown::HashMap;
use node::{Answer, Command, Destination, Instant, Now, OfferOf, Outbox, Outcome, Written};
use wire::limits::OFFERS_PER_QUERY;
use wire::offer::Offer;
use wire::{Contact, Cursor, NodeId, Target};

use super::round::Piece;
use crate::limits::{HAND_OFFS, HAND_OFFS_PER_CONTACT, OFFERS};
use crate::put::CONFLICTS;
use crate::request::RequestId;
use crate::state::{Kv, Operation};

/// An offer that was sent.
pub(crate) struct Offering {
    pub(super) contact: Contact,
    pub(super) of: OfferOf,
}

/// An item, or a member of a set, that a holder wants.
pub(crate) struct HandOff {
    pub contact: Contact,
    pub token: Box<[u8]>,
    pub target: Target,
    pub member: Option<Cursor>,
}

/// Something on its way to a holder.
#[derive(Clone, Copy)]
pub(crate) struct Handed {
    pub(super) contact: NodeId,
    pub(super) target: Target,
    pub(super) member: Option<Cursor>,
}

/// What waits to be sent, and how much is on its way.
#[derive(Default)]
pub(crate) struct Delivery {
    /// Offers that gather until they fill a query.
    gathering: HashMap<NodeId, (Contact, Vec<Offer>), foldhash::fast::FixedState>,
    ready: VecDeque<Offering>,
    /// Offers on their way, those of sets and members too.
    pub(super) offering: usize,
    waiting: VecDeque<HandOff>,
    /// Hand-offs on their way to each contact.
    under_way: HashMap<NodeId, usize, foldhash::fast::FixedState>,
    handing_off: usize,
}

impl Delivery {
    /// Adds an offer to what a contact is told next.
    pub fn offer(&mut self, contact: Contact, offer: Offer) {
        let gathering = self.gathering.entry(contact.id);
        let (_, offers) = gathering.or_insert_with(|| (contact, Vec::new()));
        offers.push(offer);
        if offers.len() >= OFFERS_PER_QUERY
            && let Some((contact, full)) = self.gathering.remove(&contact.id)
        {
            self.ready.push_back(Offering { contact, of: OfferOf::Items(full) });
        }
    }

    /// Sends what has gathered though it does not fill a query.
    pub fn flush(&mut self) {
        let mut rest: Vec<(Contact, Vec<Offer>)> =
            self.gathering.drain().map(|(_, rest)| rest).collect();
        rest.sort_by_key(|(contact, _)| contact.id);
        let offering = |(contact, rest)| Offering { contact, of: OfferOf::Items(rest) };
        self.ready.extend(rest.into_iter().map(offering));
    }

    /// Lets something wait for its turn.
    pub fn hand_off(&mut self, hand_off: HandOff) {
        self.waiting.push_back(hand_off);
    }

    /// Whether so much waits to be handed off that nothing should be added.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= HAND_OFFS
    }

    /// Whether so much waits that nothing should be added.
    pub fn is_busy(&self) -> bool {
        self.ready.len() >= OFFERS || self.is_full()
    }

    /// Whether nothing waits or is on its way.
    pub fn is_idle(&self) -> bool {
        self.gathering.is_empty()
            && self.ready.is_empty()
            && self.waiting.is_empty()
            && self.offering + self.handing_off == 0
    }

    /// Drops items and offers of items that were not sent yet.
    pub fn forget_waiting(&mut self) {
        self.gathering.clear();
        self.ready.clear();
        self.waiting.retain(|hand_off| hand_off.member.is_some());
    }

    /// The next item whose receiver is not busy.
    fn next_hand_off(&mut self) -> Option<HandOff> {
        if self.handing_off >= HAND_OFFS {
            return None;
        }
        let free = |hand_off: &HandOff| {
            let under_way = self.under_way.get(&hand_off.contact.id);
            under_way.is_none_or(|under_way| *under_way < HAND_OFFS_PER_CONTACT)
        };
        let place = self.waiting.iter().position(free)?;
        let hand_off = self.waiting.remove(place)?;
        *self.under_way.entry(hand_off.contact.id).or_default() += 1;
        self.handing_off += 1;
        Some(hand_off)
    }

    fn ended(&mut self, contact: &NodeId) {
        self.handing_off = self.handing_off.saturating_sub(1);
        if let Some(under_way) = self.under_way.get_mut(contact) {
            *under_way -= 1;
            if *under_way == 0 {
                self.under_way.remove(contact);
            }
        }
    }
}

impl Kv {
    /// Sends what waits, as far as it may.
    pub(super) fn deliver(&mut self, now: Now, outbox: &mut Outbox) {
        while self.upkeep.delivery.offering < OFFERS
            && let Some(offering) = self.upkeep.delivery.ready.pop_front()
        {
            self.send_offering(now, offering, outbox);
        }
        self.compare_sets(now, outbox);
        while let Some(hand_off) = self.upkeep.delivery.next_hand_off() {
            let HandOff { contact, token, target, member } = hand_off;
            let handed = Handed { contact: contact.id, target, member };
            let Some(written) = self.what_to_hand_off(now, &handed) else {
                self.upkeep.delivery.ended(&contact.id);
                if member.is_some() {
                    self.step_ended(&contact.id, &target);
                }
                continue;
            };
            let to = [Destination::Node { contact, token, cas: None }].into();
            let (command, operation) = (Command::Write { written, to }, Operation::HandOff(handed));
            self.command_node(now, RequestId::NOBODYS, operation, command, outbox);
        }
    }

    /// Sends an offer.
    pub(super) fn send_offering(&mut self, now: Now, offering: Offering, outbox: &mut Outbox) {
        self.upkeep.delivery.offering += 1;
        let command = Command::Offer { to: offering.contact, of: offering.of.clone() };
        let operation = Operation::Offer(Box::new(offering));
        self.command_node(now, RequestId::NOBODYS, operation, command, outbox);
    }

    /// What was wanted, unless it ended meanwhile or its receiver takes no more.
    fn what_to_hand_off(&mut self, now: Now, handed: &Handed) -> Option<Written> {
        let Handed { contact, target, member } = handed;
        let Some(cursor) = member else {
            let (item, until) = self.node_mut().kept_item(target, now)?;
            let lease = item.seq().is_none().then_some(until);
            return Some(Written::Item { item, lease });
        };
        if self.upkeep.sets.takes_no_more(contact, target) {
            return None;
        }
        self.node_mut().kept_member(target, cursor, now).map(Written::Member)
    }

    /// A contact answered an offer, or did not.
    pub(crate) fn offer_answered(
        &mut self,
        now: Now,
        offering: Offering,
        answer: Answer,
        outbox: &mut Outbox,
    ) {
        self.upkeep.delivery.offering = self.upkeep.delivery.offering.saturating_sub(1);
        let Offering { contact, of } = offering;
        match of {
            OfferOf::Items(offers) => self.items_answered(contact, offers, answer, now.monotonic),
            OfferOf::Sets(offers) => self.sets_answered(now, contact, &offers, &answer),
            OfferOf::Members(target, offers) => {
                self.members_answered(contact, target, &offers, &answer);
            }
        }
        self.keep_up(now, outbox);
    }

    fn items_answered(
        &mut self,
        contact: Contact,
        offers: Vec<Offer>,
        answer: Answer,
        now: Instant,
    ) {
        match answer {
            Answer::Offered { token: Some(token), wanted, newer } => {
                for (index, offer) in offers.iter().enumerate() {
                    let (token, target) = (token.clone(), offer.target);
                    if wanted.get(index) {
                        self.upkeep.pace.is_needed();
                        let hand_off = HandOff { contact, token, target, member: None };
                        self.upkeep.delivery.hand_off(hand_off);
                    } else if newer.get(index) {
                        self.upkeep.refreshes.add(target);
                    } else {
                        self.is_held_by(&contact.id, &target);
                    }
                }
            }
            Answer::Silent => self.items_unanswered(contact, offers),
            // It understands no offers, or answers them in a way that is none.
            _ => {
                let refreshes = &mut self.upkeep.refreshes;
                let targets = offers.iter().map(|offer| offer.target);
                targets.for_each(|target| refreshes.add_for_foreign(target, now));
            }
        }
    }

    /// Offers were not answered: they got lost, or the holder's place is another's now.
    fn items_unanswered(&mut self, contact: Contact, offers: Vec<Offer>) {
        let likely = self.node().is_likely(&contact);
        let Some(round) = &mut self.upkeep.round else { return };
        if likely && round.is_silent(contact.id) {
            let again = Offering { contact, of: OfferOf::Items(offers) };
            self.upkeep.delivery.ready.push_back(again);
        } else {
            round.once_more(offers.iter().map(|offer| Piece::Item(offer.target)));
        }
    }

    /// An item or a member was handed off, or not.
    pub(crate) fn handed_off(
        &mut self,
        now: Now,
        handed: &Handed,
        outcome: Option<&Outcome>,
        outbox: &mut Outbox,
    ) {
        self.upkeep.delivery.ended(&handed.contact);
        match outcome {
            _ if handed.member.is_some() => self.member_handed_off(handed, outcome),
            Some(Outcome::Stored) => self.is_held_by(&handed.contact, &handed.target),
            Some(Outcome::Refused { code, .. }) if CONFLICTS.contains(code) => {
                self.upkeep.refreshes.add(handed.target);
            }
            _ => {}
        }
        self.keep_up(now, outbox);
    }
}
