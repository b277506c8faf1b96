//! Chunks of promised values: after each look that finds the manifest of a large value, all its chunks
//! are fetched from whoever holds them and put again, which sends them to the replicas that lack them
//! or would end too soon. So they outlive their holders as long as one is left, and their leases are as
//! long as the record. One value is walked through at a time, a batch after the other, and no more than
//! a batch is in memory.
//!
//! A record is renewed only when the chunks have been: none is to end before it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use node::{Instant, Now, Outbox, UnixMillis};
use wire::Item;

use super::{ChunksStatus, Fares, Promise, PromiseId};
use crate::limits::{
    LOOK_AGAIN, LOOK_AGAIN_LEAST, PROMISED_BYTES, WALK_BATCH, WALK_EVERY, WALK_MARGIN_PARTS,
    WALK_WITHIN_PARTS,
};
use crate::manifest::{Manifest, ManifestReader, ReadError, Wanted};
use crate::report::{ChunksFound, ChunksReport};
use crate::request::{ChunksPutRequest, Done, RequestId};
use crate::state::Kv;

/// How the chunks of a promised value fare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ChunksFare {
    /// They have not all been looked at since the node started, or since the value came.
    #[default]
    NotYet,
    /// Each is kept by a majority of its replicas.
    Kept {
        /// Copies given to replicas that lacked them, or kept them for too short.
        given: usize,
    },
    /// All are there, but some are kept by too few: they are looked at again soon.
    Short {
        /// How many.
        short: usize,
        /// Copies given.
        given: usize,
    },
    /// Some are given by nobody: the value cannot be read unless holders of them come back.
    Missing {
        /// How many, those that hang from a lost chunk of the tree included.
        missing: u64,
        /// Copies given of those that are left.
        given: usize,
    },
    /// They are there and make another value than the manifest names: its writer erred or lied.
    Mismatch,
    /// Nobody answered while they were looked at: they are looked at again soon.
    Unreachable,
    /// They are not looked after: the value has more bytes than can be kept.
    TooLarge,
}

impl ChunksFare {
    /// Whether it will do to look again at the usual time.
    pub(super) fn is_settled(self) -> bool {
        !matches!(self, ChunksFare::Short { .. } | ChunksFare::Unreachable)
    }
}

/// A walk through the chunks of one value.
pub(super) struct Walk {
    id: PromiseId,
    /// The record whose chunks they are.
    item: Item,
    reader: ManifestReader,
    /// Whoever keeps a chunk until then is not sent it again.
    expires: UnixMillis,
    lease: UnixMillis,
    /// The record is renewed at the end.
    renews: bool,
    /// Between one batch and the next.
    pause: Duration,
    /// What the look came to.
    fares: Fares,
    step: Step,
    /// Chunks of the batch that is asked for.
    wanted: Vec<Wanted>,
    /// The end of what it waits for.
    heard: Option<Done>,
    short: usize,
    given: usize,
}

#[derive(Clone, Copy)]
enum Step {
    /// The next batch is due then.
    Due(Instant),
    Fetching(RequestId),
    Putting(RequestId),
}

impl Walk {
    /// When it goes on; `None`: it waits for an answer.
    pub fn deadline(&self) -> Option<Instant> {
        match self.step {
            Step::Due(at) => Some(at),
            _ => self.heard.as_ref().map(|_| Instant::default()),
        }
    }

    /// Takes the end of what it waits for; gives back what is another's.
    pub fn hear(&mut self, request: RequestId, done: Done) -> Option<Done> {
        match self.step {
            Step::Fetching(own) | Step::Putting(own) if own == request => {
                self.heard = Some(done);
                None
            }
            _ => Some(done),
        }
    }

    fn fare(&self) -> ChunksFare {
        let Self { short, given, .. } = *self;
        match self.reader.verdict() {
            Err(ReadError::Mismatch) => ChunksFare::Mismatch,
            Err(ReadError::Missing { missing, .. }) => ChunksFare::Missing { missing, given },
            Ok(()) if short > 0 => ChunksFare::Short { short, given },
            Ok(()) => ChunksFare::Kept { given },
        }
    }
}

impl Promise {
    /// The manifest of a value that does not fit one item.
    pub(super) fn manifest(&self) -> Option<Manifest> {
        self.record().content()?.1
    }

    /// Whether it is a value whose chunks are looked after.
    pub(super) fn has_chunks_to_keep(&self) -> bool {
        self.manifest().is_some_and(|manifest| manifest.length <= PROMISED_BYTES)
    }

    /// What is told of its chunks, if it has any.
    pub(super) fn chunks_status(&self) -> Option<ChunksStatus> {
        let manifest = self.manifest()?;
        let large = manifest.length > PROMISED_BYTES;
        let fare = if large { ChunksFare::TooLarge } else { self.chunks };
        Some(ChunksStatus { of: manifest.chunks(), fare })
    }

    /// Begins a walk, if its value has chunks that are looked after.
    fn walk(&self, id: PromiseId, renews: bool, now: Now) -> Option<Walk> {
        let manifest = self.manifest().filter(|manifest| manifest.length <= PROMISED_BYTES)?;
        let (ttl, namespace) = (self.kept.ttl, &self.kept.namespace);
        let expires = if renews { now.wall + ttl } else { self.record().expires? };
        // A renewal must be done long before the record ends.
        let batches = u32::try_from(manifest.chunks().div_ceil(WALK_BATCH as u64)).ok()?;
        let within = if renews { ttl / WALK_WITHIN_PARTS / batches.max(1) } else { WALK_EVERY };
        let seal = namespace.chunk_seal(&self.kept.key, &manifest.hash);
        Some(Walk {
            id,
            item: self.kept.item.clone(),
            reader: ManifestReader::new(&manifest, seal),
            expires,
            // The record is renewed a while after its first chunk.
            lease: expires + ttl / WALK_MARGIN_PARTS,
            renews,
            pause: within.min(WALK_EVERY),
            fares: self.fares,
            step: Step::Due(now.monotonic),
            wanted: Vec::new(),
            heard: None,
            short: 0,
            given: 0,
        })
    }
}

impl Kv {
    /// Has the chunks of a promised value looked at, those before whose record is to be renewed.
    pub(super) fn plan_walk(&mut self, now: Now, id: PromiseId, fares: Fares, renews: bool) {
        let Some(promise) = self.promises.all.get_mut(&id) else { return };
        (promise.fares, promise.looked) = (fares, Some(now.wall));
        self.promises.unplan(&id);
        self.promises.walks.retain(|(other, _)| *other != id);
        match renews {
            true => self.promises.walks.push_front((id, renews)),
            false => self.promises.walks.push_back((id, renews)),
        }
    }

    /// Nobody else is there who could have the chunks of a promised value.
    pub(super) fn cut_off_from_chunks(&mut self, id: &PromiseId) {
        if let Some(promise) = self.promises.all.get_mut(id) {
            promise.chunks = ChunksFare::Unreachable;
        }
    }

    /// Goes on with the walk, or begins the next.
    pub(super) fn walk_on(&mut self, now: Now, outbox: &mut Outbox) {
        while let Some(mut walk) = self.promises.walk.take().or_else(|| self.next_walk(now)) {
            let kept = self.promises.all.get(&walk.id).is_some_and(|promise| !promise.ending);
            if !kept {
                continue;
            }
            if walk.deadline().is_none_or(|at| at > now.monotonic) {
                self.promises.walk = Some(walk);
                return;
            }
            match (walk.step, walk.heard.take()) {
                (Step::Due(_), _) => self.fetch_batch(now, walk, outbox),
                (Step::Fetching(_), Some(Done::ChunksGot(Ok(found)))) => {
                    self.batch_found(now, walk, found, outbox);
                }
                (Step::Putting(_), Some(Done::ChunksPut(Ok(report)))) => {
                    self.batch_put(now, walk, &report);
                }
                // Others have filled the queue.
                _ => self.pause_walk(walk, now.monotonic + LOOK_AGAIN_LEAST),
            }
        }
    }

    fn next_walk(&mut self, now: Now) -> Option<Box<Walk>> {
        while let Some((id, renews)) = self.promises.walks.pop_front() {
            let Some(promise) = self.promises.all.get(&id) else { continue };
            if let Some(walk) = promise.walk(id, renews, now) {
                return Some(Box::new(walk));
            }
            // Another value has taken its place meanwhile.
            let fares = promise.fares;
            self.note(now, &id, fares);
        }
        None
    }

    fn pause_walk(&mut self, mut walk: Box<Walk>, until: Instant) {
        walk.step = Step::Due(until);
        self.promises.walk = Some(walk);
    }

    /// Asks for the next chunks, or ends where none is left.
    fn fetch_batch(&mut self, now: Now, mut walk: Box<Walk>, outbox: &mut Outbox) {
        if walk.wanted.is_empty() {
            let reader = &mut walk.reader;
            walk.wanted = core::iter::from_fn(|| reader.wanted()).take(WALK_BATCH).collect();
        }
        if walk.wanted.is_empty() {
            let fare = walk.fare();
            return self.end_walk(now, &walk, fare, outbox);
        }
        let targets = walk.wanted.iter().map(|wanted| wanted.target).collect();
        let own = self.own_request();
        walk.step = Step::Fetching(own);
        self.promises.walk = Some(walk);
        self.start_chunks_get(now, own, targets, outbox);
    }

    /// Puts the chunks that came; the others are missing.
    fn batch_found(
        &mut self,
        now: Now,
        mut walk: Box<Walk>,
        found: ChunksFound,
        outbox: &mut Outbox,
    ) {
        let nobody = found.asked == 0 && found.items.iter().all(Option::is_none);
        if nobody {
            return self.end_walk(now, &walk, ChunksFare::Unreachable, outbox);
        }
        for (wanted, item) in core::mem::take(&mut walk.wanted).into_iter().zip(&found.items) {
            match item {
                Some(item) => walk.reader.found(wanted, item.clone()),
                None => walk.reader.lost(wanted),
            }
        }
        walk.reader.drain(|_| {});
        let items: Vec<Item> = found.items.into_iter().flatten().collect();
        let (expires, lease, own) = (walk.expires, walk.lease, self.own_request());
        walk.step = Step::Putting(own);
        self.promises.walk = Some(walk);
        self.start_chunks_put(now, own, ChunksPutRequest { items, expires, lease }, outbox);
    }

    fn batch_put(&mut self, now: Now, mut walk: Box<Walk>, report: &ChunksReport) {
        walk.short += report.short;
        walk.given += report.sent;
        let until = now.monotonic + walk.pause;
        self.pause_walk(walk, until);
    }

    fn end_walk(&mut self, now: Now, walk: &Walk, fare: ChunksFare, outbox: &mut Outbox) {
        let Some(promise) = self.promises.all.get_mut(&walk.id) else { return };
        if promise.kept.item != walk.item {
            // Somebody wrote meanwhile: these are other chunks.
            return self.note(now, &walk.id, Fares::Overtaken);
        }
        let before = core::mem::replace(&mut promise.chunks, fare);
        let whole = !matches!(fare, ChunksFare::Mismatch | ChunksFare::Unreachable);
        if walk.renews && whole {
            self.promises.under_way += 1;
            let ttl = walk.expires.since(now.wall);
            return self.renew(now, walk.id, ttl, outbox);
        }
        self.note(now, &walk.id, walk.fares);
        let lost = |fare| matches!(fare, ChunksFare::Missing { .. });
        if lost(fare) && !lost(before) {
            // Nodes may have been slow, or away for a moment.
            self.promises.plan(&walk.id, now.monotonic + LOOK_AGAIN);
        }
    }
}
