//! The steps of a lookup: who was asked, when, in what time it answered, and with what.

use serde_json::{Value, json};
use xorbit::{Holds, Step, StepOutcome};

use crate::effort::count;
use crate::span;
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
            self.steps.push(to_json(step));
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

fn to_json(step: &Step) -> Value {
    let mut object = json!({
        "id": step.id.map(|id| id.to_string()),
        "address": step.endpoint.to_string(),
        "asked_after_ms": span::millis(step.asked_after),
        "took_ms": span::millis(step.took),
        "hop": step.hop,
    });
    match step.outcome {
        StepOutcome::Answered { nodes, new, peers, holds } => {
            object["outcome"] = "answered".into();
            object["contacts"] = nodes.into();
            object["new"] = new.into();
            object["peers"] = peers.into();
            object["holds"] = match holds {
                Holds::Nothing => Value::Null,
                Holds::Version(seq) => json!({ "version": seq.get() }),
                Holds::Item(_) => "item".into(),
            };
        }
        StepOutcome::Refused(code) => {
            object["outcome"] = "refused".into();
            object["code"] = code.into();
        }
        StepOutcome::Distrusted => object["outcome"] = "distrusted".into(),
        StepOutcome::Silent => object["outcome"] = "silent".into(),
    }
    object
}
