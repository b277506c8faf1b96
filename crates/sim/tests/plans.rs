//! A smaller world is a part of the larger one: what is left of a plan stays as it is.

use std::time::Duration;

use sim::plan::{Plan, Wishes};
use sim::profile::Profile;

const HOUR: Duration = Duration::from_secs(3600);

/// What the faults of a plan are, by their numbers, and when they begin.
fn faults(wishes: Wishes, seed: u64) -> Vec<(u32, Duration, String)> {
    let profile = Profile::named("everything");
    let plan = Plan::draw(seed, &Wishes { profile, ..wishes });
    let told = |fault: &sim::plan::Planned| (fault.number, fault.from, fault.fault.describe());
    plan.faults.iter().map(told).collect()
}

#[test]
fn leaving_out_a_fault_leaves_the_others_as_they_are() {
    for seed in 0..20 {
        let all = faults(Wishes::default(), seed);
        for (left_out, ..) in &all {
            let without = vec![*left_out];
            let rest = faults(Wishes { without, ..Wishes::default() }, seed);
            let wanted: Vec<_> = all.iter().filter(|(number, ..)| number != left_out).collect();
            assert_eq!(rest.iter().collect::<Vec<_>>(), wanted);
        }
    }
}

#[test]
fn a_shorter_run_is_the_beginning_of_a_longer_one_and_a_longer_one_goes_on() {
    for seed in 0..20 {
        let of = |span| faults(Wishes { span: Some(span), ..Wishes::default() }, seed);
        let (short, long) = (of(HOUR / 2), of(12 * HOUR));
        let beginning: Vec<_> = long.iter().filter(|(_, from, _)| *from < HOUR / 2).collect();
        assert_eq!(short.iter().collect::<Vec<_>>(), beginning);
        assert!(long.iter().any(|(_, from, _)| *from > 9 * HOUR), "{seed}");
    }
}

#[test]
fn fewer_machines_leave_the_faults_and_the_kind_of_world_as_they_are() {
    for seed in 0..20 {
        let of = |nodes| Plan::draw(seed, &Wishes { nodes: Some(nodes), ..Wishes::default() });
        let (few, many) = (of(5), of(80));
        assert_eq!(few.population.to_string(), many.population.to_string());
        let kinds = |plan: &Plan| {
            let told = |fault: &sim::plan::Planned| (fault.kind, fault.from, fault.until);
            plan.faults.iter().map(told).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&few), kinds(&many));
    }
}
