//! What a lookup finds on its way, and what it comes to.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use wire::item::Signed;
use wire::{Contact, Endpoint, Family, Found, Item, KnownKeys, Reply, Unverified};

use super::Lookup;
use crate::limits::{LOOKUP_ITEMS, LOOKUP_PEERS};
use crate::operation::{Ended, Holds, LookupResult, Question, Responder};
use crate::pending::CandidateId;
use crate::time::Instant;
use crate::walk::Walk;

impl Lookup {
    /// A candidate told of a contact; `true` if it was new.
    pub(super) fn told(&mut self, by: CandidateId, contact: Contact) -> bool {
        let family = contact.endpoint.family();
        if self.walks[family as usize].is_none() {
            self.walks[family as usize] = Some(self.new_walk());
        }
        let Some(walk) = &mut self.walks[family as usize] else { return false };
        match family == by.family {
            true => walk.told(by.candidate, contact),
            false => walk.told_from_afar(contact),
        }
    }

    /// What the answering node holds; with a verified item that was not known yet. An item that
    /// does not verify makes the whole answer worthless.
    pub(super) fn take_item(
        &mut self,
        reply: &Reply<'_>,
        by: Contact,
        keys: &mut KnownKeys,
    ) -> Result<(Holds, Option<Item>), wire::Refusal> {
        let Question::Item { target, salt, .. } = &self.question else {
            return Ok((Holds::Nothing, None));
        };
        let item = match reply {
            Reply::Item { found: Found::Item(item), .. } => item,
            // Without the item a version is hearsay; a holder remembers it of an item that has ended.
            Reply::Item { found: Found::Version(seq), .. } => {
                return Ok((Holds::Version(*seq), None));
            }
            _ => return Ok((Holds::Nothing, None)),
        };
        // Replicas are mostly the same, byte for byte: each different item is verified once.
        if let Some(index) = self.items.iter().position(|known| is_same(known, item)) {
            return Ok((Holds::Item(index), None));
        }
        let item = item.verify_for(target, salt, keys)?.to_item();
        if self.items.len() < LOOKUP_ITEMS {
            self.items.push(item.clone());
            self.found_at.push(by);
            return Ok((Holds::Item(self.items.len() - 1), Some(item)));
        }
        let Some(index) = self.place_of_older(&item) else {
            return Ok((item.seq().map_or(Holds::Nothing, Holds::Version), None));
        };
        self.items[index] = item.clone();
        self.found_at[index] = by;
        Ok((Holds::Item(index), Some(item)))
    }

    /// The place of the oldest item, if it is older than `item`; who holds it holds just a version
    /// from then on. So old copies, however many, cannot keep the newest out.
    fn place_of_older(&mut self, item: &Item) -> Option<usize> {
        let (index, oldest) =
            self.items.iter().map(Item::seq).enumerate().min_by_key(|(_, seq)| *seq)?;
        let oldest = oldest.filter(|oldest| Some(*oldest) < item.seq())?;
        for responder in self.responders.values_mut() {
            if responder.holds == Holds::Item(index) {
                responder.holds = Holds::Version(oldest);
            }
        }
        Some(index)
    }

    /// The peers in a reply that were not known yet; filters are united.
    pub(super) fn take_peers(&mut self, reply: &Reply<'_>) -> Vec<Endpoint> {
        let Reply::Peers { values, filters, .. } = reply else { return Vec::new() };
        if let Some((seeds, others)) = filters.and_then(wire::reply::blooms) {
            let all = self.filters.get_or_insert_default();
            all.0.unite(&seeds);
            all.1.unite(&others);
        }
        let mut new = Vec::new();
        for peer in values.iter() {
            if self.peers.len() < LOOKUP_PEERS && self.peers.insert(peer) {
                new.push(peer);
            }
        }
        new
    }

    pub(super) fn into_result(mut self, ended: Ended, now: Instant) -> LookupResult {
        let mut closest: Vec<Responder> = Vec::new();
        let mut silent: Vec<Contact> = Vec::new();
        let mut hops = 0;
        for family in Family::ALL {
            let Some(walk) = &self.walks[family as usize] else { continue };
            for (place, candidate) in walk.closest_answered().enumerate() {
                if place == 0 {
                    hops = hops.max(walk.hop(candidate));
                }
                // A node that answers in both families counts once.
                if let Some(responder) = self.responders.remove(&(family, candidate))
                    && closest.iter().all(|known| known.contact.id != responder.contact.id)
                {
                    closest.push(responder);
                }
            }
            silent.extend(walk.closest_silent());
        }
        let distance = |contact: &Contact| self.target.distance(&contact.id.point());
        closest.sort_by_key(|responder| distance(&responder.contact));
        silent.retain(|quiet| closest.iter().all(|known| known.contact.id != quiet.id));
        silent.sort_by_key(distance);
        // Nor does a node twice that is silent in both.
        silent.dedup_by_key(|contact| contact.id);
        LookupResult {
            target: self.target,
            ended,
            closest,
            silent,
            items: self.items,
            found_at: self.found_at,
            filters: self.filters,
            asked: self.walks.iter().flatten().map(Walk::messages).sum(),
            answered: self.walks.iter().flatten().map(Walk::answers).sum(),
            hops,
            fell_silent: self.fell_silent,
            took: now.since(self.started),
        }
    }
}

fn is_same(known: &Item, item: &Unverified<'_>) -> bool {
    let known = known.as_ref();
    let key = |signed: &Signed<'_>| (signed.key, signed.seq, signed.signature);
    known.value() == item.value && known.signed().map(key) == item.signed.as_ref().map(key)
}

/// An error's text for people: unreadable characters replaced.
pub(crate) fn readable(text: &[u8]) -> Box<str> {
    String::from_utf8_lossy(text).into()
}
