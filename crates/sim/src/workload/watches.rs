//! Watches: users want to hear of each newer version of a key. What they hear must rise, and at rest
//! all must have heard of the last version, unless a write of which nobody was told took its place.

use kv::{Done, Event, Request, RequestId, Version, WatchRequest};

use super::desk::Desk;
use super::registers::Popularity;
use super::{Judgement, Kind, Tally};
use crate::check::standing::{Fate, Standing, clock_slack, may_be_gone};
use crate::world::{MachineId, Violation};

/// At most so many watches go on at a time.
const AT_A_TIME: usize = 10;

/// One in so many ends again when its user would start another.
const ENDS_OF_100: usize = 30;

struct Watch {
    machine: MachineId,
    life: u32,
    key: u32,
    id: Option<RequestId>,
    /// What it told, in this order.
    told: Vec<Version>,
    /// It goes on.
    lives: bool,
    /// Something that was told was not newer than what was told before.
    fell: Option<(Version, Version)>,
}

impl Watch {
    fn hear(&mut self, version: Version) {
        if let Some(last) = self.told.last().filter(|last| **last >= version) {
            self.fell = self.fell.or(Some((*last, version)));
        }
        self.told.push(version);
    }
}

/// Users that watch.
pub struct Watches {
    popularity: Popularity,
    all: Vec<Watch>,
}

impl Watches {
    /// Of so many keys, which are those of single requests too.
    pub fn new(keys: u32) -> Self {
        Self { popularity: Popularity::of(keys), all: Vec::new() }
    }

    fn begin(&mut self, desk: &mut Desk<'_>, machine: MachineId) {
        let key = self.popularity.draw(desk.chance);
        let (namespace, name) = desk.keys.place(key);
        let request = Request::Watch(WatchRequest { namespace, key: name, after: None });
        let life = desk.world.machines[machine.index()].life;
        let id = desk.ask(machine, request, self.all.len() as u64);
        let told = Vec::new();
        self.all.push(Watch { machine, life, key, id, told, lives: id.is_some(), fell: None });
    }
}

impl Kind for Watches {
    fn name(&self) -> &'static str {
        "watches"
    }

    fn act(&mut self, desk: &mut Desk<'_>, machine: MachineId) {
        let living = || self.all.iter().enumerate().filter(|(_, watch)| watch.lives);
        let full = living().count() >= AT_A_TIME;
        let places: Vec<usize> = living().map(|(place, _)| place).collect();
        let begins = places.is_empty() || desk.chance.below(100) >= ENDS_OF_100;
        if !full && begins {
            return self.begin(desk, machine);
        }
        let Some(place) = desk.chance.pick(&places).copied() else { return };
        let watch = &mut self.all[place];
        watch.lives = false;
        if let Some(id) = watch.id {
            desk.cancel(watch.machine, watch.life, id);
        }
    }

    fn done(&mut self, _: &mut Desk<'_>, number: u64, _: &Done) {
        self.all[number as usize].lives = false;
    }

    fn cut(&mut self, _: &mut Desk<'_>, number: u64) {
        self.all[number as usize].lives = false;
    }

    fn told(&mut self, _: &mut Desk<'_>, number: u64, event: &Event) {
        let Event::Watched(_, watched) = event else { return };
        self.all[number as usize].hear(watched.version);
    }

    fn ends(&self) -> bool {
        false
    }

    fn look_at_rest(&mut self, desk: &mut Desk<'_>, turn: usize) -> bool {
        if turn > 0 {
            return false;
        }
        for watch in self.all.iter().filter(|watch| watch.lives) {
            if let Some(id) = watch.id {
                desk.cancel(watch.machine, watch.life, id);
            }
        }
        false
    }

    fn judge(&self, by: &Judgement<'_>, found: &mut Vec<Violation>) -> Option<Tally> {
        let mut tally = Tally::default();
        for watch in &self.all {
            let key = watch.key;
            let violates = |what| Violation {
                at: by.world.now(),
                machine: Some(watch.machine),
                check: "watches",
                what,
            };
            if let Some((before, after)) = watch.fell {
                let what = format!("a watch of key {key} told version {before}, then {after}");
                found.push(violates(what));
            }
            if !watch.lives {
                continue;
            }
            let Some(last) = Standing::of(by.history, key) else { continue };
            let (now, slack) = (by.world.now(), clock_slack(by.world));
            match last.fate(by.world) {
                Fate::Stands if watch.told.last() >= Some(&last.version) => tally.right += 1,
                Fate::Stands if !may_be_gone(by.history, key, last.version, now, slack) => {
                    let (told, due) = (watch.told.last(), last.version);
                    let what = format!(
                        "a watch of key {key} has told {told:?} last, and not version {due}, of which \
                         a user was told that it is stored"
                    );
                    found.push(violates(what));
                }
                Fate::Stands | Fate::Ended | Fate::Lost => tally.excused += 1,
            }
        }
        Some(tally)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::super::fixture::{ENDED, LIVES, judged, stored, time, version};
    use super::*;
    use crate::check::Trouble;
    use crate::history::{Asked, Operation, Told};

    fn watch(told: &[u64], lives: bool) -> Watches {
        let mut watch = Watch {
            machine: LIVES,
            life: 1,
            key: 1,
            id: None,
            told: Vec::new(),
            lives,
            fell: None,
        };
        told.iter().for_each(|number| watch.hear(version(*number)));
        Watches { popularity: Popularity::of(3), all: vec![watch] }
    }

    #[test]
    fn a_watch_that_has_not_told_the_last_version_is_seen_unless_that_is_lost() {
        let calm = Trouble::default();
        let all = [stored(100, &[LIVES]), stored(200, &[LIVES])];
        let right = Tally { right: 1, excused: 0 };
        assert_eq!(judged(&watch(&[100, 200], true), &all, &calm), (right, false));
        assert_eq!(judged(&watch(&[300], true), &all, &calm), (right, false));
        assert!(judged(&watch(&[100], true), &all, &calm).1);
        assert!(judged(&watch(&[], true), &all, &calm).1);
        assert!(!judged(&watch(&[100], false), &all, &calm).1, "its user ended it");
        let lost = [stored(200, &[ENDED])];
        let excused = Tally { right: 0, excused: 1 };
        assert_eq!(judged(&watch(&[100], true), &lost, &calm), (excused, false));
        let expected = kv::Expected::Anything;
        let asked = Asked::Put { value: 3, ttl: Duration::from_secs(60), expected };
        let ended = Some((time(21), Told::Short(Some(version(300)))));
        let short = Operation { asked, begun: time(20), ended, ..stored(300, &[]) };
        let replaced = [stored(200, &[LIVES]), short];
        assert_eq!(judged(&watch(&[], true), &replaced, &calm), (excused, false));
    }

    #[test]
    fn a_watch_that_tells_something_twice_or_something_older_is_seen() {
        let calm = Trouble::default();
        assert!(judged(&watch(&[100, 100], false), &[], &calm).1);
        assert!(judged(&watch(&[200, 100], false), &[], &calm).1);
        assert!(!judged(&watch(&[100, 200], false), &[], &calm).1);
    }
}
