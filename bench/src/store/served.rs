//! Durable puts as their senders see them: a node with a data directory beside the same node without one.
//!
//! Each round starts both anew, and they take turns. The first load keeps 64 puts in flight, so that batches are full,
//! and gives the CPU that durability adds; the second brings one each 200 µs, each timed from when it was due.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::load::Kind;
use crate::quantiles::median;
use crate::sample::{Load, Sample};
use crate::servers::Server;
use crate::table::mark;

const FULL: Load = Load { kind: Kind::Put, items: 50_000, seconds: 5.0, round: 0, rate: None };
const STEADY: Load =
    Load { kind: Kind::Put, items: 20_000, seconds: 5.0, round: 0, rate: Some(5_000) };

/// Durability may cost so much CPU an item ...
const CPU_US: f64 = 15.0;
/// ... and all but one put of a hundred must be answered within so long.
const P99_MS: f64 = 20.0;

/// Loads of one node: full batches, and the steady pace.
type Loads = Vec<(Sample, Sample)>;

/// Measures both, in directories that `fresh` makes.
pub fn measure(
    fresh: &impl Fn(&str) -> Result<PathBuf, Failure>,
    rounds: u32,
) -> Result<Value, Failure> {
    let (mut memory, mut durable) = (Loads::new(), Loads::new());
    for round in 0..u64::from(rounds) {
        memory.push(loads(&[], round)?);
        let directory = fresh("served")?.display().to_string();
        durable.push(loads(&["--data".into(), directory], round)?);
    }
    Ok(json!({"memory": summary(&memory), "durable": summary(&durable)}))
}

fn loads(arguments: &[String], round: u64) -> Result<(Sample, Sample), Failure> {
    let server = Server::node(arguments)?;
    let full = Load { round: 2 * round, ..FULL }.run(&server)?;
    let steady = Load { round: 2 * round + 1, ..STEADY }.run(&server)?;
    Ok((full, steady))
}

fn summary(loads: &Loads) -> Value {
    let of = |value: fn(&(Sample, Sample)) -> f64| median(loads.iter().map(value));
    json!({
        "puts_per_s": of(|(full, _)| full.replies_per_second),
        "cpu_us": of(|(full, _)| full.cpu_us),
        "p50_us": of(|(_, steady)| steady.p50_us),
        "p99_us": of(|(_, steady)| steady.p99_us),
    })
}

/// What was measured, with the verdicts.
pub fn told(served: &Value) -> String {
    let number = |node: &str, name: &str| served[node][name].as_f64().unwrap_or(f64::NAN);
    let line = |node: &str| {
        format!(
            "  {node:7}  {:.0} puts/s and {:.2} us CPU each with 64 in flight; {:.1} ms median, {:.1} ms 99th percentile at 5000/s",
            number(node, "puts_per_s"),
            number(node, "cpu_us"),
            number(node, "p50_us") / 1e3,
            number(node, "p99_us") / 1e3,
        )
    };
    let added = number("durable", "cpu_us") - number("memory", "cpu_us");
    let p99_ms = number("durable", "p99_us") / 1e3;
    format!(
        "puts served by one node\n{}\n{}\n  durability adds {added:.1} us CPU to a put  {}\n  99th percentile {p99_ms:.1} ms  {}",
        line("memory"),
        line("durable"),
        mark(added, CPU_US),
        mark(p99_ms, P99_MS),
    )
}
