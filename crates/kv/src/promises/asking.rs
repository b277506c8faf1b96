//! Promises are made, told and ended; each is acknowledged once it is durable.

use alloc::boxed::Box;
use alloc::vec::Vec;

use node::{BatchNumber, LookupResult, Now, Outbox};
use wire::{Item, Target};

use super::looking::Next;
use super::persisted::{self, Kept, Persisted};
use super::{
    ChunksFare, Fares, KeepError, KeepReport, Promise, PromiseId, PromiseStatus, UnkeepError,
};
use crate::chance::part_of;
use crate::limits::{
    FIRST_LOOK_AFTER, LEAST_PROMISED_TTL, LOOK_EVERY, MAX_TTL, PROMISED_BYTES, PROMISES,
};
use crate::replicas::{Newest, Replicas, is_credible};
use crate::report::{Absence, Effort};
use crate::request::{Done, KeepRequest, RequestId};
use crate::state::{Kv, Operation};
use crate::version::Version;

/// What waits for the disk.
pub(super) enum Waiting {
    /// Somebody who made a promise. A new one goes if the disk does not take it.
    Made { request: RequestId, id: PromiseId, new: bool, report: Box<KeepReport> },
    /// A promise has a newer item.
    Changed(PromiseId),
    /// Somebody who ended a promise.
    Ended(RequestId, PromiseId),
}

impl Waiting {
    fn id(&self) -> &PromiseId {
        match self {
            Waiting::Made { id, .. } | Waiting::Changed(id) | Waiting::Ended(_, id) => id,
        }
    }
}

impl Kv {
    /// Starts to make a promise: there must be a value.
    pub(crate) fn start_keep(
        &mut self,
        now: Now,
        id: RequestId,
        keep: KeepRequest,
        outbox: &mut Outbox,
    ) {
        if !(LEAST_PROMISED_TTL..=MAX_TTL).contains(&keep.ttl) {
            return self.done(id, Done::Kept(Err(KeepError::BadTtl(keep.ttl))));
        }
        let command = self.look_command(&keep.namespace, &keep.key);
        self.command_node(now, id, Operation::Keep(Box::new(keep)), command, outbox);
    }

    /// The lookup before a promise ended.
    pub(crate) fn keep_looked_up(
        &mut self,
        now: Now,
        request: RequestId,
        keep: KeepRequest,
        mut result: LookupResult,
        outbox: &mut Outbox,
    ) {
        let effort = Effort::from(&result);
        let id = PromiseId::of(&keep.namespace, &keep.key);
        let target = keep.namespace.target(&keep.key);
        let replicas = self.replicas(&mut result, &target, now);
        let new = !self.promises.all.contains_key(&id);
        let kept = worth_keeping(&keep, &replicas, effort, now);
        // All who held it may be gone, and we promised it before.
        let gone = Absence::NeverSeen;
        let kept = kept.or_else(|error| match error {
            KeepError::NotFound { absence, effort } if absence == gone => {
                match self.kept_before(&id, keep, now) {
                    // A majority knows that it has ended: it does not come back.
                    Some(kept) if replicas.is_forgotten(kept.item.seq()) => {
                        let version = Version::of(kept.item.seq().unwrap_or_default());
                        Err(KeepError::NotFound { absence: Absence::Expired(version), effort })
                    }
                    kept => kept.ok_or(error),
                }
            }
            _ => Err(error),
        });
        let kept = kept.and_then(|kept| {
            let room = !new || self.promises.all.len() < PROMISES;
            if room { Ok(kept) } else { Err(KeepError::TooMany) }
        });
        match kept {
            Err(error) => self.done(request, Done::Kept(Err(error))),
            Ok(kept) => self.make(now, (request, id, kept), &replicas, outbox),
        }
    }

    /// What we have of a promise that is made anew.
    fn kept_before(&self, id: &PromiseId, keep: KeepRequest, now: Now) -> Option<Kept> {
        let before = self.promises.all.get(id)?;
        let record = before.record();
        let lives = record.expires.is_none_or(|expires| expires > now.wall);
        let KeepRequest { namespace, key, ttl } = keep;
        let kept = Kept { namespace, key, ttl, ..before.kept.clone() };
        (lives && !record.is_tombstone()).then_some(kept)
    }

    fn make(
        &mut self,
        now: Now,
        (request, id, kept): (RequestId, PromiseId, Kept),
        replicas: &Replicas,
        outbox: &mut Outbox,
    ) {
        let before = self.promises.all.remove(&id);
        // A look that is on its way comes to its end.
        let looking = |before: &Promise| before.next_at.is_none() && !before.ending;
        let busy = before.as_ref().is_some_and(looking);
        let (new, planned) = (before.is_none(), before.as_ref().and_then(|it| it.next_at));
        let since = before.as_ref().map_or(kept.since, |before| before.kept.since);
        let chunks = before.as_ref().map_or(ChunksFare::NotYet, |before| before.chunks);
        let newer = before.map(|before| before.kept.item).filter(|it| it.seq() > kept.item.seq());
        let item = newer.unwrap_or(kept.item);
        let promise = Promise {
            kept: Kept { since, item, ..kept },
            fares: Fares::NotYet,
            chunks,
            looked: None,
            next_at: planned,
            ending: false,
            unsaved: false,
        };
        let record = promise.record();
        let (version, target) = (promise.version(), promise.kept.item.target());
        let chunks = promise.manifest().map(|manifest| manifest.chunks());
        let renews = promise.renews(&record);
        self.promises.all.insert(id, promise);
        let (fares, next) = self.tend(now, &id, replicas, outbox);
        if !busy {
            self.note(now, &id, fares);
        }
        if !busy && next == Next::Renew {
            self.promises.unplan(&id);
            self.promises.under_way += 1;
            self.renew_as_promised(now, id, outbox);
        }
        if let (false, Next::Walk { renews }) = (busy, next) {
            self.plan_walk(now, id, fares, renews);
        }
        let (durable, expires) = (self.promises.durable, record.expires);
        let report =
            Box::new(KeepReport { target, version, expires, renews, chunks, durable, fares });
        if !durable {
            return self.done(request, Done::Kept(Ok(report)));
        }
        let batch = self.write_promise(&id);
        let made = Waiting::Made { request, id, new, report };
        self.promises.waiting.push_back((batch, made));
    }

    /// Ends a promise.
    pub(crate) fn unkeep(&mut self, request: RequestId, id: &PromiseId) {
        let Some(promise) = self.promises.all.get_mut(id).filter(|it| !it.ending) else {
            return self.done(request, Done::Unkept(Err(UnkeepError::NotKept)));
        };
        promise.ending = self.promises.durable;
        self.promises.unplan(id);
        if !self.promises.durable {
            self.promises.all.remove(id);
            return self.done(request, Done::Unkept(Ok(())));
        }
        let changes = self.changes();
        changes.remove(&persisted::key(id));
        let batch = changes.batch();
        self.promises.waiting.push_back((batch, Waiting::Ended(request, *id)));
    }

    /// Tells all promises. Of what is newer on our own shelf the last look does not know: it is told, and
    /// looked at now.
    pub(crate) fn tell_promises(&mut self, now: Now, request: RequestId) {
        let all = self.promises.all.iter().filter(|(_, promise)| !promise.ending);
        let mut all: Vec<(PromiseStatus, Target)> = all
            .map(|(id, promise)| (promise.status(*id, now), promise.kept.item.target()))
            .collect();
        for (status, target) in &mut all {
            let held = self.node_mut().held(target, now).filter(|item| is_credible(item, now.wall));
            let held = held.and_then(Item::seq).map(Version::of);
            if status.fares.is_settled()
                && let Some(version) = held.filter(|version| *version > status.version)
            {
                status.fares = Fares::Newer(version);
                if status.next_in.is_some() {
                    self.promises.plan(&status.id, now.monotonic);
                }
            }
        }
        let mut all: Vec<PromiseStatus> = all.into_iter().map(|(status, _)| status).collect();
        all.sort_by(|one, other| (&one.key, one.id).cmp(&(&other.key, other.id)));
        self.done(request, Done::Promises(all));
    }

    /// Lets what a promise has outlive the process; nobody waits for that.
    pub(super) fn save(&mut self, id: &PromiseId) {
        if self.promises.durable && self.promises.all.get(id).is_some_and(|it| !it.ending) {
            let batch = self.write_promise(id);
            self.promises.waiting.push_back((batch, Waiting::Changed(*id)));
        }
    }

    fn write_promise(&mut self, id: &PromiseId) -> BatchNumber {
        if let Some(promise) = self.promises.all.get_mut(id) {
            promise.unsaved = false;
            let kept = promise.kept.clone();
            self.changes().put(&persisted::key(id), |to| kept.write(to));
        }
        self.changes().batch()
    }

    /// This batch of changes, and all before it, is durable.
    pub(crate) fn promises_stored(&mut self, batch: BatchNumber) {
        while let Some(waiting) = self.next_waiting(batch) {
            match waiting {
                Waiting::Made { request, report, .. } => {
                    self.done(request, Done::Kept(Ok(report)));
                }
                Waiting::Changed(_) => {}
                Waiting::Ended(request, id) => {
                    // It may have been made anew meanwhile.
                    if self.promises.all.get(&id).is_some_and(|promise| promise.ending) {
                        self.promises.all.remove(&id);
                    }
                    self.done(request, Done::Unkept(Ok(())));
                }
            }
        }
    }

    /// This batch of changes could not be made durable.
    pub(crate) fn promises_not_stored(&mut self, now: Now, batch: BatchNumber) {
        while let Some(waiting) = self.next_waiting(batch) {
            let id = *waiting.id();
            let later = self.promises.waiting.iter().any(|(_, later)| *later.id() == id);
            if let Some(promise) = self.promises.all.get_mut(&id) {
                promise.unsaved = true;
            }
            match waiting {
                Waiting::Made { request, new, .. } => {
                    if new && !later {
                        self.promises.unplan(&id);
                        self.promises.all.remove(&id);
                    }
                    self.done(request, Done::Kept(Err(KeepError::NotDurable)));
                }
                Waiting::Changed(_) => {}
                Waiting::Ended(request, _) => {
                    if let Some(promise) = self.promises.all.get_mut(&id) {
                        promise.ending = false;
                        self.promises.plan(&id, now.monotonic + LOOK_EVERY);
                    }
                    self.done(request, Done::Unkept(Err(UnkeepError::NotDurable)));
                }
            }
        }
    }

    fn next_waiting(&mut self, batch: BatchNumber) -> Option<Waiting> {
        self.promises.waiting.front().filter(|(waits_for, _)| *waits_for <= batch)?;
        self.promises.waiting.pop_front().map(|(_, waiting)| waiting)
    }

    /// Takes back a promise that was durable before the start; `false` if it may be removed.
    pub(crate) fn restore_promise(&mut self, now: Now, key: &[u8], value: &[u8]) -> bool {
        let kept = match persisted::read(key, value) {
            Persisted::Promise(kept) => *kept,
            Persisted::OfLaterVersion => return true,
            Persisted::Nothing => return false,
        };
        let chance = self.node_mut().draw();
        let id = PromiseId::of(&kept.namespace, &kept.key);
        let promise = Promise {
            kept,
            fares: Fares::NotYet,
            chunks: ChunksFare::NotYet,
            looked: None,
            next_at: None,
            ending: false,
            unsaved: false,
        };
        let span = promise.renewed_in(now.wall).map_or(LOOK_EVERY, |left| left.min(LOOK_EVERY));
        self.promises.all.insert(id, promise);
        self.promises.plan(&id, now.monotonic + FIRST_LOOK_AFTER + part_of(span, chance));
        true
    }
}

/// What is to be kept of what a lookup found.
fn worth_keeping(
    keep: &KeepRequest,
    replicas: &Replicas,
    effort: Effort,
    now: Now,
) -> Result<Kept, KeepError> {
    let (answered, needed) = (replicas.places.len(), replicas.majority());
    if answered == 0 {
        return Err(KeepError::Unreachable(effort));
    }
    if answered < needed {
        let known = replicas.known;
        return Err(KeepError::NotEnoughReplicas { answered, known, needed });
    }
    let absent = |absence| KeepError::NotFound { absence, effort };
    let KeepRequest { namespace, key, ttl } = keep.clone();
    let newest = replicas.newest_in(&keep.namespace);
    let Newest { item, record, .. } = newest.ok_or(absent(Absence::NeverSeen))?;
    let version = Version::of(item.seq().unwrap_or_default());
    if record.expires.is_some_and(|expires| expires <= now.wall) {
        return Err(absent(Absence::Expired(version)));
    }
    if record.is_tombstone() {
        return Err(absent(Absence::Deleted(version)));
    }
    let (_, manifest) = record.content().unwrap_or_default();
    if manifest.is_some_and(|manifest| manifest.length > PROMISED_BYTES) {
        return Err(KeepError::TooLarge(version));
    }
    if record.sealed && namespace.is_secret() {
        return Err(KeepError::Unopened(version));
    }
    let (item, shared) = (item.clone(), replicas.has_others());
    Ok(Kept { namespace, key, ttl, since: now.wall, shared, item })
}
