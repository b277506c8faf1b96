//! What users do meanwhile. One kind of work, one file: to add one, copy the smallest, `items`, and
//! name it in `Workload::new`.

mod batches;
pub mod desk;
#[cfg(test)]
mod fixture;
mod items;
pub mod keys;
mod large;
mod peers;
mod promises;
mod registers;
mod sets;
mod swaps;
pub mod values;
mod watches;

use core::time::Duration;

use kv::{Done, Event, RequestId};
use rand_distr::Exp;

use crate::chance::Chance;
use crate::check::Trouble;
use crate::history::{History, Operation, Told};
use crate::world::{MachineId, Violation, World};
use desk::{Desk, Ticket, UnderWay, nodes};
use keys::Keys;
pub use keys::name;

/// A kind of work.
pub trait Kind {
    /// Its name, for people.
    fn name(&self) -> &'static str;

    /// A user does it at a machine.
    fn act(&mut self, desk: &mut Desk<'_>, machine: MachineId);

    /// What was asked under this number has come to this.
    fn done(&mut self, desk: &mut Desk<'_>, number: u64, done: &Done);

    /// What was asked under this number ended with its machine.
    fn cut(&mut self, desk: &mut Desk<'_>, number: u64);

    /// A node tells something of what was asked under this number.
    fn told(&mut self, _: &mut Desk<'_>, _number: u64, _: &Event) {}

    /// Whether its requests end by themselves.
    fn ends(&self) -> bool {
        true
    }

    /// The network is at rest: asks what must be answered rightly now, a little each turn, for nodes say
    /// no more at a time to strangers than their pace allows. Tells whether there is more.
    fn look_at_rest(&mut self, _: &mut Desk<'_>, _turn: usize) -> bool {
        false
    }

    /// Judges what it was told, in all.
    fn judge(&self, _: &Judgement<'_>, _: &mut Vec<Violation>) -> Option<Tally> {
        None
    }
}

/// What a kind of work is judged by, at the end.
pub struct Judgement<'j> {
    /// The world.
    pub world: &'j World,
    /// When what was going on.
    pub trouble: &'j Trouble,
    /// What was asked and answered.
    pub history: &'j History,
}

/// How much was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What was found to be right.
    pub right: u64,
    /// What nothing was promised of: all who held it had lost it, or the network was in trouble.
    pub excused: u64,
}

/// What users do.
pub struct Workload {
    /// What they asked of keys, and heard.
    pub history: History,
    /// Where the keys live.
    pub keys: Keys,
    chance: Chance,
    gaps: Exp<f64>,
    kinds: Vec<(usize, Box<dyn Kind>)>,
    values: u64,
    under_way: UnderWay,
}

impl Workload {
    /// So many requests a second, to so many keys of the usual kind.
    ///
    /// # Panics
    /// Never.
    pub fn new(seed: u64, requests_per_s: f64, keys: u32) -> Self {
        let gaps = Exp::new(requests_per_s.max(1e-6)).expect("a positive rate");
        let mut chance = Chance::of(seed, "workload");
        let all: [(usize, Box<dyn Kind>); 9] = [
            (70, Box::new(registers::Registers::new(keys))),
            (2, Box::new(batches::Batches::new(keys))),
            (6, Box::new(swaps::Swaps::default())),
            (3, Box::new(watches::Watches::new(keys))),
            (2, Box::new(large::Large::default())),
            (8, Box::new(sets::Sets::new(seed))),
            (4, Box::new(items::Items::default())),
            (3, Box::new(peers::Peers::default())),
            (1, Box::new(promises::Promises::default())),
        ];
        // Some kinds are left out of each run, so that the others are seen on their own.
        let kinds = all.into_iter().enumerate();
        let kinds = kinds.filter(|(place, _)| *place == 0 || chance.happens(0.7));
        Self {
            kinds: kinds.map(|(_, kind)| kind).collect(),
            history: History::default(),
            keys: Keys::draw(seed),
            chance,
            gaps,
            values: 0,
            under_way: UnderWay::default(),
        }
    }

    /// How long until the next request.
    pub fn gap(&mut self) -> Duration {
        Duration::from_secs_f64(self.chance.draw::<f64>(&self.gaps).clamp(1e-6, 3600.0))
    }

    /// Somebody asks for something somewhere.
    pub fn act(&mut self, world: &mut World) {
        let Some(machine) = self.chance.pick(&nodes(world)).copied() else { return };
        let all: usize = self.kinds.iter().map(|(weight, _)| weight).sum();
        let mut drawn = self.chance.below(all);
        let mut kind = 0;
        while drawn >= self.kinds[kind].0 {
            drawn -= self.kinds[kind].0;
            kind += 1;
        }
        self.at_desk(world, kind, |kind, desk| kind.act(desk, machine));
    }

    fn at_desk(
        &mut self,
        world: &mut World,
        kind: usize,
        act: impl FnOnce(&mut dyn Kind, &mut Desk<'_>),
    ) {
        let mut desk = Desk {
            world,
            chance: &mut self.chance,
            history: &mut self.history,
            keys: &self.keys,
            values: &mut self.values,
            under_way: &mut self.under_way,
            kind,
        };
        act(self.kinds[kind].1.as_mut(), &mut desk);
    }

    /// A node tells something; `false` if it is nothing of a user's.
    pub fn told(&mut self, world: &mut World, machine: MachineId, event: &Event) -> bool {
        let life = world.machines[machine.index()].life;
        let of = |id: &RequestId| (machine, life, *id);
        match event {
            Event::Done(id, done) => {
                let Some(ticket) = self.under_way.remove(&of(id)) else { return false };
                let Ticket { kind, number } = ticket;
                self.at_desk(world, kind, |kind, desk| kind.done(desk, number, done));
            }
            Event::Watched(id, _) | Event::Peers(id, _) => {
                let Some(ticket) = self.under_way.get(&of(id)) else { return false };
                let Ticket { kind, number } = *ticket;
                self.at_desk(world, kind, |kind, desk| kind.told(desk, number, event));
            }
            _ => return false,
        }
        true
    }

    /// Machines that have ended since have told nobody anything: what was under way there is cut.
    pub fn cut(&mut self, world: &mut World) {
        let mut cut: Vec<_> = Vec::new();
        self.under_way.retain(|asking, ticket| {
            let lives = world.machines[asking.0.index()].life == asking.1;
            if !lives {
                cut.push((*asking, *ticket));
            }
            lives
        });
        cut.sort_by_key(|(asking, _)| *asking);
        for (_, Ticket { kind, number }) in cut {
            self.at_desk(world, kind, |kind, desk| kind.cut(desk, number));
        }
    }

    /// How many requests are on their way.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// How many are on their way that end by themselves: all but watches.
    pub fn unended(&self) -> usize {
        let ends = |ticket: &&Ticket| self.kinds[ticket.kind].1.ends();
        self.under_way.values().filter(ends).count()
    }

    /// The oldest on its way to a key.
    pub fn oldest_under_way(&self) -> Option<&Operation> {
        self.history.operations.iter().find(|operation| operation.ended.is_none())
    }

    /// The network is at rest: what must be answered rightly now is asked, a part each turn. Tells whether
    /// there is more.
    pub fn look_at_rest(&mut self, world: &mut World, turn: usize) -> bool {
        let mut more = false;
        for kind in 0..self.kinds.len() {
            self.at_desk(world, kind, |kind, desk| more |= kind.look_at_rest(desk, turn));
        }
        more
    }

    /// Judges what each kind of work was told, in all.
    pub fn judge(
        &self,
        world: &World,
        trouble: &Trouble,
        found: &mut Vec<Violation>,
    ) -> Vec<(&'static str, Tally)> {
        let judgement = Judgement { world, trouble, history: &self.history };
        let kinds = self.kinds.iter();
        kinds.filter_map(|(_, kind)| Some((kind.name(), kind.judge(&judgement, found)?))).collect()
    }
}

/// What a request ends with whose machine ended first.
const CUT: Told = Told::Cut;
