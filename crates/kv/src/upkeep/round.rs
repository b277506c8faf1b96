//! One round: which items and sets must be looked after, and who should hold them.

use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};
use node::{Instant, Now, Outbox};
use wire::{Cursor, NodeId, Target};

use crate::limits::{ROUND_EVERY, SET_SILENCES, SLICE, SLICE_EVERY};
use crate::state::Kv;

/// What a round goes through, in the order of the key space.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Piece {
    Item(Target),
    Set(Target),
}

impl Piece {
    fn target(&self) -> &Target {
        match self {
            Piece::Item(target) | Piece::Set(target) => target,
        }
    }
}

/// All of these, both in the order of the key space.
fn pieces(items: &[Target], sets: &[Target]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(items.len() + sets.len());
    pieces.extend(items.iter().copied().map(Piece::Item));
    pieces.extend(sets.iter().copied().map(Piece::Set));
    // Two sorted runs, which this finds and merges.
    pieces.sort_by(|one, other| one.target().cmp(other.target()));
    pieces
}

/// A round on its way.
pub(crate) struct Round {
    /// What was kept when it began, in the order of the key space.
    pieces: Vec<Piece>,
    next: usize,
    /// What has a holder that turned out to be gone: there is another one now.
    again: Vec<Piece>,
    /// What was taken once more already: whoever goes silent, no round lasts for ever.
    repeated: HashSet<Piece, foldhash::fast::FixedState>,
    slice_at: Instant,
    began: Instant,
    leaving: bool,
    /// How many holders of a target have not yet said that they hold it; only of targets that we do
    /// not belong to, or that we leave.
    missing: HashMap<Target, usize, foldhash::fast::FixedState>,
    /// The same of sets: who has not yet said so; `None`: not offered yet.
    sets_missing: HashMap<Target, Option<Vec<NodeId>>, foldhash::fast::FixedState>,
    /// Members that a holder refused, in the last round only.
    refused: HashSet<(Target, Cursor), foldhash::fast::FixedState>,
    /// How often contacts were silent to offers of sets.
    silences: HashMap<NodeId, u8, foldhash::fast::FixedState>,
}

impl Round {
    pub fn new(items: &[Target], sets: &[Target], now: Instant) -> Self {
        Self {
            pieces: pieces(items, sets),
            next: 0,
            again: Vec::new(),
            repeated: HashSet::default(),
            slice_at: now,
            began: now,
            leaving: false,
            missing: HashMap::default(),
            sets_missing: HashMap::default(),
            refused: HashSet::default(),
            silences: HashMap::default(),
        }
    }

    /// The last round, before we leave.
    pub fn leaving(items: &[Target], sets: &[Target], now: Instant) -> Self {
        // What was not looked at by the end was not handed over.
        let missing = items.iter().map(|target| (*target, usize::MAX)).collect();
        let sets_missing = sets.iter().map(|target| (*target, None)).collect();
        Self { leaving: true, missing, sets_missing, ..Self::new(items, sets, now) }
    }

    /// When the next items are due.
    pub fn deadline(&self) -> Option<Instant> {
        (!self.is_through()).then_some(self.slice_at)
    }

    /// Whether all items have been offered.
    pub fn is_through(&self) -> bool {
        self.next >= self.pieces.len() && self.again.is_empty()
    }

    /// Takes these once more, but none a third time.
    pub fn once_more(&mut self, pieces: impl Iterator<Item = Piece>) {
        let repeated = &mut self.repeated;
        self.again.extend(pieces.filter(|piece| repeated.insert(*piece)));
    }

    /// Whether it is the last.
    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// The second in which it began.
    pub fn began_s(&self) -> u32 {
        self.began.as_secs()
    }

    /// Items that some of the nodes that should hold them are not known to hold.
    pub fn unsafe_items(&self) -> usize {
        self.missing.len()
    }

    /// Sets that some of the nodes that should hold them are not known to hold as we do.
    pub fn unsafe_sets(&self) -> impl Iterator<Item = &Target> {
        self.sets_missing.keys()
    }

    /// Members of other sets that somebody refused.
    pub fn unsafe_members(&self) -> usize {
        let safe = |(target, _): &&(Target, Cursor)| !self.sets_missing.contains_key(target);
        self.refused.iter().filter(safe).count()
    }

    /// These shall hold a set that we need not hold.
    pub fn set_is_offered(&mut self, target: Target, holders: Vec<NodeId>) {
        self.sets_missing.insert(target, Some(holders));
    }

    /// A holder has all that we have of a set. Tells whether all that should hold it do now.
    pub fn set_is_held_by(&mut self, holder: &NodeId, target: &Target) -> bool {
        let Some(Some(missing)) = self.sets_missing.get_mut(target) else { return false };
        let before = missing.len();
        missing.retain(|other| other != holder);
        missing.is_empty() && before > 0
    }

    /// Nobody need hold a set who does not.
    pub fn set_is_safe(&mut self, target: &Target) {
        self.sets_missing.remove(target);
    }

    /// A holder refused a member.
    pub fn member_is_refused(&mut self, target: Target, member: Cursor) {
        if self.leaving {
            self.refused.insert((target, member));
        }
    }

    /// A contact did not answer offers of sets. Tells whether these may be offered once more.
    pub fn is_silent(&mut self, contact: NodeId) -> bool {
        let silences = self.silences.entry(contact).or_default();
        *silences = silences.saturating_add(1);
        *silences < SET_SILENCES
    }
}

impl Kv {
    /// Offers the next items, if it is time and the offers before are on their way.
    pub(super) fn go_on_with_round(&mut self, now: Now, outbox: &mut Outbox) {
        let Some(round) = &mut self.upkeep.round else { return };
        if round.is_through() || round.slice_at > now.monotonic {
            return;
        }
        round.slice_at = now.monotonic + SLICE_EVERY;
        if self.upkeep.delivery.is_busy() || self.upkeep.sets.is_busy() {
            return;
        }
        let end = round.pieces.len().min(round.next + SLICE);
        let pieces: Vec<Piece> = round.pieces[round.next..end].into();
        round.next = end;
        let leaving = round.leaving;
        let again = round.again.split_off(round.again.len().saturating_sub(SLICE));
        for (piece, anyway) in
            pieces.iter().map(|it| (it, leaving)).chain(again.iter().map(|it| (it, true)))
        {
            match piece {
                Piece::Item(target) => self.offer_item(now, *target, leaving, anyway),
                Piece::Set(target) => self.offer_set(now, *target, leaving, anyway),
            }
        }
        if self.upkeep.round.as_ref().is_some_and(Round::is_through) {
            self.upkeep.delivery.flush();
            self.upkeep.sets.flush();
        }
        self.deliver(now, outbox);
    }

    /// Offers an item to those who should hold it; unless `anyway`, only if nobody did lately.
    fn offer_item(&mut self, now: Now, target: Target, leaving: bool, anyway: bool) {
        let Some((offer, looked_after_s)) = self.node_mut().offerable(&target, now) else {
            // It ended meanwhile.
            return self.is_safe(&target);
        };
        let age_s = now.monotonic.as_secs().saturating_sub(looked_after_s);
        let settled = looked_after_s > self.upkeep.changed_s;
        if !anyway && settled && u64::from(age_s) < ROUND_EVERY.as_secs() / 2 {
            return;
        }
        let (holders, ours_too) = self.node().holders(&target, self.replicas, leaving);
        if let Some(round) = self.upkeep.round.as_mut().filter(|_| !ours_too) {
            match holders.len() {
                // Nobody else is there: it is not safe.
                0 => round.missing.insert(target, usize::MAX),
                holders => round.missing.insert(target, holders),
            };
        }
        for holder in &holders {
            match holder.ours {
                true => self.upkeep.delivery.offer(holder.contact, offer),
                false => self.upkeep.refreshes.add(target),
            }
        }
        self.node_mut().looked_after(&target, now.monotonic);
    }

    /// A holder has an item. If all who should hold it do and we need not, it may go here.
    pub(super) fn is_held_by_another(&mut self, target: &Target) {
        let Some(round) = &mut self.upkeep.round else { return };
        let Some(missing) = round.missing.get_mut(target) else { return };
        *missing = missing.saturating_sub(1);
        if *missing == 0 {
            let leaving = round.leaving;
            self.is_safe(target);
            if !leaving {
                self.node_mut().release(target);
            }
        }
    }

    fn is_safe(&mut self, target: &Target) {
        if let Some(round) = &mut self.upkeep.round {
            round.missing.remove(target);
        }
    }
}
