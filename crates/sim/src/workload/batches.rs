//! Many puts and gets at once, which share what their lookups learn.

use kv::{Batched, Done, Request};

use super::desk::Desk;
use super::registers::{self, Popularity};
use super::{CUT, Kind};
use crate::history::Told;
use crate::world::MachineId;

/// The fewest and the most requests of a batch.
const SIZE: (u64, u64) = (3, 25);

/// Users that ask for much at once.
pub struct Batches {
    popularity: Popularity,
}

impl Batches {
    /// Of so many keys, which are those of single requests too.
    pub fn new(keys: u32) -> Self {
        Self { popularity: Popularity::of(keys) }
    }
}

impl Kind for Batches {
    fn name(&self) -> &'static str {
        "batches"
    }

    fn act(&mut self, desk: &mut Desk<'_>, machine: MachineId) {
        for _ in 0..desk.chance.between(SIZE.0, SIZE.1) {
            let key = self.popularity.draw(desk.chance);
            let asked = registers::draw(desk);
            let batched = match registers::request(desk, key, asked) {
                Request::Put(put) => Batched::Put(put),
                Request::Get(get) => Batched::Get(get),
                _ => return,
            };
            let place = desk.begin(machine, key, asked);
            if desk.ask(machine, Request::Batched(batched), place).is_none() {
                desk.end(place, Told::Refused);
            }
        }
    }

    fn done(&mut self, desk: &mut Desk<'_>, number: u64, done: &Done) {
        registers::done(desk, number, done);
    }

    fn cut(&mut self, desk: &mut Desk<'_>, number: u64) {
        desk.end(number, CUT);
    }
}
