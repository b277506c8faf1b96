//! `xorbit scrape`: estimates how many seeds and other peers a topic has (BEP 33).

use serde_json::json;
use xorbit::{Bloom, Ended};

use crate::connection::ConnectionArgs;
use crate::effort::{self, count};
use crate::failure::{Failure, Kind};
use crate::talk;
use gateway::topic::Topic;

/// Ends the help.
pub const AFTER_HELP: &str = "Addresses are counted, not ports, by filters that hold up to about \
    6,000 of them.\n\nExit codes: 0 printed, 1 nobody announced the topic, 2 wrong usage, 5 \
    network unreachable";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The topic: any text, or an info hash of 40 hexadecimal digits
    #[arg(value_name = "INFOHASH")]
    topic: Topic,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let client = args.connection.connect().await?;
    let report = client.node.scrape(args.topic.info_hash()).await?.finish().await?;
    client.node.close().await;
    if report.ended == Ended::Unreachable {
        return Err(client.through.unreachable());
    }
    let Some(filters) = &report.filters else {
        let answered = count(report.effort.answered, "node");
        return Err(Failure::new(Kind::NotFound, format!("nothing known of {}", args.topic))
            .detail(format!("no counts from the {answered} that answered")));
    };
    let (seeds, peers) = (estimate(&filters.0), estimate(&filters.1));
    if json {
        return talk::object(&json!({
            "info_hash": args.topic.info_hash().to_string(),
            "seeds": seeds,
            "peers": peers,
            "effort": effort::to_json(&report.effort),
        }));
    }
    talk::line(format_args!("about {}, {}", count(seeds, "seed"), count(peers, "other peer")))?;
    talk::say(format_args!("{} ({})", args.topic, effort::told(&report.effort, 0)));
    Ok(())
}

/// Filters know no fractions of a peer. The cast saturates, and nothing here is negative.
fn estimate(filter: &Bloom) -> usize {
    filter.estimate().round() as usize
}
