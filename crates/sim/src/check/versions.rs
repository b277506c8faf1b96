//! `versions`: what a node tells of a target never goes back to an older version, nor to nothing, as
//! long as the version is to be remembered; with a disk not across restarts either. A version has one
//! value.

use node::Method;
use wire::{Found, Reply, Target};

use super::claims::{Claims, served};
use super::exchange::{Seen, What, hash_of, version_in};
use super::{Check, PerMachine};
use crate::world::{Input, Violation};

/// Follows the versions that nodes tell.
#[derive(Default)]
pub struct Versions(PerMachine<Claims>);

impl Check for Versions {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let claims = self.0.at(seen.moment.machine);
        if matches!(seen.input, Input::Start(_)) {
            let disk = seen.machine.disk.as_ref();
            claims.restart(disk.is_some_and(|disk| !disk.is_damaged()), seen.walls);
        }
        if !seen.said.is_empty() {
            claims.look(seen);
        }
        for said in seen.said {
            let What::Reply(Some(owed), Some(reply)) = &said.what else { continue };
            if owed.ambiguous {
                continue;
            }
            if let Some(put) = owed.put.filter(|put| put.seq.is_some()) {
                claims.take(&put);
            }
            let (Method::Get, Some(target)) = (owed.method, owed.target) else { continue };
            let target = Target::new(*target.as_bytes());
            if let Some(what) = back(claims, &target, reply) {
                found.push(
                    seen.moment.violates("versions", format!("`{}` is told {what}", said.to)),
                );
            }
            if let Some(put) = served(&target, reply, seen.walls) {
                claims.take(&put);
            }
        }
    }
}

/// What is wrong with an answer, after all that was told before.
fn back(claims: &Claims, target: &Target, reply: &Reply<'_>) -> Option<String> {
    let (claim, latest) = (claims.of(target)?, claims.latest());
    let told = version_in(reply);
    let owed = claim.lease.until.max(claim.lease.remembered) > latest;
    let known = claim.seq.map_or(0, wire::Seq::get);
    if let Reply::Item { found: Found::Item(item), .. } = reply
        && told == claim.seq
        && claim.lease.until > latest
        && hash_of(item.value) != claim.value
    {
        return Some(format!("another value of version {known} of {target}"));
    }
    if !owed || told >= claim.seq {
        return None;
    }
    Some(match told {
        Some(told) => format!("version {told} of {target} after version {known}"),
        None => format!("nothing of {target}, of which version {known} is to be remembered"),
    })
}
