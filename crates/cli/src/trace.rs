//! The steps of a lookup: who was asked, when, in what time it answered, and with what.

use gateway::{shapes, span};
use serde_json::Value;
use xorbit::{Holds, Step, StepOutcome};

use crate::effort::{self, count};
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
    pub fn step(&mut self, step: &Step) {
        if self.json {
            self.steps.push(effort::object(&shapes::Step::from(step)));
        } else {
            talk::say(told(step));
        }
    }

    /// The steps that were kept.
    pub fn into_json(self) -> Value {
        self.steps.into()
    }
}

fn told(step: &Step) -> String {
    let Step { id, endpoint, asked_after, took, hop, outcome } = step;
    // A door has no id before it answers.
    let id = id.map_or_else(|| "unknown ".to_owned(), |id| format!("{id:.8}"));
    let asked_after = span::millis(*asked_after);
    let took = span::told(*took);
    format!(
        "{asked_after:9.2} ms  hop {hop}  {id}  {endpoint:<21}  {took:>8}  {}",
        outcome_told(outcome)
    )
}

fn outcome_told(outcome: &StepOutcome) -> String {
    match outcome {
        StepOutcome::Answered { nodes, new, peers, holds } => {
            let mut told = format!("{}, {new} new", count(*nodes, "contact"));
            if *peers > 0 {
                told.push_str(&format!(", {}", count(*peers, "peer")));
            }
            match holds {
                Holds::Nothing => {}
                Holds::Version(seq) => told.push_str(&format!(", holds version {seq}")),
                Holds::Item(_) => told.push_str(", holds the item"),
            }
            told
        }
        StepOutcome::Refused(code) => format!("refused ({code})"),
        StepOutcome::Distrusted => "not to be trusted".to_owned(),
        StepOutcome::Silent => "silent".to_owned(),
    }
}
