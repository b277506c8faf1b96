//! What is told of lookups.

use super::{Kind, Lookups, Phases, Timed};
use crate::experiment::Samples;
use crate::report::{Axis, Bound, Cell, Mark, Plot, Section, Table};

/// How many times the round trip to the nearest holder half of all may take, and 99 of 100.
const MEDIAN: f64 = 2.0;
const P99: f64 = 6.0;

/// Bytes that a node may send for upkeep in a second.
const UPKEEP_BYTES_PER_S: f64 = 1_000.0;

/// Of networks of growing sizes.
pub fn of(mut all: Vec<Lookups>) -> Section {
    let mut section = Section::new(
        "lookups",
        "Lookups",
        "How long do lookups and gets take against the round trip to the nearest holder, and how does that grow with the network?",
    )
    .definition(
        "conditions",
        "one-way delays are log-normal, median 40 ms, 95th percentile 150 ms, each pair's own; 1 % of datagrams are lost; a tenth of the contacts in all tables, near ones and far ones alike, belong to nodes that have ended",
    )
    .definition(
        "nearest holder",
        "the live node whose id is closest to the target by XOR, other than the one that asks; the round trip is the mean of the two ways",
    )
    .definition(
        "right",
        "of a lookup: it found the nearest holder and at least 7 of the 8 closest live nodes; of a get: it gave a value; who holds the value itself answers a first get at once",
    );
    if let Some(largest) = all.last_mut() {
        section = marks(section, largest);
    }
    let section = all.iter_mut().fold(section, |section, one| section.table(times(one)));
    let section = section.table(ratios(&mut all)).table(phases(&mut all)).table(upkeep(&all));
    plots(section, &mut all)
}

fn marks(mut section: Section, found: &mut Lookups) -> Section {
    let nodes = found.sizes.nodes;
    let note = "against the median round trip to the nearest holder";
    for kind in Kind::ALL {
        let Timed { took, round_trip, .. } = &mut found.timed[kind as usize];
        let (unit, name) = (round_trip.median(), kind.name());
        let median = Mark::new(
            format!("{name}, median at {nodes} nodes"),
            Bound::AtMost(MEDIAN),
            took.median() / unit,
            "round trips",
        );
        let p99 = Mark::new(
            format!("{name}, 99th percentile at {nodes} nodes"),
            Bound::AtMost(P99),
            took.quantile(0.99) / unit,
            "round trips",
        );
        section = section.mark(median.note(note)).mark(p99.note(note));
    }
    match found.upkeep {
        Some((_, bytes)) => section.mark(Mark::new(
            format!("upkeep of a node at {nodes} nodes"),
            Bound::AtMost(UPKEEP_BYTES_PER_S),
            bytes,
            "B/s",
        )),
        None => section,
    }
}

fn times(found: &mut Lookups) -> Table {
    let (stored, keys) = found.stored;
    let title = format!(
        "{} nodes: {:.1} % of contacts dead when asked; {stored} of {keys} puts stored",
        found.sizes.nodes,
        100.0 * found.dead_contacts,
    );
    let columns = [
        "what",
        "ended",
        "right %",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "round trip p50 ms",
        "p99 ms",
        "hops",
        "queries",
        "unanswered",
    ];
    Kind::ALL.into_iter().fold(Table::new(title, columns), |table, kind| {
        let Timed { took, round_trip, hops, queries, unanswered, right, ended, .. } =
            &mut found.timed[kind as usize];
        let share = 100.0 * f64::from(*right) / f64::from(*ended);
        let numbers = [
            f64::from(*ended),
            share,
            took.median(),
            took.quantile(0.9),
            took.quantile(0.99),
            round_trip.median(),
            round_trip.quantile(0.99),
            hops.mean(),
            queries.mean(),
            unanswered.mean(),
        ];
        table.row([Cell::from(kind.name())].into_iter().chain(numbers.map(Cell::from)))
    })
}

fn ratios(all: &mut [Lookups]) -> Table {
    let columns = [
        "what",
        "nodes",
        "median / median",
        "p99 / median",
        "p99 / p99",
        "each p50",
        "each p90",
        "each p99",
    ];
    let mut table = Table::new("As a multiple of the round trip to the nearest holder", columns);
    for kind in Kind::ALL {
        for found in &mut *all {
            let Timed { took, round_trip, ratio, .. } = &mut found.timed[kind as usize];
            let numbers = [
                f64::from(found.sizes.nodes),
                took.median() / round_trip.median(),
                took.quantile(0.99) / round_trip.median(),
                took.quantile(0.99) / round_trip.quantile(0.99),
                ratio.median(),
                ratio.quantile(0.9),
                ratio.quantile(0.99),
            ];
            table = table.row([Cell::from(kind.name())].into_iter().chain(numbers.map(Cell::from)));
        }
    }
    table
}

fn phases(all: &mut [Lookups]) -> Table {
    let columns = [
        "nodes",
        "until the nearest is asked p50 ms",
        "p99 ms",
        "until it answers p50 ms",
        "p99 ms",
        "until the end p50 ms",
        "p99 ms",
    ];
    let table = Table::new("Where the time of a converged lookup goes", columns);
    all.iter_mut().fold(table, |table, found| {
        let Phases { found: asked, answered, converged } = &mut found.phases;
        let spans = [asked, answered, converged];
        let numbers = spans.into_iter().flat_map(|it| [it.median(), it.quantile(0.99)]);
        table.row([f64::from(found.sizes.nodes)].into_iter().chain(numbers).map(Cell::from))
    })
}

fn upkeep(all: &[Lookups]) -> Table {
    let table = Table::new("Upkeep", ["nodes", "datagrams/s a node", "B/s a node"]);
    all.iter().fold(table, |table, found| {
        let (datagrams, bytes) = found.upkeep.unwrap_or((f64::NAN, f64::NAN));
        table.row([f64::from(found.sizes.nodes), datagrams, bytes].map(Cell::from))
    })
}

fn plots(mut section: Section, all: &mut [Lookups]) -> Section {
    if let Some(largest) = all.last() {
        let nodes = largest.sizes.nodes;
        let values = |samples: &Samples| samples.values().collect::<Vec<f64>>();
        let timed = Kind::ALL.map(|kind| (kind.name(), &largest.timed[kind as usize]));
        let trips = [("round trip to the nearest", values(&timed[0].1.round_trip))];
        let took = timed.map(|(name, timed)| (name, values(&timed.took)));
        let ratio = timed.map(|(name, timed)| (name, values(&timed.ratio)));
        section = section
            .plot(
                Plot::cumulative(
                    "lookup-latency",
                    &format!("How long lookups and gets take, {nodes} nodes"),
                    Axis::new("latency", "ms").logarithmic(),
                    trips.into_iter().chain(took),
                )
                .reading("The share that had ended after so long."),
            )
            .plot(
                Plot::cumulative(
                    "lookup-ratio",
                    &format!("Against the round trip to the nearest holder, {nodes} nodes"),
                    Axis::new("round trips", "").logarithmic(),
                    ratio,
                )
                .reference_x(MEDIAN, "median")
                .reference_x(P99, "p99")
                .reading("Each by the round trip to its own nearest holder, which differ widely."),
            );
    }
    if all.len() < 2 {
        return section;
    }
    let sizes = || Axis::new("nodes", "").logarithmic();
    let hops = Kind::ALL.map(|kind| {
        let point = |found: &Lookups| {
            (f64::from(found.sizes.nodes), found.timed[kind as usize].hops.mean())
        };
        (kind.name(), all.iter().map(point).collect::<Vec<_>>())
    });
    let axes = (sizes(), Axis::new("hops", "").covering([0.0]));
    section =
        section.plot(Plot::lines("lookup-hops", "Hops as a network grows", axes, hops).reading(
            "Through how many nodes the closest one was found, itself included, in the mean.",
        ));
    let took = Kind::ALL.map(|kind| {
        let points = all
            .iter_mut()
            .map(|found| (f64::from(found.sizes.nodes), found.timed[kind as usize].took.median()));
        (kind.name(), points.collect::<Vec<_>>())
    });
    let axes = (sizes(), Axis::new("median latency", "ms").covering([0.0]));
    section.plot(Plot::lines("lookup-growth", "Latency as a network grows", axes, took))
}
