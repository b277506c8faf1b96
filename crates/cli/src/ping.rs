//! `xorbit ping`: asks one address whether a node is there.

use gateway::span;
use serde_json::json;
use xorbit::Answer;

use crate::connection::{NetworkArgs, host_and_port};
use crate::failure::{Failure, Kind};
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str =
    "Exit codes: 0 a node is there, 2 wrong usage, 3 it refuses, 5 nobody answers";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Whom to ask
    #[arg(value_name = "HOST:PORT", value_parser = host_and_port)]
    to: String,
    #[command(flatten)]
    network: NetworkArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let (client, address) = args.network.reach(&args.to).await?;
    let answer = client.node.ping(address).await?;
    client.node.close().await;
    match answer {
        Answer::Pong { id, round_trip } if json => talk::object(&json!({
            "id": id.to_string(),
            "address": address.to_string(),
            "round_trip_ms": span::millis(round_trip),
        })),
        Answer::Pong { id, round_trip } => {
            talk::line(format_args!("{id} at {address} answers in {}", span::told(round_trip)))
        }
        Answer::Refused { code, text } => Err(refused(&args.to, code, &text)),
        _ => Err(client.through.unreachable()),
    }
}

/// A node answered that it will not.
pub fn refused(who: &str, code: i64, text: &str) -> Failure {
    // What a stranger wrote is told without its control characters.
    Failure::new(Kind::Refused, format!("`{who}` refuses ({code}: {})", text.escape_debug()))
        .with("code", code)
        .with("text", text)
}
