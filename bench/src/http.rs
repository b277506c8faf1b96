//! HTTP: how many requests does a node answer, and what does the gateway add to the library beneath?
//!
//! The node is a process of its own among seven others, so that eight hold each key and it is one of them. wrk, a
//! process of its own, too, keeps 64 connections busy. The same operations by the library alone, 64 at once in one
//! process, say what of the CPU the gateway does not cause. Each pass has a network of its own; medians are taken.
//! All share the cores of the machine, the other nodes and wrk included, so requests a second depend on them; CPU per
//! request is the node's alone.

mod library;
mod network;
mod report;
mod wrk;

use std::fmt;
use std::str::FromStr;

use crate::args::Args;
use crate::failure::Failure;
use report::Report;

pub use library::run as run_library;

/// What is done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    /// A get that takes the node's own copy.
    First,
    /// A get that asks a majority.
    Quorum,
    /// A put.
    Put,
}

impl Operation {
    const ALL: [Self; 3] = [Self::First, Self::Quorum, Self::Put];

    fn method(self) -> &'static str {
        match self {
            Self::First | Self::Quorum => "GET",
            Self::Put => "PUT",
        }
    }

    fn query(self) -> &'static str {
        match self {
            Self::First => "?consistency=first",
            Self::Quorum | Self::Put => "?",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "get-first",
            Self::Quorum => "get-quorum",
            Self::Put => "put",
        })
    }
}

impl FromStr for Operation {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|operation| operation.to_string() == name).ok_or(())
    }
}

/// What is asked of whom.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// How long each pass loads the node.
    seconds: f64,
    /// Passes of each operation.
    rounds: usize,
    /// Keys that are asked for in turn.
    keys: usize,
    /// Bytes of each value.
    bytes: usize,
    /// Connections of wrk, and operations at once of the library.
    at_once: usize,
    /// Threads of wrk.
    threads: usize,
}

/// What one pass came to.
#[derive(Clone, Copy, Debug)]
struct Sample {
    per_second: f64,
    p50_us: f64,
    p99_us: f64,
    /// CPU of the node under load alone.
    cpu_us: f64,
}

/// The command `http`.
pub fn run(mut args: Args) -> Result<(), Failure> {
    let plan = Plan::read(&mut args)?;
    let only: Option<String> = args.value("--only")?;
    let json = args.flag("--json");
    args.finish()?;
    let only = only.as_deref().map(operation).transpose()?;
    let mut report = Report::default();
    for round in 1..=plan.rounds {
        for operation in Operation::ALL {
            if only.is_some_and(|only| only != operation) {
                continue;
            }
            eprintln!("round {round} of {}: {operation}", plan.rounds);
            report.http(operation, plan.http(operation)?);
            report.library(operation, library::measure(&plan, operation)?);
        }
    }
    match json {
        true => {
            eprint!("{}", report.text());
            println!("{}", report.json());
        }
        false => print!("{}", report.text()),
    }
    Ok(())
}

impl Plan {
    fn read(args: &mut Args) -> Result<Self, Failure> {
        Ok(Self {
            seconds: args.value("--seconds")?.unwrap_or(5.0),
            rounds: args.value("--rounds")?.unwrap_or(3).max(1),
            keys: args.value("--keys")?.unwrap_or(1000).max(1),
            bytes: args.value("--bytes")?.unwrap_or(100),
            at_once: args.value("--connections")?.unwrap_or(64).max(1),
            threads: args.value("--threads")?.unwrap_or(1).max(1),
        })
    }

    /// Loads a node over HTTP.
    fn http(&self, operation: Operation) -> Result<Sample, Failure> {
        let network = network::Network::start()?;
        let node = network.gateway()?;
        node.fill(self.keys, self.bytes)?;
        wrk::load(self, operation, &node)
    }
}

fn operation(name: &str) -> Result<Operation, Failure> {
    name.parse().map_err(|()| {
        let known = Operation::ALL.map(|operation| operation.to_string()).join(", ");
        Failure::new(format!("no operation `{name}`"), format!("the operations are {known}"))
    })
}
