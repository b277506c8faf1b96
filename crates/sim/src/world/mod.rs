//! The world: machines, what lies between them, and one queue of what will happen.
//!
//! A world is driven from outside, as a node is: [`World::step`] lets the next thing happen and tells
//! what its owner should know, an [`Alarm`] that the owner set or what a node said. All that happens
//! follows from the seed and the calls.

mod disk;
mod flights;
mod lives;
mod machine;
mod nat;
mod observer;
mod trace;

use std::collections::VecDeque;

use hashbrown::HashMap;
use kv::{Done, Event, Request, RequestId};
use node::{Instant, Now, Outbox};
use wire::Endpoint;

pub use disk::Disk;
pub use machine::{Actor, Machine, MachineId};
pub use nat::{Dependence, Habits, Nat, NatId};
pub use observer::{Input, Moment, Observer, Violation};
pub use trace::{LEGEND, Trace};

use crate::attack::{Attack, Hand};
use crate::chance::Chance;
use crate::network::{Network, Site};
use crate::queue::Queue;
use flights::Flight;

/// What the world's owner wants to be told of at a time: for whom, and a number of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alarm {
    /// For whom; the owner gives these out.
    pub whose: u32,
    /// What it is about.
    pub number: u32,
}

/// What the world's owner should know.
#[derive(Debug)]
pub enum Happened {
    /// An alarm rings.
    Alarm(Alarm),
    /// A node tells something.
    Told(MachineId, Event),
    /// Nothing that concerns it.
    Nothing,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    /// The datagram in this slot arrives.
    Arrive(u32),
    Wake(MachineId),
    Commit(MachineId, u32),
    /// A node has handed over what it held, in this life, and goes.
    Depart(MachineId, u32),
    Alarm(Alarm),
}

/// Machines, and what happens to them.
pub struct World {
    /// Who watches.
    pub observers: Vec<Box<dyn Observer>>,
    /// What the observers found that must not be.
    pub violations: Vec<Violation>,
    /// What lies between the machines.
    pub network: Network,
    /// Follows what happens.
    pub trace: Trace,
    /// Addresses that every node may join through.
    pub doors: Vec<Endpoint>,
    /// All machines, by their numbers.
    pub machines: Vec<Machine>,
    now: Instant,
    queue: Queue<Next>,
    places: HashMap<Endpoint, (MachineId, Site), foldhash::fast::FixedState>,
    nats: Vec<Nat>,
    nat_places: HashMap<Endpoint, NatId, foldhash::fast::FixedState>,
    /// Addresses that were given up for others.
    moves: u32,
    flights: Vec<Flight>,
    landed: Vec<u32>,
    told: VecDeque<(MachineId, Event)>,
    outbox: Outbox,
    attackers_sent: Vec<(Endpoint, Endpoint, Vec<u8>)>,
    seed: u64,
    chance: Chance,
    delivered: u64,
}

impl World {
    /// A world without machines.
    pub fn new(seed: u64, network: Network) -> Self {
        Self {
            observers: Vec::new(),
            violations: Vec::new(),
            network,
            trace: Trace::new(),
            doors: Vec::new(),
            machines: Vec::new(),
            now: Instant::default(),
            queue: Queue::default(),
            places: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(seed)),
            nats: Vec::new(),
            nat_places: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(seed)),
            moves: 0,
            flights: Vec::new(),
            landed: Vec::new(),
            told: VecDeque::new(),
            outbox: Outbox::default(),
            attackers_sent: Vec::new(),
            seed,
            chance: Chance::of(seed, "world"),
            delivered: 0,
        }
    }

    /// The world's time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// What the clocks of a machine show.
    pub fn now_at(&self, id: MachineId) -> Now {
        self.machines[id.index()].clock.now(self.now)
    }

    /// Datagrams that arrived somewhere.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// The machine at an address, and where it is: the address that it knows of itself, or one at which a
    /// box lets others see it.
    pub fn at(&self, place: &Endpoint) -> Option<(MachineId, Site)> {
        self.places.get(place).copied().or_else(|| self.behind(place))
    }

    /// How often machines and boxes have moved to other addresses.
    pub fn moves(&self) -> u32 {
        self.moves
    }

    /// The machines on which something runs, in their order.
    pub fn living(&self) -> impl Iterator<Item = MachineId> + '_ {
        (0..self.machines.len() as u32)
            .map(MachineId)
            .filter(|id| self.machines[id.index()].is_up())
    }

    /// Adds a machine on which nothing runs yet.
    pub fn add(
        &mut self,
        config: kv::Config,
        site: Site,
        places: [Option<Endpoint>; 2],
    ) -> MachineId {
        let id = MachineId(self.machines.len() as u32);
        self.machines.push(Machine::new(config, site, places));
        for place in places.into_iter().flatten() {
            self.add_place(id, place, site);
        }
        id
    }

    /// Gives a machine one more address, at a site.
    pub fn add_place(&mut self, id: MachineId, place: Endpoint, site: Site) {
        self.places.insert(place, (id, site));
    }

    /// Gives a machine a disk.
    pub fn give_disk(&mut self, id: MachineId) {
        let chance = Chance::of_one(self.seed, "disk", u64::from(id.0));
        self.machines[id.index()].disk = Some(Box::new(Disk::new(chance)));
    }

    /// Moves a machine to other addresses; what is on its way to the old ones is lost.
    pub fn readdress(&mut self, id: MachineId, places: [Option<Endpoint>; 2]) {
        self.moves += 1;
        let machine = &mut self.machines[id.index()];
        let (before, site) = (std::mem::replace(&mut machine.places, places), machine.site);
        for place in before.into_iter().flatten() {
            self.places.remove(&place);
        }
        for place in places.into_iter().flatten() {
            self.add_place(id, place, site);
        }
    }

    /// Starts a request at a machine; `None` if no node runs there.
    pub fn request(&mut self, id: MachineId, request: Request) -> Option<RequestId> {
        self.machines[id.index()].kv()?;
        let input = Input::Request(&request);
        self.begin(id, &input);
        let now = self.now_at(id);
        let kv = self.machines[id.index()].kv_mut()?;
        let number = kv.request(now, request.clone(), &mut self.outbox);
        let moment = self.moment(id);
        for observer in &mut self.observers {
            observer.asked(moment, &self.machines[id.index()], number, &request);
        }
        self.settle(id, &input);
        Some(number)
    }

    /// Ends a watch of a machine's user.
    pub fn cancel(&mut self, id: MachineId, request: RequestId) {
        let now = self.now_at(id);
        if let Some(kv) = self.machines[id.index()].kv_mut() {
            kv.cancel(request, now);
        }
    }

    /// Asks for an alarm.
    pub fn alarm(&mut self, at: Instant, alarm: Alarm) {
        self.queue.push(at.as_micros(), Next::Alarm(alarm));
    }

    /// Lets the next thing happen, if it does so before `until`; else lets time pass until then and gives
    /// `None`.
    pub fn step(&mut self, until: Instant) -> Option<Happened> {
        if let Some((id, event)) = self.told.pop_front() {
            return Some(Happened::Told(id, event));
        }
        if self.queue.next_at().is_none_or(|at| at >= until.as_micros()) {
            self.now = self.now.max(until);
            return None;
        }
        let (at, next) = self.queue.pop()?;
        self.now = self.now.max(Instant::from_micros(at));
        match next {
            Next::Arrive(flight) => self.arrive(flight),
            Next::Wake(id) => self.wake(id, Instant::from_micros(at)),
            Next::Commit(id, life) => self.commit(id, life),
            Next::Depart(id, life) => self.depart(id, life),
            Next::Alarm(alarm) => return Some(Happened::Alarm(alarm)),
        }
        Some(match self.told.pop_front() {
            Some((id, event)) => Happened::Told(id, event),
            None => Happened::Nothing,
        })
    }

    fn moment(&self, machine: MachineId) -> Moment {
        Moment { at: self.now, machine }
    }

    fn begin(&mut self, id: MachineId, input: &Input<'_>) {
        let moment = self.moment(id);
        for observer in &mut self.observers {
            observer.before(moment, &mut self.machines[id.index()], input);
        }
    }

    /// A machine has acted: sends what it sends, hears what it tells, and sets its timers.
    fn settle(&mut self, id: MachineId, input: &Input<'_>) {
        let moment = self.moment(id);
        for observer in &mut self.observers {
            let machine = &mut self.machines[id.index()];
            observer.after(moment, machine, input, &self.outbox, &mut self.violations);
        }
        let outbox = std::mem::take(&mut self.outbox);
        for (to, bytes) in outbox.datagrams() {
            if let Some(from) = self.machines[id.index()].place(to.family()) {
                self.send(id, from, to, bytes);
            }
        }
        self.outbox = outbox;
        self.outbox.clear();
        let now = self.now;
        let machine = &mut self.machines[id.index()];
        let Actor::Node(kv) = &mut machine.actor else { return };
        let mut told = Vec::new();
        while let Some(event) = kv.next_event() {
            if machine.leaving && matches!(event, Event::Done(_, Done::Left(_))) {
                self.queue.push(now.as_micros(), Next::Depart(id, machine.life));
            }
            told.push(event);
        }
        if let Some(disk) = &mut machine.disk
            && let Some(at) = disk.hand_over(kv.changes(), now)
        {
            self.queue.push(at.as_micros(), Next::Commit(id, machine.life));
        }
        if let Some(at) = kv.deadline() {
            let at = machine.clock.world(at).max(now);
            if machine.wake_at.is_none_or(|set| at < set) {
                machine.wake_at = Some(at);
                self.queue.push(at.as_micros(), Next::Wake(id));
            }
        }
        let machine = &self.machines[id.index()];
        for event in told {
            for observer in &mut self.observers {
                observer.told(moment, machine, &event, &mut self.violations);
            }
            self.told.push_back((id, event));
        }
    }

    fn wake(&mut self, id: MachineId, at: Instant) {
        let now = self.now;
        let machine = &mut self.machines[id.index()];
        if machine.wake_at != Some(at) {
            return;
        }
        if machine.paused_until > now {
            let later = machine.paused_until;
            machine.wake_at = Some(later);
            self.queue.push(later.as_micros(), Next::Wake(id));
            return;
        }
        machine.wake_at = None;
        let local = machine.clock.now(now);
        match &mut machine.actor {
            Actor::Nobody => {}
            Actor::Attacker(_) => self.attacker(id, |attack, hand| attack.wake(hand)),
            Actor::Node(kv) => match kv.deadline() {
                Some(due) if due <= local.monotonic => {
                    self.trace.ticked(now, id);
                    self.begin(id, &Input::Tick);
                    if let Some(kv) = self.machines[id.index()].kv_mut() {
                        kv.tick(local, &mut self.outbox);
                    }
                    self.settle(id, &Input::Tick);
                }
                Some(due) => {
                    let later = machine.clock.world(due);
                    machine.wake_at = Some(later);
                    self.queue.push(later.as_micros(), Next::Wake(id));
                }
                None => {}
            },
        }
    }

    fn commit(&mut self, id: MachineId, life: u32) {
        let local = self.now_at(id);
        let machine = &mut self.machines[id.index()];
        if machine.life != life {
            return;
        }
        let Some(committed) = machine.disk.as_mut().and_then(|disk| disk.commit()) else { return };
        self.trace.committed(self.now, id, committed.durable);
        let input = Input::Committed(committed.durable);
        self.begin(id, &input);
        if let Actor::Node(kv) = &mut self.machines[id.index()].actor {
            if committed.durable {
                kv.stored(local, committed.batch, &mut self.outbox);
            } else {
                kv.not_stored(local, committed.batch, &mut self.outbox);
            }
        }
        self.settle(id, &input);
    }

    fn attacker(&mut self, id: MachineId, act: impl FnOnce(&mut dyn Attack, &mut Hand<'_>)) {
        let mut sent = std::mem::take(&mut self.attackers_sent);
        let machine = &mut self.machines[id.index()];
        let mut wake_at = machine.wake_at;
        let Actor::Attacker(attack) = &mut machine.actor else { return };
        let mut hand = Hand {
            now: self.now,
            chance: &mut self.chance,
            sent: &mut sent,
            wake_at: &mut wake_at,
        };
        act(attack.as_mut(), &mut hand);
        if wake_at != machine.wake_at
            && let Some(at) = wake_at
        {
            machine.wake_at = wake_at;
            self.queue.push(at.as_micros(), Next::Wake(id));
        }
        for (from, to, bytes) in sent.drain(..) {
            self.send(id, from, to, &bytes);
        }
        self.attackers_sent = sent;
    }
}
