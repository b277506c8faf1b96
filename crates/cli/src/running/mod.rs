//! A node that runs already, asked over its HTTP.

mod keys;
mod problem;
mod way;

pub use keys::{Place, take};
pub use problem::Problem;
pub use way::Way;

use std::error::Error;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{AUTHORIZATION, HOST, HeaderName};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use crate::connection::Through;
use crate::failure::{Failure, Kind};
use crate::namespace::read_short;

/// How long the node may take to accept a connection: it is near, or it is not there.
const CONNECTING: Duration = Duration::from_secs(3);

/// How long an answer about the node itself may take; one that must ask others has its own bounds.
const ANSWERING: Duration = Duration::from_secs(30);

/// Answers that are read whole are no longer than this.
const ANSWER_BYTES: usize = 64 << 20;

/// Where the HTTP of a running node is.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "HTTP")]
pub struct RunningArgs {
    /// Where a running node serves HTTP
    #[arg(long, value_name = "URL", env = "XORBIT_HTTP_URL", hide_env_values = true,
        default_value = "http://127.0.0.1:8080", value_parser = authority)]
    http_url: String,
    /// Show it the token in this file
    #[arg(long, value_name = "FILE", env = "XORBIT_HTTP_TOKEN_FILE", hide_env_values = true)]
    http_token_file: Option<PathBuf>,
}

/// Reads `http://HOST:PORT`, of which host and port stay.
fn authority(url: &str) -> Result<String, String> {
    if url.starts_with("https://") {
        return Err("a node speaks no TLS; ask the proxy before it with curl".into());
    }
    let place = url.strip_prefix("http://").unwrap_or(url);
    let place = place.strip_suffix('/').unwrap_or(place);
    crate::connection::host_and_port(place)
        .map_err(|_| String::from("not http://HOST:PORT, such as http://127.0.0.1:8080"))
}

fn url(authority: &str) -> String {
    format!("http://{authority}/")
}

/// A node that runs.
pub struct Running {
    authority: String,
    token: Option<Zeroizing<String>>,
}

impl RunningArgs {
    /// Where that is.
    pub fn url(&self) -> String {
        url(&self.http_url)
    }

    /// The node that is meant; nothing is asked yet.
    pub fn node(&self) -> Result<Running, Failure> {
        let token = self.http_token_file.as_ref().map(|file| -> Result<_, Failure> {
            let failure = |cause| {
                let what = format!("cannot read `{}`: {cause}", file.display());
                Failure::new(Kind::Environment, what)
            };
            let text = File::open(file).and_then(|open| read_short(&open)).map_err(failure)?;
            Ok(Zeroizing::new(text.trim().to_owned()))
        });
        Ok(Running { authority: self.http_url.clone(), token: token.transpose()? })
    }
}

impl Running {
    /// Where it is asked.
    pub fn url(&self) -> String {
        url(&self.authority)
    }

    /// What to call it, if nobody of its network answers it.
    pub fn through(&self) -> Through {
        Through::running(self.url())
    }

    /// What it answers at `path`, which is JSON, whatever its status.
    pub async fn ask(&self, path: &str) -> Result<(u16, Value), Failure> {
        let asking = async {
            let answer = self.send(Method::GET, path, &[], Empty::<Bytes>::new()).await?;
            let status = answer.status().as_u16();
            self.json(answer).await.map(|value| (status, value))
        };
        tokio::time::timeout(ANSWERING, asking)
            .await
            .unwrap_or_else(|_| Err(self.silent(format!("no answer within {ANSWERING:?}"))))
    }

    /// What it answers at `path`; anything but yes is a failure.
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        match self.ask(path).await? {
            (200, value) => Ok(value),
            (status, told) => Err(self.refused(&Problem { status, told })),
        }
    }

    async fn send<B>(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, String)],
        body: B,
    ) -> Result<Response<Incoming>, Failure>
    where
        B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
    {
        let connecting = tokio::time::timeout(CONNECTING, TcpStream::connect(&self.authority));
        let stream = match connecting.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(cause)) => return Err(self.silent(cause)),
            Err(_) => return Err(self.silent("it takes no connection")),
        };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|cause| self.garbled(cause))?;
        // It ends with the answer, and what goes wrong is told there.
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.authority);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.as_str()));
        }
        let request = request
            .body(body)
            .map_err(|cause| Failure::new(Kind::Usage, format!("no request: {cause}")))?;
        sender.send_request(request).await.map_err(|cause| match cause.source() {
            // The only thing of ours that can fail there.
            Some(why) if cause.is_user() => {
                Failure::new(Kind::Environment, format!("cannot read the value: {why}"))
            }
            _ => self.garbled(cause),
        })
    }

    /// What an answer tells, or why it is no yes.
    async fn read<T: DeserializeOwned>(
        &self,
        answer: Response<Incoming>,
    ) -> Result<Result<T, Problem>, Failure> {
        let status = answer.status();
        let told = self.json(answer).await?;
        if status != StatusCode::OK {
            return Ok(Err(Problem { status: status.as_u16(), told }));
        }
        T::deserialize(told).map(Ok).map_err(|cause| self.garbled(cause))
    }

    async fn json(&self, answer: Response<Incoming>) -> Result<Value, Failure> {
        let body = http_body_util::Limited::new(answer.into_body(), ANSWER_BYTES);
        let bytes = body.collect().await.map_err(|cause| self.garbled(cause))?.to_bytes();
        serde_json::from_slice(&bytes).map_err(|cause| self.garbled(cause))
    }

    /// It said no.
    fn refused(&self, problem: &Problem) -> Failure {
        let Problem { status, told } = problem;
        let kind = match status {
            404 => Kind::NotFound,
            400 | 401 | 403 | 405 | 413 => Kind::Usage,
            412 => Kind::Conflict,
            504 => Kind::Unreachable,
            503 if told["kind"] == "not_ready" => Kind::Unreachable,
            _ => Kind::Refused,
        };
        let detail = told["detail"].as_str().unwrap_or("it does not say why");
        let failure = Failure::new(kind, format!("`{}` answers {status}: {detail}", self.url()));
        match (status, told["hint"].as_str()) {
            (401, _) => failure.hint("show it the token that its `--http-token-file` has"),
            (_, Some(hint)) => failure.hint(hint),
            _ => failure,
        }
    }

    fn silent(&self, cause: impl std::fmt::Display) -> Failure {
        Failure::new(Kind::Unreachable, format!("no node answers at `{}`: {cause}", self.url()))
            .hint("start one with `xorbit node`, or say where it serves HTTP with `--http-url URL`")
    }

    fn garbled(&self, cause: impl std::fmt::Display) -> Failure {
        Failure::new(Kind::Unreachable, format!("`{}` is no node of ours: {cause}", self.url()))
            .hint("another program may listen there; `xorbit node` tells its own place")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_and_a_port_and_no_tls() {
        for good in ["http://127.0.0.1:8080", "http://[::1]:1/", "localhost:8080"] {
            assert!(authority(good).is_ok(), "{good}");
        }
        for bad in ["https://127.0.0.1:8080", "http://127.0.0.1", "http://h:80/path", ""] {
            assert!(authority(bad).is_err(), "{bad}");
        }
    }
}
