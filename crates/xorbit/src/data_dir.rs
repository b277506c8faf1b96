//! A node's directory: its store, and the lock that keeps other nodes out.
//!
//! `DIR/lock` is held while a node uses the directory, `DIR/store` is the store. Versions before the
//! store kept identity and contacts in `DIR/node.txt`: it is taken over and removed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use store::{Batch, Directory, Opened, Overlay, Store};

use crate::remembered::{self, Remembered};

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// The system refuses.
    #[error("cannot use the data directory: `{path}`: {cause}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// It is a file.
    #[error("`{0}` is a file, and a data directory is a directory")]
    NotADirectory(PathBuf),
    /// No node has ever used it.
    #[error("`{0}` is no data directory: there is no store in it")]
    NoStore(PathBuf),
    /// Another node uses it.
    #[error("the data directory `{0}` is in use by another node")]
    InUse(PathBuf),
    /// The store in it cannot be used.
    #[error("cannot use the data directory `{directory}`: {cause}")]
    Store {
        /// The directory.
        directory: PathBuf,
        /// Why not.
        cause: store::StoreError,
    },
    /// The file of an earlier version is not what we wrote.
    #[error("`{path}`, line {line}: {what}; move the file away to start as a new node")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Where in it.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
}

/// A directory that this node alone uses.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// Held, not used: dropping it lets another node in.
    _lock: Option<File>,
}

impl DataDir {
    /// Makes a directory, or takes one that no other node uses.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn take(directory: &Path) -> Result<Self, DataDirError> {
        if directory.is_file() {
            return Err(DataDirError::NotADirectory(directory.to_owned()));
        }
        // Closed to others, since signers of promises lie in it.
        store::make_directory(directory).map_err(|cause| failed(directory, cause))?;
        let lock_path = directory.join("lock");
        let lock = owners(&lock_path).map_err(|cause| failed(&lock_path, cause))?;
        let locked = lock.try_lock();
        let path = directory.to_owned();
        held(locked, directory).map(|()| Self { path, _lock: Some(lock) })
    }

    /// Keeps nodes out of a directory for as long as somebody only looks at it, and writes nothing.
    /// Several may look at a time. In a backup there may be no lock: no node uses it, or it would have
    /// made one.
    ///
    /// # Errors
    /// If no node has ever used it, or one does.
    pub fn look(directory: &Path) -> Result<Self, DataDirError> {
        if directory.is_file() {
            return Err(DataDirError::NotADirectory(directory.to_owned()));
        }
        let lock_path = directory.join("lock");
        let lock = match File::open(&lock_path) {
            Ok(lock) => Some(lock),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
            Err(cause) => return Err(failed(&lock_path, cause)),
        };
        if !directory.join("store").is_dir() {
            return Err(DataDirError::NoStore(directory.to_owned()));
        }
        let locked = lock.as_ref().map_or(Ok(()), File::try_lock_shared);
        let path = directory.to_owned();
        held(locked, directory).map(|()| Self { path, _lock: lock })
    }

    /// Opens its store to look at it: the files stay as they are.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn look_at_store(&self) -> Result<Opened<Overlay<Directory>>, DataDirError> {
        let cannot = |cause| DataDirError::Store { directory: self.path.clone(), cause };
        store::look(&self.path).map_err(cannot)
    }

    /// Opens its store.
    ///
    /// # Errors
    /// If it cannot be opened, or what an earlier version left cannot be read.
    pub fn open_store(&self) -> Result<Opened<Directory>, DataDirError> {
        let cannot = |cause| DataDirError::Store { directory: self.path.clone(), cause };
        let mut opened = store::open(&self.path).map_err(cannot)?;
        let old = self.path.join("node.txt");
        if let Some(remembered) = read_old(&old)? {
            let mut value = Vec::new();
            remembered.write(&mut value);
            let mut batch = Batch::new();
            batch.put(remembered::KEY, &value).map_err(|cause| cannot(cause.into()))?;
            opened.store.commit(&batch).map_err(cannot)?;
            fs::remove_file(&old).map_err(|cause| failed(&old, cause))?;
        }
        Ok(opened)
    }
}

/// Opens a file, or makes one that only its owner can read.
fn owners(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn held(locked: Result<(), fs::TryLockError>, directory: &Path) -> Result<(), DataDirError> {
    locked.map_err(|refused| match refused {
        fs::TryLockError::WouldBlock => DataDirError::InUse(directory.to_owned()),
        fs::TryLockError::Error(cause) => failed(&directory.join("lock"), cause),
    })
}

fn read_old(path: &Path) -> Result<Option<Remembered>, DataDirError> {
    match fs::read_to_string(path) {
        Ok(text) => remembered::read(&text)
            .map(Some)
            .map_err(|(line, what)| DataDirError::Unreadable { path: path.to_owned(), line, what }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(failed(path, cause)),
    }
}

fn failed(path: &Path, cause: io::Error) -> DataDirError {
    DataDirError::Io { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_belongs_to_one_node_at_a_time_and_takes_over_what_earlier_versions_kept() {
        let directory =
            std::env::temp_dir().join(format!("xorbit-data-dir-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        let data_dir = DataDir::take(&directory).unwrap();
        assert!(matches!(DataDir::take(&directory), Err(DataDirError::InUse(_))));
        let old = format!("xorbit node 1\nid {}\nend\n", "07".repeat(20));
        fs::write(directory.join("node.txt"), &old).unwrap();
        drop(data_dir.open_store().unwrap());
        #[cfg(unix)]
        for path in [directory.clone(), directory.join("store"), directory.join("lock")] {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{path:?}");
        }
        drop(data_dir);
        let data_dir = DataDir::take(&directory).unwrap();
        let mut opened = data_dir.open_store().unwrap();
        let kept = opened.store.get(remembered::KEY).unwrap();
        assert_eq!(kept.as_deref(), Some(old.as_bytes()));
        assert!(!directory.join("node.txt").exists());
        fs::write(directory.join("node.txt"), "zebra").unwrap();
        assert!(matches!(data_dir.open_store(), Err(DataDirError::Unreadable { line: 1, .. })));
        let _ = fs::remove_dir_all(&directory);
    }
}
