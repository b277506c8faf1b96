//! Keys and values: `/v1/kv/{key}`.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use xorbit::{GetReport, Pieces, Put, PutReport};

use crate::answer;
use crate::params::{Deleting, Getting, Params, Segment, Writing};
use crate::precondition::{self, Expected, entity_tag};
use crate::problem::{Kind, Problem};
use crate::routes::Failures;
use crate::shapes::{Receipt, Report, Step};
use crate::spool;

/// The version of a value, which is its ETag, too.
pub(crate) const VERSION: HeaderName = HeaderName::from_static("xorbit-version");

/// Until when a value lives, in milliseconds since 1970.
const EXPIRES: HeaderName = HeaderName::from_static("xorbit-expires-ms");

/// How many replicas hold this version, of how many known.
const REPLICAS: HeaderName = HeaderName::from_static("xorbit-replicas");

/// The content type of a value whose writer said none.
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Gets the value of a key.
///
/// The body is the value, its content type the writer's; with `Accept: application/json` the report
/// with the value in it, or of a value of many chunks without. A large value is sent as it is fetched:
/// if a chunk is missing in the middle, the connection ends before the length that was told.
#[utoipa::path(
    get,
    path = "/v1/kv/{key}",
    tag = "keys",
    params(
        ("key" = String, Path, description = "The key, 1 to 1,024 bytes, percent-encoded", max_length = 1024, min_length = 1),
        Getting,
        precondition::GetConditions,
    ),
    responses(
        (status = 200, description = "The value, or the report",
            content((answer::RawBytes = "application/octet-stream"), (Report = "application/json")),
            headers(
                ("ETag" = String, description = "The version in quotes"),
                ("Xorbit-Version" = u64, description = "The version"),
                ("Xorbit-Expires-Ms" = u64, description = "Until when it lives, in milliseconds since 1970"),
                ("Xorbit-Replicas" = String, description = "How many replicas agree, of how many known, as `6/8`"),
            )),
        (status = 304, description = "It still has the version that the caller knows"),
        Failures,
    )
)]
pub(crate) async fn get(
    State(shared): crate::State,
    Segment(key): Segment,
    Params(params): Params<Getting>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut get = shared.settings.node.get(key);
    if let Some(namespace) = params.namespace(&shared.settings)? {
        get = get.namespace(namespace);
    }
    let get = get.consistency(params.consistency.unwrap_or_default().into());
    let mut steps = Steps::new(params.trace);
    let got = match params.trace {
        true => get.traced_pieces(|step| steps.take(step)).await,
        false => get.pieces().await,
    };
    let (report, pieces) = got.map_err(|error| steps.told_with(error.into()))?;
    if precondition::is_known(&headers, report.version) {
        return Ok(described(StatusCode::NOT_MODIFIED.into_response(), &report));
    }
    let answer = if answer::wants_json(&headers) {
        as_json(&report, pieces, steps).await?
    } else {
        as_value(&report, pieces).await?
    };
    Ok(described(answer, &report))
}

async fn as_json(
    report: &GetReport,
    mut pieces: Pieces,
    steps: Steps,
) -> Result<Response, Problem> {
    let told = match (&report.manifest, pieces.next().await) {
        (Some(_), _) => Report::without_value(report),
        (None, Some(value)) => Report::with_value(report, &value?),
        (None, None) => Report::with_value(report, b""),
    };
    Ok(answer::json(&Report { steps: steps.0, ..told }))
}

async fn as_value(report: &GetReport, mut pieces: Pieces) -> Result<Response, Problem> {
    let kind = report.content_type.as_deref();
    let kind = kind.and_then(|kind| HeaderValue::from_str(kind).ok()).unwrap_or(BYTES);
    // The first piece decides whether it can be had at all, while a status can still say so.
    let first = pieces.next().await.transpose()?.unwrap_or_default();
    let mut response = match &report.manifest {
        None => answer::of(kind, first),
        Some(manifest) => {
            let mut response =
                answer::of(kind, Body::from_stream(Rest { first: Some(first), pieces }.stream()));
            response.headers_mut().insert(CONTENT_LENGTH, manifest.length.into());
            response
        }
    };
    // Whoever wrote it may mean harm: no browser shall run it as a page of this node.
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    Ok(response)
}

/// The steps of a lookup, if the caller asks for them.
struct Steps(Option<Vec<Step>>);

impl Steps {
    fn new(wanted: bool) -> Self {
        Self(wanted.then(Vec::new))
    }

    fn take(&mut self, step: &xorbit::Step) {
        self.0.iter_mut().for_each(|steps| steps.push(step.into()));
    }

    /// A failure tells them, too: they show who was silent.
    fn told_with(&mut self, problem: Problem) -> Problem {
        match self.0.take() {
            Some(steps) => problem.with("steps", steps),
            None => problem,
        }
    }
}

/// A large value on its way to the caller.
struct Rest {
    first: Option<Vec<u8>>,
    pieces: Pieces,
}

impl Rest {
    fn stream(self) -> impl futures_util::Stream<Item = Result<Bytes, xorbit::GetError>> {
        futures_util::stream::unfold(self, |mut rest| async move {
            let next = match rest.first.take() {
                Some(first) => Some(Ok(first)),
                None => rest.pieces.next().await,
            };
            next.map(|piece| (piece.map(Bytes::from), rest))
        })
    }
}

/// What every answer tells of a value.
fn described(mut response: Response, report: &GetReport) -> Response {
    let headers = response.headers_mut();
    headers.insert(ETAG, entity_tag(report.version));
    headers.insert(VERSION, report.version.get().into());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(expires) = report.expires {
        headers.insert(EXPIRES, expires.0.into());
    }
    if let Ok(replicas) = HeaderValue::try_from(format!("{}/{}", report.agreed, report.known)) {
        headers.insert(REPLICAS, replicas);
    }
    response
}

/// Puts the value of a key.
///
/// The body is the value, raw; its content type is kept. A value of any size up to the node's limit.
#[utoipa::path(
    put,
    path = "/v1/kv/{key}",
    tag = "keys",
    params(
        ("key" = String, Path, description = "The key, 1 to 1,024 bytes, percent-encoded", max_length = 1024, min_length = 1),
        Writing,
        precondition::PutConditions,
    ),
    request_body(content = answer::RawBytes, content_type = "application/octet-stream", description = "The value"),
    responses(
        (status = 200, description = "Stored at a majority of the replicas",
            content((String = "text/plain"), (Receipt = "application/json")),
            headers(
                ("ETag" = String, description = "The version in quotes"),
                ("Xorbit-Version" = u64, description = "The version"),
            )),
        Failures,
    )
)]
pub(crate) async fn put(
    State(shared): crate::State,
    Segment(key): Segment,
    Params(params): Params<Writing>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let node = &shared.settings.node;
    let (namespace, ttl) = (params.namespace(&shared.settings)?, params.ttl()?);
    let expected = precondition::of_write(&headers)?;
    let (length, value) = spool::take(&headers, body, node.max_value()).await?;
    let mut put = node.put_seekable(key, length, value);
    if let Some(namespace) = namespace {
        put = put.namespace(namespace);
    }
    if let Some(ttl) = ttl {
        put = put.ttl(ttl);
    }
    if let Some(kind) = headers.get(CONTENT_TYPE) {
        let kind =
            kind.to_str().map_err(|_| Problem::new(Kind::Usage, "Content-Type is no text"))?;
        put = put.content_type(kind);
    }
    write(put, expected, params.trace, &headers, "stored").await
}

/// Deletes the value of a key.
#[utoipa::path(
    delete,
    path = "/v1/kv/{key}",
    tag = "keys",
    params(
        ("key" = String, Path, description = "The key, 1 to 1,024 bytes, percent-encoded", max_length = 1024, min_length = 1),
        Deleting,
        precondition::DeleteConditions,
    ),
    responses(
        (status = 200, description = "Deleted at a majority of the replicas",
            content((String = "text/plain"), (Receipt = "application/json"))),
        Failures,
    )
)]
pub(crate) async fn delete(
    State(shared): crate::State,
    Segment(key): Segment,
    Params(params): Params<Deleting>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let expected = precondition::of_write(&headers)?;
    let mut deletion = shared.settings.node.delete(key);
    if let Some(namespace) = params.namespace(&shared.settings)? {
        deletion = deletion.namespace(namespace);
    }
    write(deletion, expected, params.trace, &headers, "deleted").await
}

async fn write(
    put: Put,
    expected: Expected,
    trace: bool,
    headers: &HeaderMap,
    done: &str,
) -> Result<Response, Problem> {
    let put = match expected {
        Expected::Anything => put,
        Expected::Absent => put.if_absent(),
        Expected::Is(version) => put.if_version(version),
    };
    let mut steps = Steps::new(trace);
    let put = match trace {
        true => put.traced(|step| steps.take(step)).await,
        false => put.await,
    };
    let report = put.map_err(|error| steps.told_with(error.into()))?;
    let mut response = match answer::wants_json(headers) {
        true => answer::json(&Receipt { steps: steps.0, ..Receipt::from(&report) }),
        false => answer::line(told(done, &report)),
    };
    if let Some(version) = report.version {
        response.headers_mut().insert(ETAG, entity_tag(version));
        response.headers_mut().insert(VERSION, version.get().into());
    }
    Ok(response)
}

/// As `stored: 8 replicas of 8 known, version 1700000000000000`.
fn told(done: &str, report: &PutReport) -> String {
    let (stored, known) = (report.replicas.stored.len(), report.replicas.known);
    let noun = if stored == 1 { "replica" } else { "replicas" };
    let version = report.version.map_or_else(String::new, |version| format!(", version {version}"));
    format!("{done}: {stored} {noun} of {known} known{version}")
}
