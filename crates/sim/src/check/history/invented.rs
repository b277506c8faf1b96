//! Nothing is read that nobody wrote, and each value comes in the version under which it was written.

use std::collections::BTreeMap;

use kv::Version;

use super::{Circumstances, Judged, at};
use crate::history::{Asked, History, Operation, Told};
use crate::workload::keys::KEPT;
use crate::world::Violation;

pub(super) fn judge(
    history: &History,
    circumstances: &Circumstances<'_>,
    judged: &mut Judged,
    found: &mut Vec<Violation>,
) {
    let writers: BTreeMap<u64, &Operation> =
        history.operations.iter().filter_map(by_value).collect();
    for read in &history.operations {
        let Some((ended, told)) = read.ended else { continue };
        let what = match told {
            Told::Found(value, version) => {
                judged.values += 1;
                wrong(history, read, writers.get(&value).copied(), value, version)
            }
            Told::Garbled(version) if !circumstances.attacked => {
                Some(format!("version {version} is no value that anybody wrote"))
            }
            _ => None,
        };
        if let Some(what) = what {
            let what = format!("a read of key {} at {}: {what}", read.key, at(read.begun));
            let machine = Some(read.machine);
            found.push(Violation { at: ended, machine, check: "invented", what });
        }
    }
}

fn by_value(operation: &Operation) -> Option<(u64, &Operation)> {
    match operation.asked {
        Asked::Put { value, .. } => Some((value, operation)),
        _ => None,
    }
}

/// What is wrong with a value that was read in this version.
fn wrong(
    history: &History,
    read: &Operation,
    writer: Option<&Operation>,
    value: u64,
    version: Version,
) -> Option<String> {
    let Some(writer) = writer else { return Some(format!("nobody ever put value {value}")) };
    if writer.key != read.key {
        return Some(format!("value {value} was put under key {}", writer.key));
    }
    if read.over().is_some_and(|over| writer.begun > over) {
        return Some(format!("value {value} was put only later, at {}", at(writer.begun)));
    }
    let written = match writer.ended?.1 {
        Told::Stored(written, _) | Told::Undetermined(written) => written,
        Told::Short(written) => written?,
        told @ (Told::Conflict | Told::Refused) => {
            return Some(format!("value {value} was not to be written: {told:?}"));
        }
        _ => return None,
    };
    // A promise renews under versions of its own; and an attempt that was overtaken left a lower one.
    if version <= written || read.key >= KEPT {
        return None;
    }
    // Of two values under one version the winner is signed again.
    let twin = |other: &Operation| {
        let theirs = matches!(other.ended, Some((_, Told::Stored(v, _) | Told::Undetermined(v)
            | Told::Short(Some(v)))) if v == written);
        theirs && !std::ptr::eq(other, writer)
    };
    let resolved = history.of_key(read.key).any(twin);
    (!resolved).then(|| {
        format!("value {value} was written in version {written}, and read in version {version}")
    })
}
