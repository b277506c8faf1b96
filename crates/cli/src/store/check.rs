//! `xorbit store check`: counts what a data directory holds, and verifies it.

use std::path::PathBuf;

use gateway::hex;
use serde_json::{Value, json};
use xorbit::offline::{Condition, Entry, Fault, Reader};
use xorbit::{KnownKeys, NodeId, Persisted, UnixMillis, wall_clock};

use crate::effort::count;
use crate::failure::{Failure, Kind};
use crate::mended;
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "Nothing is changed. Bytes at the end that a power cut may have left of one \
    commit are told, and no damage: nothing of it was acknowledged then. That it was the last commit \
    that was damaged instead cannot be told from that.\n\n\
    Exit codes: 0 all is sound, 2 no data directory, or one that is in use or cannot be read, \
    3 something is damaged";

/// Faults that are told one by one.
const TOLD: usize = 10;

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The data directory of a node that does not run
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// What was found.
#[derive(Default)]
struct Findings {
    mutable: usize,
    immutable: usize,
    markers: usize,
    peers: usize,
    members: usize,
    promises: usize,
    node: Option<(NodeId, usize)>,
    unknown: usize,
    ended: usize,
    /// Entries whose bytes are not those that were written.
    damaged: u64,
    faults: usize,
    /// The first of them.
    told: Vec<String>,
}

/// Does it.
pub fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let mut reader = Reader::open(&args.directory)?;
    let (mut findings, mut keys) = (Findings::default(), KnownKeys::default());
    let now = wall_clock();
    findings.damaged = reader.each(|entry| findings.add(entry, &mut keys, now))?;
    let condition = reader.condition();
    if condition.is_damaged() || findings.damaged > 0 || findings.faults > 0 {
        return Err(damaged(args, &findings, condition));
    }
    if json {
        return talk::object(&to_json(&findings, condition));
    }
    talk::line(format_args!("`{}` is sound", args.directory.display()))?;
    lines(&findings, condition).iter().try_for_each(|line| talk::line(format_args!("  {line}")))
}

impl Findings {
    fn add(&mut self, entry: &Entry<'_>, keys: &mut KnownKeys, now: UnixMillis) {
        if let Err(fault) = entry.check(keys) {
            return self.fault(entry, fault);
        }
        self.ended += usize::from(entry.has_ended(now));
        match entry {
            Entry::Kept(Persisted::Item { item, .. }) if item.signed.is_some() => self.mutable += 1,
            Entry::Kept(Persisted::Item { .. }) => self.immutable += 1,
            Entry::Kept(Persisted::Marker { .. }) => self.markers += 1,
            Entry::Kept(Persisted::Peer(_)) => self.peers += 1,
            Entry::Kept(Persisted::Member(_)) => self.members += 1,
            Entry::Promise(_) => self.promises += 1,
            Entry::Node { id, contacts } => self.node = Some((*id, contacts.len())),
            Entry::Other { .. } => self.unknown += 1,
        }
    }

    fn fault(&mut self, entry: &Entry<'_>, fault: Fault) {
        self.faults += 1;
        if self.told.len() < TOLD {
            let what = match entry {
                Entry::Kept(Persisted::Item { target, .. }) => format!("item `{target}`"),
                Entry::Kept(Persisted::Member(kept)) => format!("a member of `{}`", kept.target),
                Entry::Promise(promise) => {
                    format!("the promise under `{}`", hex::encode(promise.key))
                }
                Entry::Other { key, .. } => format!("the entry under `{}`", hex::encode(key)),
                // Nothing else is checked.
                _ => "an entry".to_owned(),
            };
            self.told.push(format!("{what}: {fault}"));
        }
    }
}

/// What there is, in words.
fn lines(findings: &Findings, condition: &Condition) -> Vec<String> {
    let Findings { mutable, immutable, markers, peers, members, unknown, ended, .. } = findings;
    let mut lines = vec![
        format!(
            "{}: {mutable} mutable, {immutable} immutable; {} of items that have ended",
            count(mutable + immutable, "item"),
            count(*markers, "marker"),
        ),
        format!("{}, {} of sets", count(*peers, "peer"), count(*members, "member")),
    ];
    if findings.promises > 0 {
        lines.push(format!("{}: they hold secrets", count(findings.promises, "promise")));
    }
    match findings.node {
        Some((id, contacts)) => {
            lines.push(format!("node {id} with {}", count(contacts, "contact")))
        }
        None => lines.push("no identity: the node gets a new one".to_owned()),
    }
    if *unknown > 0 {
        lines.push(format!(
            "{unknown} unknown, of a later version, which a node of this one leaves as they are"
        ));
    }
    if *ended > 0 {
        lines.push(format!("{ended} of all these have ended, and go when the node starts"));
    }
    if condition.cut_off_bytes > 0 {
        lines.push(format!(
            "{} bytes at the end that are no whole commit, which go when it starts: a power cut left \
             them, or the last commit is damaged",
            condition.cut_off_bytes
        ));
    }
    if let Some(format) = condition.earlier_format {
        lines.push(format!("format {format}, which the node brings to the present one"));
    }
    lines.push(format!("{} bytes on the disk", condition.disk_bytes));
    lines
}

fn damaged(args: &Args, findings: &Findings, condition: &Condition) -> Failure {
    let what = format!("`{}` is damaged", args.directory.display());
    let mut failure = Failure::new(Kind::Damaged, what);
    if condition.damaged_bytes > 0 || !condition.damaged_files.is_empty() {
        failure = failure.detail(format!(
            "{} bytes cannot be understood; the next start sets aside {}",
            condition.damaged_bytes,
            condition.damaged_files.join(", "),
        ));
    }
    if condition.missing_commits > 0 {
        failure = failure.detail(mended::missing(condition.missing_commits));
    }
    if findings.damaged > 0 {
        let entries = match findings.damaged {
            1 => "1 entry has".to_owned(),
            many => format!("{many} entries have"),
        };
        failure = failure.detail(format!("{entries} another checksum than was written"));
    }
    for told in &findings.told {
        failure = failure.detail(told.clone());
    }
    if findings.faults > findings.told.len() {
        let more = findings.faults - findings.told.len();
        failure = failure.detail(format!("{more} more that do not verify"));
    }
    failure = failure.detail("what is sound in it:");
    for line in lines(findings, condition) {
        failure = failure.detail(format!("  {line}"));
    }
    failure
        .with("found", to_json(findings, condition))
        .hint("a start serves all that is sound; `xorbit store export` saves it, other nodes bring back what they hold")
}

fn to_json(findings: &Findings, condition: &Condition) -> Value {
    json!({
        "mutable_items": findings.mutable,
        "immutable_items": findings.immutable,
        "markers": findings.markers,
        "peers": findings.peers,
        "members": findings.members,
        "promises": findings.promises,
        "id": findings.node.map(|(id, _)| id.to_string()),
        "contacts": findings.node.map_or(0, |(_, contacts)| contacts),
        "unknown": findings.unknown,
        "ended": findings.ended,
        "unverified": findings.faults,
        "faults": findings.told,
        "damaged_entries": findings.damaged,
        "damaged_files": condition.damaged_files,
        "damaged_bytes": condition.damaged_bytes,
        "missing_commits": condition.missing_commits,
        "cut_off_bytes": condition.cut_off_bytes,
        "earlier_format": condition.earlier_format,
        "disk_bytes": condition.disk_bytes,
    })
}
