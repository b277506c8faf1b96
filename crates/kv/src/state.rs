//! The key-value store over one node: its doors, its requests on their way, and their ends.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hashbrown::HashMap;
use node::{
    BatchNumber, Changes, Command, Instant, LookupResult, Node, Now, OperationId, Outbox, Outcome,
    Question, Until,
};
use wire::planted::{self, Bug};
use wire::{Contact, Endpoint, Item};

use crate::admission::Records;
use crate::batch::Batch;
use crate::busy::busy;
use crate::chunks::{ChunkGet, ChunkPut, Chunks};
use crate::cipher::Nonce;
use crate::get::Get;
use crate::item::Publish;
use crate::limits::{DEFAULT_REPLICAS, MAX_REPLICAS, REQUESTS};
use crate::persisted::{Content, Restorable};
use crate::promises::{Look, Promises};
use crate::put::Put;
use crate::report::{Effort, LookupReport, PeersReport};
use crate::request::{Done, Event, KeepRequest, Request, RequestId};
use crate::set::{Change, Survey};
use crate::upkeep::{Handed, Offering, Refresh, Upkeep};
use crate::watch::Watches;

/// What a store is told before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its node.
    pub node: node::Config,
    /// How many nodes shall hold each record: a setting of a whole network.
    pub replicas: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { node: node::Config::default(), replicas: DEFAULT_REPLICAS }
    }
}

/// A request on its way.
pub(crate) enum Operation {
    Put(Box<Put>),
    Get(Box<Get>),
    Publish(Box<Publish>),
    /// The lookup of a set.
    Survey(Box<Survey>),
    /// A question to one of the holders of a survey.
    Page {
        holder: usize,
    },
    Change(Box<Change>),
    ItemGet,
    ChunkPut(Box<ChunkPut>),
    ChunkGet(Box<ChunkGet>),
    Peers {
        found: usize,
        /// Those that we hold ourselves, which were told first.
        own: Vec<Endpoint>,
    },
    Lookup,
    Ask,
    Offer(Box<Offering>),
    HandOff(Handed),
    Refresh(Box<Refresh>),
    Keep(Box<KeepRequest>),
    Look(Box<Look>),
}

/// A key-value store over one node. How it is driven stands at the [crate](crate)'s head.
pub struct Kv {
    node: Node<Records>,
    pub(crate) replicas: usize,
    operations: HashMap<OperationId, (RequestId, Operation), foldhash::fast::FixedState>,
    pub(crate) watches: Watches,
    /// Sets whose holders are being asked.
    pub(crate) surveys: HashMap<RequestId, Box<Survey>, foldhash::fast::FixedState>,
    /// Repairs on their way, of which nobody waits to hear.
    background: usize,
    pub(crate) upkeep: Upkeep,
    pub(crate) chunks: Chunks,
    pub(crate) promises: Promises,
    pub(crate) batch: Batch,
    events: VecDeque<Event>,
    last_request: RequestId,
}

impl Kv {
    /// A store whose node knows nobody. The seed decides all its chance and must be secret outside
    /// of simulations.
    pub fn new(config: Config, seed: [u8; 32], now: Now) -> Self {
        let promises = Promises::new(config.node.durable);
        let mut node = Node::new(config.node, Records, seed, now);
        let upkeep = Upkeep::new(now.monotonic, node.draw());
        Self {
            node,
            upkeep,
            promises,
            replicas: config.replicas.clamp(1, MAX_REPLICAS),
            operations: HashMap::default(),
            watches: Watches::default(),
            surveys: HashMap::default(),
            background: 0,
            chunks: Chunks::default(),
            batch: Batch::default(),
            events: VecDeque::new(),
            last_request: RequestId(0),
        }
    }

    /// Takes a datagram that arrived from `from`.
    pub fn datagram(&mut self, now: Now, from: Endpoint, bytes: &[u8], outbox: &mut Outbox) {
        self.node.datagram(now, from, bytes, outbox);
        self.hear_node(now, outbox);
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Now, outbox: &mut Outbox) {
        self.node.tick(now, outbox);
        self.hear_node(now, outbox);
        self.keep_up(now, outbox);
        self.advance_watches(now, outbox);
        self.look_after_promises(now, outbox);
        self.hear_node(now, outbox);
    }

    /// What must be made durable next ([`Node::changes`]).
    pub fn changes(&mut self) -> &mut Changes {
        self.node.changes()
    }

    /// This batch of changes, and all before it, is durable.
    pub fn stored(&mut self, now: Now, batch: BatchNumber, outbox: &mut Outbox) {
        self.node.stored(now, batch, outbox);
        self.promises_stored(batch);
        self.hear_disk(now, outbox);
    }

    /// This batch of changes could not be made durable.
    pub fn not_stored(&mut self, now: Now, batch: BatchNumber, outbox: &mut Outbox) {
        self.node.not_stored(now, batch, outbox);
        self.promises_not_stored(now, batch);
        self.hear_disk(now, outbox);
    }

    /// So many entries will come back from the disk.
    pub fn expect(&mut self, entries: usize) {
        self.node.expect(entries);
    }

    /// Takes back what was durable before the start; `false` if it may be removed from the disk.
    pub fn restore(&mut self, now: Now, kept: Restorable) -> bool {
        match kept.0 {
            Content::Held(held) => self.node.restore(now, held),
            Content::Promise(key, value) => self.restore_promise(now, &key, &value),
        }
    }

    /// When [`Kv::tick`] is due next; `None`: not before another input.
    pub fn deadline(&mut self) -> Option<Instant> {
        let (upkeep, watches) = (self.upkeep_deadline(), self.watches.deadline());
        let promises = self.promises.deadline();
        [self.node.deadline(), upkeep, watches, promises].into_iter().flatten().min()
    }

    /// Takes the next event.
    pub fn next_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if event.is_none() {
            self.events = VecDeque::new();
        }
        event
    }

    /// Starts a request; its events carry the id given back. [`Request::Join`] has no end of its
    /// own; every other request ends with one [`Event::Done`].
    pub fn request(&mut self, now: Now, request: Request, outbox: &mut Outbox) -> RequestId {
        let id = RequestId(self.last_request.0 + 1);
        self.last_request = id;
        if self.operations.len() >= REQUESTS
            && let Some(done) = busy(&request)
        {
            self.done(id, done);
            return id;
        }
        match request {
            Request::Join(endpoints) => {
                self.node.command(now, Command::Join(endpoints), outbox);
            }
            Request::Put(put) => self.start_put(now, id, put, outbox),
            Request::Get(get) => self.start_get(now, id, get, outbox),
            Request::Batched(batched) => self.start_batched(id, batched),
            Request::Watch(watch) => self.start_watch(now, id, watch, outbox),
            Request::Set(set) => self.start_change(now, id, set, outbox),
            Request::Members(members) => self.start_listing(now, id, members, outbox),
            Request::ItemPut(item) => self.start_publish(now, id, Publish::item(item), outbox),
            Request::SignedItemPut(item, cas) => {
                self.start_publish(now, id, Publish::signed(item, cas), outbox);
            }
            Request::Announce { info_hash, port, seed } => {
                self.start_publish(now, id, Publish::peer(info_hash, port, seed), outbox);
            }
            Request::ItemGet { target, salt } => {
                self.start_item_get(now, id, target, salt, outbox);
            }
            Request::ChunksPut(request) => self.start_chunks_put(now, id, request, outbox),
            Request::ChunksGet(targets) => self.start_chunks_get(now, id, targets, outbox),
            Request::Peers { info_hash, scrape } => {
                let held = self.node.peers_held(&info_hash, now);
                if !held.is_empty() {
                    self.events.push_back(Event::Peers(id, held.clone()));
                }
                let operation = Operation::Peers { found: held.len(), own: held };
                let question = Question::Peers { info_hash, no_seed: false, scrape };
                let command = self.lookup(question, Until::Converged, false);
                self.command_node(now, id, operation, command, outbox);
            }
            Request::Lookup(point) => {
                let question = Question::Nodes(point);
                let command = self.lookup(question, Until::Converged, true);
                self.command_node(now, id, Operation::Lookup, command, outbox);
            }
            Request::Ping(to) => {
                self.command_node(now, id, Operation::Ask, Command::Ping(to), outbox);
            }
            Request::Keep(keep) => self.start_keep(now, id, keep, outbox),
            Request::Unkeep(promise) => self.unkeep(id, &promise),
            Request::Promises => self.tell_promises(now, id),
            Request::Leave { within } => self.start_leave(now, id, within, outbox),
            Request::Sample { to, target } => {
                let command = Command::Sample { to, target };
                self.command_node(now, id, Operation::Ask, command, outbox);
            }
        }
        self.hear_node(now, outbox);
        id
    }

    /// The node below.
    pub fn node(&self) -> &Node<Records> {
        &self.node
    }

    /// Whether no request and no repair is on its way.
    pub fn is_idle(&self) -> bool {
        self.operations.is_empty() && self.background == 0
    }

    /// A lookup as wide as this network's replicas.
    pub(crate) fn lookup(&self, question: Question, until: Until, trace: bool) -> Command {
        Command::Lookup { question, width: self.width(), until, trace, seeds: Vec::new() }
    }

    pub(crate) fn node_mut(&mut self) -> &mut Node<Records> {
        &mut self.node
    }

    /// A number for a cipher, from the node's chance: never the same twice.
    pub(crate) fn nonce(&mut self) -> Nonce {
        let mut nonce = Nonce::default();
        for part in nonce.chunks_exact_mut(8) {
            part.copy_from_slice(&self.node.draw().to_le_bytes());
        }
        nonce
    }

    /// Tells something.
    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Gives the node a command on behalf of a request.
    pub(crate) fn command_node(
        &mut self,
        now: Now,
        id: RequestId,
        operation: Operation,
        command: Command,
        outbox: &mut Outbox,
    ) {
        let command = self.batch.seeded(id, command, now.monotonic);
        let node_operation = self.node.command(now, command, outbox);
        self.operations.insert(node_operation, (id, operation));
    }

    /// Tells the neighbours that this node is not there any more. From here on it answers nobody.
    pub fn say_goodbye(&mut self, now: Now, outbox: &mut Outbox) {
        self.node.command(now, Command::SayGoodbye, outbox);
    }

    /// Gives the node a command of whose end nobody waits to hear.
    pub(crate) fn command_in_background(
        &mut self,
        now: Now,
        command: Command,
        outbox: &mut Outbox,
    ) {
        self.node.command(now, command, outbox);
        self.background += 1;
    }

    /// A request of our own, which no caller hears of.
    pub(crate) fn own_request(&mut self) -> RequestId {
        self.last_request = RequestId(self.last_request.0 + 1);
        self.last_request
    }

    /// Ends a request.
    pub(crate) fn done(&mut self, id: RequestId, done: Done) {
        self.batch.ended(id);
        let Some(done) = self.promises.take_own(id, done) else { return };
        self.events.push_back(Event::Done(id, done));
    }

    /// Takes what the node tells and carries requests on.
    pub(crate) fn hear_node(&mut self, now: Now, outbox: &mut Outbox) {
        self.hear_events(now, outbox);
        while self.advance_batch(now, outbox) {
            self.hear_events(now, outbox);
        }
    }

    fn hear_events(&mut self, now: Now, outbox: &mut Outbox) {
        self.watch_neighbourhood(now.monotonic);
        while let Some(event) = self.node.next_event() {
            match event {
                node::Event::Joined { contacts } => {
                    self.events.push_back(Event::Joined { contacts });
                }
                node::Event::JoinFailed { retry_in } => {
                    self.events.push_back(Event::JoinFailed { retry_in });
                }
                node::Event::ExternalAddress(endpoint) => {
                    self.events.push_back(Event::ExternalAddress(endpoint));
                }
                node::Event::Renamed(id) => self.events.push_back(Event::Renamed(id)),
                node::Event::Step(operation, step) => {
                    if let Some((id, _)) = self.operations.get(&operation) {
                        self.events.push_back(Event::Step(*id, step));
                    }
                }
                node::Event::Peers(operation, mut peers) => {
                    if let Some((id, Operation::Peers { found, own })) =
                        self.operations.get_mut(&operation)
                    {
                        peers.retain(|peer| !own.contains(peer));
                        *found += peers.len();
                        self.events.push_back(Event::Peers(*id, peers));
                    }
                }
                node::Event::Item(operation, item) => self.item_found(now, operation, &item),
                node::Event::LookedUp(operation, result) => {
                    self.looked_up(now, operation, *result, outbox);
                }
                node::Event::Wrote(operation, outcomes) => {
                    self.wrote(now, operation, outcomes, outbox);
                }
                node::Event::ShelfChanged(target) => self.watch_own_shelf(now, target),
                node::Event::Inquired(operation, inquired) => {
                    if let Some(target) = self.watches.ended(operation) {
                        self.watch_answered(now, target, operation, inquired, outbox);
                    }
                }
                node::Event::Answered(operation, answer) => {
                    match self.operations.remove(&operation) {
                        Some((_, Operation::Offer(offering))) => {
                            self.offer_answered(now, *offering, answer, outbox);
                        }
                        Some((_, Operation::ChunkGet(get))) => {
                            self.chunk_answered(now, get, answer, outbox);
                        }
                        Some((id, Operation::Page { holder })) => {
                            self.page_answered(now, id, holder, answer, outbox);
                        }
                        Some((id, _)) => self.done(id, Done::Answered(answer)),
                        None => {}
                    }
                }
            }
        }
        self.hear_renewals(now);
    }

    /// A lookup came upon an item: a get that takes the first value goes no further.
    fn item_found(&mut self, now: Now, operation: OperationId, item: &Item) {
        if let Some((_, Operation::Get(get))) = self.operations.get(&operation)
            && get.takes_first(item, now)
        {
            self.node.cancel(operation, now);
        }
    }

    /// A write phase ended.
    fn wrote(
        &mut self,
        now: Now,
        operation: OperationId,
        outcomes: Vec<(Option<Contact>, Outcome)>,
        outbox: &mut Outbox,
    ) {
        if let Some((id, _)) = self.operations.get(&operation) {
            self.batch.wrote(*id, &outcomes);
        }
        match self.operations.remove(&operation) {
            Some((id, Operation::Put(put))) => {
                self.put_wrote(now, id, put, outcomes, outbox);
            }
            Some((id, Operation::Publish(publish))) => {
                self.publish_wrote(id, publish, outcomes);
            }
            Some((_, Operation::HandOff(handed))) => {
                let outcome = outcomes.first().map(|(_, outcome)| outcome);
                self.handed_off(now, &handed, outcome, outbox);
            }
            Some((_, Operation::ChunkPut(put))) => {
                self.chunk_put_wrote(now, put, &outcomes, outbox);
            }
            Some((id, Operation::Change(change))) => {
                self.change_wrote(now, id, *change, outcomes, outbox);
            }
            Some(_) => {}
            None => self.background = self.background.saturating_sub(1),
        }
    }

    fn looked_up(
        &mut self,
        now: Now,
        operation: OperationId,
        result: LookupResult,
        outbox: &mut Outbox,
    ) {
        if let Some(target) = self.watches.ended(operation) {
            return self.watch_looked_up(now, target, result, outbox);
        }
        let Some((id, operation)) = self.operations.remove(&operation) else { return };
        if planted::is(Bug::CancelledDropped) && result.ended == node::Ended::Cancelled {
            return;
        }
        let effort = Effort::from(&result);
        self.batch.looked_up(id, &result, now.monotonic);
        match operation {
            Operation::Put(put) => self.put_looked_up(now, id, put, result, outbox),
            Operation::Get(get) => self.get_looked_up(now, id, get, result, outbox),
            Operation::Publish(publish) => self.publish_looked_up(now, id, publish, result, outbox),
            Operation::ChunkPut(put) => self.chunk_put_looked_up(now, put, result, outbox),
            Operation::ChunkGet(get) => self.chunk_get_looked_up(now, &get, result, outbox),
            Operation::Survey(survey) => self.survey_looked_up(now, id, survey, result, outbox),
            Operation::ItemGet => self.item_got(now, id, result),
            Operation::Peers { found, .. } => {
                let report = PeersReport {
                    peers: found,
                    filters: result.filters,
                    ended: result.ended,
                    effort,
                };
                self.done(id, Done::Peers(Box::new(report)));
            }
            Operation::Lookup => {
                let LookupResult { closest, silent, ended, .. } = result;
                let report = LookupReport { closest, silent, ended, effort };
                self.done(id, Done::Lookup(Box::new(report)));
            }
            Operation::Refresh(refresh) => self.refresh_looked_up(now, &refresh, result, outbox),
            Operation::Keep(keep) => self.keep_looked_up(now, id, *keep, result, outbox),
            Operation::Look(look) => self.promise_looked_up(now, *look, result, outbox),
            Operation::Ask
            | Operation::Offer(_)
            | Operation::HandOff(..)
            | Operation::Page { .. }
            | Operation::Change(_) => {}
        }
    }
}
