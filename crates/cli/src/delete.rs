//! `xorbit delete`: deletes the value of a key, so that no older copy of it comes back.

use xorbit::Version;

use crate::connection::ConnectionArgs;
use crate::failure::Failure;
use crate::namespace::WritableArgs;
use crate::receipt::{self, Written};
use crate::talk;
use crate::text;
use crate::trace::Trace;

/// Ends the help.
pub const AFTER_HELP: &str = "Exit codes: 0 deleted at a majority of the replicas, 1 there was \
    nothing to delete, 2 wrong usage, 3 too few replicas took it, 4 version conflict or open \
    outcome, 5 network unreachable";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The key
    key: String,
    /// Only if the key holds exactly this version
    #[arg(long, allow_hyphen_values = true, value_name = "N", value_parser = text::version)]
    if_version: Option<Version>,
    /// Tell each step of the lookup
    #[arg(long)]
    trace: bool,
    #[command(flatten)]
    namespace: WritableArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let namespace = args.namespace.namespace(args.connection.is_public())?;
    let client = args.connection.connect().await?;
    let mut delete = client.node.delete(args.key.clone()).namespace(namespace);
    if let Some(version) = args.if_version {
        delete = delete.if_version(version);
    }
    let mut trace = Trace::new(json);
    let result =
        if args.trace { delete.traced(|step| trace.step(step)).await } else { delete.await };
    client.node.close().await;
    let report = result.map_err(|error| {
        let name = format!("key `{}`", args.key);
        let read = args.namespace.read_command(&args.key);
        receipt::failure(error, &Written { name, through: &client.through, read: Some(read) })
    })?;
    if !json {
        let lines = receipt::put_lines("deleted", &report, "remembered until");
        lines.iter().for_each(talk::say);
        return Ok(());
    }
    let mut object = receipt::to_json(&report);
    object["key"] = args.key.into();
    if args.trace {
        object["steps"] = trace.into_json();
    }
    talk::object(&object)
}
