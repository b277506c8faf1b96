//! Bytes that change on the disk are found, told, and never shown as a value.

use std::collections::{BTreeMap, BTreeSet};

use store::{Batch, Change, Damage, Log, Lost, Opened, SimulatedDisk, Store, StoreError};

use crate::model::{Chance, Model, apply, check, contents, opened};

/// What was done to a store before it was damaged.
#[derive(Default)]
struct Life {
    /// What it had in it after each commit.
    states: Vec<Model>,
    /// All values that were ever put under a key.
    put: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>,
}

fn filled(seed: u64, commits: u32, value_bytes: u64) -> (SimulatedDisk, Model, Life) {
    fill(SimulatedDisk::new(seed), seed, commits, value_bytes)
}

fn fill(
    disk: SimulatedDisk,
    seed: u64,
    commits: u32,
    value_bytes: u64,
) -> (SimulatedDisk, Model, Life) {
    let mut chance = Chance(seed);
    let (mut model, mut life) = (Model::new(), Life::default());
    let mut store = opened(disk);
    for _ in 0..commits {
        let batch = chance.batch(10, 300, value_bytes);
        store.commit(&batch).unwrap();
        apply(&mut model, &batch);
        for change in batch.changes() {
            if let Change::Put { key, value } = change {
                life.put.entry(key.to_vec()).or_default().insert(value.to_vec());
            }
        }
        // Large states are not asked for.
        if commits < 20 {
            life.states.push(model.clone());
        }
    }
    (store.into_disk(), model, life)
}

fn is_told(opened: &Opened<SimulatedDisk>) -> bool {
    opened.damaged_bytes + opened.cut_off_bytes + opened.missing_commits > 0
}

/// Opens a damaged store; holds it to what was ever written, or to all of it if nothing is told.
fn open_damaged(disk: SimulatedDisk, life: &Life, damage: Damage) -> Log<SimulatedDisk> {
    let mut opened = match Log::open(disk, 6) {
        Ok(opened) => opened,
        Err(error) => panic!("{error}"),
    };
    let told = is_told(&opened);
    assert!(told || opened.set_aside.is_empty());
    let (shown, scanned) = contents(&mut opened.store, b"");
    assert_eq!(scanned.damaged, 0);
    if !told {
        // A log that was cut between two commits is one to which the later ones never came.
        assert!(life.states.contains(&shown));
        assert!(shown == *life.states.last().unwrap() || damage == Damage::Cut);
    }
    for (key, value) in &shown {
        assert!(life.put[key].contains(value), "a value that nobody put under {key:?}");
        assert_eq!(opened.store.get(key).unwrap().as_ref(), Some(value));
    }
    opened.store
}

#[test]
fn a_store_damaged_anywhere_opens_and_tells_and_shows_no_wrong_value() {
    for seed in 1..=600 {
        let (mut disk, _, life) = filled(seed, 12, 200);
        let damage = [Damage::Bit, Damage::Sector, Damage::Cut][seed as usize % 3];
        for _ in 0..=seed / 3 % 3 {
            disk.damage(damage);
        }
        let mut store = open_damaged(disk, &life, damage);
        // It goes on from what it found, and has nothing to tell a second time.
        let (mut now, _) = contents(&mut store, b"");
        let batch = Chance(seed).batch(10, 300, 200);
        store.commit(&batch).unwrap();
        apply(&mut now, &batch);
        check(&mut opened(store.into_disk()), &now);
    }
}

#[test]
fn a_store_of_many_segments_loses_only_what_is_damaged() {
    for seed in 1..=6 {
        let (mut disk, model, life) = filled(seed, 150, 60_000);
        let name = disk.damage(Damage::Bit).unwrap();
        let store = open_damaged(disk, &life, Damage::Bit);
        let mut disk = store.into_disk();
        let kept = contents(&mut opened_again(&mut disk), b"").0;
        let lost = model.iter().filter(|(key, value)| kept.get(*key) != Some(value)).count();
        assert!(lost <= 12, "{lost} of {} lost by one bit of {name}", model.len());
    }
}

fn opened_again(disk: &mut SimulatedDisk) -> Log<SimulatedDisk> {
    opened(std::mem::replace(disk, SimulatedDisk::new(1)))
}

#[test]
fn a_damaged_entry_costs_itself_and_not_its_neighbours() {
    let mut store = opened(SimulatedDisk::new(1));
    let mut batch = Batch::new();
    for key in [b"a", b"b", b"c"] {
        batch.put(key, &[key[0]; 100]).unwrap();
    }
    store.commit(&batch).unwrap();
    batch.clear();
    batch.put(b"d", b"behind").unwrap();
    store.commit(&batch).unwrap();
    let mut disk = store.into_disk();
    let file = disk.file_mut("00000001.log").unwrap();
    let at = file.windows(9).position(|nine| *nine == [b'b'; 9]).unwrap();
    file[at + 50] ^= 1;
    let mut opened = Log::open(disk, 6).unwrap();
    assert_eq!(opened.set_aside, ["00000001.log.damaged-1"]);
    // The frame's head, and an entry with its own 15 bytes: what was saved beside it is not lost.
    assert_eq!((opened.damaged_bytes, opened.cut_off_bytes), (32 + 15 + 100, 0));
    let shown: Vec<Vec<u8>> = contents(&mut opened.store, b"").0.into_keys().collect();
    assert_eq!(shown, [b"a", b"c", b"d"]);
}

/// A store of so many commits of one key each, and the offsets of their frames.
fn one_by_one(commits: u8) -> (SimulatedDisk, Vec<usize>) {
    let (mut store, mut batch) = (opened(SimulatedDisk::new(1)), Batch::new());
    let mut frames = Vec::new();
    for key in 0..commits {
        frames.push(store.disk_bytes() as usize);
        batch.clear();
        batch.put(&[key], &[key; 100]).unwrap();
        batch.put(&[key, key], &[key; 100]).unwrap();
        store.commit(&batch).unwrap();
    }
    (store.into_disk(), frames)
}

const NEWEST: &str = "00000001.log";
const ASIDE: &str = "00000001.log.damaged-1";

/// Opens a store whose newest segment was damaged so that no power cut can have been it, and holds
/// the opening to it; gives the keys that it shows.
fn damaged_end(mut disk: SimulatedDisk) -> Vec<Vec<u8>> {
    let as_it_was = disk.file_mut(NEWEST).unwrap().clone();
    let opened = Log::open(disk, 6).unwrap();
    assert_eq!(opened.set_aside, [ASIDE]);
    assert!(opened.damaged_bytes > 0 && opened.cut_off_bytes == 0);
    let mut disk = opened.store.into_disk();
    assert_eq!(disk.file_mut(ASIDE), Some(&mut { as_it_was }));
    let mut again = opened_again(&mut disk);
    contents(&mut again, b"").0.into_keys().collect()
}

#[test]
fn commits_that_others_came_behind_are_damaged_and_not_cut_off() {
    // One bit in the first entry of each of the last frames: the other entries are as they were.
    let (mut disk, frames) = one_by_one(10);
    let file = disk.file_mut(NEWEST).unwrap();
    frames[7..].iter().for_each(|frame| file[frame + 50] ^= 1);
    let keys = damaged_end(disk);
    assert_eq!(keys.len(), 7 * 2 + 2, "all but the last, which may never have been whole");
    assert!(keys.contains(&vec![8, 8]) && !keys.contains(&vec![8]) && !keys.contains(&vec![9, 9]));
    // All from the middle of a frame, which is whole and not the last.
    let (mut disk, frames) = one_by_one(10);
    disk.file_mut(NEWEST).unwrap()[frames[7] + 50..].fill(0xa5);
    assert_eq!(damaged_end(disk).len(), 7 * 2);
    // A head is gone, but that of a later commit is there.
    let (mut disk, frames) = one_by_one(10);
    let file = disk.file_mut(NEWEST).unwrap();
    file[frames[8]] ^= 1;
    file[frames[9] + 50] ^= 1;
    assert_eq!(damaged_end(disk).len(), 8 * 2 + 2);
    // Longer than any commit, whatever it is.
    let (mut disk, _) = one_by_one(10);
    let file = disk.file_mut(NEWEST).unwrap();
    file.resize(file.len() + (32 << 20), 0);
    assert_eq!(damaged_end(disk).len(), 20);
}

#[test]
fn the_last_commit_alone_may_be_one_that_never_was_whole() {
    for at in [0, 50] {
        let (mut disk, frames) = one_by_one(10);
        disk.file_mut(NEWEST).unwrap()[frames[9] + at] ^= 1;
        let mut opened = Log::open(disk, 6).unwrap();
        assert!(opened.set_aside.is_empty() && opened.damaged_bytes == 0);
        assert!(opened.cut_off_bytes > 200);
        assert_eq!(contents(&mut opened.store, b"").0.len(), 9 * 2);
    }
}

#[test]
fn a_newest_segment_of_zeros_is_lost_as_a_whole_and_set_aside_as_it_is() {
    let (disk, _, _) = fill(SimulatedDisk::new(8).with_segment_bytes(20_000), 8, 30, 300);
    let mut disk = opened(disk).into_disk();
    let name = "00000002.log";
    let file = disk.file_mut(name).unwrap();
    let length = file.len();
    file.fill(0);
    let opened = Log::open(disk, 6).unwrap();
    assert_eq!(opened.set_aside, ["00000002.log.damaged-1"]);
    assert_eq!((opened.damaged_bytes, opened.cut_off_bytes), (length as u64, 0));
    let mut disk = opened.store.into_disk();
    assert_eq!(disk.file_mut("00000002.log.damaged-1"), Some(&mut vec![0; length]));
}

#[test]
fn what_rots_while_the_store_is_open_is_left_out_and_told() {
    let mut store = opened(SimulatedDisk::new(1));
    let mut batch = Batch::new();
    batch.put(b"sound", &[1; 100]).unwrap();
    batch.put(b"rotten", &[2; 100]).unwrap();
    store.commit(&batch).unwrap();
    let file = store.disk_mut().file_mut("00000001.log").unwrap();
    let last = file.len() - 20;
    file[last] ^= 0x40;
    let (shown, scanned) = contents(&mut store, b"");
    assert_eq!((shown.len(), scanned.damaged), (1, 1));
    assert!(matches!(store.get(b"rotten"), Err(StoreError::Damaged)));
    assert!(store.get(b"sound").unwrap().is_some());
}

#[test]
fn a_store_without_one_sound_header_is_set_aside_as_a_whole() {
    let mut disk = filled(3, 12, 200).0;
    disk.file_mut("00000001.log").unwrap()[3] ^= 1;
    let mut opened = Log::open(disk, 6).unwrap();
    assert_eq!(opened.set_aside, ["00000001.log.damaged-1"]);
    assert!(is_told(&opened));
    check(&mut opened.store, &Model::new());
}

#[test]
fn a_sector_that_cannot_be_read_costs_what_lies_there_and_the_store_opens() {
    for seed in 1..=150 {
        let disk = SimulatedDisk::new(seed).with_segment_bytes(20_000);
        let (mut disk, model, life) = fill(disk, seed, 60, 200);
        let name = disk.damage(Damage::Unreadable).unwrap();
        let mut store = open_damaged(disk, &life, Damage::Unreadable);
        let (mut now, _) = contents(&mut store, b"");
        let lost = model.iter().filter(|(key, value)| now.get(*key) != Some(value)).count();
        assert!(lost <= 70, "{lost} of {} lost by one sector of {name}", model.len());
        // It goes on, and has nothing to tell a second time.
        let batch = Chance(seed).batch(10, 300, 200);
        store.commit(&batch).unwrap();
        apply(&mut now, &batch);
        check(&mut opened(store.into_disk()), &now);
    }
}

#[test]
fn a_store_without_one_header_that_can_be_read_is_left_as_it_is() {
    use store::Disk;
    let (mut disk, model, _) = filled(3, 12, 200);
    assert!(disk.make_unreadable("00000001.log", 0));
    let error = Log::open(&mut disk, 6).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read `00000001.log` of the store: sector 0 cannot be read"
    );
    assert_eq!(disk.names().unwrap(), ["00000001.log"]);
    let sector = disk.file_mut("00000001.log").unwrap()[..512].to_vec();
    disk.write_at("00000001.log", 0, &sector).unwrap();
    check(&mut opened(disk), &model);
}

#[test]
fn a_sector_that_cannot_be_read_any_more_keeps_no_log_from_being_cleaned() {
    use store::Disk;
    let (disk, mut model, _) = fill(SimulatedDisk::new(8).with_segment_bytes(3_000), 8, 3, 300);
    let mut store = opened(disk);
    assert!(store.disk_mut().make_unreadable("00000001.log", 600));
    let mut chance = Chance(8);
    for _ in 0..300 {
        let batch = chance.batch(10, 300, 300);
        store.commit(&batch).unwrap();
        apply(&mut model, &batch);
    }
    let names = store.disk_mut().names().unwrap();
    assert!(names.contains(&"00000001.log.damaged-1".to_owned()), "{names:?}");
    assert!(store.disk_bytes() < 200_000, "{}", store.disk_bytes());
    let (shown, scanned) = contents(&mut store, b"");
    assert_eq!(scanned.damaged, 0);
    assert!(shown.iter().all(|(key, value)| model.get(key) == Some(value)));
    check(&mut opened(store.into_disk()), &shown);
}

#[test]
fn a_header_damaged_in_the_middle_costs_no_entry() {
    let (mut disk, model, _) = filled(4, 150, 60_000);
    disk.file_mut("00000002.log").unwrap()[3] ^= 1;
    let mut opened = Log::open(disk, 6).unwrap();
    assert_eq!(opened.set_aside, ["00000002.log.damaged-1"]);
    check(&mut opened.store, &model);
}

#[test]
fn a_segment_that_is_gone_is_told_once() {
    use store::Disk;
    let (mut disk, _, life) = filled(5, 150, 60_000);
    disk.remove("00000002.log").unwrap();
    let mut first = Log::open(disk, 6).unwrap();
    assert!(first.missing_commits > 0);
    let (shown, _) = contents(&mut first.store, b"");
    assert!(shown.iter().all(|(key, value)| life.put[key].contains(value)));
    check(&mut opened(first.store.into_disk()), &shown);
}

#[test]
fn files_that_are_none_of_ours_stay_where_they_are() {
    use store::Disk;
    let mut disk = filled(6, 12, 200).0;
    for name in ["notes.txt", "1.log", "0000000G.log", "00000001.log.damaged-1"] {
        disk.create(name).unwrap();
        disk.write_at(name, 0, b"something").unwrap();
    }
    let mut disk = opened(disk).into_disk();
    assert_eq!(disk.names().unwrap().len(), 5);
    disk.file_mut("00000001.log").unwrap()[0] ^= 1;
    let opened = Log::open(disk, 6).unwrap();
    assert_eq!(opened.set_aside, ["00000001.log.damaged-2"]);
}

#[test]
fn a_segment_that_rots_while_it_is_cleaned_is_set_aside_and_the_rest_lives_on() {
    use store::Disk;
    let mut chance = Chance(8);
    let mut store = opened(SimulatedDisk::new(8).with_segment_bytes(3_000));
    let mut batch = Batch::new();
    batch.put(b"lasting", &[1; 300]).unwrap();
    batch.put(b"beside it", &[2; 300]).unwrap();
    store.commit(&batch).unwrap();
    let file = store.disk_mut().file_mut("00000001.log").unwrap();
    let at = file.windows(9).position(|nine| *nine == [1; 9]).unwrap();
    file[at] ^= 1;
    let mut model = Model::new();
    model.insert(b"beside it".to_vec(), vec![2; 300]);
    let mut told = Vec::new();
    for _ in 0..300 {
        let batch = chance.batch(10, 20, 300);
        store.commit(&batch).unwrap();
        apply(&mut model, &batch);
        told.extend(store.take_lost());
    }
    check(&mut store, &model);
    assert_eq!(told, [Lost { entries: 1, set_aside: vec!["00000001.log.damaged-1".to_owned()] }]);
    let names = store.disk_mut().names().unwrap();
    assert!(names.contains(&"00000001.log.damaged-1".to_owned()), "{names:?}");
    check(&mut opened(store.into_disk()), &model);
}
