//! Swarms in all their bounds.

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
    peers.announce(topic, peer(1, 5), false, NOW).unwrap();
    peers.announce(topic, peer(1, 6), true, NOW).unwrap();
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
        peers.announce(topic, peer(last, 5), last < 198, NOW).unwrap();
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
        let taken = peers.announce(topic, Endpoint::v4([10, a, b, c], 1), false, NOW);
        assert_eq!(taken.is_ok(), index < PEERS_PER_TOPIC as u32);
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
        peers.announce(InfoHash::new([byte; 20]), peer(1, 1), false, NOW).unwrap();
    }
    let (sample, num, _) = peers.sample(NOW, &mut dice);
    assert_eq!((sample.len(), num), (SAMPLE * 20, 100));
    let before = sample.to_vec();
    assert_eq!(peers.sample(NOW + Duration::from_secs(59), &mut dice).0, before);
    assert_ne!(peers.sample(NOW + Duration::from_secs(60), &mut dice).0, before);
}

/// The shortest of a few runs, so that nothing else on the machine counts.
fn shortest<T>(mut run: impl FnMut() -> T) -> std::time::Duration {
    let once = || {
        let begun = std::time::Instant::now();
        core::hint::black_box(run());
        begun.elapsed()
    };
    core::iter::repeat_with(once).take(5).min().unwrap()
}

fn full_swarm() -> (Peers, InfoHash, Vec<Endpoint>) {
    let ((mut peers, _), topic) = (peers(), InfoHash::new([1; 20]));
    let everybody: Vec<Endpoint> = (0..PEERS_PER_TOPIC as u32)
        .map(|index| Endpoint::v4(index.wrapping_mul(0x9e37_79b9).to_be_bytes(), 7))
        .collect();
    for endpoint in &everybody {
        peers.announce(topic, *endpoint, false, NOW).unwrap();
    }
    (peers, topic, everybody)
}

#[test]
fn to_count_a_swarm_costs_far_less_than_to_hash_its_addresses() {
    let (peers, topic, everybody) = full_swarm();
    let mut hashed = Bloom::default();
    everybody.iter().for_each(|endpoint| hashed.insert(endpoint));
    assert_eq!(peers.filters(&topic, NOW).unwrap().1, hashed);

    let counting = shortest(|| peers.filters(&topic, NOW));
    let hashing = shortest(|| everybody.iter().for_each(|endpoint| hashed.insert(endpoint)));
    assert!(counting * 3 < hashing, "{counting:?} to count, {hashing:?} to hash");
}

#[test]
fn to_take_back_a_swarm_costs_little_more_than_to_take_back_as_many_alone() {
    let (_, swarm, everybody) = full_swarm();
    let take_back = |topic_of: &dyn Fn(usize) -> InfoHash| {
        let (mut peers, _) = peers();
        for (index, endpoint) in everybody.iter().enumerate() {
            assert!(peers.restore(topic_of(index), *endpoint, false, NOW));
        }
        peers.len()
    };
    let together = shortest(|| take_back(&|_| swarm));
    let apart = shortest(|| take_back(&topic));
    assert!(together < apart * 3, "{together:?} together, {apart:?} apart");
}

fn topic(number: usize) -> InfoHash {
    let mut info_hash = [0; 20];
    info_hash[..8].copy_from_slice(&number.to_be_bytes());
    InfoHash::new(info_hash)
}

/// Announces from this address under as many topics as it may.
fn fill(peers: &mut Peers, from: Endpoint, first_topic: usize) -> usize {
    let may = |number: &usize| peers.announce(topic(*number), from, false, NOW).is_ok();
    (first_topic..first_topic + TOPICS).take_while(may).count()
}

#[test]
fn one_address_and_one_network_stand_under_their_part_of_the_topics_and_no_more() {
    let ((mut peers, _), at) = (peers(), |ip| Endpoint::v4(ip, 7));
    let one = fill(&mut peers, at([203, 0, 113, 1]), 0);
    assert_eq!(one, TOPICS * usize::from(PER_ADDRESS_PERCENT) / 100);
    assert_eq!(
        peers.announce(topic(TOPICS), at([203, 0, 113, 1]), false, NOW),
        Err(SOURCE_FULL),
        "nor under any other"
    );
    let network: usize = (1..=9).map(|host| fill(&mut peers, at([203, 0, 113, host]), one)).sum();
    assert_eq!(one + network, TOPICS * usize::from(PER_PREFIX_PERCENT) / 100);
    assert!(peers.announce(topic(0), at([203, 0, 113, 1]), true, NOW).is_ok(), "renewed");
    peers.announce(topic(TOPICS), at([198, 51, 100, 1]), false, NOW).unwrap();
    assert!(fill(&mut peers, at([127, 0, 0, 1]), 0) > one, "this machine is exempt");

    peers.check_invariant();
    peers.sweep(NOW + PEER_LEASE, |_, _| {});
    peers.check_invariant();
    assert_eq!(fill(&mut peers, at([203, 0, 113, 1]), 0), one, "as before");
}

#[test]
fn one_network_fills_half_of_a_swarm() {
    let ((mut peers, _), topic) = (peers(), InfoHash::new([1; 20]));
    let v6 = |network: u8, host: u16| {
        let mut ip = [0x20, 1, 0xd, 0xb8, 0, 0, 0, network, 0, 0, 0, 0, 0, 0, 0, 0];
        ip[14..].copy_from_slice(&host.to_be_bytes());
        Endpoint::v6(ip, 7)
    };
    let mut fill = |network| {
        let may = |host: &u16| peers.announce(topic, v6(network, *host), false, NOW).is_ok();
        (0..u16::MAX).take_while(may).count()
    };
    assert_eq!([fill(1), fill(2), fill(3)], [PEERS_PER_TOPIC / 2, PEERS_PER_TOPIC / 2, 0]);
}
