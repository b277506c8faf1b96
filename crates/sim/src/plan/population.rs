//! Who lives in a world: which kind of network its machines form, and what each machine is.
//!
//! A machine follows from the seed and its own number: a smaller world has the same first machines.

use core::fmt;
use core::time::Duration;

use node::{Network, NetworkKey};
use wire::Endpoint;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::network::Site;
use crate::profile::Profile;
use crate::router::Router;
use crate::world::{Dependence, Habits, MachineId, NatId, World};

/// Machines that all others may join through; in Mainline those are routers.
pub const DOORS: u32 = 3;

/// Routers of Mainline: one more than must agree before a node believes where it is seen.
const ROUTERS: u32 = 4;

/// Addresses follow from serial numbers of so many bits: machines count from 0, addresses that they move
/// to from [`MOVED`], boxes from [`BOXES`].
const SERIAL_BITS: u32 = 24;
const MOVED: u32 = 1 << 22;
const BOXES: u32 = 1 << 23;

/// Sites of boxes count from here, away from those of machines.
const BOX_SITES: u32 = 1 << 24;

/// What kind of network the machines form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One's own, at private addresses.
    Private,
    /// One's own, at global addresses.
    Global,
    /// Mainline, by its rules: global addresses, ids that follow from them, nobody answers before it knows
    /// that it can be reached.
    Mainline,
}

/// Which address families machines have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
    /// Both.
    Dual,
}

/// How wrong clocks are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrongness {
    /// How much too fast or too slow they run at most, in millionths.
    pub drift_ppm: u32,
    /// How far ahead or behind they are set at most.
    pub offset: Duration,
}

/// Who lives in a world.
#[derive(Clone, Debug)]
pub struct Population {
    seed: u64,
    /// What kind of network it is.
    pub kind: Kind,
    /// Which families machines have.
    pub stack: Stack,
    /// Whether all is sealed with a network key.
    pub sealed: bool,
    /// The share of machines behind boxes that translate addresses, 0 to 1.
    pub behind_nat: f64,
    /// How many boxes there are.
    pub boxes: u32,
    /// How wrong clocks are.
    pub clocks: Wrongness,
    /// The share of machines that have disks, 0 to 1.
    pub disks: f64,
    /// How many nodes shall hold each record.
    pub replicas: usize,
}

/// What a machine is to be.
#[derive(Clone, Debug)]
struct Blueprint {
    site: Site,
    places: [Option<Endpoint>; 2],
    nat: Option<NatId>,
    clock: Clock,
    disk: bool,
}

/// How far off clocks are in sealed networks at most: a node hears no question that is older than its own
/// start, so that whose clock is behind is silent to who has just started, and ten minutes between two
/// clocks part them for good.
pub const HEARD_WITHIN: Duration = Duration::from_secs(30);

impl Population {
    /// Draws one. Each trait has a stream of its own.
    pub fn draw(seed: u64, profile: &Profile) -> Self {
        let of = |stream: &str| Chance::of(seed, stream);
        let behind_nat = match of("behind nat").happens(profile.nat) {
            true => 0.1 + 0.6 * of("nat share").share(),
            false => 0.0,
        };
        let kind = match of("kind").below(10) {
            0..=6 if behind_nat <= 0.0 => Kind::Private,
            7..=8 => Kind::Mainline,
            _ => Kind::Global,
        };
        let stack = match of("stack").below(10) {
            0..=6 => Stack::V4,
            7 if behind_nat <= 0.0 => Stack::V6,
            _ => Stack::Dual,
        };
        let sealed = kind != Kind::Mainline && of("sealed").happens(0.25);
        let boxes = of("boxes").between(1, 8) as u32;
        let mut clocks = clocks(&mut of("clocks"), profile);
        if sealed {
            clocks.offset = clocks.offset.min(HEARD_WITHIN);
        }
        let disks = *of("disks").pick(&[0.0, 0.5, 1.0]).unwrap_or(&1.0);
        let replicas = of("replicas").between(3, 8) as usize;
        Self { seed, kind, stack, sealed, behind_nat, boxes, clocks, disks, replicas }
    }

    /// Adds to an empty world what is there before its machines: boxes, and routers in Mainline.
    pub fn prepare(&self, world: &mut World) {
        if self.kind == Kind::Mainline {
            for number in 0..ROUTERS {
                let places = self.places(number, false);
                let id = world.add(self.config(), Site(number), places);
                world.doors.extend(places.into_iter().flatten());
                let mut chance = Chance::of_one(self.seed, "router", number.into());
                world.start_attack(id, Box::new(Router::new(&mut chance)));
            }
        }
        if self.behind_nat > 0.0 {
            for number in 0..self.boxes {
                let public = self.box_place(number);
                world.add_nat(public, habits(&mut Chance::of_one(self.seed, "nat", number.into())));
            }
        }
    }

    /// Adds the next machine to a world: the first ones are doors. Nothing runs on it yet.
    pub fn add_machine(&self, world: &mut World) -> MachineId {
        let number = world.machines.len() as u32;
        let door = self.kind != Kind::Mainline && number < DOORS;
        let blueprint = self.blueprint(number, door);
        let id = world.add(self.config(), blueprint.site, blueprint.places);
        if door {
            world.doors.extend(blueprint.places.into_iter().flatten());
        }
        if let Some(nat) = blueprint.nat {
            world.put_behind(id, nat);
        }
        if blueprint.disk {
            world.give_disk(id);
        }
        world.machines[id.index()].clock = blueprint.clock;
        id
    }

    /// Moves a machine to addresses that nobody had before.
    pub fn move_machine(&self, world: &mut World, id: MachineId) {
        let serial = MOVED + world.moves();
        let inside = world.machines[id.index()].nat.is_some();
        world.readdress(id, self.places(serial, inside));
    }

    /// An address for a box that nobody had before.
    pub fn fresh_box_place(&self, world: &World) -> Endpoint {
        self.box_place(world.nats().len() as u32 + world.moves())
    }

    /// What a node is told before it starts.
    pub fn config(&self) -> kv::Config {
        let network = match self.kind {
            Kind::Private | Kind::Global => Network::named("xorbit"),
            Kind::Mainline => Network::Public,
        };
        let key = Chance::of(self.seed, "network key").bytes();
        let network_key = self.sealed.then(|| NetworkKey::from_secret(key));
        let node = node::Config { network, network_key, ..node::Config::default() };
        kv::Config { node, replicas: self.replicas }
    }

    fn blueprint(&self, number: u32, door: bool) -> Blueprint {
        let mut chance = Chance::of_one(self.seed, "machine", number.into());
        // All is drawn, whether it is used or not, so that one trait shifts no other.
        let disk = chance.happens(self.disks);
        let (drift, ahead) = (2.0 * chance.share() - 1.0, 2.0 * chance.share() - 1.0);
        let drift_ppm = (drift * f64::from(self.clocks.drift_ppm)) as i32;
        let ahead_ms = (ahead * self.clocks.offset.as_millis() as f64) as i64;
        let behind = chance.happens(self.behind_nat) && !door;
        let nat = chance.below(self.boxes as usize) as u32;
        Blueprint {
            site: if behind { Site(BOX_SITES + nat) } else { Site(number) },
            places: self.places(number, behind),
            nat: behind.then_some(NatId(nat)),
            clock: Clock::new(drift_ppm, ahead_ms),
            disk,
        }
    }

    fn places(&self, serial: u32, inside: bool) -> [Option<Endpoint>; 2] {
        let private = self.kind == Kind::Private;
        let v4 = if private || inside { private_v4(serial) } else { global_v4(serial) };
        let v6 = if private { v6(0xfd00, serial) } else { v6(0x2a00, serial) };
        let has = |stack| self.stack == Stack::Dual || self.stack == stack;
        [has(Stack::V4).then_some(v4), has(Stack::V6).then_some(v6)]
    }

    fn box_place(&self, number: u32) -> Endpoint {
        global_v4(BOXES + number).with_port(0)
    }
}

/// How wrong the clocks of a world are: as those that a time service keeps, or as those that nobody keeps.
fn clocks(chance: &mut Chance, profile: &Profile) -> Wrongness {
    let kept = Wrongness { drift_ppm: 20, offset: Duration::from_millis(50) };
    if !chance.happens(profile.wrong_clocks) {
        return if chance.happens(0.5) { Wrongness::default() } else { kept };
    }
    // A cheap crystal is off by 100 ppm; 2,000 is one that is broken.
    let drift_ppm = *chance.pick(&[100, 500, 2_000]).unwrap_or(&100);
    Wrongness { drift_ppm, offset: Duration::from_secs(chance.between(1, 600)) }
}

fn habits(chance: &mut Chance) -> Habits {
    let any = [Dependence::Independent, Dependence::Address, Dependence::AddressAndPort];
    // Most boxes map independently of the remote address, as RFC 4787 demands, and filter.
    let mapping = if chance.happens(0.7) { any[0] } else { any[2] };
    Habits {
        mapping,
        filtering: *chance.pick(&any).unwrap_or(&any[2]),
        keeps: chance.span(Duration::from_secs(30), Duration::from_secs(300)),
        ports: *chance.pick(&[64, 1024, 60_000]).unwrap_or(&1024),
        hairpin: chance.happens(0.5),
    }
}

/// Brings serial numbers into an order in which neighbours lie in networks of their own.
fn scattered(serial: u32) -> [u8; 4] {
    // Odd, so that all numbers below 2^24 come out once.
    let mixed = serial.wrapping_mul(0x9e_37_79) & ((1 << SERIAL_BITS) - 1);
    mixed.to_be_bytes()
}

fn private_v4(serial: u32) -> Endpoint {
    let [_, a, b, c] = serial.to_be_bytes();
    Endpoint::v4([10, a, b, c], 8000)
}

fn global_v4(serial: u32) -> Endpoint {
    let [_, a, b, c] = scattered(serial);
    // 16/8 to 95/8 are all global.
    Endpoint::v4([16 + c % 80, a, b, c], 8000)
}

fn v6(first: u16, serial: u32) -> Endpoint {
    let [high, low] = first.to_be_bytes();
    let [_, a, b, c] = scattered(serial);
    Endpoint::v6([high, low, a, b, c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 8000)
}

impl fmt::Display for Population {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Private => "a network of their own at private addresses",
            Kind::Global => "a network of their own at global addresses",
            Kind::Mainline => "Mainline by its rules",
        };
        let stack = match self.stack {
            Stack::V4 => "IPv4",
            Stack::V6 => "IPv6",
            Stack::Dual => "IPv4 and IPv6",
        };
        let sealed = if self.sealed { ", sealed" } else { "" };
        writeln!(f, "  {kind}, {stack}{sealed}")?;
        if self.behind_nat > 0.0 {
            let percent = self.behind_nat * 100.0;
            writeln!(f, "  {percent:.0} % of machines behind {} NATs", self.boxes)?;
        }
        writeln!(f, "  {:.0} % of machines with disks", self.disks * 100.0)?;
        writeln!(f, "  {} replicas of each record", self.replicas)?;
        let Wrongness { drift_ppm, offset } = self.clocks;
        writeln!(f, "  clocks off by up to {} ms and {drift_ppm} ppm", offset.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wire::Scope;

    use super::*;

    #[test]
    fn no_two_machines_have_one_address_and_each_is_of_its_scope() {
        let serials = || (0..5_000).chain(MOVED..MOVED + 5_000).chain(BOXES..BOXES + 5_000);
        for (address, scope) in [
            (private_v4 as fn(u32) -> Endpoint, Scope::Private),
            (global_v4, Scope::Global),
            (|serial| v6(0xfd00, serial), Scope::Private),
            (|serial| v6(0x2a00, serial), Scope::Global),
        ] {
            let all: BTreeSet<Endpoint> = serials().map(address).collect();
            assert_eq!(all.len(), 15_000);
            assert!(all.iter().all(|place| place.scope() == scope), "{scope:?}");
        }
    }
}
