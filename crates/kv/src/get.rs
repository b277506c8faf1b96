//! Getting: the newest value among what enough replicas answer, and repair of those that lack it.

use alloc::boxed::Box;

use node::{Command, Ended, LookupResult, Now, Outbox, Question, UnixMillis, Until, Written};
use wire::Item;
use wire::planted::{self, Bug};

use crate::namespace::Namespace;
use crate::record::Record;
use crate::replicas::{Newest, Place, Replicas};
use crate::report::{Absence, Effort, GetError, GetReport, Replica};
use crate::request::{Consistency, Done, GetRequest, RequestId};
use crate::state::{Kv, Operation};
use crate::version::Version;

/// A get on its way.
pub(crate) struct Get {
    request: GetRequest,
}

impl Get {
    /// Whether this item is all the get needs.
    pub(crate) fn takes_first(&self, item: &Item, now: Now) -> bool {
        let GetRequest { namespace, consistency, .. } = &self.request;
        *consistency == Consistency::First && value(namespace, item, now).is_some()
    }
}

impl Kv {
    /// Starts a get.
    pub(crate) fn start_get(
        &mut self,
        now: Now,
        id: RequestId,
        request: GetRequest,
        outbox: &mut Outbox,
    ) {
        let GetRequest { namespace, key, trace, consistency } = &request;
        let target = namespace.target(key);
        let own = Replica { id: self.node().id(), endpoint: None };
        if *consistency == Consistency::First
            && let Some(item) = self.node_mut().held(&target, now).cloned()
            && let Some(report) = own_report(namespace, &item, own, now)
        {
            return self.done(id, Done::Got(Ok(Box::new(report))));
        }
        let question = Question::Item { target, salt: namespace.salt(key), newer_than: None };
        let until = match consistency {
            Consistency::All => Until::Patient,
            Consistency::First | Consistency::Quorum => Until::Converged,
        };
        let command = self.lookup(question, until, *trace);
        let get = Get { request };
        self.command_node(now, id, Operation::Get(Box::new(get)), command, outbox);
    }

    /// The lookup of a get ended.
    pub(crate) fn get_looked_up(
        &mut self,
        now: Now,
        id: RequestId,
        get: Box<Get>,
        mut result: LookupResult,
        outbox: &mut Outbox,
    ) {
        let effort = Effort::from(&result);
        let cut_short = result.ended == Ended::Cancelled;
        let target = get.request.namespace.target(&get.request.key);
        let replicas = self.replicas(&mut result, &target, now);
        let counted = if planted::is(Bug::GetCountsSilent) { replicas.silent.len() } else { 0 };
        let answered = replicas.places.len() + counted;
        // The first value will do wherever it was found, also beyond the closest.
        let first = get.request.consistency == Consistency::First && !replicas.items.is_empty();
        if answered == 0 && !first && replicas.nobody_answered(&effort) {
            return self.done(id, Done::Got(Err(GetError::Unreachable(effort))));
        }
        let needed = match get.request.consistency {
            Consistency::First => 1,
            Consistency::Quorum => replicas.majority(),
            Consistency::All => replicas.known,
        };
        let sure = match get.request.consistency {
            Consistency::All => replicas.silent.is_empty(),
            _ => first || answered >= needed,
        };
        let read = read(&replicas, &get.request, effort, now.wall);
        let outcome = match read {
            Ok(mut report) if sure => {
                if !cut_short {
                    let namespace = Some(&get.request.namespace);
                    report.repairing = self.repair(now, namespace, &replicas, outbox);
                }
                Ok(Box::new(report))
            }
            Err(error) if sure => {
                self.repair(now, Some(&get.request.namespace), &replicas, outbox);
                Err(error)
            }
            read => {
                let found = match read {
                    Ok(report) => Some(Box::new(report)),
                    Err(GetError::Unopened { older, .. }) => older,
                    Err(_) => None,
                };
                let known = replicas.known;
                let answered = known - replicas.silent.len().min(known);
                Err(GetError::NotEnoughReplicas { answered, known, needed, found })
            }
        };
        self.done(id, Done::Got(outcome));
    }

    /// Gives the newest version to the replicas that lack it. Tells how many. A reader of the
    /// namespace spreads nothing that nobody can read, and if it may sign it resolves two values
    /// under one version for good; a mere holder goes by versions alone.
    pub(crate) fn repair(
        &mut self,
        now: Now,
        namespace: Option<&Namespace>,
        replicas: &Replicas,
        outbox: &mut Outbox,
    ) -> usize {
        if planted::is(Bug::RepairSkipped) {
            return 0;
        }
        let (item, record) = match namespace {
            Some(namespace) => match replicas.newest_in(namespace) {
                Some(Newest { item, record, .. }) if !record.sealed => (item, record),
                _ => return 0,
            },
            None => {
                let Some(newest) = replicas.newest() else { return 0 };
                let item = &replicas.items[newest];
                (item, Record::decode(item.value()))
            }
        };
        // A plain item lives two hours from its writer's last put: to renew it is not ours to do.
        if record.expires.is_none_or(|expires| expires <= now.wall) {
            return 0;
        }
        let twin = |other: &&Item| other.seq() == item.seq() && other.value() != item.value();
        let item = match (replicas.items.iter().find(twin), namespace) {
            // Two values under one version: the greater wins, under a version of its own.
            (Some(_), Some(namespace)) if namespace.signer().is_ok() => {
                let (chance, nonce) = (self.node_mut().draw(), self.nonce());
                let seen = item.seq().map(Version::of);
                let Some(version) = Version::next(now.wall, chance, seen) else { return 0 };
                let Some(item) = namespace.sign_again(item, version, &nonce) else { return 0 };
                item
            }
            _ => item.clone(),
        };
        // Who remembers the version and lacks the item let it go by a clock that was fast.
        let lacks = |place: &&Place| {
            let only_remembers = item.seq().is_some() && place.item.is_none();
            place.seq < item.seq() || (only_remembers && place.seq == item.seq())
        };
        let lacking = || replicas.places.iter().filter(lacks);
        let to = Replicas::destinations(lacking(), None);
        let repairing = to.len();
        if repairing > 0 {
            let command = Command::Write { written: Written::item(item), to };
            self.command_in_background(now, command, outbox);
        }
        repairing
    }
}

/// The record of an item, if it holds a value now.
fn value(namespace: &Namespace, item: &Item, now: Now) -> Option<Record> {
    let record = namespace.read(item).ok()?;
    let lives = record.expires.is_none_or(|expires| expires > now.wall);
    Some(record).filter(|record| lives && !record.is_tombstone())
}

/// The report of a read that looked no further than our own shelf.
fn own_report(namespace: &Namespace, item: &Item, source: Replica, now: Now) -> Option<GetReport> {
    let record = value(namespace, item, now)?;
    let (value, manifest) = record.content()?;
    Some(GetReport {
        target: item.target(),
        value,
        manifest,
        content_type: record.content_type,
        version: Version::of(item.seq()?),
        expires: record.expires,
        source,
        agreed: 1,
        stale: 0,
        missing: 0,
        silent: 0,
        known: 1,
        repairing: 0,
        effort: Effort::default(),
    })
}

/// What the replicas' answers come to. The newest version counts also if it does not open, or what
/// was overwritten or deleted would come back; only who takes any value is given an older one.
fn read(
    replicas: &Replicas,
    request: &GetRequest,
    effort: Effort,
    wall: UnixMillis,
) -> Result<GetReport, GetError> {
    let absent = |absence| GetError::NotFound { absence, effort };
    let namespace = &request.namespace;
    let newest = replicas.newest_in(namespace).ok_or(absent(Absence::NeverSeen))?;
    if !newest.record.sealed {
        return report(replicas, newest, effort, wall).map_err(absent);
    }
    let version = Version::of(newest.item.seq().unwrap_or_default());
    if newest.record.expires.is_some_and(|expires| expires <= wall) {
        return Err(absent(Absence::Expired(version)));
    }
    let older = replicas.newest_that_opens(namespace);
    match older.and_then(|older| report(replicas, older, effort, wall).ok()) {
        Some(older) if request.consistency == Consistency::First => Ok(older),
        older => Err(GetError::Unopened { version, older: older.map(Box::new) }),
    }
}

/// The report of what was found.
fn report(
    replicas: &Replicas,
    found: Newest<'_>,
    effort: Effort,
    wall: UnixMillis,
) -> Result<GetReport, Absence> {
    let Newest { index: newest, item, record } = found;
    let version = Version::of(item.seq().ok_or(Absence::NeverSeen)?);
    let (value, manifest) = record.content().ok_or(Absence::Deleted(version))?;
    let ended = record.expires.is_some_and(|expires| expires <= wall);
    if ended && !planted::is(Bug::ExpiredReturned) {
        return Err(Absence::Expired(version));
    }
    let holding = || replicas.places.iter().filter(|place| place.item == Some(newest));
    let source = holding().next().map_or(replicas.found_at[newest], |place| place.replica());
    let agreed = holding().count();
    // A version without its item is hearsay.
    let missing = replicas.places.iter().filter(|place| place.item.is_none()).count();
    Ok(GetReport {
        target: item.target(),
        value,
        manifest,
        content_type: record.content_type,
        version,
        expires: record.expires,
        source,
        agreed,
        stale: replicas.places.len() - agreed - missing,
        missing,
        silent: replicas.silent.len(),
        known: replicas.known,
        repairing: 0,
        effort,
    })
}
