//! Whether the gateway lives, and whether the overlay answers behind it.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;
use xorbit::{Answer, Closed, Node};

use crate::answer;
use crate::problem::{Kind, Problem};
use crate::routes::Failures;

/// How long an answer of the overlay counts.
const FRESH: Duration = Duration::from_secs(5);

/// Contacts that are asked, the nearest first, before the overlay counts as silent.
const ASKED: usize = 3;

/// When the overlay was last asked, and whether it answered.
#[derive(Debug, Default)]
pub(crate) struct Overlay(Mutex<Option<(Instant, bool)>>);

impl Overlay {
    /// Whether it answers. Many who ask at once wait for one question.
    async fn answers(&self, node: &Node) -> Result<bool, Closed> {
        let mut last = self.0.lock().await;
        if let Some((at, answers)) = *last
            && at.elapsed() < FRESH
        {
            return Ok(answers);
        }
        let answers = ask(node).await?;
        *last = Some((Instant::now(), answers));
        Ok(answers)
    }
}

/// Whether one of the nearest contacts answers.
async fn ask(node: &Node) -> Result<bool, Closed> {
    let contacts = node.contacts().await?;
    // The nearest stand last; those that are well before others.
    let well = contacts.iter().rev().filter(|known| known.failures == 0);
    let others = contacts.iter().rev().filter(|known| known.failures > 0);
    for known in well.chain(others).take(ASKED) {
        if let Answer::Pong { .. } = node.ping(known.contact.endpoint.into()).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What health is told as.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// How many contacts the node has.
    contacts: usize,
}

/// Tells that the gateway lives and its node runs.
#[utoipa::path(get, path = "/livez", tag = "node",
    responses((status = 200, description = "It lives", body = Health), Failures))]
pub(crate) async fn livez(State(shared): crate::State) -> Result<Response, Problem> {
    let contacts = shared.settings.node.info().await?.contacts.iter().sum();
    Ok(answer::json(&Health { contacts }))
}

/// Tells that the overlay answers: one of the nearest contacts does, or the node is a network of one.
#[utoipa::path(get, path = "/readyz", tag = "node",
    responses((status = 200, description = "The overlay answers", body = Health), Failures))]
pub(crate) async fn readyz(State(shared): crate::State) -> Result<Response, Problem> {
    let node = &shared.settings.node;
    let contacts: usize = node.info().await?.contacts.iter().sum();
    let ready = match contacts {
        // Who was told to join somebody is not ready before it has.
        0 => !shared.settings.joins,
        _ => shared.health.answers(node).await?,
    };
    match ready {
        true => Ok(answer::json(&Health { contacts })),
        false => Err(Problem::new(Kind::NotReady, "nobody of the overlay answers")
            .with("contacts", contacts)),
    }
}
