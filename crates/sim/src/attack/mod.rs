//! Those who mean harm, one attack a file.
//!
//! An attack on a network is a [`Scheme`] of a [`Gang`]: many addresses on one machine of the world,
//! whose members know each other, all honest addresses and our code, answer as convincingly as nodes
//! do, and deviate where the scheme says so. To add one, copy the smallest, [`forgetful`], and name it
//! in the table of faults ([`KINDS`](crate::fault::KINDS)).

pub mod crosswise;
pub mod desert;
pub mod doubles;
pub mod eclipse;
pub mod endless;
pub mod flood;
pub mod foreigners;
pub mod forgers;
pub mod forgetful;
pub mod gang;
pub mod gauge;
pub mod ghosts;
pub mod hostile;
pub mod impostors;
pub mod liars;
pub mod mirage;
mod puppet;
pub mod reflection;
pub mod replay;
mod roster;
pub mod siege;
pub mod spam;
pub mod stale;
pub mod stuffing;
pub mod sybils;
pub mod twins;

use node::Instant;
use wire::{Endpoint, NodeId};

use crate::chance::Chance;

pub use gang::{Gang, Grounds};
pub use hostile::{Asked, Heard, Hostile, Scheme};
pub use puppet::{Says, Shown};

/// What an attacker may do at a moment: send from any of its addresses, and ask to be woken.
pub struct Hand<'h> {
    /// The world's time.
    pub now: Instant,
    /// The attacker's chance.
    pub chance: &'h mut Chance,
    pub(crate) sent: &'h mut Vec<(Endpoint, Endpoint, Vec<u8>)>,
    pub(crate) wake_at: &'h mut Option<Instant>,
}

impl Hand<'_> {
    /// Sends a datagram. `from` may be anybody's address: it is forged if it is not the attacker's own.
    pub fn send(&mut self, from: Endpoint, to: Endpoint, bytes: &[u8]) {
        self.sent.push((from, to, bytes.to_vec()));
    }

    /// Asks to be woken then, unless it is woken earlier.
    pub fn wake_at(&mut self, at: Instant) {
        *self.wake_at = Some(self.wake_at.map_or(at, |set| set.min(at)));
    }
}

/// Somebody who means harm.
pub trait Attack {
    /// It begins.
    fn begin(&mut self, hand: &mut Hand<'_>);

    /// A datagram arrived at one of its addresses.
    fn datagram(&mut self, hand: &mut Hand<'_>, at: Endpoint, from: Endpoint, bytes: &[u8]);

    /// The time has come that it asked for.
    fn wake(&mut self, hand: &mut Hand<'_>);

    /// Under which id it stands in tables all the time, if it is a bystander that means no harm and holds
    /// nothing for anybody.
    fn bystander(&self) -> Option<NodeId> {
        None
    }

    /// Whether it has ended, so that nobody answers there any more.
    fn is_over(&self) -> bool {
        false
    }

    /// What it has done so far.
    fn tally(&self) -> Tally {
        Tally::default()
    }
}

/// What an attacker has sent and what has reached it, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Datagrams sent.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Datagrams that arrived.
    pub heard: u64,
    /// Their bytes.
    pub heard_bytes: u64,
    /// Writes that honest nodes said they took.
    pub taken: u64,
    /// Writes that honest nodes refused.
    pub refused: u64,
}

/// Keeps an attacker's addresses when its attack is over: nobody answers there any more.
pub struct Silence;

impl Attack for Silence {
    fn begin(&mut self, _: &mut Hand<'_>) {}
    fn datagram(&mut self, _: &mut Hand<'_>, _: Endpoint, _: Endpoint, _: &[u8]) {}
    fn wake(&mut self, _: &mut Hand<'_>) {}
    fn is_over(&self) -> bool {
        true
    }
}
