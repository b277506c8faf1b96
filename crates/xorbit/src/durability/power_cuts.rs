//! The power fails at any moment, also in the middle of a commit, of a start and of a mending.

use std::time::Duration;

use store::{Log, SimulatedDisk};

use super::machine::{History, Machine};

fn opened(disk: SimulatedDisk) -> Log<SimulatedDisk> {
    let opened = Log::open(disk, 5).unwrap();
    assert_eq!((opened.set_aside.len(), opened.damaged_bytes, opened.missing_commits), (0, 0, 0));
    opened.store
}

/// Lives until the power fails. Gives the disk as it is then.
fn life(mut machine: Machine<'_, Log<SimulatedDisk>>) -> SimulatedDisk {
    machine.check();
    for _ in 0..machine.history.chance.below(60) {
        machine.step().unwrap();
    }
    // At once, or in the middle of one of the next commits: then nobody hears how that ended.
    let operations = machine.history.chance.below(8);
    machine.store.disk_mut().cut_within(operations.max(1));
    if operations > 0 {
        loop {
            machine.write();
            machine.hand_over();
            if machine.commit().is_err() {
                break;
            }
            machine.committed(true);
        }
    }
    machine.store.into_disk()
}

/// So many power cuts in a row. Gives how many writes were acknowledged.
fn lives(seed: u64, cuts: u32, segment_bytes: u64) -> usize {
    let mut history = History::new(seed);
    let mut disk = SimulatedDisk::new(seed).with_segment_bytes(segment_bytes);
    for _ in 0..cuts {
        let machine = Machine::start(opened(disk), &mut history);
        let machine = machine.map_err(|(_, error)| error).unwrap();
        disk = life(machine);
        disk.restart();
        // Sometimes it takes long until the power is back, and some of it has ended by then.
        let spans = [Duration::from_secs(1), Duration::from_secs(90)];
        let span = spans[history.chance.below(2) as usize];
        history.pass(span);
        if history.chance.below(4) == 0 {
            disk = cut_while_starting(disk, &mut history);
        }
    }
    let mut machine = Machine::start(opened(disk), &mut history);
    machine.as_mut().map_err(|(_, error)| error).unwrap().check();
    history.acknowledged
}

/// The power fails again while the node starts.
fn cut_while_starting(mut disk: SimulatedDisk, history: &mut History) -> SimulatedDisk {
    disk.cut_within(1 + history.chance.below(4));
    // It fails if it has that much to do.
    let mut disk = match Log::open(&mut disk, 5) {
        Err(_) => disk,
        Ok(opened) => {
            drop(Machine::start(opened.store, history));
            disk
        }
    };
    disk.restart();
    disk
}

#[test]
fn after_any_power_cut_all_that_was_acknowledged_is_there_and_nothing_else() {
    let acknowledged: usize = (1..=50).map(|seed| lives(seed, 30, u64::MAX / 8)).sum();
    assert!(acknowledged > 1_500, "{acknowledged}");
}

#[test]
fn the_same_holds_while_segments_begin_and_are_cleaned() {
    let acknowledged: usize = (1..=20).map(|seed| lives(seed, 30, 2_000 + seed * 300)).sum();
    assert!(acknowledged > 600, "{acknowledged}");
}
