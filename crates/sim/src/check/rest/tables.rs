//! Every node knows its closest neighbours: the closest one, and of the closest eight all but one at most,
//! unless their bucket is full; and takes nobody for one who is gone. Nor does any table name others who
//! are gone: who is told of them counts them as holders that are silent, and may not be sure of what it
//! reads. Where boxes translate addresses only neighbours are looked at, since who is behind an address
//! there changes all the time.

use node::limits::K;
use wire::{Contact, Family, NodeId};

use super::Wrong;
use crate::oracle::{Oracle, missed};
use crate::world::{Machine, NatId, World};

/// The first node that does not know its neighbours, or takes one for alive that is gone.
pub(super) fn wrong(world: &World, oracle: &Oracle) -> Option<Wrong> {
    world.living().find_map(|id| {
        Family::ALL.into_iter().find_map(|family| {
            let machine = &world.machines[id.index()];
            let what =
                unknown(world, oracle, machine, family).or_else(|| gone(world, machine, family));
            Some(("neighbours", Some(id), what?))
        })
    })
}

/// Whom a node should know and does not.
fn unknown(world: &World, oracle: &Oracle, machine: &Machine, family: Family) -> Option<String> {
    let node = machine.kv()?.node();
    machine.place(family)?;
    // Whose box has given out all its ports reaches nobody new.
    let no_port = |nat: NatId| world.nats()[nat.0 as usize].is_full();
    if family == Family::V4 && machine.nat.is_some_and(no_port) {
        return None;
    }
    let (known, own, table) = (oracle.family(family), node.id(), node.table(family));
    let mut contacts: Vec<Contact> = table.iter().map(|entry| entry.contact()).collect();
    // Itself it knows without a table.
    contacts.extend(known.get(&own).map(|itself| itself.contact));
    let lives = |contact: &Contact| lives(world, contact);
    let mut missed = missed(known, &own.point(), K + 1, &contacts, lives);
    // Of those as far away as others whom it knows, a bucket holds no more than it has places.
    let bucket = |id: &NodeId| own.point().shared_bits(&id.point());
    let full = |of: u32| contacts.iter().filter(|one| bucket(&one.id) == of).count() >= K;
    missed.nodes.retain(|node| !full(bucket(&node.contact.id)));
    (!missed.is_right()).then(|| {
        let (count, all) = (missed.nodes.len(), table.len());
        let first = missed.nodes.first().map(|node| node.contact.endpoint.to_string());
        let first = first.unwrap_or_default();
        format!(
            "the node does not know {count} of its {K} closest neighbours, `{first}` first; its table \
             has {all} contacts"
        )
    })
}

/// Whom a node takes for one of its closest neighbours who is there no more.
fn gone(world: &World, machine: &Machine, family: Family) -> Option<String> {
    let node = machine.kv()?.node();
    let table = node.table(family);
    let closest = table.closest::<K>(&node.id().point());
    let gone = closest.iter().map(|entry| entry.contact()).find(|one| !lives(world, one));
    if let Some(Contact { endpoint, .. }) = gone {
        let what = "for one of its closest neighbours, who is gone";
        return Some(format!("the node takes `{endpoint}` {what}"));
    }
    if !world.nats().is_empty() {
        return None;
    }
    let gone = table.iter().map(|entry| entry.contact()).find(|one| !lives(world, one))?;
    Some(format!("the node has `{}` in its table, who is gone", gone.endpoint))
}

/// Whether somebody is at the address of a contact.
fn lives(world: &World, contact: &Contact) -> bool {
    let at = world.at(&contact.endpoint);
    at.is_some_and(|(id, _)| world.machines[id.index()].answers())
}
