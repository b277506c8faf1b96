//! Coming back with what was durable.

use std::path::Path;

use kv::Kv;
use node::Now;
use store::{Batch, Store, StoreError};
use wire::Contact;

use crate::clock::Clock;
use crate::data_dir::{DataDir, DataDirError};
use crate::error::StartError;
use crate::persistence::Persistence;
use crate::remembered::{self, Remembered};
use crate::seed::random_seed;

/// What a node came back with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Entries of the store that were taken back.
    pub entries: usize,
    /// Files of the store that are damaged, by their new names in the data directory's `store`; what
    /// could be read in them was taken back.
    pub set_aside: Vec<String>,
    /// Bytes of the store that could not be understood.
    pub damaged_bytes: u64,
    /// Entries of the store that are not as they were written.
    pub damaged_entries: u64,
    /// Contacts that were remembered.
    pub(crate) contacts: Vec<Contact>,
}

/// Opens a data directory and makes the node that lives in it.
pub(crate) fn restore(
    directory: &Path,
    config: kv::Config,
    clock: &Clock,
) -> Result<(Kv, (Persistence, DataDir), Restored), StartError> {
    let data_dir = DataDir::take(directory)?;
    let opened = data_dir.open_store()?;
    let mut store = opened.store;
    let taken = take_back(&mut store, config, random_seed()?, clock.now());
    let (kv, mut restored) =
        taken.map_err(|cause| DataDirError::Store { directory: directory.to_owned(), cause })?;
    restored.set_aside = opened.set_aside;
    restored.damaged_bytes = opened.damaged_bytes;
    Ok((kv, (Persistence::start(Box::new(store))?, data_dir), restored))
}

/// Makes a node of what a store holds, and lets go of what has ended in the store.
pub(crate) fn take_back(
    store: &mut impl Store,
    mut config: kv::Config,
    seed: [u8; 32],
    now: Now,
) -> Result<(Kv, Restored), StoreError> {
    let kept = match store.get(remembered::KEY) {
        // Who we were is lost, and no reason to lose all else.
        Err(StoreError::Damaged) => None,
        kept => kept?,
    };
    let remembered = kept.as_deref().and_then(Remembered::read);
    config.node.durable = true;
    config.node.id = remembered.as_ref().map(|remembered| remembered.id).or(config.node.id);
    let mut kv = Kv::new(config, seed, now);
    let (mut entries, mut ended) = (0, Batch::new());
    let scanned = store.scan(b"", &mut |key, value| {
        if key == remembered::KEY {
            return;
        }
        if kv.restore(now, key, value) {
            entries += 1;
        } else {
            // What does not fit one batch ends another time.
            let _ = ended.remove(key);
        }
    })?;
    if remembered.is_none() {
        // At once, so that a directory that cannot be written shows before the node serves.
        let mut first = Vec::new();
        Remembered { id: kv.node().id(), contacts: Vec::new() }.write(&mut first);
        // A full batch of what has ended is no use to a node without an identity.
        if ended.put(remembered::KEY, &first).is_err() {
            ended.clear();
            let _ = ended.put(remembered::KEY, &first);
        }
    }
    if !ended.is_empty() {
        match store.commit(&ended) {
            // What is held can be served all the same, and what has ended goes another time.
            Err(StoreError::Full(_)) if remembered.is_some() => {}
            committed => committed?,
        }
    }
    let contacts = remembered.map(|remembered| remembered.contacts).unwrap_or_default();
    let damaged_entries = scanned.damaged;
    Ok((kv, Restored { entries, damaged_entries, contacts, ..Restored::default() }))
}
