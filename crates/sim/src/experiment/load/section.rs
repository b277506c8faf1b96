//! What is told of load.

use super::Load;
use crate::experiment::Samples;
use crate::report::{Axis, Cell, Plot, Section, Table};

/// Of one network.
pub fn of(load: &mut Load) -> Section {
    let Load { sizes, stored, gets, top_share, .. } = load;
    let section = Section::new("load", "Load", "How evenly does work fall on nodes?")
        .definition(
            "conditions",
            format!(
                "{} nodes that stay; {} keys of 100 bytes put once, {stored} acknowledged; then {} gets in {} min, of which {} ended and {} gave the value; keys are read by Zipf's law, the first one by {:.1} % of gets; delays as for lookups, 1 % loss",
                sizes.nodes, sizes.keys, sizes.gets, sizes.span.as_secs() / 60, gets.0, gets.1, 100.0 * *top_share,
            ),
        );
    let all = [
        ("items", &mut load.items),
        ("datagrams sent /s", &mut load.sent),
        ("datagrams received /s", &mut load.received),
        ("bytes sent /s", &mut load.sent_bytes),
        ("bytes received /s", &mut load.received_bytes),
    ];
    let columns = ["of a node", "mean", "p1", "p50", "p99", "most", "most / mean"];
    let table = all.into_iter().fold(Table::new("Load of nodes", columns), |table, (name, of)| {
        let mean = of.mean();
        let quantiles = [0.01, 0.5, 0.99, 1.0].map(|share| of.quantile(share));
        let most = quantiles[3] / mean;
        let numbers = [mean].into_iter().chain(quantiles).chain([most]);
        table.row([Cell::from(name)].into_iter().chain(numbers.map(Cell::from)))
    });
    let values = |samples: &Samples| samples.values().collect::<Vec<f64>>();
    let nodes = || Axis::new("nodes", "");
    section
        .table(table)
        .plot(Plot::histogram(
            "load-items",
            "Items held by a node",
            (Axis::new("items", ""), nodes()),
            [("nodes", values(&load.items))],
        ))
        .plot(Plot::cumulative(
            "load-bytes",
            "Bytes of a node in a second",
            Axis::new("bytes", "B/s").logarithmic(),
            [("sent", values(&load.sent_bytes)), ("received", values(&load.received_bytes))],
        ))
}
