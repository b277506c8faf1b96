//! The answering path: what does a reply cost, beside the least that it can cost on this machine?
//!
//! The server and the load are different processes, which a machine of two cores can run at the same time; nothing is
//! pinned. Each kind of query loads the servers in turn, round after round, and medians are taken, so that a change of
//! the machine's speed meets all of them. Each round has fresh servers: a node full of items answers a get more slowly,
//! and that is another benchmark. CPU per reply is the figure to trust; replies per second and latency also
//! depend on the load's own speed.

mod report;

use std::process::Stdio;

use serde_json::Value;

use crate::args::Args;
use crate::failure::Failure;
use crate::load::{IMMUTABLE_ITEMS, Kind, MUTABLE_ITEMS};
use crate::servers::{Server, this_program};
use crate::verification::{self, Verification};
use report::Report;

struct Plan {
    seconds: f64,
    rounds: u64,
    kinds: Vec<Kind>,
    immutable_items: usize,
    mutable_items: usize,
}

/// The servers of a round, beside the floor.
struct Lineup {
    /// Our node, with more arguments.
    node: Option<Vec<String>>,
    libtorrent: bool,
}

/// What one load found out.
struct Sample {
    replies_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us: f64,
    lost: u64,
}

/// The command `serve`.
pub fn run(mut args: Args) -> Result<(), Failure> {
    let plan = Plan {
        seconds: args.value("--seconds")?.unwrap_or(5.0),
        rounds: args.value("--rounds")?.unwrap_or(3).max(1),
        kinds: kinds(args.value("--kinds")?)?,
        immutable_items: args.value("--items")?.unwrap_or(IMMUTABLE_ITEMS),
        mutable_items: args.value("--mutable-items")?.unwrap_or(MUTABLE_ITEMS),
    };
    let (peers_only, json) = (args.flag("--peers-only"), args.flag("--json"));
    let lineup = Lineup {
        node: (!peers_only).then(|| args.behind_dashes()),
        libtorrent: args.flag("--peers") || peers_only,
    };
    args.finish()?;

    let report = plan.measure(&lineup)?;
    if json {
        eprint!("{}", report.text());
        println!("{}", report.json());
    } else {
        print!("{}", report.text());
    }
    Ok(())
}

impl Lineup {
    fn start(&self) -> Result<Vec<Server>, Failure> {
        let mut servers = vec![Server::floor()?];
        if let Some(arguments) = &self.node {
            servers.push(Server::node(arguments)?);
        }
        if self.libtorrent {
            servers.push(Server::libtorrent()?);
        }
        Ok(servers)
    }
}

impl Plan {
    fn measure(&self, lineup: &Lineup) -> Result<Report, Failure> {
        let mut report = Report::default();
        for round in 0..self.rounds {
            let servers = lineup.start()?;
            for &kind in &self.kinds {
                for server in &servers {
                    eprintln!("round {} of {}: {kind} at {}", round + 1, self.rounds, server.name);
                    report.add(kind, server.name, self.load(server, kind, round)?);
                }
            }
            report.verifications.push(verification::measure(round));
        }
        Ok(report)
    }

    fn load(&self, server: &Server, kind: Kind, round: u64) -> Result<Sample, Failure> {
        let items = match kind {
            Kind::PutMutable => self.mutable_items,
            _ => self.immutable_items,
        };
        let mut command = this_program()?;
        command.args(["load", "--to", &server.address.to_string()]);
        command.args(["--kind", &kind.to_string()]);
        command.args(["--seconds", &self.seconds.to_string()]);
        command.args(["--items", &items.to_string()]);
        command.args(["--round", &round.to_string()]);
        command.args(["--server-pid", &server.pid().to_string()]);
        command.args((server.name == "floor").then_some("--floor"));
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| Failure::system("cannot start the load", error))?;
        let sample =
            serde_json::from_slice(&output.stdout).ok().and_then(|line| Sample::read(&line));
        sample.filter(|_| output.status.success()).ok_or_else(|| {
            Failure::new(
                format!("no measurement of `{kind}` at `{}`", server.name),
                "the load's own words are above",
            )
        })
    }
}

impl Sample {
    fn read(line: &Value) -> Option<Self> {
        Some(Self {
            replies_per_second: line["replies_per_second"].as_f64()?,
            p50_us: line["p50_us"].as_f64()?,
            p99_us: line["p99_us"].as_f64()?,
            cpu_us: line["cpu_us_per_reply"].as_f64()?,
            lost: line["lost"].as_u64()?,
        })
    }
}

fn kinds(list: Option<String>) -> Result<Vec<Kind>, Failure> {
    let Some(list) = list else {
        return Ok(Kind::ALL.to_vec());
    };
    let parse = |name: &str| {
        name.parse().map_err(|()| {
            let known = Kind::ALL.map(|kind| kind.to_string()).join(", ");
            Failure::new(format!("no kind `{name}`"), format!("the kinds are {known}"))
        })
    };
    list.split(',').map(parse).collect()
}
