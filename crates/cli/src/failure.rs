//! Why a verb fails: one line, details, a way out, and the exit code that tells scripts which kind.

use std::io::IsTerminal;

use serde_json::{Map, Value, json};

use crate::talk;

/// The exit codes, for the program's help; each verb repeats those that it can end with.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  not found
  2  wrong usage, or something on this machine is in the way
  3  refused, or too few replicas stored or answered, or a value that does not open, or damage
  4  version conflict, or a put whose outcome is open
  5  the network cannot be reached
  6  a simulated world broke a rule";

/// What kind of failure it is: decides the exit code and the name in `--json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What was asked for does not exist.
    NotFound,
    /// The caller asked for something impossible.
    Usage,
    /// Something on this machine is in the way.
    Environment,
    /// Too few replicas stored or answered.
    NotEnoughReplicas,
    /// A node answered that it will not.
    Refused,
    /// The newest value of a secret namespace cannot be read.
    Unopened,
    /// The key does not hold the version expected.
    Conflict,
    /// Something that was kept is not as it was.
    Damaged,
    /// A compare-and-swap that may or may not have happened.
    Undetermined,
    /// Nobody answered.
    Unreachable,
    /// In a simulated world something was that must not be.
    Violated,
}

impl Kind {
    /// The exit code, as [`EXIT_CODES`] tells it.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::NotFound => 1,
            Kind::Usage | Kind::Environment => 2,
            Kind::NotEnoughReplicas | Kind::Refused | Kind::Unopened | Kind::Damaged => 3,
            Kind::Conflict | Kind::Undetermined => 4,
            Kind::Unreachable => 5,
            Kind::Violated => 6,
        }
    }

    const ALL: [Kind; 11] = [
        Kind::NotFound,
        Kind::Usage,
        Kind::Environment,
        Kind::NotEnoughReplicas,
        Kind::Refused,
        Kind::Unopened,
        Kind::Conflict,
        Kind::Damaged,
        Kind::Undetermined,
        Kind::Unreachable,
        Kind::Violated,
    ];

    /// As `--json` names it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::NotFound => "not_found",
            Kind::Usage => "usage",
            Kind::Environment => "environment",
            Kind::NotEnoughReplicas => "not_enough_replicas",
            Kind::Refused => "refused",
            Kind::Unopened => "unopened",
            Kind::Conflict => "conflict",
            Kind::Damaged => "damaged",
            Kind::Undetermined => "undetermined",
            Kind::Unreachable => "unreachable",
            Kind::Violated => "violated",
        }
    }
}

/// Why a verb failed.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    what: String,
    details: Vec<String>,
    hint: Option<String>,
    data: Map<String, Value>,
}

impl Failure {
    /// One line, with the value at fault in backticks.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), details: Vec::new(), hint: None, data: Map::new() }
    }

    /// Adds a line below the first.
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Adds the way out.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds a field for `--json`.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.data.insert(name.to_owned(), value.into());
        self
    }

    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its first line and its details in one.
    pub fn in_a_line(&self) -> String {
        let parts = std::iter::once(&self.what).chain(&self.details);
        parts.map(String::as_str).collect::<Vec<_>>().join("; ")
    }

    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        self.kind.exit_code()
    }

    /// Tells it: as lines on stderr, or as an object on stdout.
    pub fn tell(&self, json: bool) {
        if json {
            // A reader that is gone is told by the exit code alone; a disk that is full is not read.
            if let Err(unwritten) = talk::object(&json!({ "error": self.to_json() })) {
                unwritten.tell(false);
            }
            return;
        }
        let (error, hint) = labels();
        talk::say(format_args!("{error} {}", self.what));
        for line in &self.details {
            talk::say(format_args!("  {line}"));
        }
        if let Some(text) = &self.hint {
            talk::say(format_args!("{hint} {text}"));
        }
    }

    /// The failure that another process told as [`Failure::to_json`] gives it.
    pub fn from_json(told: &Value) -> Self {
        let text = |name: &str| told[name].as_str().map(str::to_owned);
        let named = |kind: &Kind| told["kind"] == kind.name();
        let kind = Kind::ALL.into_iter().find(named).unwrap_or(Kind::Environment);
        let what = text("message").unwrap_or_else(|| "it failed, and did not say why".to_owned());
        let mut failure = Failure { hint: text("hint"), ..Failure::new(kind, what) };
        let details = told["details"].as_array().into_iter().flatten();
        failure.details.extend(details.filter_map(Value::as_str).map(str::to_owned));
        let own = ["kind", "exit_code", "message", "details", "hint"];
        let data = told.as_object().into_iter().flatten();
        let data = data.filter(|(name, _)| !own.contains(&name.as_str()));
        failure.data.extend(data.map(|(name, value)| (name.clone(), value.clone())));
        failure
    }

    /// As an object: what kind it is, its exit code, its words, and the fields added to it.
    pub fn to_json(&self) -> Value {
        let mut object = self.data.clone();
        object.insert("kind".into(), self.kind.name().into());
        object.insert("exit_code".into(), self.exit_code().into());
        object.insert("message".into(), self.what.clone().into());
        if !self.details.is_empty() {
            object.insert("details".into(), self.details.clone().into());
        }
        if let Some(hint) = &self.hint {
            object.insert("hint".into(), hint.clone().into());
        }
        Value::Object(object)
    }
}

/// `error:` and `hint:`, in colour where people look on and have not asked for none.
fn labels() -> (&'static str, &'static str) {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if plain || !std::io::stderr().is_terminal() {
        return ("error:", "hint:");
    }
    ("\x1b[1;31merror:\x1b[0m", "\x1b[1;36mhint:\x1b[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_in_json_has_its_kind_code_message_and_fields() {
        let failure = Failure::new(Kind::Conflict, "key `k` is taken")
            .detail("it holds version 7")
            .hint("read it")
            .with("current", 7);
        let told = json!({
            "kind": "conflict", "exit_code": 4, "message": "key `k` is taken",
            "details": ["it holds version 7"], "hint": "read it", "current": 7,
        });
        assert_eq!(failure.to_json(), told);
        assert_eq!(Failure::from_json(&told).to_json(), told);
        let damaged = Failure::new(Kind::Damaged, "it is damaged");
        assert_eq!(Failure::from_json(&damaged.to_json()).kind(), Kind::Damaged);
        let nonsense = Failure::from_json(&json!({ "kind": "no such", "details": 7 }));
        assert_eq!((nonsense.exit_code(), nonsense.details.len()), (2, 0));
    }

    #[test]
    fn the_help_names_every_exit_code() {
        for kind in [Kind::NotFound, Kind::Usage, Kind::Refused, Kind::Conflict, Kind::Unreachable]
        {
            assert!(EXIT_CODES.contains(&format!("\n  {}  ", kind.exit_code())), "{kind:?}");
        }
    }
}
