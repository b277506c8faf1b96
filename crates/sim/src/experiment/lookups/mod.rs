//! How long lookups and gets take against the round trip to the nearest holder, and through how many
//! hops they go as a network grows.
//!
//! The nearest holder of a place is the live node whose id is closest to it by XOR, other than the
//! one that asks. The round trip to it is the mean of the two ways there and back.

mod section;

use core::time::Duration;

use kv::{Change, Consistency, Done, Expected, GetRequest, Namespace, PutRequest, Request};
use node::{Instant, Step, StepOutcome};
use wire::{NodeId, Point};

use super::{Host, Occurrence, Samples, Setup, Testbed, Wishes};
use crate::report::Section;
use crate::workload;
use crate::world::MachineId;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// How many nodes live.
    pub nodes: u32,
    /// The share of contacts in all tables that do not live any more.
    pub dead: f64,
    /// Lookups and gets of each kind.
    pub asked: u32,
    /// Keys that are put before, and read.
    pub keys: u32,
    /// For how long upkeep is measured afterwards.
    pub upkeep: Duration,
}

impl Sizes {
    /// For a network of so many nodes, a tenth of contacts dead.
    pub fn full(nodes: u32) -> Self {
        let upkeep = Duration::from_secs(1200);
        Self { nodes, dead: 0.1, asked: 4000, keys: 1000, upkeep }
    }

    /// Enough to see what comes of a change.
    pub fn quick(nodes: u32) -> Self {
        Self { asked: 1000, keys: 200, upkeep: Duration::ZERO, ..Self::full(nodes) }
    }
}

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A lookup of a random place until it converged.
    Lookup,
    /// A get until the first value.
    First,
    /// A get until a majority of the replicas has answered.
    Quorum,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 3] = [Kind::Lookup, Kind::First, Kind::Quorum];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Lookup => "lookup, converged",
            Kind::First => "get, first value",
            Kind::Quorum => "get, quorum",
        }
    }
}

/// How one kind fared.
#[derive(Clone, Debug, Default)]
pub struct Timed {
    /// How long each took, in milliseconds.
    pub took: Samples,
    /// The round trip to the nearest holder of each, in milliseconds.
    pub round_trip: Samples,
    /// The one by the other, of each.
    pub ratio: Samples,
    /// Through how many nodes each came to the closest, itself included.
    pub hops: Samples,
    /// Queries sent by each.
    pub queries: Samples,
    /// Of them, those that were not answered by the end.
    pub unanswered: Samples,
    /// How many ended with what was asked for: the right nodes, or the value.
    pub right: u32,
    /// How many ended.
    pub ended: u32,
}

/// Where the time of a converged lookup goes, in milliseconds, of each.
#[derive(Clone, Debug, Default)]
pub struct Phases {
    /// Until the nearest holder was asked.
    pub found: Samples,
    /// From then until it answered.
    pub answered: Samples,
    /// From then until the end.
    pub converged: Samples,
}

/// What was measured in one network.
#[derive(Clone, Debug)]
pub struct Lookups {
    /// What was asked for.
    pub sizes: Sizes,
    /// By kind, in their order.
    pub timed: [Timed; 3],
    /// Of converged lookups.
    pub phases: Phases,
    /// The share of contacts that did not live when the first was asked, in the tables of those who asked.
    pub dead_contacts: f64,
    /// Puts that were acknowledged, of all.
    pub stored: (u32, u32),
    /// What a node sends in a second when nobody asks for anything, the contacts that do not live
    /// being found out meanwhile: datagrams, and bytes without headers.
    pub upkeep: Option<(f64, f64)>,
}

/// The experiment, over networks of growing sizes.
pub fn experiment(wishes: &Wishes, host: &mut dyn Host) -> Section {
    let sizes: Vec<u32> = match (wishes.nodes, wishes.quick) {
        (Some(nodes), _) => vec![nodes],
        (None, true) => vec![1_000, 10_000],
        (None, false) => vec![100, 1_000, 10_000, 100_000],
    };
    let of = |nodes| match wishes.quick {
        true => Sizes::quick(nodes),
        false => Sizes::full(nodes),
    };
    let found = sizes.into_iter().map(|nodes| run(wishes.seed, of(nodes), host)).collect();
    section::of(found)
}

/// Alarms are for one of these.
const WARM: u32 = 0;
const PUT: u32 = 1;
const ASK: u32 = 2;

/// Round trips that who asks has measured before, to random nodes.
const PINGS: u32 = 10;

/// All nodes join within this time.
const JOINING: Duration = Duration::from_secs(120);

/// How long each part goes on before the next.
const PART: Duration = Duration::from_secs(20);

/// A question on its way.
struct Asked {
    kind: Option<Kind>,
    machine: MachineId,
    place: Point,
    nearest: NodeId,
    round_trip: Duration,
    begun: Instant,
    steps: Vec<Step>,
}

struct Course {
    sizes: Sizes,
    askers: Vec<MachineId>,
    asked: Vec<Asked>,
    stored: Vec<u32>,
    found: Lookups,
}

/// Measures it.
pub fn run(seed: u64, sizes: Sizes, host: &mut dyn Host) -> Lookups {
    let mut bed = Testbed::new(&Setup::heavy_tail(seed));
    host.doing(&format!("{} nodes, filling tables", sizes.nodes));
    bed.settle(sizes.nodes, sizes.dead, host);
    let askers = (0..sizes.asked.min(sizes.nodes)).filter_map(|_| bed.somebody()).collect();
    let mut course = Course {
        sizes,
        askers,
        asked: Vec::new(),
        stored: Vec::new(),
        found: Lookups {
            sizes,
            timed: Default::default(),
            phases: Phases::default(),
            dead_contacts: f64::NAN,
            stored: (0, sizes.keys),
            upkeep: None,
        },
    };
    host.doing(&format!("{} nodes, putting and asking", sizes.nodes));
    course.plan(&mut bed);
    bed.live(PART * 2, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    course.found.dead_contacts = bed.dead_contacts(course.askers.iter().copied());
    bed.live(PART * 2, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    if !sizes.upkeep.is_zero() {
        course.found.upkeep = Some(upkeep(&mut bed, sizes.upkeep, host));
    }
    course.found
}

/// What a node sends in a second when nobody asks for anything.
fn upkeep(bed: &mut Testbed, span: Duration, host: &mut dyn Host) -> (f64, f64) {
    host.doing(&format!("{} nodes, joining", bed.living.len()));
    bed.join_all(JOINING, host);
    let before = bed.counters();
    host.doing(&format!("{} nodes, looking on", bed.living.len()));
    bed.live(span, host, &mut |_, _| {});
    let after = bed.counters();
    let per = |after: u64, before: u64| {
        (after - before) as f64 / bed.living.len() as f64 / span.as_secs_f64()
    };
    (per(after.sent, before.sent), per(after.sent_bytes, before.sent_bytes))
}

impl Course {
    fn plan(&mut self, bed: &mut Testbed) {
        let spread = |bed: &mut Testbed, whose, count: u32, from: Duration| {
            for number in 0..count {
                bed.alarm_in(
                    from + PART.mul_f64(f64::from(number) / f64::from(count)),
                    whose,
                    number,
                );
            }
        };
        spread(bed, WARM, self.askers.len() as u32, Duration::ZERO);
        spread(bed, PUT, self.sizes.keys, PART / 2);
        spread(bed, ASK, 3 * self.sizes.asked, 2 * PART);
    }

    fn hear(&mut self, bed: &mut Testbed, occurrence: Occurrence) {
        match occurrence {
            Occurrence::Alarm(alarm) => match alarm.whose {
                WARM => self.warm(bed, alarm.number),
                PUT => self.put(bed, alarm.number),
                _ => self.ask(bed, alarm.number),
            },
            Occurrence::Step(number, step) => {
                if let Some(asked) = self.asked.get_mut(number as usize) {
                    asked.steps.push(step);
                }
            }
            Occurrence::Done(number, done) => self.done(bed, number, &done),
        }
    }

    fn warm(&mut self, bed: &mut Testbed, number: u32) {
        for _ in 0..PINGS {
            let Some(other) = bed.somebody() else { return };
            let [Some(place), _] = bed.world.machines[other.index()].places else { continue };
            bed.ask(u32::MAX, self.askers[number as usize], Request::Ping(place));
        }
    }

    fn put(&mut self, bed: &mut Testbed, number: u32) {
        let Some(machine) = bed.chance.pick(&self.askers).copied() else { return };
        let change = Change::Put {
            value: number.to_be_bytes().into(),
            content_type: None,
            ttl: Duration::from_secs(3600),
            plain: false,
        };
        let request = PutRequest {
            namespace: Namespace::default(),
            key: workload::name(number),
            change,
            expected: Expected::Anything,
            trace: false,
        };
        let place = Namespace::default().target(&workload::name(number)).point();
        self.begin(bed, None, machine, place, Request::Put(request));
    }

    fn ask(&mut self, bed: &mut Testbed, number: u32) {
        let Some(machine) = bed.chance.pick(&self.askers).copied() else { return };
        let kind = Kind::ALL[number as usize % 3];
        let consistency = match kind {
            Kind::Lookup => {
                let place = Point::new(bed.chance.bytes());
                return self.begin(bed, Some(kind), machine, place, Request::Lookup(place));
            }
            Kind::First => Consistency::First,
            Kind::Quorum => Consistency::Quorum,
        };
        let Some(key) = bed.chance.pick(&self.stored).copied() else { return };
        let (namespace, key) = (Namespace::default(), workload::name(key));
        let place = namespace.target(&key).point();
        let request = GetRequest { namespace, key, consistency, trace: false };
        self.begin(bed, Some(kind), machine, place, Request::Get(request));
    }

    fn begin(
        &mut self,
        bed: &mut Testbed,
        kind: Option<Kind>,
        machine: MachineId,
        place: Point,
        request: Request,
    ) {
        let Some(holder) = bed.nearest(machine, &place) else { return };
        let round_trip = bed.round_trip(machine, holder.machine);
        let nearest = holder.contact.id;
        let number = self.asked.len() as u32;
        let (begun, steps) = (bed.world.now(), Vec::new());
        self.asked.push(Asked { kind, machine, place, nearest, round_trip, begun, steps });
        bed.ask(number, machine, request);
    }

    fn done(&mut self, bed: &mut Testbed, number: u32, done: &Done) {
        let Some(asked) = self.asked.get_mut(number as usize) else { return };
        let Some(kind) = asked.kind else {
            if matches!(done, Done::Put(Ok(_))) {
                // The key's number is in its place: keys are put in their order.
                self.found.stored.0 += 1;
                let place = |key: &u32| Namespace::default().target(&workload::name(*key)).point();
                let key = (0..self.sizes.keys).find(|key| place(key) == asked.place);
                self.stored.extend(key);
            }
            return;
        };
        let took = bed.world.now().since(asked.begun);
        let timed = &mut self.found.timed[kind as usize];
        timed.ended += 1;
        let effort = match done {
            Done::Lookup(report) => {
                let missed = bed.missed(asked.machine, &asked.place, &report.closest, |_| true);
                timed.right += u32::from(missed.is_right());
                self.found.phases.take(asked, took);
                report.effort
            }
            Done::Got(Ok(report)) => {
                timed.right += 1;
                report.effort
            }
            _ => return,
        };
        timed.took.add(ms(took));
        timed.round_trip.add(ms(asked.round_trip));
        timed.ratio.add(ms(took) / ms(asked.round_trip));
        timed.hops.add(effort.hops.into());
        timed.queries.add(effort.asked as f64);
        timed.unanswered.add((effort.asked - effort.answered) as f64);
    }
}

impl Phases {
    fn take(&mut self, asked: &Asked, took: Duration) {
        let nearest = asked.steps.iter().find(|step| step.id == Some(asked.nearest));
        if let Some(step) = nearest
            && matches!(step.outcome, StepOutcome::Answered { .. })
        {
            self.found.add(ms(step.asked_after));
            self.answered.add(ms(step.took));
            self.converged.add(ms(took) - ms(step.asked_after + step.took));
        }
    }
}

fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
