//! Whether values survive while nodes come and go for days, and what keeping them costs.
//!
//! Records are put into a network at rest, then nodes end without a word, some for good and some until they
//! come back with what their disks kept. Nothing is put any more: whatever keeps a record alive is upkeep.
//! At each end of a node it is seen who else holds what it held; a record that nobody held for
//! some time could not have been kept by anybody. In the end the network comes to rest, and each record
//! must be held by somebody, and be found.

mod section;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use kv::{Change, Consistency, Done, Expected, GetRequest, Namespace, PutRequest, Request};
use node::Method;
use wire::Target;

use super::sessions::Sessions;
use super::{Host, Occurrence, Samples, Setup, Testbed, Traffic, Wishes};
use crate::oracle::Reachable;
use crate::report::Section;
use crate::workload;
use crate::world::MachineId;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// How many nodes live, but for those that are away.
    pub nodes: u32,
    /// Half of all sessions are shorter.
    pub median_session: Duration,
    /// The share of those who end that come back, with their disks.
    pub returning: f64,
    /// Half of those are away for less than this.
    pub median_absence: Duration,
    /// How many records are put.
    pub records: u32,
    /// How long nodes come and go.
    pub span: Duration,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Values {
    /// What was asked for.
    pub sizes: Sizes,
    /// Records whose put was acknowledged.
    pub stored: u32,
    /// Records that no living node held at some time.
    pub unheld: u32,
    /// Records that somebody always held, and nobody holds in the end.
    pub lost: u32,
    /// Records that somebody always held, and that a get does not find in the end.
    pub unfound: u32,
    /// Nodes that ended for good, and those that came back.
    pub ends: (u32, u32),
    /// Copies of records on nodes that ended for good.
    pub copies_gone: u32,
    /// Copies of records on nodes that ended and came back.
    pub copies_away: u32,
    /// Puts after the first ones, and their bytes.
    pub repairs: (u64, u64),
    /// Offers, and their bytes, and those of the answers left out.
    pub offers: (u64, u64),
    /// All bytes that were sent meanwhile.
    pub bytes: u64,
    /// What an item takes on a shelf, in bytes, in the mean.
    pub item_bytes: f64,
    /// Living holders of each record at each look.
    pub holders: Samples,
    /// What was seen at each look.
    pub course: Vec<Look>,
}

/// What is seen at one look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Since the beginning.
    pub hours: f64,
    /// Living holders of a record, in the mean.
    pub mean: f64,
    /// Living holders of the record that has the fewest.
    pub fewest: f64,
    /// Per cent of records that somebody living holds.
    pub held: f64,
    /// Per cent of records that nobody could have lost: somebody living has always held them.
    pub always_held: f64,
}

/// Alarms are for one of these; what is asked has a number from [`GETS`] on if it is a get.
const PUT: u32 = 0;
const ENDS: u32 = 1;
const BACK: u32 = 2;
const LOOK: u32 = 3;
const GET: u32 = 4;
const GETS: u32 = 1 << 31;

/// How long puts, gets and joins take together, and how long nothing happens before and after.
const PUTTING: Duration = Duration::from_secs(60);
const REST: Duration = Duration::from_secs(15 * 60);

/// How often all records are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Holders are looked for among so many of the closest nodes first.
const NEAR: usize = 32;

struct Record {
    number: u32,
    stored: bool,
    always_held: bool,
    found: bool,
}

struct Course {
    sessions: Sessions,
    absences: Sessions,
    records: BTreeMap<Target, Record>,
    /// Targets by the records' numbers.
    targets: Vec<Target>,
    resting: bool,
    /// Machines that are away and will come back.
    away: BTreeSet<MachineId>,
    found: Values,
}

/// Measures it.
pub fn run(seed: u64, sizes: Sizes, host: &mut dyn Host) -> Values {
    let mut bed = Testbed::new(&Setup::heavy_tail(seed));
    bed.disks = sizes.returning > 0.0;
    bed.settle(sizes.nodes, 0.0, host);
    bed.join_all(PUTTING, host);
    let mut course = Course::new(sizes);
    host.doing("putting");
    (0..sizes.records).for_each(|number| {
        bed.alarm_in(PUTTING.mul_f64(f64::from(number) / f64::from(sizes.records)), PUT, number);
    });
    bed.live(PUTTING * 3, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    let traffic = Traffic::default();
    bed.world.observers.push(Box::new(traffic.clone()));
    for machine in bed.machines() {
        let rest = course.sessions.rest(&mut bed.chance);
        bed.alarm_in(rest, ENDS, machine.0);
    }
    bed.alarm_in(LOOK_EVERY, LOOK, 1);
    host.doing(&format!(
        "{} hours, {:.0} % come back",
        sizes.span.as_secs() / 3600,
        100.0 * sizes.returning
    ));
    bed.live(sizes.span, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    course.count(&traffic);
    course.resting = true;
    host.doing("coming to rest");
    course.come_back(&mut bed);
    bed.live(REST, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    (0..sizes.records).for_each(|number| {
        bed.alarm_in(PUTTING.mul_f64(f64::from(number) / f64::from(sizes.records)), GET, number);
    });
    bed.live(PUTTING * 2, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    course.end(&bed)
}

impl Course {
    fn new(sizes: Sizes) -> Self {
        let targets =
            (0..sizes.records).map(|number| Namespace::default().target(&workload::name(number)));
        let targets: Vec<Target> = targets.collect();
        let record = |number| Record { number, stored: false, always_held: true, found: false };
        let records = targets.iter().enumerate();
        Self {
            sessions: Sessions::with_median(sizes.median_session),
            absences: Sessions::with_median(sizes.median_absence),
            records: records.map(|(number, target)| (*target, record(number as u32))).collect(),
            targets,
            resting: false,
            away: BTreeSet::new(),
            found: Values {
                sizes,
                stored: 0,
                unheld: 0,
                lost: 0,
                unfound: 0,
                ends: (0, 0),
                copies_gone: 0,
                copies_away: 0,
                repairs: (0, 0),
                offers: (0, 0),
                bytes: 0,
                item_bytes: f64::NAN,
                holders: Samples::default(),
                course: Vec::new(),
            },
        }
    }

    fn hear(&mut self, bed: &mut Testbed, occurrence: Occurrence) {
        match occurrence {
            Occurrence::Alarm(alarm) => match alarm.whose {
                PUT => self.put(bed, alarm.number),
                GET => self.get(bed, alarm.number),
                ENDS if !self.resting => self.ends(bed, MachineId(alarm.number)),
                BACK if !self.resting => self.comes_back(bed, MachineId(alarm.number)),
                LOOK if !self.resting => {
                    self.look(bed, alarm.number);
                    bed.alarm_in(LOOK_EVERY, LOOK, alarm.number + 1);
                }
                _ => {}
            },
            Occurrence::Done(number, Done::Put(outcome)) => {
                let target = self.targets.get(number as usize);
                let record = target.and_then(|target| self.records.get_mut(target));
                if let (Some(record), Ok(_)) = (record, outcome) {
                    record.stored = true;
                    self.found.stored += 1;
                }
            }
            Occurrence::Done(number, Done::Got(outcome)) => {
                let target = self.targets.get((number - GETS) as usize);
                let record = target.and_then(|target| self.records.get_mut(target));
                if let (Some(record), Ok(report)) = (record, outcome) {
                    record.found = *report.value == value(record.number);
                }
            }
            Occurrence::Done(..) | Occurrence::Step(..) => {}
        }
    }

    fn put(&self, bed: &mut Testbed, number: u32) {
        let Some(machine) = bed.somebody() else { return };
        let ttl = self.found.sizes.span * 2 + REST * 4;
        let value = value(number).into();
        let change = Change::Put { value, content_type: None, ttl, plain: false };
        let request = PutRequest {
            namespace: Namespace::default(),
            key: workload::name(number),
            change,
            expected: Expected::Anything,
            trace: false,
        };
        bed.ask(number, machine, Request::Put(request));
    }

    fn get(&self, bed: &mut Testbed, number: u32) {
        let Some(machine) = bed.somebody_who_joined() else { return };
        let request = GetRequest {
            namespace: Namespace::default(),
            key: workload::name(number),
            consistency: Consistency::Quorum,
            trace: false,
        };
        bed.ask(GETS + number, machine, Request::Get(request));
    }

    /// A node ends, for good or for a while.
    fn ends(&mut self, bed: &mut Testbed, machine: MachineId) {
        let held = self.held(bed, machine);
        bed.end(machine);
        for target in &held {
            let near = bed.living.closest(&target.point(), NEAR);
            let holds = |node: &Reachable| bed.holds(node.machine, target);
            let is_held = near.iter().any(holds) || bed.living.iter().any(holds);
            if let Some(record) = self.records.get_mut(target) {
                record.always_held &= is_held;
            }
        }
        if bed.chance.happens(self.found.sizes.returning) {
            self.found.ends.1 += 1;
            self.found.copies_away += held.len() as u32;
            let away = self.absences.whole(&mut bed.chance);
            bed.alarm_in(away, BACK, machine.0);
            self.away.insert(machine);
        } else {
            self.found.ends.0 += 1;
            self.found.copies_gone += held.len() as u32;
            let newcomer = bed.newcomer();
            let stays = self.sessions.whole(&mut bed.chance);
            bed.alarm_in(stays, ENDS, newcomer.0);
        }
    }

    fn comes_back(&mut self, bed: &mut Testbed, machine: MachineId) {
        self.away.remove(&machine);
        bed.start_again(machine);
        let stays = self.sessions.whole(&mut bed.chance);
        bed.alarm_in(stays, ENDS, machine.0);
    }

    /// All who are away come back.
    fn come_back(&mut self, bed: &mut Testbed) {
        for machine in core::mem::take(&mut self.away) {
            bed.start_again(machine);
        }
    }

    /// The records that a machine's node holds.
    fn held(&self, bed: &Testbed, machine: MachineId) -> Vec<Target> {
        let Some(kv) = bed.world.machines[machine.index()].kv() else { return Vec::new() };
        let tracked =
            |target: &Target| self.records.get(target).is_some_and(|record| record.stored);
        kv.node().kept_targets().into_iter().filter(tracked).collect()
    }

    /// Living holders of each record, by its number.
    fn holders(&self, bed: &Testbed) -> Vec<u32> {
        let mut holders = vec![0; self.targets.len()];
        for machine in bed.machines() {
            for target in self.held(bed, machine) {
                if let Some(record) = self.records.get(&target) {
                    holders[record.number as usize] += 1;
                }
            }
        }
        holders
    }

    fn stored(&self) -> impl Iterator<Item = &Record> {
        self.records.values().filter(|record| record.stored)
    }

    fn look(&mut self, bed: &Testbed, number: u32) {
        let holders = self.holders(bed);
        let counts = self.stored().map(|record| f64::from(holders[record.number as usize]));
        let mut counts: Samples = counts.collect();
        let hours = (LOOK_EVERY * number).as_secs_f64() / 3600.0;
        counts.values().for_each(|count| self.found.holders.add(count));
        let (mean, fewest) = (counts.mean(), counts.quantile(0.0));
        let of_all = |count: usize| 100.0 * count as f64 / f64::from(self.found.stored.max(1));
        let held = of_all(counts.values().filter(|count| *count > 0.0).count());
        let always_held = of_all(self.stored().filter(|record| record.always_held).count());
        self.found.course.push(Look { hours, mean, fewest, held, always_held });
    }

    fn count(&mut self, traffic: &Traffic) {
        let sent = traffic.sent();
        self.found.repairs = sent.asking(Method::Put);
        self.found.offers = sent.asking(Method::Offer);
        self.found.bytes = sent.total().1;
    }

    fn end(mut self, bed: &Testbed) -> Values {
        let holders = self.holders(bed);
        let is_lost = |record: &&Record| record.always_held && holders[record.number as usize] == 0;
        let is_unfound = |record: &&Record| record.always_held && !record.found;
        let count = |is: &dyn Fn(&&Record) -> bool| self.stored().filter(is).count() as u32;
        let unheld = count(&|record| !record.always_held);
        let (lost, unfound) = (count(&is_lost), count(&is_unfound));
        let (mut items, mut bytes) = (0, 0);
        for machine in bed.machines() {
            let held = bed.world.machines[machine.index()].kv().map(|kv| kv.node().held_items());
            let (count, sum) = held.unwrap_or_default();
            (items, bytes) = (items + count, bytes + sum);
        }
        self.found.item_bytes = bytes as f64 / items as f64;
        (self.found.unheld, self.found.lost, self.found.unfound) = (unheld, lost, unfound);
        self.found
    }
}

impl Values {
    /// Bytes of puts for repair, by those of somebody who knows which copies are gone for good and puts
    /// each of them once more.
    pub fn cost(&self) -> f64 {
        self.repairs.1 as f64 / (self.item_bytes * f64::from(self.copies_gone))
    }
}

/// The value of the record of this number: 200 bytes.
fn value(number: u32) -> [u8; 200] {
    core::array::from_fn(|index| number.to_be_bytes()[index % 4])
}

/// The experiment: everybody ends for good, and half come back.
pub fn experiment(wishes: &Wishes, host: &mut dyn Host) -> Section {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let (nodes, records, hours) = if wishes.quick { (200, 100, 6) } else { (1000, 500, 48) };
    let found = [0.0, 0.5].map(|returning| {
        let sizes = Sizes {
            nodes: wishes.nodes.unwrap_or(nodes),
            median_session: minutes(60),
            returning,
            median_absence: minutes(10),
            records,
            span: minutes(60 * hours),
        };
        run(wishes.seed, sizes, host)
    });
    section::of(&found)
}
