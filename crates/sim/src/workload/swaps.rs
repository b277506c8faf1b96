//! Compare-and-swap: users read a version, and swap on it; often several of them at once on one key.

use std::collections::BTreeSet;

use core::time::Duration;

use kv::{Consistency, Done, Expected};

use super::desk::Desk;
use super::keys::SWAPS;
use super::registers;
use super::{CUT, Kind};
use crate::history::{Asked, Told};
use crate::world::MachineId;

/// So many keys are swapped on: few, so that users meet.
const KEYS: usize = 3;

/// At most so many users swap at once on one key.
const USERS: u64 = 4;

/// What is swapped outlives every run: nothing but a swap ever changes such a key.
const TTL: Duration = Duration::from_secs(30 * 24 * 3600);

/// Users that swap.
#[derive(Default)]
pub struct Swaps {
    /// Reads after which a swap follows, by their places in the history.
    reading: BTreeSet<u64>,
    used: [bool; KEYS],
}

impl Kind for Swaps {
    fn name(&self) -> &'static str {
        "swaps"
    }

    fn act(&mut self, desk: &mut Desk<'_>, machine: MachineId) {
        let number = desk.chance.below(KEYS);
        self.used[number] = true;
        let key = SWAPS + number as u32;
        let mut at = Some(machine);
        for _ in 0..desk.chance.between(1, USERS) {
            let Some(machine) = at.take().or_else(|| desk.somebody()) else { return };
            let place = registers::ask(desk, machine, key, Asked::Get(Consistency::Quorum));
            self.reading.insert(place);
        }
    }

    fn done(&mut self, desk: &mut Desk<'_>, number: u64, done: &Done) {
        registers::done(desk, number, done);
        if !self.reading.remove(&number) {
            return;
        }
        let operation = desk.operation(number);
        let (machine, key) = (operation.machine, operation.key);
        let expected = match operation.ended {
            Some((_, Told::Found(_, version))) => Expected::Version(version),
            Some((_, Told::Absent(_))) => Expected::Absent,
            _ => return,
        };
        let asked = Asked::Put { value: desk.fresh_value(), ttl: TTL, expected };
        registers::ask(desk, machine, key, asked);
    }

    fn cut(&mut self, desk: &mut Desk<'_>, number: u64) {
        self.reading.remove(&number);
        desk.end(number, CUT);
    }

    fn look_at_rest(&mut self, desk: &mut Desk<'_>, turn: usize) -> bool {
        let used = (0..KEYS).filter(|number| self.used[*number]);
        let keys: Vec<u32> = used.map(|number| SWAPS + number as u32).collect();
        registers::read_some(desk, &keys, turn)
    }
}
