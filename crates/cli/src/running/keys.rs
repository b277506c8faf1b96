//! Puts, gets and deletions through a running node: what it is asked, and its answer as the library
//! would have given it.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use gateway::{shapes, span};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{ACCEPT, HeaderName, IF_MATCH, IF_NONE_MATCH};
use hyper::{Method, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use xorbit::{
    Consistency, Expected, GetError, GetReport, Key, KeyError, Progress, PublicKey, PutError,
    PutReport,
};

use super::Running;
use crate::content::Source;
use crate::delivery::Delivery;
use crate::failure::{Failure, Kind};
use crate::trace::Trace;

/// Bytes of a value that are read at once.
const PIECE_BYTES: usize = 64 << 10;

/// All but what stands for itself anywhere in a URL (RFC 3986, section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A key, and whose.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The key.
    pub key: &'a str,
    /// The open namespace of this name; the default one without.
    pub namespace: Option<&'a str>,
    /// The signed namespace of somebody.
    pub from: Option<PublicKey>,
}

impl Place<'_> {
    /// Whether the key is one: an empty one would be another path.
    fn check(&self) -> Result<(), KeyError> {
        Key::new(self.key).map(drop)
    }

    fn path(&self, more: &[(&str, String)]) -> String {
        let escaped = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
        let namespace = self.namespace.map(|name| ("namespace", name.to_owned()));
        let from = self.from.map(|owner| ("from", owner.to_string()));
        let query: Vec<String> = namespace
            .iter()
            .chain(&from)
            .chain(more)
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        format!("/v1/kv/{}?{}", escaped(self.key), query.join("&"))
    }
}

/// A value on its way to the node.
struct Upload<F> {
    source: Source,
    done: u64,
    tell: F,
}

impl<F: FnMut(Progress) + Unpin> Upload<F> {
    fn piece(&mut self) -> io::Result<Bytes> {
        let left = self.source.length - self.done;
        let mut piece = vec![0; left.min(PIECE_BYTES as u64) as usize];
        self.source.reader.read_exact(&mut piece)?;
        self.done += piece.len() as u64;
        (self.tell)(Progress { done: self.done, of: self.source.length });
        Ok(piece.into())
    }
}

impl<F: FnMut(Progress) + Unpin> Body for Upload<F> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match self.is_end_stream() {
            true => None,
            false => Some(self.piece().map(Frame::data)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.done == self.source.length
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.source.length - self.done)
    }
}

/// What a write must find, as a header.
fn condition(expected: Expected) -> Option<(HeaderName, String)> {
    match expected {
        Expected::Anything => None,
        Expected::Absent => Some((IF_NONE_MATCH, "*".into())),
        Expected::Version(version) => Some((IF_MATCH, format!("\"{version}\""))),
    }
}

/// The parameter that says how many replicas to wait for.
fn wait(consistency: Consistency) -> (&'static str, String) {
    let told = match consistency {
        Consistency::First => "first",
        Consistency::Quorum => "quorum",
        Consistency::All => "all",
    };
    ("consistency", told.into())
}

/// The header that asks for a report.
fn json() -> (HeaderName, String) {
    (ACCEPT, "application/json".into())
}

/// A header that is a number.
fn number(answer: &Response<Incoming>, name: &str) -> Option<u64> {
    answer.headers().get(name)?.to_str().ok()?.parse().ok()
}

fn tell_steps(trace: Option<&mut Trace>, steps: Vec<shapes::Step>) {
    if let Some(trace) = trace {
        steps.into_iter().for_each(|step| trace.told(step));
    }
}

/// The parameter that asks for steps.
fn traced(trace: bool) -> Option<(&'static str, String)> {
    trace.then(|| ("trace", "true".into()))
}

impl Running {
    /// Puts a value, and hands the steps to the trace if there is one.
    pub async fn put(
        &self,
        place: &Place<'_>,
        source: Source,
        (ttl, expected): (Option<Duration>, Expected),
        tell: impl FnMut(Progress) + Unpin + Send + 'static,
        trace: Option<&mut Trace>,
    ) -> Result<Result<PutReport, PutError>, Failure> {
        if let Err(cause) = place.check() {
            return Ok(Err(cause.into()));
        }
        let ttl = ttl.map(|ttl| ("ttl", span::exact(ttl)));
        let query: Vec<_> = ttl.into_iter().chain(traced(trace.is_some())).collect();
        let upload = Upload { source, done: 0, tell };
        let headers: Vec<_> = condition(expected).into_iter().chain([json()]).collect();
        let answer = self.send(Method::PUT, &place.path(&query), &headers, upload).await?;
        self.receipt(answer, trace).await
    }

    /// Deletes a value, and hands the steps to the trace if there is one.
    pub async fn delete(
        &self,
        place: &Place<'_>,
        expected: Expected,
        trace: Option<&mut Trace>,
    ) -> Result<Result<PutReport, PutError>, Failure> {
        if let Err(cause) = place.check() {
            return Ok(Err(cause.into()));
        }
        let query: Vec<_> = traced(trace.is_some()).into_iter().collect();
        let headers: Vec<_> = condition(expected).into_iter().chain([json()]).collect();
        let path = place.path(&query);
        let answer = self.send(Method::DELETE, &path, &headers, Empty::<Bytes>::new()).await?;
        self.receipt(answer, trace).await
    }

    async fn receipt(
        &self,
        answer: Response<Incoming>,
        trace: Option<&mut Trace>,
    ) -> Result<Result<PutReport, PutError>, Failure> {
        let receipt: shapes::Receipt = match self.read(answer).await? {
            Ok(receipt) => receipt,
            Err(problem) => {
                tell_steps(trace, problem.steps());
                return problem.of_put(self).map(Err);
            }
        };
        tell_steps(trace, receipt.steps.clone().unwrap_or_default());
        receipt.try_into().map(Ok).map_err(|cause| self.garbled(cause))
    }

    /// What is told of a value, which is in it if it fits one item; hands the steps to the trace if
    /// there is one.
    pub async fn report(
        &self,
        place: &Place<'_>,
        consistency: Consistency,
        trace: Option<&mut Trace>,
    ) -> Result<Result<shapes::Report, GetError>, Failure> {
        if let Err(cause) = place.check() {
            return Ok(Err(cause.into()));
        }
        let query: Vec<_> =
            [wait(consistency)].into_iter().chain(traced(trace.is_some())).collect();
        let path = place.path(&query);
        let answer = self.send(Method::GET, &path, &[json()], Empty::<Bytes>::new()).await?;
        let mut report: shapes::Report = match self.read(answer).await? {
            Ok(report) => report,
            Err(problem) => {
                tell_steps(trace, problem.steps());
                return problem.of_get(self).map(Err);
            }
        };
        tell_steps(trace, report.steps.take().unwrap_or_default());
        Ok(Ok(report))
    }

    /// Gets a value into its delivery; of this version, if one is given.
    pub async fn value(
        &self,
        place: &Place<'_>,
        consistency: Consistency,
        version: Option<u64>,
        delivery: &mut Delivery,
        tell: impl FnMut(Progress) + Send,
    ) -> Result<Result<(), GetError>, Failure> {
        if let Err(cause) = place.check() {
            return Ok(Err(cause.into()));
        }
        let path = place.path(&[wait(consistency)]);
        let answer = self.send(Method::GET, &path, &[], Empty::<Bytes>::new()).await?;
        if answer.status() != StatusCode::OK {
            return match self.read::<Value>(answer).await? {
                Err(problem) => problem.of_get(self).map(Err),
                Ok(_) => Err(self.garbled("neither yes nor no")),
            };
        }
        if version.is_some_and(|version| number(&answer, "xorbit-version") != Some(version)) {
            let what = "it was put anew between the report and the value";
            return Err(Failure::new(Kind::Conflict, what).hint("try again"));
        }
        self.deliver(answer, delivery, tell).await.map(Ok)
    }

    /// The library's own report.
    pub fn read_back(&self, report: shapes::Report) -> Result<GetReport, Failure> {
        report.try_into().map_err(|cause| self.garbled(cause))
    }

    async fn deliver(
        &self,
        answer: Response<Incoming>,
        delivery: &mut Delivery,
        mut tell: impl FnMut(Progress) + Send,
    ) -> Result<(), Failure> {
        let of = number(&answer, "content-length");
        let of = of.ok_or_else(|| self.garbled("a value without a length"))?;
        let (mut body, mut done) = (answer.into_body(), 0);
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                let what = format!("the node broke off after {done} of {of} bytes");
                return Err(Failure::new(Kind::NotEnoughReplicas, what)
                    .detail("a chunk could not be had, or the node has ended")
                    .hint("try again; `--join HOST:PORT` gets it without that node's HTTP"));
            };
            let Some(bytes) = frame.data_ref() else { continue };
            delivery.write_all(bytes).map_err(|cause| unwritten(&cause))?;
            done += bytes.len() as u64;
            if of > PIECE_BYTES as u64 {
                tell(Progress { done, of });
            }
        }
        Ok(())
    }
}

/// Takes a value that came with its report.
pub fn take(value: &[u8], delivery: &mut Delivery) -> Result<(), Failure> {
    delivery.write_all(value).map_err(|cause| unwritten(&cause))
}

fn unwritten(cause: &io::Error) -> Failure {
    Failure::new(Kind::Environment, format!("the value could not be written: {cause}"))
}
