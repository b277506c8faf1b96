//! What a task answers when it cannot go on.

use std::fmt;

/// Nothing, or the reason why the task stopped.
pub type Outcome = Result<(), Failure>;

/// One clear line about what is wrong, and what the reader can do about it.
#[derive(Debug, Clone)]
pub struct Failure {
    what: String,
    hint: Option<String>,
}

impl Failure {
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }

    /// Adds the way out.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Says first in which step this happened.
    pub fn in_step(self, step: impl fmt::Display) -> Self {
        Self { what: format!("{step}: {}", self.what), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}
