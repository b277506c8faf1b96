//! Connections and their bounds: how many, how long a request may take to come, and how many are
//! being done at once.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tower_service::Service;

use crate::Shared;
use crate::listen::Listener;
use crate::problem::{Kind, Problem};
use crate::rate::Caller;

/// Connections at once; others wait to be accepted.
const CONNECTIONS: usize = 1024;

/// Requests that are being done at once; beyond, a caller is told to come again.
const REQUESTS: usize = 512;

/// How long the head of a request may take to come, and how long a connection may stand idle.
const HEAD: Duration = Duration::from_secs(30);

/// Bytes of a request's head, and headers in it.
const HEAD_BYTES: usize = 32 << 10;
const HEADERS: usize = 64;

/// The pause after the system gave no connection.
const BREATH: Duration = Duration::from_millis(100);

/// What happened to requests.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Being done now.
    pub under_way: AtomicUsize,
    /// Responses by the first digit of their status, less one.
    pub responses: [AtomicU64; 5],
    /// Responses to strangers that they ask too often.
    pub rate_limited: AtomicU64,
    /// Connections now.
    pub connections: AtomicUsize,
}

/// Serves until it is dropped.
pub(crate) async fn serve(listener: Listener, app: Router, shared: Arc<Shared>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        match listener.socket.accept().await {
            Ok((stream, from)) => {
                let (app, shared) = (app.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    shared.tally.connections.fetch_add(1, Ordering::Relaxed);
                    converse(stream, Caller(from.ip()), app).await;
                    shared.tally.connections.fetch_sub(1, Ordering::Relaxed);
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

async fn converse(stream: TcpStream, caller: Caller, app: Router) {
    // Small answers go at once; a system that cannot do so sends them a little later.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(caller);
        let mut app = app.clone();
        async move { Ok::<_, Infallible>(app.call(request).await.unwrap_or_else(|no| match no {})) }
    });
    // Who is late or talks nonsense is left; that is its own fault.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Counts requests, and turns away what is more than may be done at once.
pub(crate) async fn bounded(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let under_way = UnderWay::new(&shared.tally.under_way);
    let response = match under_way.others < REQUESTS {
        true => next.run(request).await,
        false => Problem::new(Kind::Busy, "too many requests at once").into_response(),
    };
    let class = usize::from(response.status().as_u16() / 100).clamp(1, 5) - 1;
    shared.tally.responses[class].fetch_add(1, Ordering::Relaxed);
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        shared.tally.rate_limited.fetch_add(1, Ordering::Relaxed);
    }
    response
}

/// One request that is being done, counted until it is dropped: callers go away in the middle.
struct UnderWay<'a> {
    counter: &'a AtomicUsize,
    others: usize,
}

impl<'a> UnderWay<'a> {
    fn new(counter: &'a AtomicUsize) -> Self {
        Self { counter, others: counter.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.counter.fetch_sub(1, Ordering::Relaxed);
    }
}
