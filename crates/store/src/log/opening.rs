//! Finding again what was committed.
//!
//! What is found, what it means and what is done about it is a table in docs/store.md, "Opening".
//!
//! A commit that is cut off is dropped as a whole, never in part: it may be one that was never
//! acknowledged. Damage can bring back what a damaged commit had replaced or removed.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::ErrorKind;
use std::path::Path;

use super::format::{self, Found, Frames, HEADER_BYTES, Header};
use super::index::Index;
use super::migration::{self, STEPS, Step};
use super::replayed::Replayed;
use super::{Log, cleaning, file_name, refused};
use crate::contract::{Lost, StoreError};
use crate::disk::{Directory, Disk, Overlay, read_what_can_be};
use crate::entry::{self, Entry};
use crate::limits::{EXPECTED_ENTRY_BYTES, MOVED_AT_ONCE};

/// A store, and what there is to tell about how it was found.
pub struct Opened<D> {
    /// The store.
    pub store: Log<D>,
    /// Files that are damaged, by their new names; what can be read in them is in the store.
    pub set_aside: Vec<String>,
    /// Bytes that could not be understood and are lost. Which entries they were nobody knows.
    pub damaged_bytes: u64,
    /// Commits that are missing between others.
    pub missing_commits: u64,
    /// Bytes at the end that are no whole commit: of one that a power cut interrupted, or of the last
    /// one, if it is damaged. Nothing tells these apart.
    pub cut_off_bytes: u64,
    /// The format that the store had, if it was an earlier one.
    pub migrated_from: Option<u32>,
}

/// Opens the store in a directory, or makes one: in `DIRECTORY/store`.
///
/// # Errors
/// As for [`Log::open`].
pub fn open(directory: &Path) -> Result<Opened<Directory>, StoreError> {
    let disk = Directory::open(&directory.join("store"));
    let disk = disk.map_err(|cause| refused("create", "store", cause))?;
    // The standard library draws the keys of its hashes from the system.
    let secret = RandomState::new().build_hasher().finish();
    Log::open(disk, secret)
}

/// Opens the store in a directory as [`open`] does, and leaves its files as they are: what mending
/// changes, and what is committed, stays in memory and is gone at the end.
///
/// # Errors
/// As for [`Log::open`]; [`StoreError::Io`] also if there is no store.
pub fn look(directory: &Path) -> Result<Opened<Overlay<Directory>>, StoreError> {
    let path = directory.join("store");
    let disk = Directory::look(&path).map_err(|cause| refused("read", "store", cause))?;
    // What a new store would be salted with is of no matter: nothing of it is kept.
    Log::open(Overlay::new(disk), 0)
}

/// A segment on the disk.
pub(super) struct Segment {
    pub number: u32,
    pub header: Option<Header>,
    /// Of its header; without one that of the segment before it, or behind it if it is the oldest.
    pub version: u32,
}

impl<D: Disk> Log<D> {
    /// Opens the store on a disk, or makes one. `secret` is the salt of a new one: no stranger may know it.
    ///
    /// # Errors
    /// If the disk refuses, or a later version of the program wrote the store.
    pub fn open(disk: D, secret: u64) -> Result<Opened<D>, StoreError> {
        Self::open_with(disk, secret, STEPS)
    }

    pub(super) fn open_with(
        mut disk: D,
        secret: u64,
        steps: &[Step],
    ) -> Result<Opened<D>, StoreError> {
        let version = migration::version(steps);
        let (mut segments, mut cut_off_bytes) = segments(&mut disk)?;
        let sound = segments.iter().filter_map(|segment| segment.header);
        let salt = sound.map(|header| header.salt).next();
        let versions = || segments.iter().map(|segment| segment.version);
        if let Some(found) = versions().find(|found| *found > version) {
            return Err(StoreError::TooNew { found, known: version });
        }
        let oldest_version = versions().min().filter(|_| salt.is_some());
        let mut set_aside = Vec::new();
        let mut damaged_bytes = 0;
        if salt.is_none() {
            for segment in segments.drain(..) {
                let name = file_name(segment.number);
                damaged_bytes += length(&mut disk, &name)?;
                set_aside.push(cleaning::set_aside(&mut disk, &name)?);
            }
        }
        let mut log = Self {
            disk,
            salt: salt.unwrap_or(secret),
            version,
            segments: Default::default(),
            active: segments.last().map_or(0, |segment| segment.number),
            next_sequence: 1,
            index: Index::default(),
            frame: Vec::new(),
            in_doubt: false,
            names_in_doubt: true,
            cleaning: None,
            lost: Lost::default(),
        };
        let (replayed, cut_off) = log.replay(&segments)?;
        cut_off_bytes += cut_off;
        if log.segments.is_empty() {
            log.start_segment(log.active + 1)?;
        }
        let old = segments.iter().rfind(|segment| segment.version < version);
        let old = old.map(|segment| segment.number);
        log.rewrite(&segments, &replayed, old, steps, &mut set_aside)?;
        Ok(Opened {
            store: log,
            set_aside,
            damaged_bytes: damaged_bytes + replayed.damaged_bytes,
            missing_commits: replayed.missing_commits,
            cut_off_bytes,
            migrated_from: oldest_version.filter(|found| *found < version),
        })
    }

    /// Reads all segments, and cuts off what is no whole commit at the end of the last. Gives the
    /// number of bytes cut off. What an earlier process wrote and did not come to sync is synced now:
    /// it is shown from here on.
    fn replay(&mut self, segments: &[Segment]) -> Result<(Replayed, u64), StoreError> {
        let mut replayed = Replayed::default();
        let mut cut_off = 0;
        let mut bytes = Vec::new();
        for (at, segment) in segments.iter().enumerate() {
            let name = file_name(segment.number);
            let read = read_what_can_be(&mut self.disk, &name, &mut bytes);
            let unreadable = read.map_err(|cause| refused("read", &name, cause))?;
            if unreadable > 0 {
                // Nothing may be written behind it either.
                replayed.damaged.insert(segment.number);
            }
            if at == 0 {
                replayed.index.expect(expected(&bytes, segment.number, self.salt) * segments.len());
            }
            let tail = replayed.segment(segment, &bytes, self.salt);
            let newest = at + 1 == segments.len();
            let mut end = bytes.len();
            match tail {
                Some(tail) if newest && unreadable == 0 => {
                    end = replayed.end(segment, &bytes, self.salt, &tail);
                    cut_off = (bytes.len() - end) as u64;
                }
                Some(tail) => replayed.salvage(segment.number, &bytes, self.salt, &tail),
                None => {}
            }
            self.segments.insert(segment.number, end as u64);
        }
        self.index = std::mem::take(&mut replayed.index);
        self.next_sequence = replayed.next_sequence.unwrap_or(1);
        if let Some(newest) = segments.last() {
            // One that is damaged grows no more.
            self.in_doubt = !replayed.damaged.contains(&newest.number);
            self.mend()?;
            self.sync_names()?;
        }
        Ok((replayed, cut_off))
    }

    /// Rewrites all segments up to the last that is damaged, of an old version, or followed by a gap, the
    /// oldest first: so that nothing is told twice.
    fn rewrite(
        &mut self,
        segments: &[Segment],
        replayed: &Replayed,
        old: Option<u32>,
        steps: &[Step],
        set_aside: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let damaged = &replayed.damaged;
        let last = damaged.last().copied().max(replayed.before_gap).max(old);
        let Some(last) = last else { return Ok(()) };
        // What is damaged stays where it is until there is room.
        let can_wait = |error: &StoreError| matches!(error, StoreError::Full(_)) && old.is_none();
        if self.active <= last {
            // What is moved must not lie where it is moved from: behind an older header it would be
            // upgraded again, beside a sector that cannot be read it would be lost.
            match self.start_segment(self.active + 1) {
                Err(error) if can_wait(&error) => return Ok(()),
                started => started?,
            }
        }
        for segment in segments.iter().filter(|segment| segment.number <= last) {
            let steps = &steps[segment.version.max(1) as usize - 1..];
            match self.empty(segment.number, steps) {
                Err(error) if can_wait(&error) => return Ok(()),
                emptied => emptied?,
            }
            if damaged.contains(&segment.number) {
                set_aside.push(self.set_aside(segment.number)?);
            } else {
                self.remove(segment.number)?;
            }
        }
        Ok(())
    }

    /// Moves all that lives in a segment into newer ones.
    fn empty(&mut self, segment: u32, steps: &[Step]) -> Result<(), StoreError> {
        let mut cleaning = self.start_cleaning(segment)?;
        let mut failed = None;
        while !cleaning.is_done() {
            format::begin_frame(&mut self.frame);
            let began = self.frame.len();
            self.gather(&mut cleaning, MOVED_AT_ONCE, |frame, entry, all| match steps {
                [] => frame.extend_from_slice(all),
                _ => failed = upgrade(frame, entry, steps).err().or(failed),
            });
            if let Some(failed) = failed {
                return Err(failed.into());
            }
            if self.frame.len() > began {
                if self.is_full() {
                    self.start_segment(self.active + 1)?;
                }
                self.append()?;
            }
            cleaning.advance();
        }
        Ok(())
    }
}

/// Writes what becomes of an entry behind a remove of its key.
fn upgrade(
    frame: &mut Vec<u8>,
    entry: &Entry<'_>,
    steps: &[Step],
) -> Result<(), crate::batch::TooLong> {
    let upgraded = migration::upgrade(steps, entry.key, entry.value.unwrap_or_default())?;
    entry::write(frame, entry.key, None);
    frame.extend_from_slice(upgraded.as_bytes());
    Ok(())
}

/// The segments on a disk, the oldest first, without one that was only begun; and the bytes in that.
fn segments(disk: &mut impl Disk) -> Result<(Vec<Segment>, u64), StoreError> {
    let names = disk.names().map_err(|cause| refused("list", ".", cause))?;
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| number(name)).collect();
    numbers.sort_unstable();
    let (mut segments, mut unreadable) = (Vec::new(), None);
    for number in numbers {
        let name = file_name(number);
        length(disk, &name)?;
        let mut bytes = [0; HEADER_BYTES];
        let header = match disk.read_at(&name, 0, &mut bytes) {
            Ok(()) => Header::decode(&bytes).filter(|header| header.number == number),
            Err(cause) if cause.kind() == ErrorKind::UnexpectedEof => None,
            Err(cause) => {
                unreadable = Some(refused("read", &name, cause));
                None
            }
        };
        segments.push(Segment { number, header, version: 0 });
    }
    if let Some(unreadable) = unreadable
        && segments.iter().all(|segment| segment.header.is_none())
    {
        // All would be set aside, for a disk that may answer another time.
        return Err(unreadable);
    }
    if let Some(newest) = segments.pop_if(|newest| newest.header.is_none()) {
        let name = file_name(newest.number);
        let length = length(disk, &name)?;
        if length <= HEADER_BYTES as u64 {
            disk.remove(&name).map_err(|cause| refused("remove", &name, cause))?;
            return Ok((with_versions(segments), length));
        }
        segments.push(newest);
    }
    Ok((with_versions(segments), 0))
}

/// Says of which version each segment is.
fn with_versions(mut segments: Vec<Segment>) -> Vec<Segment> {
    let mut headers = segments.iter().filter_map(|segment| segment.header);
    let mut version = headers.next().map_or(0, |header| header.version);
    for segment in &mut segments {
        version = segment.header.map_or(version, |header| header.version);
        segment.version = version;
    }
    segments
}

fn number(name: &str) -> Option<u32> {
    let number = u32::from_str_radix(name.strip_suffix(".log")?, 16).ok()?;
    (file_name(number) == name).then_some(number)
}

fn length(disk: &mut impl Disk, name: &str) -> Result<u64, StoreError> {
    disk.length(name).map_err(|cause| refused("read", name, cause))
}

/// How many entries a segment like this one may add to the index: as many as are in it, but not so many
/// that small ones that were replaced since would take memory.
fn expected(bytes: &[u8], number: u32, salt: u64) -> usize {
    let mut frames = Frames::new(salt, number);
    let mut entries = 0;
    while let Some(Found::Frame { body, .. }) = frames.next(bytes) {
        entries += entry::all(&bytes[body]).count();
    }
    entries.min(bytes.len() / EXPECTED_ENTRY_BYTES)
}
