//! What is told of scale.

use super::Scale;
use crate::report::{Bound, Cell, Mark, Section, Table};

/// Datagrams that must arrive in a second of one core's time, where each node of this many is sent so
/// many in a second of the world's.
const DELIVERED_PER_S: f64 = 300_000.0;
const BUSY_NODES: u32 = 10_000;
const BUSY_PER_S: f64 = 3.0;

/// Memory that so many nodes may take.
const LARGE_GIB: f64 = 20.0;
const LARGE_NODES: u32 = 1_000_000;

const GIB: f64 = (1u64 << 30) as f64;

/// Of networks of several sizes.
pub fn of(all: &[Scale]) -> Section {
    let mut section = Section::new(
        "scale",
        "Scale",
        "How large and how busy a network can one process simulate?",
    )
    .definition(
        "conditions",
        "the whole of each node and store runs; one thread; delays as for lookups, 1 % loss. Tables are not won by hours of datagrams: each bucket is given random members of its part of the key space up to its capacity, and as many as may wait, through the code that takes answers; then all nodes join within two minutes",
    )
    .definition("took", "how long the process was on a processor for the world's time that is told, the preparation left out; it has one thread");
    for scale in all {
        if scale.sizes.nodes >= BUSY_NODES && scale.per_node_and_s() >= BUSY_PER_S {
            let what = format!(
                "datagrams that arrive in a second on a processor, {} nodes",
                scale.sizes.nodes
            );
            let mark =
                Mark::new(what, Bound::AtLeast(DELIVERED_PER_S), scale.delivered_per_s(), "/s");
            section = section.mark(
                mark.note(format!("{:.1} a node and second of the world", scale.per_node_and_s())),
            );
        }
        if scale.sizes.nodes >= LARGE_NODES {
            let gib = scale.resident[2].map_or(f64::NAN, |bytes| bytes as f64 / GIB);
            let what = format!("memory of {} nodes", scale.sizes.nodes);
            section = section.mark(Mark::new(what, Bound::AtMost(LARGE_GIB), gib, "GiB"));
        }
    }
    section.table(speed(all)).table(memory(all)).table(work(all))
}

fn speed(all: &[Scale]) -> Table {
    let columns = [
        "nodes",
        "world s",
        "took s",
        "preparation s",
        "datagrams",
        "datagrams/s",
        "a node and world s",
        "times real time",
    ];
    all.iter().fold(Table::new("Speed", columns), |table, scale| {
        let (world_s, took_s) = (scale.sizes.span.as_secs_f64(), scale.took.as_secs_f64());
        let numbers = [
            scale.sizes.nodes.into(),
            world_s,
            took_s,
            scale.prepared.as_secs_f64(),
            scale.delivered as f64,
            scale.delivered_per_s(),
            scale.per_node_and_s(),
            world_s / took_s,
        ];
        table.row(numbers.map(Cell::from))
    })
}

fn memory(all: &[Scale]) -> Table {
    let columns = [
        "nodes",
        "before MiB",
        "tables filled MiB",
        "in the end MiB",
        "bytes a node",
        "contacts a node",
    ];
    all.iter().fold(Table::new("Memory", columns), |table, scale| {
        let resident =
            scale.resident.map(|bytes| bytes.map_or(f64::NAN, |it| it as f64 / 1048576.0));
        let a_node = [scale.bytes_per_node().unwrap_or(f64::NAN), scale.contacts];
        let numbers = [f64::from(scale.sizes.nodes)].into_iter().chain(resident).chain(a_node);
        table.row(numbers.map(Cell::from))
    })
}

fn work(all: &[Scale]) -> Table {
    let columns = ["nodes", "lookups", "right %", "puts", "acknowledged %"];
    all.iter().fold(Table::new("Work", columns), |table, scale| {
        let share = |(all, good): (u32, u32)| 100.0 * f64::from(good) / f64::from(all);
        let (lookups, puts) = (scale.lookups, scale.puts);
        let numbers = [scale.sizes.nodes, lookups.0].map(f64::from);
        let rest = [share(lookups), f64::from(puts.0), share(puts)];
        table.row(numbers.into_iter().chain(rest).map(Cell::from))
    })
}
