//! Any batches and restarts, against a map; and what the other tests are made of.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use store::{Batch, Change, Faults, Faulty, Log, Memory, Scanned, SimulatedDisk, Store};

/// What a store should have in it.
pub type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Chance for the tests' own use: Marsaglia's xorshift of 64 bits.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % end
    }

    /// Some changes of few keys, so that they meet.
    pub fn batch(&mut self, changes: u64, keys: u64, value_bytes: u64) -> Batch {
        let mut batch = Batch::new();
        for _ in 0..=self.below(changes) {
            let key = self.below(keys).to_be_bytes();
            if self.below(4) == 0 {
                batch.remove(&key[6..]).unwrap();
            } else {
                let length = self.below(value_bytes) as usize;
                let value: Vec<u8> = (0..length).map(|_| self.below(256) as u8).collect();
                batch.put(&key[6..], &value).unwrap();
            }
        }
        batch
    }
}

pub fn apply(model: &mut Model, batch: &Batch) {
    for change in batch.changes() {
        match change {
            Change::Put { key, value } => model.insert(key.to_vec(), value.to_vec()),
            Change::Remove { key } => model.remove(key),
        };
    }
}

/// All that a store shows, each entry once.
pub fn contents(store: &mut impl Store, prefix: &[u8]) -> (Model, Scanned) {
    let mut shown = Model::new();
    let scanned = store.scan(prefix, &mut |key, value| {
        let before = shown.insert(key.to_vec(), value.to_vec());
        assert_eq!(before, None, "{key:?} is shown twice");
    });
    let scanned = scanned.unwrap();
    assert_eq!(scanned.entries, shown.len() as u64);
    (shown, scanned)
}

/// Holds a store to its model: as a whole, by prefix and by key.
pub fn check(store: &mut impl Store, model: &Model) {
    let (shown, scanned) = contents(store, b"");
    assert_eq!((&shown, scanned.damaged), (model, 0));
    let begins = |key: &[u8]| key.first() == Some(&0);
    let expected: Model = model.clone().into_iter().filter(|(key, _)| begins(key)).collect();
    assert_eq!(contents(store, &[0]).0, expected);
    for key in model.keys() {
        assert_eq!(store.get(key).unwrap().as_ref(), model.get(key));
    }
    assert_eq!(store.get(b"a key that nobody put").unwrap(), None);
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = vec(0..3u8, 0..4);
    let value = prop_oneof![1 => Just(None), 3 => vec(any::<u8>(), 0..50).prop_map(Some)];
    let commit = vec((key, value), 0..6).prop_map(Step::Commit);
    vec(prop_oneof![4 => commit, 1 => Just(Step::Restart)], 0..40)
}

/// Runs the steps on a store that `restart` ends and opens again.
fn follow<S: Store>(steps: &[Step], mut store: S, restart: impl Fn(S) -> S) {
    let mut model = Model::new();
    for step in steps {
        match step {
            Step::Restart => store = restart(store),
            Step::Commit(changes) => {
                let mut batch = Batch::new();
                for (key, value) in changes {
                    match value {
                        Some(value) => batch.put(key, value).unwrap(),
                        None => batch.remove(key).unwrap(),
                    }
                }
                store.commit(&batch).unwrap();
                apply(&mut model, &batch);
            }
        }
        check(&mut store, &model);
    }
}

pub fn opened(disk: SimulatedDisk) -> Log<SimulatedDisk> {
    let opened = Log::open(disk, 5).unwrap();
    assert_eq!(opened.set_aside, Vec::<String>::new());
    assert_eq!((opened.damaged_bytes, opened.missing_commits), (0, 0));
    opened.store
}

proptest! {
    #[test]
    fn any_batches_and_restarts_leave_memory_as_a_map(steps in steps()) {
        follow(&steps, Memory::new(), |store| store.clone());
    }

    #[test]
    fn any_batches_and_restarts_leave_a_faultless_faulty_store_as_a_map(steps in steps()) {
        let faulty = |inner| Faulty::new(inner, 1, Faults::default());
        follow(&steps, faulty(Memory::new()), |store| faulty(store.into_inner()));
    }

    #[test]
    fn any_batches_and_restarts_leave_the_log_as_a_map(steps in steps()) {
        let restart = |store: Log<SimulatedDisk>| opened(store.into_disk());
        follow(&steps, opened(SimulatedDisk::new(1)), restart);
    }
}

#[test]
fn a_log_that_is_cleaned_keeps_what_lives_and_stays_small() {
    let mut chance = Chance(9);
    let mut model = Model::new();
    let mut store = opened(SimulatedDisk::new(1));
    for round in 0..400 {
        let batch = chance.batch(20, 400, 60_000);
        store.commit(&batch).unwrap();
        apply(&mut model, &batch);
        if round % 100 == 50 {
            check(&mut store, &model);
            store = opened(store.into_disk());
        }
        let live: usize = model.iter().map(|(key, value)| key.len() + value.len() + 14).sum();
        let bound = 2 * live as u64 + 6 * store::limits::SEGMENT_BYTES;
        assert!(store.disk_bytes() < bound, "{} bytes for {live}", store.disk_bytes());
        assert_eq!(store.disk_bytes(), store.disk_mut().bytes());
    }
    check(&mut store, &model);
}
