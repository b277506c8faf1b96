//! A directory of the file system.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::Disk;

/// A directory of the file system.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// The files last written to and last read from: it is nearly always the same ones.
    written: Option<(String, File)>,
    read: Option<(String, File)>,
}

impl Directory {
    /// Opens a directory, and makes it if it is not there. Nobody else on this machine may enter it
    /// from now on: there may be secrets in what is stored.
    ///
    /// # Errors
    /// As the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        make_directory(path)?;
        close_to_others(path)?;
        Ok(Self::of(path))
    }

    /// Opens a directory that is there, to look at it: who may enter it stays as it is.
    ///
    /// # Errors
    /// As the system says.
    pub fn look(path: &Path) -> io::Result<Self> {
        fs::read_dir(path)?;
        Ok(Self::of(path))
    }

    fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), written: None, read: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn writing(&mut self, name: &str) -> io::Result<&mut File> {
        let kept = self.written.take().filter(|(of, _)| of == name);
        let entry = match kept {
            Some(entry) => entry,
            None => (name.to_owned(), File::options().write(true).open(self.path.join(name))?),
        };
        Ok(&mut self.written.insert(entry).1)
    }

    fn reading(&mut self, name: &str) -> io::Result<&mut File> {
        let kept = self.read.take().filter(|(of, _)| of == name);
        let entry = match kept {
            Some(entry) => entry,
            None => (name.to_owned(), File::open(self.path.join(name))?),
        };
        Ok(&mut self.read.insert(entry).1)
    }

    /// Files that were opened under names which no longer mean them.
    fn forget_files(&mut self) {
        (self.written, self.read) = (None, None);
    }
}

impl Disk for Directory {
    fn names(&mut self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            // Names that are no text are none of ours.
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        let mut options = File::options();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.write(true).create_new(true).open(self.path.join(name))?;
        self.written = Some((name.to_owned(), file));
        Ok(())
    }

    fn length(&mut self, name: &str) -> io::Result<u64> {
        Ok(self.reading(name)?.metadata()?.len())
    }

    fn read(&mut self, name: &str, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        File::open(self.path.join(name))?.read_to_end(into)?;
        Ok(())
    }

    fn read_at(&mut self, name: &str, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let file = self.reading(name)?;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(into)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.writing(name)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.writing(name)?.set_len(length)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.writing(name)?.sync_data()
    }

    fn sync_names(&mut self) -> io::Result<()> {
        sync_directory(&self.path)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.forget_files();
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.forget_files();
        fs::remove_file(self.path.join(name))
    }
}

/// Makes a directory and those above it that are not there, which nobody else on this machine may
/// enter; one that is there stays as it is. When this returns its name outlives a power cut, also if
/// an earlier run that made it did not come so far.
///
/// # Errors
/// As the system says.
pub fn make_directory(path: &Path) -> io::Result<()> {
    make_directory_with(path, &mut sync_directory)
}

/// Each directory is made only when the name of the one above it is durable. So of one that is
/// there only its own name is in doubt.
fn make_directory_with(
    path: &Path,
    sync: &mut dyn FnMut(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let above = path.parent().map(|above| match above.as_os_str().is_empty() {
        true => Path::new("."),
        false => above,
    });
    if !path.is_dir() {
        if let Some(above) = above {
            make_directory_with(above, sync)?;
        }
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(path) {
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
            made => made?,
        }
    }
    match above.map(sync) {
        // A directory of somebody else's, which we may enter and not read.
        Some(Err(cause)) if cause.kind() != ErrorKind::PermissionDenied => Err(cause),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn close_to_others(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = fs::metadata(path)?.permissions();
    if permissions.mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(permissions.mode() & 0o700))
}

/// Elsewhere who may enter is inherited from the directory above.
#[cfg(not(unix))]
fn close_to_others(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Elsewhere a directory cannot be opened as a file, and the file system keeps names in order.
#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a directory, and tells of which others the names in them were synced, in this order.
    fn synced(path: &Path) -> Vec<PathBuf> {
        let mut synced = Vec::new();
        let made = make_directory_with(path, &mut |above| {
            synced.push(above.to_owned());
            sync_directory(above)
        });
        made.unwrap();
        assert!(path.is_dir());
        synced
    }

    #[test]
    fn the_name_of_each_directory_is_synced_before_the_next_is_made_and_again_at_each_start() {
        let name = format!("xorbit-make-directory-{}", std::process::id());
        let temporary = std::env::temp_dir();
        let top = temporary.join(name);
        let _ = fs::remove_dir_all(&top);
        fs::create_dir(&top).unwrap();
        let (one, two) = (top.join("one"), top.join("one").join("two"));
        // Of the one that is there nobody knows who made it.
        assert_eq!(synced(&two), [temporary, top.clone(), one.clone()]);
        assert_eq!(synced(&two), std::slice::from_ref(&one));
        assert_eq!(synced(&one), std::slice::from_ref(&top));
        let _ = fs::remove_dir_all(&top);
    }

    #[test]
    fn who_only_looks_changes_nothing_of_a_directory() {
        let name = format!("xorbit-look-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        assert_eq!(Directory::look(&path).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(!path.exists());
        fs::create_dir(&path).unwrap();
        let before = fs::metadata(&path).unwrap().permissions();
        Directory::look(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions(), before);
        let _ = fs::remove_dir_all(&path);
    }
}
