//! Bytes that must wait until all of them are there: a few in memory, many in a nameless file.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

/// Up to here they wait in memory.
pub const SPOOL_BYTES: usize = 1 << 20;

/// So much is read at once.
const READ_BYTES: usize = 64 * 1024;

/// What waits. If the file cannot be written the error names the directory that it is in.
pub struct Spool(SpooledTempFile);

impl Spool {
    /// Nothing yet.
    pub fn new() -> Self {
        Self(SpooledTempFile::new(SPOOL_BYTES))
    }
}

impl Read for Spool {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Seek for Spool {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(named)
    }
}

/// Says where the file is that cannot be written.
fn named(cause: io::Error) -> io::Error {
    if cause.kind() == ErrorKind::Interrupted {
        return cause;
    }
    let directory = std::env::temp_dir();
    let what = format!("the temporary directory `{}` (`TMPDIR`): {cause}", directory.display());
    io::Error::new(cause.kind(), what)
}

/// Reads a source to its end, and gives what is to be read again from its beginning, and how much that is
/// in bytes.
///
/// # Errors
/// If the source cannot be read, or the file not be written.
pub fn spool(mut source: impl Read) -> io::Result<(Spool, u64)> {
    let (mut spool, mut piece, mut length) = (Spool::new(), vec![0; READ_BYTES], 0);
    loop {
        match source.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => {
                spool.write_all(&piece[..read])?;
                length += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    spool.rewind()?;
    Ok((spool, length))
}
