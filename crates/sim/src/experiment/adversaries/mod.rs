//! What lookups and gets come to the more nodes are hostile, and under siege of one key.
//!
//! Each attack meets two networks of as many honest nodes. In the public one, ids follow from addresses
//! (BEP 42), and tables take few of each network. In one of its own at private addresses anybody who
//! knows its tag takes any id: nothing but a network key keeps attackers out, and this one has none.

mod section;
pub mod town;

use core::time::Duration;

use kv::Namespace;
use wire::Point;

use super::{Host, Wishes};
use crate::attack::desert::Desert;
use crate::attack::forgetful::Forgetful;
use crate::attack::ghosts::Ghosts;
use crate::attack::impostors::Impostors;
use crate::attack::mirage::Mirage;
use crate::attack::siege::Siege;
use crate::attack::stuffing::Stuffing;
use crate::attack::sybils::Sybils;
use crate::attack::{Grounds, Scheme};
use crate::chance::Chance;
use crate::fault::attack::members;
use crate::report::Section;
use crate::world::MachineId;
use town::{Ground, Score, Town};

/// The share of hostile nodes that all attacks are tried at; the mark is for it.
const MARKED: f64 = 0.2;

/// Values that are put before anybody strikes.
const VALUES: usize = 100;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Sizes {
    /// Honest nodes.
    pub honest: usize,
    /// Shares of all nodes that are hostile.
    pub shares: Vec<f64>,
    /// Members of a gang around one key.
    pub sieges: Vec<usize>,
    /// Lookups and gets in each network.
    pub asked: usize,
}

impl Sizes {
    /// All of it.
    pub fn full() -> Self {
        let shares = vec![0.0, 0.1, 0.2, 0.3, 0.4, 0.5];
        Self { honest: 1000, shares, sieges: vec![16, 64, 256, 1024], asked: 500 }
    }

    /// Enough to see what comes of a change.
    pub fn quick() -> Self {
        Self { honest: 300, shares: vec![0.0, 0.2, 0.5], sieges: vec![16, 256], asked: 200 }
    }
}

/// How one network fared.
#[derive(Clone, Debug)]
pub struct Fared {
    /// Which network.
    pub ground: Ground,
    /// The attack.
    pub scheme: &'static str,
    /// Hostile nodes.
    pub members: usize,
    /// The share of all nodes that they are.
    pub share: f64,
    /// Values that were stored before they struck.
    pub stored: usize,
    /// Lookups and gets after they struck: around one key, for that key alone.
    pub score: Score,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Adversaries {
    /// What was asked for.
    pub sizes: Sizes,
    /// Hostile nodes at random ids.
    pub random: Vec<Fared>,
    /// Further attacks of nodes at random ids, in the public network, where a fifth are hostile.
    pub others: Vec<Fared>,
    /// Hostile nodes around one key.
    pub around: Vec<Fared>,
}

/// So many further attacks there are.
const OTHERS: usize = 5;

const GROUNDS: [Ground; 2] = [Ground::Public, Ground::Private];

/// Measures it.
pub fn run(seed: u64, sizes: Sizes, host: &mut dyn Host) -> Adversaries {
    let networks = GROUNDS.len() * (2 * sizes.shares.len() + sizes.sieges.len()) + OTHERS;
    let mut bench = Bench { seed, sizes: &sizes, host, done: 0, networks };
    let (mut random, mut around) = (Vec::new(), Vec::new());
    for ground in GROUNDS {
        for share in &sizes.shares {
            random.push(bench.at_random(ground, *share, |_| Sybils));
            random.push(bench.at_random(ground, *share, |_| Mirage::of(1, true)));
        }
        around.extend(sizes.sieges.iter().map(|members| bench.around_a_key(ground, *members)));
    }
    let others = bench.others();
    Adversaries { sizes, random, others, around }
}

/// One network after the other.
struct Bench<'b> {
    seed: u64,
    sizes: &'b Sizes,
    host: &'b mut dyn Host,
    done: usize,
    networks: usize,
}

impl Bench<'_> {
    fn town<S: Scheme + 'static>(
        &mut self,
        ground: Ground,
        members: usize,
        scheme: impl FnOnce(&Grounds) -> S,
    ) -> (Town, usize) {
        let Sizes { honest, .. } = *self.sizes;
        self.host.doing(&format!("network {} of {}, {}", self.done + 1, self.networks, S::NAME));
        self.host.progress(self.done as f64 / self.networks as f64);
        self.done += 1;
        let mut town = Town::gather(self.seed, ground, honest, members, scheme);
        let stored = town.put(VALUES);
        town.strike();
        (town, stored)
    }

    fn at_random<S: Scheme + 'static>(
        &mut self,
        ground: Ground,
        share: f64,
        scheme: impl FnOnce(&Grounds) -> S,
    ) -> Fared {
        let count = if share > 0.0 { members(self.sizes.honest, share) } else { 0 };
        let (mut town, stored) = self.town(ground, count, scheme);
        let mut score = town.look(self.sizes.asked);
        town.get(VALUES, self.sizes.asked, &mut score);
        Fared { ground, scheme: S::NAME, members: count, share, stored, score }
    }

    fn others(&mut self) -> Vec<Fared> {
        let fared: [Fared; OTHERS] = [
            self.at_random(Ground::Public, MARKED, |_| Ghosts),
            self.at_random(Ground::Public, MARKED, |_| Desert::draw(&mut Chance::from_number(1))),
            self.at_random(Ground::Public, MARKED, |_| Forgetful),
            self.at_random(Ground::Public, MARKED, |_| Impostors),
            self.at_random(Ground::Public, MARKED, |_| Stuffing),
        ];
        fared.into()
    }

    fn around_a_key(&mut self, ground: Ground, members: usize) -> Fared {
        let key = Namespace::default().target(&town::name(0));
        let (mut town, stored) = self.town(ground, members, |_| Siege::of(members, Some(key)));
        let askers = town.honest.iter().copied().cycle().take(self.sizes.asked);
        let asks: Vec<(MachineId, Point)> = askers.map(|asker| (asker, key.point())).collect();
        let mut score = town.look_for(&asks);
        town.get(1, self.sizes.asked, &mut score);
        let share = members as f64 / (members + self.sizes.honest) as f64;
        Fared { ground, scheme: Siege::NAME, members, share, stored, score }
    }
}

impl Fared {
    /// Per cent of lookups.
    fn of_lookups(&self, count: usize) -> f64 {
        100.0 * count as f64 / self.score.lookups as f64
    }

    /// How long a lookup took, in the mean.
    fn took(&self) -> Duration {
        self.score.took.div_f64(self.score.lookups.max(1) as f64)
    }
}

/// The experiment.
pub fn experiment(wishes: &Wishes, host: &mut dyn Host) -> Section {
    let sizes = if wishes.quick { Sizes::quick() } else { Sizes::full() };
    let honest = wishes.nodes.map_or(sizes.honest, |nodes| nodes as usize);
    section::of(&run(wishes.seed, Sizes { honest, ..sizes }, host))
}
