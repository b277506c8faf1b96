//! A run: machines gather to a network, faults come and users work, the weather clears, and then
//! everything must be right again.

use core::time::Duration;

use kv::Event;
use node::Instant;

use crate::chance::Chance;
use crate::check;
use crate::check::traffic::Traffic;
use crate::fault::Stage;
use crate::network::{ConditionId, Network};
use crate::plan::{Plan, Planned};
use crate::workload::Workload;
use crate::world::{Alarm, Happened, MachineId, Violation, World};

/// The longest time between the starts of two machines.
const BETWEEN_STARTS: Duration = Duration::from_millis(500);

/// How long a network has to come to rest after the last machine started.
const GATHERS: Duration = Duration::from_secs(60);

/// How long a network has to heal after the weather has cleared.
pub const HEALS: Duration = Duration::from_secs(45 * 60);

/// Users ask nothing any more so long before the end.
const QUIET: Duration = Duration::from_secs(120);

/// Whose alarms of the run itself are; those of faults follow.
const OWN: u32 = 0;

/// What an alarm of the run's own is about.
const WORK: u32 = u32::MAX;

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The seed.
    pub seed: u64,
    /// Stands for all that happened.
    pub trace_hash: u64,
    /// How much happened.
    pub events: u64,
    /// Datagrams that arrived.
    pub delivered: u64,
    /// How much time passed in the world.
    pub simulated: Duration,
    /// Requests of users that ended.
    pub requests: usize,
    /// What went over the wire, by method.
    pub traffic: Traffic,
    /// What must not be. A run ends with the first.
    pub violations: Vec<Violation>,
}

/// A run on its way.
pub struct Run {
    /// The world.
    pub world: World,
    /// What is to be.
    pub plan: Plan,
    /// What users do.
    pub workload: Workload,
    chance: Chance,
    /// When faults and work began.
    begun: Instant,
    /// Users ask for things until then.
    works_until: Instant,
}

impl Run {
    /// Makes the world of a plan.
    pub fn new(plan: Plan) -> Self {
        let network = Network::new(plan.seed, plan.latency.clone());
        let mut world = World::new(plan.seed, network);
        world.observers = check::observers(&plan);
        let workload = Workload::new(plan.seed, plan.requests_per_s, plan.keys);
        let chance = Chance::of(plan.seed, "run");
        let never = Instant::default();
        Self { world, plan, workload, chance, begun: never, works_until: never }
    }

    /// Lives through all of it, or up to the first violation. `watch` is told now and then how far it
    /// has come, from 0 to 1.
    pub fn go(&mut self, watch: &mut dyn FnMut(f64)) -> Verdict {
        self.gather();
        self.begun = self.world.now();
        let clears = self.begun + self.plan.setting.span;
        let heals = clears + HEALS;
        self.works_until = heals.max(clears + QUIET) + Duration::ZERO;
        self.works_until = Instant::from_micros(heals.as_micros() - QUIET.as_micros() as u64);
        self.set_alarms();
        self.pass(clears, watch);
        self.clear();
        self.pass(heals, watch);
        if self.world.violations.is_empty() {
            check::at_rest(self);
        }
        self.verdict()
    }

    fn verdict(&mut self) -> Verdict {
        let ended = |op: &&crate::history::Operation| op.ended.is_some();
        let traffic = self.world.observers.iter().find_map(|observer| observer.traffic());
        let traffic = traffic.cloned().unwrap_or_default();
        Verdict {
            traffic,
            seed: self.plan.seed,
            trace_hash: self.world.trace.hash(),
            events: self.world.trace.events(),
            delivered: self.world.delivered(),
            simulated: self.world.now().since(Instant::default()),
            requests: self.workload.history.operations.iter().filter(ended).count(),
            violations: std::mem::take(&mut self.world.violations),
        }
    }

    /// Starts all machines, one after another.
    fn gather(&mut self) {
        self.plan.population.prepare(&mut self.world);
        for _ in 0..self.plan.setting.nodes {
            let id = self.plan.population.add_machine(&mut self.world);
            self.world.start(id);
            let gap = self.chance.span(Duration::ZERO, BETWEEN_STARTS);
            self.pass(self.world.now() + gap, &mut |_| {});
        }
        self.pass(self.world.now() + GATHERS, &mut |_| {});
    }

    fn set_alarms(&mut self) {
        let begun = self.begun;
        for (index, planned) in self.plan.faults.iter().enumerate() {
            let number = index as u32 * 2;
            self.world.alarm(begun + planned.from, Alarm { whose: OWN, number });
            self.world.alarm(begun + planned.until, Alarm { whose: OWN, number: number + 1 });
        }
        self.world.alarm(begun + self.workload.gap(), Alarm { whose: OWN, number: WORK });
    }

    /// Lets time pass, unless something is wrong.
    pub fn pass(&mut self, until: Instant, watch: &mut dyn FnMut(f64)) {
        let whole = (self.plan.setting.span + HEALS).as_secs_f64();
        let mut steps = 0u32;
        while self.world.violations.is_empty() {
            let Some(happened) = self.world.step(until) else { return };
            match happened {
                Happened::Alarm(alarm) => self.rings(alarm),
                Happened::Told(machine, Event::Done(id, done)) => {
                    self.workload.done(&self.world, machine, id, &done);
                }
                Happened::Told(..) | Happened::Nothing => {}
            }
            steps += 1;
            if steps.is_multiple_of(1 << 14) {
                watch(self.world.now().since(self.begun).as_secs_f64() / whole);
            }
        }
    }

    fn rings(&mut self, alarm: Alarm) {
        match alarm {
            Alarm { whose: OWN, number: WORK } => {
                if self.world.now() < self.works_until {
                    self.workload.act(&mut self.world);
                    let next = self.world.now() + self.workload.gap();
                    self.world.alarm(next, alarm);
                }
            }
            Alarm { whose: OWN, number } if number.is_multiple_of(2) => {
                self.on_stage(number / 2, |planned, stage| planned.fault.begin(stage));
            }
            Alarm { whose: OWN, number } => self.end_fault(number / 2),
            Alarm { whose, number } => {
                let index = whose - 1;
                let planned = &self.plan.faults[index as usize];
                if self.world.now() < self.begun + planned.until {
                    self.on_stage(index, |planned, stage| planned.fault.rings(stage, number));
                }
            }
        }
        self.workload.cut(&self.world);
    }

    fn end_fault(&mut self, index: u32) {
        self.world.network.end(ConditionId(index));
        self.on_stage(index, |planned, stage| planned.fault.end(stage));
    }

    fn on_stage(&mut self, index: u32, act: impl FnOnce(&mut Planned, &mut Stage<'_>)) {
        let planned = &mut self.plan.faults[index as usize];
        // Alike at each of its moments, whatever was drawn in between by others.
        let now = self.world.now().as_micros();
        let mut chance = Chance::of_one(self.plan.seed ^ now, "stage", planned.number.into());
        let mut stage = Stage {
            world: &mut self.world,
            population: &self.plan.population,
            chance: &mut chance,
            condition: ConditionId(index),
            whose: index + 1,
        };
        act(planned, &mut stage);
    }

    /// The weather clears: whatever is still down comes back, unless it is gone for good.
    fn clear(&mut self) {
        for id in (0..self.world.machines.len() as u32).map(MachineId) {
            if !self.world.machines[id.index()].is_up() {
                self.world.start(id);
            }
        }
        self.workload.cut(&self.world);
    }
}
