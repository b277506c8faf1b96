//! A disk over another that is only read: what is changed stays in memory and is gone at the end.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};

use super::{Disk, read_what_can_be};

/// Shows what another disk holds, and keeps every change to itself: so a store can be opened, and
/// told how it would be mended, while its files stay as they are.
#[derive(Debug)]
pub struct Overlay<D> {
    below: D,
    /// Files that differ from those below; `None` for one that is gone.
    changed: BTreeMap<String, Option<Vec<u8>>>,
}

impl<D: Disk> Overlay<D> {
    /// Nothing is changed yet.
    pub fn new(below: D) -> Self {
        Self { below, changed: BTreeMap::new() }
    }

    /// The file as bytes of our own, which may be changed.
    fn own(&mut self, name: &str) -> io::Result<&mut Vec<u8>> {
        if !self.changed.contains_key(name) {
            let mut bytes = Vec::new();
            read_what_can_be(&mut self.below, name, &mut bytes)?;
            self.changed.insert(name.to_owned(), Some(bytes));
        }
        let own = self.changed.get_mut(name).and_then(Option::as_mut);
        own.ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl<D: Disk> Disk for Overlay<D> {
    fn names(&mut self) -> io::Result<Vec<String>> {
        let mut names = self.below.names()?;
        names.retain(|name| !self.changed.contains_key(name));
        let own = self.changed.iter().filter(|(_, bytes)| bytes.is_some());
        names.extend(own.map(|(name, _)| name.clone()));
        Ok(names)
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        if self.names()?.iter().any(|other| other == name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.changed.insert(name.to_owned(), Some(Vec::new()));
        Ok(())
    }

    fn length(&mut self, name: &str) -> io::Result<u64> {
        match self.changed.get(name) {
            Some(own) => Ok(own.as_ref().ok_or(ErrorKind::NotFound)?.len() as u64),
            None => self.below.length(name),
        }
    }

    fn read(&mut self, name: &str, into: &mut Vec<u8>) -> io::Result<()> {
        match self.changed.get(name) {
            Some(own) => into.clone_from(own.as_ref().ok_or(ErrorKind::NotFound)?),
            None => self.below.read(name, into)?,
        }
        Ok(())
    }

    fn read_at(&mut self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let Some(own) = self.changed.get(name) else {
            return self.below.read_at(name, offset, into);
        };
        let bytes = own.as_ref().ok_or(ErrorKind::NotFound)?;
        let from = bytes.get(offset as usize..).and_then(|rest| rest.get(..into.len()));
        into.copy_from_slice(from.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let own = self.own(name)?;
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        if own.len() < end {
            own.resize(end, 0);
        }
        own[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.own(name)?.truncate(length as usize);
        Ok(())
    }

    fn sync(&mut self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_names(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let bytes = std::mem::take(self.own(from)?);
        self.changed.insert(from.to_owned(), None);
        self.changed.insert(to.to_owned(), Some(bytes));
        Ok(())
    }

    fn segment_bytes(&self) -> u64 {
        self.below.segment_bytes()
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.own(name)?;
        self.changed.insert(name.to_owned(), None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, Damage, Log, SimulatedDisk, Store};

    #[test]
    fn a_damaged_store_is_opened_and_mended_while_its_files_stay_as_they_are() {
        looks(Damage::Bit);
        looks(Damage::Unreadable);
    }

    fn looks(damage: Damage) {
        let mut store =
            Log::open(SimulatedDisk::new(1).with_segment_bytes(2_000), 5).unwrap().store;
        for number in 0..60u8 {
            let mut batch = Batch::new();
            batch.put(&[number], &[number; 200]).unwrap();
            store.commit(&batch).unwrap();
        }
        let mut disk = store.into_disk();
        disk.damage(damage);
        let files = |disk: &mut SimulatedDisk| {
            let mut names = disk.names().unwrap();
            names.sort();
            let bytes = names.iter().map(|name| disk.file_mut(name).unwrap().clone());
            (names.clone(), bytes.collect::<Vec<_>>())
        };
        let before = files(&mut disk);
        let operations = disk.operations();
        let looked = Log::open(Overlay::new(&mut disk), 5).unwrap();
        let told = (looked.set_aside, looked.damaged_bytes, looked.cut_off_bytes);
        let mut store = looked.store;
        let mut seen = Vec::new();
        store.scan(b"", &mut |key, value| seen.push((key.to_vec(), value.to_vec()))).unwrap();
        let mut batch = Batch::new();
        batch.put(b"more", b"of it").unwrap();
        store.commit(&batch).unwrap();
        assert_eq!(store.get(b"more").unwrap().as_deref(), Some(&b"of it"[..]));
        drop(store);
        assert_eq!(disk.operations(), operations);
        assert_eq!(files(&mut disk), before);
        let opened = Log::open(disk, 5).unwrap();
        assert_eq!((opened.set_aside, opened.damaged_bytes, opened.cut_off_bytes), told);
        let mut again = Vec::new();
        let mut store = opened.store;
        store.scan(b"", &mut |key, value| again.push((key.to_vec(), value.to_vec()))).unwrap();
        assert_eq!(again, seen);
    }
}
