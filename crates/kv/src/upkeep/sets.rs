//! Upkeep of sets: every member belongs on the closest nodes that hold sets, until it may be forgotten.
//!
//! A holder is offered the digest of a whole set. If it holds something else, digests of the set's
//! parts follow, if the set is large, and then the versions of single members; what it lacks of these
//! is added there. Nothing is fetched: what we lack ourselves is brought by who holds it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hashbrown::HashMap;
use node::{Answer, Holder, Instant, Now, OfferOf, Outbox, Outcome};
use wire::limits::{MEMBER_OFFERS_PER_QUERY, SET_OFFERS_PER_QUERY};
use wire::member::offer::{MemberOffer, Part, SetOffer};
use wire::{Contact, Cursor, NodeId, Target};

use super::delivery::{HandOff, Handed, Offering};
use super::round::Piece;
use crate::limits::{COMPARED_WHOLE, COMPARISONS, NO_SETS, NO_SETS_FOR, OFFERS};
use crate::put::CONFLICTS;
use crate::state::Kv;

/// The code of a holder that has no room.
const FULL: i64 = 202;

/// The next step of a comparison.
struct Step {
    contact: Contact,
    target: Target,
    what: Compared,
}

enum Compared {
    /// The digests of all parts.
    Parts,
    /// The members of a part behind a place.
    Members(Part, Option<Cursor>),
}

/// The comparison of one set with one holder.
#[derive(Default)]
struct Comparison {
    /// Steps of it, members handed off included, that wait or are on their way.
    steps: usize,
    /// The holder did not answer all of them.
    broken: bool,
    /// The holder has no room for more.
    full: bool,
}

/// Sets that are offered and compared, and who understands nothing of it.
#[derive(Default)]
pub(crate) struct SetCare {
    /// Offers that gather until they fill a query.
    gathering: HashMap<NodeId, (Contact, Vec<SetOffer>), foldhash::fast::FixedState>,
    ready: VecDeque<(Contact, Vec<SetOffer>)>,
    steps: VecDeque<Step>,
    comparisons: HashMap<(NodeId, Target), Comparison, foldhash::fast::FixedState>,
    /// Contacts that hold no sets, and when that was noted.
    without_sets: HashMap<NodeId, Instant, foldhash::fast::FixedState>,
}

impl SetCare {
    /// Whether so much waits that nothing should be added.
    pub fn is_busy(&self) -> bool {
        self.ready.len() >= OFFERS || self.steps.len() >= COMPARISONS
    }

    /// Whether nothing waits or is on its way.
    pub fn is_idle(&self) -> bool {
        self.comparisons.is_empty()
    }

    /// Sends what has gathered though it does not fill a query.
    pub fn flush(&mut self) {
        let rest = self.gathering.drain().map(|(_, rest)| rest);
        let mut rest: Vec<(Contact, Vec<SetOffer>)> = rest.collect();
        rest.sort_by_key(|(contact, _)| contact.id);
        self.ready.extend(rest);
    }

    /// Whether a holder said that it has no room for more of a set.
    pub fn takes_no_more(&self, contact: &NodeId, target: &Target) -> bool {
        self.comparisons.get(&(*contact, *target)).is_some_and(|comparison| comparison.full)
    }

    fn begin(&mut self, contact: &NodeId, target: &Target) {
        self.comparisons.entry((*contact, *target)).or_default().steps += 1;
    }

    fn comparison(&mut self, contact: &NodeId, target: &Target) -> Option<&mut Comparison> {
        self.comparisons.get_mut(&(*contact, *target))
    }

    fn offer(&mut self, contact: Contact, offer: SetOffer) {
        self.begin(&contact.id, &offer.target);
        let gathering = self.gathering.entry(contact.id);
        let (_, offers) = gathering.or_insert_with(|| (contact, Vec::new()));
        offers.push(offer);
        if offers.len() >= SET_OFFERS_PER_QUERY
            && let Some(full) = self.gathering.remove(&contact.id)
        {
            self.ready.push_back(full);
        }
    }

    fn go_on(&mut self, contact: Contact, target: Target, what: Compared) {
        self.begin(&contact.id, &target);
        self.steps.push_back(Step { contact, target, what });
    }

    fn holds_no_sets(&mut self, contact: NodeId, now: Instant) {
        if self.without_sets.len() >= NO_SETS {
            self.without_sets.retain(|_, noted| now.since(*noted) < NO_SETS_FOR);
            if self.without_sets.len() >= NO_SETS {
                self.without_sets.clear();
            }
        }
        self.without_sets.insert(contact, now);
    }

    fn may_hold_sets(&self, holder: &Holder, now: Instant) -> bool {
        let noted = self.without_sets.get(&holder.contact.id);
        holder.is_xorbit && noted.is_none_or(|noted| now.since(*noted) >= NO_SETS_FOR)
    }
}

impl Kv {
    /// Offers a set to those who should hold it; unless `anyway`, only if nobody did lately.
    pub(super) fn offer_set(&mut self, now: Now, target: Target, leaving: bool, anyway: bool) {
        let Some((offer, looked_after_s)) = self.node_mut().offerable_set(&target, now) else {
            // Its members ended meanwhile.
            return self.is_not_owed(&Piece::Set(target));
        };
        if !anyway && self.upkeep.is_settled(looked_after_s, now.monotonic) {
            return;
        }
        let (holders, ours_too) = self.set_holders(now, &target, leaving);
        if let Some(round) = self.upkeep.round.as_mut().filter(|_| !ours_too) {
            let holders = holders.iter().map(|contact| contact.id).collect();
            round.owed.ask(Piece::Set(target), holders);
        }
        if ours_too {
            self.node_mut().release_set(&target, false);
        }
        for contact in holders {
            self.upkeep.sets.offer(contact, offer);
        }
        self.node_mut().looked_after_set(&target, now.monotonic);
    }

    /// Who should hold a set beside us, and whether we should: of the closest nodes known those that
    /// hold sets, as whoever lists the set finds them.
    fn set_holders(&self, now: Now, target: &Target, leaving: bool) -> (Vec<Contact>, bool) {
        let (closest, among) = self.node().holders(target, self.width(), leaving);
        let may = |holder: &Holder| self.upkeep.sets.may_hold_sets(holder, now.monotonic);
        let mut holders: Vec<Contact> =
            closest.iter().filter(|holder| may(holder)).map(|holder| holder.contact).collect();
        let (point, own) = (target.point(), self.node().id().point());
        let closer =
            |contact: &&Contact| point.distance(&contact.id.point()) < point.distance(&own);
        let ours_too = among && holders.iter().filter(closer).count() < self.replicas;
        holders.truncate(self.replicas - usize::from(ours_too));
        (holders, ours_too)
    }

    /// Sends offers of sets and takes the next steps of comparisons, as far as it may.
    pub(super) fn compare_sets(&mut self, now: Now, outbox: &mut Outbox) {
        while self.upkeep.delivery.offering < OFFERS {
            let sets = &mut self.upkeep.sets;
            if let Some((contact, offers)) = sets.ready.pop_front() {
                let of = OfferOf::Sets(offers);
                self.send_offering(now, Offering { contact, of }, outbox);
            } else if !self.upkeep.delivery.is_full()
                && let Some(step) = sets.steps.pop_front()
            {
                self.take_step(now, step, outbox);
            } else {
                break;
            }
        }
    }

    fn take_step(&mut self, now: Now, step: Step, outbox: &mut Outbox) {
        let Step { contact, target, what } = step;
        let given_up = self.upkeep.sets.takes_no_more(&contact.id, &target);
        match what {
            _ if given_up => {}
            Compared::Parts => {
                let parts = self.node_mut().offerable_parts(&target, now);
                let sets = &mut self.upkeep.sets;
                for offers in parts.chunks(SET_OFFERS_PER_QUERY) {
                    offers.iter().for_each(|_| sets.begin(&contact.id, &target));
                    sets.ready.push_back((contact, offers.into()));
                }
            }
            Compared::Members(part, after) => {
                let most = MEMBER_OFFERS_PER_QUERY;
                let members = self.node_mut().offerable_members(&target, part, after, most, now);
                if let (Some(last), true) = (members.last(), members.len() == most) {
                    let rest = Compared::Members(part, Some(last.cursor));
                    self.upkeep.sets.go_on(contact, target, rest);
                }
                if !members.is_empty() {
                    // Its answer ends this step.
                    let of = OfferOf::Members(target, members);
                    return self.send_offering(now, Offering { contact, of }, outbox);
                }
            }
        }
        self.step_ended(&contact.id, &target);
    }

    /// A contact said of which sets, or parts of sets, it holds something else.
    pub(super) fn sets_answered(
        &mut self,
        now: Now,
        contact: Contact,
        offers: &[SetOffer],
        answer: &Answer,
    ) {
        let differs = match answer {
            Answer::Offered { token: Some(_), wanted, .. } => Some(*wanted),
            Answer::Silent => {
                let mut targets: Vec<Target> = offers.iter().map(|offer| offer.target).collect();
                targets.dedup();
                self.offer_sets_once_more(contact.id, &targets);
                None
            }
            _ => {
                self.upkeep.sets.holds_no_sets(contact.id, now.monotonic);
                None
            }
        };
        for (index, SetOffer { target, part, .. }) in offers.iter().enumerate() {
            match differs {
                None => self.step_failed(&contact.id, target),
                Some(differs) if differs.get(index) => {
                    let most = COMPARED_WHOLE + 1;
                    let members = self.node_mut().offerable_members(target, *part, None, most, now);
                    let what = match *part == Part::WHOLE && members.len() == most {
                        true => Compared::Parts,
                        false => Compared::Members(*part, None),
                    };
                    self.upkeep.sets.go_on(contact, *target, what);
                }
                Some(_) => {}
            }
            self.step_ended(&contact.id, target);
        }
    }

    /// A contact said which members it lacks.
    pub(super) fn members_answered(
        &mut self,
        contact: Contact,
        target: Target,
        offers: &[MemberOffer],
        answer: &Answer,
    ) {
        match answer {
            Answer::Offered { token: Some(token), wanted, .. } => {
                for (index, offer) in offers.iter().enumerate() {
                    if wanted.get(index) {
                        self.upkeep.pace.is_needed();
                        self.upkeep.sets.begin(&contact.id, &target);
                        let (token, member) = (token.clone(), Some(offer.cursor));
                        let hand_off = HandOff { contact, token, target, member };
                        self.upkeep.delivery.hand_off(hand_off);
                    }
                }
            }
            _ => {
                self.offer_sets_once_more(contact.id, &[target]);
                self.step_failed(&contact.id, &target);
            }
        }
        self.step_ended(&contact.id, &target);
    }

    /// A contact was silent: its place is another's now, or a datagram was lost.
    fn offer_sets_once_more(&mut self, contact: NodeId, targets: &[Target]) {
        if let Some(round) = &mut self.upkeep.round
            && round.is_silent(contact)
        {
            round.once_more(targets.iter().copied().map(Piece::Set));
        }
    }

    /// A member was handed off, or not.
    pub(super) fn member_handed_off(&mut self, handed: &Handed, outcome: Option<&Outcome>) {
        let Handed { contact, target, member } = handed;
        match (outcome, member) {
            (Some(Outcome::Stored), _) => {}
            // It holds a newer one by now.
            (Some(Outcome::Refused { code, .. }), _) if CONFLICTS.contains(code) => {}
            (Some(Outcome::Refused { code: FULL, .. }), _) => {
                if let Some(comparison) = self.upkeep.sets.comparison(contact, target) {
                    (comparison.full, comparison.broken) = (true, true);
                }
            }
            (Some(Outcome::Refused { .. }), Some(cursor)) => {
                if let Some(round) = &mut self.upkeep.round {
                    round.member_is_refused(*target, *cursor);
                }
            }
            _ => {
                self.offer_sets_once_more(*contact, &[*target]);
                self.step_failed(contact, target);
            }
        }
        self.step_ended(contact, target);
    }

    fn step_failed(&mut self, contact: &NodeId, target: &Target) {
        if let Some(comparison) = self.upkeep.sets.comparison(contact, target) {
            comparison.broken = true;
        }
    }

    /// A step of a comparison ended; with the last a holder has all that we have of the set, if none
    /// failed.
    pub(super) fn step_ended(&mut self, contact: &NodeId, target: &Target) {
        let Some(comparison) = self.upkeep.sets.comparison(contact, target) else { return };
        comparison.steps = comparison.steps.saturating_sub(1);
        if comparison.steps > 0 {
            return;
        }
        let broken = comparison.broken;
        self.upkeep.sets.comparisons.remove(&(*contact, *target));
        let Some(round) = &mut self.upkeep.round else { return };
        let safe = !broken && round.owed.is_held_by(contact, &Piece::Set(*target));
        if safe && !round.is_leaving() {
            self.node_mut().release_set(target, true);
        }
    }
}
