//! A disk in memory that loses, in a power cut, what was not synced, and fails when it is told to.
//!
//! What a file system may do between two syncs, it does, as the seed says: of the bytes written
//! since, each sector may be there, old, or torn in its middle; each change of a length, each new
//! name, each removal and renaming may have happened or not, whatever came before or after it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};

use super::Disk;
use crate::chance::Chance;
use crate::limits::SEGMENT_BYTES;

/// The most that a disk writes as one.
const SECTOR_BYTES: usize = 512;

/// Files in memory, and what of them would outlive a power cut.
#[derive(Debug)]
pub struct SimulatedDisk {
    chance: Chance,
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    pending_names: Vec<NameChange>,
    capacity: Option<u64>,
    /// Operations until the power fails.
    power: Option<u64>,
    failing_per_million: u32,
    operations: u64,
    segment_bytes: u64,
}

#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
    /// Sectors that cannot be read until they are written anew.
    unreadable: BTreeSet<usize>,
}

#[derive(Debug)]
enum Pending {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Debug)]
enum NameChange {
    Create(String, usize),
    Remove(String),
    Rename(String, String),
}

/// What [`SimulatedDisk::damage`] does to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// One bit is another one.
    Bit,
    /// A sector's worth of other bytes, or less.
    Sector,
    /// The end is gone, but not all.
    Cut,
    /// A sector cannot be read any more.
    Unreadable,
}

impl SimulatedDisk {
    /// An empty disk whose faults follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            chance: Chance::new(seed),
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending_names: Vec::new(),
            capacity: None,
            power: None,
            failing_per_million: 0,
            operations: 0,
            segment_bytes: SEGMENT_BYTES,
        }
    }

    /// The same with small segments, so that few commits go through all that happens to them.
    #[must_use]
    pub fn with_segment_bytes(self, segment_bytes: u64) -> Self {
        Self { segment_bytes, ..self }
    }

    /// Operations so far that change something or wait for it to be durable.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// The power fails within the last of so many further operations, which happens in part.
    pub fn cut_within(&mut self, operations: u64) {
        self.power = Some(operations);
    }

    /// Not the power failed, only the process ended: all that it has done is there, and what it did not
    /// sync may be lost in a later power cut.
    pub fn end_process(&mut self) {
        self.power = None;
    }

    /// Starts the machine again: what was not synced is there in part or not at all.
    pub fn restart(&mut self) {
        let chance = &mut self.chance;
        for change in self.pending_names.drain(..) {
            if chance.once_in_a_while(500_000) {
                change.apply(&mut self.durable_names);
            }
        }
        self.names.clone_from(&self.durable_names);
        for file in &mut self.files {
            for pending in std::mem::take(&mut file.pending) {
                pending.apply_in_part(&mut file.durable, chance);
            }
            file.bytes.clone_from(&file.durable);
        }
        self.power = None;
    }

    /// Bytes that fit on the disk; `None` for as many as come.
    pub fn set_capacity(&mut self, bytes: Option<u64>) {
        self.capacity = bytes;
    }

    /// How often, of a million operations, one fails after it was done in part or as a whole.
    pub fn set_failing(&mut self, per_million: u32) {
        self.failing_per_million = per_million;
    }

    /// Bytes in all files.
    pub fn bytes(&self) -> u64 {
        self.names.values().map(|file| self.files[*file].bytes.len() as u64).sum()
    }

    /// Damages a file, drawn by chance, at a place drawn by chance. Gives the file's name.
    pub fn damage(&mut self, damage: Damage) -> Option<String> {
        let at = self.chance.below(self.names.len() as u64) as usize;
        let (name, file) = self.names.iter().nth(at)?;
        let file = &mut self.files[*file];
        let at = self.chance.below(file.bytes.len() as u64) as usize;
        match damage {
            Damage::Bit => {
                let byte = file.bytes.get_mut(at)?;
                *byte ^= 1 << self.chance.below(8);
            }
            Damage::Sector => {
                let end = file.bytes.len().min(at + SECTOR_BYTES);
                file.bytes[at..end].fill_with(|| self.chance.word() as u8);
            }
            Damage::Cut => file.bytes.truncate(at.max(1)),
            Damage::Unreadable => drop(file.unreadable.insert(at / SECTOR_BYTES)),
        }
        file.durable.clone_from(&file.bytes);
        Some(name.clone())
    }

    /// Lets the sector at an offset of a file fail whenever it is read, until it is written anew.
    /// Whether there is such a file.
    pub fn make_unreadable(&mut self, name: &str, offset: u64) -> bool {
        let file = self.names.get(name).and_then(|file| self.files.get_mut(*file));
        file.is_some_and(|file| file.unreadable.insert(offset as usize / SECTOR_BYTES))
    }

    /// The bytes of a file, to be looked at or changed for good.
    pub fn file_mut(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        let file = &mut self.files[*self.names.get(name)?];
        file.pending.clear();
        Some(&mut file.bytes)
    }

    /// Counts an operation; whether it happens in part only, and fails.
    fn fails(&mut self) -> io::Result<Option<io::Error>> {
        self.operations += 1;
        match &mut self.power {
            Some(0) => return Err(power_is_off()),
            Some(left) => *left -= 1,
            None => {}
        }
        if self.power == Some(0) {
            return Ok(Some(power_is_off()));
        }
        let failing = self.chance.once_in_a_while(self.failing_per_million);
        Ok(failing.then(|| io::Error::other("the disk fails")))
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        let at = self.names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(&mut self.files[*at])
    }

    fn change_names(&mut self, change: NameChange) -> io::Result<()> {
        let failing = self.fails()?;
        if failing.is_none() || self.chance.once_in_a_while(500_000) {
            change.apply(&mut self.names);
            self.pending_names.push(change);
        }
        failing.map_or(Ok(()), Err)
    }
}

fn power_is_off() -> io::Error {
    io::Error::other("the power is off")
}

impl File {
    fn can_read(&self, offset: usize, length: usize) -> io::Result<()> {
        let sectors = offset / SECTOR_BYTES..(offset + length).div_ceil(SECTOR_BYTES);
        match self.unreadable.range(sectors).next() {
            Some(sector) => Err(io::Error::other(format!("sector {sector} cannot be read"))),
            None => Ok(()),
        }
    }

    /// Of a sector that is written in part the rest is read first.
    fn can_write(&self, offset: usize, length: usize) -> io::Result<()> {
        let edges = [offset, offset + length];
        let mut in_part = edges.into_iter().filter(|edge| edge % SECTOR_BYTES != 0);
        in_part.try_for_each(|edge| self.can_read(edge, 1))
    }

    /// Sectors that were written as a whole can be read again.
    fn written(&mut self, offset: usize, length: usize) {
        let whole = offset.div_ceil(SECTOR_BYTES)..(offset + length) / SECTOR_BYTES;
        self.unreadable.retain(|sector| !whole.contains(sector));
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Create(name, file) => drop(names.insert(name.clone(), *file)),
            Self::Remove(name) => drop(names.remove(name)),
            Self::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

impl Pending {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => write(file, *offset, bytes),
            Self::Truncate(length) => file.truncate(*length),
        }
    }

    fn apply_in_part(&self, file: &mut Vec<u8>, chance: &mut Chance) {
        // As often as by chance alone, nothing or all of it is there.
        let share = [0, 500_000, 900_000, 1_000_000][chance.below(4) as usize];
        match self {
            Self::Write { offset, bytes } => {
                for (index, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                    if !chance.once_in_a_while(share) {
                        continue;
                    }
                    let torn = chance.once_in_a_while(50_000);
                    let end = if torn {
                        chance.below(sector.len() as u64) as usize
                    } else {
                        sector.len()
                    };
                    write(file, offset + index * SECTOR_BYTES, &sector[..end]);
                }
            }
            Self::Truncate(_) if chance.once_in_a_while(share) => self.apply(file),
            Self::Truncate(_) => {}
        }
    }
}

/// Writes into a file; what lies between its end and the offset becomes zeros.
fn write(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(bytes);
}

impl Disk for SimulatedDisk {
    fn names(&mut self) -> io::Result<Vec<String>> {
        Ok(self.names.keys().cloned().collect())
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        if self.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.files.push(File::default());
        self.change_names(NameChange::Create(name.to_owned(), self.files.len() - 1))
    }

    fn length(&mut self, name: &str) -> io::Result<u64> {
        Ok(self.file(name)?.bytes.len() as u64)
    }

    fn read(&mut self, name: &str, into: &mut Vec<u8>) -> io::Result<()> {
        let file = self.file(name)?;
        file.can_read(0, file.bytes.len())?;
        into.clone_from(&file.bytes);
        Ok(())
    }

    fn read_at(&mut self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let file = self.file(name)?;
        let from = file.bytes.get(offset as usize..).and_then(|rest| rest.get(..into.len()));
        let from = from.ok_or(ErrorKind::UnexpectedEof)?;
        file.can_read(offset as usize, into.len())?;
        into.copy_from_slice(from);
        Ok(())
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut failing = self.fails()?;
        self.file(name)?.can_write(offset as usize, bytes.len())?;
        let mut fits = bytes.len();
        if failing.is_some() {
            fits = self.chance.below(fits as u64 + 1) as usize;
        }
        let grows = (offset + fits as u64).saturating_sub(self.file(name)?.bytes.len() as u64);
        let room = self.capacity.unwrap_or(u64::MAX).saturating_sub(self.bytes());
        if grows > room {
            fits -= (grows - room) as usize;
            failing = Some(ErrorKind::StorageFull.into());
        }
        let pending = Pending::Write { offset: offset as usize, bytes: bytes[..fits].to_vec() };
        let file = self.file(name)?;
        pending.apply(&mut file.bytes);
        file.pending.push(pending);
        file.written(offset as usize, fits);
        failing.map_or(Ok(()), Err)
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        let failing = self.fails()?;
        let happens = failing.is_none() || self.chance.once_in_a_while(500_000);
        let file = self.file(name)?;
        file.can_write(length as usize, 0)?;
        if happens {
            let pending = Pending::Truncate(length as usize);
            pending.apply(&mut file.bytes);
            file.pending.push(pending);
        }
        failing.map_or(Ok(()), Err)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let failing = self.fails()?;
        if self.power == Some(0) {
            // What of it comes to pass the restart says.
            return Err(power_is_off());
        }
        // A sync that fails may have written any part, and the system forgets what it could not write.
        let mut chance = Chance::new(self.chance.word());
        let file = self.file(name)?;
        let pending = std::mem::take(&mut file.pending);
        match failing {
            None => pending.iter().for_each(|pending| pending.apply(&mut file.durable)),
            Some(_) => pending
                .iter()
                .for_each(|pending| pending.apply_in_part(&mut file.durable, &mut chance)),
        }
        failing.map_or(Ok(()), Err)
    }

    fn sync_names(&mut self) -> io::Result<()> {
        let failing = self.fails()?;
        if failing.is_none() {
            self.pending_names.clear();
            self.durable_names.clone_from(&self.names);
        }
        failing.map_or(Ok(()), Err)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.file(from)?;
        self.change_names(NameChange::Rename(from.to_owned(), to.to_owned()))
    }

    fn segment_bytes(&self) -> u64 {
        self.segment_bytes
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.file(name)?;
        self.change_names(NameChange::Remove(name.to_owned()))
    }
}
