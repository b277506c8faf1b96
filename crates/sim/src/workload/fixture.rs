//! What users' work is judged by in tests: one machine that lives, and one that has ended.

use core::time::Duration;

use kv::Version;
use node::{Instant, UnixMillis};
use wire::Endpoint;

use super::{Judgement, Kind, Tally};
use crate::check::Trouble;
use crate::history::{Asked, History, Operation, Told};
use crate::network::{Latency, Network, Site};
use crate::world::{MachineId, World};

/// It lives from the beginning on.
pub const LIVES: MachineId = MachineId(0);

/// It has ended, and had no disk.
pub const ENDED: MachineId = MachineId(1);

/// A time in seconds.
pub fn time(s: u64) -> Instant {
    Instant::from_micros(s * 1_000_000)
}

/// A version.
pub fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

fn world() -> World {
    let latency = Latency::Constant(Duration::from_millis(5));
    let mut world = World::new(1, Network::new(1, latency));
    for number in 0..2 {
        let place = Endpoint::v4([10, 0, 0, number], 8000);
        let id = world.add(kv::Config::default(), Site(number.into()), [Some(place), None]);
        world.start(id);
    }
    while world.step(time(1000)).is_some() {}
    world.kill(ENDED);
    world
}

/// A put of key 1, of which a user was told that it is stored for long.
pub fn stored(number: u64, holders: &[MachineId]) -> Operation {
    let expected = kv::Expected::Anything;
    let far = UnixMillis(u64::MAX);
    Operation {
        machine: LIVES,
        key: 1,
        asked: Asked::Put { value: number, ttl: Duration::from_secs(9999), expected },
        begun: time(10),
        ended: Some((time(11), Told::Stored(version(number), Some(far)))),
        holders: holders.to_vec(),
    }
}

/// What a kind of work comes to: its tally, and whether something is wrong.
pub fn judged(kind: &dyn Kind, operations: &[Operation], trouble: &Trouble) -> (Tally, bool) {
    let (world, history) = (world(), History { operations: operations.to_vec() });
    let mut found = Vec::new();
    let tally = kind.judge(&Judgement { world: &world, trouble, history: &history }, &mut found);
    (tally.unwrap(), !found.is_empty())
}

/// Something was going on all the time.
pub fn trouble() -> Trouble {
    let mut trouble = Trouble::default();
    trouble.add(time(0), time(10_000), "loss");
    trouble
}
