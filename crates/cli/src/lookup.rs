//! `xorbit lookup`: walks towards a place in the key space and prints the closest nodes.

use gateway::{hex, shapes, span};
use xorbit::{Ended, Key, LookupReport, LookupStep, Point};

use crate::connection::ConnectionArgs;
use crate::effort::{self, count};
use crate::failure::{Failure, Kind};
use crate::namespace::ReadableArgs;
use crate::talk;
use crate::trace::Trace;

/// Ends the help.
pub const AFTER_HELP: &str = "Exit codes: 0 printed, 2 wrong usage, 5 network unreachable";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A key, looked up where its record lies, or `hex:` and 40 hexadecimal digits
    #[arg(value_name = "KEY|hex:ID")]
    place: String,
    /// Tell each step: who was asked, when, in what time it answered, with what
    #[arg(long)]
    trace: bool,
    #[command(flatten)]
    namespace: ReadableArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let point = place(&args)?;
    let client = args.connection.connect().await?;
    let mut lookup = client.node.lookup(point).await?;
    let mut trace = Trace::new(json);
    let mut ended = None;
    while let Some(step) = lookup.next().await {
        match step {
            LookupStep::Asked(step) if args.trace => trace.step(&step),
            LookupStep::Asked(_) => {}
            LookupStep::Ended(report) => ended = Some(report),
        }
    }
    client.node.close().await;
    let report = ended.ok_or(xorbit::Closed)?;
    if report.ended == Ended::Unreachable {
        return Err(client.through.unreachable());
    }
    if json {
        let mut object = effort::object(&shapes::Lookup::new(&point, &report));
        if args.trace {
            object["steps"] = trace.into_json();
        }
        return talk::object(&object);
    }
    for node in &report.closest {
        let shared = point.shared_bits(&node.contact.id.point());
        let (id, endpoint) = (node.contact.id, node.contact.endpoint.to_string());
        let round_trip = span::told(node.round_trip);
        talk::line(format_args!("{id}  {endpoint:<21}  shares {shared:>3} bits  {round_trip}"))?;
    }
    let closest = count(report.closest.len(), "closest node");
    talk::say(format_args!(
        "{closest} to {point}{} ({})",
        end(&report),
        effort::told(&report.effort, 0)
    ));
    for silent in &report.silent {
        talk::say(format_args!("  silent: {:.8} at {}", silent.id, silent.endpoint));
    }
    Ok(())
}

/// Where to walk.
fn place(args: &Args) -> Result<Point, Failure> {
    if let Some(digits) = args.place.strip_prefix("hex:") {
        let id = hex::decode(digits).ok_or_else(|| {
            Failure::new(Kind::Usage, format!("`{digits}` is not 40 hexadecimal digits"))
        })?;
        return Ok(Point::new(id));
    }
    let namespace = args.namespace.namespace(args.connection.is_public())?;
    let key = Key::new(args.place.clone())
        .map_err(|error| Failure::new(Kind::Usage, error.to_string()))?;
    Ok(namespace.target(&key).point())
}

/// What is to be said about the end, if it did not simply get there.
fn end(report: &LookupReport) -> &'static str {
    match report.ended {
        Ended::Converged | Ended::Proved | Ended::Unreachable => "",
        Ended::OutOfMessages => ", ended after as many messages as a lookup may send",
        Ended::OutOfTime => ", ended after as long as a lookup may take",
        Ended::Cancelled => ", ended early",
    }
}
