//! Watching while datagrams are lost, doubled and late, holders leave and others come.

use std::time::Duration;

use kv::{Config, RequestId, Version};
use node::Instant;
use proptest::prelude::*;

use super::world::World;
use super::world::asking::{delete_request, put_request, target};

const SECOND: Duration = Duration::from_secs(1);

/// Everything that a watch may take to hear of a write when its question or the answer was lost, and
/// once more when that happens again: a wait, the time until it is given up, and a lookup.
const RECOVERY: Duration = Duration::from_secs(75);

fn add_watcher(world: &mut World, ephemeral: bool, door: usize) -> usize {
    let node = node::Config { ephemeral, ..node::Config::default() };
    let watcher = world.add(Config { node, ..Config::default() });
    world.join(watcher, door);
    world.run(5 * SECOND);
    watcher
}

#[test]
fn the_last_version_comes_through_loss_doubling_and_reordering() {
    for seed in 0..12 {
        let mut world = World::joined_with(12, seed, &Config::default());
        let watcher = add_watcher(&mut world, true, 0);
        let id = world.watch(watcher, "k", None);
        world.run(2 * SECOND);
        (world.loss, world.doubled, world.jitter) = (200, 200, Duration::from_millis(80));
        let mut last = None;
        for round in 0..10_usize {
            let pause = Duration::from_millis(world.draw() % 9_000);
            world.run(pause);
            let put = world.put(round, put_request("k", format!("{round}").as_bytes()));
            last = put.ok().and_then(|put| put.version).or(last);
        }
        world.run(RECOVERY);
        let told = world.told_versions(watcher, id);
        assert!(told.last() >= last.as_ref(), "seed {seed}: {told:?} without {last:?}");
        assert!(told.len() >= 5, "seed {seed}: only {} of 10", told.len());
    }
}

/// Puts until a majority takes it: nodes that are gone are passed over once others notice. Gives the
/// version and when it was acknowledged.
fn put_until_stored(world: &mut World, node: usize, value: &[u8]) -> (Version, Instant) {
    for _ in 0..40 {
        if let Ok(report) = world.put(node, put_request("k", value)) {
            return (report.version.expect("a put has a version"), world.time());
        }
        world.run(30 * SECOND);
    }
    panic!("no majority took {value:?}");
}

/// Runs until the watch has told this version, for at most a minute; gives when.
fn until_version(world: &mut World, node: usize, id: RequestId, version: Version) -> Instant {
    let limit = world.time() + 60 * SECOND;
    while world.told_versions(node, id).last() < Some(&version) {
        assert!(world.time() < limit, "version {version} never came");
        world.run(Duration::from_millis(1));
    }
    world.time()
}

#[test]
fn holders_leave_one_by_one_until_all_first_ones_are_replaced() {
    let mut world = World::joined(24);
    let first = world.closest(&target("k"), 8);
    let door = world.far_from(&target("k"), 20)[0];
    let watcher = add_watcher(&mut world, true, door);
    let id = world.watch(watcher, "k", None);
    world.run(2 * SECOND);
    for (round, holder) in first.iter().enumerate() {
        world.down(&[*holder]);
        let (version, acknowledged) = put_until_stored(&mut world, door, &[round as u8]);
        let heard = until_version(&mut world, watcher, id, version);
        assert!(heard.since(acknowledged) <= SECOND, "round {round}");
        world.run(120 * SECOND);
    }
    // Until nobody tells of those that are gone any more.
    world.run(1800 * SECOND);
    let waiting: Vec<usize> = (0..24).filter(|node| world.waits(*node) > 0).collect();
    let later = waiting.iter().filter(|node| !first.contains(node)).count();
    assert!(later >= 7, "waiting at {waiting:?}, first at {first:?}");
}

#[test]
fn all_holders_leave_at_once_and_the_watch_finds_those_who_came_after_them() {
    let mut world = World::joined(24);
    let first = world.closest(&target("k"), 8);
    let door = world.far_from(&target("k"), 20)[0];
    let watcher = add_watcher(&mut world, true, door);
    let id = world.watch(watcher, "k", None);
    world.store(door, "k", b"before");
    world.until_told(watcher, id, 1, 10);
    world.down(&first);
    let (version, _) = put_until_stored(&mut world, door, b"after");
    until_version(&mut world, watcher, id, version);
}

#[test]
fn newcomers_that_are_closer_are_watched_before_long() {
    let mut world = World::joined(8);
    let watcher = add_watcher(&mut world, true, 0);
    let id = world.watch(watcher, "k", None);
    world.run(10 * SECOND);
    for _ in 0..24 {
        let newcomer = world.add(Config::default());
        world.join(newcomer, 0);
        world.run(SECOND);
    }
    world.run(60 * SECOND);
    let closest = world.closest(&target("k"), 8);
    assert!(closest.iter().filter(|node| **node > 8).count() >= 3, "some newcomers are closer");
    let watched = closest.iter().filter(|node| world.waits(**node) > 0).count();
    assert!(watched >= 7, "{watched} of the 8 closest");
    let version = world.store(20, "k", b"v").version;
    world.run(SECOND);
    assert_eq!(world.told_versions(watcher, id).last().copied(), version);
}

#[test]
fn a_watcher_that_was_cut_off_hears_the_last_version_when_it_is_back() {
    let mut world = World::joined(12);
    let watcher = add_watcher(&mut world, true, 0);
    let id = world.watch(watcher, "k", None);
    world.store(3, "k", b"before");
    world.run(10 * SECOND);
    world.cut_off(&[watcher]);
    for round in 0..20_u8 {
        world.store(4, "k", &[round]);
        world.run(30 * SECOND);
    }
    world.heal();
    world.run(RECOVERY);
    let told = world.told_values(watcher, id);
    assert_eq!(told.last(), Some(&Some("\u{13}".to_owned())));
    assert!(told.len() <= 3, "overwritten ones were skipped");
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize),
    Delete(usize),
    Down(usize),
    Up(usize),
    Loss(u64),
    Wait(u64),
}

/// So many of the nodes may be down at once.
const MINORITY: usize = 3;
const NODES: usize = 9;

fn step() -> impl Strategy<Value = Step> {
    let node = 0..NODES;
    prop_oneof![
        6 => node.clone().prop_map(Step::Put),
        1 => node.clone().prop_map(Step::Delete),
        2 => node.clone().prop_map(Step::Down),
        2 => node.prop_map(Step::Up),
        1 => (0..250_u64).prop_map(Step::Loss),
        4 => (1..40_u64).prop_map(Step::Wait),
    ]
}

struct Life {
    world: World,
    watches: Vec<(usize, RequestId)>,
    written: Vec<Version>,
    /// The highest version of which a writer was told that it is stored.
    last: Option<Version>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut world = World::joined_with(NODES, seed, &Config::default());
        world.jitter = Duration::from_millis(50);
        world.doubled = 100;
        let watchers = [add_watcher(&mut world, true, 0), add_watcher(&mut world, false, 0)];
        let watches =
            watchers.iter().map(|watcher| (*watcher, world.watch(*watcher, "k", None))).collect();
        world.run(2 * SECOND);
        Self { world, watches, written: Vec::new(), last: None }
    }

    fn live(&mut self, step: &Step) {
        match *step {
            Step::Put(node) => self.write(node, true),
            Step::Delete(node) => self.write(node, false),
            Step::Down(node) => {
                let down = self.world.members.iter().filter(|member| member.down).count();
                if down < MINORITY {
                    self.world.down(&[node]);
                }
            }
            Step::Up(node) => self.world.up(&[node]),
            Step::Loss(per_mille) => self.world.loss = per_mille,
            Step::Wait(seconds) => self.world.run(Duration::from_secs(seconds)),
        }
    }

    fn write(&mut self, node: usize, keep: bool) {
        if self.world.members[node].down {
            return;
        }
        let value = format!("{}", self.written.len());
        let request = if keep { put_request("k", value.as_bytes()) } else { delete_request("k") };
        let outcome = self.world.put(node, request);
        if let Ok(report) = outcome {
            let version = report.version.expect("a put has a version");
            self.written.push(version);
            self.last = self.last.max(Some(version));
        }
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        self.world.loss = 0;
        self.world.up(&(0..NODES).collect::<Vec<_>>());
        self.world.run(RECOVERY);
        for (watcher, id) in &self.watches {
            let told = self.world.told_versions(*watcher, *id);
            prop_assert!(told.last() >= self.last.as_ref(), "{:?} without {:?}", told, self.last);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn versions_rise_none_comes_twice_and_the_last_is_never_missed(
        seed: u64, steps in proptest::collection::vec(step(), 1..40),
    ) {
        let mut life = Life::new(seed);
        for step in &steps {
            life.live(step);
        }
        life.check()?;
    }
}
