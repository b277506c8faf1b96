//! What is told of churn.

use super::{Causes, Churn, GRACES, MARKED, Wrong};
use crate::experiment::HEADER_BYTES;
use crate::report::{Axis, Bound, Cell, Mark, Plot, Section, Table};

/// Per cent of lookups that must be right under the hardest churn.
const RIGHT: f64 = 99.9;

/// Bytes that a node may send in a second under it.
const BYTES_PER_S: f64 = 1_000.0;

/// The hardest churn that is asked for, in minutes.
const HARDEST: f64 = 1.4;

impl Churn {
    fn minutes(&self) -> f64 {
        self.sizes.median_session.as_secs_f64() / 60.0
    }

    fn share(&self, count: u32) -> f64 {
        100.0 * f64::from(count) / f64::from(self.ended)
    }
}

/// Of sessions from short to long.
pub fn of(mut all: Vec<Churn>) -> Section {
    let nodes = all.first().map_or(0, |churn| churn.sizes.nodes);
    let grace = GRACES[MARKED].as_secs();
    let mut section = Section::new(
        "churn",
        "Churn",
        "Do lookups stay right while nodes come and go, and what does that cost?",
    )
    .definition(
        "conditions",
        format!("{nodes} nodes at all times; Weibull sessions of shape 0.5; who ends does so without a word, and somebody new, with another id and address, joins at that moment through three who live; delays as for lookups, no loss"),
    )
    .definition(
        "right",
        "the lookup found the closest node that lived from its beginning to its end, and at least 7 of the 8 closest; who joined only so long before need not be found, and counts if it was; so does who answered and then ended",
    )
    .definition("told of", "by some of those found: one of the 8 closest contacts that it takes to be alive; it was not asked, or did not answer in time")
    .definition("held, not told of", "in tables of those found, behind 8 others that these take to be alive")
    .definition("cut", "the node that asked ended first; these are left out");
    for churn in all.iter().filter(|churn| churn.minutes() <= HARDEST) {
        section = section
            .mark(
                Mark::new(
                    format!("right lookups at a median of {} min", churn.minutes()),
                    Bound::AtLeast(RIGHT),
                    churn.share(churn.right[MARKED]),
                    "%",
                )
                .note(format!(
                    "of {} that ended; nodes that joined {grace} s before or earlier must be found",
                    churn.ended
                )),
            )
            .mark(
                Mark::new(
                    format!("sent by a node at a median of {} min", churn.minutes()),
                    Bound::AtMost(BYTES_PER_S),
                    churn.bytes_per_s(),
                    "B/s",
                )
                .note("all traffic, the lookups too, without IP and UDP headers"),
            );
    }
    let section = section
        .table(lookups(&mut all))
        .table(right(&all))
        .table(causes(&mut all))
        .table(traffic(&all))
        .table(kinds(&all));
    plots(section, &all)
}

fn lookups(all: &mut [Churn]) -> Table {
    let columns = [
        "median session min",
        "ended",
        "cut",
        "deaths",
        "dead contacts %",
        "of",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "round trips p50",
        "p99",
        "queries",
        "unanswered",
    ];
    all.iter_mut().fold(Table::new("Lookups", columns), |table, churn| {
        let numbers = [
            churn.minutes(),
            churn.ended.into(),
            churn.cut.into(),
            churn.deaths.into(),
            100.0 * churn.dead_contacts,
            churn.contacts,
            churn.took.median(),
            churn.took.quantile(0.9),
            churn.took.quantile(0.99),
            churn.ratio.median(),
            churn.ratio.quantile(0.99),
            churn.queries.mean(),
            churn.unanswered.mean(),
        ];
        table.row(numbers.map(Cell::from))
    })
}

fn right(all: &[Churn]) -> Table {
    let columns = [
        "median session min",
        "joined before s",
        "right %",
        "nearest unknown %",
        "nearest silent %",
        "nearest found, too few others %",
    ];
    let mut table = Table::new("Right lookups, and why others are not", columns);
    for churn in all {
        for (index, grace) in GRACES.iter().enumerate() {
            let Wrong { unknown, silent, few } = churn.wrong[index];
            let shares = [churn.right[index], unknown, silent, few].map(|count| churn.share(count));
            let place = [churn.minutes(), grace.as_secs_f64()];
            table = table.row(place.into_iter().chain(shares).map(Cell::from));
        }
    }
    table
}

fn causes(all: &mut [Churn]) -> Table {
    let columns = [
        "median session min",
        "not right",
        "stopped early",
        "answers too late",
        "newcomers unknown",
        "others told of",
        "others held, not told of",
        "others unknown",
        "of these asked by a newcomer",
        "round trip to late p50 ms",
        "p90",
    ];
    let title =
        "What led to lookups that are not right, of nodes that joined 5 s before or earlier";
    all.iter_mut().fold(Table::new(title, columns), |table, churn| {
        let minutes = churn.minutes();
        let wrong = churn.ended - churn.right[MARKED];
        let Causes { stopped, late, newcomers, told, untold, unknown, round_trips, young_asker } =
            &mut churn.causes;
        let counts = [wrong, *stopped, *late, *newcomers, *told, *untold, *unknown, *young_asker]
            .map(f64::from);
        let times = [round_trips.median(), round_trips.quantile(0.9)];
        let numbers = [minutes].into_iter().chain(counts).chain(times);
        table.row(numbers.map(Cell::from))
    })
}

fn traffic(all: &[Churn]) -> Table {
    let columns = ["median session min", "datagrams/s", "B/s", "B/s with IP and UDP headers"];
    all.iter().fold(Table::new("What a node sends", columns), |table, churn| {
        let (bytes, datagrams) = (churn.bytes_per_s(), churn.datagrams_per_s());
        let whole = bytes + datagrams * HEADER_BYTES as f64;
        table.row([churn.minutes(), datagrams, bytes, whole].map(Cell::from))
    })
}

fn kinds(all: &[Churn]) -> Table {
    let columns = ["what for", "median session min", "datagrams/s", "B/s"];
    let mut table = Table::new("What for", columns);
    for churn in all {
        for (kind, datagrams, bytes) in churn.sent.kinds() {
            let per = |count: u64| count as f64 / churn.node_seconds();
            let numbers = [churn.minutes(), per(datagrams), per(bytes)];
            table = table.row([Cell::from(kind)].into_iter().chain(numbers.map(Cell::from)));
        }
    }
    table
}

fn plots(section: Section, all: &[Churn]) -> Section {
    let sessions = || Axis::new("median session", "min").logarithmic();
    let took = all
        .iter()
        .map(|churn| (format!("{} min", churn.minutes()), churn.took.values().collect::<Vec<_>>()));
    let section = section.plot(
        Plot::cumulative(
            "churn-latency",
            "How long lookups take under churn",
            Axis::new("latency", "ms").logarithmic(),
            took,
        )
        .reading("The share that had ended after so long, for each median session."),
    );
    if all.len() < 2 {
        return section;
    }
    let right = GRACES.iter().enumerate().map(|(index, grace)| {
        let points = all.iter().map(|churn| (churn.minutes(), churn.share(churn.right[index])));
        (format!("joined {} s before", grace.as_secs()), points.collect::<Vec<_>>())
    });
    let bytes = all.iter().map(|churn| (churn.minutes(), churn.bytes_per_s()));
    section
        .plot(
            Plot::lines(
                "churn-right",
                "Right lookups under churn",
                (sessions(), Axis::new("right", "%").covering([100.0])),
                right,
            )
            .reference_y(RIGHT, "mark"),
        )
        .plot(
            Plot::lines(
                "churn-bytes",
                "What a node sends under churn",
                (sessions(), Axis::new("sent", "B/s").covering([0.0])),
                [("sent", bytes.collect::<Vec<_>>())],
            )
            .reference_y(BYTES_PER_S, "mark"),
        )
}
