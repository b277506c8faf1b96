//! Putting and deleting: look who holds what, sign a higher version, write it to the closest.
//!
//! A compare-and-swap goes first to one arbiter: the closest holder of the newest version, or the
//! closest node of all where nothing is held. Only its yes releases the other writes, so of two
//! swaps that meet at the same arbiter one wins. A silent arbiter leaves the outcome open, and the
//! caller is told so.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use node::limits::PLAIN_LEASE;
use node::{Command, LookupResult, Now, Outbox, Outcome, Question, UnixMillis, Until, Written};
use wire::planted::{self, Bug};
use wire::{Contact, Item, NodeId, Seq, Target};

use crate::cipher::Nonce;
use crate::limits::{CONTENT_TYPE_BYTES, MAX_TTL};
use crate::record::Record;
use crate::replicas::{Place, Replicas};
use crate::report::{Effort, PutError, PutReport, Refusal, Replica, WriteReport};
use crate::request::{Change, Done, Expected, PutRequest, RequestId};
use crate::state::{Kv, Operation};
use crate::version::Version;

/// A put that a concurrent one overtook is looked at again so often.
const ATTEMPTS: u8 = 3;

/// The error codes by which a holder says that it holds something newer, or another version.
pub(crate) const CONFLICTS: [i64; 2] = [301, 302];

/// A put on its way.
pub(crate) struct Put {
    request: PutRequest,
    attempt: u8,
    started: Now,
    draft: Option<Draft>,
    /// The version of an earlier attempt that the arbiter refused when it was asked again: it may
    /// have taken it the first time, and another replaced it since.
    open: Option<Version>,
}

impl Put {
    /// Nothing that speaks of another's version is the whole truth while ours may have been there.
    fn or_open(&self, error: PutError) -> PutError {
        match (self.open, error) {
            (Some(version), PutError::Conflict { .. } | PutError::NotFound(_)) => {
                PutError::Undetermined { version }
            }
            (_, error) => error,
        }
    }
}

/// What is being written.
struct Draft {
    item: Item,
    report: PutReport,
    /// Where it goes once the arbiter has said yes; empty when all writes are out.
    after_arbiter: Option<Vec<Place>>,
}

impl Draft {
    fn new(item: Item, expires: Option<UnixMillis>, effort: Effort, replicas: &Replicas) -> Self {
        let report = PutReport {
            target: item.target(),
            version: item.seq().map(Version::of),
            expires,
            replicas: WriteReport { effort, ..replicas.report() },
            chunks: None,
        };
        Self { item, report, after_arbiter: None }
    }
}

impl Kv {
    /// Starts a put, or tells at once why it cannot be.
    pub(crate) fn start_put(
        &mut self,
        now: Now,
        id: RequestId,
        request: PutRequest,
        outbox: &mut Outbox,
    ) {
        if let Err(error) = check(&request) {
            return self.done(id, Done::Put(Err(error)));
        }
        let put = Put { request, attempt: 1, started: now, draft: None, open: None };
        self.look_before_put(now, id, put, outbox);
    }

    fn look_before_put(&mut self, now: Now, id: RequestId, put: Put, outbox: &mut Outbox) {
        let PutRequest { namespace, key, trace, .. } = &put.request;
        let target = namespace.target(key);
        let question = Question::Item { target, salt: namespace.salt(key), newer_than: None };
        // A write waits for slow answers: it belongs on the closest that live, and swaps that meet
        // must meet at the same arbiter.
        let command = self.lookup(question, Until::Patient, *trace);
        self.command_node(now, id, Operation::Put(Box::new(put)), command, outbox);
    }

    /// The lookup of a put ended.
    pub(crate) fn put_looked_up(
        &mut self,
        now: Now,
        id: RequestId,
        mut put: Box<Put>,
        mut result: LookupResult,
        outbox: &mut Outbox,
    ) {
        let effort = Effort::from(&result);
        let target = put.request.namespace.target(&put.request.key);
        let replicas = self.replicas(&mut result, &target, now);
        if replicas.places.is_empty() {
            return self.done(id, Done::Put(Err(replicas.no_place(target, effort))));
        }
        let (chance, nonce) = (self.node_mut().draw(), self.nonce());
        let draft = match draft(&put.request, &replicas, effort, now.wall, (chance, &nonce)) {
            Ok(draft) => draft,
            Err(error) => return self.done(id, Done::Put(Err(put.or_open(error)))),
        };
        self.is_drafted(&id, &draft.item);
        put.draft = Some(draft);
        match put.request.expected {
            Expected::Anything => self.write_draft(now, id, put, &replicas.places, None, outbox),
            Expected::Absent | Expected::Version(_) => {
                self.ask_arbiter(now, id, put, replicas, outbox);
            }
        }
    }

    /// Writes the draft to all these places, our own shelf perhaps among them.
    fn write_draft(
        &mut self,
        now: Now,
        id: RequestId,
        put: Box<Put>,
        places: &[Place],
        cas: Option<Seq>,
        outbox: &mut Outbox,
    ) {
        let Some(draft) = &put.draft else { return };
        let written = Written::item(draft.item.clone());
        let command = Command::Write { written, to: Replicas::destinations(places, cas) };
        self.command_node(now, id, Operation::Put(put), command, outbox);
    }

    /// Sends the draft to the one node that decides.
    fn ask_arbiter(
        &mut self,
        now: Now,
        id: RequestId,
        mut put: Box<Put>,
        mut replicas: Replicas,
        outbox: &mut Outbox,
    ) {
        let Some(draft) = &mut put.draft else { return };
        let newest = replicas.newest().and_then(|index| replicas.items[index].seq());
        let able = |place: &Place| place.contact.is_none() || place.token.is_some();
        let holder = |place: &Place| place.item.is_some() && place.seq == newest && able(place);
        let empty = |place: &Place| place.item.is_none() && able(place);
        let mut places = replicas.places.iter();
        let arbiter = places.position(holder).or_else(|| replicas.places.iter().position(empty));
        let Some(arbiter) = arbiter else {
            let report = Box::new(draft.report.clone());
            return self.done(id, Done::Put(Err(PutError::NotEnoughReplicas(report))));
        };
        let arbiter = replicas.places.remove(arbiter);
        // A version that nobody ever has: it holds only where nothing is.
        let cas = Some(arbiter.item.and(arbiter.seq).unwrap_or_default());
        draft.after_arbiter = Some(replicas.places);
        self.write_draft(now, id, put, core::slice::from_ref(&arbiter), cas, outbox);
    }

    fn arbiter_agreed(
        &mut self,
        now: Now,
        id: RequestId,
        mut put: Box<Put>,
        arbiter: Replica,
        outbox: &mut Outbox,
    ) {
        let Some(draft) = &mut put.draft else { return };
        draft.report.replicas.stored.push(arbiter);
        let places = draft.after_arbiter.take().unwrap_or_default();
        self.write_draft(now, id, put, &places, None, outbox);
    }

    fn arbiter_refused(&mut self, id: RequestId, mut put: Box<Put>, no: Refusal) {
        let Some(mut draft) = put.draft.take() else { return };
        let error = if CONFLICTS.contains(&no.code) {
            put.or_open(PutError::Conflict { current: None })
        } else {
            draft.report.replicas.refused.push(no);
            PutError::NotEnoughReplicas(Box::new(draft.report))
        };
        self.done(id, Done::Put(Err(error)));
    }

    /// A write phase of a put ended: the arbiter's, or that of all others.
    pub(crate) fn put_wrote(
        &mut self,
        now: Now,
        id: RequestId,
        mut put: Box<Put>,
        outcomes: Vec<(Option<Contact>, Outcome)>,
        outbox: &mut Outbox,
    ) {
        let own = self.node().id();
        let Some(draft) = &mut put.draft else { return };
        if draft.after_arbiter.is_some() {
            let outcome = outcomes.into_iter().next();
            if let Some((_, Outcome::Refused { code, repeated: true, .. })) = &outcome
                && CONFLICTS.contains(code)
            {
                put.open = draft.report.version;
            }
            return match outcome {
                Some((contact, Outcome::Stored)) => {
                    self.arbiter_agreed(now, id, put, Replica::at(contact, own), outbox);
                }
                Some((contact, Outcome::Silent)) if planted::is(Bug::SilentArbiterAgrees) => {
                    self.arbiter_agreed(now, id, put, Replica::at(contact, own), outbox);
                }
                // It holds something else by now: another look tells what.
                Some((_, Outcome::Refused { code, .. }))
                    if CONFLICTS.contains(&code) && put.attempt < ATTEMPTS =>
                {
                    if planted::is(Bug::DoneTwice) {
                        self.done(id, Done::Put(Err(PutError::Conflict { current: None })));
                    }
                    put.attempt += 1;
                    put.draft = None;
                    self.look_before_put(now, id, *put, outbox);
                }
                Some((contact, Outcome::Refused { code, text, .. })) => {
                    let no = Refusal { replica: Replica::at(contact, own), code, text };
                    self.arbiter_refused(id, put, no);
                }
                Some((_, Outcome::Silent)) | None => {
                    let version = draft.report.version.unwrap_or(Version::of(Seq::default()));
                    self.done(id, Done::Put(Err(PutError::Undetermined { version })));
                }
            };
        }
        let replicas = &mut draft.report.replicas;
        replicas.add(outcomes, own, &draft.report.target);
        replicas.effort.took = now.monotonic.since(put.started.monotonic);
        let counted = if planted::is(Bug::PutCountsSilent) { replicas.silent.len() } else { 0 };
        if replicas.stored.len() + counted >= replicas.needed {
            let report = Box::new(draft.report.clone());
            return self.done(id, Done::Put(Ok(report)));
        }
        if replicas.was_overtaken()
            && put.request.expected == Expected::Anything
            && put.attempt < ATTEMPTS
        {
            put.attempt += 1;
            put.draft = None;
            return self.look_before_put(now, id, *put, outbox);
        }
        let report = Box::new(draft.report.clone());
        self.done(id, Done::Put(Err(PutError::NotEnoughReplicas(report))));
    }
}

impl WriteReport {
    /// Adds what became of a write at other nodes, each in its place.
    pub(crate) fn add(
        &mut self,
        outcomes: Vec<(Option<Contact>, Outcome)>,
        own: NodeId,
        target: &Target,
    ) {
        for (contact, outcome) in outcomes {
            let replica = Replica::at(contact, own);
            match outcome {
                Outcome::Stored => self.stored.push(replica),
                Outcome::Refused { code, text, .. } => {
                    self.refused.push(Refusal { replica, code, text });
                }
                Outcome::Silent => self.silent.push(replica),
            }
        }
        let distance = |replica: &Replica| target.point().distance(&replica.id.point());
        self.stored.sort_by_key(distance);
        self.silent.sort_by_key(distance);
    }
}

impl PutRequest {
    /// Checks what can be checked before anything is sent.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), PutError> {
        check(self)
    }
}

fn check(request: &PutRequest) -> Result<(), PutError> {
    request.namespace.admits(matches!(request.change, Change::Put { plain: true, .. }))?;
    let too_long = |content_type: &Option<Box<str>>| {
        let length = content_type.as_deref().map_or(0, str::len);
        (length > CONTENT_TYPE_BYTES).then_some(PutError::BadContentType(length))
    };
    let (value, content_type, ttl, plain) = match &request.change {
        Change::Put { value, content_type, ttl, plain } => (value, content_type, ttl, plain),
        Change::PutManifest { manifest, content_type, .. } => {
            request.namespace.admits_chunks(manifest.form)?;
            return too_long(content_type).map_or(Ok(()), Err);
        }
        Change::Delete => return Ok(()),
        Change::Renew { ttl } => return check_ttl(*ttl),
    };
    check_ttl(*ttl)?;
    if let Some(error) = too_long(content_type) {
        return Err(error);
    }
    let limit = request.namespace.largest_value(content_type.as_deref(), *plain);
    if value.len() > limit {
        return Err(PutError::TooLarge { length: value.len(), limit });
    }
    Ok(())
}

fn check_ttl(ttl: Duration) -> Result<(), PutError> {
    let possible = (Duration::from_millis(1)..=MAX_TTL).contains(&ttl);
    if possible { Ok(()) } else { Err(PutError::BadTtl(ttl)) }
}

/// Signs what is to be written, after a look at what is there.
fn draft(
    request: &PutRequest,
    replicas: &Replicas,
    effort: Effort,
    wall: UnixMillis,
    (chance, nonce): (u64, &Nonce),
) -> Result<Draft, PutError> {
    let newest = replicas.newest().map(|index| &replicas.items[index]);
    let seen = replicas.highest().max(newest.and_then(Item::seq)).map(Version::of);
    let before = replicas.newest_in(&request.namespace).map(|newest| newest.record);
    let lives = before.as_ref().is_some_and(|record| {
        !record.is_tombstone() && record.expires.is_none_or(|expires| expires > wall)
    });
    let current = newest.and_then(Item::seq).filter(|_| lives).map(Version::of);
    let expected = match request.expected {
        Expected::Anything => true,
        Expected::Absent => current.is_none(),
        Expected::Version(version) => current == Some(version),
    };
    if !expected {
        return Err(PutError::Conflict { current });
    }
    // A plain record has no expiry of its own: its holders keep it for two hours at most.
    let replaced_until =
        before.as_ref().map(|record| record.remembered_until().unwrap_or(wall + PLAIN_LEASE));
    let record = match &request.change {
        Change::Put { value, plain: true, .. } => Record::plain(value),
        Change::Put { value, content_type, ttl, .. } => Record {
            value: Some(value.clone()),
            content_type: content_type.clone(),
            expires: Some(wall + *ttl),
            replaced_until: replaced_until.filter(|until| *until > wall + *ttl),
            ..Record::default()
        },
        Change::PutManifest { expires, .. } if *expires <= wall => {
            return Err(PutError::BadTtl(Duration::ZERO));
        }
        Change::PutManifest { manifest, content_type, expires } => Record {
            value: Some(manifest.encode().into()),
            content_type: content_type.clone(),
            expires: Some(*expires),
            replaced_until: replaced_until.filter(|until| until > expires),
            manifest: Some(manifest.form),
            sealed: false,
        },
        Change::Delete | Change::Renew { .. } if !lives => return Err(PutError::NotFound(effort)),
        Change::Renew { ttl } => {
            let newest = newest.ok_or(PutError::NotFound(effort))?;
            let version = Version::of(newest.seq().unwrap_or_default());
            let exhausted = PutError::VersionExhausted(version);
            let (version, expires) = (version.renewed().ok_or(exhausted)?, wall + *ttl);
            let renewed = request.namespace.renew(newest, version, expires, nonce)?;
            let item = renewed.ok_or(PutError::NotFound(effort))?;
            return Ok(Draft::new(item, Some(expires), effort, replicas));
        }
        Change::Delete if planted::is(Bug::TombstoneShort) => {
            Record { expires: Some(wall + Duration::from_secs(60)), ..Record::default() }
        }
        Change::Delete => Record { expires: replaced_until, ..Record::default() },
    };
    let exhausted = || PutError::VersionExhausted(seen.unwrap_or(Version::of(Seq::default())));
    let version = Version::next(wall, chance, seen).ok_or_else(exhausted)?;
    let item = request.namespace.sign(&request.key, version, &record, nonce)?;
    Ok(Draft::new(item, record.expires, effort, replicas))
}
