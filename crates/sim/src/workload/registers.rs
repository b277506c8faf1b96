//! Puts, deletes and gets, some keys much more often than others.

use core::time::Duration;

use kv::{Change, Consistency, Done, Expected, GetRequest, PutRequest, Request};
use rand_distr::Zipf;

use super::desk::Desk;
use super::values;
use super::{CUT, Kind};
use crate::chance::Chance;
use crate::history::Asked;
use crate::world::MachineId;

/// The lives that users give their values.
pub const TTLS: [Duration; 4] = [
    Duration::from_secs(120),
    Duration::from_secs(1200),
    Duration::from_secs(3 * 3600),
    Duration::from_secs(7 * 24 * 3600),
];

/// Which keys are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Popularity(Zipf<f64>, u32);

impl Popularity {
    /// So many keys, the first one most often.
    ///
    /// # Panics
    /// Never.
    pub fn of(keys: u32) -> Self {
        let keys = keys.max(1);
        Self(Zipf::new(f64::from(keys), 1.0).expect("at least one key"), keys)
    }

    /// One of them.
    pub fn draw(&self, chance: &mut Chance) -> u32 {
        chance.draw::<f64>(&self.0) as u32
    }
}

/// What is asked of a key: mostly to read or to write it.
pub fn draw(desk: &mut Desk<'_>) -> Asked {
    match desk.chance.below(100) {
        0..=39 => Asked::Get(Consistency::Quorum),
        40..=49 => Asked::Get(Consistency::First),
        50..=54 => Asked::Get(Consistency::All),
        55..=94 => {
            let ttl = *desk.chance.pick(&TTLS).unwrap_or(&TTLS[0]);
            Asked::Put { value: desk.fresh_value(), ttl, expected: Expected::Anything }
        }
        _ => Asked::Delete,
    }
}

/// The request for something in one item.
pub fn request(desk: &Desk<'_>, key: u32, asked: Asked) -> Request {
    let (namespace, key) = desk.keys.place(key);
    let put = |change, expected| {
        let (namespace, key) = (namespace.clone(), key.clone());
        Request::Put(PutRequest { namespace, key, change, expected, trace: false })
    };
    match asked {
        Asked::Put { value, ttl, expected } => {
            let value = values::small(value).into();
            put(Change::Put { value, content_type: None, ttl, plain: false }, expected)
        }
        Asked::Delete => put(Change::Delete, Expected::Anything),
        Asked::Get(consistency) => {
            Request::Get(GetRequest { namespace, key, consistency, trace: false })
        }
    }
}

/// Asks a machine for something in one item. Gives its place in the history.
pub fn ask(desk: &mut Desk<'_>, machine: MachineId, key: u32, asked: Asked) -> u64 {
    let request = request(desk, key, asked);
    let place = desk.begin(machine, key, asked);
    if desk.ask(machine, request, place).is_none() {
        desk.end(place, crate::history::Told::Refused);
    }
    place
}

/// What was asked of a key has ended.
pub fn done(desk: &mut Desk<'_>, place: u64, done: &Done) {
    desk.end_with(place, done, |bytes| values::number(bytes, values::small));
}

/// Keys are read from so many machines when all must be right.
const READERS: usize = 2;

/// Keys that are read in one turn then.
pub const READ_AT_ONCE: usize = 4;

/// Reads those of the keys whose turn it is from some machines; tells whether there are more.
pub fn read_some(desk: &mut Desk<'_>, keys: &[u32], turn: usize) -> bool {
    for key in keys.iter().skip(turn * READ_AT_ONCE).take(READ_AT_ONCE) {
        for _ in 0..READERS {
            if let Some(machine) = desk.somebody() {
                ask(desk, machine, *key, Asked::Get(Consistency::Quorum));
            }
        }
    }
    (turn + 1) * READ_AT_ONCE < keys.len()
}

/// Users of single keys.
pub struct Registers {
    popularity: Popularity,
}

impl Registers {
    /// Of so many keys.
    pub fn new(keys: u32) -> Self {
        Self { popularity: Popularity::of(keys) }
    }
}

impl Kind for Registers {
    fn name(&self) -> &'static str {
        "values"
    }

    fn act(&mut self, desk: &mut Desk<'_>, machine: MachineId) {
        let key = self.popularity.draw(desk.chance);
        let asked = draw(desk);
        ask(desk, machine, key, asked);
    }

    fn done(&mut self, desk: &mut Desk<'_>, number: u64, end: &Done) {
        done(desk, number, end);
    }

    fn cut(&mut self, desk: &mut Desk<'_>, number: u64) {
        desk.end(number, CUT);
    }

    fn look_at_rest(&mut self, desk: &mut Desk<'_>, turn: usize) -> bool {
        let keys: Vec<u32> = (1..=self.popularity.1).collect();
        read_some(desk, &keys, turn)
    }
}
