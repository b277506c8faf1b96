//! The node itself: who it is, whom it knows, what it has done, and lookups as they go.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xorbit::{Known, Listed, LookupStep, Point, Seq};

use crate::params::{Params, Reading, Segment};
use crate::problem::{Kind, Problem};
use crate::routes::Failures;
use crate::shapes::{self, Contact, millis};
use crate::watch::with;
use crate::{Network, answer};

/// Where in the key space a lookup goes, told before its steps.
const TARGET: HeaderName = HeaderName::from_static("xorbit-target");

/// Who a node is, and how it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct NodeState {
    /// Its id, 40 hexadecimal digits.
    id: String,
    /// The version of the program.
    program: &'static str,
    /// What it listens on.
    listening: Vec<String>,
    /// What others on the same network can reach it at.
    addresses: Vec<String>,
    /// Where others see it, as far as they agree.
    external: Vec<String>,
    /// It is on the planet-wide network.
    public: bool,
    /// The name of its network, unless that is the planet-wide one.
    network: Option<String>,
    /// Only who has the network's key can join.
    sealed: bool,
    /// Replicas of a value, as its network is set to.
    replicas: usize,
    /// It answers no queries.
    read_only: bool,
    /// Contacts in its tables, IPv4.
    contacts_v4: usize,
    /// Contacts in its tables, IPv6.
    contacts_v6: usize,
    /// Items that it holds for others.
    items: usize,
    /// Their bytes.
    item_bytes: usize,
    /// Members of sets that it holds for others.
    members: usize,
    /// Topics with peers that it holds.
    topics: usize,
    /// Their peers.
    peers: usize,
    /// The largest value in bytes that it puts or gets.
    max_value_bytes: u64,
    /// How long it has run, in milliseconds.
    up_ms: f64,
}

/// Tells who the node is, and how it is.
#[utoipa::path(get, path = "/v1/node", tag = "node",
    responses((status = 200, description = "The node", body = NodeState), Failures))]
pub(crate) async fn node(State(shared): crate::State) -> Result<Response, Problem> {
    let settings = &shared.settings;
    let info = settings.node.info().await?;
    let (network, sealed) = match &settings.network {
        Network::Public => (None, false),
        Network::Own { name, sealed } => (Some(name.clone()), *sealed),
    };
    let told = |all: &[std::net::SocketAddr]| all.iter().map(ToString::to_string).collect();
    Ok(answer::json(&NodeState {
        id: info.id.to_string(),
        program: env!("CARGO_PKG_VERSION"),
        listening: told(&info.listening),
        addresses: told(&info.advertised),
        external: info.external.iter().map(ToString::to_string).collect(),
        public: settings.network == Network::Public,
        network,
        sealed,
        replicas: info.replicas,
        read_only: info.read_only,
        contacts_v4: info.contacts[0],
        contacts_v6: info.contacts[1],
        items: info.items,
        item_bytes: info.item_bytes,
        members: info.members,
        topics: info.topics,
        peers: info.peers,
        max_value_bytes: settings.node.max_value(),
        up_ms: millis(info.up),
    }))
}

/// Whom a node knows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Routing {
    /// Its own id, 40 hexadecimal digits.
    id: String,
    /// The contacts in its routing tables, farthest buckets first, IPv4 before IPv6.
    contacts: Vec<RoutingContact>,
}

/// A contact in a routing table.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RoutingContact {
    /// Who, and where.
    #[serde(flatten)]
    contact: Contact,
    /// How many bits its id has in common with the node's, from the first on: its bucket.
    shared_bits: u32,
    /// The last measured round trip, in milliseconds.
    round_trip_ms: f64,
    /// Questions in a row that it did not answer; 0: it is well.
    failures: u8,
    /// How long ago it last gave a sign, in seconds.
    quiet_s: u64,
    /// It is Xorbit, too.
    xorbit: bool,
}

/// Tells whom the node knows.
#[utoipa::path(get, path = "/v1/routing", tag = "node",
    responses((status = 200, description = "Its contacts", body = Routing), Failures))]
pub(crate) async fn routing(State(shared): crate::State) -> Result<Response, Problem> {
    let node = &shared.settings.node;
    let own = node.info().await?.id;
    let told = |known: &Known| RoutingContact {
        contact: (&known.contact).into(),
        shared_bits: own.point().shared_bits(&known.contact.id.point()),
        round_trip_ms: millis(known.round_trip),
        failures: known.failures,
        quiet_s: known.quiet.as_secs(),
        xorbit: known.is_xorbit,
    };
    let contacts = node.contacts().await?.iter().map(told).collect();
    Ok(answer::json(&Routing { id: own.to_string(), contacts }))
}

/// What a node holds for others.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HeldItems {
    /// How many items it holds.
    total: usize,
    /// So many of them as were asked for, those first that end first.
    items: Vec<HeldItem>,
}

/// An item that a node holds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HeldItem {
    /// Where it lies, 40 hexadecimal digits.
    target: String,
    /// `mutable` or `immutable`.
    kind: &'static str,
    /// Bytes of its value, bencoded.
    bytes: usize,
    /// Bytes of its salt.
    salt_bytes: usize,
    /// Its version, if it is mutable.
    version: Option<i64>,
    /// It is served until then, in milliseconds since 1970.
    held_until_ms: u64,
    /// Its version is remembered until then, in milliseconds since 1970.
    remembered_until_ms: u64,
}

/// How many items are told.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HowMany {
    /// At most so many, up to 1,000.
    #[param(minimum = 0, maximum = 1000)]
    limit: Option<usize>,
}

/// Items told where nobody says how many.
const HELD_TOLD: usize = 100;

/// Items told at most.
const MOST_HELD_TOLD: usize = 1000;

/// Tells what the node holds for others, that first which ends first.
#[utoipa::path(get, path = "/v1/held", tag = "node", params(HowMany),
    responses((status = 200, description = "Its items", body = HeldItems), Failures))]
pub(crate) async fn held(
    State(shared): crate::State,
    Params(asked): Params<HowMany>,
) -> Result<Response, Problem> {
    let limit = asked.limit.unwrap_or(HELD_TOLD);
    if limit > MOST_HELD_TOLD {
        let what =
            format!("`{limit}` items are more than the {MOST_HELD_TOLD} that are told at once");
        return Err(Problem::new(Kind::Usage, what));
    }
    let node = &shared.settings.node;
    let total = node.info().await?.items;
    let told = |listed: &Listed| HeldItem {
        target: listed.target.to_string(),
        kind: if listed.seq.is_some() { "mutable" } else { "immutable" },
        bytes: listed.bytes,
        salt_bytes: listed.salt_bytes,
        version: listed.seq.map(Seq::get),
        held_until_ms: listed.until.0,
        remembered_until_ms: listed.marker_until.0,
    };
    let items = node.held(limit).await?.iter().map(told).collect();
    Ok(answer::json(&HeldItems { total, items }))
}

/// What a node has done since it started.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Stats {
    /// How long it has run, in milliseconds.
    up_ms: f64,
    /// Datagrams received.
    received: u64,
    /// Their bytes.
    received_bytes: u64,
    /// Datagrams sent.
    sent: u64,
    /// Their bytes.
    sent_bytes: u64,
    /// Queries answered, by method.
    answered: std::collections::BTreeMap<&'static str, u64>,
    /// Queries refused with an error.
    refused: u64,
    /// Queries of its own that were answered.
    replies: u64,
    /// Queries of its own that nobody answered.
    timeouts: u64,
    /// Datagrams dropped, by reason.
    dropped: std::collections::BTreeMap<&'static str, u64>,
}

/// Tells what the node has done.
#[utoipa::path(get, path = "/v1/stats", tag = "node",
    responses((status = 200, description = "Its counters", body = Stats), Failures))]
pub(crate) async fn stats(State(shared): crate::State) -> Result<Response, Problem> {
    let info = shared.settings.node.info().await?;
    let counters = &info.counters;
    let methods = xorbit::Method::ALL.iter();
    let reasons = xorbit::DropReason::ALL.iter();
    Ok(answer::json(&Stats {
        up_ms: millis(info.up),
        received: counters.received,
        received_bytes: counters.received_bytes,
        sent: counters.sent,
        sent_bytes: counters.sent_bytes,
        answered: methods.map(|(method, name)| (*name, counters.answered_to(*method))).collect(),
        refused: counters.refused,
        replies: counters.replies,
        timeouts: counters.timeouts,
        dropped: reasons.map(|(reason, name)| (*name, counters.dropped_for(*reason))).collect(),
    }))
}

/// Walks towards a key, telling each step.
///
/// Server-sent events: `event: step` for each node that was asked, then `event: end` with the closest.
#[utoipa::path(
    get,
    path = "/v1/lookup/{key}",
    tag = "node",
    params(
        ("key" = String, Path, description = "The key, percent-encoded; or `hex:` and 40 hexadecimal digits", max_length = 1024, min_length = 1),
        Reading,
    ),
    responses(
        (status = 200, description = "Steps, then the end", body = answer::StreamEvent, content_type = "text/event-stream",
            headers(("Xorbit-Target" = String, description = "The place in question, 40 hexadecimal digits"))),
        Failures,
    )
)]
pub(crate) async fn lookup(
    State(shared): crate::State,
    Segment(key): Segment,
    Params(params): Params<Reading>,
) -> Result<Response, Problem> {
    let place = place(&key, &params, &shared.settings)?;
    let lookup = shared.settings.node.lookup(place).await?;
    let events = stream::unfold(lookup, move |mut lookup| async move {
        let event = match lookup.next().await? {
            LookupStep::Asked(step) => {
                with(Event::default().event("step"), &shapes::Step::from(&step))
            }
            LookupStep::Ended(report) => {
                with(Event::default().event("end"), &shapes::Lookup::new(&place, &report))
            }
        };
        Some((Ok::<_, Infallible>(event), lookup))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new()).into_response();
    if let Ok(target) = HeaderValue::try_from(place.to_string()) {
        response.headers_mut().insert(TARGET, target);
    }
    Ok(response)
}

/// Where to walk.
fn place(key: &str, params: &Reading, settings: &crate::Settings) -> Result<Point, Problem> {
    if let Some(digits) = key.strip_prefix("hex:") {
        let id: Result<xorbit::NodeId, _> = digits.parse();
        return id.map(|id| id.point()).map_err(|_| {
            let what = format!("`{}` is not 40 hexadecimal digits", digits.escape_debug());
            Problem::new(Kind::Usage, what)
        });
    }
    let key = xorbit::Key::new(key.to_owned())
        .map_err(|error| Problem::new(Kind::Usage, error.to_string()))?;
    let namespace = params.namespace(settings)?.unwrap_or_default();
    Ok(namespace.target(&key).point())
}
