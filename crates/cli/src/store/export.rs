//! `xorbit store export`: all that a data directory holds, as lines of JSON.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tokio::task::JoinError;
use xorbit::offline::{Entry, Reader};

use super::line;
use crate::effort::count;
use crate::failure::{Failure, Kind};
use crate::leave::Leave;
use crate::replacement::{Place, Readers, Replacement, cannot_write};
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "Nothing is changed. What is damaged is left out, and told. FILE becomes \
    its owner's alone, and what was in it stays until all is written.\n\n\
    Exit codes: 0 all was exported, 2 no data directory, or one that is in use or cannot be read, \
    3 something was damaged and is missing";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The data directory of a node that does not run
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Write to this file, in place of what is in it, instead of to stdout
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Export promises too (see `xorbit keep`): whoever reads them can sign in their namespaces
    #[arg(long)]
    secrets: bool,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let place = args.output.as_deref().map(Place::of).transpose()?;
    // First, so that no signal finds a file that nobody removes. A pipe may never be read on: there
    // the signal ends the program.
    let leave = matches!(place, Some(Place::File { .. })).then(Leave::heed).transpose()?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let mut work = tokio::task::spawn_blocking(move || export(&args, place, json, &stopped));
    if let Some(mut leave) = leave {
        tokio::select! {
            done = &mut work => return joined(done),
            () = leave.asked() => stop.store(true, Ordering::Relaxed),
        }
    }
    joined(work.await)
}

fn joined(done: Result<Result<(), Failure>, JoinError>) -> Result<(), Failure> {
    done.unwrap_or_else(|error| {
        Err(Failure::new(Kind::Environment, format!("the export broke off: {error}")))
    })
}

/// Where lines go.
enum Sink {
    Stdout,
    /// Into what has this name and is no file, such as a pipe.
    Into(File),
    /// Into a file, which takes its place at the end.
    File(Replacement),
}

impl Sink {
    fn open(place: Option<Place>) -> Result<Self, Failure> {
        Ok(match place {
            None => Self::Stdout,
            Some(Place::Other(path)) => {
                Self::Into(create(&path).map_err(|cause| cannot_write(&path, &cause))?)
            }
            // There may be secrets in it.
            Some(Place::File { path, there }) => {
                Self::File(Replacement::begin(path, there, Readers::Owner)?)
            }
        })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout => io::stdout().write(bytes),
            Self::Into(file) => file.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().flush(),
            Self::Into(file) => file.flush(),
            Self::File(file) => file.flush(),
        }
    }
}

fn export(args: &Args, place: Option<Place>, json: bool, stop: &AtomicBool) -> Result<(), Failure> {
    let mut reader = Reader::open(&args.directory)?;
    let cannot = |cause: io::Error| {
        let to = args.output.as_ref().map(|path| format!("`{}`", path.display()));
        let to = to.unwrap_or_else(|| "stdout".to_owned());
        Failure::new(Kind::Environment, format!("cannot write to {to}: {cause}"))
    };
    let mut sink = BufWriter::with_capacity(1 << 16, Sink::open(place)?);
    let (mut entries, mut left_out) = (0, 0);
    let mut outcome = writeln!(sink, "{}", line::head());
    let damaged = reader.each(|entry| {
        if matches!(entry, Entry::Promise(_)) && !args.secrets {
            left_out += 1;
        } else if outcome.is_ok() && !stop.load(Ordering::Relaxed) {
            outcome = writeln!(sink, "{}", line::write(entry));
            entries += 1;
        }
    })?;
    if stop.load(Ordering::Relaxed) {
        let what = "asked to leave before all was exported";
        return Err(Failure::new(Kind::Environment, what).detail("nothing was written"));
    }
    let outcome = outcome.and_then(|()| writeln!(sink, "{}", line::end(entries)));
    let sink = match outcome.and_then(|()| sink.into_inner().map_err(|error| error.into_error())) {
        // The reader has had enough, as `head` does.
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => return Ok(()),
        written => written.map_err(cannot)?,
    };
    if let Sink::File(file) = sink {
        file.finish()?;
    }
    if left_out > 0 {
        let promises = count(left_out, "promise");
        talk::say(format_args!(
            "left out: {promises}, which hold secrets; `--secrets` exports them"
        ));
    }
    let condition = reader.condition();
    if damaged > 0 || condition.is_damaged() {
        let what = format!("exported {}, but not what is damaged", told(entries));
        return Err(Failure::new(Kind::Damaged, what)
            .hint("`xorbit store check` tells what is")
            .with("entries", entries));
    }
    match &args.output {
        Some(path) if json => talk::object(
            &json!({ "entries": entries, "left_out": left_out, "output": path.display().to_string() }),
        ),
        _ => {
            talk::say(format_args!("exported {}", told(entries)));
            Ok(())
        }
    }
}

/// Opens what is no file; what a link to nowhere leads to is its owner's alone.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn told(entries: usize) -> String {
    count(entries, "entry").replace("entrys", "entries")
}
