//! A full disk refuses what comes, keeps what is there, and takes more when there is room.

use store::{SimulatedDisk, Store, StoreError};

use crate::model::{Chance, Model, apply, check, opened};

#[test]
fn a_full_disk_refuses_and_keeps_and_goes_on_when_there_is_room() {
    for seed in 1..=50 {
        let mut chance = Chance(seed);
        let mut model = Model::new();
        let mut store = opened(SimulatedDisk::new(seed));
        store.disk_mut().set_capacity(Some(20_000 + chance.below(20_000)));
        let mut refused = 0;
        while refused < 5 {
            let batch = chance.batch(10, 300, 700);
            match store.commit(&batch) {
                Ok(()) => apply(&mut model, &batch),
                Err(StoreError::Full(_)) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        check(&mut store, &model);
        if seed % 2 == 0 {
            // No room for one more byte, and still it opens.
            store = opened(store.into_disk());
            check(&mut store, &model);
        }
        store.disk_mut().set_capacity(None);
        for _ in 0..20 {
            let batch = chance.batch(10, 300, 700);
            store.commit(&batch).unwrap();
            apply(&mut model, &batch);
        }
        check(&mut opened(store.into_disk()), &model);
    }
}

#[test]
fn the_error_says_that_no_space_is_left() {
    let mut store = opened(SimulatedDisk::new(1));
    store.disk_mut().set_capacity(Some(0));
    let error = store.commit(&Chance(1).batch(10, 300, 700)).unwrap_err().to_string();
    assert!(error.starts_with("no space is left for the store: "), "{error}");
}
