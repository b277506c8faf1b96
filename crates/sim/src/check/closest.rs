//! `closest`: who asks the way is told of the closest contacts that the node knows to answer, closest
//! first (docs/protocol.md, "Routing table": only a contact without a failure is given to others): of
//! the 8 closest, or of the 16 closest where whoever asks may be a node of the same network.
//! Some answers of each node are looked at, by going through its whole table.

use node::Method;
use wire::{Contact, Family, NodeLists, Point, Reply};

use super::exchange::{Heard, Seen, What};
use super::{Check, PerMachine};
use crate::world::{Input, Violation};

/// One of so many answers is looked at.
const LOOKED_AT: u32 = 16;

/// As many contacts are told of a family ...
const TOLD: usize = 8;

/// ... and to nodes of the same network, where there is room.
const TOLD_TO_OURS: usize = 16;

/// Compares what is told with all that is known.
#[derive(Default)]
pub struct Closest(PerMachine<u32>);

impl Check for Closest {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let (Input::Datagram(..), Heard::Query(..)) = (seen.input, seen.heard) else { return };
        for said in seen.said {
            let What::Reply(Some(owed), Some(reply)) = &said.what else { continue };
            let (Some(target), Some(lists)) = (owed.target, lists(reply)) else { continue };
            let answers = self.0.at(seen.moment.machine);
            *answers = answers.wrapping_add(1);
            if owed.at != seen.local || !answers.is_multiple_of(LOOKED_AT) {
                continue;
            }
            let whole = owed.method == Method::FindNode;
            for (family, list) in Family::ALL.into_iter().zip([lists.v4, lists.v6]) {
                let Some(list) = list else { continue };
                let told: Vec<Contact> = list.iter().collect();
                if let Some(what) = wrong(seen, family, &target, &told, whole) {
                    let what = format!("`{}` asks for {target:?} and {what}", said.to);
                    found.push(seen.moment.violates("closest", what));
                }
            }
        }
    }
}

fn lists<'a>(reply: &Reply<'a>) -> Option<NodeLists<'a>> {
    match reply {
        Reply::Nodes(nodes)
        | Reply::Peers { nodes, .. }
        | Reply::Item { nodes, .. }
        | Reply::Samples { nodes, .. }
        | Reply::Members { nodes, .. } => Some(*nodes),
        Reply::Ack | Reply::Offered { .. } => None,
    }
}

/// What is wrong with the contacts told; `whole`: there is room for all that may be told.
fn wrong(
    seen: &Seen<'_>,
    family: Family,
    target: &Point,
    told: &[Contact],
    whole: bool,
) -> Option<String> {
    let table = seen.kv.node().table(family);
    let good = table.iter().filter(|entry| entry.is_good());
    let mut known: Vec<Contact> = good.map(|entry| entry.contact()).collect();
    known.sort_by_key(|contact| target.distance(&contact.id.point()));
    known.truncate(TOLD_TO_OURS);
    if known.starts_with(told) && (told.len() >= known.len().min(TOLD) || !whole) {
        return None;
    }
    let differs = told.iter().zip(&known).position(|(told, known)| told != known);
    let place = differs.unwrap_or(told.len());
    let (told, known) = (told.get(place), known.get(place));
    Some(format!("is told of {told:?} at place {place}, where {known:?} is known"))
}
