//! Raw immutable items, as other programs put them: two hours, and nobody looks after them.

use core::time::Duration;

use kv::{Done, ItemPutRequest, Request};
use node::Instant;
use wire::Target;
use wire::item::{byte_string, immutable_target};

use super::desk::{Desk, holders};
use super::values;
use super::{Judgement, Kind, Tally};
use crate::world::{MachineId, Violation};

/// An item that is this old is asked for no more: it may have ended.
const YOUNG: Duration = Duration::from_secs(5400);

struct Put {
    target: Target,
    value: Vec<u8>,
    /// Since when users know that it is stored, and on which machines.
    stored: Option<(Instant, Vec<MachineId>)>,
}

struct Get {
    of: usize,
    machine: MachineId,
    begun: Instant,
    /// When it ended, and whether the item came: the one that was asked for, or another.
    ended: Option<(Instant, Option<bool>)>,
}

enum Asked {
    Put(usize, MachineId),
    Get(usize),
}

/// Users of raw items.
#[derive(Default)]
pub struct Items {
    puts: Vec<Put>,
    gets: Vec<Get>,
    asked: Vec<Asked>,
}

impl Items {
    fn put(&mut self, desk: &mut Desk<'_>, machine: MachineId) {
        let value = byte_string(&values::small(desk.fresh_value()));
        let target = immutable_target(&value);
        self.asked.push(Asked::Put(self.puts.len(), machine));
        let request = ItemPutRequest { value: value.clone().into(), signed: None };
        desk.ask(machine, Request::ItemPut(request), self.asked.len() as u64 - 1);
        self.puts.push(Put { target, value, stored: None });
    }

    fn get(&mut self, desk: &mut Desk<'_>, machine: MachineId, of: usize) {
        let begun = desk.world.now();
        self.asked.push(Asked::Get(self.gets.len()));
        let request = Request::ItemGet { target: self.puts[of].target, salt: Box::default() };
        desk.ask(machine, request, self.asked.len() as u64 - 1);
        self.gets.push(Get { of, machine, begun, ended: None });
    }
}

impl Kind for Items {
    fn name(&self) -> &'static str {
        "raw items"
    }

    fn act(&mut self, desk: &mut Desk<'_>, machine: MachineId) {
        let now = desk.world.now();
        let young = |put: &&usize| {
            let stored = self.puts[**put].stored.as_ref();
            stored.is_some_and(|(at, _)| now.since(*at) < YOUNG)
        };
        let known: Vec<usize> = (0..self.puts.len()).collect();
        let known: Vec<usize> = known.iter().filter(young).copied().collect();
        match desk.chance.pick(&known).copied() {
            Some(of) if desk.chance.happens(0.6) => self.get(desk, machine, of),
            _ => self.put(desk, machine),
        }
    }

    fn done(&mut self, desk: &mut Desk<'_>, number: u64, done: &Done) {
        let now = desk.world.now();
        match (&self.asked[number as usize], done) {
            (Asked::Put(put, at), Done::ItemPut(Ok(report))) => {
                let holders = holders(desk.world, *at, &report.replicas.stored);
                self.puts[*put].stored = Some((now, holders));
            }
            (Asked::Get(get), Done::ItemGot(got)) => {
                let get = &mut self.gets[*get];
                let value = &self.puts[get.of].value;
                let came = got.as_ref().ok().map(|report| report.item.value() == &value[..]);
                get.ended = Some((now, came));
            }
            _ => {}
        }
    }

    fn cut(&mut self, _: &mut Desk<'_>, _: u64) {}

    fn judge(&self, by: &Judgement<'_>, found: &mut Vec<Violation>) -> Option<Tally> {
        let mut tally = Tally::default();
        for get in &self.gets {
            let put = &self.puts[get.of];
            let (Some((at, came)), Some((since, holders))) = (get.ended, &put.stored) else {
                continue;
            };
            let kept = |id: &MachineId| by.world.machines[id.index()].kept_all_since(*since);
            let what = match came {
                Some(true) => {
                    tally.right += 1;
                    continue;
                }
                Some(false) => "was answered with another item",
                None if by.trouble.between(*since, at).is_none() && holders.iter().all(kept) => {
                    "was not found though it is stored, and nothing was in the way"
                }
                None => {
                    tally.excused += 1;
                    continue;
                }
            };
            let begun = crate::plan::span(get.begun.since(Instant::default()));
            let what = format!("item `{}`, asked for at {begun}, {what}", put.target);
            found.push(Violation { at, machine: Some(get.machine), check: "items", what });
        }
        Some(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{ENDED, LIVES, judged, time, trouble};
    use super::*;
    use crate::check::Trouble;

    fn got(came: Option<bool>, holders: &[MachineId]) -> Items {
        let (target, value) = (Target::new([1; 20]), Vec::new());
        let put = Put { target, value, stored: Some((time(10), holders.to_vec())) };
        let get = Get { of: 0, machine: LIVES, begun: time(20), ended: Some((time(21), came)) };
        Items { puts: vec![put], gets: vec![get], asked: Vec::new() }
    }

    #[test]
    fn an_item_that_is_stored_and_not_found_is_seen_unless_somebody_lost_it() {
        let calm = Trouble::default();
        let right = Tally { right: 1, excused: 0 };
        assert_eq!(judged(&got(Some(true), &[LIVES]), &[], &calm), (right, false));
        assert!(judged(&got(None, &[LIVES]), &[], &calm).1);
        assert!(judged(&got(Some(false), &[LIVES]), &[], &trouble()).1);
        let excused = Tally { right: 0, excused: 1 };
        assert_eq!(judged(&got(None, &[LIVES, ENDED]), &[], &calm), (excused, false));
        assert_eq!(judged(&got(None, &[LIVES]), &[], &trouble()), (excused, false));
    }
}
