//! Puts and gets on whole networks: what does one cost all nodes together?
//!
//! Fifty nodes in one process, in full mesh on loopback; the CPU time of the process is divided by the number of
//! operations, so it counts the asking node, all the holders, and what the nodes do on their own in that time. The
//! clients differ in language (libtorrent's is Python), which weighs little beside a lookup.

mod drive;
mod ours;
mod report;

use std::process::Stdio;

use serde_json::Value;

use crate::args::Args;
use crate::failure::Failure;
use crate::servers::peer_script;
use report::Report;

/// How many operations are in flight in each pass.
const WINDOWS: [usize; 2] = [1, 32];
/// Copies of each item: BEP 5's k.
const REPLICAS: usize = 8;

/// What one implementation did.
#[derive(Debug)]
pub struct Measured {
    /// Its name and version.
    pub implementation: String,
    /// What the nodes spend when nobody asks them, all together.
    pub idle_cpu_ms_per_second: f64,
    /// One for each operation and window.
    pub rows: Vec<Row>,
}

/// One operation, done many times.
#[derive(Debug)]
pub struct Row {
    /// Such as `mutable put`.
    pub operation: String,
    /// How many were in flight.
    pub window: usize,
    /// Time until the first answer that can be believed.
    pub p50_ms: f64,
    /// The slowest hundredth.
    pub p99_ms: f64,
    /// CPU of the whole process for each operation.
    pub cpu_ms: f64,
    /// Speed.
    pub per_second: f64,
}

/// The command `network`.
pub fn run(mut args: Args) -> Result<(), Failure> {
    let keys: usize = args.value("--keys")?.unwrap_or(1000).max(1);
    let nodes: usize = args.value("--nodes")?.unwrap_or(50).max(REPLICAS + 2);
    let json = args.flag("--json");
    args.finish()?;

    eprintln!("{nodes} nodes of libtorrent");
    let theirs = libtorrent(nodes, keys)?;
    eprintln!("{nodes} nodes of xorbit");
    let ours = ours::measure(nodes, keys)?;
    let report = Report::new(nodes, keys, theirs, Some(ours));
    if json {
        eprint!("{}", report.text());
        println!("{}", report.json());
    } else {
        print!("{}", report.text());
    }
    Ok(())
}

fn libtorrent(nodes: usize, keys: usize) -> Result<Measured, Failure> {
    let mut command = peer_script("libtorrent_network.py")?;
    command.args(["--nodes", &nodes.to_string(), "--keys", &keys.to_string()]);
    let output =
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(|error| {
            Failure::system("cannot start the network of libtorrent nodes", error)
        })?;
    let line = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    Measured::read(&line).filter(|_| output.status.success()).ok_or_else(|| {
        Failure::new(
            "the network of libtorrent nodes was not measured",
            "the script's own words are above",
        )
    })
}

impl Measured {
    fn read(line: &Value) -> Option<Self> {
        let rows = line["rows"].as_array()?.iter().map(Row::read);
        Some(Self {
            implementation: line["implementation"].as_str()?.to_owned(),
            idle_cpu_ms_per_second: line["idle_cpu_ms_per_second"].as_f64()?,
            rows: rows.collect::<Option<_>>()?,
        })
    }
}

impl Row {
    fn read(row: &Value) -> Option<Self> {
        Some(Self {
            operation: row["operation"].as_str()?.to_owned(),
            window: usize::try_from(row["window"].as_u64()?).ok()?,
            p50_ms: row["p50_ms"].as_f64()?,
            p99_ms: row["p99_ms"].as_f64()?,
            cpu_ms: row["cpu_ms"].as_f64()?,
            per_second: row["per_second"].as_f64()?,
        })
    }
}
