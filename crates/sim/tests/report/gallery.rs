//! A report with a plot of each kind. Its numbers are made up: nothing here was measured.

use sim::chance::Chance;
use sim::report::{Axis, Bound, Mark, Plot, Point, Report, Section, Table};

pub fn report() -> Report {
    Report::new("A gallery of plots, with made-up numbers")
        .fact("seed", 7)
        .fact("build", "0.1.0, optimised")
        .fact("machine", "2 cores, 24 GiB")
        .fact("command", "xorbit sim report --seed 7")
        .section(latency())
        .section(hops())
        .section(churn())
        .section(traffic())
        .section(survival())
        .section(hostile())
        .section(load())
}

/// About a bell around 0.
fn bell(chance: &mut Chance) -> f64 {
    (0..6).map(|_| chance.share()).sum::<f64>() - 3.0
}

fn latency() -> Section {
    let mut chance = Chance::of(7, "latency");
    let mut samples = |median: f64, spread: f64| -> Vec<f64> {
        (0..5_000).map(|_| median * (spread * bell(&mut chance)).exp()).collect()
    };
    let series = [
        ("round trip to the nearest holder", samples(38.0, 0.7)),
        ("lookup, 100 nodes", samples(52.0, 0.8)),
        ("lookup, 10,000 nodes", samples(71.0, 0.9)),
    ];
    let plot = Plot::cumulative(
        "lookup-latency",
        "Latency of a lookup",
        Axis::new("latency", "ms").logarithmic(),
        series,
    )
    .reading("The further left, the faster: half of all lookups end where a curve crosses 50 %.")
    .reference_x(250.0, "asked: p99 ≤ 250 ms");
    Section::new("latency", "Lookup latency", "How long does a lookup take, beside the round trip to the nearest holder?")
        .command("xorbit sim run latency --nodes 10000 --seed 7")
        .definition("latency", "from the call to the first verified value, in virtual time")
        .definition("nearest holder", "the holder of the value with the shortest round trip to the reader; nobody could answer earlier")
        .mark(Mark::new("median lookup over the median round trip, 10,000 nodes", Bound::AtMost(1.6), 1.42, "×"))
        .mark(Mark::new("p99 of lookups, 10,000 nodes", Bound::AtMost(250.0), 263.2, "ms").note("Lookups that meet two silent nodes in a row wait for both."))
        .plot(plot)
}

fn hops() -> Section {
    let sizes = [16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0_f64];
    let line = |factor: f64| {
        sizes.map(|nodes| {
            let hops = factor * nodes.log2() / 3.0 + 0.4;
            Point::new(nodes, hops).between(hops * 0.7, hops * 1.4)
        })
    };
    let axes = (
        Axis::new("nodes", "").logarithmic().ticks_at(sizes),
        Axis::new("hops", "").covering([0.0]),
    );
    let series = [("iterative, k 8", line(0.9)), ("k 20", line(0.62))];
    let plot = Plot::lines("hops", "Hops of a lookup as a network grows", axes, series)
        .reading("Straight lines mean that hops grow with the logarithm of the nodes. Bands hold 90 % of lookups.")
        .reference_y(6.0, "asked: p50 ≤ 6");
    Section::new(
        "hops",
        "Hops against nodes",
        "How many hops does a lookup take as a network grows?",
    )
    .command("xorbit sim run hops --seed 7")
    .definition("hop", "a query whose answer named a closer node than any known before")
    .mark(Mark::new("hops at 65,536 nodes, median", Bound::AtMost(6.0), 5.2, ""))
    .plot(plot)
    .table(
        Table::new("Hops at 65,536 nodes", ["variant", "p50", "p95", "datagrams"])
            .row(["iterative, k 8".into(), 5.2.into(), 7.3.into(), 31.0.into()])
            .row(["k 20".into(), 3.7.into(), 5.2.into(), 58.4.into()]),
    )
}

fn churn() -> Section {
    let sessions = [5.0, 10.0, 20.0, 40.0, 80.0, 160.0_f64];
    let line = |weak: f64| sessions.map(|minutes| (minutes, 100.0 - weak / minutes));
    let axes = (
        Axis::new("median session", "min").logarithmic().ticks_at(sessions),
        Axis::new("right lookups", "%").covering([100.0]),
    );
    let series = [("with upkeep", line(4.0)), ("without", line(21.0)), ("one replica", line(24.0))];
    let plot = Plot::lines("churn", "Right lookups under churn", axes, series)
        .reading("Each point is a network whose nodes leave after sessions of this median.")
        .reference_y(99.0, "asked: ≥ 99 %");
    Section::new("churn", "Churn", "How many lookups are right while nodes come and go?")
        .mark(Mark::new("right lookups, median session 20 min", Bound::AtLeast(99.0), 99.8, "%"))
        .plot(plot)
}

fn traffic() -> Section {
    let mut chance = Chance::of(7, "traffic");
    let mut line = |level: f64| -> Vec<Point> {
        (0..288)
            .map(|at| {
                let hour = f64::from(at) / 12.0;
                let rate = level * (1.0 + 0.3 * (hour / 3.8).sin() + 0.05 * bell(&mut chance));
                Point::new(hour, rate).between(rate * 0.6, rate * 1.7)
            })
            .collect()
    };
    let axes = (
        Axis::new("time", "h").ticks_at([0.0, 6.0, 12.0, 18.0, 24.0]),
        Axis::new("sent and received per node", "B/s").covering([0.0]),
    );
    let series = [("median", line(84.0))];
    let plot = Plot::lines("bytes", "Bytes per node", axes, series).reading(
        "Median over all nodes; the band holds those from the 5th to the 95th percentile.",
    );
    Section::new("bytes", "Traffic", "What does it cost a node to be there?")
        .mark(Mark::new(
            "bytes per node and second, mean over a day",
            Bound::AtMost(120.0),
            84.3,
            "B/s",
        ))
        .plot(plot)
}

fn survival() -> Section {
    let line = |half: f64| -> Vec<(f64, f64)> {
        (0..=48)
            .map(|hour| (f64::from(hour), 100.0 * 0.5_f64.powf(f64::from(hour) / half)))
            .collect()
    };
    let axes = (
        Axis::new("age", "h").ticks_at([0.0, 12.0, 24.0, 36.0, 48.0]),
        Axis::new("values that can be read", "%").covering([0.0, 100.0]),
    );
    let series = [
        ("Xorbit", line(9_000.0)),
        ("Xorbit, 30 % hostile", line(2_100.0)),
        ("without hand-off", line(14.0)),
        ("plain BEP 44", line(6.0)),
        ("one replica", line(5.0)),
        ("one, no caching", line(4.8)),
    ];
    let plot = Plot::lines("survival", "Values that survive", axes, series)
        .reading("A value counts as long as anybody can read it at first asking.");
    Section::new("survival", "Survival", "How long do values live without their writer?")
        .mark(Mark::new("values lost over 48 h", Bound::Exactly(0.0), 3.0, "values"))
        .plot(plot)
}

fn hostile() -> Section {
    let shares = [0.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0_f64];
    let line =
        |power: f64| shares.map(|share| (share, 100.0 * (1.0 - (share / 100.0).powf(power))));
    let axes = (
        Axis::new("hostile nodes", "%").ticks_at([0.0, 10.0, 20.0, 30.0, 40.0, 50.0]),
        Axis::new("right lookups", "%").covering([0.0, 100.0]),
    );
    let plot = Plot::lines(
        "hostile",
        "Right lookups among hostile nodes",
        axes,
        [
            ("all defences", line(5.0)),
            ("disjoint paths only", line(2.6)),
            ("no defences", line(1.1)),
        ],
    )
    .reading("Hostile nodes answer every question with each other.")
    .reference_x(25.0, "asked for up to 25 %");
    let sybils = Plot::bars(
        "sybils",
        "Right lookups of a key that Sybils surround",
        Axis::new("right lookups", "%").covering([100.0]),
        ["16 Sybils", "64 Sybils", "256 Sybils", "1,024 Sybils"],
        [
            ("all defences", vec![100.0, 99.7, 98.1, 91.0]),
            ("no defences", vec![41.0, 12.5, 0.4, f64::NAN]),
        ],
    )
    .reading("Sybils choose their ids next to the key.")
    .reference_y(95.0, "asked: ≥ 95 %");
    Section::new("hostile", "Hostile nodes", "How many lookups are right if some nodes lie?")
        .command("xorbit sim run hostile --share 0,5,10,20,30,40,50 --seed 7")
        .mark(Mark::new("right lookups at 25 % hostile nodes", Bound::AtLeast(99.0), 99.4, "%"))
        .mark(Mark::new(
            "right lookups under 1,024 targeted Sybils",
            Bound::AtLeast(95.0),
            91.0,
            "%",
        ))
        .plot(plot)
        .plot(sybils)
}

fn load() -> Section {
    let mut chance = Chance::of(7, "load");
    let mut samples = |mean: f64| -> Vec<f64> {
        (0..2_000).map(|_| (mean * (0.4 * bell(&mut chance)).exp()).round()).collect()
    };
    let (even, popular) = (samples(60.0), samples(90.0));
    let axes = || (Axis::new("items held", ""), Axis::new("nodes", ""));
    let one = Plot::histogram("load", "Items per node", axes(), [("", even.clone())])
        .reading("The narrower, the fairer.")
        .reference_x(60.0, "mean");
    let both = Plot::histogram(
        "load-of-popular-keys",
        "Items per node, with popular keys",
        axes(),
        [("all keys alike", even), ("popular keys", popular)],
    );
    Section::new("load", "Load per node", "Does any node carry far more than its share?")
        .mark(Mark::new("fullest node over the mean", Bound::AtMost(4.0), 3.1, "×"))
        .plot(one)
        .plot(both)
}
