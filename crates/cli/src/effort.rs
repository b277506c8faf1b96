//! What a request cost, and where it went: the parts that all receipts and reports share.

use gateway::{shapes, span};
use serde::Serialize;
use serde_json::Value;
use xorbit::{Effort, Refusal, Replica, WriteReport};

/// A number with its noun, which takes an s if it is not one.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// As `unknown to the 8 nodes that answered: ...`. Of what has expired nothing is remembered.
pub fn never_seen(effort: &Effort) -> String {
    match effort.answered {
        0 => "unknown to this node, and no other answered".to_owned(),
        answered => {
            let nodes = count(answered, "node");
            format!("unknown to the {nodes} that answered: never put, or expired since")
        }
    }
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
    object(&shapes::Effort::from(effort))
}

/// What programs are told, as an object that fields may be added to.
pub fn object(shape: &impl Serialize) -> Value {
    // They consist of texts and numbers, which JSON has.
    serde_json::to_value(shape).unwrap_or_default()
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
        lines.push(format!(
            "{} refused ({}): {}",
            alike.len(),
            reason(*code, text),
            alike.join(", ")
        ));
    }
    if !report.silent.is_empty() {
        let places: Vec<String> = report.silent.iter().map(place).collect();
        let after = span::told(report.effort.took);
        lines.push(format!("{} silent after {after}: {}", places.len(), places.join(", ")));
    }
    lines
}

/// What a node that refused said, as `202: full`.
pub fn reason(code: i64, text: &str) -> String {
    // What a stranger wrote is told without its control characters.
    let text = text.escape_debug();
    if code == 0 { text.to_string() } else { format!("{code}: {text}") }
}

/// What to do where too few nodes stored.
pub fn way_out(refused: &[Refusal], silent: usize) -> &'static str {
    let Some(refusal) = refused.first().filter(|_| refused.len() >= silent) else {
        return "try again: nodes that are gone are passed over once others notice";
    };
    match &*refusal.text {
        "full" => {
            "a node that is full takes it when something there ends, or with more `--max-items` or \
             `--max-bytes`; more nodes share what there is"
        }
        "full for your address" => {
            "what came from your address fills its part of those nodes: what is there must end first"
        }
        "too many members of one writer" => {
            "remove some with `xorbit remove`, or add as somebody else with `--signer FILE`"
        }
        "cannot be written to the disk" => {
            "whoever runs those nodes is told why; they take it again once their disks do"
        }
        "too many puts wait for the disk" => "try again: their disks are busy",
        _ => "it is for whoever runs those nodes to say why; others may come to hold the key",
    }
}

/// What became of a write at each replica, for programs.
pub fn replicas_json(report: &WriteReport) -> Value {
    object(&shapes::Replicas::from(report))
}
