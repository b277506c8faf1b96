//! One round: which items and sets must be looked after, and who should hold them.

use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};
use node::{Instant, Now, Outbox};
use wire::planted::{self, Bug};
use wire::{Cursor, NodeId, Target};

use super::owed::Owed;
use crate::limits::{ROUND_REPEATS, ROUND_SILENCES, SLICE, SLICE_EVERY};
use crate::state::Kv;

/// What a round goes through, in the order of the key space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// How often something was taken once more: whoever goes silent, no round lasts for ever.
    repeated: HashMap<Piece, u8, foldhash::fast::FixedState>,
    slice_at: Instant,
    began: Instant,
    leaving: bool,
    /// Of what does not belong here, or is left behind.
    pub owed: Owed,
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
            repeated: HashMap::default(),
            slice_at: now,
            began: now,
            leaving: false,
            owed: Owed::default(),
            refused: HashSet::default(),
            silences: HashMap::default(),
        }
    }

    /// The last round, before we leave.
    pub fn leaving(items: &[Target], sets: &[Target], now: Instant) -> Self {
        let round = Self::new(items, sets, now);
        // What was not looked at by the end was not handed over.
        Self { leaving: true, owed: Owed::all(&round.pieces), ..round }
    }

    /// When the next items are due.
    pub fn deadline(&self) -> Option<Instant> {
        (!self.is_through()).then_some(self.slice_at)
    }

    /// Whether all items have been offered.
    pub fn is_through(&self) -> bool {
        self.next >= self.pieces.len() && self.again.is_empty()
    }

    /// Takes these once more, but none too often.
    pub fn once_more(&mut self, pieces: impl Iterator<Item = Piece>) {
        for piece in pieces {
            let times = self.repeated.entry(piece).or_default();
            *times = times.saturating_add(1);
            if *times <= ROUND_REPEATS {
                self.again.push(piece);
            }
        }
    }

    /// Whether it is the last.
    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// The second in which it began.
    pub fn began_s(&self) -> u32 {
        self.began.as_secs()
    }

    /// Members of other sets that somebody refused.
    pub fn unsafe_members(&self) -> usize {
        let safe = |(set, _): &&(Target, Cursor)| !self.owed.contains(&Piece::Set(*set));
        self.refused.iter().filter(safe).count()
    }

    /// A holder refused a member.
    pub fn member_is_refused(&mut self, target: Target, member: Cursor) {
        if self.leaving {
            self.refused.insert((target, member));
        }
    }

    /// A contact did not answer offers. Tells whether these may be offered once more.
    pub fn is_silent(&mut self, contact: NodeId) -> bool {
        let silences = self.silences.entry(contact).or_default();
        *silences = silences.saturating_add(1);
        *silences < ROUND_SILENCES
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
        if self.upkeep.round.as_deref().is_some_and(Round::is_through) {
            self.upkeep.delivery.flush();
            self.upkeep.sets.flush();
        }
        self.deliver(now, outbox);
    }

    /// Offers an item to those who should hold it; unless `anyway`, only if nobody did lately.
    fn offer_item(&mut self, now: Now, target: Target, leaving: bool, anyway: bool) {
        let Some((offer, looked_after_s)) = self.node_mut().offerable(&target, now) else {
            // It ended meanwhile.
            return self.is_not_owed(&Piece::Item(target));
        };
        if !anyway && self.upkeep.is_settled(looked_after_s, now.monotonic) {
            return;
        }
        let (holders, ours_too) = self.node().holders(&target, self.replicas, leaving);
        if let Some(round) = self.upkeep.round.as_mut().filter(|_| !ours_too) {
            let holders = holders.iter().map(|holder| holder.contact.id).collect();
            round.owed.ask(Piece::Item(target), holders);
        }
        let most = if planted::is(Bug::HandOffToFirstOnly) { 1 } else { holders.len() };
        for holder in holders.iter().take(most) {
            match holder.is_xorbit {
                true => self.upkeep.delivery.offer(holder.contact, offer),
                false => self.upkeep.refreshes.add_for_foreign(target, now.monotonic),
            }
        }
        self.node_mut().looked_after(&target, now.monotonic);
    }

    /// A holder has an item. If all who should hold it do and we need not, it may go here.
    pub(super) fn is_held_by(&mut self, holder: &NodeId, target: &Target) {
        let Some(round) = &mut self.upkeep.round else { return };
        if round.owed.is_held_by(holder, &Piece::Item(*target)) && !round.leaving {
            self.node_mut().release(target);
        }
    }

    /// Nobody need hold something who does not.
    pub(super) fn is_not_owed(&mut self, piece: &Piece) {
        if let Some(round) = &mut self.upkeep.round {
            round.owed.forget(piece);
        }
    }
}
