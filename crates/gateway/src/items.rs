//! Raw items of BEP 44: `/v1/items/{target}`.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use xorbit::{Item, ItemReport, PublicKey, Seq, Signed, Target, Unverified};

use crate::params::{Params, Segment};
use crate::problem::{Kind, Problem};
use crate::routes::Failures;
use crate::shapes;
use crate::{answer, hex, spool};

/// The version of a mutable item.
const SEQ: HeaderName = HeaderName::from_static("xorbit-seq");

/// The public key of a mutable item, 64 hexadecimal digits.
const KEY: HeaderName = HeaderName::from_static("xorbit-key");

/// The signature of a mutable item, 128 hexadecimal digits.
const SIGNATURE: HeaderName = HeaderName::from_static("xorbit-signature");

const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// Bytes of a bencoded value; a holder takes fewer, and says so.
const VALUE_BYTES: u64 = 2048;

/// Bytes of a salt (BEP 44).
const SALT_BYTES: usize = 64;

/// What an item's name does not tell.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Finding {
    /// The salt that is in its name.
    #[param(max_length = 64)]
    salt: Option<String>,
}

/// What makes an item mutable; all of it or nothing.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Signing {
    /// The public key, 64 hexadecimal digits.
    #[param(pattern = "^[0-9a-fA-F]{64}$")]
    key: Option<String>,
    /// Its version.
    #[param(value_type = Option<i64>, minimum = 0)]
    seq: Option<String>,
    /// The signature over salt, version and value, 128 hexadecimal digits.
    #[param(pattern = "^[0-9a-fA-F]{128}$")]
    signature: Option<String>,
    /// Tells the items of one key apart, at most 64 bytes.
    #[param(max_length = 64)]
    salt: Option<String>,
    /// Only over this version, which each holder checks alone.
    #[param(value_type = Option<i64>, minimum = 0)]
    cas: Option<String>,
}

/// Gets a raw item.
///
/// The body is its bencoded value; with `Accept: application/json` the report with the value in it.
#[utoipa::path(
    get,
    path = "/v1/items/{target}",
    tag = "items",
    params(("target" = String, Path, description = "Its name, 40 hexadecimal digits", pattern = "^[0-9a-fA-F]{40}$"), Finding),
    responses(
        (status = 200, description = "The bencoded value, or the report",
            content((answer::RawBytes = "application/octet-stream"), (shapes::Item = "application/json")),
            headers(
                ("Xorbit-Seq" = u64, description = "The version of a mutable item"),
                ("Xorbit-Key" = String, description = "Its public key, 64 hexadecimal digits"),
                ("Xorbit-Signature" = String, description = "Its signature, 128 hexadecimal digits"),
            )),
        Failures,
    )
)]
pub(crate) async fn get(
    State(shared): crate::State,
    Segment(target): Segment,
    Params(params): Params<Finding>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let get = shared.settings.node.item_get(read_target(&target)?);
    let report = get.salt(params.salt()?).await?;
    let mut response = match answer::wants_json(&headers) {
        true => answer::json(&shapes::Item::with_value(&report)),
        false => answer::of(BYTES, report.item.value().to_vec()),
    };
    describe(response.headers_mut(), &report.item);
    Ok(response)
}

/// Tells what makes an item mutable.
fn describe(headers: &mut HeaderMap, item: &Item) {
    let item = item.as_ref();
    let Some(signed) = item.signed() else { return };
    headers.insert(SEQ, signed.seq.get().into());
    for (name, text) in [(KEY, signed.key.to_string()), (SIGNATURE, hex::encode(&signed.signature))]
    {
        // Digits are a header's value.
        headers.insert(name, HeaderValue::try_from(text).expect("digits"));
    }
}

/// Puts a raw item, as it is.
///
/// The body is its bencoded value. Without a key it is immutable. The target must be the one that
/// follows from it, and the signature must hold.
#[utoipa::path(
    put,
    path = "/v1/items/{target}",
    tag = "items",
    params(("target" = String, Path, description = "Its name, 40 hexadecimal digits", pattern = "^[0-9a-fA-F]{40}$"), Signing),
    request_body(content = answer::RawBytes, content_type = "application/octet-stream", description = "The bencoded value"),
    responses(
        (status = 200, description = "Stored at a majority of the replicas", body = shapes::Item),
        Failures,
    )
)]
pub(crate) async fn put(
    State(shared): crate::State,
    Segment(target): Segment,
    Params(params): Params<Signing>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let target = read_target(&target)?;
    let value = spool::take_short(&headers, body, VALUE_BYTES).await?;
    let salt = params.salt.clone().unwrap_or_default();
    let item = verified(Unverified { value: &value, signed: params.signed(&salt)? })?;
    if item.target() != target {
        let what = format!("the item is `{}`, not `{target}`", item.target());
        return Err(Problem::new(Kind::Usage, what)
            .hint("the target is the SHA-1 of the bencoded value, or of public key and salt"));
    }
    let mut put = shared.settings.node.signed_item_put(item);
    if let Some(cas) = &params.cas {
        put = put.cas(seq("cas", cas)?);
    }
    let report: ItemReport = put.await?;
    Ok(answer::json(&shapes::Item::without_value(&report)))
}

impl Finding {
    fn salt(self) -> Result<String, Problem> {
        let salt = self.salt.unwrap_or_default();
        match salt.len() <= SALT_BYTES {
            true => Ok(salt),
            false => Err(Problem::new(
                Kind::Usage,
                format!("the salt has {} bytes, more than the {SALT_BYTES} of BEP 44", salt.len()),
            )),
        }
    }
}

impl Signing {
    fn signed<'a>(&self, salt: &'a str) -> Result<Option<Signed<'a>>, Problem> {
        let Self { key, seq: version, signature, .. } = self;
        let (key, version, signature) = match (key, version, signature) {
            (None, None, None) if salt.is_empty() && self.cas.is_none() => return Ok(None),
            (Some(key), Some(version), Some(signature)) => (key, version, signature),
            _ => {
                let what = "a mutable item has `key`, `seq` and `signature`, an immutable one none of them";
                return Err(Problem::new(Kind::Usage, what));
            }
        };
        let key: PublicKey = key.parse().map_err(|_| {
            Problem::new(Kind::Usage, format!("key `{}` is no public key", key.escape_debug()))
        })?;
        let signature = hex::decode(signature).ok_or_else(|| {
            Problem::new(Kind::Usage, "the signature is not 128 hexadecimal digits")
        })?;
        Ok(Some(Signed { key, salt: salt.as_bytes(), seq: seq("seq", version)?, signature }))
    }
}

/// An item whose signature holds.
pub(crate) fn verified(item: Unverified<'_>) -> Result<Item, Problem> {
    let verified = item.verify();
    verified.map(|item| item.to_item()).map_err(|why| Problem::new(Kind::Usage, why.to_string()))
}

fn read_target(text: &str) -> Result<Target, Problem> {
    text.parse().map_err(|_| {
        let what = format!("`{}` is not 40 hexadecimal digits", text.escape_debug());
        Problem::new(Kind::Usage, what)
    })
}

/// Reads a version of a raw item.
pub(crate) fn seq(name: &str, text: &str) -> Result<Seq, Problem> {
    text.parse().ok().and_then(Seq::new).ok_or_else(|| {
        let what =
            format!("{name} `{}` is not a number from 0 to {}", text.escape_debug(), i64::MAX);
        Problem::new(Kind::Usage, what)
    })
}
