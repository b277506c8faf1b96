//! What a kind of work has to work with: the world, chance, the history, and requests on their way.

use hashbrown::HashMap;
use kv::{Absence, Done, GetError, PutError, Replica, Request, RequestId, Version};
use node::UnixMillis;

use super::keys::Keys;
use crate::chance::Chance;
use crate::history::{Asked, History, Operation, Told};
use crate::world::{MachineId, World};

/// A request on its way: at which machine, in which of its lives.
pub(super) type Asking = (MachineId, u32, RequestId);

/// Whose request it is, and under which number that one knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub kind: usize,
    pub number: u64,
}

pub(super) type UnderWay = HashMap<Asking, Ticket, foldhash::fast::FixedState>;

/// What a kind of work has to work with.
pub struct Desk<'d> {
    /// The world.
    pub world: &'d mut World,
    /// Chance.
    pub chance: &'d mut Chance,
    /// What was asked and answered.
    pub history: &'d mut History,
    /// Where keys live.
    pub keys: &'d Keys,
    pub(super) values: &'d mut u64,
    pub(super) under_way: &'d mut UnderWay,
    pub(super) kind: usize,
}

impl Desk<'_> {
    /// Asks a machine for something; the kind of work that does so hears of its end under this number.
    /// `None`: no node runs there.
    pub fn ask(&mut self, machine: MachineId, request: Request, number: u64) -> Option<RequestId> {
        let id = self.world.request(machine, request)?;
        let life = self.world.machines[machine.index()].life;
        self.under_way.insert((machine, life, id), Ticket { kind: self.kind, number });
        Some(id)
    }

    /// Ends a watch: nothing more is heard of it.
    pub fn cancel(&mut self, machine: MachineId, life: u32, id: RequestId) {
        if self.under_way.remove(&(machine, life, id)).is_some() {
            self.world.cancel(machine, id);
        }
    }

    /// A value that no other put has.
    pub fn fresh_value(&mut self) -> u64 {
        *self.values += 1;
        *self.values
    }

    /// Any machine on which a node runs.
    pub fn somebody(&mut self) -> Option<MachineId> {
        let nodes: Vec<MachineId> = nodes(self.world);
        self.chance.pick(&nodes).copied()
    }

    /// Notes a request in the history. Gives its place there, by which it is ended.
    pub fn begin(&mut self, machine: MachineId, key: u32, asked: Asked) -> u64 {
        let begun = self.world.now();
        let place = self.history.operations.len();
        let note = format!("request {place} at machine {}, key {key}: {asked:?}", machine.0);
        self.world.trace.note(begun, &note);
        let operation = Operation { machine, key, asked, begun, ended: None, holders: Vec::new() };
        self.history.operations.push(operation);
        self.history.operations.len() as u64 - 1
    }

    /// What was asked at this place of the history.
    pub fn operation(&self, place: u64) -> &Operation {
        &self.history.operations[place as usize]
    }

    /// A request of the history has ended.
    pub fn end(&mut self, place: u64, told: Told) {
        let (now, operation) = (self.world.now(), &mut self.history.operations[place as usize]);
        operation.ended = Some((now, told));
        let note =
            format!("request {place} ended with {told:?}, stored on {:?}", operation.holders);
        self.world.trace.note(now, &note);
    }

    /// A request of the history has ended with this; `number` reads its value.
    pub fn end_with(&mut self, place: u64, done: &Done, number: impl Fn(&[u8]) -> Option<u64>) {
        let at = self.operation(place).machine;
        if let Done::Put(Ok(report)) = done {
            let holders = holders(self.world, at, &report.replicas.stored);
            self.history.operations[place as usize].holders = holders;
        }
        self.end(place, told(done, number));
    }
}

/// The machines on which nodes run, in their order.
pub fn nodes(world: &World) -> Vec<MachineId> {
    world.living().filter(|id| world.machines[id.index()].kv().is_some()).collect()
}

/// The machines of these replicas, of a request at this machine.
pub fn holders(world: &World, at: MachineId, replicas: &[Replica]) -> Vec<MachineId> {
    let machine = |replica: &Replica| match &replica.endpoint {
        Some(endpoint) => world.at(endpoint).map(|(machine, _)| machine),
        None => Some(at),
    };
    let mut holders: Vec<MachineId> = replicas.iter().filter_map(machine).collect();
    holders.sort_unstable();
    holders.dedup();
    holders
}

/// What a user was told.
pub fn told(done: &Done, number: impl Fn(&[u8]) -> Option<u64>) -> Told {
    match done {
        Done::Put(Ok(report)) => stored(report.version, report.expires),
        Done::Put(Err(error)) => match error {
            PutError::NotEnoughReplicas(report) => Told::Short(report.version),
            PutError::Conflict { .. } => Told::Conflict,
            PutError::Undetermined { version } => Told::Undetermined(*version),
            PutError::NotFound(_) => Told::Absent(None),
            PutError::Busy => Told::Refused,
            _ => Told::Failed,
        },
        Done::Got(Ok(report)) => match number(&report.value) {
            Some(value) => Told::Found(value, report.version),
            None => Told::Garbled(report.version),
        },
        Done::Got(Err(error)) => match error {
            GetError::NotFound { absence: Absence::NeverSeen, .. } => Told::Absent(None),
            GetError::NotFound { absence: Absence::Deleted(version), .. }
            | GetError::NotFound { absence: Absence::Expired(version), .. } => {
                Told::Absent(Some(*version))
            }
            GetError::NotEnoughReplicas { .. } => Told::Unsure,
            GetError::Unopened { version, .. } => Told::Garbled(*version),
            _ => Told::Failed,
        },
        _ => Told::Failed,
    }
}

fn stored(version: Option<Version>, expires: Option<UnixMillis>) -> Told {
    version.map_or(Told::Failed, |version| Told::Stored(version, expires))
}
