//! What the node and its gateway count, in the text format of OpenMetrics: `/metrics`.

use std::fmt;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::Response;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use xorbit::{DropReason, Info, Method};

use crate::answer;
use crate::connections::Tally;
use crate::problem::{Kind, Problem};
use crate::routes::Failures;

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Tells what the node and its gateway count, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "node",
    responses(
        (status = 200, description = "OpenMetrics", body = String, content_type = "application/openmetrics-text"),
        Failures,
    ))]
pub(crate) async fn metrics(State(shared): crate::State) -> Result<Response, Problem> {
    let info = shared.settings.node.info().await?;
    let mut registry = Registry::with_prefix("xorbit");
    registry.register_collector(Box::new(Snapshot { info, http: Http::of(&shared.tally) }));
    let mut text = String::new();
    encode(&mut text, &registry)
        .map_err(|_| Problem::new(Kind::Environment, "the metrics cannot be written"))?;
    Ok(answer::of(OPEN_METRICS, text))
}

/// What the gateway counts, at one moment.
#[derive(Debug)]
struct Http {
    under_way: usize,
    connections: usize,
    responses: [u64; 5],
    rate_limited: u64,
}

impl Http {
    fn of(tally: &Tally) -> Self {
        Self {
            under_way: tally.under_way.load(Ordering::Relaxed),
            connections: tally.connections.load(Ordering::Relaxed),
            responses: tally.responses.each_ref().map(|count| count.load(Ordering::Relaxed)),
            rate_limited: tally.rate_limited.load(Ordering::Relaxed),
        }
    }
}

/// All that is counted, at one moment.
#[derive(Debug)]
struct Snapshot {
    info: Info,
    http: Http,
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.held(&mut encoder)?;
        self.datagrams(&mut encoder)?;
        self.queries(&mut encoder)?;
        self.http(&mut encoder)
    }
}

impl Snapshot {
    fn held(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Info { contacts: [v4, v6], items, item_bytes, members, topics, peers, up, .. } =
            &self.info;
        let families = [("ipv4", *v4), ("ipv6", *v6)];
        gauges(encoder, "contacts", "Contacts in the routing tables", "family", families)?;
        gauge(encoder, "items", "Items held for others", *items)?;
        gauge(encoder, "members", "Members of sets held for others", *members)?;
        gauge(encoder, "topics", "Topics with peers", *topics)?;
        gauge(encoder, "peers", "Peers of topics", *peers)?;
        measured(
            encoder,
            "item",
            "Bytes of items held for others",
            &Unit::Bytes,
            *item_bytes as f64,
        )?;
        measured(encoder, "up", "How long the node has run", &Unit::Seconds, up.as_secs_f64())
    }

    fn datagrams(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let counters = &self.info.counters;
        counter(encoder, "datagrams_received", "Datagrams received", counters.received)?;
        counter(encoder, "datagrams_sent", "Datagrams sent", counters.sent)?;
        bytes(encoder, "received", "Bytes of datagrams received", counters.received_bytes)?;
        bytes(encoder, "sent", "Bytes of datagrams sent", counters.sent_bytes)?;
        let dropped = DropReason::ALL.iter();
        let dropped = dropped.map(|(reason, name)| (*name, counters.dropped_for(*reason)));
        counters_by(encoder, "datagrams_dropped", "Datagrams dropped", "reason", dropped)
    }

    fn queries(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let counters = &self.info.counters;
        let answered = Method::ALL.iter();
        let answered = answered.map(|(method, name)| (*name, counters.answered_to(*method)));
        counters_by(encoder, "queries_answered", "Queries of others answered", "method", answered)?;
        counter(encoder, "queries_refused", "Queries of others refused", counters.refused)?;
        counter(encoder, "replies", "Queries of ours that were answered", counters.replies)?;
        counter(encoder, "timeouts", "Queries of ours that nobody answered", counters.timeouts)
    }

    fn http(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Http { under_way, connections, responses, rate_limited } = &self.http;
        gauge(encoder, "http_requests_under_way", "HTTP requests being done", *under_way)?;
        gauge(encoder, "http_connections", "HTTP connections", *connections)?;
        let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(*responses);
        counters_by(encoder, "http_responses", "HTTP responses", "status", classes)?;
        let help = "HTTP requests of strangers turned away as too many";
        counter(encoder, "http_rate_limited", help, *rate_limited)
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: usize) -> fmt::Result {
    let gauge = ConstGauge::new(value as i64);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    values: impl IntoIterator<Item = (&'static str, usize)>,
) -> fmt::Result {
    let kind = ConstGauge::new(0_i64).metric_type();
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (name, value) in values {
        let labels = [(label, name)];
        ConstGauge::new(value as i64).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn measured(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: &Unit,
    value: f64,
) -> fmt::Result {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, Some(unit), gauge.metric_type())?)
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let counter = ConstCounter::new(value);
    counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
}

fn bytes(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let counter = ConstCounter::new(value);
    counter.encode(encoder.encode_descriptor(
        name,
        help,
        Some(&Unit::Bytes),
        counter.metric_type(),
    )?)
}

fn counters_by(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    values: impl IntoIterator<Item = (&'static str, u64)>,
) -> fmt::Result {
    let kind = ConstCounter::new(0_u64).metric_type();
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (name, value) in values {
        let labels = [(label, name)];
        ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}
