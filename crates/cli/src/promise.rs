//! How promises are told: that one was made, how each fares, and why one was not made.

use std::time::Duration;

use gateway::span;
use serde_json::{Value, json};
use xorbit::{
    Absence, ChunksFare, ChunksStatus, Fares, KeepError, KeepReport, LEAST_PROMISED_TTL, MAX_TTL,
    Namespace, PROMISED_BYTES, PromiseStatus, UnixMillis, UnkeepError,
};

use crate::failure::{Failure, Kind};
use crate::{effort, moment, size};

/// A promise that was made, for programs.
pub fn report_json(report: &KeepReport) -> Value {
    json!({
        "target": report.target.to_string(),
        "version": report.version.get(),
        "expires_ms": report.expires.map(|expires| expires.0),
        "renews_ms": report.renews.map(millis),
        "chunks": report.chunks,
        "durable": report.durable,
        "fares": fares_json(&report.fares),
    })
}

/// A promise and how it fares, for programs.
pub fn status_json(status: &PromiseStatus) -> Value {
    json!({
        "id": format!("{:?}", status.id),
        "key": status.key.as_str(),
        "owner": status.owner.to_string(),
        "secret": status.secret,
        "since_ms": status.since.0,
        "version": status.version.get(),
        "expires_ms": status.expires.map(|expires| expires.0),
        "renews_ms": status.renews.map(millis),
        "looked_ms": status.looked.map(|looked| looked.0),
        "next_in_ms": status.next_in.map(millis),
        "fares": fares_json(&status.fares),
        "chunks": status.chunks.map(|chunks| chunks_json(&chunks)),
    })
}

fn chunks_json(chunks: &ChunksStatus) -> Value {
    let of = chunks.of;
    match chunks.fare {
        ChunksFare::NotYet => json!({ "of": of, "state": "not_looked_yet" }),
        ChunksFare::Kept { given } => json!({ "of": of, "state": "kept", "given": given }),
        ChunksFare::Short { short, given } => {
            json!({ "of": of, "state": "short", "short": short, "given": given })
        }
        ChunksFare::Missing { missing, given } => {
            json!({ "of": of, "state": "missing", "missing": missing, "given": given })
        }
        ChunksFare::Mismatch => json!({ "of": of, "state": "mismatch" }),
        ChunksFare::Unreachable => json!({ "of": of, "state": "unreachable" }),
        ChunksFare::TooLarge => json!({ "of": of, "state": "too_large" }),
    }
}

fn fares_json(fares: &Fares) -> Value {
    match fares {
        Fares::NotYet => json!({ "state": "not_looked_yet" }),
        Fares::Alive { holding, known, given } => {
            json!({ "state": "alive", "holding": holding, "known": known, "given": given })
        }
        Fares::Renewed { stored, known } => {
            json!({ "state": "renewed", "stored": stored, "known": known })
        }
        Fares::Newer(version) => json!({ "state": "newer", "version": version.get() }),
        Fares::Overtaken => json!({ "state": "overtaken" }),
        Fares::Undetermined(version) => {
            json!({ "state": "undetermined", "version": version.get() })
        }
        Fares::Exhausted(version) => json!({ "state": "exhausted", "version": version.get() }),
        Fares::NotRenewed => json!({ "state": "not_renewed" }),
        Fares::Alone => json!({ "state": "alone" }),
        Fares::Deleted(version) => json!({ "state": "deleted", "version": version.get() }),
        Fares::Expired(version) => json!({ "state": "expired", "version": version.get() }),
        Fares::Unopened(version) => json!({ "state": "unopened", "version": version.get() }),
        Fares::TooFew { answered, known } => {
            json!({ "state": "too_few", "answered": answered, "known": known })
        }
        Fares::Unreachable => json!({ "state": "unreachable" }),
    }
}

/// The line that tells that a promise was made, from what a node says in JSON.
pub fn made_line(key: &str, report: &Value) -> String {
    let version = &report["version"];
    let held = fares(&report["fares"]);
    let chunks = report["chunks"].as_u64().map(|of| format!(", {}", count_chunks(of)));
    let chunks = chunks.unwrap_or_default();
    let mut line = format!("kept: `{key}`, version {version}{chunks}, {held}; {}", life(report));
    if report["durable"] == false {
        line.push_str("; the node has no data directory, so the promise ends with it");
    }
    line
}

/// The line that tells how a promise fares, from what a node says in JSON.
pub fn status_line(status: &Value) -> String {
    let key = status["key"].as_str().unwrap_or_default();
    let owner = status["owner"].as_str().unwrap_or_default();
    // One line each, whatever the key.
    let shown: String = key
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect();
    let mut line = format!("`{shown}`");
    if status["secret"] == true {
        line.push_str(&format!(" (secret, of {owner:.8})"));
    } else if owner != Namespace::default().owner().to_string() {
        line.push_str(&format!(" (of {owner:.8})"));
    }
    line.push_str(&format!(": {}", fares(&status["fares"])));
    if let Some(age) = status["looked_ms"].as_u64().map(UnixMillis).and_then(moment::age) {
        let age = match age < Duration::from_secs(1) {
            true => "just now".to_owned(),
            false => format!("{} ago", span::told(age)),
        };
        line.push_str(&format!(" {age}"));
    }
    if let Some(told) = chunks(&status["chunks"]) {
        line.push_str(&format!("; {told}"));
    }
    line.push_str(&format!("; {}", life(status)));
    line
}

/// Until when it lives, and what becomes of it then.
fn life(told: &Value) -> String {
    let expires = told["expires_ms"].as_u64().map(UnixMillis).map(moment::utc);
    let renews = told["renews_ms"].as_u64().map(Duration::from_millis).map(span::told);
    match (expires, renews) {
        (Some(expires), Some(renews)) => {
            format!("lives until {expires}, renewed for {renews} each time")
        }
        (Some(expires), None) => format!("lives until {expires}, not to be renewed"),
        (None, _) => "plain, put again every hour".to_owned(),
    }
}

/// How the chunks of a value fare, if it has any.
fn chunks(told: &Value) -> Option<String> {
    let of = told["of"].as_u64()?;
    let number = |name: &str| size::grouped(told[name].as_u64().unwrap_or_default());
    let all = count_chunks(of);
    let told = match told["state"].as_str().unwrap_or_default() {
        "kept" if told["given"] == 0 => format!("all of {all} are kept"),
        "kept" => format!("all of {all} are kept, {} copies were given", number("given")),
        "short" => format!("{} of {all} are kept by too few nodes", number("short")),
        "missing" => {
            format!("{} of {all} are missing: the value cannot be read", number("missing"))
        }
        "mismatch" => format!("its {all} are not those of the value: put it again"),
        "unreachable" => format!("nobody answers for its {all}"),
        "too_large" => format!("too large: its {all} are not kept"),
        _ => format!("its {all} were not all looked at yet"),
    };
    Some(told)
}

fn count_chunks(of: u64) -> String {
    if of == 1 { "1 chunk".to_owned() } else { format!("{} chunks", size::grouped(of)) }
}

fn fares(told: &Value) -> String {
    let number = |name: &str| told[name].as_u64().unwrap_or_default();
    let replicas = |name| format!("{} of {} replicas", number(name), number("known"));
    match told["state"].as_str().unwrap_or_default() {
        "alive" => {
            let holding = replicas("holding");
            match number("given") {
                0 => format!("held by {holding}"),
                given => format!("held by {holding}, given to {given}"),
            }
        }
        "renewed" => format!("renewed at {}", replicas("stored")),
        "newer" => format!("version {} has come since, and is looked at now", number("version")),
        "overtaken" => "a new value came while it was renewed".to_owned(),
        "undetermined" => "renewed or not, since the deciding node did not answer".to_owned(),
        "exhausted" => {
            format!("not renewed, since no version is above {}", number("version"))
        }
        "not_renewed" => "not renewed, since the node had too much to do".to_owned(),
        "alone" => "not renewed, since no other node answers".to_owned(),
        "deleted" => format!("deleted (version {})", number("version")),
        "expired" => format!("expired (version {}); put it again", number("version")),
        "unopened" => format!("version {} does not open, left alone", number("version")),
        "too_few" => format!("only {} answer", replicas("answered")),
        "unreachable" => "nobody answers".to_owned(),
        _ => "not looked at yet".to_owned(),
    }
}

/// Why a promise was not made.
pub fn keep_failure(error: KeepError, key: &str) -> Failure {
    let told = error.to_string();
    match error {
        KeepError::BadTtl(ttl) => bad_ttl(ttl),
        KeepError::Key(_) => Failure::new(Kind::Usage, told),
        KeepError::NotFound { absence, effort } => {
            let (reason, detail) = match absence {
                Absence::NeverSeen => ("never_seen", effort::never_seen(&effort)),
                Absence::Deleted(version) => {
                    ("deleted", format!("it was deleted (version {version})"))
                }
                Absence::Expired(version) => {
                    ("expired", format!("it has expired (version {version})"))
                }
            };
            Failure::new(Kind::NotFound, format!("key `{key}` not found"))
                .detail(detail)
                .hint("put it first, into the network and namespace of the node that is to keep it")
                .with("reason", reason)
        }
        KeepError::Unopened(version) => {
            Failure::new(Kind::Unopened, format!("key `{key}`: {told}"))
                .hint("a put or delete replaces it")
                .with("version", version.get())
        }
        KeepError::TooLarge(version) => Failure::new(Kind::Usage, format!("key `{key}`: {told}"))
            .hint("put it in parts")
            .with("version", version.get()),
        KeepError::Unreachable(_) => Failure::new(Kind::Unreachable, "nobody answers the node")
            .hint("see whether the node has joined its network"),
        KeepError::NotEnoughReplicas { .. } => {
            Failure::new(Kind::NotEnoughReplicas, format!("key `{key}`: {told}"))
                .hint("try again: some nodes are slow or have just gone")
        }
        KeepError::TooMany => {
            Failure::new(Kind::Refused, told).hint("end some with `xorbit unkeep KEY`")
        }
        KeepError::NotDurable => Failure::new(Kind::Environment, told)
            .hint("see that the disk of the node works and has room"),
        KeepError::Busy | KeepError::Closed => Failure::new(Kind::Environment, told),
    }
}

/// Whether a value of this length can be kept.
pub fn check_size(length: u64) -> Result<(), Failure> {
    if length <= PROMISED_BYTES {
        return Ok(());
    }
    let (length, most) = (size::told(length), size::told(PROMISED_BYTES));
    let what = format!("a value of {length} cannot be kept, {most} at most");
    Err(Failure::new(Kind::Usage, what)
        .hint("put it without `--keep` for up to a year, and again before that ends"))
}

/// A life that nobody can promise.
pub fn bad_ttl(ttl: Duration) -> Failure {
    let (least, most) = (span::exact(LEAST_PROMISED_TTL), span::exact(MAX_TTL));
    let what = format!(
        "a value that is kept is renewed for {least} to {most}, not for {}",
        span::exact(ttl)
    );
    Failure::new(Kind::Usage, what).hint("`--ttl forever` takes the longest")
}

/// Why a promise was not ended.
pub fn unkeep_failure(error: UnkeepError) -> Failure {
    let told = error.to_string();
    match error {
        UnkeepError::Key(_) => Failure::new(Kind::Usage, told),
        UnkeepError::NotKept => Failure::new(Kind::NotFound, told).hint(
            "`xorbit kept` tells what the node keeps; a namespace must be named as in `keep`",
        ),
        UnkeepError::NotDurable => Failure::new(Kind::Environment, told)
            .hint("see that the disk of the node works and has room"),
        UnkeepError::Closed => Failure::new(Kind::Environment, told),
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
