//! `xorbit get`: prints the value of a key.

use std::path::PathBuf;

use xorbit::{Absence, Consistency, GetError, GetReport, Namespace};

use crate::batch::{self, GetAll};
use crate::connection::{Client, ConnectionArgs};
use crate::delivery::Delivery;
use crate::failure::{Failure, Kind};
use crate::namespace::ReadableArgs;
use crate::progress::Bar;
use crate::report;
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
    client: Client,
    trace: Trace,
    result: Result<GetReport, GetError>,
}

async fn fetch(
    args: &Args,
    namespace: Namespace,
    consistency: Consistency,
    delivery: &mut Delivery,
    json: bool,
) -> Result<Fetched, Failure> {
    let key = args.key.clone().unwrap_or_default();
    let client = args.connection.connect_with(args.size.max_size).await?;
    let bar = Bar::new(json);
    let get = client.node.get(key).namespace(namespace).consistency(consistency);
    let get = get.on_progress(bar.listener());
    let mut trace = Trace::new(json);
    let result = match args.trace {
        true => get.traced_to(delivery, |step| trace.step(step)).await,
        false => get.write_to(delivery).await,
    };
    bar.clear();
    Ok(Fetched { client, trace, result })
}

/// Tells it and hands the value over.
async fn tell(args: Args, fetched: Fetched, delivery: Delivery, json: bool) -> Result<(), Failure> {
    let Fetched { client, trace, result } = fetched;
    let key = args.key.unwrap_or_default();
    let told = match result {
        Err(error) => {
            let never_seen =
                matches!(error, GetError::NotFound { absence: Absence::NeverSeen, .. });
            let failure = report::failure(error, &format!("key `{}`", key), &client.through);
            Err(match never_seen && args.namespace.is_secret() {
                true => failure.hint("a wrong passphrase or `--namespace` finds nothing either"),
                false => failure,
            })
        }
        Ok(report) if json => {
            let mut object = report::without_value(&report);
            object["key"] = key.into();
            if args.trace {
                object["steps"] = trace.into_json();
            }
            delivery.hand_over_in(object)
        }
        Ok(report) => {
            if args.trace {
                report::lines(&report).iter().for_each(talk::say);
            }
            delivery.hand_over()
        }
    };
    // Last, since replicas that lack the value are being given it.
    client.node.close().await;
    told
}
