//! How puts, deletions and announcements are told: what they came to at each replica, or why they
//! failed and what to do.

use gateway::{shapes, span};
use serde_json::Value;
use xorbit::{ChunksReport, MAX_TTL, PutError, PutReport, Refusal, Version, WriteReport};

use crate::connection::Through;
use crate::effort::{self, count};
use crate::failure::{Failure, Kind};
use crate::moment;
use crate::size;

/// What is written, for telling of it.
pub struct Written<'a> {
    /// As in ``key `greeting` ``.
    pub name: String,
    /// Whom the network was reached through.
    pub through: &'a Through,
    /// The command that reads it.
    pub read: Option<String>,
}

/// The lines of a receipt; `first` begins with what was done.
fn lines(mut first: String, report: &PutReport, lives: &str) -> Vec<String> {
    if let Some(version) = report.version {
        first.push_str(&format!(", version {version}"));
    }
    if let Some(expires) = report.expires {
        first.push_str(&format!(", {lives} {}", moment::utc(expires)));
    }
    let writes = effort::writes(&report.replicas);
    first.push_str(&format!(" ({})", effort::told(&report.replicas.effort, writes)));
    let mut lines = vec![first];
    if let Some(chunks) = &report.chunks {
        lines.push(format!("  {}", chunks_told(chunks)));
    }
    lines.extend(effort::shortfalls(&report.replicas).into_iter().map(|line| format!("  {line}")));
    lines
}

/// As `17,197 chunks: 137,576 copies sent, 0 kept already`: copies at others.
fn chunks_told(chunks: &ChunksReport) -> String {
    let told = |number: usize| size::grouped(number as u64);
    let (stored, sent, held) = (told(chunks.stored), told(chunks.sent), told(chunks.held));
    let noun = if chunks.stored == 1 { "chunk" } else { "chunks" };
    if (chunks.sent, chunks.held) == (0, 0) {
        return format!("{stored} {noun}, at the node itself");
    }
    let copies = if chunks.sent == 1 { "copy" } else { "copies" };
    format!("{stored} {noun}: {sent} {copies} sent, {held} kept already")
}

/// The lines of a receipt for a put or deletion, such as
/// `stored: 8 replicas of 8 known, version 7, lives until ...`.
pub fn put_lines(verb: &str, report: &PutReport, lives: &str) -> Vec<String> {
    lines(format!("{verb}: {}", replicas(&report.replicas)), report, lives)
}

/// The lines of a receipt for an announcement, of which nodes make no replicas.
pub fn announcement_lines(report: &PutReport) -> Vec<String> {
    let WriteReport { stored, known, .. } = &report.replicas;
    lines(format!("announced: {} of {known} known", count(stored.len(), "node")), report, "")
}

/// As `8 replicas of 8 known`.
pub fn replicas(report: &WriteReport) -> String {
    format!("{} of {} known", count(report.stored.len(), "replica"), report.known)
}

/// The receipt for programs.
pub fn to_json(report: &PutReport) -> Value {
    effort::object(&shapes::Receipt::from(report))
}

/// Why it failed.
pub fn failure(error: PutError, written: &Written<'_>) -> Failure {
    let Written { name, through, read } = written;
    let told = error.to_string();
    match error {
        PutError::TooLarge { length, limit } => too_large(length, limit, &told),
        PutError::AboveLimit { length, limit } => above_limit(length, limit),
        PutError::Source(_) | PutError::ReadOnce => Failure::new(Kind::Environment, told),
        PutError::ChunksNotStored { short, of, refusal } => {
            chunks_not_stored(told, refusal.as_deref()).with("short", short).with("of", of)
        }
        PutError::BadTtl(ttl) => {
            let (ttl, most) = (span::exact(ttl), span::exact(MAX_TTL));
            Failure::new(Kind::Usage, format!("a life of {ttl} is not between 1ms and {most}"))
                .hint("renew a value that shall live longer by putting it again")
        }
        PutError::Key(_)
        | PutError::BadContentType(_)
        | PutError::Namespace(_)
        | PutError::BadItem(_) => Failure::new(Kind::Usage, told),
        PutError::Unreachable(_) => through.unreachable(),
        PutError::NotFound(effort) => Failure::new(Kind::NotFound, format!("{name} not found"))
            .detail(format!("no value at the {} that answered", count(effort.answered, "node")))
            .with("effort", effort::to_json(&effort)),
        PutError::Conflict { current } => conflict(name, read.as_deref(), current),
        PutError::Undetermined { version } => Failure::new(
            Kind::Undetermined,
            format!(
                "the node that decides about {name} did not answer: it may or may not be stored"
            ),
        )
        .detail(format!("if it is, it has version {version}"))
        .hint(format!("read it with `{}` to see", read.as_deref().unwrap_or("xorbit get")))
        .with("version", version.get()),
        PutError::NotEnoughReplicas(report) => not_enough(&told, &report, read.as_deref()),
        PutError::VersionExhausted(version) => {
            Failure::new(Kind::Conflict, format!("{name}: {told}"))
                .hint("only somebody who meant harm can have written that; take another key")
                .with("current", version.get())
        }
        PutError::Busy | PutError::Closed => Failure::new(Kind::Environment, told),
    }
}

/// The value is above the limit.
pub fn above_limit(length: u64, limit: u64) -> Failure {
    let what = format!(
        "the value has {}, more than the limit of {}",
        size::told(length),
        size::told(limit)
    );
    size::above_limit(what, Some(length), limit)
}

fn chunks_not_stored(told: String, refusal: Option<&Refusal>) -> Failure {
    const AGAIN: &str = "put it again: only the chunks that are missing are sent";
    let failure = Failure::new(Kind::NotEnoughReplicas, told);
    let Some(refusal) = refusal else { return failure.hint(AGAIN) };
    let reason = effort::reason(refusal.code, &refusal.text);
    let way_out = effort::way_out(std::slice::from_ref(refusal), 0);
    let told = effort::object(&shapes::Refusal::from(refusal));
    failure
        .detail(format!("refused ({reason}) first by {}", effort::place(&refusal.replica)))
        .hint(format!("{way_out}. Then {AGAIN}"))
        .with("refused", told)
}

fn too_large(length: usize, limit: usize, told: &str) -> Failure {
    Failure::new(Kind::Usage, told)
        .hint("without `--plain` it is cut into as many items as it needs")
        .with("length", length)
        .with("limit", limit)
}

fn conflict(name: &str, read: Option<&str>, current: Option<Version>) -> Failure {
    let failure =
        Failure::new(Kind::Conflict, format!("{name} does not hold the version expected"))
            .with("current", current.map(Version::get));
    let read = read.unwrap_or("xorbit get");
    match current {
        Some(version) => failure
            .detail(format!("it holds version {version}"))
            .hint(format!("read it with `{read}`, then put again with `--if-version {version}`")),
        None => failure
            .detail("it holds no value, or another put was quicker")
            .hint(format!("see what it holds with `{read} --json`")),
    }
}

fn not_enough(told: &str, report: &PutReport, read: Option<&str>) -> Failure {
    let mut failure = Failure::new(Kind::NotEnoughReplicas, told)
        .with("version", report.version.map(Version::get))
        .with("replicas", effort::replicas_json(&report.replicas))
        .with("effort", effort::to_json(&report.replicas.effort));
    for line in effort::shortfalls(&report.replicas) {
        failure = failure.detail(line);
    }
    match read {
        Some(read) if report.replicas.was_overtaken() => failure.hint(format!(
            "read the current value with `{read}`, then put again with `--if-version N`"
        )),
        _ => {
            let WriteReport { refused, silent, .. } = &report.replicas;
            failure.hint(effort::way_out(refused, silent.len()))
        }
    }
}
