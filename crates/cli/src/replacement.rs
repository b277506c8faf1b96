//! Writing a file as a whole: it takes its name once all is written, and what had the name before
//! stays until then.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::failure::{Failure, Kind};

/// What a name stands for that somebody wants to be written.
#[derive(Debug)]
pub enum Place {
    /// A file that is there or shall be: at the end another takes its name.
    File {
        /// Where it is, at the end of all links.
        path: PathBuf,
        /// Who may do what with the one that is there.
        there: Option<Permissions>,
    },
    /// A device, a pipe, a link to nowhere: it is written into.
    Other(PathBuf),
}

/// Who may read a file that takes a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Those who could read the one that was there; of a new one, those whom the user lets read any.
    AsBefore,
    /// Its owner.
    Owner,
}

impl Place {
    /// What stands there.
    ///
    /// # Errors
    /// If nothing can be written there.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        Self::look(path).map_err(|cause| cannot_write(path, &cause))
    }

    fn look(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(there) if there.is_file() => {
                // A file that nobody may write is not replaced either.
                OpenOptions::new().write(true).open(path)?;
                let there = Some(there.permissions());
                Ok(Self::File { path: fs::canonicalize(path)?, there })
            }
            Ok(there) if there.is_dir() => Err(ErrorKind::IsADirectory.into()),
            Ok(_) => Ok(Self::Other(path.to_owned())),
            Err(cause) if cause.kind() == ErrorKind::NotFound => match path.is_symlink() {
                true => Ok(Self::Other(path.to_owned())),
                false => Ok(Self::File { path: path.to_owned(), there: None }),
            },
            Err(cause) => Err(cause),
        }
    }
}

/// A file on its way to its name. Dropped before, it leaves nothing.
#[derive(Debug)]
pub struct Replacement {
    file: NamedTempFile,
    path: PathBuf,
    then: Option<Permissions>,
}

impl Replacement {
    /// Begins one beside what it is to replace.
    ///
    /// # Errors
    /// If no file can be made there.
    pub fn begin(
        path: PathBuf,
        there: Option<Permissions>,
        readers: Readers,
    ) -> Result<Self, Failure> {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let mut builder = Builder::new();
        builder.prefix(".xorbit-");
        // Else it is its owner's alone.
        #[cfg(unix)]
        if readers == Readers::AsBefore && there.is_none() {
            use std::os::unix::fs::PermissionsExt;
            // Of these the system takes away what the user's umask says.
            builder.permissions(Permissions::from_mode(0o666));
        }
        let directory = directory.unwrap_or(Path::new("."));
        // Else what is told is the name of a file that nobody asked for.
        let file = fs::metadata(directory).and_then(|_| builder.tempfile_in(directory));
        let file = file.map_err(|cause| cannot_write(&path, &cause))?;
        Ok(Self { file, path, then: there.filter(|_| readers == Readers::AsBefore) })
    }

    /// Gives it its name, when all of it is on the disk.
    ///
    /// # Errors
    /// If that cannot be: then what was there is still there.
    pub fn finish(self) -> Result<(), Failure> {
        let Self { file, path, then } = self;
        let ready = || {
            then.map_or(Ok(()), |permissions| file.as_file().set_permissions(permissions))?;
            file.as_file().sync_all()
        };
        ready().map_err(|cause| cannot_write(&path, &cause))?;
        file.persist(&path).map_err(|error| cannot_write(&path, &error.error))?;
        Ok(())
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Why a file cannot be written.
pub fn cannot_write(path: &Path, cause: &io::Error) -> Failure {
    Failure::new(Kind::Environment, format!("cannot write `{}`: {cause}", path.display()))
}
