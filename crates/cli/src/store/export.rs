//! `xorbit store export`: all that a data directory holds, as lines of JSON.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;

use serde_json::json;
use xorbit::offline::Reader;

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
        Some(path) => Box::new(File::create(path).map_err(cannot)?),
        None => Box::new(io::stdout().lock()),
    };
    let mut sink = BufWriter::with_capacity(1 << 16, sink);
    let (mut entries, mut outcome) = (0, writeln!(sink, "{}", line::head()));
    let damaged = reader.each(|entry| {
        if outcome.is_ok() {
            outcome = writeln!(sink, "{}", line::write(entry));
            entries += 1;
        }
    })?;
    match outcome.and_then(|()| sink.flush()) {
        // The reader has had enough, as `head` does.
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => return Ok(()),
        written => written.map_err(cannot)?,
    }
    let condition = reader.condition();
    if damaged > 0 || condition.is_damaged() {
        let what = format!("exported {}, but not what is damaged", told(entries));
        return Err(Failure::new(Kind::Damaged, what)
            .hint("`xorbit store check` tells what is")
            .with("entries", entries));
    }
    match &args.output {
        Some(path) if json => {
            talk::object(&json!({ "entries": entries, "output": path.display().to_string() }))
        }
        _ => {
            talk::say(format_args!("exported {}", told(entries)));
            Ok(())
        }
    }
}

fn told(entries: usize) -> String {
    count(entries, "entry").replace("entrys", "entries")
}
