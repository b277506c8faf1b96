//! What a request cost, and where it went: the parts that all receipts and reports share.

use serde_json::{Value, json};
use xorbit::{Effort, Refusal, Replica, WriteReport};

use crate::span;

/// A number with its noun, which takes an s if it is not one.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// As `2 hops, 24 messages, 3.1 ms`; `writes` are messages that the lookup does not count.
pub fn told(effort: &Effort, writes: usize) -> String {
    let took = span::told(effort.took);
    match effort.asked + writes {
        // This node knew the answer itself.
        0 => took,
        messages => {
            format!("{}, {}, {took}", count(effort.hops.into(), "hop"), count(messages, "message"))
        }
    }
}

/// The same for programs.
pub fn to_json(effort: &Effort) -> Value {
    json!({
        "asked": effort.asked,
        "answered": effort.answered,
        "hops": effort.hops,
        "took_ms": span::millis(effort.took),
    })
}

/// Messages that a write phase sent: one to each node that is not ourselves and gave a token.
pub fn writes(report: &WriteReport) -> usize {
    let stored = report.stored.iter().filter(|replica| replica.endpoint.is_some()).count();
    stored + report.refused.iter().filter(|refusal| refusal.code != 0).count()
}

/// As `127.0.0.1:8000`, or that it is this node.
pub fn place(replica: &Replica) -> String {
    replica.endpoint.map_or_else(|| "this node".to_owned(), |endpoint| endpoint.to_string())
}

/// A line for each way in which nodes did not store, with who they are.
pub fn shortfalls(report: &WriteReport) -> Vec<String> {
    let mut lines = Vec::new();
    let mut told: Vec<(i64, &str)> = Vec::new();
    for Refusal { code, text, .. } in &report.refused {
        if told.contains(&(*code, text)) {
            continue;
        }
        told.push((*code, text));
        let alike: Vec<String> = report
            .refused
            .iter()
            .filter(|other| other.code == *code && other.text == *text)
            .map(|refusal| place(&refusal.replica))
            .collect();
        // What a stranger wrote is told without its control characters.
        let reason = text.escape_debug();
        let reason = if *code == 0 { reason.to_string() } else { format!("{code}: {reason}") };
        lines.push(format!("{} refused ({reason}): {}", alike.len(), alike.join(", ")));
    }
    if !report.silent.is_empty() {
        let places: Vec<String> = report.silent.iter().map(place).collect();
        let after = span::told(report.effort.took);
        lines.push(format!("{} silent after {after}: {}", places.len(), places.join(", ")));
    }
    lines
}

/// What became of a write at each replica, for programs.
pub fn replicas_json(report: &WriteReport) -> Value {
    let refused = report.refused.iter().map(|refusal| {
        let mut object = replica_json(&refusal.replica);
        object["code"] = refusal.code.into();
        object["text"] = refusal.text.as_ref().into();
        object
    });
    json!({
        "known": report.known,
        "needed": report.needed,
        "stored": report.stored.iter().map(replica_json).collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
        "silent": report.silent.iter().map(replica_json).collect::<Vec<_>>(),
    })
}

/// One replica, for programs.
pub fn replica_json(replica: &Replica) -> Value {
    json!({
        "id": replica.id.to_string(),
        "address": replica.endpoint.map(|endpoint| endpoint.to_string()),
    })
}
