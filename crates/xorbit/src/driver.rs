//! The task that owns a node's store and sockets: it hands inputs in, sends what comes out, and
//! keeps the timer.
//!
//! It is the only owner; handles speak to it through one bounded channel.

mod joining;
mod waking;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use kv::{Done, Event, Kv, Request, RequestId, WatchRequest};
use node::{Listed, Outbox, Step};
use tokio::sync::{broadcast, mpsc, oneshot};
use wire::{Contact, Endpoint, Family};

use joining::RESOLVE_AFTER_MIN;
use waking::Woken;

use crate::clock::Clock;
use crate::known::Known;
use crate::node::{Info, Node};
use crate::outbound::advertised;
use crate::persistence::{Committed, Persistence};
use crate::remembered::{self, Remembered};
use crate::restore::Restored;
use crate::socket::Port;
use crate::watch::Told;

/// Messages of handles that wait for the driver.
const MESSAGES: usize = 256;

/// Events that a slow listener may lag behind.
const EVENTS: usize = 256;

/// How often identity and contacts are written, if there is a data directory.
const REMEMBER_EVERY: Duration = Duration::from_secs(300);

/// How soon after joining they are written for the first time: a node that is killed comes back.
const REMEMBER_FIRST: Duration = Duration::from_secs(5);

/// With fewer good contacts than this, those of before stay remembered: a start without a network
/// must not forget whom the node knew.
const FEW_CONTACTS: usize = 8;

/// How long a closing node waits for repairs that are on their way, and then for the disk.
const CLOSING: Duration = Duration::from_secs(2);

/// What a handle asks of the driver.
pub(crate) enum Message {
    /// Do this.
    Request(Box<Request>, mpsc::UnboundedSender<Update>),
    /// Tell of each newer version of a key, as long as somebody listens.
    Watch(Box<WatchRequest>, broadcast::Sender<Told>),
    /// Somebody no longer listens to a watch.
    Unwatched,
    /// Tell how things are.
    Info(oneshot::Sender<Info>),
    /// Tell whom the tables hold.
    Contacts(oneshot::Sender<Vec<Known>>),
    /// Tell so many of the items held.
    Held(usize, oneshot::Sender<Vec<Listed>>),
    /// Leave.
    Close(oneshot::Sender<()>),
    /// Names to join through have been resolved.
    Resolved(Vec<Endpoint>),
}

/// What the driver tells about a request. Their number is bounded by what a lookup may find.
pub(crate) enum Update {
    Step(Step),
    Peers(Vec<Endpoint>),
    Done(Done),
}

/// Owns a node's store and sockets.
pub(crate) struct Driver {
    kv: Kv,
    ports: Vec<Port>,
    clock: Clock,
    outbox: Outbox,
    inbox: mpsc::Receiver<Message>,
    /// For tasks of the driver's own; weak, so that it ends when the last handle is gone.
    own_inbox: mpsc::WeakSender<Message>,
    waiting: HashMap<RequestId, mpsc::UnboundedSender<Update>>,
    watching: HashMap<RequestId, broadcast::Sender<Told>>,
    events: broadcast::Sender<Event>,
    join: Vec<String>,
    /// Names to join through are being resolved, now or after a wait.
    resolving: bool,
    resolve_after: Duration,
    /// What a data directory gave back.
    restored: Restored,
    /// Where what shall outlive us goes.
    persistence: Option<Persistence>,
    /// The disk took the last batch.
    disk_works: bool,
    listening: Vec<SocketAddr>,
    started: std::time::Instant,
    remember_at: std::time::Instant,
    /// How many inputs other than datagrams go before datagrams.
    others_in_a_row: u8,
}

impl Driver {
    /// Starts the task and gives the handle to it.
    pub(crate) fn spawn(
        kv: Kv,
        ports: Vec<Port>,
        clock: Clock,
        persistence: Option<Persistence>,
        join: Vec<String>,
        restored: Restored,
    ) -> Node {
        let (driver, sender) = Self::new(kv, ports, clock, persistence, join, restored);
        let handle = Node::new(sender, driver.events.clone(), driver.listening.clone());
        tokio::spawn(driver.run());
        handle
    }

    /// A driver, and what its handles speak to.
    fn new(
        kv: Kv,
        ports: Vec<Port>,
        clock: Clock,
        persistence: Option<Persistence>,
        join: Vec<String>,
        restored: Restored,
    ) -> (Self, mpsc::Sender<Message>) {
        let (sender, inbox) = mpsc::channel(MESSAGES);
        let (events, _) = broadcast::channel(EVENTS);
        let listening = ports.iter().filter_map(|port| port.local_addr().ok()).collect();
        let now = std::time::Instant::now();
        let driver = Self {
            kv,
            ports,
            clock,
            outbox: Outbox::default(),
            inbox,
            own_inbox: sender.downgrade(),
            waiting: HashMap::new(),
            watching: HashMap::new(),
            events,
            join,
            resolving: false,
            resolve_after: RESOLVE_AFTER_MIN,
            restored,
            persistence,
            disk_works: true,
            listening,
            started: now,
            remember_at: now + REMEMBER_EVERY,
            others_in_a_row: 0,
        };
        (driver, sender)
    }

    async fn run(mut self) {
        self.begin_to_join().await;
        let mut timer = Box::pin(tokio::time::sleep(Duration::ZERO));
        let mut armed: Option<std::time::Instant> = None;
        loop {
            // A timer that is set too early is left so: most deadlines are those of queries, which
            // are answered long before, and one tick too many costs less than a reset for each.
            if let Some(at) = self.deadline()
                && armed.is_none_or(|armed| at < armed)
            {
                armed = Some(at);
                timer.as_mut().reset(at.into());
            }
            match self.wake(&mut timer, armed.is_some()).await {
                Woken::Readable => self.receive().await,
                Woken::Timer => {
                    armed = None;
                    self.cancel_unwatched();
                    self.kv.tick(self.clock.now(), &mut self.outbox);
                    self.settle().await;
                    self.remember_if_due();
                }
                Woken::Committed(committed) => self.committed(committed).await,
                Woken::Message(Message::Close(done)) => {
                    self.finish().await;
                    // Whoever asked may be gone by now.
                    let _ = done.send(());
                    return;
                }
                Woken::Message(message) => self.handle(message).await,
                Woken::Abandoned => return self.finish().await,
            }
        }
    }

    /// Sends what is in the outbox and passes events on.
    async fn settle(&mut self) {
        if !self.outbox.is_empty() {
            for port in &self.ports {
                port.send(&self.outbox).await;
            }
            self.outbox.clear();
        }
        while let Some(event) = self.kv.next_event() {
            self.pass_on(event);
        }
        if let Some(persistence) = &mut self.persistence {
            persistence.hand_over(self.kv.changes());
        }
    }

    /// When there is something to do without an input.
    fn deadline(&mut self) -> Option<std::time::Instant> {
        let protocol = self.kv.deadline().map(|at| self.clock.at(at));
        let (disk, remember) = match &self.persistence {
            Some(persistence) => (persistence.due(self.kv.changes()), Some(self.remember_at)),
            None => (None, None),
        };
        [protocol, disk, remember].into_iter().flatten().min()
    }

    /// The disk has a batch, or does not take it.
    async fn committed(&mut self, committed: Committed) {
        let (now, batch) = (self.clock.now(), committed.batch);
        let told = match committed.outcome {
            Ok(()) => {
                self.kv.stored(now, batch, &mut self.outbox);
                (!std::mem::replace(&mut self.disk_works, true)).then_some(Event::DiskWorks)
            }
            Err(error) => {
                self.kv.not_stored(now, batch, &mut self.outbox);
                let fails = || Event::DiskFails(error.to_string().into());
                std::mem::replace(&mut self.disk_works, false).then(fails)
            }
        };
        for event in told.into_iter().chain(committed.damaged.map(|damaged| *damaged)) {
            // Nobody need listen.
            let _ = self.events.send(event);
        }
        self.settle().await;
    }

    fn pass_on(&mut self, event: Event) {
        match event {
            // A receiver that is gone no longer wants to know.
            Event::Step(id, step) => {
                if let Some(waiting) = self.waiting.get(&id) {
                    let _ = waiting.send(Update::Step(step));
                }
            }
            Event::Peers(id, peers) => {
                if let Some(waiting) = self.waiting.get(&id) {
                    let _ = waiting.send(Update::Peers(peers));
                }
            }
            Event::Watched(id, watched) => {
                if let Some(watching) = self.watching.get(&id) {
                    let _ = watching.send(Ok(*watched));
                }
            }
            Event::Done(id, Done::Watched(error)) => {
                if let Some(watching) = self.watching.remove(&id) {
                    let _ = watching.send(Err(error));
                }
            }
            Event::Done(id, done) => {
                if let Some(waiting) = self.waiting.remove(&id) {
                    let _ = waiting.send(Update::Done(done));
                }
            }
            event => {
                match event {
                    Event::JoinFailed { .. } => self.resolve_later(Duration::ZERO),
                    Event::Joined { .. } => {
                        self.remember_at = std::time::Instant::now() + REMEMBER_FIRST;
                    }
                    _ => {}
                }
                let _ = self.events.send(event);
            }
        }
    }

    async fn handle(&mut self, message: Message) {
        match message {
            Message::Request(request, waiting) => {
                let id = self.kv.request(self.clock.now(), *request, &mut self.outbox);
                self.waiting.insert(id, waiting);
                self.settle().await;
            }
            Message::Watch(request, watching) => {
                let request = Request::Watch(*request);
                let id = self.kv.request(self.clock.now(), request, &mut self.outbox);
                self.watching.insert(id, watching);
                self.settle().await;
            }
            Message::Unwatched => self.cancel_unwatched(),
            Message::Info(asker) => {
                let _ = asker.send(self.info());
            }
            Message::Contacts(asker) => {
                let _ = asker.send(self.contacts());
            }
            Message::Held(limit, asker) => {
                let now = self.clock.now();
                let _ = asker.send(self.kv.node().held_soonest(limit, now.wall));
            }
            Message::Resolved(endpoints) => self.resolved(endpoints).await,
            Message::Close(_) => {}
        }
    }

    /// Ends the watches to which nobody listens any more.
    fn cancel_unwatched(&mut self) {
        let now = self.clock.now();
        self.watching.retain(|id, watching| {
            let listens = watching.receiver_count() > 0;
            if !listens {
                self.kv.cancel(*id, now);
            }
            listens
        });
    }

    fn info(&self) -> Info {
        let node = self.kv.node();
        let (items, item_bytes) = node.held_items();
        let (topics, peers) = node.held_peers();
        Info {
            id: node.id(),
            listening: self.listening.clone(),
            advertised: self.listening.iter().copied().map(advertised).collect(),
            external: Family::ALL.iter().filter_map(|family| node.external(*family)).collect(),
            contacts: Family::ALL.map(|family| node.table(family).len()),
            remembered: self.restored.contacts.len(),
            restored: self.restored.clone(),
            replicas: self.kv.wanted_replicas(),
            read_only: node.is_read_only(),
            items,
            members: node.held_members().1,
            item_bytes,
            topics,
            peers,
            counters: *node.counters(),
            up: self.started.elapsed(),
        }
    }

    fn contacts(&self) -> Vec<Known> {
        let now = self.clock.now().monotonic;
        let tables = Family::ALL.map(|family| self.kv.node().table(family));
        let known = tables.into_iter().flat_map(|table| table.iter());
        known.map(|entry| Known::at(&entry, now)).collect()
    }

    fn remember_if_due(&mut self) {
        let now = std::time::Instant::now();
        if now < self.remember_at {
            return;
        }
        self.remember_at = now + REMEMBER_EVERY;
        self.remember();
    }

    /// Lets identity and contacts go with the next batch.
    fn remember(&mut self) {
        if self.persistence.is_some() {
            let remembered = self.remembered();
            self.kv.changes().put(remembered::KEY, |value| remembered.write(value));
        }
    }

    fn remembered(&self) -> Remembered {
        let node = self.kv.node();
        let mut contacts = node.good_contacts();
        if contacts.len() < FEW_CONTACTS {
            let gone = |old: &&Contact| contacts.iter().all(|contact| contact.id != old.id);
            let old: Vec<Contact> = self.restored.contacts.iter().filter(gone).copied().collect();
            contacts.extend(old);
        }
        Remembered { id: node.id(), contacts }
    }

    /// Lets repairs end, writes what shall be remembered, and says goodbye.
    async fn finish(&mut self) {
        let end = std::time::Instant::now() + CLOSING;
        let mut timer = Box::pin(tokio::time::sleep(Duration::ZERO));
        while !self.kv.is_idle() && std::time::Instant::now() < end {
            let next = self.deadline().map_or(end, |at| at.min(end));
            timer.as_mut().reset(next.into());
            match self.wake(&mut timer, true).await {
                Woken::Readable => self.receive().await,
                Woken::Timer => {
                    self.kv.tick(self.clock.now(), &mut self.outbox);
                    self.settle().await;
                }
                Woken::Committed(committed) => self.committed(committed).await,
                // Nobody is served any more; a closed channel would wake us for ever.
                Woken::Message(_) => {}
                Woken::Abandoned => break,
            }
        }
        self.remember();
        self.kv.say_goodbye(self.clock.now(), &mut self.outbox);
        self.settle().await;
        if let Some(persistence) = self.persistence.take() {
            // The last chance: puts that are not durable were not answered either.
            let last = persistence.finish(self.kv.changes());
            let _ = tokio::time::timeout(CLOSING, last).await;
        }
    }
}
