//! The answering path: what does a reply cost, beside the least that it can cost on this machine?
//!
//! The server and the load are different processes, which a machine of two cores can run at the same time; nothing is
//! pinned. Each kind of query loads the servers in turn, round after round, and medians are taken, so that a change of
//! the machine's speed meets all of them. Each round has fresh servers: a node full of items answers a get more slowly,
//! and that is another benchmark. CPU per reply is the figure to trust; replies per second and latency also
//! depend on the load's own speed.

mod report;

use crate::args::Args;
use crate::failure::Failure;
use crate::load::{IMMUTABLE_ITEMS, Kind, MUTABLE_ITEMS};
use crate::sample::Load;
use crate::servers::Server;
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
                    let items = match kind {
                        Kind::PutMutable => self.mutable_items,
                        _ => self.immutable_items,
                    };
                    let (seconds, rate) = (self.seconds, None);
                    let load = Load { kind, items, seconds, round, rate };
                    report.add(kind, server.name, load.run(server)?);
                }
            }
            report.verifications.push(verification::measure(round));
        }
        Ok(report)
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
