//! Reading a data directory while its node does not run, without changing a byte of it.

use std::path::{Path, PathBuf};

use store::{Directory, Disk, Log, Opened, Overlay, Store};

use super::entry::Entry;
use crate::data_dir::{DataDir, DataDirError};

/// How the files of a store are: what the next start will mend and tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Damaged files, which the next start sets aside under these names.
    pub damaged_files: Vec<String>,
    /// Bytes that could not be understood.
    pub damaged_bytes: u64,
    /// Commits that are missing between others.
    pub missing_commits: u64,
    /// Bytes at the end that are no whole commit, as a power cut leaves them: nothing of what was
    /// acknowledged.
    pub cut_off_bytes: u64,
    /// The format of the store, if it is an earlier one.
    pub earlier_format: Option<u32>,
    /// Bytes of the store on the disk.
    pub disk_bytes: u64,
}

impl Condition {
    /// How a store was when it was opened.
    pub(super) fn of<D: Disk>(opened: &Opened<D>) -> Self {
        Self {
            damaged_files: opened.set_aside.clone(),
            damaged_bytes: opened.damaged_bytes,
            missing_commits: opened.missing_commits,
            cut_off_bytes: opened.cut_off_bytes,
            earlier_format: opened.migrated_from,
            disk_bytes: opened.store.disk_bytes(),
        }
    }

    /// Whether something that was acknowledged may be gone.
    pub fn is_damaged(&self) -> bool {
        !self.damaged_files.is_empty() || self.damaged_bytes > 0 || self.missing_commits > 0
    }
}

/// Reads a data directory while its node does not run.
pub struct Reader {
    path: PathBuf,
    store: Log<Overlay<Directory>>,
    condition: Condition,
    /// Held, not used: it keeps nodes out.
    _directory: DataDir,
}

impl Reader {
    /// Opens a data directory; nothing in it changes.
    ///
    /// # Errors
    /// [`DataDirError`]: it is none, a node uses it, or it cannot be read.
    pub fn open(directory: &Path) -> Result<Self, DataDirError> {
        let data_dir = DataDir::look(directory)?;
        let opened = data_dir.look_at_store()?;
        let condition = Condition::of(&opened);
        let path = directory.to_owned();
        Ok(Self { path, store: opened.store, condition, _directory: data_dir })
    }

    /// How its files are.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Shows each entry, unchecked, in no order. Gives the number of entries that were left out,
    /// because their bytes are not those that were written.
    ///
    /// # Errors
    /// If the disk cannot be read.
    pub fn each(&mut self, mut each: impl FnMut(&Entry<'_>)) -> Result<u64, DataDirError> {
        let scanned = self.store.scan(b"", &mut |key, value| each(&Entry::read(key, value)));
        let directory = &self.path;
        match scanned {
            Ok(scanned) => Ok(scanned.damaged),
            Err(cause) => Err(DataDirError::Store { directory: directory.clone(), cause }),
        }
    }
}
