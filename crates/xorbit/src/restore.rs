//! Coming back with what was durable.

use std::path::Path;
use std::sync::mpsc;

use kv::{Kv, Restorable};
use node::{Now, Persisted};
use store::{Batch, Scanned, Store, StoreError};
use wire::Contact;

use crate::clock::Clock;
use crate::data_dir::{DataDir, DataDirError};
use crate::error::StartError;
use crate::persistence::Persistence;
use crate::remembered::{self, Remembered};
use crate::seed::random_seed;

/// Entries that are handed from one thread to the other at once: 100 kB of them.
const CHUNK: usize = 1_000;

/// Chunks that wait for the shelf at most.
const CHUNKS: usize = 8;

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
    /// Commits that are missing between others: a file of the store is gone or was cut short.
    pub missing_commits: u64,
    /// Bytes at the end of the store that were no whole commit, as a power cut leaves them, and went.
    pub cut_off_bytes: u64,
    /// Contacts that were remembered.
    pub(crate) contacts: Vec<Contact>,
}

/// Opens a data directory and makes the node that lives in it.
pub(crate) fn restore(
    directory: &Path,
    config: kv::Config,
    clock: &Clock,
) -> Result<(Kv, Persistence, Restored), StartError> {
    let data_dir = DataDir::take(directory)?;
    let opened = data_dir.open_store()?;
    let mut store = opened.store;
    let taken = take_back(&mut store, config, random_seed()?, clock.now());
    let (kv, mut restored) =
        taken.map_err(|cause| DataDirError::Store { directory: directory.to_owned(), cause })?;
    restored.set_aside = opened.set_aside;
    restored.damaged_bytes = opened.damaged_bytes;
    restored.missing_commits = opened.missing_commits;
    restored.cut_off_bytes = opened.cut_off_bytes;
    Ok((kv, Persistence::start(Box::new(store), data_dir)?, restored))
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
    let Scan { entries, damaged_entries, mut ended } = take_all(store, &mut kv, now)?;
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
    Ok((kv, Restored { entries, damaged_entries, contacts, ..Restored::default() }))
}

/// What reading a whole store came to.
struct Scan {
    /// Entries that were taken back.
    entries: usize,
    damaged_entries: u64,
    /// What may be removed from the disk.
    ended: Batch,
}

/// Takes back all entries: one thread reads and decodes them, this one puts them onto the shelf.
fn take_all(store: &mut impl Store, kv: &mut Kv, now: Now) -> Result<Scan, StoreError> {
    kv.expect(usize::try_from(store.entries()).unwrap_or_default());
    let (sender, chunks) = mpsc::sync_channel(CHUNKS);
    let (mut entries, mut ended, mut key) = (0, Batch::new(), Vec::new());
    let scanned = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("xorbit-restore".into());
        let scanning = thread.spawn_scoped(scope, move || read_all(store, &sender));
        let no_thread =
            |cause| StoreError::Io { doing: "start a thread for", file: ".".into(), cause };
        let scanning = scanning.map_err(no_thread)?;
        for kept in chunks.into_iter().flatten() {
            key.clear();
            kept.write_key(&mut key);
            if kv.restore(now, kept) {
                entries += 1;
            } else {
                // What does not fit one batch ends another time.
                let _ = ended.remove(&key);
            }
        }
        scanning.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked))
    });
    let (scanned, unread) = scanned?;
    for key in &unread {
        let _ = ended.remove(key);
    }
    Ok(Scan { entries, damaged_entries: scanned.damaged, ended })
}

/// Reads all entries and hands them on in chunks; gives the keys of those that lie where this version
/// keeps something, and are not that. What lies elsewhere is of a later version, and stays.
fn read_all(
    store: &mut impl Store,
    to: &mpsc::SyncSender<Vec<Restorable>>,
) -> Result<(Scanned, Vec<Vec<u8>>), StoreError> {
    let (mut chunk, mut unread) = (Vec::with_capacity(CHUNK), Vec::new());
    let scanned = store.scan(b"", &mut |key, value| {
        match Restorable::read(key, value) {
            Some(kept) => chunk.push(kept),
            None if Persisted::is_key(key) => unread.push(key.to_vec()),
            None => {}
        }
        if chunk.len() == CHUNK {
            // Who takes them waits until the end.
            let _ = to.send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)));
        }
    })?;
    let _ = to.send(chunk);
    Ok((scanned, unread))
}

#[cfg(test)]
mod tests {
    use store::Memory;

    use super::*;

    #[test]
    fn what_a_later_version_keeps_stays_and_what_is_none_of_its_kind_goes() {
        let mut store = Memory::new();
        let mut batch = Batch::new();
        batch.put(b"zebra", b"of a later version").unwrap();
        batch.put(b"", b"nameless").unwrap();
        batch.put(b"no item", b"in the place of a node's own").unwrap();
        batch.put(b"i am no item", b"where items lie").unwrap();
        store.commit(&batch).unwrap();
        for _ in 0..2 {
            let now = Clock::start().now();
            take_back(&mut store, kv::Config::default(), [1; 32], now).unwrap();
        }
        assert_eq!(store.get(b"zebra").unwrap().as_deref(), Some(&b"of a later version"[..]));
        assert!(store.get(b"").unwrap().is_some() && store.get(b"no item").unwrap().is_some());
        assert_eq!(store.get(b"i am no item").unwrap(), None);
        assert!(store.get(remembered::KEY).unwrap().is_some());
    }
}
