//! The value of a put: from the command line, from stdin or from a file.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::PathBuf;

use crate::failure::{Failure, Kind};
use crate::size;
use crate::spool::spool;

/// Where reading a value ends that must fit one item: far above what one holds, so that a refusal can
/// tell most sizes.
const READ_BYTES: u64 = 1 << 20;

/// Where the value comes from.
#[derive(clap::Args, Clone, Debug)]
pub struct ContentArgs {
    /// The value; `-` reads it from stdin
    #[arg(value_name = "VALUE", required_unless_present = "file", allow_negative_numbers = true)]
    value: Option<OsString>,
    /// Take the value from this file
    #[arg(long, value_name = "PATH", conflicts_with = "value")]
    file: Option<PathBuf>,
}

/// A value that is read as it is needed.
pub struct Source {
    /// Its bytes.
    pub length: u64,
    /// What gives them.
    pub reader: Box<dyn ReadSeek>,
}

/// What can go back to its beginning.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

impl ContentArgs {
    /// Reads a value that must fit one item.
    pub fn read(&self) -> Result<Vec<u8>, Failure> {
        match (&self.file, &self.value) {
            (Some(path), _) => {
                let read = File::open(path).and_then(read);
                read.map_err(|cause| self.cannot_read(&cause))
            }
            (None, Some(value)) if value == "-" => {
                read(io::stdin().lock()).map_err(|cause| self.cannot_read(&cause))
            }
            (None, value) => Ok(value.clone().unwrap_or_default().into_encoded_bytes()),
        }
    }

    /// Opens a value of up to `limit` bytes. What has no length of its own, such as a pipe, is read
    /// to its end first: nothing is put of a value that is too large.
    pub fn open(&self, limit: u64) -> Result<Source, Failure> {
        let spooled = match (&self.file, &self.value) {
            (Some(path), _) => File::open(path).and_then(|file| {
                let metadata = file.metadata()?;
                // A file that says that it is empty may be one that the system writes as it is read.
                if metadata.is_file() && metadata.len() > 0 {
                    return Ok(Ok(Source { length: metadata.len(), reader: Box::new(file) }));
                }
                read_ahead(file, limit)
            }),
            (None, Some(value)) if value == "-" => read_ahead(io::stdin().lock(), limit),
            (None, value) => {
                let bytes = value.clone().unwrap_or_default().into_encoded_bytes();
                let (length, reader) = (bytes.len() as u64, Box::new(Cursor::new(bytes)));
                return Ok(Source { length, reader });
            }
        };
        spooled.map_err(|cause| self.cannot_read(&cause))?.map_err(|TooLarge| {
            let told = format!("the value has more bytes than the limit of {}", size::told(limit));
            size::above_limit(told, None, limit)
        })
    }

    fn cannot_read(&self, cause: &io::Error) -> Failure {
        let source = match &self.file {
            Some(path) => format!("`{}`", path.display()),
            None => "stdin".to_owned(),
        };
        Failure::new(Kind::Environment, format!("cannot read {source}: {cause}"))
    }
}

struct TooLarge;

fn read(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(READ_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads it all, unless it is longer than the limit.
fn read_ahead(source: impl Read, limit: u64) -> io::Result<Result<Source, TooLarge>> {
    let (spooled, length) = spool(source.take(limit.saturating_add(1)))?;
    Ok(match length > limit {
        true => Err(TooLarge),
        false => Ok(Source { length, reader: Box::new(spooled) }),
    })
}
