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
    /// From then on it demands nothing; `None`: enough took it.
    unsettled_until: Option<Instant>,
}

impl Floor {
    /// What is demanded after one more was told: the higher of both, unless something went on between.
    fn lifted(before: Option<Floor>, by: &Floor) -> Option<Floor> {
        let stays = |it: &Floor| it.calm_since == by.calm_since && it.version >= by.version;
        by.calm_since.map_or(before, |_| before.filter(stays).or(Some(*by)))
    }
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
        let writes: Vec<&Operation> =
            operations.iter().copied().filter(|one| one.may_have_written()).collect();
        let mut floors: Vec<Floor> =
            operations.iter().filter_map(|one| floor(one, &ends, &writes, circumstances)).collect();
        floors.sort_by_key(|floor| floor.over);
        let mut key = Key { floors, next: 0, highest: None, in_calm: None, settled: None };
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
    writes: &[&Operation],
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
    let unsettled_until = match operation.asked.writes() {
        true => None,
        false => {
            let may_be = |put: &&&Operation| put.begun <= over && may_be(put, version, value);
            writes.iter().filter(may_be).filter_map(|put| put.ends()).min()
        }
    };
    let calm_since = since.filter(|_| calm);
    Some(Floor { version, over, calm_since, ends, unsettled_until })
}

/// Whether what was read may be of a put that too few took. Once it has ended no read can bring it to the
/// others, so the next one may not meet it.
fn may_be(put: &Operation, version: Version, value: Option<u64>) -> bool {
    match (put.ended, value, put.asked) {
        (_, Some(read), Asked::Put { value, .. }) => value == read,
        (Some((_, Told::Short(Some(put)) | Told::Undetermined(put))), ..) => put == version,
        _ => true,
    }
}

/// One key, its reads in the order in which they began.
struct Key {
    floors: Vec<Floor>,
    next: usize,
    /// The highest so far, and the highest since something was going on last.
    highest: Option<Version>,
    in_calm: Option<Floor>,
    /// The same, of what enough took.
    settled: Option<Floor>,
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
            self.in_calm = Floor::lifted(self.in_calm, floor);
            if floor.unsettled_until.is_none() {
                self.settled = Floor::lifted(self.settled, floor);
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
        let demands = |floor: &Floor| {
            floor.unsettled_until.is_none_or(|until| until > over + circumstances.clock_slack)
        };
        let floor = self.in_calm.filter(demands).or(self.settled);
        let floor = floor.filter(|floor| floor.calm_since == calm)?;
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
