//! `xorbit store import`: takes lines of an export into a data directory.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use serde_json::{Value, json};
use xorbit::offline::{TakeError, Taken, Writer};

use super::line::{self, Line};
use crate::failure::{Failure, Kind};
use crate::mended::Mended;
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
    /// An export has begun and not ended.
    open: bool,
    /// Another began behind one that did not end.
    cut_off: bool,
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
    Mended::from(writer.condition()).lines("all else is there").iter().for_each(talk::say);
    let (tally, read) = import(&mut writer, &mut input, args.keep_going)?;
    match read {
        Ok(()) => tell(&tally, &source, args.keep_going, json),
        Err(cause) => {
            let failure = cannot(cause).detail(format!("taken: {}", tally.told()));
            Err(failure.with("taken", tally.to_json()))
        }
    }
}

/// Takes all lines, or those up to where no more can be read; what was taken is on the disk then.
fn import(
    writer: &mut Writer,
    input: &mut dyn BufRead,
    keep_going: bool,
) -> Result<(Tally, io::Result<()>), Failure> {
    let mut tally = Tally::default();
    let read = match take_all(writer, input, keep_going, &mut tally) {
        Ok(()) => Ok(()),
        Err(NoMore::Unreadable(cause)) => Err(cause),
        Err(NoMore::Failed(failure)) => return Err(failure),
    };
    writer.commit()?;
    Ok((tally, read))
}

/// Why no more lines can be taken.
enum NoMore {
    /// They cannot be read.
    Unreadable(io::Error),
    /// The directory does not take them.
    Failed(Failure),
}

fn take_all(
    writer: &mut Writer,
    input: &mut dyn BufRead,
    keep_going: bool,
    tally: &mut Tally,
) -> Result<(), NoMore> {
    let (mut text, mut number) = (Vec::new(), 0);
    loop {
        text.clear();
        number += 1;
        let read = io::Read::take(&mut *input, LINE_BYTES).read_until(b'\n', &mut text);
        if read.map_err(NoMore::Unreadable)? == 0 {
            return Ok(());
        }
        let too_long = text.len() as u64 == LINE_BYTES && !text.ends_with(b"\n");
        let taken = if too_long {
            Err(format!("it is longer than {LINE_BYTES} bytes"))
        } else {
            take(writer, &text).map_err(NoMore::Failed)?
        };
        match taken {
            Ok(done) => tally.add(done),
            Err(why) => {
                tally.refuse(number, &why);
                if !keep_going {
                    return Ok(());
                }
                if too_long {
                    input.skip_until(b'\n').map_err(NoMore::Unreadable)?;
                }
            }
        }
    }
}

/// What a line was.
enum Done {
    /// Nothing to be taken.
    Empty,
    /// The first line of an export.
    Head,
    /// The last one.
    End,
    Entry(Taken),
}

/// Takes one line, if it is sound; or says why not.
fn take(writer: &mut Writer, text: &[u8]) -> Result<Result<Done, String>, Failure> {
    if text.trim_ascii().is_empty() {
        return Ok(Ok(Done::Empty));
    }
    let read = line::read(text, |line| match line {
        Line::Head => Ok(Done::Head),
        Line::End => Ok(Done::End),
        Line::Entry(entry) => writer.take(&entry).map(Done::Entry),
    });
    match read {
        Err(why) => Ok(Err(why)),
        Ok(Ok(taken)) => Ok(Ok(taken)),
        Ok(Err(TakeError::DataDir(error))) => Err(error.into()),
        Ok(Err(refused)) => Ok(Err(refused.to_string())),
    }
}

impl Tally {
    fn add(&mut self, done: Done) {
        match done {
            Done::Empty => {}
            Done::Head => {
                self.cut_off |= self.open;
                self.open = true;
            }
            Done::End => self.open = false,
            Done::Entry(Taken::New) => self.new += 1,
            Done::Entry(Taken::Renewed) => self.renewed += 1,
            Done::Entry(Taken::Same) => self.same += 1,
            Done::Entry(Taken::Outdated) => self.outdated += 1,
        }
    }

    /// Whether an export began and did not end.
    fn is_cut_off(&self) -> bool {
        self.cut_off || self.open
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
            "cut_off": self.is_cut_off(),
        })
    }
}

fn tell(tally: &Tally, source: &str, kept_going: bool, json: bool) -> Result<(), Failure> {
    if tally.refusals == 0 {
        if tally.is_cut_off() {
            talk::say(format_args!(
                "{source} has no last line, so the export was cut off: entries may be missing"
            ));
        }
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
    let hint = match kept_going {
        true => "all other lines were taken",
        false => "what was taken stays; `--keep-going` takes all lines that are sound",
    };
    let failure = failure.detail(format!("taken: {}", tally.told()));
    Err(failure.with("taken", tally.to_json()).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use xorbit::offline::Reader;

    struct Unreadable;

    impl Read for Unreadable {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("a bad disk"))
        }
    }

    #[test]
    fn what_was_read_before_the_input_failed_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let line = &br#"{"key":"7a65627261","kind":"other","value":"00ff"}"#[..];
        let mut input = BufReader::new(line.chain(&b"\n"[..]).chain(Unreadable));
        let mut writer = Writer::open(directory.path()).unwrap();
        let (tally, read) = import(&mut writer, &mut input, false).unwrap();
        assert_eq!((tally.new, read.unwrap_err().to_string()), (1, "a bad disk".to_owned()));
        drop(writer);
        let mut entries = 0;
        Reader::open(directory.path()).unwrap().each(|_| entries += 1).unwrap();
        assert_eq!(entries, 1);
    }
}
