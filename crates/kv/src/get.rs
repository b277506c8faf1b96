//! Getting: the newest value among what enough replicas answer, and repair of those that lack it.

use alloc::boxed::Box;

use node::{Command, Ended, LookupResult, Now, Outbox, Question, UnixMillis, Until, Written};
use wire::{Item, Signer};

use crate::record::Record;
use crate::replicas::Replicas;
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
        self.request.consistency == Consistency::First && value(item, now).is_some()
    }
}

impl GetRequest {
    /// Who may sign for the key, and its salt.
    fn signing(&self) -> Option<(&Signer, Box<[u8]>)> {
        Some((self.namespace.signer().ok()?, self.key.salt()))
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
            && let Some(report) = own_report(&item, own, now)
        {
            return self.done(id, Done::Got(Ok(Box::new(report))));
        }
        let question = Question::Item { target, salt: key.salt(), newer_than: None };
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
        let answered = replicas.places.len();
        if answered == 0 {
            return self.done(id, Done::Got(Err(GetError::Unreachable(effort))));
        }
        let needed = match get.request.consistency {
            Consistency::First => 1,
            Consistency::Quorum => replicas.majority(),
            Consistency::All => replicas.known,
        };
        let sure = match get.request.consistency {
            Consistency::All => replicas.silent.is_empty(),
            _ => answered >= needed,
        };
        let read = read(&replicas, effort, now.wall);
        let outcome = match read {
            Ok(mut report) if sure => {
                if !cut_short {
                    let signing = get.request.signing();
                    report.repairing = self.repair(now, signing, &replicas, outbox);
                }
                Ok(Box::new(report))
            }
            Err(absence) if sure => {
                self.repair(now, get.request.signing(), &replicas, outbox);
                Err(GetError::NotFound { absence, effort })
            }
            read => {
                let (known, found) = (replicas.known, read.ok().map(Box::new));
                let answered = known - replicas.silent.len().min(known);
                Err(GetError::NotEnoughReplicas { answered, known, needed, found })
            }
        };
        self.done(id, Done::Got(outcome));
    }

    /// Gives the newest version to the replicas that lack it. Tells how many. Who may sign resolves
    /// two values under one version for good.
    pub(crate) fn repair(
        &mut self,
        now: Now,
        signing: Option<(&Signer, Box<[u8]>)>,
        replicas: &Replicas,
        outbox: &mut Outbox,
    ) -> usize {
        let Some(item) = replicas.newest().map(|index| &replicas.items[index]) else { return 0 };
        let record = Record::decode(item.value());
        // A plain item lives two hours from its writer's last put: to renew it is not ours to do.
        if record.expires.is_none_or(|expires| expires <= now.wall) {
            return 0;
        }
        let twin = |other: &&Item| other.seq() == item.seq() && other.value() != item.value();
        let item = match (replicas.items.iter().find(twin), signing) {
            // Two values under one version: the greater wins, under a version of its own.
            (Some(_), Some((signer, salt))) => {
                let chance = self.node_mut().draw();
                let seen = item.seq().map(Version::of);
                let Some(version) = Version::next(now.wall, chance, seen) else { return 0 };
                match Item::mutable(signer, &salt, version.seq(), item.value()) {
                    Ok(item) => item,
                    Err(_) => return 0,
                }
            }
            _ => item.clone(),
        };
        let lacking = || replicas.places.iter().filter(|place| place.seq < item.seq());
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
fn value(item: &Item, now: Now) -> Option<Record> {
    let record = Record::decode(item.value());
    let lives = record.expires.is_none_or(|expires| expires > now.wall);
    Some(record).filter(|record| lives && !record.is_tombstone())
}

/// The report of a read that looked no further than our own shelf.
fn own_report(item: &Item, source: Replica, now: Now) -> Option<GetReport> {
    let record = value(item, now)?;
    Some(GetReport {
        target: item.target(),
        value: record.value?,
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

/// What the replicas' answers come to.
fn read(replicas: &Replicas, effort: Effort, wall: UnixMillis) -> Result<GetReport, Absence> {
    let newest = replicas.newest().ok_or(Absence::NeverSeen)?;
    let item = &replicas.items[newest];
    let version = Version::of(item.seq().ok_or(Absence::NeverSeen)?);
    let record = Record::decode(item.value());
    let value = record.value.ok_or(Absence::Deleted(version))?;
    if record.expires.is_some_and(|expires| expires <= wall) {
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
