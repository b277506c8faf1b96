//! `tokens`: nothing is held for somebody who showed no token that this node gave to that address for
//! that place, in this life and not long ago; and a question puts nothing on the shelf.

use node::Method;
use wire::Query;

use super::Check;
use super::exchange::{Before, Heard, Seen, What};
use super::issued::Shown;
use crate::world::Violation;

/// Compares what is held with who could prove that it may put.
pub struct Tokens;

impl Check for Tokens {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let Heard::Query(from, message) = seen.heard else { return };
        let wants_held = matches!(
            message.query,
            Query::Put { .. } | Query::Add { .. } | Query::AnnouncePeer { .. }
        );
        if wants_held && seen.shown != Shown::Bad {
            return refused_wrongly(seen, found);
        }
        let (before, now) = (&seen.before, Before::of(seen.kv));
        let method = message.query.method();
        let grew = [
            ("items", before.items.0, now.items.0),
            ("bytes of items", before.items.1, now.items.1),
            ("members", before.members.1, now.members.1),
            ("peers", before.peers.1, now.peers.1),
        ];
        let grew = grew.iter().find(|(_, before, now)| now > before);
        if let Some((what, before, now)) = grew {
            let what = format!(
                "a `{method}` of `{from}` without a good token: {before} {what} before, {now} after"
            );
            found.push(seen.moment.violates("tokens", what));
        }
        if !wants_held {
            return;
        }
        if now.changes > before.changes {
            let what = format!("a `{method}` of `{from}` without a good token goes to the disk");
            found.push(seen.moment.violates("tokens", what));
        }
        let granted = |what: &What<'_>| {
            matches!(what, What::Reply(Some(owed), _) if owed.at == seen.local
                && owed.method == Method::of(&message.query))
        };
        if seen.said.iter().any(|said| said.to == from && granted(&said.what)) {
            let what = format!("a `{method}` of `{from}` is granted without a good token");
            found.push(seen.moment.violates("tokens", what));
        }
    }
}

/// Somebody showed a good token and is told that it is none.
fn refused_wrongly(seen: &Seen<'_>, found: &mut Vec<Violation>) {
    let bad = |what: &What<'_>| matches!(what, What::Refusal(Some(owed), b"invalid token") if owed.at == seen.local);
    let refused = seen.said.iter().find(|said| bad(&said.what));
    if let (Some(said), Shown::Good) = (refused, seen.shown) {
        let what = format!("a good token of `{}` is refused", said.to);
        found.push(seen.moment.violates("tokens", what));
    }
}
