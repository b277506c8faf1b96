//! Where a value goes that was got: to stdout or into a file, and only once the whole is verified.

use std::fs;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, SpooledTempFile};

use crate::failure::{Failure, Kind};
use crate::talk;

/// Up to here a value waits in memory, beyond it in a nameless file.
const SPOOL_BYTES: usize = 1 << 20;

/// A value on its way to stdout or into a file.
pub enum Delivery {
    /// To stdout.
    Stdout(SpooledTempFile),
    /// Into the file of this name, which takes its place at the end.
    File(NamedTempFile, PathBuf),
}

impl Delivery {
    /// To `output`, or without one to stdout.
    pub fn new(output: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = output else { return Ok(Self::Stdout(SpooledTempFile::new(SPOOL_BYTES))) };
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let file = NamedTempFile::with_prefix_in(".xorbit-", directory.unwrap_or(Path::new(".")));
        let file = file.map_err(|cause| cannot_write(path, &cause))?;
        Ok(Self::File(file, path.to_owned()))
    }

    /// Hands over what was written: the whole value, verified.
    pub fn hand_over(self) -> Result<(), Failure> {
        match self {
            Self::Stdout(mut spooled) => {
                let length = spooled.stream_position().and_then(|end| {
                    spooled.rewind()?;
                    Ok(end)
                });
                let read = |cause: io::Error| {
                    Failure::new(Kind::Environment, format!("cannot read the value back: {cause}"))
                };
                if length.map_err(read)? > SPOOL_BYTES as u64 {
                    return talk::copy(&mut spooled);
                }
                let mut bytes = Vec::new();
                spooled.read_to_end(&mut bytes).map_err(read)?;
                talk::value(&bytes)
            }
            Self::File(file, path) => {
                let kept =
                    file.persist(&path).map_err(|error| cannot_write(&path, &error.error))?;
                readable_as_others(&kept).map_err(|cause| cannot_write(&path, &cause))
            }
        }
    }
}

impl Write for Delivery {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(spooled) => spooled.write(bytes),
            Self::File(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(spooled) => spooled.flush(),
            Self::File(file, _) => file.flush(),
        }
    }
}

/// A temporary file is its owner's alone; a value got is a file like those that people make.
#[cfg(unix)]
fn readable_as_others(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_as_others(_: &fs::File) -> io::Result<()> {
    Ok(())
}

fn cannot_write(path: &Path, cause: &io::Error) -> Failure {
    Failure::new(Kind::Environment, format!("cannot write `{}`: {cause}", path.display()))
}
