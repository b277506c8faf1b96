//! `xorbit sample`: asks one node which topics it holds peers of (BEP 51).

use gateway::span;
use serde_json::{Value, json};
use xorbit::{Answer, Contact, Point};

use crate::connection::{NetworkArgs, host_and_port};
use crate::effort::count;
use crate::failure::{Failure, Kind};
use crate::ping::refused;
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "Exit codes: 0 printed, 2 wrong usage, 3 it refuses or gives no \
    samples, 5 nobody answers";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Whom to ask
    #[arg(value_name = "HOST:PORT", value_parser = host_and_port)]
    to: String,
    /// Near which place contacts are wanted, 40 hexadecimal digits [default: all zeros]
    #[arg(long, value_name = "ID", default_value_t = Point::new([0; 20]), hide_default_value = true)]
    target: Point,
    #[command(flatten)]
    network: NetworkArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let (client, address) = args.network.reach(&args.to).await?;
    let answer = client.node.sample(address, args.target).await?;
    client.node.close().await;
    let (id, samples, num, interval, nodes) = match answer {
        Answer::Samples { id, samples: Some(samples), num, interval, nodes } => {
            (id, samples, num, interval, nodes)
        }
        Answer::Samples { samples: None, .. } => {
            return Err(Failure::new(Kind::Refused, format!("`{}` gives no samples", args.to))
                .hint("not every program supports BEP 51; ask another node"));
        }
        Answer::Refused { code, text } => return Err(refused(&args.to, code, &text)),
        _ => return Err(client.through.unreachable()),
    };
    if json {
        return talk::object(&json!({
            "id": id.to_string(),
            "samples": samples.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "num": num,
            "interval_s": interval.as_secs(),
            "nodes": nodes.iter().map(contact).collect::<Vec<_>>(),
        }));
    }
    for info_hash in &samples {
        talk::line(info_hash)?;
    }
    talk::say(format_args!(
        "{} of {num}, the same for {}; {} near the target",
        count(samples.len(), "topic"),
        span::told(interval),
        count(nodes.len(), "contact")
    ));
    Ok(())
}

fn contact(contact: &Contact) -> Value {
    json!({ "id": contact.id.to_string(), "address": contact.endpoint.to_string() })
}
