//! Who may ask: the names under which a browser may call it, the pages that may, and the token.
//!
//! A page of a stranger's site can let a browser call `127.0.0.1`, also under a name of its own that it
//! lets resolve to there (DNS rebinding). So the Host of a gateway on loopback must be a name of
//! loopback, and an Origin must be the Host's own: then no page but the gateway's gets an answer, and
//! none can write.
//!
//! Where the node is told so, strangers may use routes whose content is signed or hashed (`opened`)
//! without a token, under whatever name they call: a misled browser could get or do nothing there that
//! its page could not by itself. And pages of other sites may call (`cors`).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::cors::Grant;
use crate::problem::{Kind, Problem};
use crate::rate::{Caller, Deed};
use crate::{Shared, cors, dashboard, opened};

/// What may be asked without a token, beside the files of the dashboard: it tells nothing but that the
/// gateway is there.
const OPEN: [&str; 2] = ["/livez", "/readyz"];

/// Lets those through who may ask.
pub(crate) async fn admit(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let settings = &shared.settings;
    let (uri, headers) = (request.uri(), request.headers());
    let about = cors::asked_before(request.method(), headers);
    let method = about.as_ref().unwrap_or(request.method());
    let deed = opened::deed(&settings.opened, method, uri.path());
    let asks_for_token = settings.token.is_some() && !is_open(uri.path());
    let grant = Grant::of(&settings.sites, headers, deed.is_some() || asks_for_token);
    if let (Some(_), Some(grant)) = (about, &grant) {
        return grant.clone().preflight();
    }
    let response = match check(&shared, &request, deed, grant.is_some()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    match grant {
        Some(grant) => grant.told(response),
        None if settings.sites.is_empty() => response,
        None => cors::varying(response),
    }
}

fn check(
    shared: &Shared,
    request: &Request,
    deed: Option<Deed>,
    granted: bool,
) -> Result<(), Problem> {
    let headers = request.headers();
    let host = host(request.uri(), headers)?;
    if let Some(origin) = headers.get(ORIGIN)
        && !granted
        && !is_own(origin.as_bytes(), &host)
    {
        let origin = String::from_utf8_lossy(origin.as_bytes());
        let what = format!("pages of `{}` may not call this node", origin.escape_debug());
        return Err(Problem::new(Kind::Forbidden, what));
    }
    let known = check_known(shared, request.uri(), headers, &host);
    match deed {
        // Who shows a token is told that it is another one.
        Some(deed) if !headers.contains_key(AUTHORIZATION) => {
            known.or_else(|_| check_pace(shared, request, deed))
        }
        _ => known,
    }
}

/// Whether a stranger may do this now.
fn check_pace(shared: &Shared, request: &Request, deed: Deed) -> Result<(), Problem> {
    let Some(Caller(caller)) = request.extensions().get() else {
        return Err(Problem::new(Kind::Environment, "nobody knows where the request comes from"));
    };
    shared.rates.take(*caller, deed, Instant::now()).map_err(|wait| {
        Problem::new(Kind::RateLimited, "more requests than strangers may make")
            .hint("wait as long as `Retry-After` says, or show a token")
            .retry_after(wait)
    })
}

/// Whether the caller is one who may ask for anything.
fn check_known(
    shared: &Shared,
    uri: &Uri,
    headers: &HeaderMap,
    host: &Authority,
) -> Result<(), Problem> {
    if shared.local && shared.settings.token.is_none() && !is_loopback(host.host()) {
        let what = format!("`{}` is not a name of this machine's loopback", host.host());
        return Err(Problem::new(Kind::Forbidden, what).hint(
            "call it as `127.0.0.1` or `localhost`; a browser that was misled is kept out so",
        ));
    }
    match &shared.settings.token {
        Some(token) if !is_open(uri.path()) => {
            let shown = headers.get(AUTHORIZATION).and_then(|shown| bearer(shown.as_bytes()));
            match shown {
                Some(shown) if token.is(shown) => Ok(()),
                Some(_) => Err(Problem::new(Kind::Unauthorized, "the token is another one")),
                None => Err(Problem::new(Kind::Unauthorized, "no token")
                    .hint("send `Authorization: Bearer TOKEN`, the one of `--http-token-file`")),
            }
        }
        _ => Ok(()),
    }
}

fn is_open(path: &str) -> bool {
    OPEN.contains(&path) || dashboard::is_at(path)
}

/// What the caller calls this machine.
fn host(uri: &Uri, headers: &HeaderMap) -> Result<Authority, Problem> {
    let missing = || Problem::new(Kind::Usage, "no Host, or none that can be read");
    if let Some(authority) = uri.authority() {
        return Ok(authority.clone());
    }
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(missing()) };
    Authority::try_from(host.as_bytes()).map_err(|_| missing())
}

/// Whether a name cannot be anything but loopback.
fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Whether the Origin of a page (RFC 6454) is the Host that was called.
fn is_own(origin: &[u8], host: &Authority) -> bool {
    let own = |scheme: &[u8]| {
        origin
            .strip_prefix(scheme)
            .is_some_and(|rest| rest.eq_ignore_ascii_case(host.as_str().as_bytes()))
    };
    own(b"http://") || own(b"https://")
}

/// The token of an Authorization header.
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_cannot_be_elsewhere_are_loopback() {
        for name in ["127.0.0.1", "127.8.9.1", "[::1]", "localhost", "LOCALHOST"] {
            assert!(is_loopback(name), "{name}");
        }
        for name in ["localhost.evil.example", "evil.example", "0.0.0.0", "192.0.2.1", "[::]", ""] {
            assert!(!is_loopback(name), "{name}");
        }
    }

    #[test]
    fn a_page_is_its_own_only_by_name_and_port() {
        let host = Authority::from_static("127.0.0.1:8080");
        assert!(is_own(b"http://127.0.0.1:8080", &host));
        for other in [&b"http://127.0.0.1"[..], b"http://127.0.0.1:8081", b"null", b"", b"file://"]
        {
            assert!(!is_own(other, &host), "{other:?}");
        }
    }

    #[test]
    fn the_scheme_of_a_token_is_read_in_any_case() {
        assert_eq!(bearer(b"bearer abc"), Some(&b"abc"[..]));
        assert_eq!((bearer(b"Basic abc"), bearer(b"Bearer"), bearer(b"")), (None, None, None));
    }
}
