//! All routes, and the description of them that is made from the same code.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{Kind, Problem};
use crate::{
    Shared, admission, answer, connections, dashboard, health, items, kv, metrics, node_routes,
    peers, pkarr, shapes, watch,
};

/// What any route may fail with.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "it stands for what `Problem` tells")]
pub(crate) enum Failures {
    /// The request is none that can be done
    #[response(status = 400, content_type = "application/problem+json")]
    Usage(Problem),
    /// No token, or another one
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// The caller may not: a Host or Origin of elsewhere, or a namespace that it cannot write
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// It does not exist
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// There is no such method here
    #[response(status = 405, content_type = "application/problem+json")]
    MethodNotAllowed(Problem),
    /// The caller was too slow
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(Problem),
    /// The key does not hold the version expected
    #[response(status = 412, content_type = "application/problem+json")]
    Conflict(Problem),
    /// The value is larger than this node takes
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// A stranger without a token asks more often than strangers may
    #[response(status = 429, content_type = "application/problem+json",
        headers(("Retry-After" = u64, description = "Seconds to wait")))]
    RateLimited(Problem),
    /// Somebody wrote what is no value, or what does not open
    #[response(status = 502, content_type = "application/problem+json")]
    Refused(Problem),
    /// Too few replicas stored or answered, or this node has too much to do
    #[response(status = 503, content_type = "application/problem+json")]
    NotEnoughReplicas(Problem),
    /// Nobody answered in time, or a compare-and-swap has an open outcome
    #[response(status = 504, content_type = "application/problem+json")]
    Unreachable(Problem),
}

/// What the description begins with.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Xorbit",
        description = "A running node of a distributed hash table, over HTTP.\n\nKeys are 1 to 1,024 bytes, \
            values raw bytes. Errors are problem documents (RFC 9457)."
    ),
    tags(
        (name = "keys", description = "Keys and their values"),
        (name = "topics", description = "Peers of topics (BEP 5)"),
        (name = "items", description = "Raw items (BEP 44), and those of pkarr"),
        (name = "node", description = "The node itself")
    ),
    components(schemas(shapes::Watched, shapes::Step, shapes::Lookup))
)]
struct Description;

/// The routes with their descriptions.
fn described() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(kv::get, kv::put, kv::delete))
        .routes(routes!(watch::watch))
        .routes(routes!(peers::peers, peers::announce))
        .routes(routes!(items::get, items::put))
        .routes(routes!(pkarr::get, pkarr::put))
        .routes(routes!(node_routes::lookup))
        .routes(routes!(node_routes::node))
        .routes(routes!(node_routes::routing))
        .routes(routes!(node_routes::held))
        .routes(routes!(node_routes::stats))
        .routes(routes!(metrics::metrics))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
}

/// The description of all routes, as OpenAPI 3.1 in JSON.
pub fn openapi() -> String {
    // It consists of texts and numbers, which JSON has.
    described().into_openapi().to_json().unwrap_or_default()
}

/// All routes, behind who may ask and how many may at once.
pub(crate) fn all(shared: Arc<Shared>) -> Router {
    let (router, openapi) = described().split_for_parts();
    let openapi: Arc<str> = openapi.to_json().unwrap_or_default().into();
    let described = move || {
        let openapi = Arc::clone(&openapi);
        async move { answer::of(JSON, openapi.to_string()) }
    };
    router
        .route("/openapi.json", axum::routing::get(described))
        .merge(dashboard::routes())
        .fallback(nothing_here)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), admission::admit))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), connections::bounded))
        .with_state(shared)
}

const JSON: axum::http::HeaderValue = axum::http::HeaderValue::from_static("application/json");

pub(crate) async fn nothing_here(uri: axum::http::Uri) -> Problem {
    let path = uri.path().escape_debug();
    Problem::new(Kind::NotFound, format!("there is nothing at `{path}`"))
        .hint("`/openapi.json` tells what there is")
}

async fn no_such_method(method: axum::http::Method) -> Response {
    let method = method.as_str().escape_debug();
    Problem::new(Kind::MethodNotAllowed, format!("no `{method}` here")).into_response()
}
