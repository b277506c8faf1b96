//! Peers of topics: users announce themselves, and others find them.

use core::time::Duration;

use kv::{Done, Event, Request};
use node::Instant;
use wire::{Endpoint, InfoHash};

use super::desk::Desk;
use super::{Judgement, Kind, Tally};
use crate::plan::span;
use crate::world::{MachineId, Violation};

/// So many topics there are.
const TOPICS: usize = 4;

/// An announcement holds so long at least; holders keep it for three quarters of an hour.
const HOLDS: Duration = Duration::from_secs(40 * 60);

struct Announcement {
    topic: usize,
    /// Its user's address of each family: holders see one of them.
    places: [Option<Endpoint>; 2],
    /// When its user heard that enough holders took it.
    stored: Option<Instant>,
}

struct Search {
    topic: usize,
    machine: MachineId,
    begun: Instant,
    ended: Option<Instant>,
    found: Vec<Endpoint>,
}

enum Asked {
    Announce(usize),
    Search(usize),
}

impl Announcement {
    fn is_of(&self, peer: &Endpoint) -> bool {
        self.places.contains(&Some(*peer))
    }
}

/// Users of topics.
#[derive(Default)]
pub struct Peers {
    announcements: Vec<Announcement>,
    searches: Vec<Search>,
    asked: Vec<Asked>,
}

fn info_hash(topic: usize) -> InfoHash {
    InfoHash::of_topic(&format!("topic {topic}"))
}

impl Peers {
    fn announce(&mut self, desk: &mut Desk<'_>, machine: MachineId, topic: usize) {
        let places = desk.world.machines[machine.index()].places;
        let request = Request::Announce { info_hash: info_hash(topic), port: None, seed: false };
        self.asked.push(Asked::Announce(self.announcements.len()));
        self.announcements.push(Announcement { topic, places, stored: None });
        desk.ask(machine, request, self.asked.len() as u64 - 1);
    }

    fn search(&mut self, desk: &mut Desk<'_>, machine: MachineId, topic: usize) {
        let begun = desk.world.now();
        self.asked.push(Asked::Search(self.searches.len()));
        self.searches.push(Search { topic, machine, begun, ended: None, found: Vec::new() });
        let request = Request::Peers { info_hash: info_hash(topic), scrape: false };
        desk.ask(machine, request, self.asked.len() as u64 - 1);
    }
}

impl Kind for Peers {
    fn name(&self) -> &'static str {
        "peers"
    }

    fn act(&mut self, desk: &mut Desk<'_>, machine: MachineId) {
        let topic = desk.chance.below(TOPICS);
        match desk.chance.happens(0.5) {
            true => self.announce(desk, machine, topic),
            false => self.search(desk, machine, topic),
        }
    }

    fn done(&mut self, desk: &mut Desk<'_>, number: u64, done: &Done) {
        let now = desk.world.now();
        match (&self.asked[number as usize], done) {
            (Asked::Announce(place), Done::Announced(Ok(_))) => {
                self.announcements[*place].stored = Some(now);
            }
            (Asked::Search(place), Done::Peers(_)) => self.searches[*place].ended = Some(now),
            _ => {}
        }
    }

    fn cut(&mut self, _: &mut Desk<'_>, _: u64) {}

    fn told(&mut self, _: &mut Desk<'_>, number: u64, event: &Event) {
        if let (Asked::Search(place), Event::Peers(_, peers)) =
            (&self.asked[number as usize], event)
        {
            self.searches[*place].found.extend(peers);
        }
    }

    /// What the network spoils can be anybody's address, so all is judged only where nothing was wrong.
    fn judge(&self, by: &Judgement<'_>, found: &mut Vec<Violation>) -> Option<Tally> {
        let mut tally = Tally::default();
        for search in &self.searches {
            let Some(ended) = search.ended else { continue };
            let of_topic = || self.announcements.iter().filter(|one| one.topic == search.topic);
            let since = Instant::from_micros(
                search.begun.as_micros().saturating_sub(HOLDS.as_micros() as u64),
            );
            if by.trouble.between(since, ended).is_some() {
                tally.excused += 1;
                continue;
            }
            let stranger = search.found.iter().find(|peer| !of_topic().any(|one| one.is_of(peer)));
            let stands = |one: &&Announcement| {
                one.stored.is_some_and(|at| at >= since && at <= search.begun)
            };
            let is_found = |one: &&Announcement| search.found.iter().any(|peer| one.is_of(peer));
            let missing = of_topic().filter(stands).find(|one| !is_found(one));
            let topic = search.topic;
            let what = match (stranger, missing) {
                (Some(peer), _) => format!("`{peer}` was found, which never announced itself"),
                (None, Some(one)) => {
                    let at = span(one.stored.unwrap_or_default().since(Instant::default()));
                    let place = one.places.into_iter().flatten().next();
                    let place = place.map_or_else(String::new, |place| place.to_string());
                    format!("`{place}`, which announced itself at {at}, was not found")
                }
                (None, None) => {
                    tally.right += 1;
                    continue;
                }
            };
            let begun = span(search.begun.since(Instant::default()));
            let what = format!("a search for topic {topic} at {begun}: {what}");
            found.push(Violation {
                at: ended,
                machine: Some(search.machine),
                check: "peers",
                what,
            });
        }
        Some(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{LIVES, judged, time, trouble};
    use super::*;
    use crate::check::Trouble;

    fn place(number: u8) -> Endpoint {
        Endpoint::v4([10, 0, 0, number], 8000)
    }

    /// The first peer announced itself in time, the second too late, the third elsewhere.
    fn found(found: &[u8]) -> Peers {
        let announced = |topic, number, at| Announcement {
            topic,
            places: [Some(place(number)), None],
            stored: Some(time(at)),
        };
        let announcements = vec![announced(0, 1, 100), announced(0, 2, 205), announced(1, 3, 100)];
        let found = found.iter().copied().map(place).collect();
        let (begun, ended) = (time(200), Some(time(210)));
        let searches = vec![Search { topic: 0, machine: LIVES, begun, ended, found }];
        Peers { announcements, searches, asked: Vec::new() }
    }

    #[test]
    fn peers_that_are_missing_and_strangers_are_seen() {
        let calm = Trouble::default();
        let right = Tally { right: 1, excused: 0 };
        assert_eq!(judged(&found(&[1]), &[], &calm), (right, false));
        assert_eq!(judged(&found(&[1, 2]), &[], &calm), (right, false));
        assert!(judged(&found(&[2]), &[], &calm).1);
        assert!(judged(&found(&[1, 3]), &[], &calm).1);
        assert_eq!(judged(&found(&[3]), &[], &trouble()).0.excused, 1);
    }
}
