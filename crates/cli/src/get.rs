//! `xorbit get`: prints the value of a key.

use std::path::PathBuf;

use gateway::shapes::Report;
use serde_json::Value;
use xorbit::{Absence, Consistency, GetError, Namespace, Node};

use crate::batch::{self, GetAll};
use crate::connection::{ConnectionArgs, Through};
use crate::delivery::Delivery;
use crate::failure::{Failure, Kind};
use crate::namespace::ReadableArgs;
use crate::progress::Bar;
use crate::report;
use crate::running::{self, Place, Running, RunningArgs, Way};
use crate::size::SizeArgs;
use crate::talk;
use crate::trace::Trace;

/// Ends the help.
pub const AFTER_HELP: &str = "Exit codes: 0 printed, 1 not found, 2 wrong usage, 3 too few \
    replicas answered or the value does not open, 5 network unreachable";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The key
    #[arg(required_unless_present = "batch")]
    key: Option<String>,
    /// Get many at once: a key on each line of this file, as it is or as a JSON string; `-` reads
    /// stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "output", "max_size", "trace"])]
    batch: Option<PathBuf>,
    /// Take the first valid answer, without asking for a newer one
    #[arg(long, conflicts_with = "all")]
    first: bool,
    /// Wait for every replica instead of a majority
    #[arg(long)]
    all: bool,
    /// Write the value into this file instead of stdout
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    #[command(flatten)]
    size: SizeArgs,
    /// Tell each step of the lookup, and where the value came from
    #[arg(long)]
    trace: bool,
    #[command(flatten)]
    namespace: ReadableArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    running: RunningArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let namespace = args.namespace.namespace(args.connection.is_public())?;
    let consistency = match (args.first, args.all) {
        (true, _) => Consistency::First,
        (_, true) => Consistency::All,
        _ => Consistency::Quorum,
    };
    if let Some(file) = &args.batch {
        let all = GetAll { namespace, consistency };
        return batch::get(args.connection.connect().await?, file, all, json).await;
    }
    let (mut delivery, leave) = Delivery::begin(args.output.as_deref())?;
    let fetched = fetch(&args, namespace, consistency, &mut delivery, json);
    let fetched = match leave {
        None => fetched.await?,
        Some(mut leave) => tokio::select! {
            fetched = fetched => fetched?,
            // What came of the value goes with its delivery.
            () = leave.asked() => {
                let what = "asked to leave before the whole value was there";
                return Err(Failure::new(Kind::Environment, what).detail("nothing was written"));
            }
        },
    };
    tell(args, fetched, delivery, json).await
}

/// What came of a get whose value is in its delivery.
struct Fetched {
    through: Through,
    /// An own node, which is closed last.
    node: Option<Node>,
    url: Option<String>,
    trace: Trace,
    result: Result<Told, GetError>,
}

/// What is told of a value beside the value.
#[derive(Default)]
struct Told {
    object: Value,
    lines: Vec<String>,
}

async fn fetch(
    args: &Args,
    namespace: Namespace,
    consistency: Consistency,
    delivery: &mut Delivery,
    json: bool,
) -> Result<Fetched, Failure> {
    let unfit = args.size.max_size.map(|_| "`--max-size` sets a limit of its own");
    let unfit = unfit.or_else(|| args.namespace.told_name().err());
    let way = Way::find(&args.running, &args.connection, unfit, 0).await;
    let mut trace = Trace::new(json);
    if args.trace {
        trace.way(&way);
    }
    let bar = Bar::new(json);
    let url = way.url();
    let fetched = match &way {
        Way::Running(running) => {
            let result =
                args.get_at(running, consistency, delivery, &bar, &mut trace, json).await?;
            Fetched { through: running.through(), node: None, url, trace, result }
        }
        Way::Own(_) => {
            let client = args.connection.connect_with(args.size.max_size).await?;
            let key = args.key.clone().unwrap_or_default();
            let get = client.node.get(key).namespace(namespace).consistency(consistency);
            let get = get.on_progress(bar.listener());
            let result = match args.trace {
                true => get.traced_to(delivery, |step| trace.step(step)).await,
                false => get.write_to(delivery).await,
            };
            let result = result.map(|report| Told {
                object: report::without_value(&report),
                lines: report::lines(&report),
            });
            Fetched { through: client.through, node: Some(client.node), url, trace, result }
        }
    };
    bar.clear();
    Ok(fetched)
}

impl Args {
    /// Gets it through a running node, which tells of it only where that is wanted.
    async fn get_at(
        &self,
        node: &Running,
        consistency: Consistency,
        delivery: &mut Delivery,
        bar: &Bar,
        trace: &mut Trace,
        json: bool,
    ) -> Result<Result<Told, GetError>, Failure> {
        let (namespace, from) = self.namespace.told_name().unwrap_or_default();
        let place = Place { key: self.key.as_deref().unwrap_or_default(), namespace, from };
        if !json && !self.trace {
            let got = node.value(&place, consistency, None, delivery, bar.listener()).await?;
            return Ok(got.map(|()| Told::default()));
        }
        let report = node.report(&place, consistency, self.trace.then_some(trace)).await?;
        let mut report: Report = match report {
            Ok(report) => report,
            Err(error) => return Ok(Err(error)),
        };
        let value = std::mem::take(&mut report.content).into_bytes();
        let object = serde_json::to_value(&report).unwrap_or_default();
        let version = Some(report.version);
        let lines = node.read_back(report).map(|report| report::lines(&report))?;
        let got = match value {
            Some(value) => {
                running::take(&value, delivery)?;
                Ok(())
            }
            // Of many chunks: its bytes are not told with the report.
            None => node.value(&place, consistency, version, delivery, bar.listener()).await?,
        };
        Ok(got.map(|()| Told { object, lines }))
    }
}

/// Tells it and hands the value over.
async fn tell(args: Args, fetched: Fetched, delivery: Delivery, json: bool) -> Result<(), Failure> {
    let Fetched { through, node, url, trace, result } = fetched;
    let key = args.key.unwrap_or_default();
    let told = match result {
        Err(error) => {
            let never_seen =
                matches!(error, GetError::NotFound { absence: Absence::NeverSeen, .. });
            let failure = report::failure(error, &format!("key `{}`", key), &through);
            Err(match never_seen && args.namespace.is_secret() {
                true => failure.hint("a wrong passphrase or `--namespace` finds nothing either"),
                false => failure,
            })
        }
        Ok(Told { mut object, .. }) if json => {
            object["key"] = key.into();
            if args.trace {
                object["through"] = url.into();
                object["steps"] = trace.into_json();
            }
            delivery.hand_over_in(object)
        }
        Ok(Told { lines, .. }) => {
            if args.trace {
                lines.iter().for_each(talk::say);
            }
            delivery.hand_over()
        }
    };
    // Last, since replicas that lack the value are being given it.
    if let Some(node) = node {
        node.close().await;
    }
    told
}
