//! Promises: a user puts a value that is to live for a short while, and promises to keep it alive.

use core::time::Duration;

use kv::{Consistency, Done, Expected, KeepRequest, Request};
use node::Instant;

use super::desk::Desk;
use super::keys::KEPT;
use super::registers::{self, READ_AT_ONCE};
use super::{CUT, Judgement, Kind, Tally};
use crate::history::{Asked, Told};
use crate::world::{MachineId, Violation};

/// At most so many promises.
const MOST: usize = 8;

/// For how long the value lives, and is renewed each time: shorter than runs, so that it has to be.
const TTL: Duration = Duration::from_secs(900);

enum Step {
    Put,
    Keep,
    Kept,
}

struct Promise {
    machine: MachineId,
    key: u32,
    value: u64,
    /// When the promise was made.
    since: Option<Instant>,
    /// The place in the history of the read at rest.
    read: Option<u64>,
}

/// Users that promise.
#[derive(Default)]
pub struct Promises {
    all: Vec<Promise>,
    /// Which promise, which step, and the place in the history if there is one.
    asked: Vec<(usize, Step, u64)>,
}

impl Promises {
    fn ask(
        &mut self,
        desk: &mut Desk<'_>,
        machine: MachineId,
        number: usize,
        step: Step,
        asked: Asked,
    ) -> u64 {
        let key = KEPT + number as u32;
        let request = registers::request(desk, key, asked);
        let place = desk.begin(machine, key, asked);
        self.asked.push((number, step, place));
        if desk.ask(machine, request, self.asked.len() as u64 - 1).is_none() {
            desk.end(place, Told::Refused);
        }
        place
    }
}

impl Kind for Promises {
    fn name(&self) -> &'static str {
        "promises"
    }

    fn act(&mut self, desk: &mut Desk<'_>, machine: MachineId) {
        if self.all.len() >= MOST {
            return;
        }
        let (number, value) = (self.all.len(), desk.fresh_value());
        let key = KEPT + number as u32;
        self.all.push(Promise { machine, key, value, since: None, read: None });
        let asked = Asked::Put { value, ttl: TTL, expected: Expected::Anything };
        self.ask(desk, machine, number, Step::Put, asked);
    }

    fn done(&mut self, desk: &mut Desk<'_>, number: u64, done: &Done) {
        let (promise, step, place) = &self.asked[number as usize];
        let (promise, place) = (*promise, *place);
        match (step, done) {
            (Step::Put, _) => {
                registers::done(desk, place, done);
                if desk.operation(place).stored().is_none() {
                    return;
                }
                let Promise { machine, key, .. } = self.all[promise];
                let (namespace, key) = desk.keys.place(key);
                let request = Request::Keep(KeepRequest { namespace, key, ttl: TTL });
                self.asked.push((promise, Step::Keep, place));
                desk.ask(machine, request, self.asked.len() as u64 - 1);
            }
            (Step::Keep, Done::Kept(Ok(_))) => {
                self.all[promise].since = Some(desk.world.now());
            }
            (Step::Keep, _) => {}
            (Step::Kept, _) => registers::done(desk, place, done),
        }
    }

    fn cut(&mut self, desk: &mut Desk<'_>, number: u64) {
        let (_, step, place) = &self.asked[number as usize];
        if !matches!(step, Step::Keep) {
            desk.end(*place, CUT);
        }
    }

    fn look_at_rest(&mut self, desk: &mut Desk<'_>, turn: usize) -> bool {
        let numbers = turn * READ_AT_ONCE..((turn + 1) * READ_AT_ONCE).min(self.all.len());
        for number in numbers {
            if self.all[number].since.is_none() {
                continue;
            }
            if let Some(machine) = desk.somebody() {
                let asked = Asked::Get(Consistency::Quorum);
                self.all[number].read = Some(self.ask(desk, machine, number, Step::Kept, asked));
            }
        }
        (turn + 1) * READ_AT_ONCE < self.all.len()
    }

    /// A promise holds as long as the node that made it lives and reaches the others.
    fn judge(&self, by: &Judgement<'_>, found: &mut Vec<Violation>) -> Option<Tally> {
        let mut tally = Tally::default();
        for promise in &self.all {
            let (Some(since), Some(read)) = (promise.since, promise.read) else { continue };
            let lived = by.world.machines[promise.machine.index()].lived_through(since);
            let ended = by.history.operations[read as usize].ended;
            let trouble = by.trouble.between(since, by.world.now());
            match ended {
                Some((_, Told::Found(value, _))) if value == promise.value => tally.right += 1,
                _ if !lived || trouble.is_some() => tally.excused += 1,
                _ => {
                    let (key, told) = (promise.key, ended.map(|(_, told)| told));
                    let what = format!("key {key} is not kept alive as promised: {told:?}");
                    let (at, machine) = (by.world.now(), Some(promise.machine));
                    found.push(Violation { at, machine, check: "promises", what });
                }
            }
        }
        Some(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{ENDED, LIVES, judged, stored, time, trouble, version};
    use super::*;
    use crate::check::Trouble;

    #[test]
    fn a_value_that_was_not_kept_alive_is_seen_unless_who_promised_has_ended() {
        let judge = |machine, told, trouble: &Trouble| {
            let (since, read) = (Some(time(20)), Some(0));
            let promise = Promise { machine, key: KEPT, value: 7, since, read };
            let promises = Promises { all: vec![promise], asked: Vec::new() };
            let mut read = stored(7, &[]);
            read.ended = Some((time(900), told));
            judged(&promises, &[read], trouble)
        };
        let (calm, absent) = (Trouble::default(), Told::Absent(None));
        assert_eq!(judge(LIVES, Told::Found(7, version(9)), &calm).0.right, 1);
        assert!(judge(LIVES, absent, &calm).1 && judge(LIVES, Told::Found(8, version(9)), &calm).1);
        let excused = Tally { right: 0, excused: 1 };
        assert_eq!(judge(ENDED, absent, &calm), (excused, false));
        assert_eq!(judge(LIVES, absent, &trouble()), (excused, false));
    }
}
