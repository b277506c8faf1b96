//! Promises: what this node keeps alive until it is told otherwise, whoever else holds it.
//!
//! A promise has the newest item that was seen, so that the value comes back when all its holders are
//! gone. About once an hour the holders are looked at: those that lack the item get it, byte for byte.
//! If the namespace is one that may sign here, the expiry is renewed when less than half of the
//! promised life is left: a put of the same value under a compare-and-swap, in the version right above
//! the one that was read. Whoever wrote at the same time, even where the renewal is not seen, has a
//! higher version and wins.
//!
//! What was deleted stays deleted, and what expired stays so; a promise about it rests, and looks
//! whether something new was put.
//!
//! The way through the files: `asking` (a promise is made, told, ended; what is durable) → `looking`
//! (one look, and what follows) → `walking` (the chunks of a large value) → `status` (what is told). `persisted` is how they outlive the process.

mod asking;
mod looking;
mod persisted;
mod status;
mod walking;

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use hashbrown::HashMap;
use node::{BatchNumber, Instant, Now, UnixMillis};
use wire::Item;

use crate::chance::jittered;
use crate::limits::{
    LOOK_AGAIN, LOOK_AGAIN_LEAST, LOOK_AGAIN_PARTS, LOOK_EVERY, LOOKS, LOOKS_PAUSE, PROMISED_BYTES,
};
use crate::record::Record;
use crate::report::{PutError, PutReport};
use crate::request::{Done, RequestId};
use crate::version::Version;

use asking::Waiting;
pub(crate) use looking::Look;
use persisted::Kept;
pub(crate) use persisted::{SPACE, reads};
pub use status::{
    ChunksStatus, Fares, KeepError, KeepReport, PromiseId, PromiseStatus, UnkeepError,
};
pub use walking::ChunksFare;
use walking::Walks;

/// One promise.
struct Promise {
    kept: Kept,
    fares: Fares,
    /// How the chunks of a large value fare.
    chunks: ChunksFare,
    looked: Option<UnixMillis>,
    /// When it is looked at next; `None`: it is being looked at, or ends.
    next_at: Option<Instant>,
    /// It ends once the disk has that.
    ending: bool,
    /// The disk did not take its last change.
    unsaved: bool,
}

impl Promise {
    /// What its item says, as far as that can be read here.
    fn record(&self) -> Record {
        let Kept { namespace, item, .. } = &self.kept;
        namespace.read(item).unwrap_or_else(|_| {
            // Its times stand outside of the seal; all else is unknown.
            let times = Record::decode(item.value());
            Record { value: None, content_type: None, sealed: true, ..times }
        })
    }

    fn version(&self) -> Version {
        Version::of(self.kept.item.seq().unwrap_or_default())
    }

    /// For how long this record is renewed each time, if it can be.
    fn renews(&self, record: &Record) -> Option<Duration> {
        let may = self.kept.namespace.signer().is_ok() && !record.sealed && !record.is_tombstone();
        let large = record.content().and_then(|(_, manifest)| manifest);
        let may = may && large.is_none_or(|manifest| manifest.length <= PROMISED_BYTES);
        (may && record.expires.is_some()).then_some(self.kept.ttl)
    }

    /// How long it can wait before it is renewed, if it can be renewed at all.
    fn renewed_in(&self, wall: UnixMillis) -> Option<Duration> {
        let record = self.record();
        let (ttl, expires) = (self.renews(&record)?, record.expires?);
        (expires > wall).then(|| expires.since(wall).saturating_sub(ttl / 2))
    }

    /// How long it is left alone after a look.
    fn pause(&self, wall: UnixMillis, chance: u64) -> Duration {
        if !self.fares.is_settled() || !self.chunks.is_settled() {
            return jittered(LOOK_AGAIN.min(self.kept.ttl / LOOK_AGAIN_PARTS), chance)
                .max(LOOK_AGAIN_LEAST);
        }
        let usual = jittered(LOOK_EVERY, chance);
        self.renewed_in(wall).map_or(usual, |left| usual.min(left)).max(LOOK_AGAIN_LEAST)
    }

    fn status(&self, id: PromiseId, now: Now) -> PromiseStatus {
        let record = self.record();
        PromiseStatus {
            id,
            key: self.kept.key.clone(),
            owner: self.kept.namespace.owner(),
            secret: self.kept.namespace.is_secret(),
            since: self.kept.since,
            version: self.version(),
            expires: record.expires,
            renews: self.renews(&record),
            fares: self.fares,
            chunks: self.chunks_status(),
            looked: self.looked,
            next_in: self.next_at.map(|at| at.since(now.monotonic)),
        }
    }
}

/// A renewal on its way.
struct Renewal {
    id: PromiseId,
    /// The item as it is written, once that is known.
    item: Option<Item>,
}

/// All promises of one node.
pub(crate) struct Promises {
    /// They outlive the process.
    durable: bool,
    all: HashMap<PromiseId, Promise, foldhash::fast::FixedState>,
    /// When each is looked at next.
    schedule: BTreeSet<(Instant, PromiseId)>,
    /// Looks and renewals on their way.
    under_way: usize,
    /// No further look begins before.
    paused_until: Instant,
    walks: Walks,
    renewals: HashMap<RequestId, Renewal, foldhash::fast::FixedState>,
    /// Renewals that ended, not yet noted.
    renewed: Vec<(Renewal, Result<PutReport, PutError>)>,
    /// What waits for the disk, in the order in which it came.
    waiting: VecDeque<(BatchNumber, Waiting)>,
}

impl Promises {
    /// None yet. Durable ones are acknowledged once the disk has them.
    pub fn new(durable: bool) -> Self {
        Self {
            durable,
            all: HashMap::default(),
            schedule: BTreeSet::new(),
            under_way: 0,
            paused_until: Instant::default(),
            walks: Walks::default(),
            renewals: HashMap::default(),
            renewed: Vec::new(),
            waiting: VecDeque::new(),
        }
    }

    /// When something is due; `None`: not before something else ends.
    pub fn deadline(&self) -> Option<Instant> {
        [self.next_look(), self.walks.deadline()].into_iter().flatten().min()
    }

    fn next_look(&self) -> Option<Instant> {
        let (at, _) = self.schedule.first().filter(|_| self.under_way < LOOKS)?;
        Some((*at).max(self.paused_until))
    }

    /// Takes the next promise to be looked at, if it is time.
    fn next(&mut self, now: Instant) -> Option<PromiseId> {
        if self.next_look()? > now {
            return None;
        }
        let (_, id) = self.schedule.pop_first()?;
        self.paused_until = now + LOOKS_PAUSE;
        self.under_way += 1;
        if let Some(promise) = self.all.get_mut(&id) {
            promise.next_at = None;
        }
        Some(id)
    }

    /// Looks at a promise at this time, and not when it was meant to before.
    fn plan(&mut self, id: &PromiseId, at: Instant) {
        let Some(promise) = self.all.get_mut(id).filter(|promise| !promise.ending) else { return };
        if let Some(before) = promise.next_at.replace(at) {
            self.schedule.remove(&(before, *id));
        }
        self.schedule.insert((at, *id));
    }

    /// Looks at a promise no more.
    fn unplan(&mut self, id: &PromiseId) {
        if let Some(before) = self.all.get_mut(id).and_then(|promise| promise.next_at.take()) {
            self.schedule.remove(&(before, *id));
        }
    }

    /// Takes the end of what promises asked for; gives back what is another's.
    pub fn take_own(&mut self, request: RequestId, done: Done) -> Option<Done> {
        let done = self.walks.hear(request, done)?;
        let Some(renewal) = self.renewals.remove(&request) else { return Some(done) };
        if let Done::Put(result) = done {
            self.renewed.push((renewal, result.map(|report| *report)));
        }
        None
    }
}
