//! What must hold once the weather has cleared and a network has had time to heal. One check, one file.
//!
//! First nothing is asked any more, and the world is looked at from outside until every node knows its
//! neighbours (`tables`) and every record lies where it belongs (`records`): how long that took is
//! told. Then what it costs to be at rest is measured (`quiet`), and lookups (`lookups`), keys
//! (`values`) and all else that users do are asked from several nodes. At the end the whole history is
//! judged, and then it is seen whether things may change (`changes`).

mod changes;
mod lookups;
pub mod quiet;
mod records;
mod tables;
#[cfg(test)]
mod tests;
mod values;

use core::time::Duration;

use super::history::{self, Circumstances};
use super::standing::clock_slack;
use super::{Numbers, Trouble};
use crate::oracle::Oracle;
use crate::run::{HEALS, Run};
use crate::world::{MachineId, Violation};

/// How often it is looked whether the network has healed.
const LOOKED_EVERY: Duration = Duration::from_secs(30);

/// Whatever was asked has ended after so long.
const ENDS: Duration = Duration::from_secs(15 * 60);

/// Something that is not as it should be, and on which machine.
type Wrong = (&'static str, Option<MachineId>, String);

/// Looks at a network at rest.
pub fn look(run: &mut Run) {
    if !ends(run) {
        return;
    }
    let healed = heals(run);
    run.numbers.healed = healed;
    if healed.is_none() {
        return;
    }
    let watched = judge_work(run, Some("watches"));
    run.world.violations.extend(watched);
    let rest_begun = run.world.now();
    for turn in 0.. {
        let more = run.workload.look_at_rest(&mut run.world, turn);
        if !ends(run) || !more {
            break;
        }
    }
    if run.world.violations.is_empty() {
        let wrong = values::wrong(run, rest_begun);
        add(run, wrong);
    }
    if !run.world.violations.is_empty() {
        // Time stands still from here on, and nothing more would be answered.
        return;
    }
    let wrong = lookups::wrong(run);
    add(run, wrong);
    let wrong = quiet::wrong(run);
    add(run, wrong);
    let found = judge_work(run, None);
    run.world.violations.extend(found);
    judge_history(run);
    if run.world.violations.is_empty() {
        let wrong = changes::wrong(run);
        add(run, wrong);
    }
}

/// Waits until whatever users asked has ended, watches aside.
fn ends(run: &mut Run) -> bool {
    let until = run.world.now() + ENDS;
    while run.workload.unended() > 0 && run.world.now() < until && run.world.violations.is_empty() {
        run.pass(run.world.now() + Duration::from_secs(5), &mut |_| {});
    }
    if run.workload.unended() > 0 && run.world.violations.is_empty() {
        let what = match run.workload.oldest_under_way() {
            Some(operation) => format!("{operation:?} has not ended"),
            None => format!("{} requests of users have not ended", run.workload.unended()),
        };
        add(run, vec![("requests", None, what)]);
    }
    run.world.violations.is_empty()
}

/// Waits until the network has healed. Tells how long that took since all was left alone, if it came to
/// that.
fn heals(run: &mut Run) -> Option<Duration> {
    loop {
        let oracle = Oracle::of(&run.world);
        let wrong =
            tables::wrong(&run.world, &oracle).or_else(|| records::wrong(&run.world, &oracle));
        let Some(wrong) = wrong else { return Some(run.world.now().since(run.left_alone())) };
        if run.world.now().since(run.left_alone()) >= HEALS {
            add(run, vec![wrong]);
            return None;
        }
        run.pass(run.world.now() + LOOKED_EVERY, &mut |_| {});
        if !run.world.violations.is_empty() {
            return None;
        }
    }
}

fn add(run: &mut Run, wrong: Vec<Wrong>) {
    let at = run.world.now();
    let violation = |(check, machine, what)| Violation { at, machine, check, what };
    run.world.violations.extend(wrong.into_iter().map(violation));
}

/// Judges what users did beside keys; of one kind alone, or of all whose numbers are not there yet.
fn judge_work(run: &mut Run, only: Option<&str>) -> Vec<Violation> {
    let mut found = Vec::new();
    let tallies = run.workload.judge(&run.world, &run.trouble(), &mut found);
    let fresh = |name: &str, numbers: &Numbers| {
        only.is_none_or(|only| only == name)
            && !numbers.work.iter().any(|(known, _)| *known == name)
    };
    let names: Vec<&str> = tallies.iter().map(|(name, _)| *name).collect();
    for (name, tally) in tallies {
        if fresh(name, &run.numbers) {
            run.numbers.work.push((name, tally));
        }
    }
    if let Some(only) = only {
        found.retain(|violation| names.contains(&only) && violation.check == only);
    } else {
        // Watches have been judged before they were ended.
        found.retain(|violation| violation.check != "watches");
    }
    found
}

fn judge_history(run: &mut Run) {
    let trouble: Trouble = run.trouble();
    let attacked = run.plan.profile.groups.contains(&"attack");
    let clock_slack = clock_slack(&run.world);
    let circumstances = Circumstances { trouble: &trouble, clock_slack, attacked };
    let mut found = Vec::new();
    run.numbers.history = history::judge(&run.workload.history, &circumstances, &mut found);
    run.world.violations.extend(found);
}
