//! A run: machines gather to a network, faults come and users work, the weather clears, and then
//! everything must be right again.

use core::time::Duration;

use hashbrown::HashMap;
use kv::{Done, Event, Request, RequestId};
use node::Instant;

use crate::chance::Chance;
use crate::check::rest::quiet;
use crate::check::traffic::Traffic;
use crate::check::{self, Numbers, Trouble};
use crate::fault::Stage;
use crate::network::{ConditionId, Network};
use crate::plan::population::HEARD_WITHIN;
use crate::plan::{Plan, Planned};
use crate::workload::Workload;
use crate::world::{Alarm, Happened, MachineId, Violation, World};

/// The longest time between the starts of two machines.
const BETWEEN_STARTS: Duration = Duration::from_millis(500);

/// How long a network has to come to rest after the last machine started.
const GATHERS: Duration = Duration::from_secs(60);

/// How long a network may take to heal once the weather has cleared and users ask for nothing any more.
pub const HEALS: Duration = Duration::from_secs(150 * 60);

/// In half of all runs users go on for so long after the weather has cleared.
const WORKS_ON: Duration = Duration::from_secs(600);

/// After the last request all is left alone for so long.
const QUIET: Duration = Duration::from_secs(15);

/// In one of so many runs the doors go away when the weather clears: who found each other before must find
/// each other again.
const WITHOUT_DOORS_ONE_IN: usize = 4;

/// A request of a check has ended after so long, or never will.
const ANSWERED_WITHIN: Duration = Duration::from_secs(300);

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
    /// What the checks came to.
    pub numbers: Numbers,
}

/// A run on its way.
pub struct Run {
    /// The world.
    pub world: World,
    /// What is to be.
    pub plan: Plan,
    /// What users do.
    pub workload: Workload,
    /// What the checks have come to.
    pub numbers: Numbers,
    chance: Chance,
    /// When faults and work began.
    begun: Instant,
    /// When the weather cleared.
    cleared: Instant,
    /// Requests of checks, each with the place of its answer.
    asked: HashMap<(MachineId, RequestId), usize, foldhash::fast::FixedState>,
    answers: Vec<Option<Done>>,
    /// Users ask for things until then.
    pub(crate) works_until: Instant,
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
        Self {
            world,
            plan,
            workload,
            numbers: Numbers::default(),
            chance,
            begun: never,
            cleared: never,
            asked: HashMap::default(),
            answers: Vec::new(),
            works_until: never,
        }
    }

    /// Lives through all of it, or up to the first violation. `watch` is told now and then how far it
    /// has come, from 0 to 1.
    pub fn go(&mut self, watch: &mut dyn FnMut(f64)) -> Verdict {
        self.gather();
        self.numbers.before = quiet::measure(self, quiet::MEASURED);
        self.begun = self.world.now();
        self.cleared = self.begun + self.plan.setting.span;
        self.works_until = self.cleared;
        if Chance::of(self.plan.seed, "works on").happens(0.5) {
            self.works_until = self.cleared + WORKS_ON;
        }
        self.set_alarms();
        // Faults end at the latest when the weather clears, and that is part of it.
        self.pass(self.cleared + Duration::from_micros(1), watch);
        self.clear();
        self.pass(self.works_until + QUIET, watch);
        if self.world.violations.is_empty() {
            check::at_rest(self);
        }
        self.verdict()
    }

    /// When the weather had cleared and users asked for nothing any more.
    pub fn left_alone(&self) -> Instant {
        self.works_until
    }

    /// When what was going on that voids promises.
    pub fn trouble(&self) -> Trouble {
        let mut trouble = Trouble::of(&self.plan, self.begun);
        if self.numbers.without_doors {
            trouble.add(self.cleared, self.cleared + WORKS_ON, "no doors");
        }
        trouble
    }

    /// Asks machines for things on behalf of a check, and lets time pass until all have answered. `None`
    /// stands for what was never answered.
    pub fn ask(&mut self, requests: Vec<(MachineId, Request)>) -> Vec<Option<Done>> {
        self.answers = requests.iter().map(|_| None).collect();
        for (place, (machine, request)) in requests.into_iter().enumerate() {
            if let Some(id) = self.world.request(machine, request) {
                self.asked.insert((machine, id), place);
            }
        }
        let until = self.world.now() + ANSWERED_WITHIN;
        while !self.asked.is_empty() && self.world.now() < until {
            self.pass(self.world.now() + Duration::from_secs(1), &mut |_| {});
            if !self.world.violations.is_empty() {
                break;
            }
        }
        self.asked.clear();
        std::mem::take(&mut self.answers)
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
            numbers: self.numbers.clone(),
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
                Happened::Told(machine, event) => self.told(machine, event),
                Happened::Nothing => {}
            }
            steps += 1;
            if steps.is_multiple_of(1 << 14) {
                watch(self.world.now().since(self.begun).as_secs_f64() / whole);
            }
        }
    }

    fn told(&mut self, machine: MachineId, event: Event) {
        if self.workload.told(&mut self.world, machine, &event) {
            return;
        }
        if let Event::Done(id, done) = event
            && let Some(place) = self.asked.remove(&(machine, id))
        {
            self.answers[place] = Some(done);
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
        self.workload.cut(&mut self.world);
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

    /// The weather clears: whatever is still down comes back, unless it is gone for good, but perhaps the
    /// doors.
    fn clear(&mut self) {
        let doors: Vec<MachineId> =
            self.world.doors.iter().filter_map(|door| Some(self.world.at(door)?.0)).collect();
        let enough = self.world.machines.len() > 2 * doors.len() + self.plan.replicas;
        let mut chance = Chance::of(self.plan.seed, "without doors");
        self.numbers.without_doors = enough && chance.below(WITHOUT_DOORS_ONE_IN) == 0;
        for id in (0..self.world.machines.len() as u32).map(MachineId) {
            if self.numbers.without_doors && doors.contains(&id) {
                self.world.kill(id);
            } else if !self.world.machines[id.index()].is_up() {
                self.world.start(id);
            }
        }
        if self.plan.population.sealed {
            self.set_clocks_right();
        }
        self.workload.cut(&mut self.world);
    }

    /// Whose clock is too far off to be heard in a sealed network is heard again.
    fn set_clocks_right(&mut self) {
        for id in (0..self.world.machines.len() as u32).map(MachineId) {
            let ahead_ms = self.world.machines[id.index()].clock.ahead_ms();
            if ahead_ms.unsigned_abs() > HEARD_WITHIN.as_millis() as u64 {
                self.world.set_clock(id, -ahead_ms);
            }
        }
    }
}
