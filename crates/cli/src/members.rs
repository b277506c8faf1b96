//! `xorbit members`: prints the members of the set of a key.

use serde_json::{Value, json};
use xorbit::{Cursor, LISTING_MEMBERS, ListedMember, MembersReport};

use crate::connection::{Client, ConnectionArgs};
use crate::effort::{self, count};
use crate::failure::{Failure, Kind};
use crate::hex;
use crate::moment;
use crate::set::{self, PlaceArgs};
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "One item a line; a backslash, and whatever does not print, is \
    escaped.\n\nExit codes: 0 printed, 1 the set has no members, 2 wrong usage, 3 too few replicas \
    answered or no node holds sets, 5 network unreachable";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The key of the set
    key: String,
    /// Print items as hexadecimal digits
    #[arg(long)]
    hex: bool,
    /// Print writer and end of life before each item
    #[arg(long)]
    long: bool,
    /// Print at most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Print only those behind this place, which a listing with `--limit` tells
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let namespace = args.place.namespace(args.connection.is_public())?;
    let client = args.connection.connect().await?;
    let name = format!("set `{}`", args.key);
    let mut left = args.limit.map_or(usize::MAX, |limit| limit as usize);
    let mut after = args.after;
    let mut found: Vec<Value> = Vec::new();
    let mut printed = 0;
    let last = loop {
        let mut page = client.node.members(args.key.clone()).namespace(namespace.clone());
        page = page.limit(left.min(LISTING_MEMBERS));
        if let Some(after) = after {
            page = page.after(after);
        }
        let report = match page.await {
            Ok(report) => report,
            Err(error) => {
                let Client { node, through } = client;
                node.close().await;
                return Err(set::failure(error, &name, None, &through));
            }
        };
        for member in &report.members {
            match json {
                true => found.push(to_json(member)),
                false => talk::line(line(member, &args))?,
            }
        }
        printed += report.members.len();
        left = left.saturating_sub(report.members.len());
        after = report.next;
        if after.is_none() || left == 0 {
            break report;
        }
    };
    // Members are being given to replicas that lack them.
    client.node.close().await;
    if printed == 0 && args.after.is_none() {
        return Err(Failure::new(Kind::NotFound, format!("{name} has no members"))
            .detail(format!("none at the {} that answered", count(last.answered, "replica")))
            .with("effort", effort::to_json(&last.effort)));
    }
    if json {
        return talk::object(&summary_json(&args.key, found, &last));
    }
    let replicas = count(last.known, "replica");
    let cost = effort::told(&last.effort, 0);
    let members = count(printed, "member");
    talk::say(format_args!(
        "{members} of {name} ({} of {replicas} answered, {cost})",
        last.answered
    ));
    if let Some(next) = last.next {
        talk::say(format_args!("more with `--after {next}`"));
    }
    Ok(())
}

fn line(member: &ListedMember, args: &Args) -> String {
    let item = if args.hex { hex::encode(&member.item) } else { set::shown(&member.item) };
    match args.long {
        true => format!("{} {} {item}", member.writer, moment::utc(member.expires)),
        false => item,
    }
}

fn to_json(member: &ListedMember) -> Value {
    let mut object = json!({
        "writer": member.writer.to_string(),
        "version": member.version.get(),
        "expires_ms": member.expires.0,
    });
    set::put_item(&mut object, &member.item);
    object
}

fn summary_json(key: &str, found: Vec<Value>, last: &MembersReport) -> Value {
    json!({
        "key": key,
        "target": last.target.to_string(),
        "members": found,
        "next": last.next.map(|next| next.to_string()),
        "held": last.held,
        "answered": last.answered,
        "needed": last.needed,
        "known": last.known,
        "repairing": last.repairing,
        "effort": effort::to_json(&last.effort),
    })
}
