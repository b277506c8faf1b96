//! The node itself: what it owns, its doors, and its timer.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hashbrown::HashMap;
use wire::message::Speaker;
use wire::planted::{self, Bug};
use wire::{Contact, Endpoint, Family, InfoHash, Item, KnownKeys, NodeId, Seq, Target};

use crate::ask::PacedQueue;
use crate::budget::Budget;
use crate::changes::Changes;
use crate::clock::SteadyWall;
use crate::config::{Config, Network};
use crate::counters::Counters;
use crate::dice::Dice;
use crate::durable::Acknowledgements;
use crate::identity::Identity;
use crate::inquiry;
use crate::limits::{MAINTENANCE, OPERATIONS, STOOD_STILL};
use crate::lookup::{Heard, Lookup, Lookups};
use crate::lost::Lost;
use crate::membership::Membership;
use crate::operation::{Answer, Command, Event, Inquired, OperationId};
use crate::outbox::Outbox;
use crate::pending::{Due, Pending, Purpose};
use crate::round_trips::RoundTrips;
use crate::seal::Seal;
use crate::shelf::{Admission, Items, Listed, Members, Peers};
use crate::silences::Silences;
use crate::table::Table;
use crate::time::{Instant, Now, UnixMillis};
use crate::token::Tokens;
use crate::verify::Verifications;
use crate::waits::Waits;
use crate::write::Write;

/// One Mainline DHT node. How it is driven stands at the [crate](crate)'s head.
pub struct Node<A> {
    pub(crate) config: Config,
    pub(crate) identity: Identity,
    pub(crate) read_only: bool,
    /// It hands off what it holds, and takes nothing more.
    pub(crate) leaving: bool,
    pub(crate) dice: Dice,
    pub(crate) tables: [Table; 2],
    pub(crate) pending: Pending,
    pub(crate) paced: PacedQueue,
    pub(crate) round_trips: RoundTrips,
    pub(crate) lookups: Lookups,
    pub(crate) writes: HashMap<OperationId, Write, foldhash::fast::FixedState>,
    pub(crate) inquiries: HashMap<OperationId, inquiry::Asked, foldhash::fast::FixedState>,
    pub(crate) items: Items<A>,
    /// What must be made durable next.
    pub(crate) changes: Changes,
    pub(crate) acknowledgements: Acknowledgements,
    pub(crate) peers: Peers,
    pub(crate) members: Members,
    pub(crate) tokens: Tokens,
    pub(crate) waits: Waits,
    pub(crate) known_keys: KnownKeys,
    pub(crate) budget: Budget,
    pub(crate) verifications: Verifications,
    pub(crate) membership: Membership,
    pub(crate) lost: Lost,
    pub(crate) silences: Silences,
    /// Chooses of which items offers are heeded.
    pub(crate) heeding: [u8; 16],
    pub(crate) counters: Counters,
    pub(crate) seal: Option<Box<Seal>>,
    pub(crate) events: VecDeque<Event>,
    wall: SteadyWall,
    last_operation: OperationId,
}

impl<A: Admission> Node<A> {
    /// A node that knows nobody. The seed decides all its chance: the same config, seed and inputs
    /// give the same life.
    pub fn new(mut config: Config, admission: A, seed: [u8; 32], now: Now) -> Self {
        let mut dice = Dice::new(seed);
        let id = config.id.unwrap_or_else(|| dice.node_id());
        let rules = config.network.rules();
        let hash_seed = dice.u64();
        let network_key = config.network_key.take();
        let mut node = Self {
            identity: Identity::new(id, config.network == Network::Public),
            // A public node proves that it can be reached before it answers (see `membership`).
            leaving: false,
            read_only: config.ephemeral || config.network == Network::Public,
            tables: Family::ALL.map(|family| Table::new(id, family, rules)),
            pending: Pending::new(&mut dice),
            paced: PacedQueue::default(),
            round_trips: RoundTrips::default(),
            lookups: Lookups::new(hash_seed),
            writes: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(hash_seed)),
            inquiries: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(hash_seed)),
            items: Items::new(admission, config.shelf, config.durable, &mut dice),
            changes: Changes::default(),
            acknowledgements: Acknowledgements::default(),
            peers: Peers::new(&mut dice),
            members: Members::new(&mut dice),
            tokens: Tokens::new(&mut dice),
            waits: Waits::new(hash_seed),
            known_keys: KnownKeys::default(),
            budget: Budget::new(&mut dice, config.cap_bytes_per_s),
            verifications: Verifications::new(&mut dice),
            membership: Membership::new(now.monotonic + dice.jittered(MAINTENANCE)),
            lost: Lost::default(),
            silences: Silences::new(hash_seed),
            heeding: dice.bytes(),
            counters: Counters::default(),
            seal: None,
            events: VecDeque::new(),
            wall: SteadyWall::default(),
            last_operation: OperationId::from_number(0),
            config,
            dice,
        };
        if let Some(key) = network_key {
            node.seal_with(&key, now);
        }
        node
    }

    /// Starts something; its events carry the id given back.
    pub fn command(&mut self, now: Now, command: Command, outbox: &mut Outbox) -> OperationId {
        let operation = self.last_operation.next();
        self.last_operation = operation;
        let unsealed = outbox.len();
        match command {
            Command::Join(endpoints) => self.join(endpoints, now.monotonic, outbox),
            Command::Lookup { question, width, until, trace, seeds } => {
                let lookup = Lookup::for_caller(question, width, until, trace, now.monotonic)
                    .with_seeds(seeds);
                self.start_lookup(operation, lookup, now.monotonic, outbox);
            }
            Command::Write { written, to } => {
                self.start_write(operation, written, to, now, outbox);
            }
            Command::Offer { to, of } => self.offer(operation, to, &of, now.monotonic, outbox),
            Command::Fetch { contact, target } => {
                self.fetch(operation, contact, target, now.monotonic, outbox);
            }
            Command::SayGoodbye => self.say_goodbye(now.monotonic, outbox),
            Command::Ping(to) => self.ping(operation, to, now.monotonic, outbox),
            Command::Inquire(inquiry) => self.inquire(operation, inquiry, now.monotonic, outbox),
            Command::Sample { to, target } => {
                self.ask_for_sample(operation, to, target, now.monotonic, outbox);
            }
            Command::Members { to, target, after } => {
                self.ask_for_members(operation, to, target, after, now.monotonic, outbox);
            }
        }
        self.seal_from(unsealed, now, outbox);
        operation
    }

    /// Lets time pass: gives up queries, sends what was paced, looks after table and shelf.
    pub fn tick(&mut self, now: Now, outbox: &mut Outbox) {
        let unsealed = outbox.len();
        // Whoever stood still has read nothing meanwhile and sent nothing that was to keep its pace: then
        // silence says nothing about anybody.
        let stood_still =
            self.pending.deadline().is_some_and(|due| now.monotonic.since(due) >= STOOD_STILL);
        while let Some(due) = self.pending.due(now.monotonic) {
            match due {
                Due::Slow(transaction, waiting) => {
                    self.is_slow(transaction, waiting, !stood_still, now.monotonic, outbox);
                }
                Due::GivenUp(waiting) => {
                    self.counters.timeouts += 1;
                    if waiting.purpose == Purpose::Verify && !stood_still {
                        // Of all others it was told when they were slow.
                        self.silences.missed(waiting.to, now.monotonic);
                    }
                    if let Some(id) = waiting.expected.filter(|_| !stood_still) {
                        self.fell_silent(Contact { id, endpoint: waiting.to }, now.monotonic);
                    }
                    match waiting.purpose {
                        Purpose::Lookup(_) if planted::is(Bug::SilentNeverGivenUp) => {}
                        Purpose::Lookup(candidate) => {
                            self.lookup_heard(candidate, Heard::Silence, now.monotonic, outbox);
                        }
                        Purpose::Write { .. } if planted::is(Bug::WriteNeverGivenUp) => {}
                        Purpose::Write { operation, destination } => {
                            self.write_silent(operation, destination);
                        }
                        Purpose::Inquire { operation, .. } => {
                            self.inquiry_ended(operation, Inquired::Silent);
                        }
                        Purpose::Ask(operation) | Purpose::Members { operation, .. } => {
                            self.events.push_back(Event::Answered(operation, Answer::Silent));
                        }
                        Purpose::Verify => {}
                    }
                }
            }
        }
        self.end_late_lookups(now.monotonic, outbox);
        self.send_paced(now.monotonic, outbox);
        self.end_waits(now, outbox);
        self.maintain(now, outbox);
        self.seal_from(unsealed, now, outbox);
    }

    /// When [`Node::tick`] is due next; `None`: not before another input.
    pub fn deadline(&mut self) -> Option<Instant> {
        let idle = self.tables.iter().all(Table::is_empty)
            && self.items.is_empty()
            && self.peers.is_empty()
            && self.lost.is_empty()
            && self.members.is_empty()
            && self.membership.has_no_doors();
        let lookups = self.lookups.deadline();
        let membership = self.membership.deadline(idle);
        let waits = self.waits.deadline().filter(|_| !planted::is(Bug::DeadlineForgetsWaits));
        let pending = self.pending.deadline();
        let pending = pending.filter(|_| !planted::is(Bug::DeadlineForgetsPending));
        [pending, self.paced.deadline(), lookups, membership, waits].into_iter().flatten().min()
    }

    /// Takes the next event.
    pub fn next_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if event.is_none() {
            self.events = VecDeque::new();
        }
        event
    }

    /// Ends a lookup early: it tells what it has. Of an inquiry nothing more is told.
    pub fn cancel(&mut self, operation: OperationId, now: Now) {
        self.cancel_lookup(operation, now.monotonic);
        self.cancel_inquiry(operation);
    }

    /// Our id.
    pub fn id(&self) -> NodeId {
        self.identity.id()
    }

    /// Where others see us, as far as they agree.
    pub fn external(&self, family: Family) -> Option<Endpoint> {
        self.identity.external(family)
    }

    /// Whether we answer no queries (BEP 43).
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The network we belong to.
    pub fn network(&self) -> Network {
        self.config.network
    }

    /// The routing table of a family.
    pub fn table(&self, family: Family) -> &Table {
        &self.tables[family as usize]
    }

    /// From here on nothing is taken any more from others: it would be lost.
    pub fn start_to_leave(&mut self) {
        self.leaving = true;
    }

    /// Contacts worth remembering for the next start: those that answered last.
    pub fn good_contacts(&self) -> Vec<Contact> {
        let good = self.tables.iter().flat_map(Table::iter).filter(|entry| entry.is_good());
        good.map(|entry| entry.contact()).collect()
    }

    /// Counters since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Items held and their bytes.
    pub fn held_items(&self) -> (usize, usize) {
        (self.items.len(), self.items.bytes())
    }

    /// Topics with peers, and peers.
    pub fn held_peers(&self) -> (usize, usize) {
        (self.peers.topics(), self.peers.len())
    }

    /// Peers of a topic that announced themselves to us.
    pub fn peers_held(&mut self, info_hash: &InfoHash, now: Now) -> Vec<Endpoint> {
        self.peers.of(info_hash, now.monotonic)
    }

    /// The item that we hold ourselves under `target`.
    pub fn held(&mut self, target: &Target, now: Now) -> Option<&Item> {
        let wall = self.lease_wall(now);
        self.items.get(target, wall)
    }

    /// At most `limit` items that we hold ourselves, those first that end first.
    pub fn held_soonest(&self, limit: usize, wall: UnixMillis) -> Vec<Listed> {
        self.items.soonest(limit, wall)
    }

    /// The version that we remember under `target` of an item that has ended.
    pub fn remembered(&mut self, target: &Target, now: Now) -> Option<Seq> {
        let wall = self.lease_wall(now);
        self.items.marker(target, wall)
    }

    /// Any 64-bit number, from the node's own chance.
    pub fn draw(&mut self) -> u64 {
        self.dice.u64()
    }

    /// The wall time by which leases are judged.
    pub(crate) fn lease_wall(&mut self, now: Now) -> UnixMillis {
        self.wall.read(now)
    }

    /// What every message of ours carries.
    pub(crate) fn speaker(&self) -> Speaker {
        Speaker {
            id: self.identity.id(),
            network: self.config.network.tag(),
            read_only: self.read_only,
        }
    }

    /// Whether one more operation may start.
    pub(crate) fn has_room_for_operation(&self) -> bool {
        self.lookups.len() + self.writes.len() < OPERATIONS
    }

    /// An operation of our own, which no caller hears of.
    pub(crate) fn own_operation(&mut self) -> OperationId {
        self.last_operation = self.last_operation.next();
        self.last_operation
    }

    /// Checks what must always hold; called by tests after each input.
    ///
    /// # Panics
    /// If it does not.
    #[doc(hidden)]
    pub fn check_invariant(&self) {
        self.tables.iter().for_each(Table::check_invariant);
        self.items.check_invariant();
        assert!(self.config.durable || self.changes.is_empty() && self.acknowledgements.is_empty());
        self.peers.check_invariant();
        self.members.check_invariant();
        self.lookups.iter().for_each(Lookup::check_invariant);
        self.waits.check_invariant();
        assert!(self.lookups.len() + self.writes.len() <= OPERATIONS + 1);
        assert!(self.pending.len() <= crate::limits::PENDING);
        self.seal.iter().for_each(|seal| seal.check_invariant());
    }
}
