//! Why a benchmark could not be measured.

use std::fmt;

/// One line that says what is wrong, and one that says what to do about it.
#[derive(Debug)]
pub struct Failure {
    what: String,
    hint: String,
}

impl Failure {
    /// A failure with its remedy.
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }

    /// Something that the operating system refused.
    pub fn system(doing: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::new(
            format!("{doing}: `{error}`"),
            "the operating system refused; see its words above",
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\nhint: {}", self.what, self.hint)
    }
}
