//! Where a value goes that was got: to stdout or into a file, and only once the whole is verified.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::{Failure, Kind};
use crate::leave::Leave;
use crate::long_value;
use crate::replacement::{Place, Readers, Replacement, cannot_write};
use crate::report;
use crate::spool::{SPOOL_BYTES, Spool};
use crate::talk;

/// A value on its way to stdout or into a file.
pub enum Delivery {
    /// To stdout.
    Stdout(Spool),
    /// Into what has this name and is no file, such as a pipe.
    Into(Spool, PathBuf),
    /// Into a file, which takes its place at the end.
    File(Replacement),
}

impl Delivery {
    /// To `output`, or without one to stdout. With it comes, if it would leave a file behind, who
    /// hears that the program shall leave.
    pub fn begin(output: Option<&Path>) -> Result<(Self, Option<Leave>), Failure> {
        match output.map(Place::of).transpose()? {
            None => Ok((Self::Stdout(Spool::new()), None)),
            Some(Place::Other(path)) => Ok((Self::Into(Spool::new(), path), None)),
            Some(Place::File { path, there }) => {
                // First, so that no signal finds a file that nobody removes.
                let leave = Leave::heed()?;
                let file = Replacement::begin(path, there, Readers::AsBefore)?;
                Ok((Self::File(file), Some(leave)))
            }
        }
    }

    /// Hands over what was written: the whole value, verified.
    pub fn hand_over(self) -> Result<(), Failure> {
        match self {
            Self::Stdout(mut spooled) => {
                if length(&mut spooled)? > SPOOL_BYTES as u64 {
                    return talk::copy(&mut spooled);
                }
                let mut bytes = Vec::new();
                spooled.read_to_end(&mut bytes).map_err(|cause| cannot_read_back(&cause))?;
                talk::value(&bytes)
            }
            Self::Into(mut spooled, path) => {
                length(&mut spooled)?;
                let copied = File::create(&path).and_then(|mut to| io::copy(&mut spooled, &mut to));
                copied.map(|_| ()).map_err(|cause| cannot_write(&path, &cause))
            }
            Self::File(file) => file.finish(),
        }
    }
}

impl Delivery {
    /// Hands over an object with the value as one more field; of one for a file the object alone.
    pub fn hand_over_in(self, mut object: Value) -> Result<(), Failure> {
        let Self::Stdout(mut spooled) = self else {
            self.hand_over()?;
            return talk::object(&object);
        };
        if length(&mut spooled)? > SPOOL_BYTES as u64 {
            return talk::pieces(|stdout| long_value::write_line(&object, &mut spooled, stdout));
        }
        let mut bytes = Vec::new();
        spooled.read_to_end(&mut bytes).map_err(|cause| cannot_read_back(&cause))?;
        report::put_value(&mut object, &bytes);
        talk::object(&object)
    }
}

impl Write for Delivery {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(spooled) | Self::Into(spooled, _) => spooled.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(spooled) | Self::Into(spooled, _) => spooled.flush(),
            Self::File(file) => file.flush(),
        }
    }
}

/// How much was written, which is read from its beginning next.
fn length(spooled: &mut Spool) -> Result<u64, Failure> {
    let length = spooled.stream_position();
    length.and_then(|end| spooled.rewind().map(|()| end)).map_err(|cause| cannot_read_back(&cause))
}

fn cannot_read_back(cause: &io::Error) -> Failure {
    Failure::new(Kind::Environment, format!("cannot read the value back: {cause}"))
}
