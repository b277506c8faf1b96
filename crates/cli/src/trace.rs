//! The steps of a lookup: who was asked, when, in what time it answered, and with what.

use std::time::Duration;

use gateway::shapes::{Holds, Outcome, Step};
use gateway::span;
use serde_json::Value;

use crate::effort::{self, count};
use crate::running::Way;
use crate::talk;

/// Tells steps as they come, or keeps them for the end.
#[derive(Debug)]
pub struct Trace {
    json: bool,
    steps: Vec<Value>,
}

impl Trace {
    /// With `json`, steps are kept; without, each is told on stderr at once.
    pub fn new(json: bool) -> Self {
        Self { json, steps: Vec::new() }
    }

    /// Takes a step.
    pub fn step(&mut self, step: &xorbit::Step) {
        self.told(step.into());
    }

    /// Takes a step as it was told.
    pub fn told(&mut self, step: Step) {
        if self.json {
            self.steps.push(effort::object(&step));
        } else {
            talk::say(line(&step));
        }
    }

    /// Says which way the verb goes.
    pub fn way(&self, way: &Way) {
        if !self.json {
            talk::say(way);
        }
    }

    /// The steps that were kept.
    pub fn into_json(self) -> Value {
        self.steps.into()
    }
}

fn line(step: &Step) -> String {
    let Step { id, address, asked_after_ms, took_ms, hop, outcome } = step;
    // A door has no id before it answers.
    let id = id.as_ref().map_or_else(|| "unknown ".to_owned(), |id| format!("{id:.8}"));
    let took = span::told(Duration::try_from_secs_f64(took_ms / 1000.0).unwrap_or_default());
    format!(
        "{asked_after_ms:9.2} ms  hop {hop}  {id}  {address:<21}  {took:>8}  {}",
        outcome_told(outcome)
    )
}

fn outcome_told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered { contacts, new, peers, holds } => {
            let mut told = format!("{}, {new} new", count(*contacts, "contact"));
            if *peers > 0 {
                told.push_str(&format!(", {}", count(*peers, "peer")));
            }
            match holds {
                None => {}
                Some(Holds::Version(version)) => {
                    told.push_str(&format!(", holds version {version}"));
                }
                Some(Holds::Item) => told.push_str(", holds the item"),
            }
            told
        }
        Outcome::Refused { code } => format!("refused ({code})"),
        Outcome::Distrusted => "not to be trusted".to_owned(),
        Outcome::Silent => "silent".to_owned(),
    }
}
