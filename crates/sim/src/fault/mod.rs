//! What goes wrong, one fault a file, each for a while. To add one, copy the smallest, `loss`, and
//! name it in [`KINDS`].

mod address_change;
pub mod attack;
mod bit_flips;
mod bit_rot;
mod burst;
mod clock_jump;
mod clock_spike;
mod duplication;
mod exodus;
mod failing_disk;
mod flash_crowd;
mod full_disk;
mod heavy_churn;
mod kill;
mod lag;
mod leave;
mod loss;
mod mass_restart;
mod mtu;
mod nat_restart;
mod non_transitive;
mod one_way;
mod partition;
mod pause;
mod poisson_churn;
mod policing;
mod power;
mod reordering;
mod sessions;
mod slow_disk;
mod slow_machine;
#[cfg(test)]
mod tests;
mod truncation;
mod weather;

use core::time::Duration;

use store::SimulatedDisk;

use crate::chance::Chance;
use crate::network::ConditionId;
use crate::plan::{Population, Setting};
use crate::world::{MachineId, World};

/// Something that goes wrong for a while.
pub trait Fault {
    /// What it is, with its measure, for people.
    fn describe(&self) -> String;

    /// It begins.
    fn begin(&mut self, stage: &mut Stage<'_>);

    /// An alarm of its own rings.
    fn rings(&mut self, _: &mut Stage<'_>, _number: u32) {}

    /// It ends. Whatever it did to the network under its id has ended already.
    fn end(&mut self, _: &mut Stage<'_>) {}
}

/// Where a fault acts.
pub struct Stage<'s> {
    /// The world.
    pub world: &'s mut World,
    /// Who lives in it, for those who come later.
    pub population: &'s Population,
    /// The fault's own chance.
    pub chance: &'s mut Chance,
    /// The number under which it changes the network.
    pub condition: ConditionId,
    pub(crate) whose: u32,
}

impl Stage<'_> {
    /// Lets [`Fault::rings`] be called with this number after a while, unless the fault has ended.
    pub fn alarm_in(&mut self, span: Duration, number: u32) {
        let at = self.world.now() + span;
        self.world.alarm(at, crate::world::Alarm { whose: self.whose, number });
    }

    /// A machine that was never there before joins.
    pub fn newcomer(&mut self) -> MachineId {
        let id = self.population.add_machine(self.world);
        self.world.start(id);
        id
    }

    /// The device below the store of a machine, if it has one.
    pub fn device(&mut self, id: MachineId) -> Option<&mut SimulatedDisk> {
        self.world.machines[id.index()].disk.as_mut()?.device()
    }

    /// Starts what is down of these, unless it is gone for good.
    pub fn start_again(&mut self, down: &mut Vec<MachineId>) {
        for id in down.drain(..) {
            self.world.start(id);
        }
    }

    /// So many different machines on which nodes run, at least one if there is any, the doors left out if
    /// `not_doors`.
    pub fn some_living(&mut self, share: f64, not_doors: bool) -> Vec<MachineId> {
        let (world, chance) = (&*self.world, &mut *self.chance);
        let is_door = |id: MachineId| {
            let places = world.machines[id.index()].places;
            places.into_iter().flatten().any(|place| world.doors.contains(&place))
        };
        let mut living: Vec<MachineId> = world.living().collect();
        living.retain(|id| world.machines[id.index()].kv().is_some());
        let wanted = ((living.len() as f64 * share).round() as usize).max(1);
        living.retain(|id| !(not_doors && is_door(*id)));
        chance.shuffle(&mut living);
        living.truncate(wanted);
        living.sort();
        living
    }
}

/// A kind of fault.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name, as users write it.
    pub name: &'static str,
    /// What it is about: `network`, `partition`, `process`, `churn`, `disk`, `clock`, `address`,
    /// `attack`.
    pub group: &'static str,
    /// Draws one.
    pub draw: fn(&mut Chance, &Setting) -> Box<dyn Fault>,
}

/// All kinds of faults.
pub const KINDS: &[Kind] = &[
    Kind { name: "loss", group: "network", draw: loss::draw },
    Kind { name: "burst", group: "network", draw: burst::draw },
    Kind { name: "duplication", group: "network", draw: duplication::draw },
    Kind { name: "reordering", group: "network", draw: reordering::draw },
    Kind { name: "truncation", group: "network", draw: truncation::draw },
    Kind { name: "bit-flips", group: "network", draw: bit_flips::draw },
    Kind { name: "mtu", group: "network", draw: mtu::draw },
    Kind { name: "policing", group: "network", draw: policing::draw },
    Kind { name: "lag", group: "network", draw: lag::draw },
    Kind { name: "one-way", group: "partition", draw: one_way::draw },
    Kind { name: "partition", group: "partition", draw: partition::draw },
    Kind { name: "non-transitive", group: "partition", draw: non_transitive::draw },
    Kind { name: "kill", group: "process", draw: kill::draw },
    Kind { name: "power", group: "process", draw: power::draw },
    Kind { name: "pause", group: "process", draw: pause::draw },
    Kind { name: "slow-machine", group: "process", draw: slow_machine::draw },
    Kind { name: "leave", group: "process", draw: leave::draw },
    Kind { name: "mass-restart", group: "process", draw: mass_restart::draw },
    Kind { name: "poisson-churn", group: "churn", draw: poisson_churn::draw },
    Kind { name: "heavy-churn", group: "churn", draw: heavy_churn::draw },
    Kind { name: "flash-crowd", group: "churn", draw: flash_crowd::draw },
    Kind { name: "exodus", group: "churn", draw: exodus::draw },
    Kind { name: "full-disk", group: "disk", draw: full_disk::draw },
    Kind { name: "failing-disk", group: "disk", draw: failing_disk::draw },
    Kind { name: "slow-disk", group: "disk", draw: slow_disk::draw },
    Kind { name: "bit-rot", group: "disk", draw: bit_rot::draw },
    Kind { name: "clock-jump", group: "clock", draw: clock_jump::draw },
    Kind { name: "clock-spike", group: "clock", draw: clock_spike::draw },
    Kind { name: "address-change", group: "address", draw: address_change::draw },
    Kind { name: "nat-restart", group: "address", draw: nat_restart::draw },
    attack::kind::<crate::attack::desert::Desert>(),
    attack::kind::<crate::attack::eclipse::Eclipse>(),
    attack::kind::<crate::attack::flood::Flood>(),
    attack::kind::<crate::attack::forgers::Forgers>(),
    attack::kind::<crate::attack::forgetful::Forgetful>(),
    attack::kind::<crate::attack::ghosts::Ghosts>(),
    attack::kind::<crate::attack::impostors::Impostors>(),
    attack::kind::<crate::attack::mirage::Mirage>(),
    attack::kind::<crate::attack::reflection::Reflection>(),
    attack::kind::<crate::attack::replay::Replay>(),
    attack::kind::<crate::attack::siege::Siege>(),
    attack::kind::<crate::attack::spam::Spam>(),
    attack::kind::<crate::attack::stale::Stale>(),
    attack::kind::<crate::attack::stuffing::Stuffing>(),
    attack::kind::<crate::attack::sybils::Sybils>(),
    attack::kind::<crate::attack::crosswise::Crosswise>(),
    attack::kind::<crate::attack::doubles::Doubles>(),
    attack::kind::<crate::attack::endless::Endless>(),
    attack::kind::<crate::attack::foreigners::Foreigners>(),
    attack::kind::<crate::attack::liars::Liars>(),
    attack::kind::<crate::attack::twins::Twins>(),
];
