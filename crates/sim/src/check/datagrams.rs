//! `datagrams`: none is longer than docs/protocol.md ("Sizes") says, none goes where nothing can be
//! sent to, each can be read, and no two open questions to one address share a transaction id.

use core::time::Duration;

use node::{Instant, Method};
use wire::limits::{PLAIN_REPLY_BYTES, VALUE_REPLY_BYTES};
use wire::{Endpoint, Found, Reply, Scope};

use super::Check;
use super::exchange::{Said, Seen, What};
use crate::world::Violation;

/// The longest question: what stays in one piece on IPv6.
const LONGEST_QUERY: usize = 1452;

/// How often a slow write is sent under one transaction id.
const SENDINGS: u8 = 2;

/// No question is given up sooner (docs/protocol.md, "Lookups"), by a clock a tenth fast.
const SURELY_OPEN: Duration = Duration::from_millis(900);

/// Looks at each datagram by itself.
pub struct Datagrams;

impl Check for Datagrams {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        for (index, said) in seen.said.iter().enumerate() {
            if let Some(what) = fault(said, &seen.said[..index], seen.moment.at) {
                found.push(seen.moment.violates("datagrams", what));
            }
        }
    }
}

/// What is wrong with a datagram, the ones that go before it in the same step known.
fn fault(said: &Said<'_>, earlier: &[Said<'_>], now: Instant) -> Option<String> {
    let Said { to, bytes, what } = said;
    if to.scope() == Scope::Martian {
        return Some(format!("a datagram goes to `{to}`, where nothing can be sent to"));
    }
    let (name, most) = match what {
        What::Noise => return Some(format!("{bytes} bytes to `{to}` cannot be read")),
        What::Query(_, query, _) => match Method::of(query) {
            Method::Put | Method::Add => ("a write", LONGEST_QUERY),
            _ => ("a question", PLAIN_REPLY_BYTES),
        },
        What::Reply(_, Some(reply)) if has_value(reply) => ("a value", VALUE_REPLY_BYTES),
        // An answer to a question that nobody remembers may hold a value.
        What::Reply(None, _) => ("an answer", VALUE_REPLY_BYTES),
        What::Reply(..) | What::Refusal(..) => ("an answer", PLAIN_REPLY_BYTES),
    };
    if *bytes > most {
        return Some(format!("{name} to `{to}` has {bytes} bytes, more than {most}"));
    }
    repeated(to, what, earlier, now)
}

fn has_value(reply: &Reply<'_>) -> bool {
    match reply {
        Reply::Item { found: Found::Item(_), .. } => true,
        Reply::Members { members: Some(members), .. } => !members.as_bytes().is_empty(),
        _ => false,
    }
}

/// A question under a transaction id that is taken, unless it is a slow write once more.
fn repeated(to: &Endpoint, what: &What<'_>, earlier: &[Said<'_>], now: Instant) -> Option<String> {
    let What::Query(transaction, query, twin) = what else { return None };
    let method = Method::of(query);
    let writes = matches!(method, Method::Put | Method::Add | Method::AnnouncePeer);
    let same = |said: &&Said<'_>| {
        said.to == *to && matches!(said.what, What::Query(other, ..) if other == *transaction)
    };
    // After a pause a write may be due together with its repetition.
    let most = if writes { usize::from(SENDINGS) } else { 1 };
    if earlier.iter().filter(same).count() >= most {
        return Some(format!("`{to}` is sent transaction {:08x} twice at once", transaction.0));
    }
    // Ids are drawn: one may come again by chance once its question has been given up.
    let twin = (*twin).filter(|twin| now.since(twin.at) <= SURELY_OPEN)?;
    if writes && twin.method == method && twin.times < SENDINGS {
        return None;
    }
    let (id, method, times) = (transaction.0, query.method(), twin.times);
    Some(format!(
        "`{method}` to `{to}` under transaction {id:08x}, sent {times} times and still open"
    ))
}
