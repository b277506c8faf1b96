//! Pages of other sites (CORS, the Fetch standard): none may call unless the node is told so.

use std::str::FromStr;

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

/// Whose pages may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// Pages of this origin, such as `https://app.example`, may call all that the node's own may.
    Is(HeaderValue),
    /// Any page may call what is opened, and with the token all else; where no token is asked for, only
    /// what is opened.
    Any,
}

/// Why a text names no site.
const SHAPE: &str = "neither `*` nor an origin such as `https://app.example`, without a path";

impl FromStr for Site {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Site::Any);
        }
        let origin: Uri = text.parse().map_err(|_| SHAPE)?;
        let (Some(scheme), Some(authority)) = (origin.scheme_str(), origin.authority()) else {
            return Err(SHAPE);
        };
        // As browsers write it, since it is compared with what they write.
        let written = format!("{scheme}://{authority}").to_ascii_lowercase();
        if written != text || authority.as_str().contains('@') {
            return Err(SHAPE);
        }
        HeaderValue::try_from(written).map(Site::Is).map_err(|_| SHAPE)
    }
}

/// Methods that routes have.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, PUT, POST, DELETE");

/// Headers of requests that routes read.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, if-match, if-none-match, if-modified-since, last-event-id",
);

/// Headers of answers that pages may read, beside those that they always may.
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "etag, retry-after, memento-datetime, pkarr-dht-stored-nodes, pkarr-invalid-signed-packet-seq, \
     xorbit-version, xorbit-expires-ms, xorbit-replicas, xorbit-seq, xorbit-key, xorbit-signature, \
     xorbit-target",
);

/// How long a browser may remember what it was told, in seconds.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

/// A page of another site that may call.
#[derive(Clone, Debug)]
pub(crate) struct Grant(HeaderValue);

impl Grant {
    /// Whether the page that calls may, if one does; `guarded`: what it calls is opened, or asks for a
    /// token.
    pub fn of(sites: &[Site], headers: &HeaderMap, guarded: bool) -> Option<Self> {
        let origin = headers.get(ORIGIN)?;
        let granted = sites.iter().any(|site| match site {
            Site::Is(site) => site == origin,
            Site::Any => guarded,
        });
        granted.then(|| Self(origin.clone()))
    }

    /// The answer to a browser that asks before it calls.
    pub fn preflight(self) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED);
        self.told(response)
    }

    /// An answer that the page may read.
    pub fn told(self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.0);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
        varying(response)
    }
}

/// An answer that depends on who called, which caches between must know.
pub(crate) fn varying(mut response: Response) -> Response {
    response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
    response
}

/// What a browser is about to do, if it asks before it calls.
pub(crate) fn asked_before(method: &Method, headers: &HeaderMap) -> Option<Method> {
    let asks = *method == Method::OPTIONS && headers.contains_key(ORIGIN);
    let about = headers.get(ACCESS_CONTROL_REQUEST_METHOD).filter(|_| asks)?;
    Method::from_bytes(about.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_named_as_browsers_name_it() {
        assert_eq!("*".parse(), Ok(Site::Any));
        for origin in ["https://app.example", "http://localhost:3000", "http://[::1]:8080"] {
            assert_eq!(origin.parse(), Ok(Site::Is(HeaderValue::from_static(origin))));
        }
        for none in
            ["", "null", "app.example", "https://app.example/", "https://App.example", "**", "a b"]
        {
            assert!(none.parse::<Site>().is_err(), "{none}");
        }
        assert!("https://a@app.example".parse::<Site>().is_err());
    }
}
