//! `xorbit get`: prints the value of a key.

use xorbit::{Absence, Consistency, GetError};

use crate::connection::ConnectionArgs;
use crate::failure::Failure;
use crate::namespace::ReadableArgs;
use crate::report;
use crate::talk;
use crate::trace::Trace;

/// Ends the help.
pub const AFTER_HELP: &str = "Exit codes: 0 printed, 1 not found, 2 wrong usage, 3 too few \
    replicas answered or the value does not open, 5 network unreachable";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The key
    key: String,
    /// Take the first valid answer, without asking for a newer one
    #[arg(long, conflicts_with = "all")]
    first: bool,
    /// Wait for every replica instead of a majority
    #[arg(long)]
    all: bool,
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
    let client = args.connection.connect().await?;
    let get = client.node.get(args.key.clone()).namespace(namespace).consistency(consistency);
    let mut trace = Trace::new(json);
    let result = if args.trace { get.traced(|step| trace.step(step)).await } else { get.await };
    let told = match result {
        Err(error) => {
            let never_seen =
                matches!(error, GetError::NotFound { absence: Absence::NeverSeen, .. });
            let failure = report::failure(error, &format!("key `{}`", args.key), &client.through);
            Err(match never_seen && args.namespace.is_secret() {
                true => failure.hint("a wrong passphrase or `--namespace` finds nothing either"),
                false => failure,
            })
        }
        Ok(report) if json => {
            let mut object = report::to_json(&report);
            object["key"] = args.key.into();
            if args.trace {
                object["steps"] = trace.into_json();
            }
            talk::object(&object)
        }
        Ok(report) => {
            if args.trace {
                report::lines(&report).iter().for_each(talk::say);
            }
            talk::value(&report.value)
        }
    };
    // Last, since replicas that lack the value are being given it.
    client.node.close().await;
    told
}
