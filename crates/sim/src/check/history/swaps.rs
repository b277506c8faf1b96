//! Of swaps on one version one wins, and a winner has built on what was there.

use std::collections::BTreeMap;

use kv::{Expected, Version};
use node::Instant;

use super::{Circumstances, Judged, at};
use crate::history::{Asked, History, Operation, Told};
use crate::workload::keys::{LARGE, SWAPS};
use crate::world::Violation;

/// A swap of which a user was told that it won.
#[derive(Clone, Copy)]
struct Won<'h> {
    operation: &'h Operation,
    version: Version,
    /// What it replaced; `None`: nothing was there.
    replaced: Option<Version>,
    over: Instant,
}

pub(super) fn judge(
    history: &History,
    circumstances: &Circumstances<'_>,
    judged: &mut Judged,
    found: &mut Vec<Violation>,
) {
    let mut by_key: BTreeMap<u32, Vec<Won<'_>>> = BTreeMap::new();
    for operation in history.operations.iter().filter(|one| (SWAPS..LARGE).contains(&one.key)) {
        if matches!(operation.ended, Some((_, Told::Undetermined(_)))) {
            judged.undetermined += 1;
        }
        if let Some(won) = won(operation) {
            judged.swaps += 1;
            by_key.entry(operation.key).or_default().push(won);
        }
    }
    for (key, mut all) in by_key {
        all.sort_by_key(|won| won.version);
        for (place, won) in all.iter().enumerate() {
            let Some((other, how)) = beside(&all[..place], won) else { continue };
            let since = other.operation.begun.min(won.operation.begun);
            if circumstances.trouble.between(since, won.over.max(other.over)).is_some() {
                judged.swaps_beside += 1;
                continue;
            }
            let what = format!(
                "key {key}: the swaps to versions {} at {} and {} at {} both won, {how}",
                other.version,
                at(other.operation.begun),
                won.version,
                at(won.operation.begun),
            );
            let machine = Some(won.operation.machine);
            found.push(Violation { at: won.over, machine, check: "swaps", what });
        }
    }
}

fn won(operation: &Operation) -> Option<Won<'_>> {
    let replaced = match operation.asked {
        Asked::Put { expected: Expected::Version(version), .. } => Some(version),
        Asked::Put { expected: Expected::Absent, .. } => None,
        _ => return None,
    };
    let (version, over) = (operation.stored()?, operation.over()?);
    Some(Won { operation, version, replaced, over })
}

/// A winner of a lower version that this one should have built on, or that built on the same.
fn beside<'w, 'h>(lower: &'w [Won<'h>], won: &Won<'h>) -> Option<(&'w Won<'h>, &'static str)> {
    let same = lower.iter().rev().find(|other| other.replaced == won.replaced);
    let missed = || {
        let before = lower.iter().rev().filter(|other| other.over <= won.operation.begun);
        before.into_iter().find(|other| Some(other.version) > won.replaced)
    };
    same.map(|other| (other, "on the same version"))
        .or_else(|| missed().map(|other| (other, "and the later one did not see the earlier one")))
}
