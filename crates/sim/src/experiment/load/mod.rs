//! How evenly work falls on nodes: datagrams, bytes and items.

mod section;

use core::time::Duration;

use kv::{Change, Consistency, Done, Expected, GetRequest, Namespace, PutRequest, Request};
use node::Counters;
use rand_distr::Zipf;

use super::{Host, Occurrence, Samples, Setup, Testbed, Wishes};
use crate::report::Section;
use crate::workload;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// How many nodes.
    pub nodes: u32,
    /// Keys that are put, each once.
    pub keys: u32,
    /// Gets of these, some keys much more often than others (Zipf's law, exponent 1).
    pub gets: u32,
    /// How long gets go on.
    pub span: Duration,
}

/// What was measured, of each node.
#[derive(Clone, Debug)]
pub struct Load {
    /// What was asked for.
    pub sizes: Sizes,
    /// Puts that were acknowledged.
    pub stored: u32,
    /// Gets that ended, and those that gave the value.
    pub gets: (u32, u32),
    /// Items held.
    pub items: Samples,
    /// Datagrams sent in a second, while keys are read.
    pub sent: Samples,
    /// Datagrams received in a second.
    pub received: Samples,
    /// Bytes sent in a second, headers left out.
    pub sent_bytes: Samples,
    /// Bytes received in a second.
    pub received_bytes: Samples,
    /// Of keys from the one that is read most, the share of all gets.
    pub top_share: f64,
}

/// Alarms are for one of these.
const PUT: u32 = 0;
const GET: u32 = 1;

/// All join within this time, and all keys are put within it.
const PREPARING: Duration = Duration::from_secs(120);

struct Course {
    keys: Zipf<f64>,
    found: Load,
}

/// Measures it.
pub fn run(seed: u64, sizes: Sizes, host: &mut dyn Host) -> Load {
    let mut bed = Testbed::new(&Setup::heavy_tail(seed));
    bed.settle(sizes.nodes, 0.0, host);
    host.doing("joining");
    bed.join_all(PREPARING, host);
    let keys = Zipf::new(f64::from(sizes.keys), 1.0).expect("at least one key");
    let mut course = Course { keys, found: Load::none(sizes) };
    host.doing("putting");
    spread(&mut bed, PUT, sizes.keys, PREPARING);
    bed.live(PREPARING * 2, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    let before = counters(&bed);
    host.doing("getting");
    spread(&mut bed, GET, sizes.gets, sizes.span);
    bed.live(sizes.span, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    let after = counters(&bed);
    course.found.count(&before, &after);
    let machines = bed.machines().into_iter();
    let kvs = machines.filter_map(|machine| bed.world.machines[machine.index()].kv());
    course.found.items = kvs.map(|kv| kv.node().held_items().0 as f64).collect();
    course.found
}

fn spread(bed: &mut Testbed, whose: u32, count: u32, over: Duration) {
    for number in 0..count {
        bed.alarm_in(over.mul_f64(f64::from(number) / f64::from(count)), whose, number);
    }
}

/// Those of each node, in their order.
fn counters(bed: &Testbed) -> Vec<Counters> {
    let machines = bed.machines().into_iter();
    let kvs = machines.filter_map(|machine| bed.world.machines[machine.index()].kv());
    kvs.map(|kv| *kv.node().counters()).collect()
}

impl Load {
    fn none(sizes: Sizes) -> Self {
        let ranks = (1..=sizes.keys).map(|rank| 1.0 / f64::from(rank));
        Self {
            sizes,
            stored: 0,
            gets: (0, 0),
            items: Samples::default(),
            sent: Samples::default(),
            received: Samples::default(),
            sent_bytes: Samples::default(),
            received_bytes: Samples::default(),
            top_share: 1.0 / ranks.sum::<f64>(),
        }
    }

    fn count(&mut self, before: &[Counters], after: &[Counters]) {
        let span = self.sizes.span.as_secs_f64();
        let per_s = |of: fn(&Counters) -> u64| {
            let pairs = before.iter().zip(after);
            pairs.map(|(one, other)| (of(other) - of(one)) as f64 / span).collect()
        };
        self.sent = per_s(|counters| counters.sent);
        self.received = per_s(|counters| counters.received);
        self.sent_bytes = per_s(|counters| counters.sent_bytes);
        self.received_bytes = per_s(|counters| counters.received_bytes);
    }
}

impl Course {
    fn hear(&mut self, bed: &mut Testbed, occurrence: Occurrence) {
        match occurrence {
            Occurrence::Alarm(alarm) if alarm.whose == PUT => self.put(bed, alarm.number),
            Occurrence::Alarm(_) => self.get(bed),
            Occurrence::Done(_, Done::Put(outcome)) => {
                self.found.stored += u32::from(outcome.is_ok())
            }
            Occurrence::Done(_, Done::Got(outcome)) => {
                self.found.gets.0 += 1;
                self.found.gets.1 += u32::from(outcome.is_ok());
            }
            Occurrence::Done(..) | Occurrence::Step(..) => {}
        }
    }

    fn put(&self, bed: &mut Testbed, number: u32) {
        let Some(machine) = bed.somebody() else { return };
        let value = [0; 100].into();
        let ttl = Duration::from_secs(24 * 3600);
        let request = PutRequest {
            namespace: Namespace::default(),
            key: workload::name(number),
            change: Change::Put { value, content_type: None, ttl, plain: false },
            expected: Expected::Anything,
            trace: false,
        };
        bed.ask(0, machine, Request::Put(request));
    }

    fn get(&self, bed: &mut Testbed) {
        let Some(machine) = bed.somebody() else { return };
        let key = bed.chance.draw::<f64>(&self.keys) as u32 - 1;
        let (namespace, key) = (Namespace::default(), workload::name(key));
        let request = GetRequest { namespace, key, consistency: Consistency::Quorum, trace: false };
        bed.ask(0, machine, Request::Get(request));
    }
}

/// The experiment.
pub fn experiment(wishes: &Wishes, host: &mut dyn Host) -> Section {
    let nodes = wishes.nodes.unwrap_or(if wishes.quick { 1_000 } else { 10_000 });
    let minutes = if wishes.quick { 5 } else { 15 };
    let span = Duration::from_secs(60 * minutes);
    let sizes = Sizes { nodes, keys: 5 * nodes, gets: 10 * nodes, span };
    section::of(&mut run(wishes.seed, sizes, host))
}
