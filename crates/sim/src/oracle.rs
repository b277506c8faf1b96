//! Who should be found: all nodes that live, can be reached and are honest, and which of them are
//! closest to a place. No node knows what the oracle knows; what nodes answer is judged by it.
//!
//! A lookup is *right* if its result holds the closest of these nodes and, of the `k` closest, all but one
//! at most.

use core::cmp::Ordering;

use node::Network;
use wire::{Contact, Family, NodeId, Point, secure_id};

use crate::world::{Machine, MachineId, World};

/// A node that should be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reachable {
    /// Its id, and the address that it knows of itself.
    pub contact: Contact,
    /// The machine on which it runs.
    pub machine: MachineId,
    /// Everybody can reach it. Who is behind a box that translates addresses is found by some, and need
    /// not be by all.
    pub by_all: bool,
}

impl Reachable {
    fn point(&self) -> Point {
        self.contact.id.point()
    }
}

/// Nodes by their ids.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// In the order of ids.
    nodes: Vec<Reachable>,
}

impl Known {
    /// These nodes. Of two under one id the one that comes first counts.
    pub fn new(mut nodes: Vec<Reachable>) -> Self {
        nodes.sort_by_key(|node| node.contact.id);
        nodes.dedup_by_key(|node| node.contact.id);
        Self { nodes }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Reachable> {
        self.nodes.iter()
    }

    /// All of them, in the order of their ids.
    pub fn all(&self) -> &[Reachable] {
        &self.nodes
    }

    /// One more, in the place of any under the same id.
    pub fn add(&mut self, node: Reachable) {
        match self.nodes.binary_search_by(|known| known.contact.id.cmp(&node.contact.id)) {
            Ok(place) => self.nodes[place] = node,
            Err(place) => self.nodes.insert(place, node),
        }
    }

    /// One less.
    pub fn remove(&mut self, id: &NodeId) {
        if let Ok(place) = self.nodes.binary_search_by(|node| node.contact.id.cmp(id)) {
            self.nodes.remove(place);
        }
    }

    /// The node with this id.
    pub fn get(&self, id: &NodeId) -> Option<&Reachable> {
        let place = self.nodes.binary_search_by(|node| node.contact.id.cmp(id)).ok()?;
        Some(&self.nodes[place])
    }

    /// The `k` nodes closest to a place, closest first.
    pub fn closest(&self, to: &Point, k: usize) -> Vec<Reachable> {
        self.closest_where(to, k, |_| true)
    }

    /// The `k` nodes closest to a place of those that count, closest first.
    ///
    /// Sorted ids are the leaves of a binary tree by their bits: whoever goes down it into the half of the
    /// place first meets the closest ones first.
    pub fn closest_where(
        &self,
        to: &Point,
        k: usize,
        counts: impl Fn(&Reachable) -> bool,
    ) -> Vec<Reachable> {
        let mut closest = Vec::with_capacity(k.min(self.nodes.len()));
        // Halves still to be visited, the nearest last: first and behind the last, and their first open bit.
        let mut halves = vec![(0, self.nodes.len(), 0)];
        while let Some((first, end, bit)) = halves.pop() {
            if closest.len() >= k {
                break;
            }
            match end - first {
                0 => {}
                1 => closest.extend(Some(self.nodes[first]).filter(&counts)),
                _ => {
                    let ones = |node: &Reachable| has_bit(&node.point(), bit);
                    let split = first + self.nodes[first..end].partition_point(|node| !ones(node));
                    let (zeros, ones) = ((first, split, bit + 1), (split, end, bit + 1));
                    match has_bit(to, bit) {
                        true => halves.extend([zeros, ones]),
                        false => halves.extend([ones, zeros]),
                    }
                }
            }
        }
        closest
    }

    /// The `k` nodes closest to a node, that one left out, closest first.
    pub fn neighbours(&self, of: &NodeId, k: usize) -> Vec<Reachable> {
        let mut closest = self.closest(&of.point(), k + 1);
        closest.retain(|node| node.contact.id != *of);
        closest.truncate(k);
        closest
    }
}

/// Bit 0 is the highest.
fn has_bit(point: &Point, bit: usize) -> bool {
    point.as_bytes()[bit / 8] & (0x80 >> (bit % 8)) != 0
}

/// All nodes of a world that should be found.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    families: [Known; 2],
    either: Known,
    /// Where those stand who answer and hold nothing, as routers do.
    bystanders: Vec<Point>,
}

impl Oracle {
    /// The nodes that live in a world now and answer others.
    pub fn of(world: &World) -> Self {
        let living = || world.living().map(|id| (id, &world.machines[id.index()]));
        let families = Family::ALL.map(|family| {
            let reachable = living().filter_map(|(id, at)| reachable(id, at, family));
            Known::new(reachable.collect())
        });
        // Who can be reached by all in one family can be reached by all.
        let mut either: Vec<Reachable> = families.iter().flat_map(Known::iter).copied().collect();
        either.sort_by_key(|node| !node.by_all);
        let bystanders = world.machines.iter().filter_map(Machine::bystander);
        let bystanders = bystanders.map(|id| id.point()).collect();
        Self { either: Known::new(either), families, bystanders }
    }

    /// The nodes that should hold what belongs to a place, from where a machine stands: of the `replicas`
    /// closest in its reach those that are no bystanders. Who looks for holders meets both and takes none
    /// from further away.
    pub fn holders(&self, machine: &Machine, to: &Point, replicas: usize) -> Vec<Reachable> {
        let closest = self.within_reach_of(machine).closest(to, replicas).into_iter();
        let closer = |node: &Reachable| {
            let distance = to.distance(&node.point());
            self.bystanders.iter().filter(|at| to.distance(at) < distance).count()
        };
        let places = closest.enumerate();
        places
            .filter(|(place, node)| place + closer(node) < replicas)
            .map(|(_, node)| node)
            .collect()
    }

    /// Those of one family.
    pub fn family(&self, family: Family) -> &Known {
        &self.families[family as usize]
    }

    /// How many of the `replicas` closest to a place a machine surely reaches, if they hold something, and
    /// how many the closest are. Whose majority it does not reach it need not be sure of what it reads.
    pub fn reached(&self, id: MachineId, world: &World, to: &Point) -> (usize, usize) {
        let machine = &world.machines[id.index()];
        let replicas = machine.config.replicas;
        let holders = self.holders(machine, to, replicas);
        let reached = holders.iter().filter(|node| node.by_all || node.machine == id).count();
        let known = self.within_reach_of(machine).len() + self.bystanders.len();
        (reached, known.min(replicas))
    }

    /// Whether somebody answers who holds nothing.
    pub fn has_bystanders(&self) -> bool {
        !self.bystanders.is_empty()
    }

    /// Those whom a machine can reach: of all families in which it has an address.
    pub fn within_reach_of(&self, machine: &Machine) -> &Known {
        match machine.places {
            [Some(_), Some(_)] => &self.either,
            [_, Some(_)] => self.family(Family::V6),
            _ => self.family(Family::V4),
        }
    }
}

/// How a node should be found by others in a family; `None`: it need not be.
fn reachable(id: MachineId, machine: &Machine, family: Family) -> Option<Reachable> {
    let kv = machine.kv().filter(|kv| !kv.node().is_read_only())?;
    let contact = Contact { id: kv.node().id(), endpoint: machine.place(family)? };
    // In Mainline whose id does not follow from the address is asked last (BEP 42). A node has one id: one
    // behind a box has that of the box's address, and only another one of its own may be reached by all.
    let follows = machine.config.node.network != Network::Public
        || secure_id::complies(&contact.id, &contact.endpoint);
    let by_all = follows && (family == Family::V6 || machine.nat.is_none());
    Some(Reachable { contact, machine: id, by_all })
}

/// What is wrong with the result of a lookup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// The closest node is not in it.
    pub closest: bool,
    /// Of the `k` closest, those that are not in it, closest first.
    pub nodes: Vec<Reachable>,
}

impl Missed {
    /// Whether the result is right all the same.
    pub fn is_right(&self) -> bool {
        !self.closest && self.nodes.len() <= 1
    }
}

/// Compares the result of a lookup with the nodes that should have been found. Who cannot be reached by all
/// is only expected where it was found. `lives` tells of a contact that the oracle does not know whether
/// somebody is there all the same: such a one may stand in the place of another.
pub fn missed(
    known: &Known,
    to: &Point,
    k: usize,
    found: &[Contact],
    lives: impl Fn(&Contact) -> bool,
) -> Missed {
    let is_found = |id: &NodeId| found.iter().any(|contact| contact.id == *id);
    let mut expected: Vec<(NodeId, Option<Reachable>)> = Vec::new();
    let mut wanted = k;
    while expected.len() < k && wanted < known.len() + k {
        let closest = known.closest(to, wanted).into_iter();
        let closest = closest.filter(|node| node.by_all || is_found(&node.contact.id));
        expected = closest.map(|node| (node.contact.id, Some(node))).collect();
        wanted *= 2;
    }
    let others = found.iter().filter(|contact| known.get(&contact.id).is_none() && lives(contact));
    expected.extend(others.map(|contact| (contact.id, None)));
    expected.sort_by(|(a, _), (b, _)| by_distance(to, a, b));
    expected.truncate(k);
    let closest = expected.first().is_some_and(|(id, _)| !is_found(id));
    let nodes = expected.into_iter().filter(|(id, _)| !is_found(id));
    Missed { closest, nodes: nodes.filter_map(|(_, node)| node).collect() }
}

fn by_distance(to: &Point, a: &NodeId, b: &NodeId) -> Ordering {
    to.distance(&a.point()).cmp(&to.distance(&b.point()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Endpoint;

    use crate::chance::Chance;
    use crate::network::{Latency, Network, Site};
    use crate::plan::Population;
    use crate::profile::Profile;

    fn nodes(chance: &mut Chance, count: u32) -> Vec<Reachable> {
        let mut node = |number: u32| {
            // Some share their first bytes, as ids near each other do.
            let mut id: [u8; 20] = chance.bytes();
            if chance.happens(0.3) {
                id[..4].copy_from_slice(&[7; 4]);
            }
            let endpoint = Endpoint::v4([10, 0, 0, 1], 1);
            Reachable {
                contact: Contact { id: NodeId::new(id), endpoint },
                machine: MachineId(number),
                by_all: true,
            }
        };
        (0..count).map(&mut node).collect()
    }

    #[test]
    fn the_closest_are_those_that_a_look_at_every_node_finds() {
        for seed in 0..50 {
            let mut chance = Chance::of(seed, "oracle");
            let count = chance.below(300) as u32;
            let all = nodes(&mut chance, count);
            let known = Known::new(all.clone());
            for k in [1, 8, 20, 400] {
                let mut to = Point::new(chance.bytes());
                if chance.happens(0.5) && !all.is_empty() {
                    to = all[0].point();
                }
                let mut slowly = all.clone();
                slowly.sort_by(|a, b| by_distance(&to, &a.contact.id, &b.contact.id));
                slowly.truncate(k);
                assert_eq!(known.closest(&to, k), slowly, "seed {seed}, {k} closest");
            }
        }
    }

    #[test]
    fn who_comes_and_goes_is_known_where_it_counts() {
        let mut chance = Chance::of(6, "come and go");
        let all = nodes(&mut chance, 60);
        let mut known = Known::new(all[..40].to_vec());
        all[20..].iter().for_each(|node| known.add(*node));
        all[..10].iter().for_each(|node| known.remove(&node.contact.id));
        assert_eq!(known.all(), Known::new(all[10..].to_vec()).all());
        let odd = |node: &Reachable| node.machine.0 % 2 == 1;
        let only = Known::new(all[10..].iter().copied().filter(odd).collect());
        let to = Point::new(chance.bytes());
        assert_eq!(known.closest_where(&to, 8, odd), only.closest(&to, 8));
    }

    #[test]
    fn a_node_is_no_neighbour_of_its_own() {
        let all = nodes(&mut Chance::of(3, "neighbours"), 30);
        let known = Known::new(all.clone());
        for node in &all {
            let neighbours = known.neighbours(&node.contact.id, 8);
            assert_eq!(neighbours.len(), 8);
            assert!(neighbours.iter().all(|other| other.machine != node.machine));
        }
        assert_eq!(known.neighbours(&NodeId::new([0; 20]), 40).len(), 30);
    }

    #[test]
    fn bystanders_take_places_of_holders() {
        let known = Known::new(nodes(&mut Chance::of(7, "bystanders"), 40));
        let to = Point::new([9; 20]);
        let closest = known.closest(&to, 8);
        let mut oracle = Oracle { families: [known.clone(), known], ..Oracle::default() };
        let mut world = World::new(1, Network::new(1, Latency::heavy_tail(1)));
        let place = Some(Endpoint::v4([10, 0, 0, 1], 1));
        let population = Population::draw(1, &Profile::ALL[0]);
        let id = world.add(population.config(), Site(0), [place, None]);
        let holders = |oracle: &Oracle| oracle.holders(&world.machines[id.index()], &to, 8);
        assert_eq!(holders(&oracle), closest);
        oracle.bystanders.push(to);
        assert_eq!(holders(&oracle), closest[..7]);
        let far = closest[7].contact.id.point();
        oracle.bystanders.push(Point::new(far.as_bytes().map(|byte| !byte)));
        assert_eq!(holders(&oracle), closest[..7], "one that is further away than all");
    }

    #[test]
    fn a_result_is_right_without_one_of_the_closest_unless_it_is_the_very_closest() {
        let known = Known::new(nodes(&mut Chance::of(4, "right"), 200));
        let to = Point::new([9; 20]);
        let all: Vec<Contact> =
            known.closest(&to, 8).into_iter().map(|node| node.contact).collect();
        let judge = |found: &[Contact]| missed(&known, &to, 8, found, |_| false);
        assert!(judge(&all).is_right() && judge(&all).nodes.is_empty());
        assert!(judge(&all[..7]).is_right());
        assert!(!judge(&all[1..]).is_right() && judge(&all[1..]).closest);
        assert!(!judge(&all[..6]).is_right());
        assert!(!judge(&[]).is_right());
    }

    #[test]
    fn who_lives_beyond_the_reach_of_some_may_stand_in_the_place_of_others_and_the_dead_may_not() {
        let known = Known::new(nodes(&mut Chance::of(5, "beyond"), 200));
        let to = Point::new([9; 20]);
        let mut found: Vec<Contact> =
            known.closest(&to, 6).into_iter().map(|node| node.contact).collect();
        let endpoint = Endpoint::v4([10, 9, 9, 9], 1);
        for last in [1, 2] {
            let mut id = [9; 20];
            id[19] = last;
            found.push(Contact { id: NodeId::new(id), endpoint });
        }
        assert!(missed(&known, &to, 8, &found, |_| true).is_right());
        assert!(!missed(&known, &to, 8, &found, |_| false).is_right());
    }

    #[test]
    fn who_is_behind_a_box_need_not_be_found_and_may_be() {
        let mut all = nodes(&mut Chance::of(6, "boxes"), 200);
        let to = Point::new([9; 20]);
        let closest: Vec<Reachable> = Known::new(all.clone()).closest(&to, 12);
        for node in &mut all {
            node.by_all = !closest[..4].contains(node);
        }
        let known = Known::new(all);
        let contacts: Vec<Contact> = closest.iter().map(|node| node.contact).collect();
        let judge = |found: &[Contact]| missed(&known, &to, 8, found, |_| true);
        assert!(judge(&contacts[4..12]).is_right());
        assert!(judge(&contacts[..8]).is_right());
        assert!(!judge(&contacts[6..12]).is_right());
    }
}
