//! Who lives, by id: what no node knows, and by which experiments judge what nodes find.

use wire::{Distance, NodeId, Point};

use crate::world::MachineId;

/// The nodes of a network in the order of the key space.
#[derive(Clone, Debug, Default)]
pub struct Population {
    sorted: Vec<(NodeId, MachineId)>,
}

impl Population {
    /// These nodes.
    pub fn of(mut nodes: Vec<(NodeId, MachineId)>) -> Self {
        nodes.sort_unstable();
        Self { sorted: nodes }
    }

    /// One more.
    pub fn add(&mut self, id: NodeId, machine: MachineId) {
        let place = self.sorted.partition_point(|known| *known < (id, machine));
        self.sorted.insert(place, (id, machine));
    }

    /// One less.
    pub fn remove(&mut self, id: &NodeId) {
        self.sorted.retain(|(known, _)| known != id);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// All, in the order of the key space.
    pub fn all(&self) -> &[(NodeId, MachineId)] {
        &self.sorted
    }

    /// The `most` closest to a place among those that `counts`, closest first.
    pub fn closest(
        &self,
        place: &Point,
        most: usize,
        counts: impl Fn(MachineId) -> bool,
    ) -> Vec<(NodeId, MachineId)> {
        let mut found: Vec<(Distance, (NodeId, MachineId))> = Vec::with_capacity(most + LEAF);
        gather(&self.sorted, 0, place, most, &counts, &mut found);
        found.sort_unstable();
        found.truncate(most);
        found.into_iter().map(|(_, node)| node).collect()
    }

    /// The nodes that share exactly 0, 1, 2 ... leading bits with a place, which are those that belong in a
    /// routing table's buckets there; up to the last that is not empty.
    pub fn buckets(&self, own: &Point) -> Vec<&[(NodeId, MachineId)]> {
        let mut buckets = Vec::new();
        let mut sharing = &self.sorted[..];
        for bit in 0..160 {
            if sharing.is_empty() {
                break;
            }
            let (zeros, ones) = split(sharing, bit);
            let (near, far) = if is_set(own, bit) { (ones, zeros) } else { (zeros, ones) };
            buckets.push(far);
            sharing = near;
        }
        while buckets.last().is_some_and(|bucket| bucket.is_empty()) {
            buckets.pop();
        }
        buckets
    }
}

/// So few are looked at one by one.
const LEAF: usize = 16;

fn is_set(point: &Point, bit: usize) -> bool {
    point.as_bytes()[bit / 8] & (0x80 >> (bit % 8)) != 0
}

/// Of nodes that share all bits before `bit`, those without and with it.
fn split(
    nodes: &[(NodeId, MachineId)],
    bit: usize,
) -> (&[(NodeId, MachineId)], &[(NodeId, MachineId)]) {
    nodes.split_at(nodes.partition_point(|(id, _)| !is_set(&id.point(), bit)))
}

/// Adds at least the `most` closest of these nodes, which share all bits before `bit`, if there are as
/// many that count.
fn gather(
    nodes: &[(NodeId, MachineId)],
    bit: usize,
    place: &Point,
    most: usize,
    counts: &impl Fn(MachineId) -> bool,
    found: &mut Vec<(Distance, (NodeId, MachineId))>,
) {
    if found.len() >= most {
        return;
    }
    if nodes.len() <= LEAF || bit >= 160 {
        let counting = nodes.iter().filter(|(_, machine)| counts(*machine));
        found.extend(counting.map(|node| (place.distance(&node.0.point()), *node)));
        return;
    }
    let (zeros, ones) = split(nodes, bit);
    let (near, far) = if is_set(place, bit) { (ones, zeros) } else { (zeros, ones) };
    gather(near, bit + 1, place, most, counts, found);
    gather(far, bit + 1, place, most, counts, found);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;

    fn population(count: u32) -> (Population, Chance) {
        let mut chance = Chance::of(1, "population");
        let nodes = (0..count).map(|number| (NodeId::new(chance.bytes()), MachineId(number)));
        (Population::of(nodes.collect()), chance)
    }

    #[test]
    fn the_closest_are_those_that_a_look_at_all_finds() {
        let (population, mut chance) = population(700);
        let odd = |machine: MachineId| machine.0 % 2 == 1;
        for _ in 0..200 {
            let place = Point::new(chance.bytes());
            let mut all: Vec<_> = population.all().to_vec();
            all.retain(|(_, machine)| odd(*machine));
            all.sort_by_key(|(id, _)| place.distance(&id.point()));
            assert_eq!(population.closest(&place, 8, odd), all[..8]);
        }
        assert_eq!(population.closest(&Point::new([0; 20]), 1000, odd).len(), 350);
    }

    #[test]
    fn buckets_hold_everybody_but_the_node_itself_where_they_belong() {
        let (population, _) = population(300);
        for (own, _) in population.all() {
            let buckets = population.buckets(&own.point());
            for (bits, bucket) in buckets.iter().enumerate() {
                let shares = |id: &NodeId| own.point().shared_bits(&id.point()) as usize;
                assert!(bucket.iter().all(|(id, _)| shares(id) == bits));
            }
            assert_eq!(buckets.iter().map(|bucket| bucket.len()).sum::<usize>(), 299);
        }
    }

    #[test]
    fn who_comes_and_goes_is_counted() {
        let (mut population, mut chance) = population(30);
        let id = NodeId::new(chance.bytes());
        population.add(id, MachineId(99));
        assert_eq!(population.closest(&id.point(), 1, |_| true), [(id, MachineId(99))]);
        population.remove(&id);
        assert_eq!(population.len(), 30);
    }
}
