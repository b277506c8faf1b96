//! Each newer version of a key as it comes, as server-sent events: `/v1/kv/{key}/watch`.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use utoipa::IntoParams;
use xorbit::Watching;

use crate::params::{Params, Reading, Segment, version};
use crate::problem::{Kind, Problem};
use crate::routes::Failures;
use crate::shapes::Watched;

/// How often a line is sent though nothing happened, so that a reader that is gone is noticed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// What a reader heard before, in the description.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it stands for a header")]
pub(crate) struct Heard {
    /// The last version that was heard.
    #[param(rename = "Last-Event-ID", nullable = false, pattern = "^[1-9][0-9]{0,17}$")]
    last_event_id: Option<String>,
}

/// Tells of each newer version of a key.
///
/// Server-sent events: `event: version` with the version as its id and an object as its data. A reader
/// that comes back with `Last-Event-ID` hears only what is newer. If the watch fails, `event: problem`
/// says why, and the stream ends.
#[utoipa::path(
    get,
    path = "/v1/kv/{key}/watch",
    tag = "keys",
    params(
        ("key" = String, Path, description = "The key, 1 to 1,024 bytes, percent-encoded", max_length = 1024, min_length = 1),
        Reading,
        Heard,
    ),
    responses(
        (status = 200, description = "Events, until the reader goes", body = crate::answer::StreamEvent, content_type = "text/event-stream"),
        Failures,
    )
)]
pub(crate) async fn watch(
    State(shared): crate::State,
    Segment(key): Segment,
    Params(params): Params<Reading>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut watch = shared.settings.node.watch(key);
    if let Some(namespace) = params.namespace(&shared.settings)? {
        watch = watch.namespace(namespace);
    }
    if let Some(last) = headers.get("last-event-id") {
        let last = String::from_utf8_lossy(last.as_bytes());
        let wrong = || {
            let what = format!("Last-Event-ID `{}` is no version", last.escape_debug());
            Problem::new(Kind::Usage, what)
        };
        watch = watch.after(version(&last).ok_or_else(wrong)?);
    }
    let watching = watch.await?;
    let events = stream::unfold(Some(watching), |watching| async move { next(watching?).await });
    let quiet = KeepAlive::new().interval(SIGN_OF_LIFE);
    Ok(Sse::new(events).keep_alive(quiet).into_response())
}

type Told = Result<Event, Infallible>;

/// The next event; after a problem no more.
async fn next(mut watching: Watching) -> Option<(Told, Option<Watching>)> {
    match watching.next().await? {
        Ok(watched) => {
            let event = Event::default().event("version").id(watched.version.to_string());
            Some((Ok(with(event, &Watched::from(&watched))), Some(watching)))
        }
        Err(error) => {
            Some((Ok(with(Event::default().event("problem"), &Problem::from(error))), None))
        }
    }
}

/// An event with this object as its data.
pub(crate) fn with(event: Event, object: &impl Serialize) -> Event {
    event.data(serde_json::to_string(object).unwrap_or_default())
}
