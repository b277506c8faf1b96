//! How gets are told: the value, where it came from, and how many replicas agree on it; or why there
//! is none.

use std::time::Duration;

use gateway::shapes::{self, written_at};
use gateway::{hex, span};
use serde_json::Value;
use xorbit::{Absence, GetError, GetReport, ReadError, UnixMillis, Version};

use crate::connection::Through;
use crate::effort::{self, count};
use crate::failure::{Failure, Kind};
use crate::moment;
use crate::receipt;
use crate::size;

/// The lines that `--trace` adds below the steps.
pub fn lines(report: &GetReport) -> Vec<String> {
    let mut first = format!("version {}", report.version);
    if let Some((written, age)) = written(report.version) {
        first.push_str(&format!(", written {} ({})", moment::utc(written), ago(age)));
    }
    first.push_str(&match report.expires {
        Some(expires) => format!(", lives until {}", moment::utc(expires)),
        None => ", plain: lives two hours from its last put".to_owned(),
    });
    let mut second = match report.source.endpoint {
        Some(endpoint) => format!("from {:.8} at {endpoint}: ", report.source.id),
        None => String::new(),
    };
    second.push_str(&agreement(report));
    second.push_str(&format!(" ({})", effort::told(&report.effort, 0)));
    vec![first, second]
}

/// As `6 of 8 replicas agree, 1 silent, 2 being repaired`.
pub fn agreement(report: &GetReport) -> String {
    let verb = if report.agreed == 1 { "holds it" } else { "agree" };
    let mut told = format!("{} of {} {verb}", report.agreed, count(report.known, "replica"));
    // Those that are being repaired need not be told twice.
    let behind = report.stale + report.missing > report.repairing;
    for (number, what) in [
        (if behind { report.stale } else { 0 }, "older"),
        (if behind { report.missing } else { 0 }, "without it"),
        (report.silent, "silent"),
        (report.repairing, "being repaired"),
    ] {
        if number > 0 {
            told.push_str(&format!(", {number} {what}"));
        }
    }
    told
}

/// The report for programs, the value included.
pub fn to_json(report: &GetReport) -> Value {
    effort::object(&shapes::Report::with_value(report, &report.value))
}

/// The report for programs.
pub fn without_value(report: &GetReport) -> Value {
    effort::object(&shapes::Report::without_value(report))
}

/// Adds bytes to an object: as text if they are, else as digits.
pub fn put_value(object: &mut Value, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => object["value"] = text.into(),
        Err(_) => object["value_hex"] = hex::encode(bytes).into(),
    }
}

/// Why there is no value under `name`.
pub fn failure(error: GetError, name: &str, through: &Through) -> Failure {
    let told = error.to_string();
    match error {
        GetError::Key(_) => Failure::new(Kind::Usage, told),
        GetError::NotFound { absence, effort } => {
            let (reason, detail) = match absence {
                Absence::NeverSeen => ("never_seen", effort::never_seen(&effort)),
                Absence::Deleted(version) => {
                    ("deleted", format!("it was deleted{} (version {version})", since(version)))
                }
                Absence::Expired(version) => {
                    ("expired", format!("it has expired (version {version})"))
                }
            };
            Failure::new(Kind::NotFound, format!("{name} not found"))
                .detail(detail)
                .with("reason", reason)
                .with("effort", effort::to_json(&effort))
        }
        GetError::Unopened { version, older } => unopened(name, &told, version, older.as_deref()),
        GetError::AboveLimit { length, limit } => receipt::above_limit(length, limit),
        GetError::Sink(_) => Failure::new(Kind::Environment, told),
        GetError::Chunks(ReadError::Missing { missing, of }) => {
            let share = missing as f64 * 100.0 / of as f64;
            let (missing_told, of_told) = (size::grouped(missing), size::grouped(of));
            let what =
                format!("{name}: {missing_told} of {of_told} chunks ({share:.1} %) are missing");
            Failure::new(Kind::NotEnoughReplicas, what)
                .hint("put the value again: only what is missing is sent")
                .with("missing", missing)
                .with("of", of)
        }
        GetError::Chunks(ReadError::Mismatch) => {
            Failure::new(Kind::Refused, format!("{name}: {told}"))
                .hint("whoever wrote it erred or meant harm; it must be put again")
        }
        GetError::Unreachable(_) => through.unreachable(),
        GetError::NotEnoughReplicas { answered, known, needed, found } => {
            let failure = Failure::new(Kind::NotEnoughReplicas, format!("{name}: {told}"))
                .with("answered", answered)
                .with("known", known)
                .with("needed", needed)
                .with("found", found.as_deref().map(to_json));
            match found {
                Some(found) => failure
                    .detail(format!("the newest value among them has version {}", found.version))
                    .hint("`--first` takes it, which may be an old one"),
                None => failure.hint("try again: some nodes are slow or have just gone"),
            }
        }
        GetError::Busy | GetError::Closed => Failure::new(Kind::Environment, told),
    }
}

fn unopened(name: &str, told: &str, version: Version, older: Option<&GetReport>) -> Failure {
    let failure = Failure::new(Kind::Unopened, format!("{name}: {told}"))
        .detail("somebody wrote it who can sign in this namespace; a put or delete replaces it")
        .with("version", version.get())
        .with("older", older.map(to_json));
    match older {
        Some(older) => failure
            .detail(format!("an older value that opens has version {}", older.version))
            .hint("`--first` takes the older one"),
        None => failure,
    }
}

fn since(version: Version) -> String {
    written(version).map_or_else(String::new, |(_, age)| format!(" {}", ago(age)))
}

/// Clocks of different machines do not agree to the millisecond.
fn ago(age: Duration) -> String {
    if age < Duration::from_secs(1) {
        "just now".into()
    } else {
        format!("{} ago", span::told(age))
    }
}

/// When a version was written, and how long ago, if it tells.
fn written(version: Version) -> Option<(UnixMillis, Duration)> {
    let moment = written_at(version)?;
    Some((moment, moment::age(moment)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_does_not_open_is_refused_with_its_version_and_the_way_out() {
        let version = Version::new(7).unwrap();
        let told = GetError::Unopened { version, older: None }.to_string();
        let failure = unopened("key `k`", &told, version, None);
        assert_eq!(failure.exit_code(), 3);
        let printed = format!("{failure:?}");
        assert!(printed.contains("key `k`: version 7 does not open"), "{printed}");
        assert!(printed.contains("a put or delete replaces it"), "{printed}");
    }
}
