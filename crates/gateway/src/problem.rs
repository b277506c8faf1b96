//! What goes wrong, as a problem document (RFC 9457), and the status that says whose fault it is.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use xorbit::{Absence, Closed, GetError, PutError, ReadError, Version, WatchError};

use crate::shapes;

/// What kind of failure it is; the names are those of the program's `--json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The request is none that can be done.
    Usage,
    /// No token, or another one.
    Unauthorized,
    /// The caller may not.
    Forbidden,
    /// What was asked for does not exist.
    NotFound,
    /// There is no such method here.
    MethodNotAllowed,
    /// The caller was too slow.
    TooSlow,
    /// The key does not hold the version expected.
    Conflict,
    /// The value is larger than this node takes.
    TooLarge,
    /// Somebody wrote what is no value.
    Refused,
    /// The newest value cannot be read.
    Unopened,
    /// The caller asks more often than strangers may.
    RateLimited,
    /// The node has as much to do as it takes on.
    Busy,
    /// Something on the node's machine is in the way.
    Environment,
    /// The network does not answer the node.
    NotReady,
    /// Too few replicas stored or answered.
    NotEnoughReplicas,
    /// Nobody answered in time.
    Unreachable,
    /// A compare-and-swap that may or may not have happened.
    Undetermined,
}

impl Kind {
    /// The status of a response that tells it.
    pub fn status(self) -> StatusCode {
        match self {
            Kind::Usage => StatusCode::BAD_REQUEST,
            Kind::Unauthorized => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Kind::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Kind::Conflict => StatusCode::PRECONDITION_FAILED,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Kind::Refused | Kind::Unopened => StatusCode::BAD_GATEWAY,
            Kind::Busy | Kind::Environment | Kind::NotReady | Kind::NotEnoughReplicas => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Kind::Unreachable | Kind::Undetermined => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Kind::Usage => "the request is none that can be done",
            Kind::Unauthorized => "a token is needed",
            Kind::Forbidden => "not allowed",
            Kind::NotFound => "not found",
            Kind::MethodNotAllowed => "no such method here",
            Kind::TooSlow => "the request came too slowly",
            Kind::Conflict => "version conflict",
            Kind::TooLarge => "too large",
            Kind::Refused => "what was found is no value",
            Kind::Unopened => "the value does not open",
            Kind::RateLimited => "too many requests",
            Kind::Busy => "busy",
            Kind::Environment => "something on the node's machine is in the way",
            Kind::NotReady => "not ready",
            Kind::NotEnoughReplicas => "too few replicas",
            Kind::Unreachable => "nobody answered",
            Kind::Undetermined => "the outcome is open",
        }
    }
}

/// A failure, told as `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:xorbit:` and the kind.
    #[serde(rename = "type")]
    urn: String,
    /// The kind in words.
    title: &'static str,
    /// The status of the response.
    status: u16,
    kind: Kind,
    /// What happened, the value at fault in backticks.
    detail: String,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// Seconds after which the same may go well.
    #[serde(skip)]
    retry_after_s: Option<NonZeroU32>,
    /// What else is known of it: the version that is there, the replicas, what it cost.
    #[serde(flatten)]
    #[schema(additional_properties)]
    more: Map<String, Value>,
}

impl Problem {
    /// A failure in words.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let name = serde_json::to_value(kind).unwrap_or_default();
        Self {
            urn: format!("urn:xorbit:{}", name.as_str().unwrap_or_default()),
            title: kind.title(),
            status: kind.status().as_u16(),
            kind,
            detail: detail.into(),
            hint: None,
            retry_after_s: (kind == Kind::Busy).then_some(NonZeroU32::MIN),
            more: Map::new(),
        }
    }

    /// With the way out.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// With the time after which the same may go well, in whole seconds from 1.
    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        Self { retry_after_s: Some(NonZeroU32::new(seconds).unwrap_or(NonZeroU32::MIN)), ..self }
    }

    /// With one more member.
    pub(crate) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        // What cannot be told is left out; none of ours is such.
        if let Ok(value) = serde_json::to_value(value) {
            self.more.insert(name.to_owned(), value);
        }
        self
    }

    /// With the status that pkarr has for what is older than what is there.
    pub(crate) fn outdated(self) -> Self {
        Self { status: StatusCode::CONFLICT.as_u16(), ..self }
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or_else(|_| self.kind.status())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind == Kind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.get().into());
        }
        response
    }
}

impl From<Closed> for Problem {
    fn from(closed: Closed) -> Self {
        Self::new(Kind::Environment, closed.to_string())
    }
}

impl From<GetError> for Problem {
    fn from(error: GetError) -> Self {
        let told = error.to_string();
        match error {
            GetError::Key(_) => Self::new(Kind::Usage, told),
            GetError::NotFound { absence, effort } => {
                let (reason, version) = match absence {
                    Absence::NeverSeen => ("never_seen", None),
                    Absence::Deleted(version) => ("deleted", Some(version)),
                    Absence::Expired(version) => ("expired", Some(version)),
                };
                Self::new(Kind::NotFound, told)
                    .with("reason", reason)
                    .with("version", version.map(Version::get))
                    .with("effort", shapes::Effort::from(&effort))
            }
            GetError::Unopened { version, .. } => {
                Self::new(Kind::Unopened, told).with("version", version.get())
            }
            GetError::AboveLimit { length, limit } => above_limit(told, Some(length), limit),
            GetError::Chunks(ReadError::Missing { missing, of }) => {
                Self::new(Kind::NotEnoughReplicas, told)
                    .hint("put the value again: only what is missing is sent")
                    .with("missing", missing)
                    .with("of", of)
            }
            GetError::Chunks(ReadError::Mismatch) => Self::new(Kind::Refused, told),
            GetError::Sink(_) | GetError::Closed => Self::new(Kind::Environment, told),
            GetError::Unreachable(effort) => unreachable(&effort),
            GetError::NotEnoughReplicas { answered, known, needed, found } => Self::new(
                Kind::NotEnoughReplicas,
                told,
            )
            .hint("`consistency=first` takes the newest that was found, which may be an old one")
            .with("answered", answered)
            .with("known", known)
            .with("needed", needed)
            .with("found", found.as_deref().map(shapes::Report::without_value)),
            GetError::Busy => Self::new(Kind::Busy, told),
        }
    }
}

impl From<PutError> for Problem {
    fn from(error: PutError) -> Self {
        let told = error.to_string();
        match error {
            PutError::Key(_)
            | PutError::BadTtl(_)
            | PutError::BadContentType(_)
            | PutError::BadItem(_)
            | PutError::Source(_)
            | PutError::ReadOnce => Self::new(Kind::Usage, told),
            PutError::Namespace(_) => Self::new(Kind::Forbidden, told),
            PutError::TooLarge { length, limit } => {
                above_limit(told, u64::try_from(length).ok(), limit as u64)
            }
            PutError::AboveLimit { length, limit } => above_limit(told, Some(length), limit),
            PutError::ChunksNotStored { short, of, refusal } => {
                Self::new(Kind::NotEnoughReplicas, told)
                    .hint("put it again: only the chunks that are missing are sent")
                    .with("short", short)
                    .with("of", of)
                    .with("refused", refusal.as_deref().map(shapes::Refusal::from))
            }
            PutError::Unreachable(effort) => unreachable(&effort),
            PutError::NotFound(effort) => {
                Self::new(Kind::NotFound, told).with("effort", shapes::Effort::from(&effort))
            }
            PutError::Conflict { current } => {
                Self::new(Kind::Conflict, told).with("current", current.map(Version::get))
            }
            PutError::Undetermined { version } => Self::new(Kind::Undetermined, told)
                .hint("get the key to see which version it holds")
                .with("version", version.get()),
            PutError::NotEnoughReplicas(report) => Self::new(Kind::NotEnoughReplicas, told)
                .with("receipt", shapes::Receipt::from(&*report)),
            PutError::VersionExhausted(version) => {
                Self::new(Kind::Conflict, told).with("current", version.get())
            }
            PutError::Busy => Self::new(Kind::Busy, told),
            PutError::Closed => Self::new(Kind::Environment, told),
        }
    }
}

impl From<WatchError> for Problem {
    fn from(error: WatchError) -> Self {
        let kind = match error {
            WatchError::Unreachable => Kind::Unreachable,
            WatchError::Key(_) => Kind::Usage,
            WatchError::Busy => Kind::Busy,
            WatchError::Closed => Kind::Environment,
        };
        Self::new(kind, error.to_string())
    }
}

/// Nobody answered, or there was nobody to ask.
pub(crate) fn unreachable(effort: &xorbit::Effort) -> Problem {
    let problem = Problem::new(Kind::Unreachable, effort.nobody());
    let problem = match effort.asked {
        0 => problem.hint("let the node join a network: `xorbit node --join HOST:PORT`"),
        _ => problem,
    };
    problem.with("effort", shapes::Effort::from(effort))
}

/// A value that is larger than it may be.
pub(crate) fn above_limit(told: String, length: Option<u64>, limit: u64) -> Problem {
    Problem::new(Kind::TooLarge, told).with("length", length).with("limit", limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_tells_its_kind_in_words_name_and_status() {
        let current = Version::new(7);
        let told = serde_json::to_value(Problem::from(PutError::Conflict { current })).unwrap();
        assert_eq!(told["type"], "urn:xorbit:conflict");
        assert_eq!((&told["status"], &told["kind"]), (&412.into(), &"conflict".into()));
        assert_eq!(told["current"], 7);
        assert!(told.get("hint").is_none());
    }
}
