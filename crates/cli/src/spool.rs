//! Bytes that must wait until all of them are there: a few in memory, many in a nameless file.

use std::io::{self, Read, Seek};

use tempfile::SpooledTempFile;

/// Up to here they wait in memory.
pub const SPOOL_BYTES: usize = 1 << 20;

/// Reads a source to its end, and gives what is to be read again from its beginning, and how much that is
/// in bytes.
///
/// # Errors
/// If the source cannot be read, or the file not be written.
pub fn spool(mut source: impl Read) -> io::Result<(SpooledTempFile, u64)> {
    let mut spooled = SpooledTempFile::new(SPOOL_BYTES);
    let length = io::copy(&mut source, &mut spooled)?;
    spooled.rewind()?;
    Ok((spooled, length))
}
