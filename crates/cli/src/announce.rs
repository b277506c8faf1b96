//! `xorbit announce`: tells a topic's nodes that there is a peer at this machine (BEP 5).

use crate::connection::ConnectionArgs;
use crate::failure::Failure;
use crate::receipt::{self, Written};
use crate::talk;
use gateway::topic::Topic;

/// Ends the help.
pub const AFTER_HELP: &str = "Nodes forget a peer after 30 to 60 minutes: announce it again \
    before.\n\nExit codes: 0 announced at a majority of the nodes, 2 wrong usage, 3 too few took \
    it, 5 network unreachable";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The topic: any text, or an info hash of 40 hexadecimal digits
    topic: Topic,
    /// The port on which the peer listens
    #[arg(long, allow_hyphen_values = true, value_name = "N", required_unless_present = "implied_port",
        value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// The port that others see this command's own datagrams come from
    #[arg(long, conflicts_with = "port")]
    implied_port: bool,
    /// The peer has everything and only gives (BEP 33)
    #[arg(long)]
    seed: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let client = args.connection.connect().await?;
    let mut announce = client.node.announce(args.topic.info_hash(), args.port.unwrap_or_default());
    if args.implied_port {
        announce = announce.implied_port();
    }
    if args.seed {
        announce = announce.seed();
    }
    let result = announce.await;
    client.node.close().await;
    let report = result.map_err(|error| {
        let name = args.topic.to_string();
        receipt::failure(error, &Written { name, through: &client.through, read: None })
    })?;
    if json {
        let mut object = receipt::to_json(&report);
        object["info_hash"] = args.topic.info_hash().to_string().into();
        return talk::object(&object);
    }
    receipt::announcement_lines(&report).iter().for_each(talk::say);
    Ok(())
}
