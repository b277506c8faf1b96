//! `xorbit put --batch` and `xorbit get --batch`: many keys at once, a line for each.

mod lines;
mod tally;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use xorbit::{
    Batch, Consistency, Get, GetError, GetReport, Namespace, OneOfMany, Put, PutError, PutReport,
};

use crate::connection::Client;
use crate::failure::{Failure, Kind};
use crate::receipt::{self, Written};
use crate::report;
use crate::text::shown;
use lines::{IfVersion, Lines};
use tally::{Line, Tally};

/// After so many keys in a row for which nobody answered at all, the others are given up: each would
/// find out only after a timeout of its own. A node starts as many at once; that all of their
/// datagrams were merely lost is not to be believed.
const UNREACHABLE: usize = 16;

/// What holds for all puts of a batch.
pub struct PutAll {
    /// Where all keys live.
    pub namespace: Namespace,
    /// For lines that tell no other.
    pub ttl: Option<Duration>,
    /// Just the bytes, without an envelope.
    pub plain: bool,
}

/// What holds for all gets of a batch.
pub struct GetAll {
    /// Where all keys live.
    pub namespace: Namespace,
    /// How many replicas to wait for.
    pub consistency: Consistency,
}

/// Lines that were read, as far as they are not told yet.
struct Journal {
    lines: Lines,
    /// Handed to the node, by their number in its batch.
    begun: HashMap<usize, Line>,
    read: usize,
    bad: Vec<(Line, Failure)>,
}

impl Journal {
    fn new(lines: Lines) -> RefCell<Self> {
        RefCell::new(Self { lines, begun: HashMap::new(), read: 0, bad: Vec::new() })
    }

    /// The next good line; bad ones on the way are noted.
    fn next<T>(
        &mut self,
        parse: impl Fn(&str) -> Result<T, String>,
        key: impl Fn(&T) -> &str,
    ) -> Option<T> {
        loop {
            let (number, text) = self.lines.next()?;
            let parsed =
                text.and_then(|text| parse(&text).map_err(|why| Failure::new(Kind::Usage, why)));
            match parsed {
                Ok(parsed) => {
                    let line = Line { number, key: Some(key(&parsed).to_owned()) };
                    self.begun.insert(self.read, line);
                    self.read += 1;
                    return Some(parsed);
                }
                Err(failure) => self.bad.push((Line { number, key: None }, failure)),
            }
        }
    }
}

/// Puts what the lines of a file say.
pub async fn put(client: Client, file: &Path, all: PutAll, json: bool) -> Result<(), Failure> {
    let lines = Lines::open(file)?;
    let tally = Tally::new(json, lines.count);
    let journal = Journal::new(lines);
    let puts = std::iter::from_fn(|| {
        let line = journal.borrow_mut().next(lines::put, |line| &line.key)?;
        let mut put = client.node.put(line.key, line.value).namespace(all.namespace.clone());
        if let Some(ttl) = line.ttl.or(all.ttl) {
            put = put.ttl(ttl);
        }
        if let Some(content_type) = line.content_type {
            put = put.content_type(content_type);
        }
        put = match line.if_version {
            Some(IfVersion::Absent) => put.if_absent(),
            Some(IfVersion::Is(version)) => put.if_version(version),
            None => put,
        };
        Some(if all.plain { put.plain() } else { put })
    });
    let batch = client.node.put_all(puts);
    let told = drive::<_, Put>(batch, &journal, tally, &client, "stored").await;
    client.node.close().await;
    told
}

/// Gets the keys that the lines of a file name.
pub async fn get(client: Client, file: &Path, all: GetAll, json: bool) -> Result<(), Failure> {
    let lines = Lines::open(file)?;
    let tally = Tally::new(json, lines.count);
    let journal = Journal::new(lines);
    let gets = std::iter::from_fn(|| {
        let key = journal.borrow_mut().next(lines::key, |key| key)?;
        let get = client.node.get(key).namespace(all.namespace.clone());
        Some(get.consistency(all.consistency))
    });
    let batch = client.node.get_all(gets);
    let told = drive::<_, Get>(batch, &journal, tally, &client, "got").await;
    client.node.close().await;
    told
}

/// How an outcome is told.
trait Told: OneOfMany {
    /// Whether it is done for what it prints alone: if nobody reads that any more, the rest is left.
    const FOR_ITS_ANSWER: bool;

    type Report;

    /// The report, or why it failed.
    fn judge(outcome: Self::Outcome, client: &Client) -> Result<Self::Report, Failure>;

    fn line(report: &Self::Report) -> String;

    fn object(report: &Self::Report) -> Value;
}

impl Told for Put {
    const FOR_ITS_ANSWER: bool = false;

    type Report = PutReport;

    fn judge(outcome: Result<PutReport, PutError>, client: &Client) -> Result<PutReport, Failure> {
        outcome.map_err(|error| {
            let too_large = matches!(error, PutError::TooLarge { .. });
            let written = Written { name: "the key".into(), through: &client.through, read: None };
            let failure = receipt::failure(error, &written);
            if too_large { failure.hint("put it by itself, without `--batch`") } else { failure }
        })
    }

    fn line(report: &PutReport) -> String {
        let replicas = receipt::replicas(&report.replicas);
        let version = report.version.map(|version| format!("version {version}, "));
        format!("{}{replicas}", version.unwrap_or_default())
    }

    fn object(report: &PutReport) -> Value {
        receipt::to_json(report)
    }
}

impl Told for Get {
    const FOR_ITS_ANSWER: bool = true;

    type Report = GetReport;

    fn judge(outcome: Result<GetReport, GetError>, client: &Client) -> Result<GetReport, Failure> {
        let report = outcome.map_err(|error| report::failure(error, "the key", &client.through))?;
        match &report.manifest {
            None => Ok(report),
            Some(manifest) => {
                let length = manifest.length;
                let size = crate::size::told(length);
                let what = format!("the value has {size}, too many to come in a batch");
                let failure = Failure::new(Kind::Refused, what).with("length", length);
                Err(failure.hint("get it by itself, without `--batch`"))
            }
        }
    }

    fn line(report: &GetReport) -> String {
        shown(&report.value)
    }

    fn object(report: &GetReport) -> Value {
        report::to_json(report)
    }
}

/// Tells of each key as it ends.
async fn drive<I: Iterator<Item = T>, T: Told>(
    mut batch: Batch<I>,
    journal: &RefCell<Journal>,
    mut tally: Tally,
    client: &Client,
    verb: &str,
) -> Result<(), Failure> {
    let mut unreachable = 0;
    loop {
        let ended = batch.next().await;
        for (line, failure) in std::mem::take(&mut journal.borrow_mut().bad) {
            if !tally.failed(&line, &failure)? && T::FOR_ITS_ANSWER {
                return Ok(());
            }
        }
        let Some((number, outcome)) = ended else { break };
        let Some(line) = journal.borrow_mut().begun.remove(&number) else { continue };
        let listened_to = match T::judge(outcome, client) {
            Ok(report) => {
                unreachable = 0;
                tally.done(&line, || T::line(&report), || T::object(&report))?
            }
            Err(failure) => {
                match failure.kind() {
                    Kind::Unreachable => unreachable += 1,
                    _ => unreachable = 0,
                }
                tally.failed(&line, &failure)?
            }
        };
        if !listened_to && T::FOR_ITS_ANSWER {
            return Ok(());
        }
        if unreachable == UNREACHABLE {
            break;
        }
    }
    tally.finish(verb, (unreachable >= UNREACHABLE).then_some(&client.through))
}
