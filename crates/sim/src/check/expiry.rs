//! `expiry`: nothing is served after its end, by the clock of the node that serves it. A clock that
//! was set is believed late, so what ends by each time that the node may believe is what counts.

use wire::{Found, Reply};

use super::Check;
use super::exchange::{Seen, What};
use super::lease;
use crate::world::Violation;

/// Reads the end of what is served out of it.
pub struct Expiry;

impl Check for Expiry {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        for said in seen.said {
            let What::Reply(_, Some(reply)) = &said.what else { continue };
            let now = seen.walls.earliest();
            let over = match reply {
                Reply::Item { found: Found::Item(item), .. } if item.signed.is_some() => {
                    let times = lease::times(item.value);
                    times.map(|(until, _)| until.0).filter(|until| *until <= now.0)
                }
                Reply::Members { members: Some(members), .. } => {
                    let ends = members.iter().map(|member| member.saying.remembered_ms);
                    ends.filter(|until| *until <= now.0).min()
                }
                _ => None,
            };
            if let Some(until) = over {
                let late = now.0 - until;
                let what = format!("`{}` is served what ended {late} ms ago", said.to);
                found.push(seen.moment.violates("expiry", what));
            }
        }
    }
}
