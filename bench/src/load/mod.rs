//! The load: one thread that keeps 64 queries in flight at one server and checks every answer.

mod flights;
mod items;
mod lookups;
mod puts;

use std::fmt;
use std::net::SocketAddrV4;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::args::Args;
use crate::cpu;
use crate::failure::Failure;
use crate::krpc::Id;
use crate::quantiles::quantile;
use flights::{FLIGHTS, Tally, Traffic, fly};
use lookups::Lookups;
use puts::Puts;

/// The sender of every query.
const SENDER: &Id = b"xorbit-bench, a load";
/// How long the server may take to fall asleep; only then has the scheduler counted all of its time.
const SETTLING: Duration = Duration::from_millis(10);

/// One reply in so many may be lost; with more, the times are those of a server that drops.
const TOLERATED_LOSS: u64 = 100;

/// How many distinct items a run of immutable puts may use up.
pub const IMMUTABLE_ITEMS: usize = 100_000;
/// The same for mutable puts, which cost a signature each beforehand.
pub const MUTABLE_ITEMS: usize = 20_000;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// BEP 5.
    Ping,
    /// BEP 5, of random targets.
    FindNode,
    /// BEP 5, of random info-hashes.
    GetPeers,
    /// BEP 44, of random targets, which nobody has stored.
    Get,
    /// BEP 44, immutable items of a hundred bytes, none of them twice.
    Put,
    /// BEP 44, mutable items under one key, each with a salt of its own.
    PutMutable,
}

impl Kind {
    /// Every kind, cheapest first.
    pub const ALL: [Self; 6] =
        [Self::Ping, Self::FindNode, Self::GetPeers, Self::Get, Self::Put, Self::PutMutable];

    fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::FindNode => "find_node",
            Self::GetPeers => "get_peers",
            Self::Get => "get",
            Self::Put => "put",
            Self::PutMutable => "put_mutable",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(())
    }
}

/// The server that is loaded.
#[derive(Clone, Copy)]
struct Server {
    address: SocketAddrV4,
    pid: Option<u32>,
    /// It echoes without understanding: any answer will do, and tokens are made up.
    is_floor: bool,
}

/// The command `load`. Prints one line of JSON.
pub fn run(mut args: Args) -> Result<(), Failure> {
    let kind: Kind = args.required("--kind")?;
    let server = Server {
        address: args.required("--to")?,
        pid: args.value("--server-pid")?,
        is_floor: args.flag("--floor"),
    };
    let seconds: f64 = args.value("--seconds")?.unwrap_or(5.0);
    let time = Duration::try_from_secs_f64(seconds).map_err(|error| {
        Failure::new(format!("`--seconds` cannot be `{seconds}`: {error}"), "try `--seconds 5`")
    })?;
    let items = args.value("--items")?;
    let rate: Option<u32> = args.value("--rate")?;
    let pace = rate.map(|rate| Duration::from_secs(1) / rate.max(1));
    // Items of different rounds differ, so that no round finds them stored.
    let round: u64 = args.value("--round")?.unwrap_or(0);
    args.finish()?;

    let (tally, cpu) = match kind {
        Kind::Put | Kind::PutMutable => {
            let items = match kind {
                Kind::Put => items::immutable(round, items.unwrap_or(IMMUTABLE_ITEMS)),
                _ => items::mutable(round, items.unwrap_or(MUTABLE_ITEMS)),
            };
            measure(server, &mut Puts::prepare(server, &items)?, time, pace)?
        }
        _ => measure(server, &mut Lookups::new(kind, round, server.is_floor), time, pace)?,
    };
    report(kind, server, tally, cpu)
}

fn measure(
    server: Server,
    traffic: &mut impl Traffic,
    time: Duration,
    pace: Option<Duration>,
) -> Result<(Tally, Option<Duration>), Failure> {
    let spent = || {
        thread::sleep(SETTLING);
        server.pid.map(cpu::spent).transpose()
    };
    let before = spent()?;
    let tally = fly(server.address, traffic, time, pace)?;
    let after = spent()?;
    Ok((tally, after.zip(before).map(|(after, before)| after.saturating_sub(before))))
}

fn report(
    kind: Kind,
    server: Server,
    mut tally: Tally,
    cpu: Option<Duration>,
) -> Result<(), Failure> {
    tally.check(kind, server)?;
    tally.latencies.sort_unstable();
    let microseconds = |share| f64::from(quantile(&tally.latencies, share)) / 1000.0;
    let replies = tally.replies as f64;
    let line = json!({
        "kind": kind.name(),
        "replies": tally.replies,
        "seconds": tally.elapsed.as_secs_f64(),
        "replies_per_second": replies / tally.elapsed.as_secs_f64(),
        "p50_us": microseconds(0.5),
        "p99_us": microseconds(0.99),
        "cpu_us_per_reply": cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / replies),
        "lost": tally.lost,
        "late": tally.late,
        "asked_back": tally.asked_back,
    });
    println!("{line}");
    Ok(())
}

impl Tally {
    /// Fails unless nearly every query was answered, and every answer was the one that was asked for.
    fn check(&self, kind: Kind, server: Server) -> Result<(), Failure> {
        let (address, replies, lost) = (server.address, self.replies, self.lost);
        let wrong = [
            ("refused", self.refused, &self.first_refusal),
            ("answered wrongly", self.mistaken, &self.first_mistake),
        ];
        for (what, count, first) in wrong {
            if let Some(first) = first {
                return Err(Failure::new(
                    format!(
                        "`{address}` {what} {count} `{kind}` and answered {replies} well; the first: {first}"
                    ),
                    "a benchmark of refusals means nothing: has the node limits on loopback, or fewer than 8 contacts?",
                ));
            }
        }
        if replies == 0 || self.is_silent() || lost > FLIGHTS as u64 + replies / TOLERATED_LOSS {
            return Err(Failure::new(
                format!(
                    "`{address}` answered {replies} `{kind}` and left {lost} without an answer"
                ),
                "is the node still running, and does it drop what is too much?",
            ));
        }
        Ok(())
    }
}
