//! Disks of nodes that are durable, as plain maps.

use std::collections::BTreeMap;

use kv::{Config, Kv, Restorable};
use node::{Change, Changes, Outbox, UnixMillis};
use wire::Item;

use super::World;

/// What a node made durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk(pub BTreeMap<Vec<u8>, Vec<u8>>);

impl Disk {
    /// Adds a record that is kept until then (docs/records.md, "Durability").
    pub fn keep(&mut self, item: &Item, salt: &[u8], until: UnixMillis) {
        let signed = item.as_ref();
        let signed = signed.signed().expect("a record is signed");
        let mut bytes = vec![128 + 2];
        bytes.extend([until.0.to_le_bytes(); 2].concat());
        bytes.extend(signed.seq.get().to_le_bytes());
        bytes.extend(signed.key.as_bytes());
        bytes.extend(signed.signature);
        bytes.push(salt.len() as u8);
        bytes.extend(salt);
        bytes.extend(item.value());
        self.0.insert([b"i", &item.target().as_bytes()[..]].concat(), bytes);
    }
}

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
        let mut seed = [9; 32];
        seed[..8].copy_from_slice(&(node as u64).to_le_bytes());
        let mut kv = Kv::new(config, seed, now);
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
