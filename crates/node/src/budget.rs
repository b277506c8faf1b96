//! What we may send to whom: a budget of bytes for addresses that have not shown that they receive
//! what we send, so that nobody is flooded in another's name; a pace for globally addressed foreign
//! nodes, some of which ban whoever exceeds it; and a cap on everything together.
//!
//! All three are leaky buckets in tables of fixed size under a secret hash, so that no flood of
//! addresses can grow them or choose whom it shares a slot with. Loopback and private addresses are
//! exempt from the first two.

use alloc::boxed::Box;
use core::hash::Hasher;

use siphasher::sip::SipHasher13;
use wire::planted::{self, Bug};
use wire::{Endpoint, Scope};

use crate::dice::Dice;
use crate::limits::{
    BUDGET_SLOTS, PACE_BURST, PACE_INTERVAL, PROOF_LIFE, TOKEN_EPOCH, UNPROVEN_BURST_BYTES,
    UNPROVEN_BYTES_PER_S, UNPROVEN_PREFIX_FACTOR,
};
use crate::time::Instant;

/// A leaky bucket: `drained_at` is the nanosecond at which all that was let through has drained.
#[derive(Clone, Copy, Default)]
struct Leaky {
    drained_at: u64,
}

impl Leaky {
    /// When `units` may pass: now, or at the nanosecond given. Units take `nanos_each` to drain,
    /// and `burst` of them may be ahead.
    fn when(&self, units: u32, nanos_each: u64, burst: u32, now: u64) -> u64 {
        let ahead = u64::from(burst.max(units)) * nanos_each;
        (self.drained_at.max(now) + u64::from(units) * nanos_each).saturating_sub(ahead).max(now)
    }

    fn take(&mut self, units: u32, nanos_each: u64, now: u64) {
        self.drained_at = self.drained_at.max(now) + u64::from(units) * nanos_each;
    }
}

/// Leaky buckets by hash of address, allocated when first needed.
#[derive(Default)]
struct Slots(Option<Box<[Leaky]>>);

impl Slots {
    fn at(&mut self, hash: u64) -> &mut Leaky {
        let slots =
            self.0.get_or_insert_with(|| alloc::vec![Leaky::default(); BUDGET_SLOTS].into());
        &mut slots[hash as usize % BUDGET_SLOTS]
    }
}

/// Addresses that have shown that they receive what we send: the latest of each slot.
#[derive(Default)]
struct Proven(Option<Box<[Proof]>>);

/// What an address has shown, and in which epochs; 0 is never, and after 227 days they begin again.
#[derive(Clone, Copy, Default)]
struct Proof {
    hash: u32,
    receives_at: u16,
    is_xorbit_at: u16,
}

/// After how many epochs a proof has lapsed.
const EPOCHS: u16 = (PROOF_LIFE.as_secs() / TOKEN_EPOCH.as_secs()) as u16;

impl Proven {
    /// What an address has shown; what another address of its slot has is forgotten.
    fn proof(&mut self, hash: u64) -> &mut Proof {
        let proofs =
            self.0.get_or_insert_with(|| alloc::vec![Proof::default(); BUDGET_SLOTS].into());
        let proof = &mut proofs[hash as usize % BUDGET_SLOTS];
        let hash = (hash >> 32) as u32;
        if proof.hash != hash {
            *proof = Proof { hash, ..Proof::default() };
        }
        proof
    }

    /// Whether an address has shown within [`PROOF_LIFE`] that it receives what we send, and that Xorbit
    /// lives there.
    fn shown(&self, hash: u64, now: Instant) -> (bool, bool) {
        let proof = self.0.as_ref().map(|proofs| proofs[hash as usize % BUDGET_SLOTS]);
        let proof = proof.filter(|proof| proof.hash == (hash >> 32) as u32).unwrap_or_default();
        let lasts = |at: u16| at != 0 && epoch(now).wrapping_sub(at) < EPOCHS;
        (lasts(proof.receives_at), lasts(proof.is_xorbit_at))
    }
}

fn epoch(now: Instant) -> u16 {
    (u64::from(now.as_secs()) / TOKEN_EPOCH.as_secs() % u64::from(u16::MAX)) as u16 + 1
}

/// What we may send to whom.
pub struct Budget {
    key: [u8; 16],
    addresses: Slots,
    prefixes: Slots,
    /// Apart, so that queries that wait never keep us from answering.
    query_pace: Slots,
    reply_pace: Slots,
    proven: Proven,
    all: Leaky,
    cap_bytes_per_s: Option<u32>,
}

/// Why a reply may not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// The address has not shown that it receives what we send, and has had its share.
    Unproven,
    /// The address would see more datagrams a second than it may.
    Paced,
    /// The cap on everything is reached.
    Capped,
}

impl Budget {
    /// With a cap on all that is sent, in bytes a second, if there is to be one.
    pub fn new(dice: &mut Dice, cap_bytes_per_s: Option<u32>) -> Self {
        Self {
            key: dice.bytes(),
            addresses: Slots::default(),
            prefixes: Slots::default(),
            query_pace: Slots::default(),
            reply_pace: Slots::default(),
            proven: Proven::default(),
            all: Leaky::default(),
            cap_bytes_per_s: cap_bytes_per_s.filter(|cap| *cap > 0),
        }
    }

    /// `endpoint` answered a query of ours or showed a token: it receives what we send. That counts
    /// for [`PROOF_LIFE`] at most, since addresses change hands.
    pub fn prove(&mut self, endpoint: &Endpoint, now: Instant) {
        self.note(endpoint, now, false);
    }

    /// `endpoint` answered a query of ours as Xorbit, which bans nobody: as long as that counts, replies
    /// to its address keep no pace, since behind one address there may live many.
    pub fn prove_xorbit(&mut self, endpoint: &Endpoint, now: Instant) {
        self.note(endpoint, now, true);
    }

    fn note(&mut self, endpoint: &Endpoint, now: Instant, is_xorbit: bool) {
        if endpoint.scope() == Scope::Global {
            let hash = self.hash(endpoint.ip_bytes());
            let proof = self.proven.proof(hash);
            proof.receives_at = epoch(now);
            if is_xorbit {
                proof.is_xorbit_at = epoch(now);
            }
        }
    }

    /// Asks for a reply of `bytes` to `to`; `ours`: who asked is of our own network, and bans nobody.
    ///
    /// # Errors
    /// Why the reply must not be sent.
    #[inline]
    pub fn reply(
        &mut self,
        to: &Endpoint,
        ours: bool,
        bytes: usize,
        now: Instant,
    ) -> Result<(), Withheld> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        if to.scope() == Scope::Global {
            self.reply_globally(to, ours, bytes, now)?;
        }
        self.within_cap(bytes, nanos(now))
    }

    fn reply_globally(
        &mut self,
        to: &Endpoint,
        ours: bool,
        bytes: u32,
        now: Instant,
    ) -> Result<(), Withheld> {
        let address = self.hash(to.ip_bytes());
        let ((proven, xorbit), now) = (self.proven.shown(address, now), nanos(now));
        if !proven && !planted::is(Bug::UnprovenUnlimited) {
            let prefix = self.hash(&to.ip_bytes()[..prefix_bytes(to)]);
            let each = NANOS_PER_S / u64::from(UNPROVEN_BYTES_PER_S);
            let each_prefix = each / u64::from(UNPROVEN_PREFIX_FACTOR);
            let burst_prefix = UNPROVEN_BURST_BYTES * UNPROVEN_PREFIX_FACTOR;
            let (one, all) = (self.addresses.at(address), self.prefixes.at(prefix));
            if one.when(bytes, each, UNPROVEN_BURST_BYTES, now) > now
                || (all.when(bytes, each_prefix, burst_prefix, now) > now
                    && !planted::is(Bug::PrefixUnlimited))
            {
                return Err(Withheld::Unproven);
            }
            one.take(bytes, each, now);
            all.take(bytes, each_prefix, now);
        }
        if !(proven && (ours || xorbit)) {
            let slot = self.reply_pace.at(address);
            if slot.when(1, PACE_NANOS, PACE_BURST, now) > now {
                return Err(Withheld::Paced);
            }
            slot.take(1, PACE_NANOS, now);
        }
        Ok(())
    }

    fn within_cap(&mut self, bytes: u32, now: u64) -> Result<(), Withheld> {
        let Some(cap) = self.cap_bytes_per_s else { return Ok(()) };
        let each = NANOS_PER_S / u64::from(cap);
        if self.all.when(bytes, each, cap, now) > now {
            return Err(Withheld::Capped);
        }
        self.all.take(bytes, each, now);
        Ok(())
    }

    /// When a query of `bytes` may be sent to `to`; it is counted as sent then. `unpaced`: a member of
    /// our own network, or Xorbit, which is exempt. `None`, and nothing is counted, if it would have to
    /// wait and may not.
    pub fn query(
        &mut self,
        to: &Endpoint,
        unpaced: bool,
        bytes: usize,
        may_wait: bool,
        now: Instant,
    ) -> Option<Instant> {
        let nanos = nanos(now);
        let mut at = nanos;
        let paced = to.scope() == Scope::Global && !unpaced && !planted::is(Bug::PaceIgnored);
        let slot = paced.then(|| self.hash(to.ip_bytes()));
        if let Some(slot) = slot {
            at = self.query_pace.at(slot).when(1, PACE_NANOS, PACE_BURST, nanos);
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        if let Some(cap) = self.cap_bytes_per_s {
            at = at.max(self.all.when(bytes, NANOS_PER_S / u64::from(cap), cap, nanos));
        }
        if at > nanos && !may_wait {
            return None;
        }
        if let Some(slot) = slot {
            self.query_pace.at(slot).take(1, PACE_NANOS, nanos);
        }
        if let Some(cap) = self.cap_bytes_per_s {
            self.all.take(bytes, NANOS_PER_S / u64::from(cap), nanos);
        }
        Some(Instant::from_micros(at.div_ceil(1000)))
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write(bytes);
        hasher.finish()
    }
}

const PACE_NANOS: u64 = PACE_INTERVAL.as_nanos() as u64;

const NANOS_PER_S: u64 = 1_000_000_000;

fn nanos(now: Instant) -> u64 {
    now.as_micros() * 1000
}

fn prefix_bytes(endpoint: &Endpoint) -> usize {
    if endpoint.ip_bytes().len() == 4 { 3 } else { 8 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    const VICTIM: [u8; 4] = [8, 8, 8, 8];

    fn budget(cap: Option<u32>) -> Budget {
        Budget::new(&mut Dice::new([1; 32]), cap)
    }

    #[test]
    fn an_unproven_address_gets_a_bounded_share_whatever_port_it_claims() {
        let (mut budget, mut bytes) = (budget(None), 0);
        for step in 0..100_000_u64 {
            let to = Endpoint::v4(VICTIM, 1 + (step % 60_000) as u16);
            let now = Instant::from_micros(step * 100);
            if budget.reply(&to, true, 400, now).is_ok() {
                bytes += 400;
            }
        }
        // Ten seconds: the burst, and ten times the rate.
        assert!(bytes <= UNPROVEN_BURST_BYTES + 10 * UNPROVEN_BYTES_PER_S + 400, "{bytes}");
        assert!(bytes >= UNPROVEN_BURST_BYTES.min(400 * PACE_BURST), "{bytes}");
    }

    #[test]
    fn a_whole_network_gets_no_more_than_a_few_addresses_of_it() {
        let (mut budget, mut bytes) = (budget(None), 0);
        for step in 0..256_000_u64 {
            let to = Endpoint::v4([8, 8, 8, step as u8], 1);
            if budget.reply(&to, true, 400, Instant::from_micros(step)).is_ok() {
                bytes += 400;
            }
        }
        let burst = UNPROVEN_BURST_BYTES * UNPROVEN_PREFIX_FACTOR;
        assert!(bytes <= burst + UNPROVEN_BYTES_PER_S * UNPROVEN_PREFIX_FACTOR + 400, "{bytes}");
    }

    #[test]
    fn no_foreign_node_sees_more_than_fifty_datagrams_in_ten_seconds() {
        let mut budget = budget(None);
        let to = Endpoint::v4(VICTIM, 1);
        budget.prove(&to, Instant::default());
        let mut sent = std::vec::Vec::new();
        for step in 0..600_u64 {
            let now = Instant::from_micros(step * 100_000);
            if budget.reply(&to, false, 100, now).is_ok() {
                sent.push(now.as_micros());
            }
            sent.extend(budget.query(&to, false, 100, false, now).map(Instant::as_micros));
        }
        for (index, first) in sent.iter().enumerate() {
            let window = sent[index..].iter().take_while(|time| *time - first < 10_000_000);
            assert!(window.count() <= 50);
        }
        assert!(sent.len() > 200, "all that may pass does: {}", sent.len());
    }

    #[test]
    fn who_has_much_to_ask_still_answers() {
        let mut budget = budget(None);
        let (to, now) = (Endpoint::v4(VICTIM, 1), Instant::default());
        budget.prove(&to, now);
        let last = (0..100).filter_map(|_| budget.query(&to, false, 100, true, now)).max();
        assert!(last > Some(now + Duration::from_secs(40)), "they wait");
        assert_eq!(budget.reply(&to, false, 100, now), Ok(()));
    }

    #[test]
    fn many_of_ours_behind_one_address_are_all_answered() {
        let (mut budget, now) = (budget(None), Instant::default());
        let all = |budget: &mut Budget, now| {
            (0..100).all(|port| budget.reply(&Endpoint::v4(VICTIM, port), false, 100, now).is_ok())
        };
        budget.prove(&Endpoint::v4(VICTIM, 1), now);
        assert!(!all(&mut budget, now), "whoever lives there may be foreign");
        budget.prove_xorbit(&Endpoint::v4(VICTIM, 1), now);
        assert!(all(&mut budget, now));
        let later = now + PROOF_LIFE;
        budget.prove(&Endpoint::v4(VICTIM, 1), later);
        assert!(!all(&mut budget, later), "who lives there now has not said what it is");
    }

    #[test]
    fn loopback_private_and_our_own_proven_nodes_are_exempt() {
        let mut budget = budget(None);
        let now = Instant::default();
        let global = Endpoint::v4(VICTIM, 1);
        budget.prove(&global, now);
        for _ in 0..10_000 {
            assert_eq!(budget.reply(&Endpoint::v4([127, 0, 0, 1], 1), false, 1400, now), Ok(()));
            assert_eq!(budget.reply(&Endpoint::v4([10, 0, 0, 1], 1), false, 1400, now), Ok(()));
            assert_eq!(budget.reply(&global, true, 1400, now), Ok(()));
            assert_eq!(budget.query(&global, true, 100, false, now), Some(now));
        }
    }

    #[test]
    fn a_proof_lapses_unless_it_is_renewed() {
        let (mut budget, to) = (budget(None), Endpoint::v4(VICTIM, 1));
        let at = |minutes: u64| Instant::default() + Duration::from_secs(60 * minutes);
        let mut freely = |minutes, proves: bool| {
            if proves {
                budget.prove(&to, at(minutes));
            }
            (0..100).all(|_| budget.reply(&to, true, 1400, at(minutes)).is_ok())
        };
        assert!(!freely(0, false) && freely(1, true) && freely(50, false));
        assert!(!freely(70, false), "an hour later nobody knows who lives there");
        assert!(freely(71, true) && freely(120, true) && freely(175, false));
    }

    #[test]
    fn the_cap_bounds_everything() {
        let (mut budget, mut bytes) = (budget(Some(10_000)), 0);
        let to = Endpoint::v4([127, 0, 0, 1], 1);
        for step in 0..10_000_u64 {
            if budget.reply(&to, false, 500, Instant::from_micros(step * 1000)).is_ok() {
                bytes += 500;
            }
        }
        assert!((100_000..=110_500).contains(&bytes), "{bytes}");
        let now = Instant::from_micros(10_000_000);
        let at_once = (0..100).filter(|_| budget.query(&to, false, 500, false, now).is_some());
        assert!(at_once.count() <= 20, "what may not wait is not counted");
        let later = budget.query(&to, false, 500, true, now).unwrap();
        assert!(later.since(Instant::from_micros(10_000_000)) < Duration::from_secs(1));
    }
}
