//! What survives a restart: who we are and whom we knew.
//!
//! `DIR/node.txt` is a text of lines: a head with the format's version, `id` and 40 hexadecimal
//! digits, one `contact` a line with id and address, and `end`, so that a file cut short shows. It
//! is replaced as a whole. `DIR/lock` is held while a node uses the directory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use wire::{Contact, NodeId};

const HEAD: &str = "xorbit node 1";

/// Contacts that are remembered: enough to find back in even if most are gone.
const CONTACTS: usize = 200;

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
    /// Another node uses it.
    #[error("the data directory `{0}` is in use by another node")]
    InUse(PathBuf),
    /// The file is not what we wrote.
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

/// What survives a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Our id.
    pub id: NodeId,
    /// Whom we knew.
    pub contacts: Vec<Contact>,
}

/// A directory that this node alone uses.
#[derive(Debug)]
pub struct DataDir {
    file: PathBuf,
    draft: PathBuf,
    /// Held, not used: dropping it lets another node in.
    _lock: File,
}

impl DataDir {
    /// Makes or opens a directory, and reads what it remembers.
    ///
    /// # Errors
    /// If it cannot be used, or its file cannot be read.
    pub fn open(directory: &Path) -> Result<(Self, Option<Remembered>), DataDirError> {
        fs::create_dir_all(directory).map_err(|cause| failed(directory, cause))?;
        let lock_path = directory.join("lock");
        let lock = File::create(&lock_path).map_err(|cause| failed(&lock_path, cause))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(DataDirError::InUse(directory.to_owned()));
            }
            Err(fs::TryLockError::Error(cause)) => return Err(failed(&lock_path, cause)),
        }
        let file = directory.join("node.txt");
        let remembered = match fs::read_to_string(&file) {
            Ok(text) => Some(read(&text).map_err(|(line, what)| DataDirError::Unreadable {
                path: file.clone(),
                line,
                what,
            })?),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
            Err(cause) => return Err(failed(&file, cause)),
        };
        let draft = directory.join("node.txt.new");
        Ok((Self { file, draft, _lock: lock }, remembered))
    }

    /// Writes what shall be remembered, durably, as a whole or not at all.
    ///
    /// # Errors
    /// If the system refuses; what was remembered before stays.
    pub fn remember(&self, remembered: &Remembered) -> Result<(), DataDirError> {
        let write = || {
            let mut draft = File::create(&self.draft)?;
            draft.write_all(text(remembered).as_bytes())?;
            draft.sync_all()?;
            fs::rename(&self.draft, &self.file)
        };
        write().map_err(|cause| failed(&self.file, cause))
    }
}

fn failed(path: &Path, cause: io::Error) -> DataDirError {
    DataDirError::Io { path: path.to_owned(), cause }
}

fn text(remembered: &Remembered) -> String {
    let mut text = format!("{HEAD}\nid {}\n", remembered.id);
    for contact in remembered.contacts.iter().take(CONTACTS) {
        text.push_str(&format!("contact {} {}\n", contact.id, contact.endpoint));
    }
    text.push_str("end\n");
    text
}

fn read(text: &str) -> Result<Remembered, (usize, &'static str)> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    match lines.next() {
        Some((_, HEAD)) => {}
        _ => return Err((1, "not a node file of version 1")),
    }
    let id = lines.next().and_then(|(_, line)| line.strip_prefix("id ")?.parse().ok());
    let id = id.ok_or((2, "not an id"))?;
    let mut contacts = Vec::new();
    for (number, line) in lines {
        if line == "end" {
            return Ok(Remembered { id, contacts });
        }
        let contact = line.strip_prefix("contact ").and_then(read_contact);
        contacts.push(contact.ok_or((number, "not a contact"))?);
    }
    Err((text.lines().count(), "the end is missing"))
}

fn read_contact(line: &str) -> Option<Contact> {
    let (id, address) = line.split_once(' ')?;
    let address: SocketAddr = address.parse().ok()?;
    Some(Contact { id: id.parse().ok()?, endpoint: address.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Endpoint;

    fn remembered() -> Remembered {
        let contact = |last| Contact {
            id: NodeId::new([last; 20]),
            endpoint: Endpoint::v4([127, 0, 0, last], 8000),
        };
        Remembered { id: NodeId::new([7; 20]), contacts: vec![contact(1), contact(2)] }
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(read(&text(&remembered())), Ok(remembered()));
    }

    #[test]
    fn a_file_that_is_cut_short_anywhere_is_refused() {
        let text = text(&remembered());
        for length in 0..text.len() - 1 {
            assert!(read(&text[..length]).is_err(), "{length} bytes");
        }
        assert!(read("xorbit node 2\n").is_err());
        assert_eq!(read(&text.replace("127.0.0.1:8000", "here")), Err((3, "not a contact")));
    }

    #[test]
    fn a_directory_belongs_to_one_node_at_a_time_and_remembers() {
        let directory =
            std::env::temp_dir().join(format!("xorbit-data-dir-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        let (data_dir, before) = DataDir::open(&directory).unwrap();
        assert_eq!(before, None);
        assert!(matches!(DataDir::open(&directory), Err(DataDirError::InUse(_))));
        data_dir.remember(&remembered()).unwrap();
        drop(data_dir);
        let (_data_dir, after) = DataDir::open(&directory).unwrap();
        assert_eq!(after, Some(remembered()));
        let _ = fs::remove_dir_all(&directory);
    }
}
