//! A read by a quorum gives no less than what was stored or read before it began, by whomever.

use std::collections::BTreeMap;

use kv::{Consistency, Version};
use node::Instant;

use super::{Circumstances, Judged, at};
use crate::check::standing::may_be_gone;
use crate::history::{Asked, History, Operation, Told};
use crate::world::Violation;

/// The least that a read must give.
#[derive(Clone, Copy)]
struct Floor {
    version: Version,
    /// When it was told.
    over: Instant,
    /// Since when nothing has been going on, as it was told; `None`: something was.
    calm_since: Option<Instant>,
    /// When the value ends at the earliest; `None`: it is none, or nobody knows.
    ends: Option<Instant>,
}

pub(super) fn judge(
    history: &History,
    circumstances: &Circumstances<'_>,
    judged: &mut Judged,
    found: &mut Vec<Violation>,
) {
    let mut by_key: BTreeMap<u32, Vec<&Operation>> = BTreeMap::new();
    for operation in &history.operations {
        by_key.entry(operation.key).or_default().push(operation);
    }
    let ends: BTreeMap<u64, Instant> = history.operations.iter().filter_map(ends).collect();
    for operations in by_key.values() {
        let mut floors: Vec<Floor> =
            operations.iter().filter_map(|one| floor(one, &ends, circumstances)).collect();
        floors.sort_by_key(|floor| floor.over);
        let mut key = Key { floors, next: 0, highest: None, in_calm: None };
        for read in operations.iter().filter(|one| reads_by_quorum(one)) {
            if let Some(what) = key.read(history, read, circumstances, judged) {
                let what = format!("a read of key {} at {} {what}", read.key, at(read.begun));
                let (machine, at) = (Some(read.machine), read.over().unwrap_or(read.begun));
                found.push(Violation { at, machine, check: "stale read", what });
            }
        }
    }
}

fn reads_by_quorum(operation: &Operation) -> bool {
    matches!(operation.asked, Asked::Get(Consistency::Quorum | Consistency::All))
}

/// When a value that was put ends.
fn ends(operation: &Operation) -> Option<(u64, Instant)> {
    match operation.asked {
        Asked::Put { value, .. } => Some((value, operation.ends()?)),
        _ => None,
    }
}

/// What a request demands of later reads.
fn floor(
    operation: &Operation,
    ends: &BTreeMap<u64, Instant>,
    circumstances: &Circumstances<'_>,
) -> Option<Floor> {
    let over = operation.over()?;
    let (version, value) = match (operation.asked, operation.ended?.1) {
        (Asked::Put { value, .. }, Told::Stored(version, _)) => (version, Some(value)),
        (Asked::Delete, Told::Stored(version, _)) => (version, None),
        (_, Told::Found(value, version)) if reads_by_quorum(operation) => (version, Some(value)),
        (_, Told::Absent(Some(version))) if reads_by_quorum(operation) => (version, None),
        _ => return None,
    };
    let since = circumstances.trouble.calm_since(operation.begun);
    let calm = circumstances.trouble.between(operation.begun, over).is_none();
    let ends = value.and_then(|value| ends.get(&value).copied());
    Some(Floor { version, over, calm_since: since.filter(|_| calm), ends })
}

/// One key, its reads in the order in which they began.
struct Key {
    floors: Vec<Floor>,
    next: usize,
    /// The highest so far, and the highest since something was going on last.
    highest: Option<Version>,
    in_calm: Option<Floor>,
}

impl Key {
    /// What is wrong with a read.
    fn read(
        &mut self,
        history: &History,
        read: &Operation,
        circumstances: &Circumstances<'_>,
        judged: &mut Judged,
    ) -> Option<String> {
        while let Some(floor) = self.floors.get(self.next).filter(|it| it.over <= read.begun) {
            self.next += 1;
            self.highest = self.highest.max(Some(floor.version));
            let before = self.in_calm.filter(|before| {
                before.calm_since == floor.calm_since && before.version >= floor.version
            });
            if floor.calm_since.is_some() {
                self.in_calm = before.or(Some(*floor));
            }
        }
        let over = read.over()?;
        let told = read.ended?.1;
        let calm = circumstances.trouble.calm_since(over);
        if circumstances.trouble.between(read.begun, over).is_some() {
            judged.reads_in_trouble += 1;
            let less = matches!(told, Told::Found(_, version) if Some(version) < self.highest);
            judged.stale_in_trouble += u64::from(less);
            return None;
        }
        if matches!(told, Told::Unsure | Told::Failed) {
            judged.unanswered += 1;
            return None;
        }
        judged.reads += 1;
        let floor = self.in_calm.filter(|floor| floor.calm_since == calm)?;
        let Floor { version, over: known, ends, .. } = floor;
        let known = at(known);
        match told {
            Told::Found(_, read) if read < version => {
                Some(format!("gave version {read}, though version {version} was told at {known}"))
            }
            Told::Absent(told) if told <= Some(version) => {
                let lives = ends.is_some_and(|ends| ends > over + circumstances.clock_slack);
                let slack = circumstances.clock_slack;
                let gone = may_be_gone(history, read.key, version, over, slack);
                (lives && !gone)
                    .then(|| format!("gave nothing, though version {version} was told at {known}"))
            }
            _ => None,
        }
    }
}
