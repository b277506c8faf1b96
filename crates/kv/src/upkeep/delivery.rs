//! Offers to holders, and puts of what they lack: few on their way at once, to each and in all.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hashbrown::HashMap;
use node::{Answer, Command, Destination, Now, Outbox, Outcome, Written};
use wire::limits::OFFERS_PER_QUERY;
use wire::offer::Offer;
use wire::{Contact, NodeId, Target};

use crate::limits::{HAND_OFFS, HAND_OFFS_PER_CONTACT, OFFERS};
use crate::put::CONFLICTS;
use crate::request::RequestId;
use crate::state::{Kv, Operation};

/// An offer that was sent.
pub(crate) struct Offering {
    contact: Contact,
    offers: Vec<Offer>,
}

/// An item that a holder wants.
pub(crate) struct HandOff {
    contact: Contact,
    token: Box<[u8]>,
    target: Target,
}

/// What waits to be sent, and how much is on its way.
#[derive(Default)]
pub(crate) struct Delivery {
    /// Offers that gather until they fill a query.
    gathering: HashMap<NodeId, Offering, foldhash::fast::FixedState>,
    ready: VecDeque<Offering>,
    offering: usize,
    waiting: VecDeque<HandOff>,
    /// Hand-offs on their way to each contact.
    under_way: HashMap<NodeId, usize, foldhash::fast::FixedState>,
    handing_off: usize,
}

impl Delivery {
    /// Adds an offer to what a contact is told next.
    pub fn offer(&mut self, contact: Contact, offer: Offer) {
        let gathering = self
            .gathering
            .entry(contact.id)
            .or_insert_with(|| Offering { contact, offers: Vec::new() });
        gathering.offers.push(offer);
        if gathering.offers.len() >= OFFERS_PER_QUERY
            && let Some(full) = self.gathering.remove(&contact.id)
        {
            self.ready.push_back(full);
        }
    }

    /// Sends what has gathered though it does not fill a query.
    pub fn flush(&mut self) {
        let mut rest: Vec<Offering> = self.gathering.drain().map(|(_, rest)| rest).collect();
        rest.sort_by_key(|offering| offering.contact.id);
        self.ready.extend(rest);
    }

    /// Whether so much waits that nothing should be added.
    pub fn is_busy(&self) -> bool {
        self.ready.len() >= OFFERS || self.waiting.len() >= HAND_OFFS
    }

    /// Whether nothing waits or is on its way.
    pub fn is_idle(&self) -> bool {
        self.gathering.is_empty()
            && self.ready.is_empty()
            && self.waiting.is_empty()
            && self.offering + self.handing_off == 0
    }

    /// Drops what was not sent yet.
    pub fn forget_waiting(&mut self) {
        self.gathering.clear();
        self.ready.clear();
        self.waiting.clear();
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
            self.upkeep.delivery.offering += 1;
            let command = Command::Offer { to: offering.contact, offers: offering.offers.clone() };
            let operation = Operation::Offer(Box::new(offering));
            self.command_node(now, RequestId::NOBODYS, operation, command, outbox);
        }
        while let Some(hand_off) = self.upkeep.delivery.next_hand_off() {
            let Some((item, until)) = self.node_mut().kept_item(&hand_off.target, now) else {
                self.upkeep.delivery.ended(&hand_off.contact.id);
                continue;
            };
            let HandOff { contact, token, target } = hand_off;
            let lease = item.seq().is_none().then_some(until);
            let command = Command::Write {
                written: Written::Item { item, lease },
                to: [Destination::Node { contact, token, cas: None }].into(),
            };
            let operation = Operation::HandOff(contact.id, target);
            self.command_node(now, RequestId::NOBODYS, operation, command, outbox);
        }
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
        let Offering { contact, offers } = offering;
        match answer {
            Answer::Offered { token: Some(token), wanted, newer } => {
                for (index, offer) in offers.iter().enumerate() {
                    let (token, target) = (token.clone(), offer.target);
                    if wanted.get(index) {
                        let hand_off = HandOff { contact, token, target };
                        self.upkeep.delivery.waiting.push_back(hand_off);
                    } else if newer.get(index) {
                        self.upkeep.refreshes.add(target);
                    } else {
                        self.is_held_by_another(&target);
                    }
                }
            }
            // Its place is another's now.
            Answer::Silent => {
                let targets = offers.iter().map(|offer| offer.target);
                if let Some(round) = &mut self.upkeep.round {
                    round.once_more(targets);
                }
            }
            // It understands no offers, or answers them in a way that is none.
            _ => offers.iter().for_each(|offer| self.upkeep.refreshes.add(offer.target)),
        }
        self.keep_up(now, outbox);
    }

    /// An item was handed off, or not.
    pub(crate) fn handed_off(
        &mut self,
        now: Now,
        contact: &NodeId,
        target: &Target,
        outcome: Option<&Outcome>,
        outbox: &mut Outbox,
    ) {
        self.upkeep.delivery.ended(contact);
        match outcome {
            Some(Outcome::Stored) => self.is_held_by_another(target),
            Some(Outcome::Refused { code, .. }) if CONFLICTS.contains(code) => {
                self.upkeep.refreshes.add(*target);
            }
            _ => {}
        }
        self.keep_up(now, outbox);
    }
}
