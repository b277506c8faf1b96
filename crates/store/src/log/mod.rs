//! The engine: a log of commits in segments, and an index of it in memory.
//!
//! A commit is one frame, written at the end of the newest segment and synced. What a later commit
//! replaced or removed is garbage; while there is too much of it each commit also moves what lives
//! in the oldest segment into its own frame, and the segment goes when it is empty. The oldest goes
//! first, so a remove can go with its segment: no older put is left that it could stand against.
//! There is no thread, no clock and no chance in it; the same commits make the same files.
//!
//! CPU for an item of 300 bytes in batches of 100, into a store with a million: 2.1 us, where the bare
//! file takes 1.9, the library fjall 3.1 8 to 10 and redb 4.6 36. fjall would be quick enough, but
//! offers no place below it where what was not synced can be thrown away; docs/store.md has the rest.

mod cleaning;
mod format;
mod index;
mod migration;
mod opening;
mod replayed;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};

pub use opening::{Opened, look, open};

use crate::batch::Batch;
use crate::contract::{Each, Lost, Scanned, Store, StoreError};
use crate::disk::{Disk, read_what_can_be};
use crate::entry::{self, Entry};
use crate::limits::SPARE_SEGMENTS;
use cleaning::Cleaning;
use format::{Found, Frames, HEAD_BYTES, HEADER_BYTES, Header};
use index::{Index, Name, Place};

/// A log of commits on a disk.
pub struct Log<D> {
    disk: D,
    salt: u64,
    version: u32,
    /// The length of each segment, as far as it is committed.
    segments: BTreeMap<u32, u64>,
    /// The newest segment, the only one that grows.
    active: u32,
    next_sequence: u64,
    index: Index,
    /// Of the commit on its way; kept for its memory.
    frame: Vec<u8>,
    /// There may be bytes behind the end of the active segment.
    in_doubt: bool,
    names_in_doubt: bool,
    cleaning: Option<Cleaning>,
    /// What cleaning found damaged and nobody has been told of yet.
    lost: Lost,
}

/// The file of a segment.
fn file_name(number: u32) -> String {
    format!("{number:08x}.log")
}

/// What the system's refusal means to who uses the store.
fn refused(doing: &'static str, file: &str, cause: io::Error) -> StoreError {
    match cause.kind() {
        // A limit on the length of files is one on room, too.
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            StoreError::Full(cause)
        }
        _ => StoreError::Io { doing, file: file.to_owned(), cause },
    }
}

impl<D: Disk> Log<D> {
    /// Ends it and gives the disk back.
    pub fn into_disk(self) -> D {
        self.disk
    }

    /// The disk below.
    pub fn disk_mut(&mut self) -> &mut D {
        &mut self.disk
    }

    /// Starts a new segment behind the others.
    fn start_segment(&mut self, number: u32) -> Result<(), StoreError> {
        let name = file_name(number);
        let (salt, version) = (self.salt, self.version);
        let header = Header { version, number, salt, sequence: self.next_sequence }.encode();
        // One that could not be completed before holds nothing.
        let _ = self.disk.remove(&name);
        let disk = &mut self.disk;
        disk.create(&name)
            .and_then(|()| disk.write_at(&name, 0, &header))
            .and_then(|()| disk.sync(&name))
            .and_then(|()| disk.sync_names())
            .map_err(|cause| refused("create", &name, cause))?;
        self.segments.insert(number, HEADER_BYTES as u64);
        self.active = number;
        Ok(())
    }

    /// Makes the frame durable and its changes known, or leaves no trace of it.
    fn append(&mut self) -> Result<(), StoreError> {
        let name = file_name(self.active);
        let end = self.end(self.active);
        format::finish_frame(&mut self.frame, self.salt, self.active, self.next_sequence);
        let disk = &mut self.disk;
        let written = disk.write_at(&name, end, &self.frame).and_then(|()| disk.sync(&name));
        if let Err(cause) = written {
            self.in_doubt = true;
            return Err(match self.mend() {
                Ok(()) => refused("write", &name, cause),
                Err(_) => StoreError::Undetermined(cause),
            });
        }
        self.segments.insert(self.active, end + self.frame.len() as u64);
        self.next_sequence += 1;
        let start = end as usize + HEAD_BYTES;
        let (segment, salt) = (self.active, self.salt);
        adopt(&mut self.index, segment, start, entry::all(&self.frame[HEAD_BYTES..]), salt);
        Ok(())
    }

    fn end(&self, segment: u32) -> u64 {
        self.segments.get(&segment).copied().unwrap_or_default()
    }

    /// Whether the active segment shall not grow any more.
    fn is_full(&self) -> bool {
        self.end(self.active) >= self.disk.segment_bytes()
    }

    /// Cuts off what a commit that failed may have left.
    fn mend(&mut self) -> Result<(), StoreError> {
        if self.in_doubt {
            let name = file_name(self.active);
            let end = self.end(self.active);
            let disk = &mut self.disk;
            let mended = disk.truncate(&name, end).and_then(|()| disk.sync(&name));
            mended.map_err(StoreError::Undetermined)?;
            self.in_doubt = false;
        }
        Ok(())
    }

    fn has_much_garbage(&self) -> bool {
        let spare = SPARE_SEGMENTS * self.disk.segment_bytes();
        self.disk_bytes() > 2 * self.index.live_bytes() + spare
    }
}

/// Lets the index know entries of a frame whose body lies at `start`.
fn adopt<'a>(
    index: &mut Index,
    segment: u32,
    start: usize,
    entries: impl Iterator<Item = (usize, Entry<'a>)>,
    salt: u64,
) {
    for (at, entry) in entries {
        let (offset, length) = ((start + at) as u32, entry.length as u32);
        let place = entry.value.map(|_| Place { segment, offset, length });
        index.set(Name::of(entry.key, salt), place);
    }
}

impl<D: Disk> Store for Log<D> {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.mend()?;
        if batch.is_empty() {
            return Ok(());
        }
        if self.is_full() {
            self.start_segment(self.active + 1)?;
        }
        format::begin_frame(&mut self.frame);
        // What is moved comes first: the batch may replace it.
        self.clean(batch.bytes());
        self.frame.extend_from_slice(batch.as_bytes());
        let appended = self.append();
        match &appended {
            Ok(()) => self.finish_cleaning(),
            Err(_) => self.rewind_cleaning(),
        }
        appended
    }

    fn scan(&mut self, prefix: &[u8], each: Each<'_>) -> Result<Scanned, StoreError> {
        let mut scanned = Scanned::default();
        let mut bytes = Vec::new();
        for (&number, &end) in &self.segments {
            let name = file_name(number);
            let read = read_what_can_be(&mut self.disk, &name, &mut bytes);
            read.map_err(|cause| refused("read", &name, cause))?;
            bytes.truncate(end as usize);
            let mut sound = 0;
            let mut frames = Frames::new(self.salt, number);
            while let Some(found) = frames.next(&bytes) {
                let (Found::Frame { body, .. } | Found::Broken { body, .. }) = found;
                for (at, entry) in entry::all(&bytes[body.clone()]) {
                    let Some(value) = entry.value else { continue };
                    let place = self.index.get(Name::of(entry.key, self.salt));
                    let offset = (body.start + at) as u32;
                    let lives = place.is_some_and(|p| (p.segment, p.offset) == (number, offset));
                    if !lives || !entry.is_sound() {
                        continue;
                    }
                    sound += 1;
                    if entry.key.starts_with(prefix) {
                        scanned.entries += 1;
                        each(entry.key, value);
                    }
                }
            }
            scanned.damaged += self.index.live(number).entries - sound;
        }
        Ok(scanned)
    }

    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(place) = self.index.get(Name::of(key, self.salt)) else { return Ok(None) };
        let name = file_name(place.segment);
        let mut bytes = vec![0; place.length as usize];
        match self.disk.read_at(&name, place.offset.into(), &mut bytes) {
            Ok(()) => {}
            Err(cause) if cause.kind() == ErrorKind::UnexpectedEof => {
                return Err(StoreError::Damaged);
            }
            Err(cause) => return Err(refused("read", &name, cause)),
        }
        match entry::read(&bytes).filter(|entry| entry.is_sound()) {
            Some(entry) if entry.key == key => Ok(entry.value.map(<[u8]>::to_vec)),
            // Another key of the same name: ours is not there.
            Some(_) => Ok(None),
            None => Err(StoreError::Damaged),
        }
    }

    fn take_lost(&mut self) -> Option<Lost> {
        let lost = std::mem::take(&mut self.lost);
        (lost != Lost::default()).then_some(lost)
    }

    fn entries(&self) -> u64 {
        self.index.len()
    }

    fn disk_bytes(&self) -> u64 {
        self.segments.values().sum()
    }
}
