//! `xorbit peers`: prints the peers of a topic as they are found (BEP 5).

use serde_json::json;
use xorbit::Ended;

use crate::connection::ConnectionArgs;
use crate::effort::{self, count};
use crate::failure::{Failure, Kind};
use crate::talk;
use gateway::topic::Topic;

/// Ends the help.
pub const AFTER_HELP: &str = "Exit codes: 0 printed, 1 nobody announced the topic, 2 wrong usage, \
    5 network unreachable";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The topic: any text, or an info hash of 40 hexadecimal digits
    topic: Topic,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let client = args.connection.connect().await?;
    let mut peers = client.node.peers(args.topic.info_hash()).await?;
    let mut found = Vec::new();
    while let Some(peer) = peers.next().await {
        if !json {
            talk::line(peer)?;
        }
        found.push(peer.to_string());
    }
    let report = peers.finish().await?;
    client.node.close().await;
    if report.ended == Ended::Unreachable {
        return Err(client.through.unreachable());
    }
    if found.is_empty() {
        let answered = count(report.effort.answered, "node");
        return Err(Failure::new(Kind::NotFound, format!("no peers of {}", args.topic))
            .detail(format!("none known to the {answered} that answered"))
            .with("effort", effort::to_json(&report.effort)));
    }
    if json {
        return talk::object(&json!({
            "info_hash": args.topic.info_hash().to_string(),
            "peers": found,
            "effort": effort::to_json(&report.effort),
        }));
    }
    let cost = effort::told(&report.effort, 0);
    talk::say(format_args!("{} of {} ({cost})", count(found.len(), "peer"), args.topic));
    Ok(())
}
