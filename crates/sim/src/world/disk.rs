//! A machine's disk: commits take their time, fail as disks do, and what was not synced may be gone
//! after a power cut.
//!
//! It follows the house's own driver (`xorbit/persistence.rs`): one batch is on its way at a time,
//! while the next gathers for 3 ms at least.

use core::time::Duration;

use kv::{Kv, Restorable};
use node::{BatchNumber, Change, Changes, Instant, Now, Persisted};
use rand_distr::LogNormal;
use store::{Batch, Damage, Log, SimulatedDisk, Store, StoreError};
use wire::NodeId;

use crate::chance::Chance;

/// The least time between the beginnings of two commits.
const GATHERING: Duration = Duration::from_millis(3);

/// Operations of a disk among which a power cut in the middle of a commit falls.
const OPERATIONS_OF_A_COMMIT: u64 = 8;

/// The key under which a node's own id lies.
const IDENTITY: &[u8] = b"node";

/// A disk and the store on it.
pub struct Disk {
    /// `None` while it is being opened.
    log: Option<Log<SimulatedDisk>>,
    chance: Chance,
    secret: u64,
    under_way: Option<Changes>,
    not_before: Instant,
    syncs: LogNormal<f64>,
    /// How much longer each commit takes.
    pub slowness: Duration,
    damaged: bool,
}

/// A commit that has ended.
pub(super) struct Committed {
    pub batch: BatchNumber,
    pub durable: bool,
}

impl Disk {
    /// An empty disk.
    ///
    /// # Panics
    /// If an empty simulated disk cannot be opened.
    pub fn new(mut chance: Chance) -> Self {
        let secret = chance.u64();
        let log = Some(empty(&mut chance, secret));
        // Half of all syncs take less than 4 ms, one in twenty more than 20: an SSD under load.
        let syncs = LogNormal::new(0.004f64.ln(), 0.98).expect("the deviation is finite");
        Self {
            log,
            chance,
            secret,
            under_way: None,
            not_before: Instant::default(),
            syncs,
            slowness: Duration::ZERO,
            damaged: false,
        }
    }

    /// The device below the store, for faults. Whoever damages it does so by [`Disk::damage`], or nobody
    /// knows that it may have lost what it promised.
    pub fn device(&mut self) -> Option<&mut SimulatedDisk> {
        self.log.as_mut().map(Log::disk_mut)
    }

    /// Takes what has gathered if no batch is on its way, and tells when it will be durable.
    pub(super) fn hand_over(&mut self, changes: &mut Changes, now: Instant) -> Option<Instant> {
        if self.under_way.is_some() || changes.is_empty() {
            return None;
        }
        let mut batch = Changes::default();
        changes.take(&mut batch);
        let begun = self.not_before.max(now);
        self.not_before = begun + GATHERING;
        self.under_way = Some(batch);
        let sync: f64 = self.chance.draw(&self.syncs);
        Some(begun + Duration::from_secs_f64(sync.clamp(0.0, 10.0)) + self.slowness)
    }

    /// The batch on its way has reached the disk, or was refused.
    pub(super) fn commit(&mut self) -> Option<Committed> {
        let changes = self.under_way.take()?;
        let durable = self.log.as_mut().is_some_and(|log| write(log, &changes).is_ok());
        Some(Committed { batch: changes.batch(), durable })
    }

    /// The power fails: now, or in the middle of the commit that is on its way.
    pub(super) fn lose_power(&mut self) {
        let Some(mut log) = self.log.take() else { return };
        if let Some(changes) = self.under_way.take() {
            let operations = self.chance.between(0, OPERATIONS_OF_A_COMMIT);
            if operations > 0 {
                log.disk_mut().cut_within(operations);
                // Whatever it says, nobody is left to hear it.
                let _ = write(&mut log, &changes);
            }
        }
        let mut disk = log.into_disk();
        disk.restart();
        self.open(disk);
    }

    /// The process ended, the machine did not: what it has written is there.
    pub(super) fn end_process(&mut self) {
        self.under_way = None;
        let Some(log) = self.log.take() else { return };
        let mut disk = log.into_disk();
        disk.end_process();
        self.open(disk);
    }

    /// Somebody puts an empty disk in place of one that cannot be read.
    pub(super) fn replace(&mut self) {
        self.log = Some(empty(&mut self.chance, self.secret));
        self.damaged = true;
    }

    fn open(&mut self, mut disk: SimulatedDisk) {
        // Whoever starts a node on a disk that fails sees it, and mends the disk first.
        disk.set_failing(0);
        disk.set_capacity(None);
        self.log = Log::open(disk, self.secret).ok().map(|opened| opened.store);
    }

    /// Makes a node of what is on the disk. Tells how many entries it took back.
    pub(super) fn start(
        &mut self,
        mut config: kv::Config,
        seed: [u8; 32],
        now: Now,
    ) -> Option<(Kv, usize)> {
        let log = self.log.as_mut()?;
        config.node.durable = true;
        let identity = log.get(IDENTITY).ok().flatten();
        let identity = identity.and_then(|bytes| <[u8; 20]>::try_from(bytes).ok());
        config.node.id = identity.map(NodeId::new).or(config.node.id);
        let mut kv = Kv::new(config, seed, now);
        let (mut kept, mut ended) = (Vec::new(), Batch::new());
        log.scan(b"", &mut |key, value| match Restorable::read(key, value) {
            Some(entry) => kept.push(entry),
            None if Persisted::is_key(key) => {
                let _ = ended.remove(key);
            }
            None => {}
        })
        .ok()?;
        kv.expect(kept.len());
        let (mut taken, mut key) = (0, Vec::new());
        for entry in kept {
            key.clear();
            entry.write_key(&mut key);
            if kv.restore(now, entry) {
                taken += 1;
            } else {
                let _ = ended.remove(&key);
            }
        }
        let _ = ended.put(IDENTITY, kv.node().id().as_bytes());
        let _ = log.commit(&ended);
        Some((kv, taken))
    }

    /// Spoils a file of the store.
    pub fn damage(&mut self, damage: Damage) -> Option<String> {
        self.damaged = true;
        self.device()?.damage(damage)
    }

    /// Whether it was ever damaged, or replaced: what it had may be gone then.
    pub fn is_damaged(&self) -> bool {
        self.damaged
    }
}

fn empty(chance: &mut Chance, secret: u64) -> Log<SimulatedDisk> {
    let empty = SimulatedDisk::new(chance.u64() | 1).with_segment_bytes(256 << 10);
    Log::open(empty, secret).expect("an empty disk has nothing to refuse").store
}

/// Commits what gathered, in parts if it is more than one batch of the store holds.
fn write(store: &mut impl Store, changes: &Changes) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    for change in changes.iter() {
        let add = |batch: &mut Batch| match change {
            Change::Put { key, value } => batch.put(key, value),
            Change::Remove { key } => batch.remove(key),
        };
        if add(&mut batch).is_err() {
            store.commit(&batch)?;
            batch.clear();
            add(&mut batch)?;
        }
    }
    store.commit(&batch)
}
