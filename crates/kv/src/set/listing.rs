//! Listing: what the replicas tell, united in order, page by page, and repair of those that lack some.
//!
//! A member is listed if any replica tells of it and none tells of a higher version that removed it.
//! The union is complete up to the place to which every replica that still answers has come.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Bound;

use node::{Command, Destination, Now, Outbox, Written};
use wire::{Cursor, Member};

use super::survey::{Asked, Holder, Progress};
use super::{ListedMember, MembersReport, MembersRequest, SetError, Survey};
use crate::limits::{LISTING_AHEAD, LISTING_MEMBERS, LISTING_REPAIRS, LISTING_TIME};
use crate::request::{Done, RequestId};
use crate::state::Kv;

/// How far a union is complete.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Covered {
    UpTo(Option<Cursor>),
    All,
}

impl Covered {
    /// The end of this part of a union, for searching in it.
    fn end(&self) -> Option<Bound<Cursor>> {
        match self {
            Covered::UpTo(None) => None,
            Covered::UpTo(Some(cursor)) => Some(Bound::Included(*cursor)),
            Covered::All => Some(Bound::Unbounded),
        }
    }
}

impl Survey {
    fn limit(&self) -> usize {
        match &self.asked {
            Asked::Listing(request) => request.limit.clamp(1, LISTING_MEMBERS),
            Asked::Change(_) => 0,
        }
    }

    /// Members as they are told; in a secret namespace those that open.
    fn listed(&self, members: &[(&Cursor, &Member)]) -> Vec<ListedMember> {
        let seal = match &self.asked {
            Asked::Listing(request) => request.namespace.member_seal(&request.key),
            Asked::Change(_) => None,
        };
        let opened = |(_, member): &(&Cursor, &Member)| match &seal {
            Some(seal) => seal.listed(member),
            None => Some(ListedMember::from(*member)),
        };
        members.iter().filter_map(opened).collect()
    }

    /// Up to where all replicas that still answer have told.
    fn covered(&self) -> Covered {
        let unfinished =
            |holder: &&Holder| matches!(holder.progress, Progress::Waiting | Progress::Told);
        let ends = self.holders.iter().filter(unfinished).map(|holder| holder.after);
        ends.min().map_or(Covered::All, Covered::UpTo)
    }

    fn part(&self, covered: Covered) -> impl Iterator<Item = (&Cursor, &Member)> {
        let end = covered.end();
        end.into_iter().flat_map(|end| self.union.range((Bound::Unbounded, end)))
    }

    /// Who is to be asked for more: those that told all that they were asked and are not far ahead
    /// of the slowest.
    fn next_to_ask(&self, covered: Covered) -> Vec<usize> {
        let ahead = |holder: &Holder| match covered {
            Covered::UpTo(Some(end)) => {
                let told = &holder.told;
                told.len() - told.partition_point(|(cursor, _)| *cursor <= end)
            }
            _ => 0,
        };
        let ready =
            |holder: &Holder| holder.progress == Progress::Told && ahead(holder) < LISTING_AHEAD;
        let holders = self.holders.iter().enumerate();
        holders.filter(|(_, holder)| ready(holder)).map(|(place, _)| place).collect()
    }
}

impl Kv {
    /// Starts a listing.
    pub(crate) fn start_listing(
        &mut self,
        now: Now,
        id: RequestId,
        request: MembersRequest,
        outbox: &mut Outbox,
    ) {
        let survey = Survey::new(Asked::Listing(Box::new(request)), 1, now);
        self.start_survey(now, id, survey, outbox);
    }

    /// A page came, or all first ones: asks for more until there is enough.
    pub(super) fn listing_surveyed(
        &mut self,
        now: Now,
        id: RequestId,
        mut survey: Box<Survey>,
        outbox: &mut Outbox,
    ) {
        loop {
            let covered = survey.covered();
            let living = survey.part(covered).filter(|(_, member)| lives(member, now)).count();
            let late = now.monotonic.since(survey.started.monotonic) >= LISTING_TIME;
            if covered == Covered::All || living >= survey.limit() || late {
                return self.end_listing(now, id, &survey, covered, outbox);
            }
            let next = survey.next_to_ask(covered);
            for holder in &next {
                self.ask_holder(now, id, &mut survey, *holder, outbox);
            }
            // Our own shelf answers at once: then there may be enough now.
            if !next.iter().any(|holder| survey.holders[*holder].contact.is_none()) {
                break;
            }
        }
        self.surveys.insert(id, survey);
    }

    fn end_listing(
        &mut self,
        now: Now,
        id: RequestId,
        survey: &Survey,
        covered: Covered,
        outbox: &mut Outbox,
    ) {
        let mut members: Vec<(&Cursor, &Member)> = survey
            .part(covered)
            .filter(|(_, member)| lives(member, now))
            .take(survey.limit() + 1)
            .collect();
        let more = members.len() > survey.limit();
        members.truncate(survey.limit());
        let covered = match members.last() {
            Some((cursor, _)) if more => Covered::UpTo(Some(**cursor)),
            _ => covered,
        };
        let next = match covered {
            Covered::All => None,
            Covered::UpTo(end) => end,
        };
        let (answered, needed, known) =
            (survey.answered(), survey.majority(), survey.holders.len());
        let sure = answered >= needed;
        let repairing = if sure { self.repair_set(now, survey, covered, outbox) } else { 0 };
        let mut effort = survey.effort;
        effort.took = now.monotonic.since(survey.started.monotonic);
        let listed = survey.listed(&members);
        let report = Box::new(MembersReport {
            target: survey.target,
            unopened: members.len() - listed.len(),
            members: listed,
            next,
            held: held(&survey.holders),
            answered,
            needed,
            known,
            repairing,
            effort,
        });
        let outcome = match sure {
            true => Ok(report),
            false => {
                let found = Some(report);
                Err(SetError::NotEnoughAnswers { answered, known, needed, found })
            }
        };
        self.done(id, Done::Members(outcome));
    }

    /// Gives members, removed ones too, to the replicas that lack them. Tells how many members.
    fn repair_set(
        &mut self,
        now: Now,
        survey: &Survey,
        covered: Covered,
        outbox: &mut Outbox,
    ) -> usize {
        let mut repairing = 0;
        for (cursor, member) in survey.part(covered) {
            if repairing == LISTING_REPAIRS {
                break;
            }
            let saying = member.saying();
            if saying.remembered_ms <= now.wall.0 {
                continue;
            }
            let lacking = survey
                .holders
                .iter()
                .filter(|holder| holder.answered() && holder.version_at(cursor) < Some(saying.seq));
            let to: Vec<Destination> = lacking.filter_map(Holder::destination).collect();
            if !to.is_empty() {
                repairing += 1;
                let command = Command::Write { written: Written::Member(member.clone()), to };
                self.command_in_background(now, command, outbox);
            }
        }
        repairing
    }
}

fn lives(member: &Member, now: Now) -> bool {
    member.saying().lives(now.wall.0)
}

/// How many members a replica holds, by the word of the one in the middle: a few that lie do not
/// move it far.
fn held(holders: &[Holder]) -> u64 {
    let answered = holders.iter().filter(|holder| holder.answered());
    let mut told: Vec<u64> = answered.map(|holder| holder.num).collect();
    told.sort_unstable();
    told.get(told.len() / 2).copied().unwrap_or(0)
}
