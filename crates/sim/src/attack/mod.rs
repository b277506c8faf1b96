//! Those who mean harm, one attack a file. To add one, copy the smallest.

use node::Instant;
use wire::Endpoint;

use crate::chance::Chance;

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
}
