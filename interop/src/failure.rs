//! Why a test cannot go on: what is wrong, where, and the way out.

use std::error::Error;
use std::fmt;
use std::panic::Location;

/// What a test or a step of it gives.
pub type Outcome<T = ()> = Result<T, Failure>;

/// One clear line, the place in the test, and a hint if there is one.
pub struct Failure {
    what: String,
    hint: Option<String>,
    code: Option<i64>,
    place: &'static Location<'static>,
}

impl Failure {
    /// Says what is wrong, at the caller's place.
    #[track_caller]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None, code: None, place: Location::caller() }
    }

    /// Adds the way out.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds the error code of the nodes that refused.
    pub fn refused(self, code: Option<i64>) -> Self {
        Self { code, ..self }
    }

    /// The error code by which nodes refused (BEP 44), if that is what happened.
    pub fn code(&self) -> Option<i64> {
        self.code
    }
}

/// Not itself an [`Error`], so that every error becomes one with `?`.
impl<E: Error> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(error.to_string())
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

/// What the test harness prints of a test that gives an error.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}\n{self}", self.place)
    }
}
