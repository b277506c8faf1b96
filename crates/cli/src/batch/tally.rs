//! What a batch came to in all: a line for each key as it ends, counts at the end, and the exit code.

use std::collections::BTreeMap;
use std::time::Instant;

use gateway::span;
use serde_json::{Value, json};

use crate::connection::Through;
use crate::failure::{Failure, Kind};
use crate::progress::Bar;
use crate::size::grouped;
use crate::talk;
use crate::text::shown;

/// Tells of each key and counts.
pub struct Tally {
    json: bool,
    bar: Bar,
    started: Instant,
    /// The reader of stdout has had enough: nothing more is written there.
    unheard: bool,
    done: u64,
    failed: BTreeMap<&'static str, u64>,
    /// The kind with the highest exit code.
    worst: Option<Kind>,
}

/// One line of the batch, and its key, if it could be read.
pub struct Line {
    pub number: u64,
    pub key: Option<String>,
}

impl Tally {
    /// Of a batch of about so many lines.
    pub fn new(json: bool, lines: u64) -> Self {
        Self {
            json,
            bar: Bar::of_keys(json, lines),
            started: Instant::now(),
            unheard: false,
            done: 0,
            failed: BTreeMap::new(),
            worst: None,
        }
    }

    /// A key is done: its line for people, or its object for programs. `false` if the reader has had
    /// enough.
    pub fn done(
        &mut self,
        line: &Line,
        told: impl FnOnce() -> String,
        object: impl FnOnce() -> Value,
    ) -> Result<bool, Failure> {
        self.done += 1;
        self.bar.advance();
        if self.unheard {
            return Ok(false);
        }
        let heard = match self.json {
            true => talk::next_line(labelled(line, object())),
            false => self.bar.aside(|| {
                let key = shown(line.key.as_deref().unwrap_or_default().as_bytes());
                talk::next_line(format_args!("{key}\t{}", told()))
            }),
        };
        self.hears(heard)
    }

    /// A key failed, or a line is none. `false` if the reader has had enough.
    pub fn failed(&mut self, line: &Line, failure: &Failure) -> Result<bool, Failure> {
        *self.failed.entry(failure.kind().name()).or_default() += 1;
        if self.worst.is_none_or(|worst| worst.exit_code() < failure.exit_code()) {
            self.worst = Some(failure.kind());
        }
        self.bar.advance();
        if self.json && self.unheard {
            return Ok(false);
        }
        if self.json {
            let object = labelled(line, json!({ "error": failure.to_json() }));
            return self.hears(talk::next_line(object));
        }
        let Line { number, key } = line;
        let key =
            key.as_ref().map_or(String::new(), |key| format!(", key `{}`", shown(key.as_bytes())));
        let why = failure.in_a_line();
        self.bar.aside(|| talk::say(format_args!("line {number}{key}: {why}")));
        Ok(true)
    }

    fn hears(&mut self, heard: Result<bool, Failure>) -> Result<bool, Failure> {
        self.unheard |= matches!(heard, Ok(false));
        heard
    }

    /// Tells the counts. `nobody`: the rest was given up, since nobody answered there.
    pub fn finish(self, verb: &str, nobody: Option<&Through>) -> Result<(), Failure> {
        self.bar.clear();
        let failed: u64 = self.failed.values().sum();
        let all = self.done + failed;
        let took = span::told(self.started.elapsed());
        let noun = if all == 1 { "key" } else { "keys" };
        let told = format!("{verb} {} of {} {noun} in {took}", grouped(self.done), grouped(all));
        let Some(worst) = self.worst else {
            talk::say(told);
            return Ok(());
        };
        let failure = match nobody {
            Some(through) => {
                through.unreachable().detail(told).detail("the rest was not waited for")
            }
            None => Failure::new(worst, told),
        };
        let failure = self.failed.iter().fold(failure, |failure, (kind, count)| {
            failure.detail(format!("{} {}", grouped(*count), kind.replace('_', " ")))
        });
        Err(failure.with("done", self.done).with("failed", json!(self.failed)))
    }
}

/// An object with the line and key that it is about.
fn labelled(line: &Line, mut object: Value) -> Value {
    object["line"] = line.number.into();
    object["key"] = line.key.as_deref().into();
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_the_highest_of_those_that_failed() {
        let mut tally = Tally::new(false, 3);
        let line = Line { number: 1, key: None };
        for kind in [Kind::NotFound, Kind::Conflict, Kind::Usage] {
            tally.failed(&line, &Failure::new(kind, "it failed")).unwrap();
        }
        assert_eq!(tally.finish("got", None).unwrap_err().exit_code(), 4);
    }
}
