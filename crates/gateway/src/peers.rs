//! Topics and their peers: `/v1/peers/{topic}`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use xorbit::{Ended, InfoHash};

use crate::answer;
use crate::params::{Params, Segment};
use crate::problem::{Kind, Problem, unreachable};
use crate::routes::Failures;
use crate::shapes::{Effort, Receipt};
use crate::topic::Topic;

/// The peers of a topic.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Peers {
    /// Where in the key space the topic lies, 40 hexadecimal digits.
    info_hash: String,
    /// Their addresses.
    peers: Vec<String>,
    /// What it cost.
    effort: Effort,
}

/// What is announced.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Announcing {
    /// The TCP or UDP port of the peer, at the address that others see this node at.
    #[param(value_type = u16, minimum = 1, maximum = 65535)]
    port: std::num::NonZeroU16,
    /// It has the whole of what the topic is about (BEP 33).
    #[serde(default)]
    seed: bool,
}

/// Finds the peers of a topic.
#[utoipa::path(
    get,
    path = "/v1/peers/{topic}",
    tag = "topics",
    params(("topic" = String, Path, description = "Any text, or an info hash of 40 hexadecimal digits", min_length = 1)),
    responses((status = 200, description = "Its peers", body = Peers), Failures)
)]
pub(crate) async fn peers(
    State(shared): crate::State,
    Segment(topic): Segment,
) -> Result<Response, Problem> {
    let info_hash = info_hash(&topic)?;
    let mut search = shared.settings.node.peers(info_hash).await?;
    let mut peers = Vec::new();
    while let Some(peer) = search.next().await {
        peers.push(peer.to_string());
    }
    let report = search.finish().await?;
    let effort = Effort::from(&report.effort);
    if report.ended == Ended::Unreachable && peers.is_empty() {
        return Err(unreachable(&report.effort));
    }
    if peers.is_empty() {
        let what = format!("nobody announced `{}`", topic.escape_debug());
        return Err(Problem::new(Kind::NotFound, what).with("effort", effort));
    }
    Ok(answer::json(&Peers { info_hash: info_hash.to_string(), peers, effort }))
}

/// Announces a peer of a topic at this machine.
#[utoipa::path(
    post,
    path = "/v1/peers/{topic}",
    tag = "topics",
    params(
        ("topic" = String, Path, description = "Any text, or an info hash of 40 hexadecimal digits", min_length = 1),
        Announcing,
    ),
    responses(
        (status = 200, description = "Announced at a majority of the closest nodes",
            content((String = "text/plain"), (Receipt = "application/json"))),
        Failures,
    )
)]
pub(crate) async fn announce(
    State(shared): crate::State,
    Segment(topic): Segment,
    Params(params): Params<Announcing>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut announce = shared.settings.node.announce(info_hash(&topic)?, params.port.get());
    if params.seed {
        announce = announce.seed();
    }
    let report = announce.await?;
    if answer::wants_json(&headers) {
        return Ok(answer::json(&Receipt::from(&report)));
    }
    let (stored, known) = (report.replicas.stored.len(), report.replicas.known);
    let noun = if stored == 1 { "node" } else { "nodes" };
    Ok(answer::line(format!("announced: {stored} {noun} of {known} known")))
}

fn info_hash(topic: &str) -> Result<InfoHash, Problem> {
    let topic: Result<Topic, _> = topic.parse();
    topic.map(|topic| topic.info_hash()).map_err(|why| Problem::new(Kind::Usage, why))
}
