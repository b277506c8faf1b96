//! A few worlds of each profile live through all of it, and again in the same way.

use std::time::Duration;

use sim::plan::{Plan, Wishes};
use sim::profile::Profile;
use sim::run::{Run, Verdict};

/// A small world of a profile, so that all of them take seconds.
fn wishes(profile: &str) -> Wishes {
    Wishes {
        nodes: Some(8),
        span: Some(Duration::from_secs(10 * 60)),
        profile: Profile::named(profile),
        ..Wishes::default()
    }
}

fn live(seed: u64, wishes: &Wishes) -> Verdict {
    let mut plan = Plan::draw(seed, wishes);
    // Most of a run's time goes into users' signatures.
    plan.requests_per_s = plan.requests_per_s.min(0.2);
    let told = plan.to_string();
    let verdict = Run::new(plan).go(&mut |_| {});
    assert_eq!(verdict.violations, [], "{told}");
    verdict
}

/// Lets worlds of these seeds live.
fn holds(profile: &str, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        live(seed, &wishes(profile));
    }
}

#[test]
fn worlds_live_through_weather() {
    holds("weather", 0..3);
}

#[test]
fn worlds_live_through_partitions() {
    holds("partitions", 0..3);
}

#[test]
fn worlds_live_through_ends_and_pauses_of_processes() {
    holds("processes", 0..3);
}

#[test]
fn worlds_live_through_churn() {
    holds("churn", 0..3);
}

#[test]
fn worlds_live_through_bad_disks() {
    holds("disks", 0..3);
}

#[test]
fn worlds_live_with_wrong_clocks() {
    holds("clocks", 0..3);
}

#[test]
fn worlds_live_behind_boxes_that_translate_addresses() {
    holds("nat", 0..3);
}

#[test]
fn worlds_live_through_everything_in_the_same_way_each_time() {
    for seed in 0..2 {
        let [one, other] = [(); 2].map(|()| live(seed, &wishes("everything")));
        assert_eq!((one.trace_hash, one.events), (other.trace_hash, other.events), "{seed}");
    }
}
