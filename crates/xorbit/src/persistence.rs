//! The thread that makes changes durable, so that the protocol never waits for a disk.
//!
//! One batch is on its way at a time. While the disk is busy the next one gathers, and after one has
//! begun the next waits a few milliseconds, so that many puts share one flush.

use std::sync::mpsc as std_mpsc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use node::{BatchNumber, Change, Changes};
use store::{Batch, Store, StoreError};
use tokio::sync::mpsc;

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
    changes: Changes,
}

impl Persistence {
    /// Starts the thread, which owns the store from now on.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(store: Box<dyn Store>) -> Result<Self, StartError> {
        let (to_disk, batches) = std_mpsc::channel();
        let (committed, from_disk) = mpsc::unbounded_channel();
        std::thread::Builder::new()
            .name("xorbit-store".into())
            .spawn(move || commit_all(store, &batches, &committed))
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
        // The thread ends after this owner only.
        let _ = self.to_disk.send(std::mem::take(&mut self.spare));
        (self.under_way, self.not_before) = (Some(batch), now + GATHERING);
    }

    /// Waits for the batch on its way.
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
            _ => Poll::Pending,
        }
    }

    /// Hands over the last changes and waits until the disk has them.
    pub async fn finish(&mut self, changes: &mut Changes) -> Result<(), StoreError> {
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
        // Nobody listens any more once the node is closed.
        let _ = committed.send(Committed { batch: number, outcome, changes });
    }
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
