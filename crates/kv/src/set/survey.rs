//! Asking the closest nodes what they hold of a set, page by page.
//!
//! Who answers `members` is a replica, closest first, as many as the network is set to. Foreign nodes
//! among the closest are none: they refuse, answer without members, or are silent though they
//! answered the lookup. A silent node that says it is Xorbit is a replica that is silent.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use node::{Answer, Command, Destination, LookupResult, Now, Outbox, Question, Until};
use wire::planted::{self, Bug};
use wire::{Contact, Cursor, Distance, Member, NodeId, Seq, Target};

use super::{MembersRequest, SetRequest};
use crate::limits::VERSION_AHEAD;
use crate::report::{Effort, Replica};
use crate::request::{Done, RequestId};
use crate::set::SetError;
use crate::state::{Kv, Operation};

/// Members of our own shelf that are read at once.
const OWN_PAGE: usize = 64;

/// What the survey is for.
pub(super) enum Asked {
    Change(Box<SetRequest>),
    Listing(Box<MembersRequest>),
}

/// How far a holder has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// A question is on its way.
    Waiting,
    /// It has told a page, and there are more.
    Told,
    /// It has told all.
    Ended,
    /// It did not answer, or what it told was not to be believed.
    Silent,
    /// It holds no sets.
    Foreign,
}

/// One of the closest nodes.
pub(super) struct Holder {
    /// Who; `None`: ourselves.
    pub contact: Option<Contact>,
    pub id: NodeId,
    pub token: Option<Box<[u8]>>,
    pub progress: Progress,
    is_xorbit: bool,
    distance: Distance,
    /// The end of what it told.
    pub after: Option<Cursor>,
    /// What it told, in order, with the versions.
    pub told: Vec<(Cursor, Seq)>,
    /// How many members it says that it holds.
    pub num: u64,
    pages: usize,
    /// How many members it told, those included that do not count.
    members: usize,
    /// The question on its way was asked before.
    again: bool,
}

impl Holder {
    fn new(contact: Option<Contact>, id: NodeId, target: &Target, after: Option<Cursor>) -> Self {
        Self {
            contact,
            id,
            token: None,
            progress: Progress::Told,
            is_xorbit: true,
            distance: target.point().distance(&id.point()),
            after,
            told: Vec::new(),
            num: 0,
            pages: 0,
            members: 0,
            again: false,
        }
    }

    pub fn replica(&self) -> Replica {
        Replica { id: self.id, endpoint: self.contact.map(|contact| contact.endpoint) }
    }

    /// Where a write to it goes, if it gave a token.
    pub fn destination(&self) -> Option<Destination> {
        let Some(contact) = self.contact else { return Some(Destination::OwnShelf { cas: None }) };
        let token = self.token.clone()?;
        Some(Destination::Node { contact, token, cas: None })
    }

    /// Whether it told what it holds, as far as it was asked.
    pub fn answered(&self) -> bool {
        matches!(self.progress, Progress::Waiting | Progress::Told | Progress::Ended)
    }

    /// The version that it told at a place.
    pub fn version_at(&self, cursor: &Cursor) -> Option<Seq> {
        let place = self.told.binary_search_by_key(cursor, |(cursor, _)| *cursor).ok()?;
        Some(self.told[place].1)
    }
}

/// A set as its holders tell of it.
pub(crate) struct Survey {
    pub(super) asked: Asked,
    pub(super) target: Target,
    pub(super) attempt: u8,
    pub(super) started: Now,
    pub(super) effort: Effort,
    /// The closest nodes; once all have answered the first time, the replicas.
    pub(super) holders: Vec<Holder>,
    /// The replicas are chosen.
    chosen: bool,
    /// The newest that anybody told of each member.
    pub(super) union: BTreeMap<Cursor, Member>,
    /// Until when the item of a change must be remembered, by any copy of it.
    pub(super) remembered_ms: u64,
}

impl Survey {
    pub(super) fn new(asked: Asked, attempt: u8, started: Now) -> Self {
        let (namespace, key) = match &asked {
            Asked::Change(request) => (&request.namespace, &request.key),
            Asked::Listing(request) => (&request.namespace, &request.key),
        };
        Self {
            target: namespace.target(key),
            asked,
            attempt,
            started,
            effort: Effort::default(),
            holders: Vec::new(),
            chosen: false,
            union: BTreeMap::new(),
            remembered_ms: 0,
        }
    }

    /// Where to begin: a change looks at its own item first.
    fn start(&self) -> Option<Cursor> {
        match &self.asked {
            Asked::Change(_) => self.place().and_then(Cursor::before),
            Asked::Listing(request) => request.after,
        }
    }

    /// The place of a change's item.
    pub(super) fn place(&self) -> Option<Cursor> {
        let Asked::Change(request) = &self.asked else { return None };
        let writer = request.writer().ok()?;
        Some(Cursor::of(&writer.public_key(), &request.item))
    }

    /// How many replicas make a majority.
    pub(super) fn majority(&self) -> usize {
        self.holders.len() / 2 + 1
    }

    /// How many replicas told what they hold.
    pub(super) fn answered(&self) -> usize {
        self.holders.iter().filter(|holder| holder.answered()).count()
    }

    /// The `width` closest nodes known, ourselves and silent ones included: everybody who looks for
    /// the set comes upon the same.
    fn gather_holders(&mut self, result: LookupResult, own: Option<NodeId>, width: usize) {
        let (target, start) = (self.target, self.start());
        self.holders = Vec::with_capacity(result.closest.len() + result.silent.len() + 1);
        for responder in result.closest {
            let contact = responder.contact;
            let (token, is_xorbit) = (responder.token, responder.is_xorbit);
            let holder = Holder::new(Some(contact), contact.id, &target, start);
            self.holders.push(Holder { token, is_xorbit, ..holder });
        }
        for contact in result.silent {
            let holder = Holder::new(Some(contact), contact.id, &target, start);
            let progress = Progress::Silent;
            self.holders.push(Holder { progress, is_xorbit: false, ..holder });
        }
        self.holders.extend(own.map(|id| Holder::new(None, id, &target, start)));
        self.holders.sort_by_key(|holder| holder.distance);
        self.holders.truncate(width);
    }

    /// Takes in what a holder answered; `false` if it is to be asked the same again.
    fn take_answer(&mut self, holder: usize, answer: Answer, now: Now) -> bool {
        let Some(asked) = self.holders.get(holder) else { return true };
        let (who, first, again, is_xorbit) =
            (asked.id, asked.pages == 0, asked.again, asked.is_xorbit);
        let progress = match answer {
            Answer::Members { id, members: Some(members), more, num } if id == who => {
                self.holders[holder].num = num;
                match self.take_page(holder, members, more, now) {
                    true if more => Progress::Told,
                    true => Progress::Ended,
                    false => Progress::Silent,
                }
            }
            Answer::Members { members: None, .. } | Answer::Refused { .. } if first => {
                Progress::Foreign
            }
            Answer::Silent if !again => {
                self.holders[holder].again = true;
                return false;
            }
            Answer::Silent if first && !is_xorbit => Progress::Foreign,
            _ => Progress::Silent,
        };
        self.holders[holder].progress = progress;
        true
    }

    /// Takes in a page; `false` if it is not the one that was asked for.
    fn take_page(&mut self, holder: usize, members: Vec<Member>, more: bool, now: Now) -> bool {
        let place = self.place();
        let holder = &mut self.holders[holder];
        holder.pages += 1;
        holder.again = false;
        // More behind nothing would be asked for without end.
        if more && members.is_empty() {
            return false;
        }
        for member in members {
            let (cursor, saying) = (member.cursor(), member.saying());
            let rising = holder.after.is_none_or(|after| after < cursor);
            if !rising || holder.members >= node::limits::MEMBERS_PER_SET {
                return false;
            }
            holder.members += 1;
            holder.after = Some(cursor);
            // Honest holders refuse a version that lies far ahead: it counts as not there.
            let written_ms = saying.seq.get().unsigned_abs() / 1000;
            if written_ms > (now.wall + VERSION_AHEAD).0 {
                continue;
            }
            holder.told.push((cursor, saying.seq));
            if place == Some(cursor) {
                self.remembered_ms = self.remembered_ms.max(saying.remembered_ms);
            }
            let newer = self.union.get(&cursor).is_none_or(|known| {
                let differ = known.saying().removed != saying.removed;
                if differ && planted::is(Bug::RemovedComesBack) {
                    return !saying.removed;
                }
                order(known) < order(&member)
            });
            if newer {
                self.union.insert(cursor, member);
            }
        }
        true
    }

    /// Once all have answered the first time: the closest of those that hold sets, silent ones
    /// included. Gives how many hold none.
    fn choose_replicas(&mut self, wanted: usize) -> usize {
        self.chosen = true;
        let closest = self.holders.len();
        self.holders.retain(|holder| holder.progress != Progress::Foreign);
        let foreign = closest - self.holders.len();
        self.holders.truncate(wanted);
        foreign
    }

    /// Why nobody told what it holds.
    fn nobody_told(&self, foreign: usize) -> SetError {
        let silent = self.holders.iter().any(|holder| holder.is_xorbit);
        if foreign > 0 && !silent {
            return SetError::NoHolders { answered: foreign, effort: self.effort };
        }
        SetError::NotEnoughAnswers {
            answered: 0,
            known: self.holders.len(),
            needed: self.majority(),
            found: None,
        }
    }
}

/// Which of two sayings counts: the higher version; of two under one version, which only a writer
/// that contradicts itself makes, any, but the same for all readers.
fn order(member: &Member) -> (Seq, bool, u64, u64) {
    let saying = member.saying();
    (saying.seq, saying.removed, saying.remembered_ms, saying.expires_ms)
}

impl Kv {
    /// Looks for the nodes closest to a set.
    pub(super) fn start_survey(
        &mut self,
        now: Now,
        id: RequestId,
        survey: Survey,
        outbox: &mut Outbox,
    ) {
        let salt = match &survey.asked {
            Asked::Change(request) => request.namespace.salt(&request.key),
            Asked::Listing(request) => request.namespace.salt(&request.key),
        };
        // A record that lives at the same place is not wanted, so its replies stay short.
        let newer_than = Seq::new(i64::MAX);
        let question = Question::Item { target: survey.target, salt, newer_than };
        let command = self.lookup(question, Until::Patient, false);
        self.command_node(now, id, Operation::Survey(Box::new(survey)), command, outbox);
    }

    /// The lookup ended: asks all that answered what they hold.
    pub(crate) fn survey_looked_up(
        &mut self,
        now: Now,
        id: RequestId,
        mut survey: Box<Survey>,
        result: LookupResult,
        outbox: &mut Outbox,
    ) {
        survey.effort = Effort::from(&result);
        let own = (!self.node().is_read_only()).then(|| self.node().id());
        if result.closest.is_empty() && own.is_none() {
            let error = SetError::Unreachable(survey.effort);
            return self.survey_failed(id, &survey, error);
        }
        survey.gather_holders(result, own, self.width());
        for holder in 0..survey.holders.len() {
            if survey.holders[holder].progress == Progress::Told {
                self.ask_holder(now, id, &mut survey, holder, outbox);
            }
        }
        self.carry_on(now, id, survey, outbox);
    }

    /// Asks a holder for its next page; ourselves at once.
    pub(super) fn ask_holder(
        &mut self,
        now: Now,
        id: RequestId,
        survey: &mut Survey,
        holder: usize,
        outbox: &mut Outbox,
    ) {
        let target = survey.target;
        let Holder { contact, after, id: who, .. } = survey.holders[holder];
        let Some(to) = contact else {
            let (members, more, num) = self.node_mut().members_held(&target, after, OWN_PAGE, now);
            let answer = Answer::Members { id: who, members: Some(members), more, num: num as u64 };
            survey.take_answer(holder, answer, now);
            return;
        };
        survey.holders[holder].progress = Progress::Waiting;
        survey.effort.asked += 1;
        let command = Command::Members { to, target, after };
        self.command_node(now, id, Operation::Page { holder }, command, outbox);
    }

    /// A holder answered, or not.
    pub(crate) fn page_answered(
        &mut self,
        now: Now,
        id: RequestId,
        holder: usize,
        answer: Answer,
        outbox: &mut Outbox,
    ) {
        let Some(mut survey) = self.surveys.remove(&id) else { return };
        survey.effort.answered += usize::from(answer != Answer::Silent);
        if survey.take_answer(holder, answer, now) {
            self.carry_on(now, id, survey, outbox);
        } else {
            self.ask_holder(now, id, &mut survey, holder, outbox);
            self.surveys.insert(id, survey);
        }
    }

    /// Goes on once all have answered the first time; from then on after each page.
    fn carry_on(&mut self, now: Now, id: RequestId, mut survey: Box<Survey>, outbox: &mut Outbox) {
        if !survey.chosen {
            let waiting = survey.holders.iter().any(|holder| holder.progress == Progress::Waiting);
            if waiting {
                self.surveys.insert(id, survey);
                return;
            }
            let foreign = survey.choose_replicas(self.replicas);
            if survey.answered() == 0 {
                let error = survey.nobody_told(foreign);
                return self.survey_failed(id, &survey, error);
            }
        }
        match survey.asked {
            Asked::Change(_) => self.change_surveyed(now, id, survey, outbox),
            Asked::Listing(_) => self.listing_surveyed(now, id, survey, outbox),
        }
    }

    pub(super) fn survey_failed(&mut self, id: RequestId, survey: &Survey, error: SetError) {
        let done = match survey.asked {
            Asked::Change(_) => Done::Set(Err(error)),
            Asked::Listing(_) => Done::Members(Err(error)),
        };
        self.done(id, done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::namespace::Namespace;
    use node::{Instant, UnixMillis};
    use wire::Signer;
    use wire::member::Saying;

    #[test]
    fn members_from_the_future_count_towards_what_a_replica_may_tell() {
        let now = Now { monotonic: Instant::default(), wall: UnixMillis(1_700_000_000_000) };
        let ahead_ms = (now.wall + VERSION_AHEAD * 2).0;
        let (namespace, key) = (Namespace::open("default"), Key::new("k").unwrap());
        let (target, signer) = (namespace.target(&key), Signer::from_seed(&[1; 32]));
        let member = |number: u32| {
            let saying = Saying {
                seq: Seq::new(ahead_ms as i64 * 1000).unwrap(),
                expires_ms: ahead_ms + 1,
                remembered_ms: ahead_ms + 1,
                removed: false,
                item: &number.to_be_bytes(),
            };
            Member::sign(&signer, &target, saying).unwrap()
        };
        let most = node::limits::MEMBERS_PER_SET as u32;
        let mut members: Vec<Member> = (0..=most).map(member).collect();
        members.sort_by_key(Member::cursor);
        let request = MembersRequest { namespace, key, after: None, limit: 1 };
        let mut survey = Survey::new(Asked::Listing(Box::new(request)), 1, now);
        survey.holders = [Holder::new(None, NodeId::new([2; 20]), &target, None)].into();
        let last = members.split_off(most as usize);
        assert!(survey.take_page(0, members, true, now));
        assert!(survey.union.is_empty());
        assert!(!survey.take_page(0, last, true, now), "one more than a set has");
    }
}
