//! `xorbit remove`: removes an item from the set of a key, so that no copy of it comes back.

use crate::connection::ConnectionArgs;
use crate::failure::Failure;
use crate::set::{self, ItemArgs, WriterArgs};
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "Only who added an item can remove it.\n\nExit codes: 0 removed at a \
    majority of the replicas, 1 that writer has no such member, 2 wrong usage, 3 too few replicas \
    took it or no node holds sets, 5 network unreachable";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The key of the set
    key: String,
    #[command(flatten)]
    item: ItemArgs,
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
    let mut remove = client.node.remove(args.key.clone(), item).namespace(namespace);
    if let Some(signer) = &signer {
        remove = remove.writer(signer);
    }
    let result = remove.await;
    client.node.close().await;
    let report = result.map_err(|error| {
        let name = format!("set `{}`", args.key);
        set::failure(error, &name, Some(&args.item), &client.through)
    })?;
    if !json {
        set::lines("removed", &report, "remembered until").iter().for_each(talk::say);
        return Ok(());
    }
    let mut object = set::to_json(&report);
    object["key"] = args.key.into();
    talk::object(&object)
}
