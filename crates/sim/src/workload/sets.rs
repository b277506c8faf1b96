//! Sets: users add items, remove them again, and list them. At rest a listing must hold what was added
//! and nothing that was removed.

use std::collections::BTreeMap;

use core::time::Duration;

use kv::{Done, ListedMember, MembersRequest, Request, SetChange, SetRequest, Version};
use node::{Instant, UnixMillis};
use wire::{Cursor, Signer};

use super::desk::{Desk, holders};
use super::keys::SETS;
use super::{Judgement, Kind, Tally};
use crate::chance::Chance;
use crate::check::standing::clock_slack;
use crate::clock::START;
use crate::oracle::Oracle;
use crate::world::{MachineId, Violation, World};

/// So many sets there are, ...
const COUNT: usize = 3;

/// ... so many writers, ...
const WRITERS: usize = 3;

/// ... and so many items.
const ITEMS: usize = 30;

/// The lives of members.
const TTLS: [Duration; 3] =
    [Duration::from_secs(600), Duration::from_secs(2 * 3600), Duration::from_secs(7 * 24 * 3600)];

/// So many members are listed at once.
const PAGE: usize = 50;

/// Which member of which set.
type Name = (usize, [u8; 32], Vec<u8>);

struct Change {
    machine: MachineId,
    name: Name,
    adds: Option<Duration>,
    begun: Instant,
    /// In which version it was stored, until when, and where.
    stored: Option<(Version, UnixMillis, Vec<MachineId>)>,
    /// When it ended, whatever with.
    ended: Option<Instant>,
}

struct Listing {
    set: usize,
    machine: MachineId,
    at_rest: bool,
    /// Whether a majority of those who should hold the set can be asked from there.
    within_reach: bool,
    members: Vec<ListedMember>,
    /// Whether all of it came.
    whole: Option<bool>,
    ended: Instant,
}

enum Asked {
    Change(usize),
    Listing(usize),
}

/// Users of sets.
pub struct Sets {
    writers: Vec<Signer>,
    changes: Vec<Change>,
    listings: Vec<Listing>,
    asked: Vec<Asked>,
}

fn item(number: usize) -> Vec<u8> {
    format!("item {number}").into_bytes()
}

impl Sets {
    /// With writers of their own.
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::of(seed, "writers");
        let writers = (0..WRITERS).map(|_| Signer::from_seed(&chance.bytes())).collect();
        Self { writers, changes: Vec::new(), listings: Vec::new(), asked: Vec::new() }
    }

    fn change(&mut self, desk: &mut Desk<'_>, machine: MachineId) {
        let set = desk.chance.below(COUNT);
        let Some(writer) = desk.chance.pick(&self.writers).cloned() else { return };
        let item = item(desk.chance.below(ITEMS));
        let ttl = *desk.chance.pick(&TTLS).unwrap_or(&TTLS[0]);
        let adds = desk.chance.happens(0.75).then_some(ttl);
        let change = adds.map_or(SetChange::Remove, |ttl| SetChange::Add { ttl });
        let name = (set, *writer.public_key().as_bytes(), item.clone());
        let (namespace, key) = desk.keys.place(SETS + set as u32);
        let item = item.into();
        let request = SetRequest { namespace, key, writer: Some(writer), item, change };
        let begun = desk.world.now();
        self.asked.push(Asked::Change(self.changes.len()));
        self.changes.push(Change { machine, name, adds, begun, stored: None, ended: None });
        desk.ask(machine, Request::Set(request), self.asked.len() as u64 - 1);
    }

    fn list(&mut self, desk: &mut Desk<'_>, machine: MachineId, set: usize, at_rest: bool) {
        let ended = desk.world.now();
        self.asked.push(Asked::Listing(self.listings.len()));
        let members = Vec::new();
        let within_reach = !at_rest || within_reach(desk, machine, set);
        let listing = Listing { set, machine, at_rest, within_reach, members, whole: None, ended };
        self.listings.push(listing);
        ask_for_page(desk, machine, set, None, self.asked.len() as u64 - 1);
    }
}

fn within_reach(desk: &Desk<'_>, id: MachineId, set: usize) -> bool {
    let (namespace, key) = desk.keys.place(SETS + set as u32);
    let place = namespace.target(&key).point();
    let (reached, closest) = Oracle::of(desk.world).reached(id, desk.world, &place);
    reached > closest / 2
}

fn ask_for_page(
    desk: &mut Desk<'_>,
    machine: MachineId,
    set: usize,
    after: Option<Cursor>,
    number: u64,
) {
    let (namespace, key) = desk.keys.place(SETS + set as u32);
    let request = MembersRequest { namespace, key, after, limit: PAGE };
    desk.ask(machine, Request::Members(request), number);
}

impl Kind for Sets {
    fn name(&self) -> &'static str {
        "sets"
    }

    fn act(&mut self, desk: &mut Desk<'_>, machine: MachineId) {
        match desk.chance.happens(0.7) {
            true => self.change(desk, machine),
            false => {
                let set = desk.chance.below(COUNT);
                self.list(desk, machine, set, false);
            }
        }
    }

    fn done(&mut self, desk: &mut Desk<'_>, number: u64, done: &Done) {
        let now = desk.world.now();
        match (&self.asked[number as usize], done) {
            (Asked::Change(place), Done::Set(result)) => {
                let change = &mut self.changes[*place];
                change.ended = Some(now);
                if let Ok(report) = result {
                    let at = holders(desk.world, change.machine, &report.replicas.stored);
                    change.stored = Some((report.version, report.expires, at));
                }
            }
            (Asked::Listing(place), Done::Members(result)) => {
                let listing = &mut self.listings[*place];
                listing.ended = now;
                let Ok(report) = result else { return listing.whole = Some(false) };
                listing.members.extend(report.members.iter().cloned());
                match report.next {
                    None => listing.whole = Some(true),
                    after => ask_for_page(desk, listing.machine, listing.set, after, number),
                }
            }
            _ => {}
        }
    }

    fn cut(&mut self, desk: &mut Desk<'_>, number: u64) {
        if let Asked::Change(place) = self.asked[number as usize] {
            self.changes[place].ended = Some(desk.world.now());
        }
    }

    fn look_at_rest(&mut self, desk: &mut Desk<'_>, turn: usize) -> bool {
        let mut used: Vec<usize> = self.changes.iter().map(|change| change.name.0).collect();
        used.sort_unstable();
        used.dedup();
        if let (Some(set), Some(machine)) = (used.get(turn), desk.somebody()) {
            self.list(desk, machine, *set, true);
        }
        turn + 1 < used.len()
    }

    fn judge(&self, by: &Judgement<'_>, found: &mut Vec<Violation>) -> Option<Tally> {
        let mut by_name: BTreeMap<&Name, Vec<&Change>> = BTreeMap::new();
        for change in &self.changes {
            by_name.entry(&change.name).or_default().push(change);
        }
        let mut tally = Tally::default();
        for listing in &self.listings {
            for what in wrong(listing, &by_name, by.world, &mut tally) {
                let at = listing.ended;
                found.push(Violation { at, machine: Some(listing.machine), check: "sets", what });
            }
        }
        Some(tally)
    }
}

/// What is wrong with a listing: members that nobody added, always; at rest also those that were removed,
/// and those that are missing.
fn wrong(
    listing: &Listing,
    changes: &BTreeMap<&Name, Vec<&Change>>,
    world: &World,
    tally: &mut Tally,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let set = listing.set;
    for member in &listing.members {
        let name = (set, *member.writer.as_bytes(), member.item.to_vec());
        let changes = changes.get(&name).map_or(&[][..], |all| &all[..]);
        let text = String::from_utf8_lossy(&member.item).into_owned();
        let added = |change: &&&Change| change.adds.is_some() && change.begun <= listing.ended;
        if !changes.iter().any(|change| added(&change)) {
            wrong.push(format!("set {set} has a member `{text}`, which nobody added"));
        }
        let removed = changes.iter().filter(|change| change.adds.is_none());
        let removed = removed.filter(|change| {
            change.stored.as_ref().is_some_and(|(version, ..)| *version > member.version)
        });
        if listing.at_rest && removed.clone().any(|change| some_kept(change, world)) {
            wrong.push(format!("set {set} has a member `{text}`, which was removed"));
        }
    }
    if !listing.at_rest {
        return wrong;
    }
    if listing.whole != Some(true) && !listing.within_reach {
        tally.excused += 1;
        return wrong;
    }
    if listing.whole != Some(true) {
        wrong.push(format!("set {set} could not be listed in whole"));
        return wrong;
    }
    for (name, changes) in changes.iter().filter(|(name, _)| name.0 == set) {
        match due(changes, world, listing.ended) {
            Some(true) => {
                let is = |member: &&ListedMember| {
                    *member.writer.as_bytes() == name.1 && member.item[..] == name.2[..]
                };
                if listing.members.iter().any(|member| is(&member)) {
                    tally.right += 1;
                } else {
                    let text = String::from_utf8_lossy(&name.2);
                    wrong.push(format!("set {set} lacks a member `{text}`, which was added"));
                }
            }
            Some(false) => tally.excused += 1,
            None => {}
        }
    }
    wrong
}

/// Whether an item must be a member: it was added last, and lives. `Some(false)`: all who held it may have
/// lost it.
fn due(changes: &[&Change], world: &World, now: Instant) -> Option<bool> {
    let last = changes.iter().filter(|change| change.stored.is_some());
    let last = last.max_by_key(|change| change.stored.as_ref().map(|(version, ..)| *version))?;
    last.adds?;
    let (_, expires, _) = last.stored.as_ref()?;
    if *expires <= START + now.since(Instant::default()) + clock_slack(world) {
        return None;
    }
    // What ended otherwise may have come after it.
    let uncertain = |change: &&&Change| change.stored.is_none() && change.ended > Some(last.begun);
    if changes.iter().any(|change| uncertain(&change)) {
        return None;
    }
    Some(some_kept(last, world))
}

/// Whether some machine that stored a change is as it was since then. Members may not have reached the
/// disk when their storing is told, so every restart counts.
fn some_kept(change: &Change, world: &World) -> bool {
    let Some((_, _, holders)) = &change.stored else { return false };
    let kept = |id: &MachineId| world.machines[id.index()].lived_through(change.begun);
    holders.iter().any(kept)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{ENDED, LIVES, judged, time, version};
    use super::*;
    use crate::check::Trouble;

    const LONG: Duration = Duration::from_secs(99_999);

    fn writer() -> Signer {
        Signer::from_seed(&[7; 32])
    }

    fn change(adds: Option<Duration>, number: u64, holder: MachineId) -> Change {
        let name = (0, *writer().public_key().as_bytes(), item(1));
        let expires = START + adds.unwrap_or(LONG);
        let stored = Some((version(number), expires, vec![holder]));
        let (begun, ended) = (time(number), Some(time(number + 1)));
        Change { machine: LIVES, name, adds, begun, stored, ended }
    }

    /// A listing at rest, of an item in this version.
    fn sets(changes: Vec<Change>, listed: Option<u64>, at_rest: bool) -> Sets {
        let member = |number| ListedMember {
            writer: writer().public_key(),
            item: item(1).into(),
            version: version(number),
            expires: UnixMillis(u64::MAX),
        };
        let members = listed.map(member).into_iter().collect();
        let (whole, ended) = (Some(true), time(1000));
        let within_reach = true;
        let listing =
            Listing { set: 0, machine: LIVES, at_rest, within_reach, members, whole, ended };
        Sets { listings: vec![listing], changes, ..Sets::new(1) }
    }

    fn wrong(sets: &Sets) -> bool {
        judged(sets, &[], &Trouble::default()).1
    }

    #[test]
    fn members_that_are_missing_at_rest_are_seen_unless_all_lost_them() {
        let added = |holder| vec![change(Some(LONG), 10, holder)];
        assert!(!wrong(&sets(added(LIVES), Some(10), true)));
        assert!(wrong(&sets(added(LIVES), None, true)));
        assert!(!wrong(&sets(added(LIVES), None, false)));
        assert!(!wrong(&sets(added(ENDED), None, true)));
        let short = vec![change(Some(Duration::from_secs(5)), 10, LIVES)];
        assert!(!wrong(&sets(short, None, true)));
    }

    #[test]
    fn members_that_were_removed_or_never_added_are_seen() {
        let removed = |holder| vec![change(Some(LONG), 10, LIVES), change(None, 20, holder)];
        assert!(!wrong(&sets(removed(LIVES), None, true)));
        assert!(wrong(&sets(removed(LIVES), Some(10), true)));
        assert!(!wrong(&sets(removed(ENDED), Some(10), true)));
        assert!(wrong(&sets(Vec::new(), Some(10), false)));
        assert!(wrong(&sets(vec![change(None, 20, LIVES)], Some(10), false)));
    }

    #[test]
    fn a_set_that_cannot_be_listed_at_rest_is_seen() {
        let mut sets = sets(vec![change(Some(LONG), 10, LIVES)], Some(10), true);
        sets.listings[0].whole = Some(false);
        assert!(wrong(&sets));
    }
}
