//! The same on the file system of this machine.

use std::fs;
use std::path::PathBuf;

use crate::model::{Chance, Model, apply, check};
use store::Store;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("xorbit-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_store_in_a_directory_is_there_again_after_a_restart() {
    let folder = Folder::new("store-restart");
    let mut chance = Chance(3);
    let mut model = Model::new();
    for _ in 0..5 {
        let opened = store::open(&folder.0).unwrap();
        assert_eq!((opened.set_aside.len(), opened.cut_off_bytes), (0, 0));
        let mut store = opened.store;
        check(&mut store, &model);
        for _ in 0..20 {
            let batch = chance.batch(10, 300, 20_000);
            store.commit(&batch).unwrap();
            apply(&mut model, &batch);
        }
        check(&mut store, &model);
    }
    assert!(folder.0.join("store").join("00000001.log").is_file());
}

#[test]
fn a_log_in_a_directory_is_cleaned_and_its_old_files_are_removed() {
    let folder = Folder::new("store-cleaning");
    let mut chance = Chance(4);
    let mut model = Model::new();
    let mut store = store::open(&folder.0).unwrap().store;
    for _ in 0..150 {
        let batch = chance.batch(50, 20, 60_000);
        store.commit(&batch).unwrap();
        apply(&mut model, &batch);
    }
    assert!(!folder.0.join("store").join("00000001.log").exists());
    check(&mut store, &model);
    drop(store);
    check(&mut store::open(&folder.0).unwrap().store, &model);
}

#[test]
fn a_damaged_file_is_set_aside_beside_the_others() {
    let folder = Folder::new("store-damaged");
    let mut batch = store::Batch::new();
    for key in 0..3u8 {
        batch.clear();
        batch.put(&[key], &[key; 50]).unwrap();
        store::open(&folder.0).unwrap().store.commit(&batch).unwrap();
    }
    let file = folder.0.join("store").join("00000001.log");
    let mut bytes = fs::read(&file).unwrap();
    bytes[40 + 32 + 20] ^= 1;
    fs::write(&file, bytes).unwrap();
    let mut opened = store::open(&folder.0).unwrap();
    assert_eq!(opened.set_aside, ["00000001.log.damaged-1"]);
    assert!(folder.0.join("store").join("00000001.log.damaged-1").is_file());
    assert_eq!(opened.store.get(&[0]).unwrap(), None);
    assert_eq!(opened.store.get(&[2]).unwrap(), Some(vec![2; 50]));
}
