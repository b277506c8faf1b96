//! Answers: as JSON where a caller asks for it, else as a value or a line.

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Bytes as they are.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it stands for bodies")]
pub(crate) struct RawBytes(Vec<u8>);

/// One server-sent event.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it stands for what is streamed")]
pub(crate) struct StreamEvent {
    /// What happened: `version`, `step`, `end` or `problem`.
    event: String,
    /// Of a `version` its number, to come back with.
    #[schema(nullable = false)]
    id: Option<String>,
    /// An object as JSON: `Watched`, `Step`, `Lookup` or `Problem`.
    data: String,
}

/// Whether a caller asks for JSON rather than for the value itself: `application/json` stands in its
/// Accept.
pub(crate) fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let mut ranges = accepted.flat_map(|accept| accept.split(','));
    ranges.any(|range| {
        let kind = range.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json")
    })
}

/// An object.
pub(crate) fn json(object: &impl Serialize) -> Response {
    let body = serde_json::to_vec(object).unwrap_or_default();
    of(HeaderValue::from_static("application/json"), body)
}

/// A line that people read.
pub(crate) fn line(text: String) -> Response {
    of(HeaderValue::from_static("text/plain; charset=utf-8"), text + "\n")
}

/// A body of this content type.
pub(crate) fn of(content_type: HeaderValue, body: impl Into<Body>) -> Response {
    ([(CONTENT_TYPE, content_type)], body.into()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_only_to_those_who_ask_for_it() {
        let accept = |value: &'static str| {
            wants_json(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(value))]))
        };
        assert!(accept("application/json") && accept("text/html, Application/JSON;q=0.9"));
        assert!(!accept("*/*") && !accept("application/*") && !accept("application/json-seq"));
        assert!(!wants_json(&HeaderMap::new()));
    }
}
