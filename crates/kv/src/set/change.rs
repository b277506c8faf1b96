//! Adding and removing: look what the replicas hold of the item, sign a higher version, write it to
//! all of them.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use node::{Command, Now, Outbox, Outcome, UnixMillis, Written};
use wire::limits::MEMBER_ITEM_BYTES;
use wire::{Contact, Member, Saying, Signer};

use super::survey::{Asked, Progress};
use super::{SetChange, SetError, SetReport, SetRequest, Survey};
use crate::limits::MAX_TTL;
use crate::report::{Refusal, WriteReport};
use crate::request::{Done, RequestId};
use crate::state::{Kv, Operation};
use crate::version::Version;

/// A change that another of the same item overtook is looked at again so often.
const ATTEMPTS: u8 = 3;

/// A change that is being written.
pub(crate) struct Change {
    request: Box<SetRequest>,
    attempt: u8,
    started: Now,
    report: SetReport,
}

impl Kv {
    /// Starts to add or remove, or tells at once why it cannot be.
    pub(crate) fn start_change(
        &mut self,
        now: Now,
        id: RequestId,
        mut request: SetRequest,
        outbox: &mut Outbox,
    ) {
        if let Err(error) = check(&request) {
            return self.done(id, Done::Set(Err(error)));
        }
        let seal = request.namespace.member_seal(&request.key);
        if let (Some(seal), Ok(writer)) = (seal, request.writer().map(Signer::public_key)) {
            // From here on nobody sees another item than holders do.
            request.item = seal.seal(&writer, &request.item);
        }
        let survey = Survey::new(Asked::Change(Box::new(request)), 1, now);
        self.start_survey(now, id, survey, outbox);
    }

    /// All replicas told what they hold of the item.
    pub(super) fn change_surveyed(
        &mut self,
        now: Now,
        id: RequestId,
        survey: Box<Survey>,
        outbox: &mut Outbox,
    ) {
        let chance = self.node_mut().draw();
        let member = match draft(&survey, now.wall, chance) {
            Ok(member) => member,
            Err(error) => return self.done(id, Done::Set(Err(error))),
        };
        let Survey { asked, target, attempt, started, effort, holders, .. } = *survey;
        let Asked::Change(request) = asked else { return };
        let saying = member.saying();
        let mut replicas = WriteReport {
            known: holders.len(),
            needed: holders.len() / 2 + 1,
            effort,
            ..WriteReport::default()
        };
        let mut to = Vec::new();
        for holder in &holders {
            match (&holder.contact, &holder.token) {
                (Some(_), _) if holder.progress == Progress::Silent => {
                    replicas.silent.push(holder.replica());
                }
                (Some(_), None) => replicas.refused.push(Refusal {
                    replica: holder.replica(),
                    code: 0,
                    text: "gave no token".into(),
                }),
                _ => to.extend(holder.destination()),
            }
        }
        let report = SetReport {
            target,
            writer: member.writer(),
            version: Version::of(saying.seq),
            expires: UnixMillis(saying.expires_ms),
            replicas,
        };
        let change = Change { request, attempt, started, report };
        let command = Command::Write { written: Written::Member(member), to };
        self.command_node(now, id, Operation::Change(Box::new(change)), command, outbox);
    }

    /// The write phase ended.
    pub(crate) fn change_wrote(
        &mut self,
        now: Now,
        id: RequestId,
        mut change: Change,
        outcomes: Vec<(Option<Contact>, Outcome)>,
        outbox: &mut Outbox,
    ) {
        let replicas = &mut change.report.replicas;
        replicas.add(outcomes, self.node().id(), &change.report.target);
        replicas.effort.took = now.monotonic.since(change.started.monotonic);
        if replicas.stored.len() >= replicas.needed {
            return self.done(id, Done::Set(Ok(Box::new(change.report))));
        }
        if replicas.was_overtaken() && change.attempt < ATTEMPTS {
            let survey =
                Survey::new(Asked::Change(change.request), change.attempt + 1, change.started);
            return self.start_survey(now, id, survey, outbox);
        }
        let error = SetError::NotEnoughReplicas(Box::new(change.report));
        self.done(id, Done::Set(Err(error)));
    }
}

/// Checks what can be checked before anything is sent.
fn check(request: &SetRequest) -> Result<(), SetError> {
    request.writer()?;
    let limit = request.namespace.longest_member();
    if !(1..=limit).contains(&request.item.len()) {
        return Err(SetError::ItemSize { length: request.item.len(), limit });
    }
    match request.change {
        SetChange::Add { ttl } if ttl < Duration::from_millis(1) || ttl > MAX_TTL => {
            Err(SetError::BadTtl(ttl))
        }
        _ => Ok(()),
    }
}

/// Signs what is to be written, above all that anybody holds of the item.
fn draft(survey: &Survey, wall: UnixMillis, chance: u64) -> Result<Member, SetError> {
    let Asked::Change(request) = &survey.asked else { return Err(SetError::Closed) };
    let writer = request.writer()?;
    let known = survey.place().and_then(|place| survey.union.get(&place));
    let seen = known.map(|member| member.saying().seq);
    // Copies of what is replaced may live on where this does not arrive: as long as any of them.
    let remembered_ms = survey.remembered_ms;
    let (expires_ms, removed) = match request.change {
        SetChange::Add { ttl } => ((wall + ttl).0, false),
        SetChange::Remove => {
            if !known.is_some_and(|member| member.saying().lives(wall.0)) {
                let answered = survey.answered();
                if answered < survey.majority() {
                    return Err(SetError::NotEnoughAnswers {
                        answered,
                        known: survey.holders.len(),
                        needed: survey.majority(),
                        found: None,
                    });
                }
                let writer = writer.public_key();
                return Err(SetError::NotFound { writer, effort: survey.effort });
            }
            (remembered_ms, true)
        }
    };
    let version = Version::next(wall, chance, seen.map(Version::of))
        .ok_or_else(|| SetError::VersionExhausted(Version::of(seen.unwrap_or_default())))?;
    let remembered_ms = remembered_ms.max(expires_ms);
    let saying =
        Saying { item: &request.item, seq: version.seq(), expires_ms, remembered_ms, removed };
    let limit = MEMBER_ITEM_BYTES;
    Member::sign(writer, &survey.target, saying)
        .map_err(|_| SetError::ItemSize { length: request.item.len(), limit })
}
