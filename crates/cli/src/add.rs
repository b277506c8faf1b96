//! `xorbit add`: adds an item to the set of a key.

use std::time::Duration;

use gateway::span;

use crate::connection::ConnectionArgs;
use crate::failure::Failure;
use crate::set::{self, ItemArgs, WriterArgs};
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "Adding an item again renews its life.\n\nExit codes: 0 stored at a \
    majority of the replicas, 2 wrong usage, 3 too few replicas stored or no node holds sets, 5 \
    network unreachable";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The key of the set, 1 to 1,024 bytes
    key: String,
    #[command(flatten)]
    item: ItemArgs,
    /// How long it is a member, such as 24h or 1h30m; at most a year [default: 7 days]
    #[arg(long, allow_hyphen_values = true, value_name = "SPAN", value_parser = span::parse)]
    ttl: Option<Duration>,
    #[command(flatten)]
    writer: WriterArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let (namespace, signer) = args.writer.read(args.connection.is_public())?;
    let item = args.item.read()?;
    let client = args.connection.connect().await?;
    let mut add = client.node.add(args.key.clone(), item).namespace(namespace);
    if let Some(signer) = &signer {
        add = add.writer(signer);
    }
    if let Some(ttl) = args.ttl {
        add = add.ttl(ttl);
    }
    let result = add.await;
    client.node.close().await;
    let report = result.map_err(|error| {
        let name = format!("set `{}`", args.key);
        set::failure(error, &name, Some(&args.item), &client.through)
    })?;
    if !json {
        set::lines("added", &report, "lives until").iter().for_each(talk::say);
        return Ok(());
    }
    let mut object = set::to_json(&report);
    object["key"] = args.key.into();
    talk::object(&object)
}
