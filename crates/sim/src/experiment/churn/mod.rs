//! Whether lookups stay right while nodes come and go, and what that costs.
//!
//! As many nodes live at all times: whoever ends does so without a word, and somebody new, with another
//! id and address, joins at the same moment through three who live. The network begins as one that has
//! long been so: with full tables, and with what is left of sessions rather than whole ones.
//!
//! A lookup is right if it found the closest node that lived from its beginning to its end, and at least
//! 7 of the 8 closest. Whoever joined only just before need not be found, and whoever answered and
//! then ended need not be missed: a newcomer, or who ended meanwhile, counts if it was found.

mod section;

use core::time::Duration;

use kv::{Done, LookupReport, Request};
use node::limits::K;
use node::{Ended, Instant, Responder};
use wire::{Family, Point};

use super::sessions::Sessions;
use super::{Host, Occurrence, Samples, Sent, Setup, Testbed, Traffic, Wishes};
use crate::oracle::{Missed, Reachable};
use crate::report::Section;
use crate::world::MachineId;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// How many nodes live.
    pub nodes: u32,
    /// Half of all sessions are shorter.
    pub median_session: Duration,
    /// The share of datagrams that are lost.
    pub loss: f64,
    /// How long it goes on before anything is measured.
    pub before: Duration,
    /// How long it is measured.
    pub measured: Duration,
    /// Lookups of all nodes together in that time.
    pub lookups: u32,
}

/// How long ago a node must have joined so that lookups must find it. The mark is the second.
pub const GRACES: [Duration; 4] =
    [Duration::ZERO, Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(60)];

/// Why a lookup was not right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// It did not come to know of the closest node.
    pub unknown: u32,
    /// It knew of the closest node, and ended without its answer.
    pub silent: u32,
    /// It found the closest node, and fewer than 7 of the 8 closest.
    pub few: u32,
}

/// Why lookups were not right that had all time to be: after [`MARKED`]. Each counts once.
#[derive(Clone, Debug, Default)]
pub struct Causes {
    /// It ended before it had converged: out of messages, out of time, or nobody answered.
    pub stopped: u32,
    /// All that it missed it knew of, and did not wait long enough for their answers.
    pub late: u32,
    /// Of those that it missed and did not know of all had joined within the last minute.
    pub newcomers: u32,
    /// It missed one who had joined longer ago, whom some of those found told of, or would: one of the
    /// closest in their tables.
    pub told: u32,
    /// It missed one who had joined longer ago, whom some of those found had in their tables behind others
    /// that they took to be alive.
    pub untold: u32,
    /// It missed one who had joined longer ago, whom none of those found had in its table.
    pub unknown: u32,
    /// Round trips to those that it knew of and missed, in milliseconds.
    pub round_trips: Samples,
    /// Not right, and its own node had joined within the last minute.
    pub young_asker: u32,
}

/// Which of [`GRACES`] the mark is about.
pub const MARKED: usize = 1;

/// So long after it joined a node is a newcomer.
const NEWCOMER: Duration = GRACES[3];

/// What was measured.
#[derive(Clone, Debug)]
pub struct Churn {
    /// What was asked for.
    pub sizes: Sizes,
    /// Lookups that ended.
    pub ended: u32,
    /// Lookups whose own node ended first.
    pub cut: u32,
    /// Right ones, for each of [`GRACES`].
    pub right: [u32; 4],
    /// Why those that were not right were not, for each of [`GRACES`].
    pub wrong: [Wrong; 4],
    /// The same by what led to it.
    pub causes: Causes,
    /// How long they took, in milliseconds.
    pub took: Samples,
    /// The one by the round trip to the closest, of each.
    pub ratio: Samples,
    /// Queries that each sent, and of them those that were not answered by its end.
    pub queries: Samples,
    /// See above.
    pub unanswered: Samples,
    /// What nodes sent.
    pub sent: Sent,
    /// Nodes that ended while it was measured.
    pub deaths: u32,
    /// The share of contacts in all tables that did not live, at the end.
    pub dead_contacts: f64,
    /// Contacts in a node's table, in the mean, at the end.
    pub contacts: f64,
}

impl Churn {
    /// Bytes that a node sends in a second, headers left out.
    pub fn bytes_per_s(&self) -> f64 {
        self.sent.total().1 as f64 / self.node_seconds()
    }

    /// Datagrams that a node sends in a second.
    pub fn datagrams_per_s(&self) -> f64 {
        self.sent.total().0 as f64 / self.node_seconds()
    }

    fn node_seconds(&self) -> f64 {
        f64::from(self.sizes.nodes) * self.sizes.measured.as_secs_f64()
    }
}

/// Alarms are for one of these; what is asked has a number from there on.
const ENDS: u32 = 0;
const ASK: u32 = 1;
const JOIN: u32 = 2;

struct Asked {
    machine: MachineId,
    place: Point,
    begun: Instant,
    round_trip: Option<Duration>,
}

struct Course {
    sessions: Sessions,
    asked: Vec<Asked>,
    found: Churn,
}

/// Measures it.
pub fn run(seed: u64, sizes: Sizes, host: &mut dyn Host) -> Churn {
    let mut bed = Testbed::new(&Setup { loss: sizes.loss, ..Setup::heavy_tail(seed) });
    let traffic = Traffic::default();
    bed.settle(sizes.nodes, 0.0, host);
    let sessions = Sessions::with_median(sizes.median_session);
    let mut course = Course { sessions, asked: Vec::new(), found: Churn::none(sizes) };
    for machine in bed.machines() {
        let rest = course.sessions.rest(&mut bed.chance);
        bed.alarm_in(rest, ENDS, machine.0);
        let joins = Duration::from_secs(60).mul_f64(bed.chance.share());
        bed.alarm_in(joins, JOIN, machine.0);
    }
    let minutes = sizes.median_session.as_secs_f64() / 60.0;
    host.doing(&format!("sessions of {minutes} min, settling"));
    bed.live(sizes.before, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    course.found = Churn::none(sizes);
    bed.world.observers.push(Box::new(traffic.clone()));
    let gap = sizes.measured.div_f64(f64::from(sizes.lookups.max(1)));
    (0..sizes.lookups).for_each(|number| bed.alarm_in(gap * number, ASK, number));
    host.doing(&format!("sessions of {minutes} min"));
    bed.live(sizes.measured, host, &mut |bed, occurrence| course.hear(bed, occurrence));
    course.found.sent = traffic.sent().clone();
    course.found.dead_contacts = bed.dead_contacts(bed.machines().into_iter());
    course.found.contacts = bed.contacts(bed.machines().into_iter());
    course.found
}

impl Churn {
    fn none(sizes: Sizes) -> Self {
        Self {
            sizes,
            ended: 0,
            cut: 0,
            right: [0; 4],
            wrong: [Wrong::default(); 4],
            causes: Causes::default(),
            took: Samples::default(),
            ratio: Samples::default(),
            queries: Samples::default(),
            unanswered: Samples::default(),
            sent: Sent::default(),
            deaths: 0,
            dead_contacts: f64::NAN,
            contacts: f64::NAN,
        }
    }
}

impl Course {
    fn hear(&mut self, bed: &mut Testbed, occurrence: Occurrence) {
        match occurrence {
            Occurrence::Alarm(alarm) => match alarm.whose {
                ENDS => self.replace(bed, MachineId(alarm.number)),
                JOIN => bed.join(MachineId(alarm.number)),
                _ => self.ask(bed),
            },
            Occurrence::Done(number, Done::Lookup(report)) => self.done(bed, number, &report),
            Occurrence::Done(..) | Occurrence::Step(..) => {}
        }
    }

    fn replace(&mut self, bed: &mut Testbed, machine: MachineId) {
        self.found.deaths += 1;
        self.found.cut += bed.end(machine) as u32;
        let newcomer = bed.newcomer();
        let stays = self.sessions.whole(&mut bed.chance);
        bed.alarm_in(stays, ENDS, newcomer.0);
    }

    fn ask(&mut self, bed: &mut Testbed) {
        let Some(machine) = bed.somebody_who_joined() else { return };
        let place = Point::new(bed.chance.bytes());
        let nearest = bed.nearest(machine, &place);
        let round_trip = nearest.map(|nearest| bed.round_trip(machine, nearest.machine));
        let number = self.asked.len() as u32;
        self.asked.push(Asked { machine, place, begun: bed.world.now(), round_trip });
        bed.ask(number, machine, Request::Lookup(place));
    }

    fn done(&mut self, bed: &Testbed, number: u32, report: &LookupReport) {
        let asked = &self.asked[number as usize];
        let found = &mut self.found;
        found.ended += 1;
        let took = bed.world.now().since(asked.begun);
        found.took.add(took.as_secs_f64() * 1e3);
        if let Some(round_trip) = asked.round_trip {
            found.ratio.add(took.as_secs_f64() / round_trip.as_secs_f64());
        }
        found.queries.add(report.effort.asked as f64);
        found.unanswered.add((report.effort.asked - report.effort.answered) as f64);
        for (index, grace) in GRACES.into_iter().enumerate() {
            let joined =
                |machine| bed.joined.get(&machine).is_some_and(|at| *at + grace <= asked.begun);
            let missed = bed.missed(asked.machine, &asked.place, &report.closest, joined);
            let wrong = &mut found.wrong[index];
            let first = missed.nodes.first().map(|node| node.contact.id);
            if !missed.is_right() && index == MARKED {
                found.causes.add(bed, asked, report, &missed);
            }
            if missed.is_right() {
                found.right[index] += 1;
            } else if !missed.closest {
                wrong.few += 1;
            } else if report.silent.iter().any(|contact| Some(contact.id) == first) {
                wrong.silent += 1;
            } else {
                wrong.unknown += 1;
            }
        }
    }
}

impl Causes {
    fn add(&mut self, bed: &Testbed, asked: &Asked, report: &LookupReport, missed: &Missed) {
        let joined = |machine| bed.joined.get(&machine);
        let is_new = |machine| joined(machine).is_none_or(|at| *at + NEWCOMER > asked.begun);
        let knew = |node: &&Reachable| report.silent.iter().any(|it| it.id == node.contact.id);
        let (late, unknown): (Vec<&Reachable>, Vec<&Reachable>) =
            missed.nodes.iter().partition(knew);
        for node in &late {
            let round_trip = bed.round_trip(asked.machine, node.machine);
            self.round_trips.add(round_trip.as_secs_f64() * 1e3);
        }
        self.young_asker += u32::from(is_new(asked.machine));
        if report.ended != Ended::Converged {
            self.stopped += 1;
        } else if unknown.is_empty() {
            self.late += 1;
        } else if unknown.iter().all(|node| is_new(node.machine)) {
            self.newcomers += 1;
        } else {
            let old = unknown.iter().filter(|node| !is_new(node.machine));
            match old.map(|node| standing(bed, report, &asked.place, node)).max() {
                Some(Standing::Told) | None => self.told += 1,
                Some(Standing::Held) => self.untold += 1,
                Some(Standing::Unknown) => self.unknown += 1,
            }
        }
    }
}

/// How a node stands with those that a lookup found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// Somebody tells of it.
    Told,
    /// Somebody has it in its table, and tells of others.
    Held,
    /// Nobody has it.
    Unknown,
}

/// How a node stands with those that a lookup for a place found.
fn standing(bed: &Testbed, report: &LookupReport, place: &Point, node: &Reachable) -> Standing {
    let of_one = |responder: &Responder| {
        let (machine, _) = bed.world.at(&responder.contact.endpoint)?;
        let kv = bed.world.machines[machine.index()].kv()?;
        let table = kv.node().table(Family::V4);
        let told = table.closest::<K>(place);
        let tells = told.iter().any(|entry| entry.id == node.contact.id);
        let holds = table.get(&node.contact.id).is_some();
        match (tells, holds) {
            (true, _) => Some(Standing::Told),
            (false, true) => Some(Standing::Held),
            (false, false) => None,
        }
    };
    report.closest.iter().filter_map(of_one).min().unwrap_or(Standing::Unknown)
}

/// The experiment, for sessions from short to long.
pub fn experiment(wishes: &Wishes, host: &mut dyn Host) -> Section {
    let medians: &[f64] =
        if wishes.quick { &[1.4, 10.0] } else { &[1.4, 3.0, 10.0, 30.0, 60.0, 180.0] };
    let minutes = |minutes: f64| Duration::from_secs_f64(60.0 * minutes);
    let found = medians.iter().map(|median| {
        let sizes = Sizes {
            nodes: wishes.nodes.unwrap_or(1000),
            median_session: minutes(*median),
            loss: 0.0,
            before: minutes(if wishes.quick { 20.0 } else { 60.0 }),
            measured: minutes(if wishes.quick { 10.0 } else { 60.0 }),
            lookups: if wishes.quick { 5_000 } else { 30_000 },
        };
        run(wishes.seed, sizes, host)
    });
    section::of(found.collect())
}
