//! The value of a put: from the command line, from stdin or from a file.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use crate::failure::{Failure, Kind};

/// Where reading a value ends: far above what one item holds, so that a refusal can tell most sizes.
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

impl ContentArgs {
    /// Reads the value.
    pub fn read(&self) -> Result<Vec<u8>, Failure> {
        let cannot = |source: String| {
            move |cause: io::Error| {
                Failure::new(Kind::Environment, format!("cannot read {source}: {cause}"))
            }
        };
        match (&self.file, &self.value) {
            (Some(path), _) => {
                let read = File::open(path).and_then(read);
                read.map_err(cannot(format!("`{}`", path.display())))
            }
            (None, Some(value)) if value == "-" => {
                read(io::stdin().lock()).map_err(cannot("stdin".to_owned()))
            }
            (None, value) => Ok(value.clone().unwrap_or_default().into_encoded_bytes()),
        }
    }
}

fn read(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(READ_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
