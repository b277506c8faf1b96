//! Moving what lives out of the oldest segment.

use std::io::ErrorKind;
use std::ops::Range;

use super::format::{Found, Frames, HEAD_BYTES};
use super::index::{Name, Place};
use super::{Log, StoreError, file_name, refused};
use crate::disk::{Disk, read_what_can_be};
use crate::entry::{self, Entry};
use crate::limits::{CLEANED_AT_LEAST, CLEANED_FOR_EACH_BYTE, SET_ASIDE};

/// A segment that is being emptied.
pub(super) struct Cleaning {
    segment: u32,
    bytes: Vec<u8>,
    at: Position,
    /// Where the commit on its way began: there it goes on if that commit fails.
    committed: Position,
    /// Once it is emptied: whether something in it could not be read.
    lost: Option<bool>,
}

#[derive(Clone)]
struct Position {
    frames: Frames,
    /// What is left of the frame in which it stopped.
    body: Range<usize>,
    done: bool,
}

impl Cleaning {
    /// Steps through about so many bytes, and tells of each entry with its place and its bytes.
    fn step(&mut self, bytes: usize, mut each: impl FnMut(u32, &Entry<'_>, &[u8])) {
        let mut left = bytes;
        let at = &mut self.at;
        while left > 0 && !at.done {
            if let Some(entry) = entry::read(&self.bytes[at.body.clone()]) {
                let start = at.body.start;
                at.body.start += entry.length;
                each(start as u32, &entry, &self.bytes[start..at.body.start]);
                left = left.saturating_sub(entry.length);
                continue;
            }
            left = left.saturating_sub(HEAD_BYTES);
            match at.frames.next(&self.bytes) {
                Some(Found::Frame { body, .. } | Found::Broken { body, .. }) => at.body = body,
                None => at.done = true,
            }
        }
    }

    /// Whether all that lived in it has been moved.
    pub(super) fn is_done(&self) -> bool {
        self.at.done
    }

    /// What was moved is committed.
    pub(super) fn advance(&mut self) {
        self.committed = self.at.clone();
    }
}

impl<D: Disk> Log<D> {
    /// Reads a segment that is to be emptied.
    pub(super) fn start_cleaning(&mut self, segment: u32) -> Result<Cleaning, StoreError> {
        let name = file_name(segment);
        let mut bytes = Vec::new();
        let read = read_what_can_be(&mut self.disk, &name, &mut bytes);
        read.map_err(|cause| refused("read", &name, cause))?;
        bytes.truncate(self.end(segment) as usize);
        let at = Position { frames: Frames::new(self.salt, segment), body: 0..0, done: false };
        Ok(Cleaning { segment, bytes, committed: at.clone(), at, lost: None })
    }

    /// Puts what lives in the next bytes of a segment into the frame, changed by `upgrade`.
    pub(super) fn gather(
        &mut self,
        cleaning: &mut Cleaning,
        bytes: usize,
        mut upgrade: impl FnMut(&mut Vec<u8>, &Entry<'_>, &[u8]),
    ) {
        let (index, frame) = (&self.index, &mut self.frame);
        let (segment, salt) = (cleaning.segment, self.salt);
        cleaning.step(bytes, |offset, entry, all| {
            let place = Place { segment, offset, length: all.len() as u32 };
            if index.get(Name::of(entry.key, salt)) == Some(place) && entry.is_sound() {
                upgrade(frame, entry, all);
            }
        });
    }

    /// Moves some of what lives in the oldest segment into the frame, if there is much garbage.
    pub(super) fn clean(&mut self, written: usize) {
        let oldest = self.segments.keys().next().copied();
        let oldest = oldest.filter(|oldest| *oldest != self.active && self.has_much_garbage());
        let begun = match (self.cleaning.take(), oldest) {
            (Some(cleaning), _) => Some(cleaning),
            // A file that may not be opened now may be when the next commit tries.
            (None, Some(oldest)) => self.start_cleaning(oldest).ok(),
            (None, None) => None,
        };
        if let Some(mut cleaning) = begun {
            let bytes = CLEANED_AT_LEAST.max(written * CLEANED_FOR_EACH_BYTE);
            self.gather(&mut cleaning, bytes, |frame, _, all| frame.extend_from_slice(all));
            self.cleaning = Some(cleaning);
        }
    }

    /// The commit that moved entries is durable. Drops the segment if it is empty now.
    pub(super) fn finish_cleaning(&mut self) {
        let Some(mut cleaning) = self.cleaning.take() else { return };
        cleaning.advance();
        let dropped = cleaning.is_done() && self.retire(&mut cleaning).is_ok();
        // What keeps a file from being removed does not undo the commit; the next one tries again.
        self.cleaning = (!dropped).then_some(cleaning);
    }

    /// The commit that would have moved entries failed.
    pub(super) fn rewind_cleaning(&mut self) {
        if let Some(cleaning) = &mut self.cleaning {
            cleaning.at = cleaning.committed.clone();
        }
    }

    /// Drops an emptied segment: removes its file, or sets it aside if not all could be read.
    fn retire(&mut self, cleaning: &mut Cleaning) -> Result<(), StoreError> {
        let segment = cleaning.segment;
        let lost = *cleaning.lost.get_or_insert_with(|| {
            let entries = self.index.forget(segment);
            self.lost.entries += entries;
            entries > 0
        });
        if !lost {
            return self.remove(segment);
        }
        match self.set_aside(segment) {
            // An earlier try did it, whatever the disk said.
            Err(StoreError::Io { cause, .. }) if cause.kind() == ErrorKind::NotFound => {
                self.sync_names()
            }
            done => done.map(|to| self.lost.set_aside.push(to)),
        }
    }

    /// Removes an emptied segment.
    ///
    /// Names are synced each time: were a segment lost before an older one, removes would be gone
    /// that still stand against puts in the older one.
    pub(super) fn remove(&mut self, segment: u32) -> Result<(), StoreError> {
        self.forget(segment)?;
        let name = file_name(segment);
        match self.disk.remove(&name) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                Err(refused("remove", &name, cause))
            }
            _ => self.sync_names(),
        }
    }

    /// Renames the file of a segment that is not used any more. Gives its new name.
    pub(super) fn set_aside(&mut self, segment: u32) -> Result<String, StoreError> {
        self.forget(segment)?;
        let to = set_aside(&mut self.disk, &file_name(segment))?;
        self.sync_names()?;
        Ok(to)
    }

    /// Reads no more in a segment: its file goes, perhaps even if the disk says that it does not.
    fn forget(&mut self, segment: u32) -> Result<(), StoreError> {
        self.sync_names()?;
        self.segments.remove(&segment);
        self.index.forget(segment);
        self.names_in_doubt = true;
        Ok(())
    }

    /// Makes the names of all files durable, if they are in doubt.
    pub(super) fn sync_names(&mut self) -> Result<(), StoreError> {
        if self.names_in_doubt {
            self.disk.sync_names().map_err(|cause| refused("sync", ".", cause))?;
            self.names_in_doubt = false;
        }
        Ok(())
    }
}

/// Gives a file a name under which nobody looks for it. Gives that name.
pub(super) fn set_aside(disk: &mut impl Disk, name: &str) -> Result<String, StoreError> {
    let names = disk.names().map_err(|cause| refused("list", ".", cause))?;
    let free = (1..=SET_ASIDE).map(|n| format!("{name}.damaged-{n}"));
    let free = free.into_iter().find(|free| !names.contains(free));
    let to = free.ok_or_else(|| refused("rename", name, ErrorKind::AlreadyExists.into()))?;
    disk.rename(name, &to).map_err(|cause| refused("rename", name, cause))?;
    Ok(to)
}
