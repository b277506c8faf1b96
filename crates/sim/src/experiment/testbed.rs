//! Where experiments take place: a world, who lives in it, and what was asked of whom.

use core::time::Duration;

use hashbrown::HashMap;
use kv::{Done, Event, Request, RequestId};
use node::limits::K;
use node::{Counters, Instant, Responder, Step};
use wire::{Contact, Endpoint, Family, NodeId, Point, Target};

use super::{Host, Samples};
use crate::chance::Chance;
use crate::network::loss::Loss;
use crate::network::{ConditionId, Latency, Network, Site};
use crate::oracle::{self, Known, Missed, Reachable};
use crate::world::{Alarm, Happened, MachineId, World};

/// What a testbed is to be.
#[derive(Clone, Debug)]
pub struct Setup {
    /// All chance follows from it.
    pub seed: u64,
    /// How long datagrams take.
    pub latency: Latency,
    /// The share of datagrams that are lost.
    pub loss: f64,
}

impl Setup {
    /// The conditions by which lookups are measured: a heavy tail of delays, and one datagram in a
    /// hundred is lost.
    pub fn heavy_tail(seed: u64) -> Self {
        Self { seed, latency: Latency::heavy_tail(seed), loss: 0.01 }
    }
}

/// A world, who lives in it, and what was asked of whom.
pub struct Testbed {
    /// The world.
    pub world: World,
    /// Whose nodes live.
    pub living: Known,
    /// The experiment's own chance.
    pub chance: Chance,
    /// Whether machines have disks.
    pub disks: bool,
    /// When each machine's node told that it has joined.
    pub joined: HashMap<MachineId, Instant, foldhash::fast::FixedState>,
    under_way: HashMap<(MachineId, RequestId), u32, foldhash::fast::FixedState>,
}

/// What an experiment hears of.
#[derive(Debug)]
pub enum Occurrence {
    /// An alarm of its own.
    Alarm(Alarm),
    /// A step of the lookup of what was asked under this number.
    Step(u32, Step),
    /// The end of what was asked under this number.
    Done(u32, Done),
}

impl Testbed {
    /// An empty world.
    pub fn new(setup: &Setup) -> Self {
        let mut network = Network::new(setup.seed, setup.latency.clone());
        if setup.loss > 0.0 {
            network.begin(ConditionId(0), Box::new(Loss { share: setup.loss }));
        }
        Self {
            world: World::new(setup.seed, network),
            living: Known::default(),
            chance: Chance::of(setup.seed, "experiment"),
            disks: false,
            joined: HashMap::default(),
            under_way: HashMap::default(),
        }
    }

    /// A machine with an address, a site and an id of its own, on which nothing runs yet.
    pub(super) fn machine(&mut self) -> Reachable {
        let number = self.world.machines.len() as u32;
        let mut config = kv::Config::default();
        let id = NodeId::new(self.chance.bytes());
        config.node.id = Some(id);
        let machine = self.world.add(config, Site(number), [Some(address(number)), None]);
        if self.disks {
            self.world.give_disk(machine);
        }
        reachable(id, machine)
    }

    /// A new node that joins through some that live.
    pub fn newcomer(&mut self) -> MachineId {
        let node = self.machine();
        self.world.start(node.machine);
        self.join(node.machine);
        self.living.add(node);
        node.machine
    }

    /// Ends a node without a word. Tells how much of what was asked of it had not ended.
    pub fn end(&mut self, machine: MachineId) -> usize {
        if let Some(id) = self.id(machine) {
            self.living.remove(&id);
        }
        self.world.kill(machine);
        self.joined.remove(&machine);
        let before = self.under_way.len();
        self.under_way.retain(|(asked, _), _| *asked != machine);
        before - self.under_way.len()
    }

    /// Starts a node again, with what its disk kept.
    pub fn start_again(&mut self, machine: MachineId) {
        if self.world.start(machine)
            && let Some(id) = self.id(machine)
        {
            self.join(machine);
            self.living.add(reachable(id, machine));
        }
    }

    /// Whether a machine's node keeps an item for others.
    pub fn holds(&self, machine: MachineId, target: &Target) -> bool {
        let kv = self.world.machines[machine.index()].kv();
        kv.is_some_and(|kv| kv.node().kept_targets().contains(target))
    }

    /// The id of a machine's node, if it lives.
    pub fn id(&self, machine: MachineId) -> Option<NodeId> {
        Some(self.world.machines[machine.index()].kv()?.node().id())
    }

    /// The machines of all that live, in the order of their ids.
    pub fn machines(&self) -> Vec<MachineId> {
        self.living.iter().map(|node| node.machine).collect()
    }

    /// The closest of those that live to a place, other than who asks.
    pub fn nearest(&self, asker: MachineId, place: &Point) -> Option<Reachable> {
        self.living.closest_where(place, 1, |node| node.machine != asker).first().copied()
    }

    /// Compares what a lookup of a node found with those that live, other than itself, and `count`. Who
    /// was found and does not, as somebody who answered and then ended, may stand in the place of
    /// another.
    pub fn missed(
        &self,
        asker: MachineId,
        place: &Point,
        found: &[Responder],
        count: impl Fn(MachineId) -> bool,
    ) -> Missed {
        let counts = |node: &Reachable| node.machine != asker && count(node.machine);
        let known = Known::new(self.living.closest_where(place, K, counts));
        let found: Vec<Contact> = found.iter().map(|responder| responder.contact).collect();
        oracle::missed(&known, place, K, &found, |_| true)
    }

    /// The share of contacts in the tables of these machines that do not live.
    pub fn dead_contacts(&self, machines: impl Iterator<Item = MachineId>) -> f64 {
        let (mut dead, mut all) = (0, 0);
        for machine in machines {
            let Some(kv) = self.world.machines[machine.index()].kv() else { continue };
            for entry in kv.node().table(Family::V4).iter().filter(|entry| entry.is_good()) {
                let lives = self
                    .world
                    .at(&entry.endpoint)
                    .is_some_and(|(machine, _)| self.world.machines[machine.index()].is_up());
                all += 1;
                dead += usize::from(!lives);
            }
        }
        dead as f64 / f64::from(all.max(1))
    }

    /// One of those that live.
    pub fn somebody(&mut self) -> Option<MachineId> {
        self.chance.pick(self.living.all()).map(|node| node.machine)
    }

    /// One of those that live and have joined.
    pub fn somebody_who_joined(&mut self) -> Option<MachineId> {
        // Most have: a few draws find one.
        (0..64).find_map(|_| self.somebody().filter(|machine| self.joined.contains_key(machine)))
    }

    /// How many contacts the tables of these machines hold, in the mean.
    pub fn contacts(&self, machines: impl Iterator<Item = MachineId>) -> f64 {
        let kv = |machine: MachineId| self.world.machines[machine.index()].kv();
        let tables = machines.filter_map(kv).map(|kv| kv.node().table(Family::V4).len() as f64);
        tables.collect::<Samples>().mean()
    }

    /// The mean way to a machine and back.
    pub fn round_trip(&self, from: MachineId, to: MachineId) -> Duration {
        let site = |machine: MachineId| self.world.machines[machine.index()].site;
        self.world.network.latency().round_trip(site(from), site(to))
    }

    /// Asks a machine's node for something, under a number of the experiment's.
    pub fn ask(&mut self, number: u32, machine: MachineId, request: Request) {
        if let Some(id) = self.world.request(machine, request) {
            self.under_way.insert((machine, id), number);
        }
    }

    /// Lets all nodes join within a time, each through some that live, as nodes with full tables do that
    /// start again.
    pub fn join_all(&mut self, within: Duration, host: &mut dyn Host) {
        for machine in self.machines() {
            let after = within.mul_f64(self.chance.share());
            self.alarm_in(after, u32::MAX, machine.0);
        }
        self.live(within, host, &mut |bed, occurrence| {
            if let Occurrence::Alarm(Alarm { whose: u32::MAX, number }) = occurrence {
                bed.join(MachineId(number));
            }
        });
    }

    /// Lets a node join through some that live.
    pub fn join(&mut self, machine: MachineId) {
        let mut doors: Vec<MachineId> = (0..DOORS).filter_map(|_| self.somebody()).collect();
        doors.retain(|other| *other != machine);
        let place = |door: MachineId| self.world.machines[door.index()].places[0];
        let doors = doors.into_iter().filter_map(place).collect();
        self.world.request(machine, Request::Join(doors));
    }

    /// What the living nodes counted since their starts, in sum.
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for machine in self.living.iter().map(|node| node.machine) {
            let Some(kv) = self.world.machines[machine.index()].kv() else { continue };
            let one = kv.node().counters();
            sum.sent += one.sent;
            sum.sent_bytes += one.sent_bytes;
            sum.received += one.received;
            sum.received_bytes += one.received_bytes;
        }
        sum
    }

    /// Wants to hear of a time.
    pub fn alarm_in(&mut self, span: Duration, whose: u32, number: u32) {
        let at = self.world.now() + span;
        self.world.alarm(at, Alarm { whose, number });
    }

    /// Lets time pass.
    pub fn live(
        &mut self,
        span: Duration,
        host: &mut dyn Host,
        on: &mut dyn FnMut(&mut Self, Occurrence),
    ) {
        let from = self.world.now();
        let until = from + span;
        let mut steps = 0_u32;
        while let Some(happened) = self.world.step(until) {
            match happened {
                Happened::Alarm(alarm) => on(self, Occurrence::Alarm(alarm)),
                Happened::Told(machine, Event::Done(id, done)) => {
                    if let Some(number) = self.under_way.remove(&(machine, id)) {
                        on(self, Occurrence::Done(number, done));
                    }
                }
                Happened::Told(machine, Event::Step(id, step)) => {
                    if let Some(number) = self.under_way.get(&(machine, id)) {
                        on(self, Occurrence::Step(*number, step));
                    }
                }
                Happened::Told(machine, Event::Joined { .. }) => {
                    self.joined.insert(machine, self.world.now());
                }
                Happened::Told(..) | Happened::Nothing => {}
            }
            steps = steps.wrapping_add(1);
            if steps.is_multiple_of(1 << 16) {
                host.progress(self.world.now().since(from).as_secs_f64() / span.as_secs_f64());
            }
        }
        host.progress(1.0);
    }
}

/// So many a node joins through.
const DOORS: usize = 3;

/// The node of this id on this machine.
pub(super) fn reachable(id: NodeId, machine: MachineId) -> Reachable {
    Reachable { contact: Contact { id, endpoint: address(machine.0) }, machine, by_all: true }
}

/// The address of the machine of this number.
fn address(number: u32) -> Endpoint {
    let [_, a, b, c] = number.to_be_bytes();
    Endpoint::v4([10, a, b, c], 8000)
}
