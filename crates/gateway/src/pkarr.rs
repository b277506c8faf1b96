//! A relay of pkarr: DNS packets under public keys, `/{key}` (pkarr's design/relays.md).
//!
//! Departures: nothing is cached, so each get asks the network, and one put beside another of the same
//! key is not asked for a condition (428): holders decide by the timestamp. Whether the packet is DNS
//! is for its reader to see.

use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, IF_MATCH, IF_MODIFIED_SINCE, LAST_MODIFIED};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use httpdate::{fmt_http_date, parse_http_date};
use utoipa::IntoParams;
use xorbit::{Item, PublicKey, PutError, Seq, Signed, Target, Unverified, byte_string};

use crate::items::verified;
use crate::params::Segment;
use crate::problem::{Kind, Problem};
use crate::routes::Failures;
use crate::{answer, spool, z32};

/// A signature, a timestamp and a DNS packet of at most 1,000 bytes.
const PAYLOAD_BYTES: u64 = 64 + 8 + 1000;

const PAYLOAD: HeaderValue = HeaderValue::from_static("application/pkarr.org/relays#payload");

/// When the packet was last seen in the network: now.
const SEEN: HeaderName = HeaderName::from_static("memento-datetime");

/// How many nodes stored the packet.
const STORED: HeaderName = HeaderName::from_static("pkarr-dht-stored-nodes");

/// The version of an item that is no packet; the crate `pkarr` 8.1 reads it.
const NO_PACKET: HeaderName = HeaderName::from_static("pkarr-invalid-signed-packet-seq");

/// How long a packet may be kept by caches between.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// What a reader may have, in the description.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it stands for a header")]
pub(crate) struct Known {
    /// The `Last-Modified` of the packet that the caller has.
    #[param(rename = "If-Modified-Since", nullable = false)]
    if_modified_since: Option<String>,
}

/// What a writer may expect, in the description; [`over`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it stands for a header")]
pub(crate) struct Replaced {
    /// Only over the packet of this timestamp in microseconds.
    #[param(rename = "If-Match", nullable = false, pattern = "^[0-9]{1,18}$")]
    if_match: Option<String>,
}

/// Gets a pkarr packet.
#[utoipa::path(
    get,
    path = "/{key}",
    tag = "items",
    params(
        ("key" = String, Path, description = "The public key in z-base-32, 52 letters", pattern = "^[ybndrfg8ejkmcpqxot1uwisza345h769]{51}[yo]$"),
        Known,
    ),
    responses(
        (status = 200, description = "Signature, timestamp in microseconds, DNS packet", body = answer::RawBytes,
            content_type = "application/pkarr.org/relays#payload"),
        (status = 304, description = "There is none newer"),
        Failures,
    )
)]
pub(crate) async fn get(
    State(shared): crate::State,
    Segment(key): Segment,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = public_key(&key)?;
    let report = shared.settings.node.item_get(target(&key)).await?;
    let Some((written, payload)) = payload(&report.item) else {
        return Ok(no_packet(&report.item));
    };
    let since = headers.get(IF_MODIFIED_SINCE).and_then(|since| since.to_str().ok());
    let since = since.and_then(|since| parse_http_date(since).ok());
    let mut response = match since.is_some_and(|since| whole_seconds(written) <= since) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => answer::of(PAYLOAD, payload),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, KEPT);
    for (name, moment) in [(LAST_MODIFIED, written), (SEEN, SystemTime::now())] {
        // Letters, digits and spaces are a header's value.
        headers.insert(name, HeaderValue::try_from(fmt_http_date(moment)).expect("a date"));
    }
    Ok(response)
}

/// Puts a pkarr packet.
#[utoipa::path(
    put,
    path = "/{key}",
    tag = "items",
    params(
        ("key" = String, Path, description = "The public key in z-base-32, 52 letters", pattern = "^[ybndrfg8ejkmcpqxot1uwisza345h769]{51}[yo]$"),
        Replaced,
    ),
    request_body(content = answer::RawBytes, content_type = "application/pkarr.org/relays#payload",
        description = "Signature, timestamp in microseconds, DNS packet"),
    responses(
        (status = 204, description = "Stored at a majority of the replicas",
            headers(("Pkarr-Dht-Stored-Nodes" = u64, description = "At how many nodes"))),
        (status = 409, description = "There is a newer packet", body = Problem, content_type = "application/problem+json"),
        Failures,
    )
)]
pub(crate) async fn put(
    State(shared): crate::State,
    Segment(key): Segment,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = public_key(&key)?;
    let over = over(&headers)?;
    let payload = spool::take_short(&headers, body, PAYLOAD_BYTES).await?;
    let item = item(key, &payload)?;
    let mut put = shared.settings.node.signed_item_put(item);
    if let Some(over) = over {
        put = put.cas(over);
    }
    match put.await {
        Ok(report) => {
            let stored = HeaderValue::from(report.replicas.stored.len() as u64);
            Ok((StatusCode::NO_CONTENT, [(STORED, stored)]).into_response())
        }
        // Without a condition it is the timestamp that is too old.
        Err(error @ PutError::Conflict { .. }) if over.is_none() => {
            Err(Problem::from(error).outdated())
        }
        Err(error) => Err(error.into()),
    }
}

/// The key holds something else, of which a reader of packets wants to know the version.
fn no_packet(item: &Item) -> Response {
    let problem = Problem::new(Kind::NotFound, "the key holds an item that is no packet");
    let mut response = problem.into_response();
    if let Some(signed) = item.as_ref().signed() {
        response.headers_mut().insert(NO_PACKET, signed.seq.get().into());
    }
    response
}

/// The timestamp of the packet that is to be replaced.
fn over(headers: &HeaderMap) -> Result<Option<Seq>, Problem> {
    let Some(over) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = over.to_str().unwrap_or_default().trim_matches('"');
    crate::items::seq("If-Match", text).map(Some)
}

/// Where a key's packet lies: without a salt.
fn target(key: &PublicKey) -> Target {
    xorbit::mutable_target(key, b"")
}

fn public_key(text: &str) -> Result<PublicKey, Problem> {
    let key = z32::decode_key(text).map(PublicKey::new);
    key.ok_or_else(|| {
        let text = text.escape_debug();
        Problem::new(
            Kind::NotFound,
            format!("there is nothing at `/{text}`, which is no public key"),
        )
        .hint("a pkarr key has 52 letters; `/openapi.json` tells what else there is")
    })
}

/// The item that a payload makes, if its signature holds.
fn item(key: PublicKey, payload: &[u8]) -> Result<Item, Problem> {
    let short = || Problem::new(Kind::Usage, "the payload is shorter than signature and timestamp");
    let (signature, rest) = payload.split_first_chunk::<64>().ok_or_else(short)?;
    let (timestamp, packet) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    let seq = i64::try_from(u64::from_be_bytes(*timestamp)).ok().and_then(Seq::new);
    let seq = seq.ok_or_else(|| Problem::new(Kind::Usage, "the timestamp is no time"))?;
    let value = byte_string(packet);
    verified(Unverified {
        value: &value,
        signed: Some(Signed { key, salt: b"", seq, signature: *signature }),
    })
}

/// When a packet was written, and its payload; `None` if the item is no packet.
fn payload(item: &Item) -> Option<(SystemTime, Vec<u8>)> {
    let item = item.as_ref();
    let signed = item.signed()?;
    let packet = xorbit::inside_byte_string(item.value())?;
    let micros = u64::try_from(signed.seq.get()).ok()?;
    let written = SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(micros))?;
    let payload = [&signed.signature[..], &micros.to_be_bytes(), packet].concat();
    // A date has four digits for the year.
    (micros < 253_402_300_800_000_000).then_some((written, payload))
}

/// Dates have no parts of seconds.
fn whole_seconds(moment: SystemTime) -> SystemTime {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests {
    use xorbit::Signer;

    use super::*;

    #[test]
    fn a_payload_becomes_the_item_that_was_signed_and_back() {
        let signer = Signer::from_seed(&[7; 32]);
        let seq = Seq::new(1_700_000_000_123_456).unwrap();
        let signed = Item::mutable(&signer, b"", seq, &byte_string(b"packet")).unwrap();
        let (written, bytes) = payload(&signed).unwrap();
        assert_eq!(fmt_http_date(written), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert!(item(signer.public_key(), &bytes).unwrap() == signed);
        let mut forged = bytes.clone();
        *forged.last_mut().unwrap() ^= 1;
        assert!(item(signer.public_key(), &forged).is_err());
        assert!(item(signer.public_key(), &bytes[..71]).is_err());
    }
}
