//! `xorbit watch`: prints each newer version of a key as it comes.

use gateway::shapes::{self, written_at};
use serde_json::Value;
use xorbit::{Version, WatchContent, WatchError, Watched};

use crate::connection::{ConnectionArgs, Through};
use crate::effort;
use crate::failure::{Failure, Kind};
use crate::leave::Leave;
use crate::moment;
use crate::namespace::ReadableArgs;
use crate::size;
use crate::talk;
use crate::text;

/// Ends the help.
pub const AFTER_HELP: &str = "\
A line tells the version, when it was written, and the value; unprintable characters are escaped,
`, deleted` stands there of a deletion, `, N bytes` of a value of many chunks, and `, does not open`
of what the secret does not open.
Versions rise; the last is never missed, but those that were overwritten meanwhile may be.

Exit codes: 0 left by Ctrl-C or after --count, 2 wrong usage, 5 network unreachable";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The key
    key: String,
    /// Only versions above this one: to go on where another watch ended
    #[arg(long, allow_hyphen_values = true, value_name = "VERSION", value_parser = text::version)]
    after: Option<Version>,
    /// End after so many versions
    #[arg(long, allow_hyphen_values = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    namespace: ReadableArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let namespace = args.namespace.namespace(args.connection.is_public())?;
    let mut leave = Leave::heed()?;
    let client = args.connection.connect().await?;
    let mut watch = client.node.watch(args.key.clone()).namespace(namespace);
    if let Some(version) = args.after {
        watch = watch.after(version);
    }
    let failure = |error| failure(error, &client.through);
    let mut watching = watch.await.map_err(failure)?;
    let mut left = args.count;
    while left != Some(0) {
        let told = tokio::select! {
            () = leave.asked() => break,
            told = watching.next() => told.ok_or(xorbit::Closed)?,
        };
        let watched = told.map_err(failure)?;
        let read = match json {
            true => talk::next_line(to_json(&args.key, &watched))?,
            false => talk::next_line(line(&watched))?,
        };
        if !read {
            break;
        }
        left = left.map(|left| left - 1);
    }
    drop(watching);
    client.node.close().await;
    Ok(())
}

/// As `1700000000000000, 2023-11-14 22:13:20 UTC: hello`.
fn line(watched: &Watched) -> String {
    let written = written_at(watched.version).map(moment::utc);
    let written = written.map_or_else(String::new, |written| format!(", {written}"));
    let version = watched.version;
    match &watched.content {
        WatchContent::Value(value) => format!("{version}{written}: {}", text::shown(value)),
        WatchContent::Large(manifest) => {
            format!(
                "{version}{written}, {} bytes, to be fetched by get",
                size::grouped(manifest.length)
            )
        }
        WatchContent::Deleted => format!("{version}{written}, deleted"),
        WatchContent::Unopened => format!("{version}{written}, does not open"),
    }
}

fn to_json(key: &str, watched: &Watched) -> Value {
    let mut object = effort::object(&shapes::Watched::from(watched));
    object["key"] = key.into();
    object
}

fn failure(error: WatchError, through: &Through) -> Failure {
    match error {
        WatchError::Unreachable => through.unreachable(),
        WatchError::Key(_) => Failure::new(Kind::Usage, error.to_string()),
        WatchError::Busy | WatchError::Closed => Failure::new(Kind::Environment, error.to_string()),
    }
}
