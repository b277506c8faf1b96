//! Sealed networks: each datagram is encrypted and authenticated under the network's key, and
//! whoever lacks the key gets silence.
//!
//! A sealed datagram is `sender` (16 bytes) ‖ `number` (8, big-endian) ‖ ciphertext ‖ tag (16):
//! XChaCha20-Poly1305 with `sender ‖ number` as its 24-byte nonce and no associated data.
//!
//! * *The key* is SHA-256 of a label, a zero byte, the secret of the key file and the network's tag,
//!   so that neither other uses of the secret nor networks of another name have the same one.
//! * *No nonce comes twice.* The sender is drawn at each start. The number is the wall clock in
//!   microseconds, or one more than the last if that is not higher; a clock that is set back far
//!   makes the node another sender. XChaCha20 derives a key from the first 16 bytes of a nonce; since
//!   those are the sender, that key is derived once and kept beside what was heard of the sender.
//! * *No datagram is heard twice* by the same node. Of each sender the latest numbers are
//!   remembered, and none is heard again or below them ([`Window`](window::Window)). Of a sender
//!   that we do not remember no question is heard whose number lies before our own start or not
//!   above those of the senders that we forgot: it may have been heard before. A reply needs no
//!   number to be fresh: it must repeat the transaction id of a question that waits, and comes from
//!   where that went. So nothing is heard again after a restart either, and clocks need not agree
//!   closely. What is off by more than [`SEAL_FRESH`] is never heard, whoever sent it.
//! * *Nothing comes back.* Our own senders are remembered as ones of which all has been heard.
//! * *An outsider changes nothing.* No sender is remembered, and no number, before the tag has
//!   verified.
//!
//! Addresses are not bound: a NAT changes them. So a datagram on its way to one node can be shown
//! once to each other node, and from another address. What that can and cannot do stands in
//! docs/threat-model.md.

mod aead;
mod senders;
mod window;

use alloc::boxed::Box;
use core::fmt;

use sha2::{Digest, Sha256};
use wire::{Endpoint, NetworkTag};
use zeroize::{Zeroize, Zeroizing};

use crate::counters::Drop;
use crate::dice::Dice;
use crate::limits::{
    SEAL_BYTES, SEAL_FRESH, SEAL_HEAD_BYTES, SEAL_NUMBER_BYTES, SEAL_SENDER_BYTES, SEAL_SENDERS,
    SEAL_SET_BACK, SEAL_TAG_BYTES,
};
use crate::outbox::Outbox;
use crate::shelf::Admission;
use crate::state::Node;
use crate::time::{Instant, Now, UnixMillis};
use aead::{Bench, SenderKey};
use senders::{Sender, Senders};

const LABEL: &[u8] = b"xorbit sealed network v1\0";

/// The secret that the members of a sealed network share.
#[derive(Clone)]
pub struct NetworkKey([u8; 32]);

impl NetworkKey {
    /// The key of these 32 random bytes.
    pub fn from_secret(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// What datagrams of the network with this tag are sealed with.
    fn derive(&self, tag: Option<NetworkTag>) -> Zeroizing<[u8; 32]> {
        let mut hash = Sha256::new();
        hash.update(LABEL);
        hash.update(self.0);
        hash.update(tag.map_or([0; 4], |tag| tag.0));
        Zeroizing::new(hash.finalize().into())
    }
}

impl core::ops::Drop for NetworkKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for NetworkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetworkKey(..)")
    }
}

/// Whether a message is known to be fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// It was not heard before.
    Fresh,
    /// It may have been heard before we started, or before we forgot its sender.
    Unknown,
}

/// Seals what a node sends and opens what it hears.
pub(crate) struct Seal {
    key: Zeroizing<[u8; 32]>,
    sender: Sender,
    /// Our place among the senders.
    own: usize,
    last: u64,
    started: Instant,
    senders: Senders,
    /// Lent out while the message that was opened on it is read.
    bench: Option<Bench>,
}

impl Seal {
    fn new(key: &NetworkKey, tag: Option<NetworkTag>, now: Now, dice: &mut Dice) -> Self {
        let key = key.derive(tag);
        let mut senders = Senders::new(dice.u64());
        let sender = dice.bytes();
        let own = senders.remember(sender, SenderKey::derive(&key, &sender), u64::MAX);
        let (started, bench) = (now.monotonic, Some(Bench::new()));
        Self { key, sender, own, last: 0, started, senders, bench }
    }

    /// Seals the datagram in the middle of `frame`.
    fn seal(&mut self, frame: &mut [u8], wall: UnixMillis, dice: &mut Dice) {
        let number = self.next_number(wall, dice);
        let Some(bench) = &mut self.bench else { return };
        let Some((head, rest)) = frame.split_at_mut_checked(SEAL_HEAD_BYTES) else { return };
        let Some(end) = rest.len().checked_sub(SEAL_TAG_BYTES) else { return };
        let (body, tag) = rest.split_at_mut(end);
        head[..SEAL_SENDER_BYTES].copy_from_slice(&self.sender);
        head[SEAL_SENDER_BYTES..].copy_from_slice(&number.to_be_bytes());
        tag.copy_from_slice(&bench.seal(self.senders.key(self.own), number, body));
    }

    /// A number that no datagram of ours has.
    fn next_number(&mut self, wall: UnixMillis, dice: &mut Dice) -> u64 {
        let clock = micros(wall);
        let next = self.last.saturating_add(1);
        if next > clock.saturating_add(SEAL_SET_BACK.as_micros() as u64) && self.last > 0 {
            // The clock was set back: by numbers of before, nobody would hear us until it has caught
            // up. Who we were has nothing more to say, and stays closed.
            self.sender = dice.bytes();
            self.senders.close_at(self.own, self.last);
            let key = SenderKey::derive(&self.key, &self.sender);
            self.own = self.senders.remember(self.sender, key, u64::MAX);
            self.last = clock;
        } else {
            self.last = clock.max(next);
        }
        self.last
    }

    /// Opens a datagram into our buffer, if it is one that we may hear. Tells its length and age.
    fn open(&mut self, bytes: &[u8], now: Now, steady: UnixMillis) -> Result<(usize, Age), Drop> {
        let (head, rest) = bytes.split_first_chunk::<SEAL_HEAD_BYTES>().ok_or(Drop::Unsealed)?;
        let (body, tag) = rest.split_last_chunk::<SEAL_TAG_BYTES>().ok_or(Drop::Unsealed)?;
        let (sender, number) = parts(head);
        let bench = self.bench.as_mut().ok_or(Drop::Unsealed)?;
        let clock = || near(number, now, steady).ok_or(Drop::Replayed);
        let age = match self.senders.place(&sender) {
            Some(place) => {
                if !bench.open(self.senders.key(place), number, body, tag) {
                    return Err(Drop::Unsealed);
                }
                clock()?;
                self.senders.hear(place, number).then_some(Age::Fresh)
            }
            None => {
                let key = SenderKey::derive(&self.key, &sender);
                if !bench.open(&key, number, body, tag) {
                    return Err(Drop::Unsealed);
                }
                Some(self.meet(sender, key, number, clock()?, now.monotonic))
            }
        };
        Ok((body.len(), age.ok_or(Drop::Replayed)?))
    }

    /// Hears a sender that we do not remember; `clock` is our clock, in microseconds since 1970.
    fn meet(
        &mut self,
        sender: Sender,
        key: SenderKey,
        number: u64,
        clock: u64,
        now: Instant,
    ) -> Age {
        // As many microseconds ago as we have lived, and one millisecond, since that is what the
        // wall clock counts in.
        let started = clock.saturating_sub(now.since(self.started).as_micros() as u64 + 1000);
        let floor = self.senders.forgotten().max(started);
        if number <= floor {
            return Age::Unknown;
        }
        let place = self.senders.remember(sender, key, floor);
        // Above its floor and the first, so it is heard.
        let heard = self.senders.hear(place, number);
        if heard { Age::Fresh } else { Age::Unknown }
    }

    /// Checks what must always hold.
    pub(crate) fn check_invariant(&self) {
        assert!(self.senders.len() <= SEAL_SENDERS);
        assert!(self.bench.is_some(), "what was lent came back");
    }
}

impl<A: Admission> Node<A> {
    /// From now on, all that is sent is sealed, and what is not is not heard.
    pub(crate) fn seal_with(&mut self, key: &NetworkKey, now: Now) {
        // The steady clock begins here, so that what the wall clock does later is a jump.
        self.lease_wall(now);
        let seal = Seal::new(key, self.config.network.tag(), now, &mut self.dice);
        self.seal = Some(Box::new(seal));
    }

    /// How much longer a seal makes what we send.
    pub(crate) fn sealing_bytes(&self) -> usize {
        if self.seal.is_some() { SEAL_BYTES } else { 0 }
    }

    /// Seals what was written into the outbox since it held `first` datagrams.
    pub(crate) fn seal_from(&mut self, first: usize, now: Now, outbox: &mut Outbox) {
        let Some(seal) = &mut self.seal else { return };
        let (dice, counters) = (&mut self.dice, &mut self.counters);
        outbox.seal_from(first, |frame| {
            seal.seal(frame, now.wall, dice);
            counters.sent_bytes += SEAL_BYTES as u64;
        });
    }

    /// Takes a datagram that should be sealed.
    pub(crate) fn sealed_arrived(
        &mut self,
        now: Now,
        from: Endpoint,
        bytes: &[u8],
        outbox: &mut Outbox,
    ) {
        let steady = self.lease_wall(now);
        let Some(seal) = &mut self.seal else { return };
        match seal.open(bytes, now, steady) {
            Ok((length, age)) => {
                let Some(bench) = seal.bench.take() else { return };
                self.message_arrived(now, from, bench.opened(length), age, outbox);
                if let Some(seal) = &mut self.seal {
                    seal.bench = Some(bench);
                }
            }
            Err(reason) => self.counters.drop(reason),
        }
    }
}

/// Our clock, in microseconds since 1970, if a number is near it. Right after a machine has slept,
/// the steady clock has not yet followed the wall clock; right after a wrong jump, the wall clock is
/// the wrong one. So either will do.
fn near(number: u64, now: Now, steady: UnixMillis) -> Option<u64> {
    let fresh = SEAL_FRESH.as_micros() as u64;
    let clocks = [micros(steady), micros(now.wall)];
    clocks.into_iter().find(|clock| clock.abs_diff(number) <= fresh)
}

fn micros(wall: UnixMillis) -> u64 {
    wall.0.saturating_mul(1000)
}

/// Sender and number.
fn parts(head: &[u8; SEAL_HEAD_BYTES]) -> (Sender, u64) {
    let (mut sender, mut number) = ([0; SEAL_SENDER_BYTES], [0; SEAL_NUMBER_BYTES]);
    sender.copy_from_slice(&head[..SEAL_SENDER_BYTES]);
    number.copy_from_slice(&head[SEAL_SENDER_BYTES..]);
    (sender, u64::from_be_bytes(number))
}
