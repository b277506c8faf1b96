//! Peers that announced themselves under topics, one for each address (BEP 5, BEP 33), and the
//! sample of topics that crawlers may have (BEP 51).

use alloc::vec::Vec;
use core::time::Duration;

use hashbrown::HashMap;
use wire::bencode::Writer;
use wire::compact::write_endpoint;
use wire::{Bloom, Endpoint, Family, InfoHash};

use crate::dice::Dice;
use crate::limits::{
    PEER_LEASE, PEERS, PEERS_IN_REPLY, PEERS_PER_TOPIC, SAMPLE, SAMPLE_INTERVAL, TOPICS,
};
use crate::time::Instant;

#[derive(Clone, Copy)]
struct Peer {
    endpoint: Endpoint,
    until: Instant,
    seed: bool,
}

/// The peers of one topic, by family.
#[derive(Default)]
struct Swarm([Vec<Peer>; 2]);

/// Peers of all topics.
pub struct Peers {
    topics: HashMap<InfoHash, Swarm, foldhash::fast::FixedState>,
    count: usize,
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
            sample: Vec::new(),
            sampled_at: None,
        }
    }

    /// Counts `endpoint` among the peers of a topic, or renews it; its port and whether it is a seed
    /// are as last told. `false` if there is no room.
    pub fn announce(
        &mut self,
        info_hash: InfoHash,
        endpoint: Endpoint,
        seed: bool,
        now: Instant,
    ) -> bool {
        let room = self.count < PEERS;
        let known = self.topics.contains_key(&info_hash);
        if !known && (self.topics.len() >= TOPICS || !room) {
            return false;
        }
        let swarm = self.topics.entry(info_hash).or_default();
        let peers = &mut swarm.0[endpoint.family() as usize];
        let peer = Peer { endpoint, until: now + PEER_LEASE, seed };
        if let Some(old) = peers.iter_mut().find(|old| old.endpoint.ip() == endpoint.ip()) {
            *old = peer;
            return true;
        }
        if !room || peers.len() >= PEERS_PER_TOPIC {
            return false;
        }
        peers.push(peer);
        self.count += 1;
        true
    }

    /// Whether the topic can take more peers; if not, no token is given out for it (BEP 33).
    pub fn has_room(&self, info_hash: &InfoHash, family: Family) -> bool {
        match self.topics.get(info_hash) {
            Some(swarm) => swarm.0[family as usize].len() < PEERS_PER_TOPIC,
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
            if peer.seed { &mut seeds } else { &mut others }.insert(&peer.endpoint);
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

    /// Counts a peer again that was kept over a restart, unless there is no room.
    pub fn restore(
        &mut self,
        info_hash: InfoHash,
        endpoint: Endpoint,
        seed: bool,
        until: Instant,
    ) -> bool {
        let taken = self.announce(info_hash, endpoint, seed, Instant::default());
        let peers = self.topics.get_mut(&info_hash).map(|swarm| &mut swarm.0);
        let peers = peers.map(|families| &mut families[endpoint.family() as usize]);
        let peer = peers.and_then(|peers| peers.iter_mut().find(|peer| peer.endpoint == endpoint));
        if let Some(peer) = peer.filter(|_| taken) {
            peer.until = until;
        }
        taken
    }

    /// Lets go of peers that did not announce themselves again, and tells of each.
    pub fn sweep(&mut self, now: Instant, mut each: impl FnMut(&InfoHash, &Endpoint)) {
        self.topics.retain(|info_hash, swarm| {
            for peers in &mut swarm.0 {
                let gone = peers.iter().filter(|peer| peer.until <= now);
                gone.for_each(|peer| each(info_hash, &peer.endpoint));
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::CompactPeers;

    fn peers() -> (Peers, Dice) {
        let mut dice = Dice::new([1; 32]);
        (Peers::new(&mut dice), dice)
    }

    fn peer(last: u8, port: u16) -> Endpoint {
        Endpoint::v4([10, 0, 0, last], port)
    }

    const NOW: Instant = Instant::from_micros(5);

    #[test]
    fn one_address_counts_once_and_its_last_word_holds() {
        let (mut peers, mut dice) = peers();
        let topic = InfoHash::new([1; 20]);
        assert!(peers.announce(topic, peer(1, 5), false, NOW));
        assert!(peers.announce(topic, peer(1, 6), true, NOW));
        assert_eq!(peers.len(), 1);
        let answer = peers.answer(&topic, Family::V4, false, 99, NOW, &mut dice);
        assert!(CompactPeers::new(answer.entries()).iter().eq([peer(1, 6)]));
        let (seeds, others) = peers.filters(&topic, NOW).unwrap();
        assert_eq!((seeds.estimate().round(), others.estimate().round()), (1.0, 0.0));
    }

    #[test]
    fn answers_are_bounded_and_put_seeds_last_when_asked() {
        let (mut peers, mut dice) = peers();
        let topic = InfoHash::new([1; 20]);
        for last in 0..200 {
            peers.announce(topic, peer(last, 5), last < 198, NOW);
        }
        let answer = peers.answer(&topic, Family::V4, true, 2, NOW, &mut dice);
        let mut got: Vec<_> = CompactPeers::new(answer.entries()).iter().collect();
        got.sort();
        assert_eq!(got, [peer(198, 5), peer(199, 5)]);
        let answer = peers.answer(&topic, Family::V4, false, 999, NOW, &mut dice);
        assert_eq!(CompactPeers::new(answer.entries()).iter().count(), PEERS_IN_REPLY[0]);
        assert!(peers.answer(&topic, Family::V6, false, 9, NOW, &mut dice).entries().is_empty());
    }

    #[test]
    fn peers_end_and_a_full_topic_gives_no_token() {
        let (mut peers, _) = peers();
        let topic = InfoHash::new([1; 20]);
        for index in 0..PEERS_PER_TOPIC as u32 + 5 {
            let [_, a, b, c] = index.to_be_bytes();
            peers.announce(topic, Endpoint::v4([10, a, b, c], 1), false, NOW);
        }
        assert_eq!(peers.len(), PEERS_PER_TOPIC);
        assert!(!peers.has_room(&topic, Family::V4));
        peers.sweep(NOW + PEER_LEASE, |_, _| {});
        assert!(peers.is_empty() && peers.has_room(&topic, Family::V4));
    }

    #[test]
    fn a_sample_stays_the_same_for_its_interval() {
        let (mut peers, mut dice) = peers();
        for byte in 0..100 {
            peers.announce(InfoHash::new([byte; 20]), peer(1, 1), false, NOW);
        }
        let (sample, num, _) = peers.sample(NOW, &mut dice);
        assert_eq!((sample.len(), num), (SAMPLE * 20, 100));
        let before = sample.to_vec();
        assert_eq!(peers.sample(NOW + Duration::from_secs(59), &mut dice).0, before);
        assert_ne!(peers.sample(NOW + Duration::from_secs(60), &mut dice).0, before);
    }
}
