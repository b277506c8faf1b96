//! One look at the holders of a promised value, and what follows: those that lack it get it, and its
//! expiry is renewed.

use alloc::boxed::Box;
use core::time::Duration;

use node::{Command, LookupResult, Now, Outbox, Question, Until, Written};
use wire::Item;

use super::{ChunksFare, Fares, PromiseId, Renewal};
use crate::key::Key;
use crate::namespace::Namespace;
use crate::record::Record;
use crate::replicas::{Newest, Replicas};
use crate::report::{PutError, PutReport};
use crate::request::{Change, Expected, PutRequest, RequestId};
use crate::state::{Kv, Operation};
use crate::version::Version;

/// A look on its way.
pub(crate) struct Look {
    id: PromiseId,
}

/// What is to be done after a look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing more.
    Rest,
    /// The expiry is near.
    Renew,
    /// The chunks of a large value come next, and perhaps a renewal after them.
    Walk { renews: bool },
}

impl Kv {
    /// Looks at the promises that are due, a few at once.
    pub(crate) fn look_after_promises(&mut self, now: Now, outbox: &mut Outbox) {
        while let Some(id) = self.promises.next(now.monotonic) {
            let Some(promise) = self.promises.all.get(&id) else {
                self.promises.under_way -= 1;
                continue;
            };
            let command = self.look_command(&promise.kept.namespace, &promise.kept.key);
            let operation = Operation::Look(Box::new(Look { id }));
            self.command_node(now, RequestId::NOBODYS, operation, command, outbox);
        }
        self.walk_on(now, outbox);
    }

    /// A lookup that waits for slow answers: puts follow.
    pub(super) fn look_command(&self, namespace: &Namespace, key: &Key) -> Command {
        let (target, salt) = (namespace.target(key), namespace.salt(key));
        self.lookup(Question::Item { target, salt, newer_than: None }, Until::Patient, false)
    }

    /// A look ended.
    pub(crate) fn promise_looked_up(
        &mut self,
        now: Now,
        look: Look,
        mut result: LookupResult,
        outbox: &mut Outbox,
    ) {
        let Some(promise) = self.promises.all.get(&look.id) else {
            self.promises.under_way -= 1;
            return;
        };
        let target = promise.kept.item.target();
        let replicas = self.replicas(&mut result, &target, now);
        match self.tend(now, &look.id, &replicas, outbox) {
            (fares, Next::Rest) => self.end_look(now, &look.id, fares),
            (_, Next::Renew) => self.renew_as_promised(now, look.id, outbox),
            (fares, Next::Walk { renews }) => {
                self.promises.under_way -= 1;
                self.plan_walk(now, look.id, fares, renews);
            }
        }
    }

    /// Learns of a newer version, and gives the newest to those that lack it.
    pub(super) fn tend(
        &mut self,
        now: Now,
        id: &PromiseId,
        replicas: &Replicas,
        outbox: &mut Outbox,
    ) -> (Fares, Next) {
        let known = replicas.known;
        if replicas.places.is_empty() {
            return (Fares::Unreachable, Next::Rest);
        }
        self.note_others(id, replicas);
        if let Some(unopened) = self.learn(id, replicas) {
            return (unopened, Next::Rest);
        }
        let Some(promise) = self.promises.all.get(id) else { return (Fares::NotYet, Next::Rest) };
        let (record, item) = (promise.record(), &promise.kept.item);
        let over = record.expires.is_some_and(|expires| expires <= now.wall);
        if over || replicas.is_forgotten(item.seq()) {
            return (Fares::Expired(promise.version()), Next::Rest);
        }
        let (deleted, version) = (record.is_tombstone(), promise.version());
        let due = promise.renewed_in(now.wall).is_some_and(|left| left.is_zero());
        let cut_off = promise.kept.shared && !replicas.has_others();
        let walks = promise.has_chunks_to_keep();
        let holding =
            replicas.places.iter().filter(|place| place.item.is_some() && place.seq == item.seq());
        let holding = holding.count();
        let given = self.give(now, item.clone(), &record, replicas, outbox);
        let answered = replicas.places.len();
        if answered < replicas.majority() {
            return (Fares::TooFew { answered, known }, Next::Rest);
        }
        match deleted {
            true => (Fares::Deleted(version), Next::Rest),
            // Who is cut off cannot know whether it was deleted meanwhile.
            false if due && cut_off => (Fares::Alone, Next::Rest),
            // Nor would it find the chunks.
            false if walks && cut_off => {
                self.cut_off_from_chunks(id);
                (Fares::Alive { holding, known, given }, Next::Rest)
            }
            false if walks => (Fares::Alive { holding, known, given }, Next::Walk { renews: due }),
            false if due => (Fares::Alive { holding, known, given }, Next::Renew),
            false => (Fares::Alive { holding, known, given }, Next::Rest),
        }
    }

    /// From now on a look at which nobody else answers means that we are cut off.
    fn note_others(&mut self, id: &PromiseId, replicas: &Replicas) {
        if let Some(promise) = self.promises.all.get_mut(id)
            && !promise.kept.shared
            && replicas.has_others()
        {
            promise.kept.shared = true;
            self.save(id);
        }
    }

    /// Takes what is at least as new as what we have, if it can be read where it should.
    fn learn(&mut self, id: &PromiseId, replicas: &Replicas) -> Option<Fares> {
        let promise = self.promises.all.get_mut(id)?;
        let Newest { item, record, .. } = replicas.newest_in(&promise.kept.namespace)?;
        if item.seq() < promise.kept.item.seq() {
            return None;
        }
        if record.sealed && promise.kept.namespace.is_secret() {
            let version = Version::of(item.seq().unwrap_or_default());
            return Some(Fares::Unopened(version));
        }
        if *item != promise.kept.item {
            // A renewal names the same chunks.
            if record.value != promise.record().value {
                promise.chunks = ChunksFare::NotYet;
            }
            promise.kept.item = item.clone();
            self.save(id);
        }
        None
    }

    /// Puts an item, byte for byte, where an older one or nothing is; a plain one also where it is
    /// held, since it lives two hours from its last put. Tells how many did not have it.
    fn give(
        &mut self,
        now: Now,
        item: Item,
        record: &Record,
        replicas: &Replicas,
        outbox: &mut Outbox,
    ) -> usize {
        let lacks = |seq| seq < item.seq();
        let plain = record.expires.is_none();
        let places = replicas.places.iter();
        let places = places.filter(|place| lacks(place.seq) || plain && place.seq == item.seq());
        let to = Replicas::destinations(places, None);
        let given = replicas.places.iter().filter(|place| lacks(place.seq)).count();
        if !to.is_empty() {
            let command = Command::Write { written: Written::item(item), to };
            self.command_in_background(now, command, outbox);
        }
        given
    }

    /// Lets the value live on for as long as was promised.
    pub(super) fn renew_as_promised(&mut self, now: Now, id: PromiseId, outbox: &mut Outbox) {
        let ttl = self.promises.all.get(&id).map_or(Duration::ZERO, |promise| promise.kept.ttl);
        self.renew(now, id, ttl, outbox);
    }

    /// Lets the value live on under a new expiry, if nobody has written since.
    pub(super) fn renew(&mut self, now: Now, id: PromiseId, ttl: Duration, outbox: &mut Outbox) {
        let Some(promise) = self.promises.all.get(&id) else {
            self.promises.under_way -= 1;
            return;
        };
        let request = PutRequest {
            namespace: promise.kept.namespace.clone(),
            key: promise.kept.key.clone(),
            change: Change::Renew { ttl },
            expected: Expected::Version(promise.version()),
            trace: false,
        };
        let own = self.own_request();
        self.promises.renewals.insert(own, Renewal { id, item: None });
        self.start_put(now, own, request, outbox);
    }

    /// A put knows what it writes: if it is a renewal, that is kept.
    pub(crate) fn is_drafted(&mut self, request: &RequestId, item: &Item) {
        if let Some(renewal) = self.promises.renewals.get_mut(request) {
            renewal.item = Some(item.clone());
        }
    }

    /// Notes what renewals came to.
    pub(crate) fn hear_renewals(&mut self, now: Now) {
        while let Some((renewal, result)) = self.promises.renewed.pop() {
            let fares = match result {
                Ok(report) => self.is_renewed(renewal.id, renewal.item, &report),
                Err(error) => not_renewed(&error),
            };
            self.end_look(now, &renewal.id, fares);
        }
    }

    fn is_renewed(&mut self, id: PromiseId, item: Option<Item>, report: &PutReport) -> Fares {
        if let (Some(item), Some(promise)) = (item, self.promises.all.get_mut(&id))
            && item.seq() > promise.kept.item.seq()
        {
            promise.kept.item = item;
            self.save(&id);
        }
        Fares::Renewed { stored: report.replicas.stored.len(), known: report.replicas.known }
    }

    /// A look is over, with all that followed.
    fn end_look(&mut self, now: Now, id: &PromiseId, fares: Fares) {
        self.promises.under_way -= 1;
        self.note(now, id, fares);
    }

    /// Notes how a promise fares, and when it is looked at next.
    pub(super) fn note(&mut self, now: Now, id: &PromiseId, fares: Fares) {
        let chance = self.node_mut().draw();
        let Some(promise) = self.promises.all.get_mut(id) else { return };
        (promise.fares, promise.looked) = (fares, Some(now.wall));
        let (pause, unsaved) = (promise.pause(now.wall, chance), promise.unsaved);
        self.promises.plan(id, now.monotonic + pause);
        if unsaved {
            self.save(id);
        }
    }
}

/// What a renewal that failed came to.
fn not_renewed(error: &PutError) -> Fares {
    match error {
        PutError::Unreachable(_) => Fares::Unreachable,
        PutError::NotEnoughReplicas(report) => {
            Fares::TooFew { answered: report.replicas.stored.len(), known: report.replicas.known }
        }
        PutError::Conflict { .. } => Fares::Overtaken,
        PutError::Undetermined { version } => Fares::Undetermined(*version),
        PutError::VersionExhausted(version) => Fares::Exhausted(*version),
        _ => Fares::NotRenewed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_write_in_between_is_told_as_one() {
        let version = Version::new(7).unwrap();
        let overtaken = PutError::Conflict { current: Some(version) };
        assert_eq!(not_renewed(&overtaken), Fares::Overtaken);
        let open = not_renewed(&PutError::Undetermined { version });
        assert_eq!((open, open.is_settled()), (Fares::Undetermined(version), false));
        // There will be no other time.
        let last = not_renewed(&PutError::VersionExhausted(version));
        assert_eq!((last, last.is_settled()), (Fares::Exhausted(version), true));
        assert_eq!(not_renewed(&PutError::Busy), Fares::NotRenewed);
        assert!(!Fares::NotRenewed.is_settled());
    }
}
