//! Promises outlive the process, and are acknowledged once they do.

use std::time::Duration;

use kv::{Config, Done, Fares, KeepError, Request, UnkeepError};

use super::promises::{keep_request, promise};
use super::world::World;
use super::world::asking::{put_for, target};
use super::world::disks::Disk;

const DAY: Duration = Duration::from_secs(24 * 3600);
const MOMENT: Duration = Duration::from_secs(3);

/// A network whose first node is durable, and its config.
fn durable() -> (World, Config) {
    let mut config = Config::default();
    config.node.durable = true;
    let mut world = World::new(1);
    world.add(config.clone());
    for node in 1..12 {
        world.add(Config::default());
        world.join(node, 0);
        world.run(Duration::from_millis(100));
    }
    world.run(Duration::from_secs(20));
    (world, config)
}

/// Lets time pass while the disk of the first node works.
fn run(world: &mut World, disk: &mut Disk, span: Duration, step: Duration) {
    for _ in 0..span.as_millis() / step.as_millis() {
        world.run(step);
        world.commit(0, disk);
    }
}

fn promises_in(disk: &Disk) -> usize {
    disk.0.keys().filter(|key| key[0] == b'k').count()
}

#[test]
fn promises_go_on_after_a_restart_with_what_is_on_the_disk() {
    let (mut world, config) = durable();
    let mut disk = Disk::default();
    world.put(3, put_for("k", b"v", DAY)).expect("enough are up");
    let id = world.request(0, Request::Keep(keep_request("k", DAY)));
    world.run(MOMENT);
    assert!(world.take_done(0, id).is_none() && promises_in(&disk) == 0, "not durable yet");
    world.commit(0, &mut disk);
    let Done::Kept(Ok(report)) = world.finish(0, id) else { panic!("it was put") };
    assert!(report.durable && promises_in(&disk) == 1);
    let before = world.promises(0);
    // All that hold it die with the keeper, which alone comes back.
    let near = world.closest(&target("k"), 8);
    world.down(&near.iter().copied().filter(|node| *node != 0).collect::<Vec<_>>());
    disk.0.retain(|key, _| key[0] == b'k');
    world.restart(0, config, &disk);
    let door = world.living().into_iter().find(|node| *node != 0).expect("three are left");
    world.join(0, door);
    let after = world.promises(0);
    assert_eq!((after[0].fares, after[0].looked), (Fares::NotYet, None));
    assert_eq!(
        (&after[0].key, after[0].since, after[0].version, after[0].renews),
        (&before[0].key, before[0].since, before[0].version, before[0].renews)
    );
    run(&mut world, &mut disk, DAY * 5, Duration::from_secs(1));
    assert_eq!(*world.read(door, "k"), *b"v");
    assert!(world.promises(0)[0].expires > before[0].expires);
}

#[test]
fn a_renewed_item_is_the_one_that_comes_back() {
    let (mut world, config) = durable();
    let mut disk = Disk::default();
    world.put(3, put_for("k", b"v", DAY)).expect("enough are up");
    let id = world.request(0, Request::Keep(keep_request("k", DAY)));
    run(&mut world, &mut disk, MOMENT, MOMENT / 30);
    assert!(matches!(world.finish(0, id), Done::Kept(Ok(_))));
    run(&mut world, &mut disk, DAY * 3, Duration::from_secs(1));
    let before = world.promises(0);
    world.restart(0, config, &disk);
    assert_eq!(world.promises(0)[0].version, before[0].version);
    assert_eq!(world.promises(0)[0].expires, before[0].expires);
}

#[test]
fn a_promise_that_the_disk_does_not_take_is_refused_and_an_end_too() {
    let (mut world, config) = durable();
    let mut disk = Disk::default();
    world.put(3, put_for("k", b"v", DAY)).expect("enough are up");
    let id = world.request(0, Request::Keep(keep_request("k", DAY)));
    world.run(MOMENT);
    world.fail_to_commit(0);
    let done = world.finish(0, id);
    assert!(matches!(done, Done::Kept(Err(KeepError::NotDurable))), "{done:?}");
    assert!(world.promises(0).is_empty());
    let id = world.request(0, Request::Keep(keep_request("k", DAY)));
    run(&mut world, &mut disk, MOMENT, MOMENT / 30);
    assert!(matches!(world.finish(0, id), Done::Kept(Ok(_))));
    let id = world.request(0, Request::Unkeep(promise("k")));
    world.fail_to_commit(0);
    let done = world.finish(0, id);
    assert!(matches!(done, Done::Unkept(Err(UnkeepError::NotDurable))), "{done:?}");
    assert_eq!((world.promises(0).len(), promises_in(&disk)), (1, 1));
    let id = world.request(0, Request::Unkeep(promise("k")));
    assert!(world.take_done(0, id).is_none());
    world.commit(0, &mut disk);
    assert!(matches!(world.finish(0, id), Done::Unkept(Ok(()))));
    assert_eq!((world.promises(0).len(), promises_in(&disk)), (0, 0));
    world.restart(0, config, &disk);
    assert!(world.promises(0).is_empty());
}
