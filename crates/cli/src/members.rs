//! `xorbit members`: prints the members of the set of a key.

use gateway::hex;
use serde_json::{Value, json};
use xorbit::{Cursor, LISTING_MEMBERS, ListedMember, MEMBERS_PER_SET, MembersReport, Namespace};

use crate::connection::{Client, ConnectionArgs};
use crate::effort::{self, count};
use crate::failure::{Failure, Kind};
use crate::moment;
use crate::set::{self, PlaceArgs};
use crate::talk;
use crate::text::shown;

/// Ends the help.
pub const AFTER_HELP: &str = "One item a line; a backslash, and whatever does not print, is \
    escaped.\n\nExit codes: 0 printed, 1 the set has no members, 2 wrong usage, 3 too few replicas \
    answered or no node holds sets, 5 network unreachable";

/// After so many parts in a row in which nobody told a member, and yet there are more, a listing ends:
/// each takes up to 30 s.
const EMPTY_PARTS: usize = 3;

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
    #[arg(long, allow_hyphen_values = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
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
    let listed = list(&args, &namespace, &client, json).await;
    // Members are being given to replicas that lack them.
    client.node.close().await;
    let Listed { found, last, course, end } = listed?;
    let printed = course.members;
    if end == End::HadEnough {
        return Ok(());
    }
    let name = format!("set `{}`", args.key);
    if printed == 0 && args.after.is_none() && end == End::All {
        return Err(Failure::new(Kind::NotFound, format!("{name} has no members"))
            .detail(format!("none at the {} that answered", count(last.answered, "replica")))
            .with("effort", effort::to_json(&last.effort)));
    }
    if json {
        return talk::object(&summary_json(&args.key, found, course.unopened, &last));
    }
    let replicas = count(last.known, "replica");
    let cost = effort::told(&last.effort, 0);
    let members = count(printed, "member");
    talk::say(format_args!(
        "{members} of {name} ({} of {replicas} answered, {cost})",
        last.answered
    ));
    if end == End::Endless {
        talk::say("ended here: a replica tells of more members than a set can have");
    }
    if course.unopened > 0 {
        talk::say(format_args!("{} more do not open with the passphrase", course.unopened));
    }
    if let Some(next) = last.next {
        talk::say(format_args!("more with `--after {next}`"));
    }
    Ok(())
}

/// What was listed.
struct Listed {
    /// For JSON; else all is printed.
    found: Vec<Value>,
    last: MembersReport,
    course: Course,
    end: End,
}

/// Why a listing is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing is behind it.
    All,
    /// There are as many as were asked for.
    Limit,
    /// Who reads it wants no more.
    HadEnough,
    /// No set goes on for so long.
    Endless,
}

/// Lists part by part.
async fn list(
    args: &Args,
    namespace: &Namespace,
    client: &Client,
    json: bool,
) -> Result<Listed, Failure> {
    let (mut after, mut found, mut course) = (args.after, Vec::new(), Course::new(args.limit));
    loop {
        let part = client.node.members(args.key.clone()).namespace(namespace.clone());
        let part = part.limit(course.left().min(LISTING_MEMBERS));
        let part = match after {
            Some(after) => part.after(after),
            None => part,
        };
        let name = format!("set `{}`", args.key);
        let last = part.await.map_err(|error| set::failure(error, &name, None, &client.through))?;
        let mut end = course.part(&last);
        for member in &last.members {
            if json {
                found.push(to_json(member));
            } else if !talk::next_line(line(member, args))? {
                end = Some(End::HadEnough);
                break;
            }
        }
        if let Some(end) = end {
            return Ok(Listed { found, last, course, end });
        }
        after = last.next;
    }
}

/// How far a listing has come. A replica can make up members behind every place that it is asked
/// for, so that none is the last.
struct Course {
    limit: usize,
    members: usize,
    /// Members that do not open with the passphrase.
    unopened: usize,
    /// Parts in a row without any.
    empty: usize,
}

impl Course {
    fn new(limit: Option<u32>) -> Self {
        let limit = limit.map_or(usize::MAX, |limit| limit as usize);
        Self { limit, members: 0, unopened: 0, empty: 0 }
    }

    /// How many more are asked for.
    fn left(&self) -> usize {
        self.limit - self.members
    }

    /// Takes note of a part; tells whether the listing is over.
    fn part(&mut self, part: &MembersReport) -> Option<End> {
        self.hear(part.members.len(), part.unopened, part.next.is_some(), part.known)
    }

    fn hear(
        &mut self,
        members: usize,
        unopened: usize,
        more: bool,
        replicas: usize,
    ) -> Option<End> {
        self.members = (self.members + members).min(self.limit);
        self.unopened += unopened;
        self.empty = if members + unopened == 0 { self.empty + 1 } else { 0 };
        // Each replica may hold others.
        let most = replicas.max(1) * MEMBERS_PER_SET;
        match more {
            false => Some(End::All),
            true if self.left() == 0 => Some(End::Limit),
            true if self.members + self.unopened >= most || self.empty == EMPTY_PARTS => {
                Some(End::Endless)
            }
            true => None,
        }
    }
}

fn line(member: &ListedMember, args: &Args) -> String {
    let item = if args.hex { hex::encode(&member.item) } else { shown(&member.item) };
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

fn summary_json(key: &str, found: Vec<Value>, unopened: usize, last: &MembersReport) -> Value {
    json!({
        "key": key,
        "target": last.target.to_string(),
        "members": found,
        "unopened": unopened,
        "next": last.next.map(|next| next.to_string()),
        "held": last.held,
        "answered": last.answered,
        "needed": last.needed,
        "known": last.known,
        "repairing": last.repairing,
        "effort": effort::to_json(&last.effort),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_ends_when_all_is_told_or_more_than_a_set_can_have() {
        let mut course = Course::new(None);
        for _ in 0..8 {
            assert_eq!(course.hear(1_000, 0, true, 2), None);
        }
        assert_eq!(course.hear(1_000, 0, true, 2), Some(End::Endless));
        let mut course = Course::new(None);
        assert_eq!((course.hear(0, 0, true, 2), course.hear(0, 0, true, 2)), (None, None));
        assert_eq!((course.hear(1, 0, true, 2), course.hear(0, 0, true, 2)), (None, None));
        assert_eq!(course.hear(0, 0, true, 2), None);
        assert_eq!(course.hear(0, 0, true, 2), Some(End::Endless));
        let mut course = Course::new(Some(1_200));
        assert_eq!((course.left(), course.hear(1_000, 0, true, 1)), (1_200, None));
        assert_eq!((course.left(), course.hear(200, 0, true, 1)), (200, Some(End::Limit)));
        assert_eq!(Course::new(None).hear(0, 0, false, 1), Some(End::All));
    }
}
