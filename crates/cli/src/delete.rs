//! `xorbit delete`: deletes the value of a key, so that no older copy of it comes back.

use xorbit::{Expected, Namespace, PutError, PutReport, Version};

use crate::connection::{ConnectionArgs, Through};
use crate::failure::Failure;
use crate::namespace::WritableArgs;
use crate::receipt::{self, Written};
use crate::running::{Place, RunningArgs, Way};
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
    #[command(flatten)]
    running: RunningArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let namespace = args.namespace.namespace(args.connection.is_public())?;
    let own = args.namespace.open_name().err();
    let way = Way::find(&args.running, &args.connection, own, 0).await;
    let mut trace = Trace::new(json);
    if args.trace {
        trace.way(&way);
    }
    let (result, through) = match &way {
        Way::Running(node) => {
            let namespace = args.namespace.open_name().unwrap_or_default();
            let place = Place { key: &args.key, namespace, from: None };
            let expected = args.if_version.map_or(Expected::Anything, Expected::Version);
            let trace = args.trace.then_some(&mut trace);
            (node.delete(&place, expected, trace).await?, node.through())
        }
        Way::Own(_) => args.delete_alone(namespace, &mut trace).await?,
    };
    let report = result.map_err(|error| {
        let name = format!("key `{}`", args.key);
        let read = args.namespace.read_command(&args.key);
        receipt::failure(error, &Written { name, through: &through, read: Some(read) })
    })?;
    if !json {
        let lines = receipt::put_lines("deleted", &report, "remembered until");
        lines.iter().for_each(talk::say);
        return Ok(());
    }
    let mut object = receipt::to_json(&report);
    object["key"] = args.key.into();
    if args.trace {
        object["through"] = way.url().into();
        object["steps"] = trace.into_json();
    }
    talk::object(&object)
}

impl Args {
    /// Deletes it through a node of its own.
    async fn delete_alone(
        &self,
        namespace: Namespace,
        trace: &mut Trace,
    ) -> Result<(Result<PutReport, PutError>, Through), Failure> {
        let client = self.connection.connect().await?;
        let mut delete = client.node.delete(self.key.clone()).namespace(namespace);
        if let Some(version) = self.if_version {
            delete = delete.if_version(version);
        }
        let result = match self.trace {
            true => delete.traced(|step| trace.step(step)).await,
            false => delete.await,
        };
        client.node.close().await;
        Ok((result, client.through))
    }
}
