//! `xorbit store import`: takes lines of an export into a data directory.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use serde_json::{Value, json};
use xorbit::offline::{TakeError, Taken, Writer};

use super::line::{self, Line};
use crate::failure::{Failure, Kind};
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "Hash, signature and sizes of each item are verified. A version that is \
    there is never replaced by a lower one, nor the identity of the node. The same lines may be \
    taken twice.\n\n\
    Exit codes: 0 all lines were taken, or what is there is newer, 2 a file or directory that cannot \
    be used, 3 a line was refused";

/// The longest line: an entry as long as a store takes, in hexadecimal digits, and as text beside it.
const LINE_BYTES: u64 = 1 << 20;

/// Refused lines that are told one by one.
const TOLD: usize = 10;

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The data directory of a node that does not run; it is made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Read from this file instead of from stdin
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Go on behind a line that is refused
    #[arg(long)]
    keep_going: bool,
}

/// What became of the lines.
#[derive(Default)]
struct Tally {
    new: usize,
    renewed: usize,
    same: usize,
    outdated: usize,
    refused: Vec<String>,
    refusals: usize,
}

/// Does it.
pub fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let source = args.input.as_ref().map(|path| format!("`{}`", path.display()));
    let source = source.unwrap_or_else(|| "stdin".to_owned());
    let cannot = |cause: io::Error| {
        Failure::new(Kind::Environment, format!("cannot read {source}: {cause}"))
    };
    let mut input: Box<dyn BufRead> = match &args.input {
        Some(path) => Box::new(BufReader::new(File::open(path).map_err(cannot)?)),
        None => Box::new(io::stdin().lock()),
    };
    let mut writer = Writer::open(&args.directory)?;
    let (mut tally, mut text, mut number) = (Tally::default(), Vec::new(), 0);
    loop {
        text.clear();
        number += 1;
        let read = io::Read::take(&mut input, LINE_BYTES).read_until(b'\n', &mut text);
        if read.map_err(cannot)? == 0 {
            break;
        }
        let too_long = text.len() as u64 == LINE_BYTES && !text.ends_with(b"\n");
        let taken = if too_long {
            Err(format!("it is longer than {LINE_BYTES} bytes"))
        } else {
            take(&mut writer, &text)?
        };
        match taken {
            Ok(taken) => tally.add(taken),
            Err(why) => {
                tally.refuse(number, &why);
                if too_long || !args.keep_going {
                    break;
                }
            }
        }
    }
    writer.commit()?;
    tell(&tally, &source, json)
}

/// Takes one line, if it is sound; or says why not.
fn take(writer: &mut Writer, text: &[u8]) -> Result<Result<Option<Taken>, String>, Failure> {
    if text.trim_ascii().is_empty() {
        return Ok(Ok(None));
    }
    let read = line::read(text, |line| match line {
        Line::Head => Ok(None),
        Line::Entry(entry) => writer.take(&entry).map(Some),
    });
    match read {
        Err(why) => Ok(Err(why)),
        Ok(Ok(taken)) => Ok(Ok(taken)),
        Ok(Err(TakeError::DataDir(error))) => Err(error.into()),
        Ok(Err(refused)) => Ok(Err(refused.to_string())),
    }
}

impl Tally {
    fn add(&mut self, taken: Option<Taken>) {
        match taken {
            Some(Taken::New) => self.new += 1,
            Some(Taken::Renewed) => self.renewed += 1,
            Some(Taken::Same) => self.same += 1,
            Some(Taken::Outdated) => self.outdated += 1,
            None => {}
        }
    }

    fn refuse(&mut self, number: usize, why: &str) {
        self.refusals += 1;
        if self.refused.len() < TOLD {
            self.refused.push(format!("line {number}: {why}"));
        }
    }

    fn told(&self) -> String {
        let Self { new, renewed, same, outdated, .. } = self;
        format!("{new} new, {renewed} renewed, {same} there already, {outdated} outdated")
    }

    fn to_json(&self) -> Value {
        json!({
            "new": self.new,
            "renewed": self.renewed,
            "same": self.same,
            "outdated": self.outdated,
            "refused": self.refusals,
        })
    }
}

fn tell(tally: &Tally, source: &str, json: bool) -> Result<(), Failure> {
    if tally.refusals == 0 {
        return match json {
            true => talk::object(&tally.to_json()),
            false => talk::line(format_args!("imported {source}: {}", tally.told())),
        };
    }
    let lines = if tally.refusals == 1 { "a line" } else { "lines" };
    let mut failure = Failure::new(Kind::Refused, format!("{lines} of {source} were refused"));
    if tally.refusals == 1 {
        failure = Failure::new(Kind::Refused, format!("a line of {source} was refused"));
    }
    for refused in &tally.refused {
        failure = failure.detail(refused.clone());
    }
    if tally.refusals > tally.refused.len() {
        failure = failure.detail(format!("and {} more", tally.refusals - tally.refused.len()));
    }
    Err(failure
        .detail(format!("taken: {}", tally.told()))
        .with("taken", tally.to_json())
        .hint("what was taken stays; `--keep-going` takes all lines that are sound"))
}
