//! The driver over a disk that fails and works again: who hears of it, and how often.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use kv::{Event, Kv, PutError};
use store::{Batch, Each, Faults, Faulty, Lost, Memory, Scanned, Store, StoreError};

use crate::clock::Clock;
use crate::data_dir::DataDir;
use crate::driver::Driver;
use crate::node::{Events, Node};
use crate::persistence::Persistence;
use crate::restore::{Restored, take_back};
use crate::seed::random_seed;
use crate::socket::Port;

/// A store whose faults are switched from outside.
#[derive(Clone)]
struct Switched(Arc<Mutex<Faulty<Memory>>>, Arc<Mutex<Option<Lost>>>);

impl Switched {
    fn store(&self) -> MutexGuard<'_, Faulty<Memory>> {
        self.0.lock().unwrap()
    }

    fn new() -> Self {
        let store = Faulty::new(Memory::new(), 1, Faults::default());
        Self(Arc::new(Mutex::new(store)), Arc::default())
    }

    fn set(&self, faults: Faults) {
        self.store().set_faults(faults);
    }
}

impl Store for Switched {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.store().commit(batch)
    }

    fn scan(&mut self, prefix: &[u8], each: Each<'_>) -> Result<Scanned, StoreError> {
        self.store().scan(prefix, each)
    }

    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store().get(key)
    }

    fn take_lost(&mut self) -> Option<Lost> {
        self.1.lock().unwrap().take()
    }

    fn entries(&self) -> u64 {
        self.store().entries()
    }

    fn disk_bytes(&self) -> u64 {
        self.store().disk_bytes()
    }
}

/// A directory that ends with its test.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn start(store: &Switched, directory: &Directory) -> Node {
    let clock = Clock::start();
    let seed = random_seed().unwrap();
    let config = kv::Config::default();
    let (kv, _): (Kv, Restored) = take_back(&mut store.clone(), config, seed, clock.now()).unwrap();
    let data_dir = DataDir::take(&directory.0).unwrap();
    let persistence = Persistence::start(Box::new(store.clone()), data_dir).unwrap();
    let port = Port::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (join, restored) = (Vec::new(), Restored::default());
    Driver::spawn(kv, vec![port], clock, Some(persistence), join, restored)
}

/// What a node that was closed has told.
async fn all_of(events: &mut Events) -> Vec<Event> {
    let mut told = Vec::new();
    let all = async {
        while let Some(event) = events.next().await {
            told.push(event);
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all).await.unwrap();
    told
}

#[tokio::test]
async fn what_rots_on_the_disk_is_told_while_the_node_runs() {
    let name = format!("xorbit-driving-rot-{}", std::process::id());
    let directory = Directory(std::env::temp_dir().join(name));
    let store = Switched::new();
    let node = start(&store, &directory);
    let mut events = node.events();
    let set_aside = vec!["00000001.log.damaged-1".to_owned()];
    *store.1.lock().unwrap() = Some(Lost { entries: 2, set_aside: set_aside.clone() });
    node.put("one", "v").await.unwrap();
    node.put("another", "v").await.unwrap();
    node.close().await;
    let told = all_of(&mut events).await;
    let [Event::DiskDamaged { entries: 2, set_aside: files }] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(*files, set_aside);
}

#[tokio::test]
async fn a_disk_that_fails_and_works_again_is_told_once_each_and_the_node_serves_on() {
    let name = format!("xorbit-driving-{}", std::process::id());
    let directory = Directory(std::env::temp_dir().join(name));
    let store = Switched::new();
    let node = start(&store, &directory);
    let mut events = node.events();
    node.put("before", "v").await.unwrap();
    store.set(Faults { full_at: Some(0), ..Faults::default() });
    for _ in 0..3 {
        match node.put("while", "v").await {
            Err(PutError::NotEnoughReplicas(report)) => {
                let [refusal] = &report.replicas.refused[..] else { panic!("{report:?}") };
                assert_eq!((refusal.code, &*refusal.text), (202, "cannot be written to the disk"));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(&node.get("before").await.unwrap().value[..], b"v");
    store.set(Faults::default());
    for _ in 0..3 {
        node.put("after", "v").await.unwrap();
    }
    node.close().await;
    let told = all_of(&mut events).await;
    let [Event::DiskFails(why), Event::DiskWorks] = &told[..] else { panic!("{told:?}") };
    assert!(why.starts_with("no space is left for the store"), "{why}");

    let again = start(&store, &directory);
    assert_eq!(&again.get("after").await.unwrap().value[..], b"v");
    again.close().await;
}
