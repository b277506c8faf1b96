//! In each kind of world nodes find each other, and values get from one to another.

use std::time::Duration;

use sim::Instant;
use sim::history::Told;
use sim::plan::population::{Kind, Stack};
use sim::plan::{Plan, Wishes};
use sim::profile::Profile;
use sim::run::Run;
use sim::world::{Dependence, MachineId};

/// A calm small world, changed by `change`, after all of it.
fn live(seed: u64, change: impl FnOnce(&mut Plan)) -> Run {
    let wishes = Wishes {
        nodes: Some(8),
        span: Some(Duration::from_secs(120)),
        profile: Profile::named("calm"),
        ..Wishes::default()
    };
    let mut plan = Plan::draw(seed, &wishes);
    plan.population.kind = Kind::Private;
    plan.population.stack = Stack::V4;
    plan.population.sealed = false;
    plan.population.behind_nat = 0.0;
    plan.requests_per_s = 1.5;
    change(&mut plan);
    let mut run = Run::new(plan);
    let verdict = run.go(&mut |_| {});
    assert_eq!(verdict.violations, [], "{}", run.plan);
    run
}

/// The share of requests that ended well, of those that could.
fn stored(run: &Run) -> f64 {
    let ended = run.workload.history.operations.iter().filter_map(|operation| operation.ended);
    let (mut good, mut bad) = (0.0, 0.0);
    for (_, told) in ended {
        match told {
            Told::Stored(..) | Told::Found(..) => good += 1.0,
            Told::Absent(..) | Told::Conflict | Told::Cut => {}
            _ => bad += 1.0,
        }
    }
    assert!(good > 50.0, "{good} {bad}");
    good / (good + bad)
}

#[test]
fn values_get_around_in_networks_of_ones_own_of_all_kinds() {
    for (kind, stack, sealed) in [
        (Kind::Private, Stack::V4, true),
        (Kind::Private, Stack::Dual, false),
        (Kind::Global, Stack::V4, false),
        (Kind::Global, Stack::V6, true),
    ] {
        let run = live(1, |plan| {
            let population = &mut plan.population;
            (population.kind, population.stack, population.sealed) = (kind, stack, sealed);
        });
        let share = stored(&run);
        assert!(share > 0.99, "{kind:?} {stack:?} {share}");
    }
}

#[test]
fn in_mainline_nodes_learn_from_routers_where_they_are_and_then_answer() {
    for stack in [Stack::V4, Stack::V6] {
        let run = live(1, |plan| {
            (plan.population.kind, plan.population.stack) = (Kind::Mainline, stack);
        });
        let nodes: Vec<_> = run.world.machines.iter().filter_map(|machine| machine.kv()).collect();
        assert_eq!(nodes.len(), 8);
        assert!(nodes.iter().all(|kv| !kv.node().is_read_only()), "{stack:?}");
        // Four routers that hold nothing are among the closest to every key.
        let share = stored(&run);
        assert!(share > 0.7, "{stack:?} {share}");
    }
}

#[test]
fn those_behind_boxes_put_and_get_and_are_seen_at_the_boxes_addresses() {
    let run = live(2, |plan| {
        let population = &mut plan.population;
        (population.kind, population.behind_nat, population.boxes) = (Kind::Global, 0.6, 2);
    });
    let world = &run.world;
    let behind = |id: &MachineId| world.machines[id.0 as usize].nat.is_some();
    let inside: Vec<MachineId> = (0..8).map(MachineId).filter(behind).collect();
    assert!((2..=5).contains(&inside.len()), "{}", inside.len());
    assert!(world.nats().iter().any(|nat| nat.mappings() > 0));
    for id in &inside {
        let nat = &world.nats()[world.machines[id.0 as usize].nat.unwrap().0 as usize];
        let habits = nat.habits();
        let open = [habits.mapping, habits.filtering] == [Dependence::Independent; 2];
        assert_eq!(world.is_open(*id), open);
        let own =
            run.workload.history.operations.iter().filter(|operation| operation.machine == *id);
        let told = own.filter_map(|operation| operation.ended);
        let found = told.filter(|(_, told)| matches!(told, Told::Stored(..) | Told::Found(..)));
        assert!(found.count() > 5, "machine {} of {}", id.0, run.plan);
    }
    assert!(world.now() > Instant::default());
}
