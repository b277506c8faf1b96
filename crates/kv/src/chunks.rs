//! Chunks of large values: immutable items in batches, many on their way at once.
//!
//! A put looks for the closest nodes by `get` with the expiry as `seq`. A holder that knows leases
//! and keeps the chunk as long answers with its lease and without the bytes, so a repeated put sends
//! only what is missing or would end too soon. A get asks one contact after the other, the closest
//! known first: one answer is enough, since the chunk's hash proves it. A lookup follows only if none
//! of them has it.
//!
//! How many are on their way is bounded by a window over all batches, in datagrams: it grows while
//! all are answered and halves when somebody is silent, as TCP does it (RFC 5681).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hashbrown::HashMap;
use node::{
    Answer, Command, LookupResult, Now, Outbox, Outcome, Question, UnixMillis, Until, Written,
};
use wire::planted::{self, Bug};
use wire::{Contact, Distance, Family, Item, NodeId, Seq, Target};

use crate::limits::{CHUNK_GET_WEIGHT, CHUNK_PUT_WEIGHT, CHUNKS_WAITING};
use crate::replicas::Replicas;
use crate::report::{ChunksFound, ChunksReport, Effort, GetError, PutError, Refusal, Replica};
use crate::request::{ChunksPutRequest, Done, RequestId};
use crate::state::{Kv, Operation};
use crate::window::Window;

/// All batches of chunks on their way.
#[derive(Default)]
pub(crate) struct Chunks {
    batches: HashMap<RequestId, Batch, foldhash::fast::FixedState>,
    /// Chunks that wait for room in the window: which batch, which of it.
    waiting: VecDeque<(RequestId, usize)>,
    window: Window,
}

enum Batch {
    Put { request: ChunksPutRequest, report: ChunksReport, open: usize },
    Get { targets: Vec<Target>, found: Vec<Option<Item>>, asked: usize, open: usize },
}

impl Batch {
    fn weight(&self) -> usize {
        match self {
            Batch::Put { .. } => CHUNK_PUT_WEIGHT,
            Batch::Get { .. } => CHUNK_GET_WEIGHT,
        }
    }
}

/// A chunk that is being put.
pub(crate) struct ChunkPut {
    batch: RequestId,
    item: Item,
    /// Replicas that keep it long enough already.
    holding: usize,
    needed: usize,
    silence: bool,
}

/// A chunk that is being fetched.
pub(crate) struct ChunkGet {
    batch: RequestId,
    index: usize,
    target: Target,
    /// Whom to ask, the closest last.
    contacts: Vec<(Distance, Contact)>,
    tried: Vec<NodeId>,
    silence: bool,
}

impl Kv {
    /// Starts to put a batch of chunks.
    pub(crate) fn start_chunks_put(
        &mut self,
        now: Now,
        id: RequestId,
        request: ChunksPutRequest,
        outbox: &mut Outbox,
    ) {
        let open = request.items.len();
        if open == 0 {
            return self.done(id, Done::ChunksPut(Ok(Box::default())));
        }
        if self.chunks.waiting.len() + open > CHUNKS_WAITING {
            return self.done(id, Done::ChunksPut(Err(PutError::Busy)));
        }
        let batch = Batch::Put { request, report: ChunksReport::default(), open };
        self.start_batch(now, id, batch, open, outbox);
    }

    /// Starts to fetch a batch of chunks.
    pub(crate) fn start_chunks_get(
        &mut self,
        now: Now,
        id: RequestId,
        targets: Vec<Target>,
        outbox: &mut Outbox,
    ) {
        let open = targets.len();
        if open == 0 {
            return self.done(id, Done::ChunksGot(Ok(ChunksFound::default())));
        }
        if self.chunks.waiting.len() + open > CHUNKS_WAITING {
            return self.done(id, Done::ChunksGot(Err(GetError::Busy)));
        }
        let batch = Batch::Get { targets, found: alloc::vec![None; open], asked: 0, open };
        self.start_batch(now, id, batch, open, outbox);
    }

    fn start_batch(
        &mut self,
        now: Now,
        id: RequestId,
        batch: Batch,
        length: usize,
        outbox: &mut Outbox,
    ) {
        self.chunks.batches.insert(id, batch);
        self.chunks.waiting.extend((0..length).map(|index| (id, index)));
        self.start_waiting_chunks(now, outbox);
    }

    /// Starts chunks as long as the window has room.
    fn start_waiting_chunks(&mut self, now: Now, outbox: &mut Outbox) {
        while let Some((batch_id, index)) = self.chunks.waiting.front().copied() {
            let Some(batch) = self.chunks.batches.get(&batch_id) else {
                self.chunks.waiting.pop_front();
                continue;
            };
            if matches!(batch, Batch::Put { report, .. } if report.failed.is_some()) {
                // Nobody was there for one: the others of the batch need not find out each by itself.
                self.chunks.waiting.pop_front();
                self.count_chunk_put(batch_id, false);
                continue;
            }
            let (window, weight) = (&mut self.chunks.window, batch.weight());
            if !window.enter(weight) {
                return;
            }
            self.chunks.waiting.pop_front();
            match batch {
                Batch::Put { request, .. } => {
                    let (item, expires) = (request.items[index].clone(), request.expires);
                    self.start_chunk_put(now, batch_id, item, expires, outbox);
                }
                Batch::Get { targets, .. } => {
                    let target = targets[index];
                    match self.node_mut().held(&target, now).cloned() {
                        // Its end must not start the next one from within: as deep as chunks wait.
                        Some(item) => self.count_chunk_get(now, batch_id, index, Some(item), false),
                        None => self.start_chunk_get(now, batch_id, index, target, outbox),
                    }
                }
            }
        }
    }

    fn start_chunk_put(
        &mut self,
        now: Now,
        batch: RequestId,
        item: Item,
        expires: UnixMillis,
        outbox: &mut Outbox,
    ) {
        let newer_than = i64::try_from(expires.0).ok().and_then(Seq::new);
        let question = Question::Item { target: item.target(), salt: Box::default(), newer_than };
        let put = ChunkPut { batch, item, holding: 0, needed: 0, silence: false };
        // No two writers of a chunk disagree, so one that is slow need not be waited for.
        let command = self.lookup(question, Until::Converged, false);
        let operation = Operation::ChunkPut(Box::new(put));
        self.command_node(now, batch, operation, command, outbox);
    }

    /// The lookup before a chunk's put ended.
    pub(crate) fn chunk_put_looked_up(
        &mut self,
        now: Now,
        mut put: Box<ChunkPut>,
        mut result: LookupResult,
        outbox: &mut Outbox,
    ) {
        let effort = Effort::from(&result);
        let replicas = self.replicas(&mut result, &put.item.target(), now);
        let Some(Batch::Put { request, report, .. }) = self.chunks.batches.get_mut(&put.batch)
        else {
            return;
        };
        report.asked += effort.asked;
        if replicas.places.is_empty() {
            if replicas.nobody_answered(&effort) {
                report.failed.get_or_insert(PutError::Unreachable(effort));
            }
            return self.chunk_put_ended(now, &put, false, outbox);
        }
        let expires = i64::try_from(request.expires.0).ok().and_then(Seq::new);
        // Whoever shows no bytes and a lease as late as wanted holds it.
        let (holding, lacking): (Vec<_>, Vec<_>) = replicas
            .places
            .iter()
            .partition(|place| place.item.is_none() && place.seq.is_some() && place.seq >= expires);
        put.holding = holding.len();
        put.needed = replicas.majority();
        put.silence = result.fell_silent;
        report.held += holding.len();
        let to = Replicas::destinations(lacking, None);
        if to.is_empty() {
            let enough = put.holding >= put.needed;
            return self.chunk_put_ended(now, &put, enough, outbox);
        }
        report.sent += to.iter().filter(|place| place.contact().is_some()).count();
        let written = Written::Item { item: put.item.clone(), lease: Some(request.lease) };
        let (batch, operation) = (put.batch, Operation::ChunkPut(put));
        self.command_node(now, batch, operation, Command::Write { written, to }, outbox);
    }

    /// A chunk's write phase ended.
    pub(crate) fn chunk_put_wrote(
        &mut self,
        now: Now,
        mut put: Box<ChunkPut>,
        outcomes: &[(Option<Contact>, Outcome)],
        outbox: &mut Outbox,
    ) {
        let stored = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Stored).count();
        put.silence |= outcomes.iter().any(|(_, outcome)| *outcome == Outcome::Silent);
        let enough = put.holding + stored >= put.needed;
        let own = self.node().id();
        if let Some(Batch::Put { report, .. }) = self.chunks.batches.get_mut(&put.batch)
            && !enough
            && report.refusal.is_none()
        {
            report.refusal = outcomes.iter().find_map(|(contact, outcome)| match outcome {
                Outcome::Refused { code, text, .. } => {
                    let (replica, text) = (Replica::at(*contact, own), text.clone());
                    Some(Box::new(Refusal { replica, code: *code, text }))
                }
                Outcome::Stored | Outcome::Silent => None,
            });
        }
        self.chunk_put_ended(now, &put, enough, outbox);
    }

    fn chunk_put_ended(&mut self, now: Now, put: &ChunkPut, enough: bool, outbox: &mut Outbox) {
        self.chunks.window.ended(CHUNK_PUT_WEIGHT, put.silence, now.monotonic);
        self.count_chunk_put(put.batch, enough);
        self.start_waiting_chunks(now, outbox);
    }

    fn count_chunk_put(&mut self, id: RequestId, enough: bool) {
        if let Some(Batch::Put { report, open, .. }) = self.chunks.batches.get_mut(&id) {
            match enough {
                true => report.stored += 1,
                false => report.short += 1,
            }
            *open -= 1;
            if *open == 0 {
                self.end_batch(id);
            }
        }
    }

    fn start_chunk_get(
        &mut self,
        now: Now,
        batch: RequestId,
        index: usize,
        target: Target,
        outbox: &mut Outbox,
    ) {
        let mut get = ChunkGet {
            batch,
            index,
            target,
            contacts: Vec::with_capacity(16),
            tried: Vec::new(),
            silence: false,
        };
        for family in Family::ALL {
            let closest = self.node().table(family).closest::<8>(&target.point());
            closest.iter().for_each(|entry| get.learn(entry.contact()));
        }
        self.ask_for_chunk(now, Box::new(get), outbox);
    }

    /// Asks the closest contact that was not asked yet; when enough were, looks for others.
    fn ask_for_chunk(&mut self, now: Now, mut get: Box<ChunkGet>, outbox: &mut Outbox) {
        let enough = get.tried.len() >= self.width();
        let next = get.contacts.pop().filter(|_| !enough);
        let (batch, target) = (get.batch, get.target);
        let command = match next {
            Some((_, contact)) => {
                get.tried.push(contact.id);
                if let Some(Batch::Get { asked, .. }) = self.chunks.batches.get_mut(&batch) {
                    *asked += 1;
                }
                Command::Fetch { contact, target }
            }
            None => {
                let question = Question::Item { target, salt: Box::default(), newer_than: None };
                self.lookup(question, Until::Proof, false)
            }
        };
        self.command_node(now, batch, Operation::ChunkGet(get), command, outbox);
    }

    /// A contact answered for a chunk, or did not.
    pub(crate) fn chunk_answered(
        &mut self,
        now: Now,
        mut get: Box<ChunkGet>,
        answer: Answer,
        outbox: &mut Outbox,
    ) {
        match answer {
            Answer::Item { item: Some(item), .. } if item.target() == get.target => {
                return self.chunk_get_ended(now, &get, Some(item), outbox);
            }
            Answer::Item { nodes, .. } => nodes.into_iter().for_each(|node| get.learn(node)),
            Answer::Silent if planted::is(Bug::ChunkSilenceEnds) => {
                return self.chunk_get_ended(now, &get, None, outbox);
            }
            Answer::Silent => get.silence = true,
            _ => {}
        }
        self.ask_for_chunk(now, get, outbox);
    }

    /// The lookup for a chunk that none of the closest known had ended.
    pub(crate) fn chunk_get_looked_up(
        &mut self,
        now: Now,
        get: &ChunkGet,
        result: LookupResult,
        outbox: &mut Outbox,
    ) {
        if let Some(Batch::Get { asked, .. }) = self.chunks.batches.get_mut(&get.batch) {
            *asked += result.asked;
        }
        let item = result.items.into_iter().find(|item| item.target() == get.target);
        self.chunk_get_ended(now, get, item, outbox);
    }

    fn chunk_get_ended(
        &mut self,
        now: Now,
        get: &ChunkGet,
        item: Option<Item>,
        outbox: &mut Outbox,
    ) {
        self.count_chunk_get(now, get.batch, get.index, item, get.silence);
        self.start_waiting_chunks(now, outbox);
    }

    fn count_chunk_get(
        &mut self,
        now: Now,
        batch: RequestId,
        index: usize,
        item: Option<Item>,
        silence: bool,
    ) {
        self.chunks.window.ended(CHUNK_GET_WEIGHT, silence, now.monotonic);
        if let Some(Batch::Get { found, open, .. }) = self.chunks.batches.get_mut(&batch) {
            found[index] = item;
            *open -= 1;
            if *open == 0 {
                self.end_batch(batch);
            }
        }
    }

    fn end_batch(&mut self, id: RequestId) {
        match self.chunks.batches.remove(&id) {
            Some(Batch::Put { report, .. }) => {
                self.done(id, Done::ChunksPut(Ok(Box::new(report))));
            }
            Some(Batch::Get { found, asked, .. }) => {
                self.done(id, Done::ChunksGot(Ok(ChunksFound { items: found, asked })));
            }
            None => {}
        }
    }
}

impl ChunkGet {
    fn learn(&mut self, contact: Contact) {
        let distance = self.target.point().distance(&contact.id.point());
        if self.tried.contains(&contact.id) {
            return;
        }
        let farther = |(other, _): &(Distance, Contact)| *other > distance;
        let place = self.contacts.partition_point(farther);
        let known = self.contacts.get(place).is_some_and(|(other, _)| *other == distance);
        if !known {
            self.contacts.insert(place, (distance, contact));
        }
    }
}
