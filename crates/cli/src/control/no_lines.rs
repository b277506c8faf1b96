//! Where there are no Unix sockets there is nobody to speak with.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde_json::Value;
use zeroize::Zeroizing;

/// A conversation that cannot be.
pub struct Lines(Infallible);

impl Lines {
    /// Says that it cannot be.
    pub async fn connect(_path: &Path) -> io::Result<Self> {
        Err(io::Error::new(ErrorKind::Unsupported, "this system has no Unix sockets"))
    }

    /// The next line.
    pub async fn next(&mut self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        match self.0 {}
    }

    /// Sends a value.
    pub async fn send(&self, _value: &Value) -> io::Result<()> {
        match self.0 {}
    }
}
