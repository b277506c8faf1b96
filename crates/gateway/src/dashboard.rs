//! The dashboard: the files of the folder `web`, inside the program.
//!
//! They hold no secret and are told to everybody who may call this Host, with or without a token: the
//! page asks for the token itself.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::routes::nothing_here;
use crate::{Shared, answer};

/// Where the page is; its other files lie under [`FOLDER`].
const PAGE: &str = "/";

const FOLDER: &str = "/dashboard/";

/// What the page may do: run and ask only what comes from its own node. What a stranger stored under a
/// key is shown as text, and could do nothing if it ever were more.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// A file of the dashboard.
struct File {
    name: &'static str,
    content: &'static [u8],
}

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        [$(File { name: $name, content: include_bytes!(concat!("../../../web/", $name)) }),+]
    };
}

static FILES: [File; 24] = files![
    "index.html",
    "style.css",
    "panels.css",
    "icon.svg",
    "alerts.js",
    "api.js",
    "contacts.js",
    "distance.js",
    "elements.js",
    "events.js",
    "format.js",
    "frames.js",
    "header.js",
    "held.js",
    "history.js",
    "keys.js",
    "lookup.js",
    "main.js",
    "picture.js",
    "plots.js",
    "problem.js",
    "replicas.js",
    "spiral.js",
    "theme.js",
];

impl File {
    fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self.name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        })
    }

    /// Changes with the content, so that a browser shows the page of the program that runs.
    fn entity_tag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.content.hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let tag = self.entity_tag();
        let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|known| known.to_str().ok());
        let is_known = known.flat_map(|known| known.split(',')).any(|known| {
            let known = known.trim();
            known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
        });
        let mut response = match is_known {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => answer::of(self.content_type(), self.content),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(CONTENT_SECURITY_POLICY, POLICY);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(ETAG, tag);
        }
        response
    }
}

/// The file at a path, if the dashboard has one there.
fn at(path: &str) -> Option<&'static File> {
    let name = match path.strip_prefix(FOLDER) {
        Some(name) => name,
        None if path == PAGE => "index.html",
        None => return None,
    };
    FILES.iter().find(|file| file.name == name)
}

/// Whether a path is one of the dashboard's.
pub(crate) fn is_at(path: &str) -> bool {
    at(path).is_some()
}

/// The routes of the dashboard.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new().route(PAGE, get(page)).route("/dashboard/{file}", get(file))
}

async fn page(headers: HeaderMap, uri: Uri) -> Response {
    told(PAGE, &headers, uri).await
}

async fn file(Path(name): Path<String>, headers: HeaderMap, uri: Uri) -> Response {
    told(&format!("{FOLDER}{name}"), &headers, uri).await
}

async fn told(path: &str, headers: &HeaderMap, uri: Uri) -> Response {
    match at(path) {
        Some(file) => file.answer(headers),
        None => nothing_here(uri).await.into_response(),
    }
}
