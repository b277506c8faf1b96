//! Data goes to stdout, talk to stderr.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

use serde_json::Value;

use crate::failure::{Failure, Kind};

/// Says a line to people. If nobody can hear it, work goes on.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes a line of data.
pub fn line(text: impl Display) -> Result<(), Failure> {
    write(format!("{text}\n").as_bytes())
}

/// Writes a value exactly as it is; people at a terminal get a line end, if it has none.
pub fn value(bytes: &[u8]) -> Result<(), Failure> {
    write(bytes)?;
    let unended = !bytes.is_empty() && !bytes.ends_with(b"\n");
    if unended && io::stdout().is_terminal() { write(b"\n") } else { Ok(()) }
}

/// Writes a value that is too long to be held in memory.
pub fn copy(source: &mut impl io::Read) -> Result<(), Failure> {
    pieces(|stdout| io::copy(source, stdout).map(|_| ()))
}

/// Writes what is too long to be held in memory, piece by piece.
pub fn pieces(
    write: impl FnOnce(&mut io::StdoutLock<'_>) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    told(write(&mut stdout).and_then(|()| stdout.flush())).map(|_| ())
}

/// Writes one JSON object.
pub fn object(object: &Value) -> Result<(), Failure> {
    line(object)
}

/// Writes one of many lines of data; `false` if the reader has had enough, as `head` does.
pub fn next_line(text: impl Display) -> Result<bool, Failure> {
    try_write(format!("{text}\n").as_bytes())
}

fn write(bytes: &[u8]) -> Result<(), Failure> {
    try_write(bytes).map(|_| ())
}

fn try_write(bytes: &[u8]) -> Result<bool, Failure> {
    let mut stdout = io::stdout().lock();
    told(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// `false` if the reader has had enough.
fn told(written: io::Result<()>) -> Result<bool, Failure> {
    match written {
        Ok(()) => Ok(true),
        // The reader has had enough, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            Err(Failure::new(Kind::Environment, format!("cannot write to stdout: {error}")))
        }
    }
}
