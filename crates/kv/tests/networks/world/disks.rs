//! Disks of nodes that are durable, as plain maps.

use std::collections::BTreeMap;

use kv::{Config, Kv, Restorable};
use node::{Change, Changes, Outbox};

use super::World;

/// What a node made durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk(pub BTreeMap<Vec<u8>, Vec<u8>>);

impl World {
    /// Makes all that waits at a node durable.
    pub fn commit(&mut self, node: usize, disk: &mut Disk) {
        let changes = self.take_changes(node);
        for change in changes.iter() {
            match change {
                Change::Put { key, value } => disk.0.insert(key.to_vec(), value.to_vec()),
                Change::Remove { key } => disk.0.remove(key),
            };
        }
        let now = self.now_at(node);
        self.members[node].kv.stored(now, changes.batch(), &mut self.outbox);
        self.drain(node);
    }

    /// Lets the disk of a node refuse all that waits.
    pub fn fail_to_commit(&mut self, node: usize) {
        let batch = self.take_changes(node).batch();
        let now = self.now_at(node);
        self.members[node].kv.not_stored(now, batch, &mut self.outbox);
        self.drain(node);
    }

    /// Kills a node and starts it again with what is on its disk.
    pub fn restart(&mut self, node: usize, mut config: Config, disk: &Disk) {
        let (id, now) = (self.id(node), self.now_at(node));
        config.node.id = Some(id);
        let mut kv = Kv::new(config, [9; 32], now);
        for (key, value) in &disk.0 {
            if let Some(kept) = Restorable::read(key, value) {
                kv.restore(now, kept);
            }
        }
        self.members[node].kv = kv;
        self.members[node].events.clear();
        self.outbox = Outbox::default();
    }

    fn take_changes(&mut self, node: usize) -> Changes {
        let mut changes = Changes::default();
        self.members[node].kv.changes().take(&mut changes);
        changes
    }
}
