//! `queues`: nothing that waits in a node grows beyond its bound. Sampled, since what grows stays.

use node::limits;

use super::exchange::Seen;
use super::{Check, PerMachine};
use crate::world::Violation;

/// A node is looked at each time it has acted so often.
const SAMPLED_EVERY: u32 = 16;

/// Datagrams of one step: the answers of one batch of puts, and a question each to whom it may ask.
const OUTBOX: usize = limits::ACKNOWLEDGEMENTS + limits::PENDING;

/// Looks at the queues.
#[derive(Default)]
pub struct Queues(PerMachine<u32>);

impl Check for Queues {
    fn saw(&mut self, seen: &Seen<'_>, found: &mut Vec<Violation>) {
        let steps = self.0.at(seen.moment.machine);
        *steps = steps.wrapping_add(1);
        if seen.said.len() > OUTBOX {
            let what = format!("{} datagrams in one step, more than {OUTBOX}", seen.said.len());
            found.push(seen.moment.violates("queues", what));
        }
        if !steps.is_multiple_of(SAMPLED_EVERY) {
            return;
        }
        let loads = seen.kv.node().loads();
        let operations = limits::OPERATIONS + 1;
        let bounds = [
            ("queries wait for a reply", loads.pending, limits::PENDING),
            ("datagrams wait for their pace", loads.paced, limits::PACED_QUEUE),
            ("lookups and writes are on their way", loads.lookups + loads.writes, operations),
            ("notes tell when lookups end", loads.lookup_ends, 2 * operations + 65),
            ("inquiries are on their way", loads.inquiries, operations),
            ("strangers wait for a newer version", loads.waits, limits::WAITS),
            ("puts wait for the disk", loads.acknowledgements, limits::ACKNOWLEDGEMENTS),
            ("items are on their way to the disk", loads.staged, limits::ACKNOWLEDGEMENTS),
            ("silent addresses are remembered", loads.silences, limits::SILENCES),
            ("lost contacts are remembered", loads.lost, limits::LOST),
            ("addresses to join through are remembered", loads.doors, limits::JOIN_ENDPOINTS),
            ("events of the node wait", loads.events, 0),
            ("items are held", seen.kv.node().held_items().0, seen.machine.config.node.shelf.items),
            ("peers are held", seen.kv.node().held_peers().1, limits::PEERS),
            ("sets are held", seen.kv.node().held_members().0, limits::SETS),
        ];
        for (what, held, bound) in bounds {
            if held > bound {
                let what = format!("{held} {what}, more than {bound}");
                found.push(seen.moment.violates("queues", what));
            }
        }
    }
}
