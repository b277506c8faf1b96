//! Between holders of sets: of which sets do you hold something else, and which of these members do
//! you lack? A node answers such offers, and a store above makes them, as it does those of
//! [items](crate::hand_off).

use alloc::vec::Vec;

use wire::member::offer::{MemberOffer, MemberOffers, Part, SetOffer, SetOffers};
use wire::offer::Bits;
use wire::{Cursor, Member, NodeId, Reply, Target};

use crate::outbox::Outbox;
use crate::serve::Asked;
use crate::shelf::{Admission, Verdict};
use crate::state::Node;
use crate::time::{Instant, Now};

impl<A: Admission> Node<A> {
    pub(crate) fn serve_offer_sets(
        &mut self,
        asked: &Asked<'_>,
        sets: SetOffers<'_>,
        from: &NodeId,
        outbox: &mut Outbox,
    ) {
        let (now, wall) = (asked.now.monotonic, self.lease_wall(asked.now));
        let known = self.knows(from, &asked.from);
        let mut wanted = Bits::default();
        for (index, offer) in sets.iter().enumerate() {
            if self.members.digest(&offer.target, offer.part, wall) != Some(offer.digest) {
                wanted.set(index);
            } else if offer.part == Part::WHOLE && known && self.heeds(&offer.target, now) {
                self.members.looked_after(&offer.target, now.as_secs());
            }
        }
        self.answer_offer(asked, wanted, Bits::default(), outbox);
    }

    pub(crate) fn serve_offer_members(
        &mut self,
        asked: &Asked<'_>,
        target: &Target,
        members: MemberOffers<'_>,
        outbox: &mut Outbox,
    ) {
        let wall = self.lease_wall(asked.now);
        let (mut wanted, mut newer) = (Bits::default(), Bits::default());
        for (index, offer) in members.iter().enumerate() {
            match self.members.judge_offer(target, &offer, wall) {
                Verdict::Wanted => wanted.set(index),
                Verdict::Newer => newer.set(index),
                Verdict::Same => {}
            }
        }
        self.answer_offer(asked, wanted, newer, outbox);
    }

    /// Answers an offer, with a token for all that is wanted.
    pub(crate) fn answer_offer(
        &mut self,
        asked: &Asked<'_>,
        wanted: Bits,
        newer: Bits,
        outbox: &mut Outbox,
    ) {
        let place = self.id().point();
        let token = self.tokens.issue(&asked.from, &place, asked.now.monotonic);
        self.reply(asked, &Reply::Offered { token: Some(&token), wanted, newer }, outbox);
    }

    /// All sets that we hold members of, in order.
    pub fn kept_sets(&self) -> Vec<Target> {
        self.members.kept_sets()
    }

    /// What may be offered of a set, and the second in which somebody last looked after it; `None` if
    /// nothing of it can be handed on any more.
    pub fn offerable_set(&mut self, target: &Target, now: Now) -> Option<(SetOffer, u32)> {
        let wall = self.lease_wall(now);
        self.members.offers(target, Part::WHOLE, None, wall).next()?;
        let digest = self.members.digest(target, Part::WHOLE, wall)?;
        let offer = SetOffer { target: *target, part: Part::WHOLE, digest };
        Some((offer, self.members.looked_after_s(target)))
    }

    /// The parts of a set of which anything may be offered.
    pub fn offerable_parts(&mut self, target: &Target, now: Now) -> Vec<SetOffer> {
        let wall = self.lease_wall(now);
        let members = &mut self.members;
        let held = Part::all().filter_map(|part| {
            members.offers(target, part, None, wall).next()?;
            let digest = members.digest(target, part, wall)?;
            Some(SetOffer { target: *target, part, digest })
        });
        held.collect()
    }

    /// The members of a part of a set behind `after` that may be offered, at most `most`.
    pub fn offerable_members(
        &mut self,
        target: &Target,
        part: Part,
        after: Option<Cursor>,
        most: usize,
        now: Now,
    ) -> Vec<MemberOffer> {
        let wall = self.lease_wall(now);
        self.members.offers(target, part, after, wall).take(most).collect()
    }

    /// How many members of a set may be handed on.
    pub fn lasting_members(&mut self, target: &Target, now: Now) -> usize {
        let wall = self.lease_wall(now);
        self.members.offers(target, Part::WHOLE, None, wall).count()
    }

    /// A member that may be handed on.
    pub fn kept_member(&mut self, target: &Target, cursor: &Cursor, now: Now) -> Option<Member> {
        let wall = self.lease_wall(now);
        self.members.lasting(target, cursor, wall)
    }

    /// Somebody looked after a set just now: it is on those that should hold it.
    pub fn looked_after_set(&mut self, target: &Target, now: Instant) {
        self.members.looked_after(target, now.as_secs());
    }

    /// Whether a set is safe with others and need not stay here: then it goes when room runs out.
    pub fn release_set(&mut self, target: &Target, released: bool) {
        self.members.release(target, released);
    }
}
