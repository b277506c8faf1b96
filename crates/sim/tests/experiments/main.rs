//! Experiments, in small: what they measure is there, follows from the seed alone, and makes sense.

use core::time::Duration;

use sim::experiment::{Host, churn, load, lookups, scale, values};

/// A machine on which nobody looks on.
struct Nobody;

impl Host for Nobody {
    fn progress(&mut self, done: f64) {
        assert!((0.0..=1.0).contains(&done));
    }

    fn doing(&mut self, _: &str) {}

    fn worked(&self) -> Duration {
        Duration::ZERO
    }

    fn resident_bytes(&self) -> Option<u64> {
        None
    }
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

#[test]
fn lookups_in_a_settled_network_find_what_is_there() {
    let sizes = lookups::Sizes { asked: 100, keys: 30, ..lookups::Sizes::quick(300) };
    let mut found = lookups::run(1, sizes, &mut Nobody);
    assert!(found.stored.0 >= 29, "{:?}", found.stored);
    assert!((0.05..0.15).contains(&found.dead_contacts), "{}", found.dead_contacts);
    for timed in &mut found.timed {
        assert_eq!(timed.ended, 100);
        assert!(timed.right >= 85, "{timed:?}");
        assert!(timed.hops.mean() > 0.9 && timed.took.median() < 1_000.0);
    }
}

#[test]
fn the_same_seed_gives_the_same_numbers() {
    let of = |seed| {
        let sizes = lookups::Sizes { asked: 30, keys: 10, ..lookups::Sizes::quick(100) };
        format!("{:?}", lookups::run(seed, sizes, &mut Nobody))
    };
    assert_eq!(of(5), of(5));
    assert_ne!(of(5), of(6));
}

#[test]
fn lookups_are_mostly_right_while_nodes_come_and_go() {
    let sizes = churn::Sizes {
        nodes: 60,
        median_session: minutes(10),
        loss: 0.0,
        before: minutes(5),
        measured: minutes(5),
        lookups: 200,
    };
    let found = churn::run(1, sizes, &mut Nobody);
    assert!(found.deaths > 0);
    assert_eq!(found.ended + found.cut, 200);
    assert!(found.right.iter().all(|right| *right >= 180), "{:?}", found.right);
    assert!((1.0..2_000.0).contains(&found.bytes_per_s()), "{}", found.bytes_per_s());
}

#[test]
fn records_outlive_those_who_held_them() {
    for returning in [0.0, 0.5] {
        let sizes = values::Sizes {
            nodes: 40,
            median_session: minutes(60),
            returning,
            median_absence: minutes(10),
            records: 20,
            span: minutes(120),
        };
        let found = values::run(1, sizes, &mut Nobody);
        assert_eq!((found.stored, found.unheld, found.lost, found.unfound), (20, 0, 0, 0));
        assert!(found.copies_gone > 0 && found.repairs.0 > 0, "{found:?}");
        assert_eq!(found.ends.1 > 0, returning > 0.0);
    }
}

#[test]
fn load_and_speed_are_measured() {
    let sizes = load::Sizes { nodes: 50, keys: 100, gets: 200, span: minutes(2) };
    let found = load::run(1, sizes, &mut Nobody);
    assert!(found.stored >= 98 && found.gets.1 >= 190, "{:?}", found.gets);
    let copies = 8.0 * f64::from(found.stored) / 50.0;
    assert!((found.items.mean() / copies - 1.0).abs() < 0.1, "{}", found.items.mean());
    let sizes = scale::Sizes { nodes: 200, span: minutes(1), lookups: 100, puts: 20 };
    let found = scale::run(1, sizes, &mut Nobody);
    assert_eq!((found.lookups.0, found.puts.0), (100, 20));
    assert!(found.lookups.1 >= 85 && found.puts.1 >= 18 && found.delivered > 1_000, "{found:?}");
}
