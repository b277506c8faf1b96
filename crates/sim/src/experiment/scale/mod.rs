//! How large and how busy a network one process can simulate.

mod section;

use core::time::Duration;

use kv::{Change, Done, Expected, Namespace, PutRequest, Request};
use wire::Point;

use super::{Host, Occurrence, Setup, Testbed, Wishes};
use crate::report::Section;
use crate::workload;
use crate::world::MachineId;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// How many nodes.
    pub nodes: u32,
    /// How long, in the world's time.
    pub span: Duration,
    /// Lookups in that time.
    pub lookups: u32,
    /// Puts in that time.
    pub puts: u32,
}

impl Sizes {
    /// Busy nodes: a lookup each ten seconds, so about three datagrams a second.
    pub fn busy(nodes: u32) -> Self {
        let span = Duration::from_secs(60);
        Self { nodes, span, lookups: 6 * nodes, puts: 0 }
    }

    /// A large network that mostly keeps itself up for half an hour.
    pub fn large(nodes: u32) -> Self {
        Self { nodes, span: Duration::from_secs(1800), lookups: 10_000, puts: 10_000 }
    }
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// What was asked for.
    pub sizes: Sizes,
    /// How long the process was on a processor to fill the tables and to let all join.
    pub prepared: Duration,
    /// How long it was for the rest.
    pub took: Duration,
    /// Datagrams that arrived in that.
    pub delivered: u64,
    /// Memory that the process has in use: before, with tables filled, and in the end.
    pub resident: [Option<u64>; 3],
    /// Lookups that ended, and of them those that were right.
    pub lookups: (u32, u32),
    /// Puts that ended, and of them those that were acknowledged.
    pub puts: (u32, u32),
    /// Contacts in a node's table, in the mean.
    pub contacts: f64,
}

impl Scale {
    /// Datagrams that arrive in a second on a processor.
    pub fn delivered_per_s(&self) -> f64 {
        self.delivered as f64 / self.took.as_secs_f64()
    }

    /// Datagrams that a node is sent in a second of the world's.
    pub fn per_node_and_s(&self) -> f64 {
        self.delivered as f64 / f64::from(self.sizes.nodes) / self.sizes.span.as_secs_f64()
    }

    /// Bytes of memory that a node takes in the end.
    pub fn bytes_per_node(&self) -> Option<f64> {
        let [before, _, after] = self.resident;
        Some((after?.checked_sub(before?)?) as f64 / f64::from(self.sizes.nodes))
    }
}

/// Alarms are for one of these.
const LOOKUP: u32 = 0;
const PUT: u32 = 1;

/// All join within this time.
const JOINING: Duration = Duration::from_secs(120);

struct Course {
    asked: Vec<(MachineId, Point)>,
    found: Scale,
}

/// Measures it.
pub fn run(seed: u64, sizes: Sizes, host: &mut dyn Host) -> Scale {
    let (started, before) = (host.worked(), host.resident_bytes());
    let mut bed = Testbed::new(&Setup::heavy_tail(seed));
    host.doing(&format!("{} nodes, filling tables", sizes.nodes));
    bed.settle(sizes.nodes, 0.0, host);
    let filled = host.resident_bytes();
    host.doing(&format!("{} nodes, joining", sizes.nodes));
    bed.join_all(JOINING, host);
    let mut course = Course { asked: Vec::new(), found: Scale::none(sizes) };
    bed.alarm_in(Duration::ZERO, LOOKUP, 0);
    bed.alarm_in(Duration::ZERO, PUT, 0);
    host.doing(&format!("{} nodes, living", sizes.nodes));
    let (prepared, arrived) = (host.worked(), bed.world.delivered());
    bed.live(sizes.span, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    let found = &mut course.found;
    found.prepared = prepared.saturating_sub(started);
    found.took = host.worked().saturating_sub(prepared);
    found.delivered = bed.world.delivered() - arrived;
    found.resident = [before, filled, host.resident_bytes()];
    found.contacts = bed.contacts(bed.machines().into_iter());
    // What is on its way comes to its end.
    bed.live(Duration::from_secs(30), host, &mut |bed, occurrence| course.hear(bed, occurrence));
    course.found
}

impl Scale {
    fn none(sizes: Sizes) -> Self {
        Self {
            sizes,
            prepared: Duration::ZERO,
            took: Duration::ZERO,
            delivered: 0,
            resident: [None; 3],
            lookups: (0, 0),
            puts: (0, 0),
            contacts: f64::NAN,
        }
    }
}

impl Course {
    fn hear(&mut self, bed: &mut Testbed, occurrence: Occurrence) {
        match occurrence {
            Occurrence::Alarm(alarm) => {
                let count = if alarm.whose == LOOKUP {
                    self.found.sizes.lookups
                } else {
                    self.found.sizes.puts
                };
                if alarm.number < count {
                    let gap = self.found.sizes.span / count;
                    bed.alarm_in(gap, alarm.whose, alarm.number + 1);
                    self.ask(bed, alarm.whose, alarm.number);
                }
            }
            Occurrence::Done(number, Done::Lookup(report)) => {
                let (machine, place) = self.asked[number as usize];
                let missed = bed.missed(machine, &place, &report.closest, |_| true);
                self.found.lookups.0 += 1;
                self.found.lookups.1 += u32::from(missed.is_right());
            }
            Occurrence::Done(_, Done::Put(outcome)) => {
                self.found.puts.0 += 1;
                self.found.puts.1 += u32::from(outcome.is_ok());
            }
            Occurrence::Done(..) | Occurrence::Step(..) => {}
        }
    }

    fn ask(&mut self, bed: &mut Testbed, whose: u32, number: u32) {
        let Some(machine) = bed.somebody() else { return };
        if whose == LOOKUP {
            let place = Point::new(bed.chance.bytes());
            self.asked.push((machine, place));
            return bed.ask(self.asked.len() as u32 - 1, machine, Request::Lookup(place));
        }
        let value = number.to_be_bytes().into();
        let ttl = Duration::from_secs(24 * 3600);
        let request = PutRequest {
            namespace: Namespace::default(),
            key: workload::name(number),
            change: Change::Put { value, content_type: None, ttl, plain: false },
            expected: Expected::Anything,
            trace: false,
        };
        bed.ask(u32::MAX, machine, Request::Put(request));
    }
}

/// The experiment: a busy network, and a large one.
pub fn experiment(wishes: &Wishes, host: &mut dyn Host) -> Section {
    let sizes = match (wishes.nodes, wishes.quick) {
        (Some(nodes), true) => vec![Sizes::busy(nodes)],
        (Some(nodes), false) => vec![Sizes::large(nodes)],
        (None, true) => vec![Sizes::busy(10_000)],
        (None, false) => vec![Sizes::busy(10_000), Sizes::large(100_000)],
    };
    let found: Vec<Scale> = sizes.into_iter().map(|sizes| run(wishes.seed, sizes, host)).collect();
    section::of(&found)
}
