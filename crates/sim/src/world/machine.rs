//! A machine: one node with its addresses, clock and disk, or an attacker with as many addresses as it
//! likes.

use core::time::Duration;

use kv::Kv;
use node::Instant;
use wire::{Contact, Endpoint, Family, NodeId};

use super::disk::Disk;
use super::nat::NatId;
use crate::attack::Attack;
use crate::clock::Clock;
use crate::network::Site;

/// Names a machine of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachineId(pub u32);

impl MachineId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Who acts on a machine.
pub enum Actor {
    /// Nobody: it is off, or its process has ended.
    Nobody,
    /// A node.
    Node(Box<Kv>),
    /// Somebody who means harm.
    Attacker(Box<dyn Attack>),
}

/// One machine.
pub struct Machine {
    /// Who acts on it.
    pub actor: Actor,
    /// What its node is told at each start.
    pub config: kv::Config,
    /// Where it is.
    pub site: Site,
    /// The address that it knows of itself, in each family.
    pub places: [Option<Endpoint>; 2],
    /// The box behind which it is, in IPv4.
    pub nat: Option<NatId>,
    /// It is away for good, or will be once it has left: nothing starts on it any more.
    pub gone: bool,
    /// Its node hands over what it holds and goes then.
    pub(super) leaving: bool,
    /// What its clocks show.
    pub clock: Clock,
    /// Its disk, if what its node holds outlives the process.
    pub disk: Option<Box<Disk>>,
    /// How many lives of its actor have begun: what was under way in an earlier one is void.
    pub life: u32,
    /// Whom its node would join through at the next start.
    pub remembered: Vec<Contact>,
    /// It does nothing until then; what arrives meanwhile waits.
    pub paused_until: Instant,
    /// Datagrams that wait for the end of a pause.
    pub(super) waiting: u32,
    /// How long it takes to act on anything.
    pub slowness: Duration,
    /// When it last lost what it held, or may have: it ended without a disk, or its clock was set.
    pub lost_at: Option<Instant>,
    /// When a life of its actor last ended.
    pub ended_at: Option<Instant>,
    /// When it will wake by itself.
    pub(super) wake_at: Option<Instant>,
}

impl Machine {
    pub(super) fn new(config: kv::Config, site: Site, places: [Option<Endpoint>; 2]) -> Self {
        Self {
            actor: Actor::Nobody,
            config,
            site,
            places,
            nat: None,
            gone: false,
            leaving: false,
            clock: Clock::default(),
            disk: None,
            life: 0,
            remembered: Vec::new(),
            paused_until: Instant::default(),
            waiting: 0,
            slowness: Duration::ZERO,
            lost_at: None,
            ended_at: None,
            wake_at: None,
        }
    }

    /// Its node, if one is running.
    pub fn kv(&self) -> Option<&Kv> {
        match &self.actor {
            Actor::Node(kv) => Some(kv),
            Actor::Nobody | Actor::Attacker(_) => None,
        }
    }

    /// Its node, if one is running.
    pub fn kv_mut(&mut self) -> Option<&mut Kv> {
        match &mut self.actor {
            Actor::Node(kv) => Some(kv),
            Actor::Nobody | Actor::Attacker(_) => None,
        }
    }

    /// The id of a bystander, if one is there that holds nothing for anybody.
    pub fn bystander(&self) -> Option<NodeId> {
        match &self.actor {
            Actor::Attacker(attack) => attack.bystander(),
            Actor::Nobody | Actor::Node(_) => None,
        }
    }

    /// The address that it knows of itself in a family.
    pub fn place(&self, family: Family) -> Option<Endpoint> {
        self.places[family as usize]
    }

    /// Whether a node runs on it that still holds all that it took since then, unless that has ended.
    pub fn kept_all_since(&self, at: Instant) -> bool {
        let lost = self.lost_at.is_some_and(|lost| lost >= at);
        let damaged = self.disk.as_ref().is_some_and(|disk| disk.is_damaged());
        self.kv().is_some() && !lost && !damaged
    }

    /// Whether a node runs on it that has lived, by a clock that nobody set, since then.
    pub fn lived_through(&self, since: Instant) -> bool {
        self.kept_all_since(since) && self.ended_at.is_none_or(|ended| ended < since)
    }

    /// Whether an attacker is or was there, or a router, who keeps nothing either.
    pub fn is_attacker(&self) -> bool {
        matches!(self.actor, Actor::Attacker(_))
    }

    /// Whether somebody answers there: a node, or an attacker that is not over.
    pub fn answers(&self) -> bool {
        match &self.actor {
            Actor::Node(_) => true,
            Actor::Attacker(attack) => !attack.is_over(),
            Actor::Nobody => false,
        }
    }

    /// Whether a node or an attacker runs on it.
    pub fn is_up(&self) -> bool {
        !matches!(self.actor, Actor::Nobody)
    }
}
