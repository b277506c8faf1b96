//! `xorbit store export`: all that a data directory holds, as lines of JSON.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use xorbit::offline::{Entry, Reader};

use super::line;
use crate::effort::count;
use crate::failure::{Failure, Kind};
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "Nothing is changed. What is damaged is left out, and told.\n\n\
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
pub fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let mut reader = Reader::open(&args.directory)?;
    let cannot = |cause: io::Error| {
        let to = args.output.as_ref().map(|path| format!("`{}`", path.display()));
        let to = to.unwrap_or_else(|| "stdout".to_owned());
        Failure::new(Kind::Environment, format!("cannot write to {to}: {cause}"))
    };
    let sink: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(create(path).map_err(cannot)?),
        None => Box::new(io::stdout().lock()),
    };
    let mut sink = BufWriter::with_capacity(1 << 16, sink);
    let (mut entries, mut left_out) = (0, 0);
    let mut outcome = writeln!(sink, "{}", line::head());
    let damaged = reader.each(|entry| {
        if matches!(entry, Entry::Promise(_)) && !args.secrets {
            left_out += 1;
        } else if outcome.is_ok() {
            outcome = writeln!(sink, "{}", line::write(entry));
            entries += 1;
        }
    })?;
    match outcome.and_then(|()| sink.flush()) {
        // The reader has had enough, as `head` does.
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => return Ok(()),
        written => written.map_err(cannot)?,
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

/// A file that only its owner can read, since there may be secrets in it.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn told(entries: usize) -> String {
    count(entries, "entry").replace("entrys", "entries")
}
