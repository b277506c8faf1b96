//! The thread that makes changes durable, so that the protocol never waits for a disk.
//!
//! One batch is on its way at a time. While the disk is busy the next one gathers, and after one has
//! begun the next waits a few milliseconds, so that many puts share one flush.

use std::io;
use std::sync::mpsc as std_mpsc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use kv::Event;
use node::{BatchNumber, Change, Changes};
use store::{Batch, Lost, Store, StoreError};
use tokio::sync::mpsc;

use crate::data_dir::DataDir;
use crate::error::StartError;

/// The least time between the beginnings of two commits.
const GATHERING: Duration = Duration::from_millis(3);

/// Hands batches to the disk and hears of them.
pub(crate) struct Persistence {
    to_disk: std_mpsc::Sender<Changes>,
    from_disk: mpsc::UnboundedReceiver<Committed>,
    /// The batch on its way.
    under_way: Option<BatchNumber>,
    /// The buffers of the batch before, for the next one.
    spare: Changes,
    /// The next batch waits at least until then.
    not_before: Instant,
}

/// A batch that the disk has, or has not.
pub(crate) struct Committed {
    pub batch: BatchNumber,
    pub outcome: Result<(), StoreError>,
    /// What of earlier batches was found damaged meanwhile, to be told.
    pub damaged: Option<Box<Event>>,
    changes: Changes,
}

impl Persistence {
    /// Starts the thread, which owns the store from now on, and with it the directory in which that
    /// is: nobody else may write there as long as the thread may.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(store: Box<dyn Store>, directory: DataDir) -> Result<Self, StartError> {
        let (to_disk, batches) = std_mpsc::channel();
        let (committed, from_disk) = mpsc::unbounded_channel();
        std::thread::Builder::new()
            .name("xorbit-store".into())
            .spawn(move || {
                commit_all(store, &batches, &committed);
                drop(directory);
                // Last: by this its owner knows that the directory is free.
                drop(committed);
            })
            .map_err(StartError::NoThread)?;
        let spare = Changes::default();
        let not_before = Instant::now();
        Ok(Self { to_disk, from_disk, under_way: None, spare, not_before })
    }

    /// When the changes that have gathered may be handed over; `None` while a batch is on its way or
    /// nothing has gathered.
    pub fn due(&self, changes: &Changes) -> Option<Instant> {
        (self.under_way.is_none() && !changes.is_empty()).then_some(self.not_before)
    }

    /// Hands over what has gathered, if it is time.
    pub fn hand_over(&mut self, changes: &mut Changes) {
        let now = Instant::now();
        if self.due(changes).is_some_and(|due| due <= now) {
            self.hand_over_now(changes, now);
        }
    }

    fn hand_over_now(&mut self, changes: &mut Changes, now: Instant) {
        let batch = changes.take(&mut self.spare);
        // A thread that is gone is noticed when the batch is waited for.
        let _ = self.to_disk.send(std::mem::take(&mut self.spare));
        (self.under_way, self.not_before) = (Some(batch), now + GATHERING);
    }

    /// Waits for the batch on its way. If the thread is gone, which only a panic in the store makes of
    /// it, the batch has failed, and so will all others.
    pub fn poll_committed(&mut self, context: &mut Context<'_>) -> Poll<Committed> {
        if self.under_way.is_none() {
            return Poll::Pending;
        }
        match self.from_disk.poll_recv(context) {
            Poll::Ready(Some(mut committed)) => {
                self.under_way = None;
                self.spare = std::mem::take(&mut committed.changes);
                Poll::Ready(committed)
            }
            Poll::Ready(None) => {
                let Some(batch) = self.under_way.take() else { return Poll::Pending };
                let cause = io::Error::other("the thread that writes it has panicked");
                let gone = StoreError::Io { doing: "write", file: ".".into(), cause };
                let (outcome, changes) = (Err(gone), Changes::default());
                Poll::Ready(Committed { batch, outcome, damaged: None, changes })
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Hands over the last changes and waits until the disk has them, or does not take them, and the
    /// thread has let go of the directory.
    pub async fn finish(mut self, changes: &mut Changes) -> Result<(), StoreError> {
        let last = self.commit_last(changes).await;
        let Self { to_disk, mut from_disk, .. } = self;
        drop(to_disk);
        while from_disk.recv().await.is_some() {}
        last
    }

    async fn commit_last(&mut self, changes: &mut Changes) -> Result<(), StoreError> {
        loop {
            if self.under_way.is_none() {
                if changes.is_empty() {
                    return Ok(());
                }
                self.hand_over_now(changes, Instant::now());
            }
            std::future::poll_fn(|context| self.poll_committed(context)).await.outcome?;
        }
    }
}

/// Commits batch after batch until nobody hands over any more.
fn commit_all(
    mut store: Box<dyn Store>,
    batches: &std_mpsc::Receiver<Changes>,
    committed: &mpsc::UnboundedSender<Committed>,
) {
    let mut batch = Batch::new();
    while let Ok(changes) = batches.recv() {
        let outcome = commit(&mut *store, &mut batch, &changes);
        let number = changes.batch();
        let damaged = store.take_lost().map(|lost| Box::new(damaged(lost)));
        // Nobody listens any more once the node is closed.
        let _ = committed.send(Committed { batch: number, outcome, damaged, changes });
    }
}

fn damaged(lost: Lost) -> Event {
    let Lost { entries, set_aside } = lost;
    Event::DiskDamaged { entries, set_aside }
}

/// Commits what gathered, in parts if it is more than one batch of the store holds.
pub(crate) fn commit(
    store: &mut dyn Store,
    batch: &mut Batch,
    changes: &Changes,
) -> Result<(), StoreError> {
    batch.clear();
    for change in changes.iter() {
        let added = match change {
            Change::Put { key, value } => batch.put(key, value),
            Change::Remove { key } => batch.remove(key),
        };
        // Each change fits, so the batch is full: its first part goes ahead.
        if added.is_err() {
            store.commit(batch)?;
            batch.clear();
            match change {
                Change::Put { key, value } => batch.put(key, value)?,
                Change::Remove { key } => batch.remove(key)?,
            }
        }
    }
    store.commit(batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use store::{Each, Memory, Scanned};

    /// A store of which each commit waits for a word, and without one panics.
    struct OnWord {
        inner: Memory,
        word: std_mpsc::Receiver<()>,
    }

    impl Store for OnWord {
        fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
            self.word.recv().expect("somebody gives the word");
            self.inner.commit(batch)
        }

        fn scan(&mut self, prefix: &[u8], each: Each<'_>) -> Result<Scanned, StoreError> {
            self.inner.scan(prefix, each)
        }

        fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            self.inner.get(key)
        }

        fn entries(&self) -> u64 {
            self.inner.entries()
        }

        fn disk_bytes(&self) -> u64 {
            self.inner.disk_bytes()
        }
    }

    /// A directory that ends with its test.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let name = format!("xorbit-persistence-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn start(directory: &Directory) -> (Persistence, std_mpsc::Sender<()>) {
        let (give, word) = std_mpsc::channel();
        let store = Box::new(OnWord { inner: Memory::new(), word });
        let data_dir = DataDir::take(&directory.0).unwrap();
        (Persistence::start(store, data_dir).unwrap(), give)
    }

    fn change() -> Changes {
        let mut changes = Changes::default();
        changes.put(b"key", |value| value.extend(b"value"));
        changes
    }

    #[test]
    fn a_directory_is_in_use_as_long_as_its_disk_is_busy() {
        let directory = Directory::new("busy");
        let (mut persistence, give) = start(&directory);
        persistence.hand_over(&mut change());
        drop(persistence);
        assert!(DataDir::take(&directory.0).is_err(), "a commit is under way");
        give.send(()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while DataDir::take(&directory.0).is_err() {
            assert!(Instant::now() < deadline, "it is still in use");
            std::thread::yield_now();
        }
    }

    #[tokio::test]
    async fn a_directory_is_free_when_the_last_commit_has_ended() {
        let directory = Directory::new("free");
        let (persistence, give) = start(&directory);
        give.send(()).unwrap();
        persistence.finish(&mut change()).await.unwrap();
        DataDir::take(&directory.0).unwrap();
    }

    #[tokio::test]
    async fn each_batch_fails_after_the_thread_of_the_disk_is_gone() {
        let directory = Directory::new("gone");
        let (mut persistence, give) = start(&directory);
        drop(give);
        let mut changes = change();
        for _ in 0..2 {
            let number = changes.batch();
            persistence.hand_over_now(&mut changes, Instant::now());
            let committed = std::future::poll_fn(|context| persistence.poll_committed(context));
            let committed = committed.await;
            assert_eq!(committed.batch, number);
            assert!(committed.outcome.unwrap_err().to_string().contains("has panicked"));
            changes.put(b"another", |_| {});
        }
        assert!(persistence.finish(&mut changes).await.is_err());
    }
}
