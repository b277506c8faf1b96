//! The power fails at any moment, and whatever was not synced may be gone, torn or out of order.

use store::{Batch, Disk, Log, SimulatedDisk, Store, StoreError};

use crate::model::{Chance, Model, apply, check, contents, opened};

/// Lives one life of a machine until its power fails within `operations` of the disk. Gives what
/// was acknowledged, and the batch whose commit was cut.
fn life(
    store: &mut Log<SimulatedDisk>,
    chance: &mut Chance,
    model: &mut Model,
    value_bytes: u64,
) -> Option<Batch> {
    store.disk_mut().cut_within(1 + chance.below(60));
    loop {
        let batch = chance.batch(8, 300, value_bytes);
        match store.commit(&batch) {
            Ok(()) => apply(model, &batch),
            Err(StoreError::Undetermined(_) | StoreError::Io { .. }) => return Some(batch),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Opens again after a cut, perhaps through cuts while opening; holds the promise.
fn restart(
    store: Log<SimulatedDisk>,
    chance: &mut Chance,
    model: &mut Model,
    cut: Option<Batch>,
) -> Log<SimulatedDisk> {
    let mut disk = store.into_disk();
    disk.restart();
    let mut store = opened(disk);
    let mut with = model.clone();
    cut.iter().for_each(|batch| apply(&mut with, batch));
    let (shown, scanned) = contents(&mut store, b"");
    assert_eq!(scanned.damaged, 0);
    assert!(
        shown == *model || shown == with,
        "a batch is half there, or an acknowledged one is gone"
    );
    *model = shown;
    check(&mut store, model);
    if chance.below(4) == 0 {
        // What it did to open must outlive a cut as well.
        return restart(store, chance, model, None);
    }
    store
}

/// Gives the disk after so many power cuts.
fn many_lives(seed: u64, lives: u32, segment_bytes: u64) -> SimulatedDisk {
    let mut chance = Chance(seed);
    let mut model = Model::new();
    let disk = SimulatedDisk::new(seed).with_segment_bytes(segment_bytes);
    let mut store = opened(disk);
    for _ in 0..lives {
        let cut = life(&mut store, &mut chance, &mut model, 300);
        store = restart(store, &mut chance, &mut model, cut);
    }
    store.into_disk()
}

#[test]
fn after_any_power_cut_each_acknowledged_batch_is_there_and_none_in_part() {
    for seed in 1..=40 {
        assert!(many_lives(seed, 30, u64::MAX / 8).operations() > 500);
    }
}

#[test]
fn a_power_cut_while_the_log_is_cleaned_and_begins_segments_loses_nothing() {
    for seed in 1..=40 {
        let mut disk = many_lives(seed, 40, 3_000 + seed * 500);
        let names = disk.names().unwrap();
        assert!(names.len() > 1 && !names.contains(&"00000001.log".to_owned()), "{names:?}");
    }
}

#[test]
fn what_a_killed_process_left_and_the_next_one_shows_outlives_a_power_cut() {
    for seed in 1..=200 {
        let mut chance = Chance(seed);
        let mut model = Model::new();
        let disk = SimulatedDisk::new(seed).with_segment_bytes(2_000);
        let mut store = opened(disk);
        life(&mut store, &mut chance, &mut model, 300);
        let mut disk = store.into_disk();
        disk.end_process();
        let mut store = opened(disk);
        let (shown, _) = contents(&mut store, b"");
        let mut disk = store.into_disk();
        disk.restart();
        check(&mut opened(disk), &shown);
    }
}

#[test]
fn a_power_cut_while_the_store_is_first_made_leaves_one_that_opens() {
    for seed in 0..400 {
        let mut disk = SimulatedDisk::new(seed);
        disk.cut_within(1 + seed % 5);
        // Making a store takes four operations.
        assert_eq!(Log::open(&mut disk, 5).is_err(), seed % 5 < 4);
        disk.restart();
        check(&mut opened(disk), &Model::new());
    }
}

#[test]
fn a_power_cut_while_the_store_is_opened_loses_nothing() {
    for seed in 1..=300 {
        let mut chance = Chance(seed);
        let mut model = Model::new();
        let disk = SimulatedDisk::new(seed).with_segment_bytes(2_000);
        let mut store = opened(disk);
        let mut cut = life(&mut store, &mut chance, &mut model, 300);
        let mut disk = store.into_disk();
        disk.restart();
        for operations in 1..4 {
            disk.cut_within(operations);
            // It fails if it has that much to do.
            drop(Log::open(&mut disk, 5));
            disk.restart();
        }
        restart(opened(disk), &mut chance, &mut model, cut.take());
    }
}

#[test]
fn a_disk_that_fails_now_and_then_loses_no_acknowledged_batch() {
    for seed in 1..=40 {
        let mut chance = Chance(seed);
        let mut model = Model::new();
        let segment_bytes = if seed % 2 == 0 { 1_000 } else { 100_000 };
        let disk = SimulatedDisk::new(seed).with_segment_bytes(segment_bytes);
        let mut store = opened(disk);
        store.disk_mut().set_failing(100_000);
        let mut failed = 0;
        let mut open = None;
        for round in 0..200 {
            let batch = chance.batch(8, 300, 300);
            match store.commit(&batch) {
                Ok(()) => {
                    apply(&mut model, &batch);
                    open = None;
                }
                Err(StoreError::Undetermined(_)) => open = Some(open.unwrap_or(batch)),
                Err(_) => {}
            }
            failed += u32::from(open.is_some());
            if round % 10 == 0 {
                check(&mut store, &model);
            }
        }
        assert!(failed > 0, "nothing failed under seed {seed}");
        let mut disk = store.into_disk();
        disk.set_failing(0);
        disk.restart();
        let mut store = opened(disk);
        let (shown, _) = contents(&mut store, b"");
        let mut with = model.clone();
        open.iter().for_each(|batch| apply(&mut with, batch));
        assert!(shown == model || shown == with, "seed {seed}");
    }
}
