//! Chunks of promised values: after each look that finds the manifest of a large value, all its chunks
//! are fetched from whoever holds them and put again, which sends them to the replicas that lack them
//! or would end too soon. So they outlive their holders as long as one is left, and their leases are as
//! long as the record. A walk goes a batch after the other, and has no more than a batch in memory.
//!
//! A record is renewed only when the chunks have been: none is to end before it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use node::{Instant, Now, Outbox, UnixMillis};
use wire::Item;

use super::{ChunksStatus, Fares, Promise, PromiseId};
use crate::limits::{
    LOOK_AGAIN, LOOK_AGAIN_LEAST, PROMISED_BYTES, WALK_BATCH, WALK_EVERY, WALK_MARGIN_PARTS,
    WALK_WITHIN_PARTS, WALKS,
};
use crate::manifest::{Manifest, ManifestReader, ReadError, Wanted};
use crate::report::ChunksFound;
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
    /// The longest pause between one batch and the next, if a renewal follows.
    hurry: Option<Duration>,
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
    /// So many chunks are being put.
    Putting(RequestId, usize),
}

impl Walk {
    /// When it goes on; `None`: it waits for an answer.
    fn deadline(&self) -> Option<Instant> {
        match self.step {
            Step::Due(at) => Some(at),
            _ => self.heard.as_ref().map(|_| Instant::default()),
        }
    }

    /// Takes the end of what it waits for; gives back what is another's.
    fn hear(&mut self, request: RequestId, done: Done) -> Option<Done> {
        match self.step {
            Step::Fetching(own) | Step::Putting(own, _) if own == request => {
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

/// The walks of one node.
#[derive(Default)]
pub(super) struct Walks {
    active: Vec<Walk>,
    /// Those that wait to begin, and whether a renewal follows: those first.
    waiting: VecDeque<(PromiseId, bool)>,
}

impl Walks {
    fn plan(&mut self, id: PromiseId, renews: bool) {
        self.waiting.retain(|(other, _)| *other != id);
        let urgent = self.waiting.partition_point(|(_, renews)| *renews);
        self.waiting.insert(if renews { urgent } else { self.waiting.len() }, (id, renews));
    }

    /// Whether the first that waits may begin: some places are left for those that a renewal follows.
    fn has_room(&self) -> bool {
        let patient = self.active.iter().filter(|walk| !walk.renews).count();
        match self.waiting.front() {
            Some((_, true)) => self.active.len() < WALKS,
            Some((_, false)) => self.active.len() < WALKS && patient < WALKS / 2,
            None => false,
        }
    }

    /// Takes the next that may begin.
    fn next(&mut self) -> Option<(PromiseId, bool)> {
        if self.has_room() { self.waiting.pop_front() } else { None }
    }

    /// When one of them goes on; `None`: all wait for answers.
    pub fn deadline(&self) -> Option<Instant> {
        let begins = self.has_room().then(Instant::default);
        self.active.iter().filter_map(|walk| walk.deadline()).chain(begins).min()
    }

    fn take_due(&mut self, now: Instant) -> Option<Walk> {
        let due = |walk: &Walk| walk.deadline().is_some_and(|at| at <= now);
        let place = self.active.iter().position(due)?;
        Some(self.active.remove(place))
    }

    /// Leaves a walk alone for a while: all together go at the pace of one, but for those in a hurry.
    fn pause(&mut self, mut walk: Walk, now: Instant) {
        // The cast holds: there are few.
        let shared = WALK_EVERY * (self.active.len() as u32 + 1);
        walk.step = Step::Due(now + walk.hurry.map_or(shared, |pause| pause.min(shared)));
        self.active.push(walk);
    }

    /// Takes the end of what a walk waits for; gives back what is another's.
    pub fn hear(&mut self, request: RequestId, done: Done) -> Option<Done> {
        self.active.iter_mut().try_fold(done, |done, walk| walk.hear(request, done))
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
        let hurry = renews.then(|| ttl / WALK_WITHIN_PARTS / batches.max(1));
        let seal = namespace.chunk_seal(&self.kept.key, &manifest.hash);
        Some(Walk {
            id,
            item: self.kept.item.clone(),
            reader: ManifestReader::new(&manifest, seal),
            expires,
            // The record is renewed a while after its first chunk.
            lease: expires + ttl / WALK_MARGIN_PARTS,
            renews,
            hurry,
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
        self.promises.walks.plan(id, renews);
    }

    /// Nobody else is there who could have the chunks of a promised value.
    pub(super) fn cut_off_from_chunks(&mut self, id: &PromiseId) {
        if let Some(promise) = self.promises.all.get_mut(id) {
            promise.chunks = ChunksFare::Unreachable;
        }
    }

    /// Goes on with the walks that are due, and begins others.
    pub(super) fn walk_on(&mut self, now: Now, outbox: &mut Outbox) {
        self.begin_walks(now);
        while let Some(mut walk) = self.promises.walks.take_due(now.monotonic) {
            let kept = self.promises.all.get(&walk.id).is_some_and(|promise| !promise.ending);
            match (walk.step, walk.heard.take()) {
                _ if !kept => {}
                (Step::Due(_), _) => self.fetch_batch(now, walk, outbox),
                (Step::Fetching(_), Some(Done::ChunksGot(Ok(found)))) => {
                    self.batch_found(now, walk, found, outbox);
                }
                (Step::Putting(..), Some(Done::ChunksPut(Ok(report)))) => {
                    walk.short += report.short;
                    walk.given += report.sent;
                    self.promises.walks.pause(walk, now.monotonic);
                }
                // Others have filled the queue: what was asked for is asked for again, and what was put
                // counts as put at too few.
                (step, _) => {
                    if let Step::Putting(_, chunks) = step {
                        walk.short += chunks;
                    }
                    walk.step = Step::Due(now.monotonic + LOOK_AGAIN_LEAST);
                    self.promises.walks.active.push(walk);
                }
            }
            self.begin_walks(now);
        }
    }

    fn begin_walks(&mut self, now: Now) {
        while let Some((id, renews)) = self.promises.walks.next() {
            let Some(promise) = self.promises.all.get(&id) else { continue };
            match promise.walk(id, renews, now) {
                Some(walk) => self.promises.walks.active.push(walk),
                None => {
                    // Another value has taken its place meanwhile.
                    let fares = promise.fares;
                    self.note(now, &id, fares);
                }
            }
        }
    }

    /// Asks for the next chunks, or ends where none is left.
    fn fetch_batch(&mut self, now: Now, mut walk: Walk, outbox: &mut Outbox) {
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
        self.promises.walks.active.push(walk);
        self.start_chunks_get(now, own, targets, outbox);
    }

    /// Puts the chunks that came; the others are missing.
    fn batch_found(&mut self, now: Now, mut walk: Walk, found: ChunksFound, outbox: &mut Outbox) {
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
        walk.step = Step::Putting(own, items.len());
        self.promises.walks.active.push(walk);
        self.start_chunks_put(now, own, ChunksPutRequest { items, expires, lease }, outbox);
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
