//! How long lookups and gets take against the round trip to the nearest holder, and through how many
//! hops they go as a network grows.
//!
//! The nearest holder of a place is the live node whose id is closest to it by XOR, other than the
//! one that asks. The round trip to it is the mean of the two ways there and back.

use core::time::Duration;
use std::fmt;

use kv::{Change, Consistency, Done, Expected, GetRequest, Namespace, PutRequest, Request};
use node::{Instant, Step, StepOutcome};
use wire::{NodeId, Point};

use super::{Host, Occurrence, Samples, Setup, Testbed, Wishes};
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
}

impl Sizes {
    /// For a network of so many nodes, a tenth of contacts dead.
    pub fn of(nodes: u32) -> Self {
        Self { nodes, dead: 0.1, asked: 1000, keys: 200 }
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
    /// Queries that nobody had answered when the lookup ended.
    pub unanswered: Samples,
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
}

/// The experiment, over networks of growing sizes.
pub fn experiment(wishes: &Wishes, host: &mut dyn Host) -> Box<dyn fmt::Display> {
    let sizes: &[u32] =
        if wishes.quick { &[1_000, 10_000] } else { &[100, 1_000, 10_000, 100_000] };
    let one;
    let sizes = match wishes.nodes {
        Some(nodes) => {
            one = [nodes];
            &one
        }
        None => sizes,
    };
    let found = sizes.iter().map(|nodes| run(wishes.seed, Sizes::of(*nodes), host));
    Box::new(Growth(found.collect()))
}

/// What was measured in networks of growing sizes.
pub struct Growth(pub Vec<Lookups>);

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|lookups| lookups.fmt(f))
    }
}

/// Alarms are for one of these.
const WARM: u32 = 0;
const PUT: u32 = 1;
const ASK: u32 = 2;

/// Round trips that who asks has measured before, to random nodes.
const PINGS: u32 = 10;

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
    host.doing("filling tables");
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
        },
    };
    host.doing("putting and asking");
    course.plan(&mut bed);
    bed.live(PART * 2, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    course.found.dead_contacts = bed.dead_contacts(course.askers.iter().copied());
    bed.live(PART * 2, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    course.found
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
        let nearest = bed.living.closest(&place, 1, |other| other != machine);
        let Some((nearest, holder)) = nearest.first().copied() else { return };
        let round_trip = bed.round_trip(machine, holder);
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
                let right = bed.living.closest(&asked.place, 8, |other| other != asked.machine);
                let has = |id: &NodeId| report.closest.iter().any(|one| one.contact.id == *id);
                let held = right.iter().filter(|(id, _)| has(id)).count();
                timed.right += u32::from(has(&asked.nearest) && held + 1 >= right.len());
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
        let answered = |step: &&Step| matches!(step.outcome, StepOutcome::Answered { .. });
        self.unanswered.add(asked.steps.iter().filter(|step| !answered(step)).count() as f64);
    }
}

fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

impl fmt::Display for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sizes { nodes, .. } = self.sizes;
        writeln!(
            f,
            "{nodes} nodes, {:.1} % of contacts dead, {} of {} puts stored",
            100.0 * self.dead_contacts,
            self.stored.0,
            self.stored.1
        )?;
        writeln!(
            f,
            "{:18} {:>6} {:>6} | took ms p50 p90 p99 | RTT p50 p99 | ratio of medians, p99/p99, p99/p50 | each p50 p90 p99 | hops, queries",
            "", "n", "right"
        )?;
        for kind in Kind::ALL {
            let mut timed = self.timed[kind as usize].clone();
            let Timed { took, round_trip, ratio, hops, queries, right, ended } = &mut timed;
            writeln!(
                f,
                "{:18} {:>6} {:>5.2}% | {:.0} {:.0} {:.0} | {:.0} {:.0} | {:.2} {:.2} {:.2} | {:.2} {:.2} {:.2} | {:.2} {:.1}",
                kind.name(),
                ended,
                100.0 * f64::from(*right) / f64::from(*ended),
                took.median(),
                took.quantile(0.9),
                took.quantile(0.99),
                round_trip.median(),
                round_trip.quantile(0.99),
                took.median() / round_trip.median(),
                took.quantile(0.99) / round_trip.quantile(0.99),
                took.quantile(0.99) / round_trip.median(),
                ratio.median(),
                ratio.quantile(0.9),
                ratio.quantile(0.99),
                hops.mean(),
                queries.mean(),
            )?;
        }
        let Phases { mut found, mut answered, mut converged, unanswered } = self.phases.clone();
        writeln!(
            f,
            "of a lookup, ms p50 p99: until the nearest is asked {:.0} {:.0}, until it answered {:.0} {:.0}, until the end {:.0} {:.0}; unanswered {:.2}",
            found.median(),
            found.quantile(0.99),
            answered.median(),
            answered.quantile(0.99),
            converged.median(),
            converged.quantile(0.99),
            unanswered.mean(),
        )
    }
}
