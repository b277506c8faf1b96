//! Boxes that translate addresses: many machines behind one public IPv4 address, each box with habits of
//! its own. The words are those of RFC 4787.

use core::time::Duration;
use std::collections::BTreeMap;

use node::Instant;
use wire::{Endpoint, Family};

use super::{MachineId, World};
use crate::chance::Chance;
use crate::network::Site;

/// Remote addresses that one mapping admits at most; boxes keep a state for each.
const PERMITS: usize = 4096;

/// The lowest port that a box gives out.
const LOWEST_PORT: u16 = 1024;

/// On what something depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependence {
    /// On nothing: the same for all remote addresses.
    Independent,
    /// On the remote IP address.
    Address,
    /// On the remote IP address and port.
    AddressAndPort,
}

impl Dependence {
    /// What of a remote address counts.
    fn of(self, remote: Endpoint) -> Option<Endpoint> {
        match self {
            Dependence::Independent => None,
            Dependence::Address => Some(remote.with_port(0)),
            Dependence::AddressAndPort => Some(remote),
        }
    }
}

/// How a box translates.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// For what a machine's port gets another public port.
    pub mapping: Dependence,
    /// What must have been sent to before its datagrams are let in.
    pub filtering: Dependence,
    /// How long a mapping, or a permit, lasts after the last datagram that went out by it.
    pub keeps: Duration,
    /// Public ports that it gives out at most.
    pub ports: usize,
    /// Whether machines behind it reach each other at the public address.
    pub hairpin: bool,
}

/// Names a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatId(pub u32);

/// A box.
pub struct Nat {
    /// Its public address, with port 0.
    public: Endpoint,
    habits: Habits,
    chance: Chance,
    by_port: BTreeMap<u16, Mapping>,
    by_inside: BTreeMap<(Endpoint, Option<Endpoint>), u16>,
}

struct Mapping {
    inside: Endpoint,
    towards: Option<Endpoint>,
    used_at: Instant,
    permits: BTreeMap<Endpoint, Instant>,
}

impl Nat {
    fn new(public: Endpoint, habits: Habits, chance: Chance) -> Self {
        let (by_port, by_inside) = (BTreeMap::new(), BTreeMap::new());
        Self { public: public.with_port(0), habits, chance, by_port, by_inside }
    }

    /// How it translates.
    pub fn habits(&self) -> &Habits {
        &self.habits
    }

    /// Its public address, with port 0.
    pub fn public(&self) -> Endpoint {
        self.public
    }

    /// Public ports that are given out, those included that could be taken back.
    pub fn mappings(&self) -> usize {
        self.by_port.len()
    }

    /// Whether all its public ports are given out, those included that could be taken back.
    pub fn is_full(&self) -> bool {
        self.by_port.len() >= self.habits.ports.min(usize::from(u16::MAX - LOWEST_PORT))
    }

    /// From where the world sees a datagram that goes out; `None`: no port is left for it.
    fn outbound(&mut self, now: Instant, inside: Endpoint, remote: Endpoint) -> Option<Endpoint> {
        let key = (inside, self.habits.mapping.of(remote));
        let keeps = self.habits.keeps;
        let known = self.by_inside.get(&key).copied();
        let port = match known.filter(|port| self.lives(*port, now)) {
            Some(port) => port,
            None => self.map(now, key)?,
        };
        let mapping = self.by_port.get_mut(&port)?;
        mapping.used_at = now;
        if let Some(permit) = self.habits.filtering.of(remote) {
            if mapping.permits.len() >= PERMITS {
                mapping.permits.retain(|_, used_at| now.since(*used_at) < keeps);
            }
            if mapping.permits.len() < PERMITS {
                mapping.permits.insert(permit, now);
            }
        }
        Some(self.public.with_port(port))
    }

    /// To whom behind the box a datagram is let in.
    fn inbound(&self, now: Instant, port: u16, remote: Endpoint) -> Option<Endpoint> {
        let mapping = self.by_port.get(&port).filter(|_| self.lives(port, now))?;
        let admitted = self.habits.filtering.of(remote).is_none_or(|permit| {
            let used_at = mapping.permits.get(&permit);
            used_at.is_some_and(|used_at| now.since(*used_at) < self.habits.keeps)
        });
        admitted.then_some(mapping.inside)
    }

    fn lives(&self, port: u16, now: Instant) -> bool {
        let mapping = self.by_port.get(&port);
        mapping.is_some_and(|mapping| now.since(mapping.used_at) < self.habits.keeps)
    }

    fn map(&mut self, now: Instant, key: (Endpoint, Option<Endpoint>)) -> Option<u16> {
        if let Some(expired) = self.by_inside.remove(&key) {
            self.by_port.remove(&expired);
        }
        if self.is_full() {
            self.forget_expired(now);
        }
        if self.is_full() {
            return None;
        }
        let mut port = self.chance.between(LOWEST_PORT.into(), u16::MAX.into()) as u16;
        while self.by_port.contains_key(&port) {
            port = port.checked_add(1).unwrap_or(LOWEST_PORT);
        }
        let (inside, towards) = key;
        let mapping = Mapping { inside, towards, used_at: now, permits: BTreeMap::new() };
        self.by_port.insert(port, mapping);
        self.by_inside.insert(key, port);
        Some(port)
    }

    fn forget_expired(&mut self, now: Instant) {
        let keeps = self.habits.keeps;
        let by_inside = &mut self.by_inside;
        self.by_port.retain(|_, mapping| {
            let lives = now.since(mapping.used_at) < keeps;
            if !lives {
                by_inside.remove(&(mapping.inside, mapping.towards));
            }
            lives
        });
    }
}

impl World {
    /// Adds a box with this public IPv4 address.
    pub fn add_nat(&mut self, public: Endpoint, habits: Habits) -> NatId {
        let id = NatId(self.nats.len() as u32);
        let chance = Chance::of_one(self.seed, "nat ports", id.0.into());
        let nat = Nat::new(public, habits, chance);
        self.nat_places.insert(nat.public, id);
        self.nats.push(nat);
        id
    }

    /// The boxes, by their numbers.
    pub fn nats(&self) -> &[Nat] {
        &self.nats
    }

    /// Puts a machine behind a box: it is seen at the box's address from now on, in IPv4.
    pub fn put_behind(&mut self, id: MachineId, nat: NatId) {
        self.machines[id.index()].nat = Some(nat);
    }

    /// A box starts again: it knows none of its mappings any more.
    pub fn restart_nat(&mut self, nat: NatId) {
        let nat = &mut self.nats[nat.0 as usize];
        nat.by_port.clear();
        nat.by_inside.clear();
    }

    /// A box starts again with another public address.
    pub fn renumber_nat(&mut self, id: NatId, public: Endpoint) {
        self.restart_nat(id);
        self.moves += 1;
        let nat = &mut self.nats[id.0 as usize];
        self.nat_places.remove(&nat.public);
        nat.public = public.with_port(0);
        self.nat_places.insert(nat.public, id);
    }

    /// Whether a machine can be reached by those that it never sent to, as long as it sends now and then.
    pub fn is_open(&self, id: MachineId) -> bool {
        let habits = self.machines[id.index()].nat.map(|nat| self.nats[nat.0 as usize].habits);
        let open = |habits: Habits| {
            habits.mapping == Dependence::Independent && habits.filtering == Dependence::Independent
        };
        habits.is_none_or(open)
    }

    /// The machine that is seen at an address through a box.
    pub(super) fn behind(&self, place: &Endpoint) -> Option<(MachineId, Site)> {
        let nat = &self.nats[self.nat_places.get(&place.with_port(0))?.0 as usize];
        let mapping = nat.by_port.get(&place.port())?;
        self.places.get(&mapping.inside).copied()
    }

    /// From where a datagram of a machine is seen; `None`: it does not get out.
    pub(super) fn let_out(
        &mut self,
        id: MachineId,
        from: Endpoint,
        to: Endpoint,
    ) -> Option<Endpoint> {
        if self.nats.is_empty() {
            return Some(from);
        }
        let own = self.nat_of(id, to.family());
        if let Some((other, _)) = self.places.get(&to) {
            // Who is behind a box is spoken to at the address that it knows of itself only there.
            let theirs = self.nat_of(*other, to.family());
            if theirs.is_some() {
                return (theirs == own).then_some(from);
            }
        }
        let Some(nat) = own else { return Some(from) };
        let nat = &mut self.nats[nat.0 as usize];
        if nat.public == to.with_port(0) && !nat.habits.hairpin {
            return None;
        }
        nat.outbound(self.now, from, to)
    }

    /// The address at which a datagram is heard in the end; `None`: a box keeps it out.
    pub(super) fn let_in(&self, from: Endpoint, to: Endpoint) -> Option<Endpoint> {
        match self.nat_places.get(&to.with_port(0)) {
            Some(nat) => self.nats[nat.0 as usize].inbound(self.now, to.port(), from),
            None => Some(to),
        }
    }

    fn nat_of(&self, id: MachineId, family: Family) -> Option<NatId> {
        self.machines[id.index()].nat.filter(|_| family == Family::V4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: [u8; 4] = [10, 0, 0, 1];

    fn remote(host: u8, port: u16) -> Endpoint {
        Endpoint::v4([20, 0, 0, host], port)
    }

    fn nat(mapping: Dependence, filtering: Dependence, ports: usize) -> Nat {
        let keeps = Duration::from_secs(60);
        let habits = Habits { mapping, filtering, keeps, ports, hairpin: true };
        Nat::new(Endpoint::v4([30, 0, 0, 1], 0), habits, Chance::from_number(1))
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn the_public_port_changes_with_what_the_mapping_depends_on() {
        let inside = Endpoint::v4(INSIDE, 8000);
        for (mapping, ports) in [
            (Dependence::Independent, 1),
            (Dependence::Address, 2),
            (Dependence::AddressAndPort, 3),
        ] {
            let mut nat = nat(mapping, Dependence::Independent, 100);
            let mut seen: Vec<Endpoint> = [remote(1, 1), remote(1, 2), remote(2, 2)]
                .map(|to| nat.outbound(at(0), inside, to).unwrap())
                .to_vec();
            assert_eq!(nat.outbound(at(1), inside, remote(1, 1)), Some(seen[0]));
            seen.dedup();
            assert_eq!((seen.len(), nat.mappings()), (ports, ports), "{mapping:?}");
        }
    }

    #[test]
    fn the_filter_lets_in_what_it_depends_on() {
        let inside = Endpoint::v4(INSIDE, 8000);
        for (filtering, wanted) in [
            (Dependence::Independent, [true, true, true]),
            (Dependence::Address, [true, true, false]),
            (Dependence::AddressAndPort, [true, false, false]),
        ] {
            let mut nat = nat(Dependence::Independent, filtering, 100);
            let port = nat.outbound(at(0), inside, remote(1, 1)).unwrap().port();
            let admitted = [remote(1, 1), remote(1, 2), remote(2, 2)]
                .map(|from| nat.inbound(at(1), port, from) == Some(inside));
            assert_eq!(admitted, wanted, "{filtering:?}");
            assert_eq!(nat.inbound(at(1), port ^ 1, remote(1, 1)), None);
        }
    }

    #[test]
    fn a_mapping_expires_unless_something_goes_out_by_it() {
        let inside = Endpoint::v4(INSIDE, 8000);
        let mut nat = nat(Dependence::Independent, Dependence::AddressAndPort, 100);
        let port = nat.outbound(at(0), inside, remote(1, 1)).unwrap().port();
        assert_eq!(nat.outbound(at(50), inside, remote(2, 1)).unwrap().port(), port);
        let in_from = |nat: &Nat, host, seconds| nat.inbound(at(seconds), port, remote(host, 1));
        assert_eq!(in_from(&nat, 1, 59), Some(inside));
        assert_eq!(in_from(&nat, 1, 60), None, "the mapping lives, this permit does not");
        assert_eq!(in_from(&nat, 2, 109), Some(inside));
        assert_eq!(in_from(&nat, 2, 110), None);
    }

    #[test]
    fn ports_run_out_and_those_of_expired_mappings_are_given_out_again() {
        let mut nat = nat(Dependence::Independent, Dependence::Independent, 3);
        let mut from = |host, seconds| {
            nat.outbound(at(seconds), Endpoint::v4([10, 0, 0, host], 8000), remote(1, 1))
        };
        assert!((1..=3).all(|host| from(host, 0).is_some()));
        assert_eq!(from(4, 1), None);
        assert!(from(1, 59).is_some());
        assert!(from(4, 61).is_some() && from(5, 61).is_some());
        assert_eq!(from(6, 61), None);
    }
}
