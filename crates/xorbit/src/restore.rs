//! Coming back with what was durable.

use std::path::Path;

use kv::Kv;
use store::{Batch, Store};
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
    /// Contacts that were remembered.
    pub(crate) contacts: Vec<Contact>,
}

/// Opens a data directory and makes the node that lives in it.
pub(crate) fn restore(
    directory: &Path,
    mut config: kv::Config,
    clock: &Clock,
) -> Result<(Kv, (Persistence, DataDir), Restored), StartError> {
    let data_dir = DataDir::take(directory)?;
    let opened = data_dir.open_store()?;
    let mut store = opened.store;
    let cannot = |cause| DataDirError::Store { directory: directory.to_owned(), cause };
    let kept = store.get(remembered::KEY).map_err(cannot)?;
    let remembered = kept.as_deref().and_then(Remembered::read);
    config.node.durable = true;
    config.node.id = remembered.as_ref().map(|remembered| remembered.id).or(config.node.id);
    let now = clock.now();
    let mut kv = Kv::new(config, random_seed()?, now);
    let (mut entries, mut ended) = (0, Batch::new());
    let scanned = store
        .scan(b"", &mut |key, value| {
            if key == remembered::KEY {
                return;
            }
            if kv.restore(now, key, value) {
                entries += 1;
            } else {
                // What does not fit one batch ends another time.
                let _ = ended.remove(key);
            }
        })
        .map_err(cannot)?;
    if remembered.is_none() {
        // At once, so that a directory that cannot be written shows before the node serves.
        let mut first = Vec::new();
        Remembered { id: kv.node().id(), contacts: Vec::new() }.write(&mut first);
        ended.put(remembered::KEY, &first).map_err(|cause| cannot(cause.into()))?;
    }
    if !ended.is_empty() {
        store.commit(&ended).map_err(cannot)?;
    }
    let restored = Restored {
        entries,
        set_aside: opened.set_aside,
        damaged_bytes: opened.damaged_bytes + scanned.damaged,
        contacts: remembered.map(|remembered| remembered.contacts).unwrap_or_default(),
    };
    Ok((kv, (Persistence::start(Box::new(store))?, data_dir), restored))
}
