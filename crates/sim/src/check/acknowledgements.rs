//! `acknowledged`: a yes to a put is true. What does not verify is not held, what waits for the disk
//! is not granted before, what a disk refused is not granted at all, a swap is granted only over the
//! version that it names, and nobody is answered who did not ask.

use node::Method;
use wire::Target;

use super::claims::{Claims, served};
use super::exchange::{Owed, Seen, What};
use super::{Check, PerMachine};
use crate::world::{Input, Violation};

/// Judges each yes.
#[derive(Default)]
pub struct Acknowledgements(PerMachine<Claims>);

impl Check for Acknowledgements {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let claims = self.0.at(seen.moment.machine);
        if matches!(seen.input, Input::Start(_)) {
            *claims = Claims::default();
        }
        if !seen.said.is_empty() {
            claims.look(seen);
        }
        for said in seen.said {
            let fault = match &said.what {
                What::Reply(None, _) if seen.owes_all => {
                    Some("is answered and did not ask".to_owned())
                }
                What::Reply(Some(owed), _) => fault(seen, owed, claims),
                _ => None,
            };
            if let Some(what) = fault {
                let what = format!("`{}` {what}", said.to);
                found.push(seen.moment.violates("acknowledged", what));
            }
            let What::Reply(Some(owed), reply) = &said.what else { continue };
            if owed.ambiguous {
                continue;
            }
            if let Some(put) = &owed.put {
                claims.take(put);
            } else if let (Some(reply), Some(target)) = (reply, owed.target)
                && let Some(put) = served(&Target::new(*target.as_bytes()), reply, seen.walls)
            {
                claims.take(&put);
            }
        }
    }
}

/// What is wrong with a yes to this.
fn fault(seen: &Seen<'_>, owed: &Owed, claims: &Claims) -> Option<String> {
    let writes = matches!(owed.method, Method::Put | Method::Add);
    if writes && matches!(seen.input, Input::Committed(false)) {
        return Some("hears yes of what the disk refused".to_owned());
    }
    let at_once = owed.at == seen.local;
    let grew = seen.kv.node().gathering() > seen.before.changes;
    if writes && at_once && grew && seen.machine.disk.is_some() {
        return Some("hears yes of what waits for the disk".to_owned());
    }
    let put = owed.put.filter(|_| !owed.ambiguous)?;
    if !put.sound {
        return Some(format!("hears yes of an item of {} that does not verify", put.target));
    }
    let (claim, cas) = (claims.of(&put.target)?, put.cas?);
    let lives = claim.lease.until > claims.latest();
    let known = claim.seq.filter(|known| lives && *known > cas && Some(*known) != put.seq)?;
    let target = put.target;
    Some(format!("hears yes of a swap of {target} from {cas}, after version {known} was there"))
}
