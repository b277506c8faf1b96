//! Peers that announced themselves under topics, one for each address (BEP 5, BEP 33), and the
//! sample of topics that crawlers may have (BEP 51).

use alloc::vec::Vec;
use core::time::Duration;

use hashbrown::HashMap;
use wire::bencode::Writer;
use wire::compact::write_endpoint;
use wire::{Bloom, BloomBits, Endpoint, Family, InfoHash, Scope};

use super::sources::{Source, Sources, Way};
use super::{Refused, ShelfLimits};
use crate::dice::Dice;
use crate::limits::{
    PEER_LEASE, PEERS, PEERS_IN_REPLY, PEERS_PER_TOPIC, PER_ADDRESS_PERCENT, PER_PREFIX_PERCENT,
    SAMPLE, SAMPLE_INTERVAL, TOPICS,
};
use crate::time::Instant;

const FULL: Refused = Refused { code: 202, text: "full" };
const SOURCE_FULL: Refused = Refused { code: 202, text: "full for your address" };

/// Of what peers are counted for one address and one network: under how many topics they may stand.
/// A peer takes the same room whatever it says, so bytes are left out.
const LIMITS: ShelfLimits = ShelfLimits {
    items: TOPICS,
    bytes: 0,
    per_address_percent: PER_ADDRESS_PERCENT,
    per_prefix_percent: PER_PREFIX_PERCENT,
};

/// Peers of one topic from one /24 (IPv6: /64), if it is a global one.
const PER_PREFIX_IN_TOPIC: usize = PEERS_PER_TOPIC * PER_PREFIX_PERCENT as usize / 100;

#[derive(Clone, Copy)]
struct Peer {
    endpoint: Endpoint,
    until: Instant,
    seed: bool,
    /// Kept, since anybody may have a whole swarm counted by one datagram.
    bits: BloomBits,
}

/// The peers of one topic, by family.
#[derive(Default)]
struct Swarm([Vec<Peer>; 2]);

impl Swarm {
    fn has_room(&self, family: Family) -> bool {
        self.0[family as usize].len() < PEERS_PER_TOPIC
    }

    /// Whether the network of `endpoint` fills its part of the swarm.
    fn is_crowded_by(&self, endpoint: &Endpoint) -> bool {
        let peers = &self.0[endpoint.family() as usize];
        if peers.len() < PER_PREFIX_IN_TOPIC || endpoint.scope() != Scope::Global {
            return false;
        }
        let prefix = endpoint.prefix();
        let neighbours = peers.iter().filter(|peer| peer.endpoint.prefix() == prefix).count();
        neighbours >= PER_PREFIX_IN_TOPIC
    }
}

/// Peers of all topics.
pub struct Peers {
    topics: HashMap<InfoHash, Swarm, foldhash::fast::FixedState>,
    count: usize,
    sources: Sources,
    sample: Vec<u8>,
    sampled_at: Option<Instant>,
}

/// The peers that go into one reply, in their wire form, in a buffer of fixed size.
pub struct PeersAnswer {
    bytes: [u8; 8 * PEERS_IN_REPLY[0]],
    length: usize,
}

impl PeersAnswer {
    /// The inside of the `values` list.
    pub fn entries(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Peers {
    /// None yet.
    pub fn new(dice: &mut Dice) -> Self {
        Self {
            topics: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(dice.u64())),
            count: 0,
            sources: Sources::new(dice),
            sample: Vec::new(),
            sampled_at: None,
        }
    }

    /// Counts `endpoint` among the peers of a topic, or renews it; its port and whether it is a seed
    /// are as last told.
    ///
    /// # Errors
    /// If there is no room, or none for this address or its network.
    pub fn announce(
        &mut self,
        info_hash: InfoHash,
        endpoint: Endpoint,
        seed: bool,
        now: Instant,
    ) -> Result<(), Refused> {
        let until = now + PEER_LEASE;
        let swarm = self.topics.get_mut(&info_hash);
        let peers = swarm.map(|swarm| swarm.0[endpoint.family() as usize].iter_mut());
        let known = peers.and_then(|mut peers| {
            peers.find(|known| known.endpoint.ip_bytes() == endpoint.ip_bytes())
        });
        if let Some(known) = known {
            *known = Peer { endpoint, until, seed, bits: known.bits };
            return Ok(());
        }
        let crowded =
            self.topics.get(&info_hash).is_some_and(|swarm| swarm.is_crowded_by(&endpoint));
        if crowded || !self.sources.allows(self.source(&endpoint), 1, 0, &LIMITS) {
            return Err(SOURCE_FULL);
        }
        if self.add(info_hash, endpoint, seed, until) { Ok(()) } else { Err(FULL) }
    }

    /// Adds a peer whose address is not among those of its topic; `false` if there is no room.
    fn add(&mut self, info_hash: InfoHash, endpoint: Endpoint, seed: bool, until: Instant) -> bool {
        if self.count >= PEERS || !self.has_room(&info_hash, endpoint.family()) {
            return false;
        }
        let peers = &mut self.topics.entry(info_hash).or_default().0[endpoint.family() as usize];
        peers.push(Peer { endpoint, until, seed, bits: BloomBits::of(&endpoint) });
        self.sources.charge(self.source(&endpoint), 1, 0);
        self.count += 1;
        true
    }

    /// Whoever announces itself at this address: a peer is where it came from, up to its port.
    fn source(&self, endpoint: &Endpoint) -> Source {
        self.sources.of(endpoint, Way::Put)
    }

    /// Whether the topic can take more peers; if not, no token is given out for it (BEP 33).
    pub fn has_room(&self, info_hash: &InfoHash, family: Family) -> bool {
        match self.topics.get(info_hash) {
            Some(swarm) => swarm.has_room(family),
            None => self.topics.len() < TOPICS,
        }
    }

    /// Peers of a topic and family for a reply: at most `most`, from a random place on, rather no
    /// seeds if so asked.
    pub fn answer(
        &self,
        info_hash: &InfoHash,
        family: Family,
        no_seed: bool,
        most: usize,
        now: Instant,
        dice: &mut Dice,
    ) -> PeersAnswer {
        let mut answer = PeersAnswer { bytes: [0; 8 * PEERS_IN_REPLY[0]], length: 0 };
        let Some(swarm) = self.topics.get(info_hash) else { return answer };
        let peers = &swarm.0[family as usize];
        let (end, start) = peers.split_at(dice.below(peers.len()));
        let around = || start.iter().chain(end).filter(|peer| peer.until > now);
        let first = around().filter(|peer| !(no_seed && peer.seed));
        let last = around().filter(|peer| no_seed && peer.seed);
        let mut writer = Writer::new(&mut answer.bytes);
        for peer in first.chain(last).take(most.min(PEERS_IN_REPLY[family as usize])) {
            write_endpoint(&mut writer, &peer.endpoint);
        }
        answer.length = writer.finish().unwrap_or(0);
        answer
    }

    /// All peers of a topic.
    pub fn of(&self, info_hash: &InfoHash, now: Instant) -> Vec<Endpoint> {
        let swarm = self.topics.get(info_hash).map(|swarm| swarm.0.iter().flatten());
        let living = swarm.into_iter().flatten().filter(|peer| peer.until > now);
        living.map(|peer| peer.endpoint).collect()
    }

    /// The filters of seeds and of other peers of a topic; `None` if nothing is known of it.
    pub fn filters(&self, info_hash: &InfoHash, now: Instant) -> Option<(Bloom, Bloom)> {
        let swarm = self.topics.get(info_hash)?;
        let (mut seeds, mut others) = (Bloom::default(), Bloom::default());
        for peer in swarm.0.iter().flatten().filter(|peer| peer.until > now) {
            if peer.seed { &mut seeds } else { &mut others }.set(peer.bits);
        }
        Some((seeds, others))
    }

    /// A random sample of the topics, their number, and how long the sample stays the same.
    pub fn sample(&mut self, now: Instant, dice: &mut Dice) -> (&[u8], usize, Duration) {
        let fresh = self.sampled_at.is_some_and(|at| now.since(at) < SAMPLE_INTERVAL);
        if !fresh {
            let (mut chosen, mut seen) = (Vec::with_capacity(SAMPLE), 0);
            for info_hash in self.topics.keys() {
                seen += 1;
                if chosen.len() < SAMPLE {
                    chosen.push(*info_hash);
                } else if let Some(place) = chosen.get_mut(dice.below(seen)) {
                    *place = *info_hash;
                }
            }
            self.sample = chosen.iter().flat_map(|hash| *hash.as_bytes()).collect();
            self.sampled_at = Some(now);
        }
        let age = self.sampled_at.map_or(Duration::ZERO, |at| now.since(at));
        (&self.sample, self.topics.len(), SAMPLE_INTERVAL.saturating_sub(age))
    }

    /// Counts a peer again that was kept over a restart, unless there is no room. Nobody keeps an
    /// address of a topic twice, so it is not looked for: swarms are as long as they may be.
    pub fn restore(
        &mut self,
        info_hash: InfoHash,
        endpoint: Endpoint,
        seed: bool,
        until: Instant,
    ) -> bool {
        self.add(info_hash, endpoint, seed, until)
    }

    /// Lets go of peers that did not announce themselves again, and tells of each.
    pub fn sweep(&mut self, now: Instant, mut each: impl FnMut(&InfoHash, &Endpoint)) {
        let sources = &mut self.sources;
        self.topics.retain(|info_hash, swarm| {
            for peers in &mut swarm.0 {
                for Peer { endpoint, .. } in peers.iter().filter(|peer| peer.until <= now) {
                    sources.release(sources.of(endpoint, Way::Put), 1, 0);
                    each(info_hash, endpoint);
                }
                peers.retain(|peer| peer.until > now);
            }
            swarm.0.iter().any(|peers| !peers.is_empty())
        });
        self.count = self.topics.values().flat_map(|swarm| &swarm.0).map(Vec::len).sum();
    }

    /// Topics with peers.
    pub fn topics(&self) -> usize {
        self.topics.len()
    }

    /// Peers of all topics.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nobody announced anything.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// Checks what must always hold; called by tests after each input.
    ///
    /// # Panics
    /// If it does not.
    #[doc(hidden)]
    pub fn check_invariant(&self) {
        let all = || self.topics.values().flat_map(|swarm| swarm.0.iter().flatten());
        assert_eq!(self.count, all().count());
        self.sources.check_invariant(all().map(|peer| (self.source(&peer.endpoint), 1, 0)));
    }
}

#[cfg(test)]
mod tests;
