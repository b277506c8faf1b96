//! What users do meanwhile: they put, read and delete, some keys much more often than others.

use core::time::Duration;

use hashbrown::HashMap;
use kv::{
    Absence, Change, Consistency, Done, Expected, GetError, GetRequest, Key, Namespace, PutError,
    PutRequest, Request, RequestId,
};
use rand_distr::{Exp, Zipf};

use crate::chance::Chance;
use crate::history::{Asked, History, Operation, Told};
use crate::world::{MachineId, World};

/// The lives that users give their values.
const TTLS: [Duration; 3] =
    [Duration::from_secs(600), Duration::from_secs(7200), Duration::from_secs(7 * 24 * 3600)];

/// What users do.
pub struct Workload {
    /// What they asked and heard.
    pub history: History,
    chance: Chance,
    gaps: Exp<f64>,
    keys: Zipf<f64>,
    values: u64,
    /// Operations on their way, by machine, its life, and request.
    under_way: HashMap<(MachineId, u32, RequestId), usize, foldhash::fast::FixedState>,
}

impl Workload {
    /// So many requests a second to so many keys.
    pub fn new(seed: u64, requests_per_s: f64, keys: u32) -> Self {
        let gaps = Exp::new(requests_per_s.max(1e-6)).expect("a positive rate");
        let keys = Zipf::new(f64::from(keys.max(1)), 1.0).expect("at least one key");
        Self {
            history: History::default(),
            chance: Chance::of(seed, "workload"),
            gaps,
            keys,
            values: 0,
            under_way: HashMap::default(),
        }
    }

    /// How long until the next request.
    pub fn gap(&mut self) -> Duration {
        Duration::from_secs_f64(self.chance.draw::<f64>(&self.gaps).clamp(1e-6, 3600.0))
    }

    /// Somebody asks for something somewhere.
    pub fn act(&mut self, world: &mut World) {
        let nodes: Vec<MachineId> =
            world.living().filter(|id| world.machines[id.index()].kv().is_some()).collect();
        let Some(machine) = self.chance.pick(&nodes).copied() else { return };
        let key = self.chance.draw::<f64>(&self.keys) as u32;
        let asked = match self.chance.below(100) {
            0..=44 => Asked::Get(Consistency::Quorum),
            45..=54 => Asked::Get(Consistency::First),
            55..=94 => {
                self.values += 1;
                Asked::Put { value: self.values, expected: Expected::Anything }
            }
            _ => Asked::Delete,
        };
        self.ask(world, machine, key, asked);
    }

    /// Asks a machine for this.
    pub fn ask(&mut self, world: &mut World, machine: MachineId, key: u32, asked: Asked) {
        let request = self.request(key, asked);
        let begun = world.now();
        let Some(id) = world.request(machine, request) else { return };
        let life = world.machines[machine.index()].life;
        self.under_way.insert((machine, life, id), self.history.operations.len());
        self.history.operations.push(Operation { machine, key, asked, begun, ended: None });
    }

    fn request(&mut self, key: u32, asked: Asked) -> Request {
        let (namespace, key) = (Namespace::default(), name(key));
        let put = |change, expected| {
            let (namespace, key) = (namespace.clone(), key.clone());
            Request::Put(PutRequest { namespace, key, change, expected, trace: false })
        };
        match asked {
            Asked::Put { value, expected } => {
                let ttl = *self.chance.pick(&TTLS).unwrap_or(&TTLS[0]);
                let value = value.to_be_bytes().into();
                put(Change::Put { value, content_type: None, ttl, plain: false }, expected)
            }
            Asked::Delete => put(Change::Delete, Expected::Anything),
            Asked::Get(consistency) => {
                Request::Get(GetRequest { namespace, key, consistency, trace: false })
            }
        }
    }

    /// A request of a machine is done; `false` if it is none of a user's.
    pub fn done(&mut self, world: &World, machine: MachineId, id: RequestId, done: &Done) -> bool {
        let life = world.machines[machine.index()].life;
        let Some(index) = self.under_way.remove(&(machine, life, id)) else { return false };
        self.history.operations[index].ended = Some((world.now(), told(done)));
        true
    }

    /// Machines that have ended since have told nobody anything: what was under way there is cut.
    pub fn cut(&mut self, world: &World) {
        let mut cut: Vec<usize> = Vec::new();
        self.under_way.retain(|(machine, life, _), index| {
            let lives = world.machines[machine.index()].life == *life;
            if !lives {
                cut.push(*index);
            }
            lives
        });
        for index in cut {
            self.history.operations[index].ended = Some((world.now(), Told::Cut));
        }
    }

    /// How many requests are on their way.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }
}

/// The key of this number.
pub fn name(key: u32) -> Key {
    Key::new(format!("key {key}")).expect("a short key")
}

fn told(done: &Done) -> Told {
    match done {
        Done::Put(Ok(report)) => match report.version {
            Some(version) => Told::Stored(version, report.expires),
            None => Told::Failed,
        },
        Done::Put(Err(error)) => match error {
            PutError::NotEnoughReplicas(report) => Told::Short(report.version),
            PutError::Conflict { .. } => Told::Conflict,
            PutError::Undetermined { version } => Told::Undetermined(*version),
            PutError::NotFound(_) => Told::Absent(None),
            _ => Told::Failed,
        },
        Done::Got(Ok(report)) => match <[u8; 8]>::try_from(&report.value[..]) {
            Ok(value) => Told::Found(u64::from_be_bytes(value), report.version),
            Err(_) => Told::Failed,
        },
        Done::Got(Err(error)) => match error {
            GetError::NotFound { absence: Absence::NeverSeen, .. } => Told::Absent(None),
            GetError::NotFound { absence: Absence::Deleted(version), .. }
            | GetError::NotFound { absence: Absence::Expired(version), .. } => {
                Told::Absent(Some(*version))
            }
            GetError::NotEnoughReplicas { .. } => Told::Unsure,
            _ => Told::Failed,
        },
        _ => Told::Failed,
    }
}
