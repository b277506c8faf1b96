//! Gangs of attackers come, behave for a while, strike, and go.

use core::fmt::Write;
use core::time::Duration;

use kv::Namespace;
use wire::{Contact, Endpoint, Scope};

use super::{Fault, Kind, Stage};
use crate::attack::gauge::Gauge;
use crate::attack::{Gang, Grounds, Hostile, Scheme, Silence};
use crate::chance::Chance;
use crate::network::Site;
use crate::plan::Setting;
use crate::workload;
use crate::world::{Actor, MachineId, World};

/// Keys of the work that users do which an attack knows.
const KEYS: u32 = 8;

/// Sites of attackers begin here: machines have lower numbers.
const FIRST_SITE: u32 = 1 << 24;

/// The longest part of a run that a gang behaves before it strikes.
const BEHAVES: f64 = 0.05;

struct Attacked<S> {
    /// The share of all nodes that are members.
    share: f64,
    behaves: Duration,
    scheme: Option<S>,
    about: String,
    machine: Option<MachineId>,
    victim: Option<MachineId>,
}

/// The kind of fault that a scheme is.
pub const fn kind<S: Scheme + 'static>() -> Kind {
    Kind { name: S::NAME, group: "attack", draw: draw::<S> }
}

fn draw<S: Scheme + 'static>(chance: &mut Chance, setting: &Setting) -> Box<dyn Fault> {
    let share = 0.02 + 0.48 * chance.share();
    let behaves = setting.span.mul_f64(BEHAVES * chance.share());
    let scheme = S::draw(chance);
    let members = scheme.members().unwrap_or_else(|| members(setting.nodes as usize, share));
    let about = format!("a gang of {members}: {}", scheme.describe());
    let scheme = Some(scheme);
    Box::new(Attacked { share, behaves, scheme, about, machine: None, victim: None })
}

impl<S: Scheme + 'static> Fault for Attacked<S> {
    fn describe(&self) -> String {
        self.about.clone()
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        let Some(scheme) = self.scheme.take() else { return };
        let mut chance = Chance::from_number(stage.chance.u64());
        let mut grounds = grounds(stage.world);
        let count = scheme.members().unwrap_or_else(|| members(grounds.honest.len(), self.share));
        let global =
            grounds.honest.first().is_some_and(|one| one.endpoint.scope() == Scope::Global);
        let first_site = FIRST_SITE + (stage.whose << 12);
        grounds.places = (0..count).map(|_| place(stage.world, &mut chance, global)).collect();
        if S::HAS_VICTIM {
            let at = place(stage.world, &mut chance, global);
            self.victim = Some(settle(stage.world, &[at], first_site - 1));
            grounds.victim = Some(at);
        }
        let strikes_at = stage.world.now() + self.behaves;
        let machine = settle(stage.world, &grounds.places, first_site);
        let hostile = Hostile::new(Gang::new(chance, grounds, strikes_at), scheme).enlisted();
        stage.world.start_attack(machine, Box::new(hostile));
        if let Some(victim) = self.victim {
            stage.world.start_attack(victim, Box::new(Gauge::default()));
        }
        self.machine = Some(machine);
    }

    fn end(&mut self, stage: &mut Stage<'_>) {
        let mut told = format!("attack {} ends", S::NAME);
        for (name, id) in [("gang", self.machine), ("victim", self.victim)] {
            let Some(id) = id else { continue };
            if let Actor::Attacker(attack) = &stage.world.machines[id.index()].actor {
                let _ = write!(told, "; {name}: {:?}", attack.tally());
            }
            stage.world.start_attack(id, Box::new(Silence));
        }
        let now = stage.world.now();
        stage.world.trace.note(now, &told);
    }
}

/// How many members make this share of all nodes, beside so many honest ones.
pub fn members(honest: usize, share: f64) -> usize {
    ((honest as f64 * share / (1.0 - share)).round() as usize).max(1)
}

/// What an attack finds in a world: all nodes, and the keys that users ask for most.
pub fn grounds(world: &World) -> Grounds {
    let mut grounds = Grounds::default();
    for id in world.living() {
        let machine = &world.machines[id.index()];
        let Some(kv) = machine.kv() else { continue };
        grounds.network = kv.node().network().tag();
        let places = machine.places.iter().flatten();
        let contact = |endpoint: &Endpoint| Contact { id: kv.node().id(), endpoint: *endpoint };
        grounds.honest.extend(places.map(contact));
    }
    let target = |key| Namespace::default().target(&workload::name(key));
    grounds.keys = (1..=KEYS).map(target).collect();
    grounds
}

/// An address that nobody has.
pub fn place(world: &World, chance: &mut Chance, global: bool) -> Endpoint {
    loop {
        let [a, b, c, d] = chance.bytes();
        let place = match global {
            true => Endpoint::v4([a, b, c, d], 6881),
            false => Endpoint::v4([10, 64 | a & 63, b, c], 6881),
        };
        let fits = (place.scope() == Scope::Global) == global;
        if fits && world.at(&place).is_none() {
            return place;
        }
    }
}

/// A machine with these addresses, each at a site of its own.
pub fn settle(world: &mut World, places: &[Endpoint], first_site: u32) -> MachineId {
    let id = world.add(kv::Config::default(), Site(first_site), [None, None]);
    for (number, place) in (0..).zip(places) {
        world.add_place(id, *place, Site(first_site + number));
    }
    id
}
