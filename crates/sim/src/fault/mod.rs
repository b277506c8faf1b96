//! What goes wrong, one fault a file, each for a while. To add one, copy the smallest, [`loss`], and
//! name it in [`KINDS`].

mod loss;
mod power;

use core::time::Duration;

use crate::chance::Chance;
use crate::network::ConditionId;
use crate::plan::Setting;
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

    /// So many different machines on which nodes run, the doors left out if `not_doors`.
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
    /// What it is about: `network`, `process`, `churn`, `disk`, `clock`, `attack`.
    pub group: &'static str,
    /// Draws one.
    pub draw: fn(&mut Chance, &Setting) -> Box<dyn Fault>,
}

/// All kinds of faults.
pub const KINDS: &[Kind] = &[
    Kind { name: "loss", group: "network", draw: loss::draw },
    Kind { name: "power", group: "process", draw: power::draw },
];
