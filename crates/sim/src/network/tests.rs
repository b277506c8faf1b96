//! What each condition does to many datagrams.

use core::time::Duration;

use super::bit_flips::BitFlips;
use super::burst::Burst;
use super::duplication::Duplication;
use super::flapping::Flapping;
use super::lag::Lag;
use super::loss::Loss;
use super::lot::{Lot, Paths};
use super::mtu::Mtu;
use super::non_transitive::NonTransitive;
use super::one_way::OneWay;
use super::partition::Partition;
use super::policing::{Policing, Rate};
use super::reordering::Reordering;
use super::spells::Lengths;
use super::truncation::Truncation;
use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// A datagram's bytes.
const SENT: [u8; 200] = [0b1010_1010; 200];

/// A network on which every way takes 10 ms.
fn network(condition: impl Condition + 'static) -> Network {
    let mut network = Network::new(1, Latency::Constant(10 * MS));
    network.begin(ConditionId(0), Box::new(condition));
    network
}

fn way(from: u32, to: u32, at: Duration) -> Way {
    let (from_site, to_site) = (Site(from), Site(to));
    let at = Instant::default() + at;
    Way { at, from: MachineId(from), to: MachineId(to), from_site, to_site }
}

/// What arrives of datagrams from one machine to another, one each millisecond.
fn stream(network: &mut Network, from: u32, to: u32, count: u32) -> Vec<Vec<Copy>> {
    let carry = |ms| network.carry(&way(from, to, MS * ms), &SENT).clone();
    (0..count).map(carry).collect()
}

fn lost(stream: &[Vec<Copy>]) -> f64 {
    stream.iter().filter(|copies| copies.is_empty()).count() as f64 / stream.len() as f64
}

#[test]
fn random_loss_loses_its_share_and_ends() {
    let mut network = network(Loss { share: 0.2 });
    let share = lost(&stream(&mut network, 1, 2, 10_000));
    assert!((0.18..0.22).contains(&share), "{share}");
    network.end(ConditionId(0));
    assert!(lost(&stream(&mut network, 1, 2, 100)).abs() < 1e-9);
}

#[test]
fn bursts_lose_many_in_a_row_and_then_none_for_long() {
    let lengths = Lengths { fair: 9 * SECOND, foul: SECOND };
    let mut network = network(Burst::new(5, lengths, 0.0, 0.9));
    let stream = stream(&mut network, 1, 2, 1_000_000);
    // Either end may be foul: 1 - 0.9² of the time, in which 0.9 are lost, or a little more.
    let share = lost(&stream);
    assert!((0.12..0.24).contains(&share), "{share}");
    let after_a_loss: Vec<bool> = stream
        .windows(2)
        .filter(|pair| pair[0].is_empty())
        .map(|pair| pair[1].is_empty())
        .collect();
    let again = after_a_loss.iter().filter(|lost| **lost).count() as f64;
    assert!(again / after_a_loss.len() as f64 > 0.85, "who lost one loses the next");
}

#[test]
fn one_way_loss_leaves_the_way_back_alone() {
    let lot = Lot::draw(&mut Chance::from_number(2), 0.3);
    let (inside, outside) = (0..100).map(MachineId).partition::<Vec<_>, _>(|id| lot.has(*id));
    let (inside, outside) = (inside[0].0, outside[0].0);
    for (paths, there) in [(Paths::Into(lot), true), (Paths::OutOf(lot), false)] {
        let mut network = network(OneWay { paths, share: 0.5 });
        let to = lost(&stream(&mut network, outside, inside, 2_000));
        let from = lost(&stream(&mut network, inside, outside, 2_000));
        let (hit, spared) = if there { (to, from) } else { (from, to) };
        assert!((0.45..0.55).contains(&hit) && spared.abs() < 1e-9, "{paths}: {hit} {spared}");
    }
}

#[test]
fn duplication_lets_some_arrive_up_to_four_times() {
    let mut network = network(Duplication { share: 0.25, later: SECOND });
    let stream = stream(&mut network, 1, 2, 10_000);
    let doubled = stream.iter().filter(|copies| copies.len() > 1).count();
    assert!((2_300..2_700).contains(&doubled), "{doubled}");
    assert!(stream.iter().any(|copies| copies.len() == 4));
    assert!(stream.iter().all(|copies| (1..=4).contains(&copies.len())));
}

#[test]
fn reordering_lets_later_ones_overtake() {
    let mut network = network(Reordering { share: 0.1, later: SECOND });
    let stream = stream(&mut network, 1, 2, 1_000);
    let arrivals: Vec<Duration> =
        stream.iter().zip(0..).map(|(copies, ms)| MS * ms + copies[0].delay).collect();
    let overtaken = arrivals.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!((60..140).contains(&overtaken), "{overtaken}");
}

#[test]
fn truncation_keeps_the_beginning_and_flips_keep_the_length() {
    let mut cutting = network(Truncation { share: 0.5 });
    let cut = stream(&mut cutting, 1, 2, 1_000);
    let cut: Vec<_> = cut.iter().filter_map(|copies| copies[0].spoiled.as_ref()).collect();
    assert!((400..600).contains(&cut.len()));
    assert!(cut.iter().all(|bytes| bytes.len() < SENT.len() && SENT.starts_with(bytes)));

    let mut flipping = network(BitFlips { share: 0.5 });
    let flipped = stream(&mut flipping, 1, 2, 1_000);
    let flipped: Vec<_> = flipped.iter().filter_map(|copies| copies[0].spoiled.as_ref()).collect();
    assert!((400..600).contains(&flipped.len()));
    let bits = |bytes: &[u8]| -> u32 {
        bytes.iter().zip(SENT).map(|(got, sent)| (got ^ sent).count_ones()).sum()
    };
    assert!(flipped.iter().all(|bytes| bytes.len() == SENT.len() && bits(bytes) <= 8));
    assert!(flipped.iter().filter(|bytes| bits(bytes) > 0).count() > 350);
}

#[test]
fn datagrams_of_the_greatest_size_pass_and_larger_ones_vanish() {
    let mut network = network(Mtu { paths: Paths::All, bytes: 150 });
    let mut passes = |bytes: &[u8]| !network.carry(&way(1, 2, SECOND), bytes).is_empty();
    assert!(passes(&SENT[..150]) && !passes(&SENT[..151]));
}

#[test]
fn halves_are_whole_within_and_cut_between_in_both_directions() {
    let side = Lot::draw(&mut Chance::from_number(8), 0.5);
    let mut network = network(Partition::Halves(side));
    for (from, to) in (0..20).flat_map(|from| (0..20).map(move |to| (from, to))) {
        let arrives = !network.carry(&way(from, to, SECOND), &SENT).is_empty();
        assert_eq!(arrives, side.has(MachineId(from)) == side.has(MachineId(to)));
    }
}

#[test]
fn pairs_are_cut_here_and_there_in_both_directions() {
    let mut network = network(Partition::Pairs(Lot::draw(&mut Chance::from_number(8), 0.25)));
    let mut arrives = |from, to| !network.carry(&way(from, to, SECOND), &SENT).is_empty();
    let mut cut = 0;
    for (from, to) in (0..40).flat_map(|from| (0..40).map(move |to| (from, to))) {
        assert_eq!(arrives(from, to), arrives(to, from));
        cut += u32::from(!arrives(from, to));
    }
    assert!((300..480).contains(&cut), "{cut} of 1,560");
}

#[test]
fn both_ends_of_a_chain_reach_its_middle_and_not_each_other() {
    let chain = NonTransitive::draw(&mut Chance::from_number(1), 0.4);
    let at = |wanted: [bool; 2]| {
        let is = |id: &u32| chain.ends.map(|end| end.has(MachineId(*id))) == wanted;
        (0..100).find(is).expect("of 100 one is there")
    };
    let (a, b, c) = (at([true, false]), at([false, false]), at([false, true]));
    let mut network = network(chain);
    let mut both = |one, other| {
        [(one, other), (other, one)]
            .map(|(from, to)| !network.carry(&way(from, to, SECOND), &SENT).is_empty())
    };
    assert_eq!((both(a, b), both(b, c), both(a, c)), ([true; 2], [true; 2], [false; 2]));
}

#[test]
fn a_flapping_condition_holds_for_its_part_of_each_period() {
    let condition = Box::new(Loss { share: 1.0 });
    let mut network = network(Flapping { period: SECOND, share: 0.3, condition });
    let stream = stream(&mut network, 1, 2, 5_000);
    assert!((lost(&stream) - 0.3).abs() < 0.001);
    assert!(stream[4_299].is_empty() && !stream[4_300].is_empty() && !stream[999].is_empty());
}

#[test]
fn policing_lets_its_rate_through_after_a_burst_and_drops_what_the_buffer_does_not_hold() {
    // A datagram of 200 bytes and 28 of headers each millisecond: 228,000 bytes a second.
    let rate = Rate { bytes_per_s: 114_000.0, burst_bytes: 22_800.0, buffer_bytes: 11_400.0 };
    let everybody = Lot::draw(&mut Chance::from_number(1), 1.0);
    let mut limited = network(Policing::new(rate, everybody));
    let limited = stream(&mut limited, 1, 2, 10_000);
    let first = limited.iter().position(Vec::is_empty).expect("twice the rate cannot pass");
    // 100 and those that the rate lets through meanwhile, and as long again half for the buffer.
    assert!((290..310).contains(&first), "{first}");
    let share = lost(&limited[first..]);
    assert!((0.49..0.51).contains(&share), "{share}");
    let longest = limited.iter().flatten().map(|copy| copy.delay).max().unwrap();
    assert!(
        (100 * MS..=111 * MS).contains(&longest),
        "a full buffer drains in 100 ms: {longest:?}"
    );

    let nobody = Lot::draw(&mut Chance::from_number(1), 0.0);
    let mut free = network(Policing::new(rate, nobody));
    assert!(lost(&stream(&mut free, 1, 2, 10_000)).abs() < 1e-9);
}

#[test]
fn a_spike_of_lag_lets_all_of_it_through_at_once_when_it_is_over() {
    let lengths = Lengths { fair: 10 * SECOND, foul: SECOND };
    let mut network = network(Lag::new(3, lengths));
    let stream = stream(&mut network, 1, 2, 200_000);
    assert!(lost(&stream).abs() < 1e-9);
    let held: Vec<(Duration, Duration)> = stream
        .iter()
        .zip(0..)
        .filter(|(copies, _)| copies[0].delay > 10 * MS)
        .map(|(copies, ms)| (MS * ms, MS * ms + copies[0].delay))
        .collect();
    assert!((20_000..55_000).contains(&held.len()), "{}", held.len());
    // Of two sent one after another in the same spike, both arrive within 50 ms at its end.
    let together = held
        .windows(2)
        .filter(|pair| pair[1].0 - pair[0].0 == MS && pair[1].1.abs_diff(pair[0].1) <= 100 * MS)
        .count();
    assert!(together * 100 > held.len() * 97, "{together} of {}", held.len());
}
