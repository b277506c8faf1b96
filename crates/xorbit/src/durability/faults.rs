//! Commits that fail, that may have failed, and disks that are full for a while.

use store::{Faults, Faulty, Log, Memory, SimulatedDisk, Store, StoreError};

use super::machine::{History, Machine};

/// Lives through so many steps, and says how often the disk refused.
fn live<S: Store>(machine: &mut Machine<'_, S>, steps: u32) -> usize {
    (0..steps).filter(|_| machine.step().is_err()).count()
}

fn start<S: Store>(store: S, history: &mut History) -> Machine<'_, S> {
    Machine::start(store, history).map_err(|(_, error)| error).unwrap()
}

#[test]
fn what_a_failing_disk_took_is_there_and_the_node_goes_on() {
    let faults = Faults {
        failing_per_million: 200_000,
        undetermined_per_million: 200_000,
        ..Faults::default()
    };
    let mut refused = 0;
    for seed in 1..=40 {
        let mut history = History::new(seed);
        let mut store = Memory::new();
        for _ in 0..5 {
            let mut machine = start(Faulty::new(store, seed, Faults::default()), &mut history);
            machine.check();
            machine.store.set_faults(faults);
            refused += live(&mut machine, 120);
            machine.store.set_faults(Faults::default());
            let before = machine.history.acknowledged;
            live(&mut machine, 60);
            assert!(machine.history.acknowledged > before, "it works again when the disk does");
            machine.check();
            store = machine.store.into_inner();
        }
        assert!(history.refused > 0, "whoever was refused heard so");
        start(store, &mut history).check();
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn the_same_holds_for_the_log_on_a_disk_that_fails() {
    for seed in 1..=30 {
        let mut history = History::new(seed);
        let mut disk = SimulatedDisk::new(seed).with_segment_bytes(3_000);
        for _ in 0..5 {
            let store = Log::open(disk, 5).unwrap().store;
            let mut machine = start(store, &mut history);
            machine.check();
            machine.store.disk_mut().set_failing(100_000);
            live(&mut machine, 150);
            machine.store.disk_mut().set_failing(0);
            live(&mut machine, 40);
            disk = machine.store.into_disk();
            disk.restart();
        }
        start(Log::open(disk, 5).unwrap().store, &mut history).check();
    }
}

#[test]
fn a_full_disk_refuses_puts_and_loses_nothing_and_takes_them_again_when_there_is_room() {
    for seed in 1..=30 {
        let mut history = History::new(seed);
        let mut disk = SimulatedDisk::new(seed);
        disk.set_capacity(Some(10_000));
        let mut machine = start(Log::open(disk, 5).unwrap().store, &mut history);
        while machine.history.refused == 0 || machine.commit().is_ok() {
            match machine.step() {
                Ok(()) | Err(StoreError::Full(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        machine.check();
        let mut disk = machine.store.into_disk();
        // A node starts on a full disk and serves what is there.
        disk.restart();
        let mut machine = start(Log::open(disk, 5).unwrap().store, &mut history);
        machine.check();
        machine.store.disk_mut().set_capacity(None);
        let before = machine.history.acknowledged;
        live(&mut machine, 60);
        assert!(machine.history.acknowledged > before, "it works again when there is room");
        machine.check();
    }
}
