//! What each fault does to a small network, and that it is over when it is over.

use super::*;
use crate::network::{Latency, Network, Way};
use crate::plan::population::DOORS;
use crate::plan::{Plan, Wishes};
use crate::profile::Profile;
use crate::world::{Happened, Input, Machine, Moment, Observer, Violation};

const SECOND: Duration = Duration::from_secs(1);

/// A network in which one fault happens.
struct Scene {
    world: World,
    plan: Plan,
    fault: Box<dyn Fault>,
    seed: u64,
}

/// Counts commits that were refused into what it finds.
struct Refusals;

impl Observer for Refusals {
    fn after(
        &mut self,
        moment: Moment,
        _: &mut Machine,
        input: &Input<'_>,
        _: &node::Outbox,
        found: &mut Vec<Violation>,
    ) {
        if matches!(input, Input::Committed(false)) {
            found.push(moment.violates("refusals", String::new()));
        }
    }
}

fn kind(name: &str) -> Kind {
    *KINDS.iter().find(|kind| kind.name == name).expect("a kind of that name")
}

impl Scene {
    /// So many nodes, all with disks, that have found each other; the fault is drawn by the seed.
    fn new(name: &str, profile: &str, nodes: u32, seed: u64) -> Self {
        let profile = Profile::named(profile);
        let wishes = Wishes { nodes: Some(nodes), profile, ..Wishes::default() };
        let mut plan = Plan::draw(seed, &wishes);
        plan.population.disks = 1.0;
        let mut world = World::new(seed, Network::new(seed, Latency::Constant(SECOND / 50)));
        plan.population.prepare(&mut world);
        for _ in 0..nodes {
            let id = plan.population.add_machine(&mut world);
            world.start(id);
        }
        let fault = (kind(name).draw)(&mut Chance::of(seed, "fault"), &plan.setting);
        let mut scene = Self { world, plan, fault, seed };
        scene.pass(60);
        scene
    }

    fn on_stage(&mut self, act: impl FnOnce(&mut dyn Fault, &mut Stage<'_>)) {
        let mut chance = Chance::of_one(self.seed, "stage", self.world.now().as_micros());
        let mut stage = Stage {
            world: &mut self.world,
            population: &self.plan.population,
            chance: &mut chance,
            condition: ConditionId(0),
            whose: 1,
        };
        act(self.fault.as_mut(), &mut stage);
    }

    fn begin(&mut self) {
        self.on_stage(|fault, stage| fault.begin(stage));
    }

    fn end(&mut self) {
        self.world.network.end(ConditionId(0));
        self.on_stage(|fault, stage| fault.end(stage));
    }

    fn pass(&mut self, seconds: u64) {
        let until = self.world.now() + SECOND * seconds as u32;
        while let Some(happened) = self.world.step(until) {
            if let Happened::Alarm(alarm) = happened {
                self.on_stage(|fault, stage| fault.rings(stage, alarm.number));
            }
        }
    }

    fn count(&self, is: impl Fn(&Machine) -> bool) -> usize {
        self.world.machines.iter().filter(|machine| is(machine)).count()
    }

    fn up(&self) -> usize {
        self.count(Machine::is_up)
    }

    fn gone(&self) -> usize {
        self.count(|machine| machine.gone)
    }

    /// What becomes of datagrams of many sizes between all pairs now, each second for a while: how
    /// many of them do not arrive once, in time and as they were sent.
    fn suffer(&mut self) -> usize {
        let sizes = [100, 1500].map(|size| vec![7; size]);
        let mut wrong = 0;
        for second in 0..40 {
            for pair in 0..400 {
                let [from, to] = [pair / 20, pair % 20].map(MachineId);
                let sites = [from, to].map(|id| crate::network::Site(id.0));
                let at = self.world.now() + SECOND * second;
                let way = Way { at, from, to, from_site: sites[0], to_site: sites[1] };
                for sent in &sizes {
                    let copies = self.world.network.carry(&way, sent);
                    let fine = |copy: &crate::network::Copy| {
                        copy.delay == SECOND / 50 && copy.spoiled.is_none()
                    };
                    wrong += usize::from(copies.len() != 1 || !fine(&copies[0]));
                }
            }
        }
        wrong
    }
}

#[test]
fn each_kind_of_weather_harms_datagrams_until_it_is_over() {
    for kind in KINDS.iter().filter(|kind| ["network", "partition"].contains(&kind.group)) {
        let mut harm = 0;
        for seed in 7..10 {
            let mut scene = Scene::new(kind.name, "weather", 1, seed);
            assert_eq!(scene.suffer(), 0);
            scene.begin();
            harm += scene.suffer();
            scene.end();
            assert_eq!(scene.suffer(), 0, "{}", scene.fault.describe());
        }
        assert!(harm > 0, "{}", kind.name);
    }
}

#[test]
fn those_that_are_killed_or_lose_power_are_there_again_in_another_life() {
    for (name, seed) in [("kill", 1), ("power", 1), ("mass-restart", 1), ("mass-restart", 2)] {
        let mut scene = Scene::new(name, "processes", 10, seed);
        scene.begin();
        let down = 10 - scene.up();
        assert!(down > 0 && (name != "mass-restart" || down == 10), "{name} {down}");
        scene.pass(70);
        scene.end();
        assert_eq!((scene.up(), scene.count(|machine| machine.life > 1)), (10, down), "{name}");
        assert_eq!(scene.gone(), 0);
    }
}

#[test]
fn machines_stand_still_again_and_again_and_are_slow_for_a_while() {
    let mut scene = Scene::new("pause", "processes", 10, 3);
    let now = scene.world.now();
    scene.begin();
    assert!(scene.count(|machine| machine.paused_until > now) > 0);
    scene.pass(1_800);
    assert_eq!(scene.up(), 10);
    let again = now + SECOND * 600;
    assert!(scene.count(|machine| machine.paused_until > again) > 0);

    let mut scene = Scene::new("slow-machine", "processes", 10, 3);
    scene.begin();
    assert!(scene.count(|machine| machine.slowness > Duration::ZERO) > 0);
    scene.end();
    assert_eq!(scene.count(|machine| machine.slowness > Duration::ZERO), 0);
}

#[test]
fn who_leaves_serves_until_it_has_handed_over_and_comes_back_later() {
    let mut scene = Scene::new("leave", "processes", 10, 3);
    scene.begin();
    scene.pass(15);
    let away = 10 - scene.up();
    assert!((1..=5).contains(&away), "{away}");
    scene.end();
    assert_eq!(scene.up(), 10);
}

#[test]
fn churn_brings_new_machines_and_tells_who_is_gone_for_good() {
    for (name, seed) in [("poisson-churn", 2), ("heavy-churn", 2), ("heavy-churn", 5)] {
        let mut scene = Scene::new(name, "churn", 10, seed);
        let what = scene.fault.describe();
        scene.begin();
        scene.pass(6 * 3600);
        scene.end();
        scene.pass(15);
        let (all, gone) = (scene.world.machines.len(), scene.gone());
        assert!(scene.count(|machine| machine.life > 1) > 0 || gone > 0, "{what}");
        // Each that went for good has one in its place, or will not have one any more.
        assert!(all <= 10 + gone && scene.up() == all - gone, "{what}: {gone} of {all} gone");
        assert!(scene.world.living().count() >= DOORS as usize);
        assert!(what.contains(" 0 % are replaced") || gone > 0, "{what}");
    }
}

#[test]
fn a_crowd_comes_within_seconds_and_a_part_of_it_goes_for_good() {
    let mut parted = 0;
    for seed in 1..4 {
        let mut scene = Scene::new("flash-crowd", "churn", 10, seed);
        scene.begin();
        scene.pass(21);
        let all = scene.world.machines.len();
        assert!((14..=30).contains(&all), "{all}");
        scene.pass(1_000);
        assert_eq!(scene.up(), all - scene.gone());
        parted += scene.gone();
    }
    assert!(parted > 0);
}

#[test]
fn about_half_leave_at_once_for_good_or_for_a_while() {
    let mut for_good = 0;
    for seed in 1..6 {
        let mut scene = Scene::new("exodus", "churn", 12, seed);
        scene.begin();
        scene.pass(15);
        let away = 12 - scene.up();
        assert!((3..=8).contains(&away), "{away}");
        let gone = scene.gone();
        assert!(gone == 0 || gone == away, "{gone} {away}");
        scene.end();
        assert_eq!(scene.up(), 12 - gone);
        for_good += usize::from(gone > 0);
    }
    assert!((1..5).contains(&for_good), "{for_good}");
}

#[test]
fn disks_that_are_full_or_fail_refuse_commits_and_take_them_again_later() {
    for (name, seed) in [("full-disk", 2), ("failing-disk", 3)] {
        let mut scene = Scene::new(name, "disks", 6, seed);
        scene.world.observers.push(Box::new(Refusals));
        let put = |scene: &mut Scene, count: u32| {
            let mut work = crate::workload::Workload::new(seed, 1.0, 20);
            let before = scene.world.violations.len();
            for _ in 0..count {
                work.act(&mut scene.world);
                scene.pass(1);
            }
            scene.pass(30);
            scene.world.violations.len() - before
        };
        assert_eq!(put(&mut scene, 20), 0, "{name}");
        scene.begin();
        let refused = put(&mut scene, 400);
        assert!(refused > 0, "{name}: {}", scene.fault.describe());
        scene.end();
        scene.pass(120);
        assert_eq!(put(&mut scene, 60), 0, "{name}");
    }
}

#[test]
fn slow_disks_are_quick_again_and_rotten_ones_are_told_and_can_be_opened() {
    let slow = |machine: &Machine| {
        machine.disk.as_ref().is_some_and(|disk| disk.slowness > Duration::ZERO)
    };
    let mut scene = Scene::new("slow-disk", "disks", 6, 3);
    scene.begin();
    assert!(scene.count(slow) > 0);
    scene.end();
    assert_eq!(scene.count(slow), 0);

    for seed in 0..12 {
        let mut scene = Scene::new("bit-rot", "disks", 6, seed);
        let mut work = crate::workload::Workload::new(seed, 1.0, 20);
        for _ in 0..30 {
            work.act(&mut scene.world);
            scene.pass(1);
        }
        scene.begin();
        scene.pass(700);
        let rotten =
            |machine: &Machine| machine.disk.as_ref().is_some_and(|disk| disk.is_damaged());
        assert!(scene.count(rotten) > 0);
        for id in (0..6).map(MachineId) {
            scene.world.kill(id);
            assert!(scene.world.start(id), "machine {} of seed {seed}", id.0);
        }
    }
}

#[test]
fn clocks_jump_and_only_a_spike_is_set_right_again() {
    for (name, right) in [("clock-jump", false), ("clock-spike", true)] {
        let mut scene = Scene::new(name, "clocks", 10, 4);
        let ahead = |scene: &Scene| {
            let clocks = scene.world.machines.iter().map(|machine| machine.clock.ahead_ms());
            clocks.collect::<Vec<_>>()
        };
        let before = ahead(&scene);
        scene.begin();
        assert_ne!(ahead(&scene), before);
        scene.end();
        assert_eq!(ahead(&scene) == before, right, "{name}");
    }
}

#[test]
fn machines_and_boxes_get_addresses_that_nobody_had() {
    let mut scene = Scene::new("address-change", "nat", 20, 1);
    let places = |scene: &Scene| {
        scene.world.machines.iter().map(|machine| machine.places).collect::<Vec<_>>()
    };
    let before = places(&scene);
    scene.begin();
    let after = places(&scene);
    let moved: Vec<_> = before.iter().zip(&after).filter(|(old, new)| old != new).collect();
    assert!(!moved.is_empty() && moved.len() <= 7);
    assert!(moved.iter().all(|(_, new)| !before.contains(new)));

    let mut scene = Scene::new("nat-restart", "nat", 20, 1);
    let mapped = |scene: &Scene| scene.world.nats().iter().filter(|nat| nat.mappings() > 0).count();
    let before = mapped(&scene);
    scene.begin();
    assert!(mapped(&scene) < before, "{before}");
    let fills = |scene: &mut Scene| {
        scene.pass(20);
        mapped(scene) >= before
    };
    assert!((0..90).any(|_| fills(&mut scene)), "those behind them speak again");
}
