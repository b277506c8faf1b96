//! What a store asks of a disk.

mod directory;
mod overlay;
mod simulated;

use std::io;

use crate::limits::{READ_AGAIN_BYTES, SEGMENT_BYTES};

pub use directory::{Directory, make_directory};
pub use overlay::Overlay;
pub use simulated::{Damage, SimulatedDisk};

/// Files in one directory, by name. What is written may be lost in a power cut, in any part, until
/// it is synced; and so may be what files there are.
pub trait Disk: Send {
    /// The names of all files.
    ///
    /// # Errors
    /// As the system says.
    fn names(&mut self) -> io::Result<Vec<String>>;

    /// Makes an empty file that was not there.
    ///
    /// # Errors
    /// As the system says.
    fn create(&mut self, name: &str) -> io::Result<()>;

    /// The length of a file. What is read of it next fails only if the disk cannot read it.
    ///
    /// # Errors
    /// As the system says.
    fn length(&mut self, name: &str) -> io::Result<u64>;

    /// Reads a whole file into a buffer, in place of what is in it.
    ///
    /// # Errors
    /// As the system says.
    fn read(&mut self, name: &str, into: &mut Vec<u8>) -> io::Result<()>;

    /// Fills a buffer with the bytes from an offset on.
    ///
    /// # Errors
    /// As the system says; if the file ends before.
    fn read_at(&mut self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<()>;

    /// Writes bytes at an offset.
    ///
    /// # Errors
    /// As the system says; then any part of them may have been written.
    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file to a length.
    ///
    /// # Errors
    /// As the system says.
    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()>;

    /// Waits until the content and length of a file outlive a power cut.
    ///
    /// # Errors
    /// As the system says; then what was written since the last sync may be there or not.
    fn sync(&mut self, name: &str) -> io::Result<()>;

    /// Waits until the names of files outlive a power cut.
    ///
    /// # Errors
    /// As the system says.
    fn sync_names(&mut self) -> io::Result<()>;

    /// Gives a file another name, which no file has.
    ///
    /// # Errors
    /// As the system says.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// How long a file becomes before the next one is begun.
    fn segment_bytes(&self) -> u64 {
        SEGMENT_BYTES
    }

    /// Removes a file.
    ///
    /// # Errors
    /// As the system says.
    fn remove(&mut self, name: &str) -> io::Result<()>;
}

/// A disk that is only lent outlives the store on it.
impl<D: Disk> Disk for &mut D {
    fn names(&mut self) -> io::Result<Vec<String>> {
        (**self).names()
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        (**self).create(name)
    }

    fn length(&mut self, name: &str) -> io::Result<u64> {
        (**self).length(name)
    }

    fn read(&mut self, name: &str, into: &mut Vec<u8>) -> io::Result<()> {
        (**self).read(name, into)
    }

    fn read_at(&mut self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<()> {
        (**self).read_at(name, offset, into)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        (**self).write_at(name, offset, bytes)
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        (**self).truncate(name, length)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        (**self).sync(name)
    }

    fn sync_names(&mut self) -> io::Result<()> {
        (**self).sync_names()
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        (**self).rename(from, to)
    }

    fn segment_bytes(&self) -> u64 {
        (**self).segment_bytes()
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        (**self).remove(name)
    }
}

/// Reads a whole file into a buffer as far as the disk can read it: sectors that it cannot are zeros.
/// Gives the number of such bytes, in whole blocks.
///
/// # Errors
/// As the system says, if the file is not there or may not be opened.
pub(crate) fn read_what_can_be(
    disk: &mut impl Disk,
    name: &str,
    into: &mut Vec<u8>,
) -> io::Result<u64> {
    if disk.read(name, into).is_ok() {
        return Ok(0);
    }
    let length = disk.length(name)?;
    into.clear();
    into.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
    let (mut offset, mut unreadable) = (0, 0);
    for block in into.chunks_mut(READ_AGAIN_BYTES) {
        if disk.read_at(name, offset, block).is_err() {
            // What a failing read has left in it is nobody's word.
            block.fill(0);
            unreadable += block.len() as u64;
        }
        offset += block.len() as u64;
    }
    Ok(unreadable)
}
