//! A network of honest nodes with a gang among them, and what lookups and gets in it come to.
#![allow(dead_code, reason = "each story uses what it needs of the town")]

use core::fmt;
use core::time::Duration;

use hashbrown::HashMap;
use kv::{
    Change, Consistency, Done, Event, Expected, GetRequest, Key, LookupReport, Namespace,
    PutRequest, Request, RequestId,
};
use node::Instant;
use wire::{Contact, Endpoint, Point, secure_id};

use crate::attack::{Attack, Gang, Grounds, Hostile, Scheme, Silence, Tally};
use crate::chance::Chance;
use crate::fault::attack::{grounds, place, settle};
use crate::network::{Latency, Network, Site};
use crate::workload;
use crate::world::{Actor, Happened, MachineId, World};

/// What was asked, by whom and under which id.
type UnderWay<T> = HashMap<(MachineId, RequestId), T, foldhash::fast::FixedState>;

/// How many of the closest a lookup is to find.
pub const K: usize = 8;

/// Lookups and gets on their way at once.
const AT_ONCE: usize = 50;

/// Whose world it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The public network, at global addresses of as many networks: ids follow from addresses.
    Public,
    /// A network of one's own at private addresses.
    Private,
}

/// Honest nodes, and perhaps a gang.
pub struct Town {
    /// The world.
    pub world: World,
    /// The machines of honest nodes.
    pub honest: Vec<MachineId>,
    /// The machine of the gang.
    pub gang: Option<MachineId>,
    strikes_at: Instant,
    members: Vec<Contact>,
    chance: Chance,
    ground: Ground,
}

/// Where newcomers are shown in: nodes of the public network that were there before.
struct Doors;

impl Scheme for Doors {
    const NAME: &'static str = "doors";

    fn draw(_: &mut Chance) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "behave".to_owned()
    }
}

/// What lookups and gets came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Score {
    /// Lookups that ended.
    pub lookups: usize,
    /// Of these, those that found the closest honest node and all but one of the eight closest honest.
    pub strict: usize,
    /// Of these, those that found the closest honest node, and all but one of the honest ones among the
    /// eight closest of all that stand where their ids say.
    pub right: usize,
    /// Of these, those that found the closest honest node.
    pub first: usize,
    /// Of these, those that told of the closest honest node, but did not wait for it.
    pub late: usize,
    /// Of these, those that are not right and found members alone.
    pub walled_in: usize,
    /// Of these, those that found the closest honest node and too few others, all of which but one they
    /// told of without waiting for them.
    pub few_late: usize,
    /// Of these, those that found the closest honest node and did not know of others.
    pub few_unknown: usize,
    /// Nodes in the results that are honest, of `found`.
    pub honest: usize,
    /// Nodes in the results.
    pub found: usize,
    /// Queries of all lookups.
    pub asked: usize,
    /// Their time in all.
    pub took: Duration,
    /// Gets that ended.
    pub gets: usize,
    /// Gets that gave the value.
    pub got: usize,
}

impl Score {
    /// Right ones of 100 lookups.
    pub fn right_percent(&self) -> f64 {
        100.0 * self.right as f64 / self.lookups.max(1) as f64
    }

    /// Right ones of 100 gets.
    pub fn got_percent(&self) -> f64 {
        100.0 * self.got as f64 / self.gets.max(1) as f64
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lookups = self.lookups.max(1) as f64;
        let percent = |part: usize| 100.0 * part as f64 / lookups;
        write!(
            f,
            "right {:5.1} %  late {:4.1} %  strict {:5.1} %  closest {:5.1} %  honest in result {:5.1} %  queries {:5.1}  {:4.0} ms  gets {:5.1} %",
            self.right_percent(),
            percent(self.late),
            percent(self.strict),
            percent(self.first),
            100.0 * self.honest as f64 / self.found.max(1) as f64,
            self.asked as f64 / lookups,
            self.took.as_secs_f64() * 1e3 / lookups,
            self.got_percent(),
        )
    }
}

impl Town {
    /// Honest nodes that gather, half of them before a gang comes and half of them after it.
    pub fn gather<S: Scheme + 'static>(
        seed: u64,
        ground: Ground,
        honest: usize,
        members: usize,
        scheme: impl FnOnce(&Grounds) -> S,
    ) -> Self {
        Self::gather_with(seed, ground, [honest, members], |_, found| scheme(found))
    }

    /// The same in the public network, with something beside that the scheme needs.
    pub fn gather_beside<S: Scheme + 'static>(
        seed: u64,
        honest: usize,
        members: usize,
        scheme: impl FnOnce(&mut Self, &mut Grounds) -> S,
    ) -> Self {
        Self::gather_with(seed, Ground::Public, [honest, members], scheme)
    }

    fn gather_with<S: Scheme + 'static>(
        seed: u64,
        ground: Ground,
        [honest, members]: [usize; 2],
        scheme: impl FnOnce(&mut Self, &mut Grounds) -> S,
    ) -> Self {
        let world = World::new(seed, Network::new(seed, Latency::heavy_tail(seed)));
        let chance = Chance::of(seed, "town");
        let mut town = Self {
            world,
            honest: Vec::new(),
            gang: None,
            strikes_at: Instant::default(),
            members: Vec::new(),
            chance,
            ground,
        };
        let doors = (ground == Ground::Public).then(|| town.open_doors());
        town.add_honest(honest);
        let planned = town.planned();
        let all = town.honest.clone();
        let (before, after) = all.split_at(honest / 2);
        town.start(before);
        if members > 0 {
            town.let_in(members, planned, scheme);
        }
        town.start(after);
        town.pass(Duration::from_secs(60));
        if let Some(doors) = doors {
            town.world.start_attack(doors, Box::new(Silence));
        }
        town.pass(Duration::from_secs(20 * 60));
        town
    }

    fn open_doors(&mut self) -> MachineId {
        let places: Vec<Endpoint> =
            (0..4).map(|_| place(&self.world, &mut self.chance, true)).collect();
        self.world.doors = places.clone();
        let machine = settle(&mut self.world, &places, 1 << 20);
        let found = Grounds { places, ..Grounds::default() };
        let gang = Gang::new(Chance::from_number(7), found, Instant::default());
        self.world.start_attack(machine, Box::new(Hostile::new(gang, Doors).enlisted()));
        machine
    }

    fn add_honest(&mut self, count: usize) {
        for number in 0..count {
            let at = place(&self.world, &mut self.chance, self.ground == Ground::Public);
            let mut config = kv::Config { replicas: K, ..kv::Config::default() };
            if self.ground == Ground::Public {
                config.node.network = node::Network::Public;
            } else if number < 3 {
                self.world.doors.push(at);
            }
            config.node.id = Some(secure_id::derive(&at, self.chance.bytes()));
            self.honest.push(self.world.add(config, Site(number as u32), [Some(at), None]));
        }
    }

    /// All honest nodes, those that have not been started too.
    fn planned(&self) -> Vec<Contact> {
        let contact = |id: &MachineId| {
            let machine = &self.world.machines[id.0 as usize];
            let endpoint = machine.places.into_iter().flatten().next();
            Contact {
                id: machine.config.node.id.expect("towns give their nodes ids"),
                endpoint: endpoint.expect("towns give their nodes addresses"),
            }
        };
        self.honest.iter().map(contact).collect()
    }

    fn start(&mut self, machines: &[MachineId]) {
        for id in machines {
            self.world.start(*id);
            let gap = self.chance.span(Duration::ZERO, Duration::from_millis(100));
            self.pass(gap);
        }
    }

    fn let_in<S: Scheme + 'static>(
        &mut self,
        members: usize,
        planned: Vec<Contact>,
        scheme: impl FnOnce(&mut Self, &mut Grounds) -> S,
    ) {
        let mut found = Grounds { honest: planned, ..grounds(&self.world) };
        let global = self.ground == Ground::Public;
        found.places = (0..members).map(|_| place(&self.world, &mut self.chance, global)).collect();
        let machine = settle(&mut self.world, &found.places, 1 << 21);
        let scheme = scheme(self, &mut found);
        // Everybody is to have gathered before it strikes.
        let strikes_at = self.world.now() + STRIKES_AFTER;
        self.strikes_at = strikes_at;
        let gang = Gang::new(Chance::from_number(self.chance.u64()), found, strikes_at);
        let hostile = Hostile::new(gang, scheme).enlisted();
        self.members = hostile.gang().members().to_vec();
        self.world.start_attack(machine, Box::new(hostile));
        self.gang = Some(machine);
    }

    /// What the gang has done.
    pub fn tally(&self) -> Tally {
        let machine = self.gang.map(|id| &self.world.machines[id.0 as usize].actor);
        match machine {
            Some(Actor::Attacker(attack)) => attack.tally(),
            _ => Tally::default(),
        }
    }

    /// Lets another attacker in, at an address of its own.
    pub fn add(&mut self, attack: Box<dyn Attack>) -> (MachineId, Endpoint) {
        let at = place(&self.world, &mut self.chance, self.ground == Ground::Public);
        let machine = settle(&mut self.world, &[at], 1 << 22);
        self.world.start_attack(machine, attack);
        (machine, at)
    }

    /// Lets time pass. Gives what nodes told.
    pub fn pass(&mut self, span: Duration) -> Vec<(MachineId, RequestId, Done)> {
        let until = self.world.now() + span;
        let mut told = Vec::new();
        while let Some(happened) = self.world.step(until) {
            if let Happened::Told(machine, Event::Done(id, done)) = happened {
                told.push((machine, id, done));
            }
        }
        told
    }

    /// Lets the gang strike, and its lies spread.
    pub fn strike(&mut self) {
        let struck = self.strikes_at + Duration::from_secs(5 * 60);
        self.pass(struck.since(self.world.now()));
    }

    /// The honest nodes as they stand.
    pub fn contacts(&self) -> Vec<Contact> {
        grounds(&self.world).honest
    }

    /// So many lookups for places anywhere, by honest nodes anywhere.
    pub fn look(&mut self, lookups: usize) -> Score {
        let asks: Vec<(MachineId, Point)> = (0..lookups)
            .filter_map(|_| {
                let asker = self.chance.pick(&self.honest).copied()?;
                Some((asker, Point::new(self.chance.bytes())))
            })
            .collect();
        self.look_for(&asks)
    }

    /// These lookups.
    pub fn look_for(&mut self, asks: &[(MachineId, Point)]) -> Score {
        let mut score = Score::default();
        for part in asks.chunks(AT_ONCE) {
            let mut under_way: UnderWay<_> = HashMap::default();
            for (asker, target) in part {
                if let Some(id) = self.world.request(*asker, Request::Lookup(*target)) {
                    under_way.insert((*asker, id), *target);
                }
            }
            let oracle = self.contacts();
            for (machine, id, done) in self.pass(Duration::from_secs(35)) {
                let Some(target) = under_way.remove(&(machine, id)) else { continue };
                let Done::Lookup(report) = done else { continue };
                let found: Vec<Contact> =
                    report.closest.iter().map(|responder| responder.contact).collect();
                let own = self.contact_of(machine);
                let verdict = judge(&mut score, &target, &found, &oracle, &self.members, own);
                score.late += usize::from(!verdict.is_right && verdict.is_first_late(&report));
                let only_members = found.iter().all(|it| self.members.contains(it));
                score.walled_in += usize::from(!verdict.is_right && only_members);
                if verdict.has_first && !verdict.is_right {
                    let unknown = |it: &&Contact| !report.silent.contains(it);
                    let known = verdict.missing.iter().filter(unknown).count() <= 1;
                    score.few_late += usize::from(known);
                    score.few_unknown += usize::from(!known);
                }
                score.asked += report.effort.asked;
                score.took += report.effort.took;
            }
        }
        score
    }

    fn contact_of(&self, machine: MachineId) -> Option<Contact> {
        let machine = &self.world.machines[machine.0 as usize];
        let endpoint = machine.places.into_iter().flatten().next()?;
        Some(Contact { id: machine.kv()?.node().id(), endpoint })
    }

    /// Puts so many values, each by some honest node, and tells how many were stored.
    pub fn put(&mut self, values: usize) -> usize {
        let mut stored = 0;
        for part in (0..values).collect::<Vec<_>>().chunks(AT_ONCE) {
            for number in part {
                let Some(machine) = self.chance.pick(&self.honest).copied() else { continue };
                let change = Change::Put {
                    value: number.to_be_bytes().into(),
                    content_type: None,
                    ttl: Duration::from_secs(24 * 3600),
                    plain: false,
                };
                let (namespace, key) = (Namespace::default(), name(*number));
                let expected = Expected::Anything;
                let put = PutRequest { namespace, key, change, expected, trace: false };
                self.world.request(machine, Request::Put(put));
            }
            let told = self.pass(Duration::from_secs(60));
            stored += told.iter().filter(|(.., done)| matches!(done, Done::Put(Ok(_)))).count();
        }
        stored
    }

    /// Gets so many values that were put, each from some honest node.
    pub fn get(&mut self, values: usize, gets: usize, score: &mut Score) {
        for part in (0..gets).collect::<Vec<_>>().chunks(AT_ONCE) {
            let mut under_way: UnderWay<_> = HashMap::default();
            for number in part {
                let number = number % values;
                let Some(machine) = self.chance.pick(&self.honest).copied() else { continue };
                let get = GetRequest {
                    namespace: Namespace::default(),
                    key: name(number),
                    consistency: Consistency::Quorum,
                    trace: false,
                };
                if let Some(id) = self.world.request(machine, Request::Get(get)) {
                    under_way.insert((machine, id), number);
                }
            }
            for (machine, id, done) in self.pass(Duration::from_secs(60)) {
                let Some(number) = under_way.remove(&(machine, id)) else { continue };
                let Done::Got(got) = done else { continue };
                score.gets += 1;
                let right = got.is_ok_and(|report| report.value[..] == number.to_be_bytes());
                score.got += usize::from(right);
            }
        }
    }
}

/// When a gang strikes after it has come: when everybody has gathered and values have been put.
pub const STRIKES_AFTER: Duration = Duration::from_secs(27 * 60);

/// The key of this number.
pub fn name(number: usize) -> Key {
    workload::name(number as u32)
}

/// What is wrong with the result of one lookup.
struct Verdict {
    first: Option<Contact>,
    has_first: bool,
    missing: Vec<Contact>,
    is_right: bool,
}

impl Verdict {
    fn is_first_late(&self, report: &LookupReport) -> bool {
        self.first.is_some_and(|first| report.silent.contains(&first))
    }
}

fn judge(
    score: &mut Score,
    target: &Point,
    found: &[Contact],
    honest: &[Contact],
    members: &[Contact],
    own: Option<Contact>,
) -> Verdict {
    let distance = |contact: &&Contact| target.distance(&contact.id.point());
    let mut near: Vec<&Contact> = honest.iter().filter(|contact| Some(**contact) != own).collect();
    near.sort_by_key(distance);
    let mut all: Vec<&Contact> = near.iter().copied().chain(members).collect();
    all.sort_by_key(distance);
    all.truncate(K);
    let has = |contact: &&&Contact| found.contains(**contact);
    let closest = near.first().is_some_and(|first| found.contains(first));
    let strict = near.iter().take(K).filter(has).count() >= K.min(near.len()) - 1;
    let missed = |one: &&&Contact| !members.contains(**one) && !found.contains(**one);
    let missing: Vec<Contact> = all.iter().filter(missed).map(|one| **one).collect();
    let is_right = closest && missing.len() <= 1;
    score.lookups += 1;
    score.first += usize::from(closest);
    score.strict += usize::from(closest && strict);
    score.right += usize::from(is_right);
    score.found += found.len();
    score.honest += found.iter().filter(|one| near.contains(one)).count();
    Verdict { first: near.first().map(|first| **first), has_first: closest, missing, is_right }
}
