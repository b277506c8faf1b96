//! Large networks at once: their tables are not won by hours of datagrams.

use node::Instant;
use node::limits::{FIRST_BUCKETS, K, REPLACEMENTS, STALE};
use wire::{NodeId, Point};

use super::testbed::reachable;
use super::{Host, Testbed};
use crate::chance::Chance;
use crate::network::Site;
use crate::oracle::{Known, Reachable};
use crate::world::MachineId;

impl Testbed {
    /// So many nodes that live, with tables as after a long life: each bucket has random members of its
    /// part of the key space up to its capacity, and as many more as may wait for a place. They went in
    /// through the code that takes answers. `dead` is the share of contacts in all tables that do
    /// not live any more. Nobody has joined; round trips other than those of contacts were not measured.
    pub fn settle(&mut self, nodes: u32, dead: f64, host: &mut dyn Host) {
        // Contacts were heard at some time since the last check, not all at once.
        let start = self.world.now() + STALE;
        while self.world.step(start).is_some() {}
        let all: Vec<Reachable> = (0..nodes).map(|_| self.machine()).collect();
        let gone = (f64::from(nodes) * dead / (1.0 - dead)).round() as u32;
        let mut known = all.clone();
        for number in 0..gone {
            known.push(reachable(NodeId::new(self.chance.bytes()), MachineId(LAST - number)));
        }
        let known = Known::new(known);
        for (done, node) in all.iter().enumerate() {
            self.world.start(node.machine);
            self.acquaint(node, &known);
            if done % 1024 == 0 {
                host.progress(done as f64 / all.len() as f64);
            }
        }
        self.living = Known::new(all);
    }

    fn acquaint(&mut self, node: &Reachable, known: &Known) {
        let now = self.world.now();
        let site = self.world.machines[node.machine.index()].site;
        for (index, bucket) in buckets(known, &node.contact.id.point()).into_iter().enumerate() {
            let wanted = FIRST_BUCKETS.get(index).copied().unwrap_or(K) + REPLACEMENTS;
            for place in distinct(&mut self.chance, bucket.len(), wanted) {
                let Reachable { contact, machine, .. } = bucket[place];
                let latency = self.world.network.latency();
                let round_trip = latency.round_trip(site, Site(machine.0));
                let heard = now.as_micros() - self.chance.below(STALE.as_micros() as usize) as u64;
                if let Some(kv) = self.world.machines[node.machine.index()].kv_mut() {
                    kv.acquaint(contact, round_trip, Instant::from_micros(heard));
                }
            }
        }
    }
}

/// The last machine that has an address; those that are gone are counted from here down.
const LAST: u32 = (1 << 24) - 1;

/// So many different numbers below `bound`, or all, in a random order.
fn distinct(chance: &mut Chance, bound: usize, most: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = Vec::with_capacity(most.min(bound));
    if bound <= 2 * most {
        numbers.extend(0..bound);
    } else {
        while numbers.len() < most {
            let missing = most - numbers.len();
            numbers.extend((0..missing).map(|_| chance.below(bound)));
            numbers.sort_unstable();
            numbers.dedup();
        }
    }
    chance.shuffle(&mut numbers);
    numbers.truncate(most);
    numbers
}

/// The nodes that share exactly 0, 1, 2 ... leading bits with a place, which are those that belong in a
/// routing table's buckets there, up to the last that is not empty.
fn buckets<'n>(known: &'n Known, own: &Point) -> Vec<&'n [Reachable]> {
    let mut buckets = Vec::new();
    let mut sharing = known.all();
    for bit in 0..160 {
        if sharing.is_empty() {
            break;
        }
        let is_set = |point: &Point| point.as_bytes()[bit / 8] & (0x80 >> (bit % 8)) != 0;
        let split = sharing.partition_point(|node| !is_set(&node.contact.id.point()));
        let (zeros, ones) = sharing.split_at(split);
        let (near, far) = if is_set(own) { (ones, zeros) } else { (zeros, ones) };
        buckets.push(far);
        sharing = near;
    }
    while buckets.last().is_some_and(|bucket| bucket.is_empty()) {
        buckets.pop();
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_everybody_but_the_node_itself_where_they_belong() {
        let mut chance = Chance::of(1, "buckets");
        let node = |number| reachable(NodeId::new(chance.bytes()), MachineId(number));
        let known = Known::new((0..300).map(node).collect());
        for own in known.all() {
            let own = own.contact.id.point();
            let buckets = buckets(&known, &own);
            for (bits, bucket) in buckets.iter().enumerate() {
                let shares = |node: &Reachable| own.shared_bits(&node.contact.id.point()) as usize;
                assert!(bucket.iter().all(|node| shares(node) == bits));
            }
            assert_eq!(buckets.iter().map(|bucket| bucket.len()).sum::<usize>(), 299);
        }
    }

    #[test]
    fn numbers_are_different_and_no_more_than_there_are() {
        let mut chance = Chance::of(2, "distinct");
        for (bound, most) in [(0, 5), (3, 5), (7, 5), (1000, 5), (1000, 400)] {
            let mut numbers = distinct(&mut chance, bound, most);
            assert!(numbers.iter().all(|number| *number < bound));
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), most.min(bound));
        }
    }
}
