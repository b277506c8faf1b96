//! The table against a plain model: all contacts, sorted.

use super::*;
use proptest::prelude::*;
use std::vec::Vec;
use wire::InfoHash;

fn contact(id: [u8; 20], port: u16) -> Contact {
    Contact { id: NodeId::new(id), endpoint: Endpoint::v4([127, 0, 0, 1], port) }
}

fn global(id: [u8; 20], ip: [u8; 4]) -> Contact {
    Contact { id: NodeId::new(id), endpoint: Endpoint::v4(ip, 1) }
}

const MS: Duration = Duration::from_millis(1);

fn at(seconds: u64) -> Instant {
    Instant::from_micros(seconds * 1_000_000)
}

proptest! {
    #[test]
    fn the_closest_are_those_a_full_sort_gives(
        own: [u8; 20],
        ids in proptest::collection::vec(any::<[u8; 20]>(), 0..300),
        target: [u8; 20],
        near in 0u32..40,
    ) {
        let mut table = Table::new(NodeId::new(own), Family::V4, AddressRules::Own);
        for (index, mut id) in ids.into_iter().enumerate() {
            // Some ids near our own, so that deep buckets fill too.
            if index % 3 == 0 {
                let point = Point::new(own).diverge(near % (index as u32 % 40 + 1) + 1, id);
                id = *point.as_bytes();
            }
            table.answered(contact(id, index as u16 + 1), MS, false, at(1));
            table.check_invariant();
        }
        let target = InfoHash::new(target).point();
        let mut model: Vec<_> = table.iter().map(|entry| target.distance(&entry.id.point())).collect();
        model.sort();
        model.truncate(8);
        let closest: Vec<_> =
            table.closest::<8>(&target).iter().map(|entry| target.distance(&entry.id.point())).collect();
        prop_assert_eq!(closest, model);
    }

    #[test]
    fn invariants_hold_through_any_life(
        steps in proptest::collection::vec((0u8..4, any::<u8>(), any::<u8>(), any::<u8>()), 1..400),
        strict: bool,
    ) {
        let rules = if strict { AddressRules::Public } else { AddressRules::Own };
        let mut table = Table::new(NodeId::new([0; 20]), Family::V4, rules);
        for (time, (step, a, b, c)) in steps.into_iter().enumerate() {
            let mut id = [c; 20];
            id[0] = a;
            let contact = global(id, [a, b & 3, c & 1, 7]);
            let now = at(time as u64);
            match step {
                0 | 1 => table.answered(contact, MS * u32::from(b), true, now),
                2 => table.failed(&contact.id, &contact.endpoint, at(2)),
                _ => { table.heard(&contact.id, &contact.endpoint, now); }
            }
            table.check_invariant();
        }
    }
}

#[test]
fn our_own_id_never_enters() {
    let mut table = Table::new(NodeId::new([9; 20]), Family::V4, AddressRules::Own);
    table.answered(contact([9; 20], 1), MS, false, at(1));
    assert!(table.is_empty());
}

#[test]
fn a_living_contact_does_not_lose_its_place_to_a_newcomer_or_its_address_to_an_impostor() {
    let mut table = Table::new(NodeId::new([0; 20]), Family::V4, AddressRules::Own);
    for last in 1..=8 {
        let mut id = [0; 20];
        id[0] = 1;
        id[19] = last;
        table.answered(contact(id, u16::from(last)), MS, false, at(1));
    }
    let mut newcomer = [0; 20];
    newcomer[0] = 1;
    newcomer[18] = 1;
    table.answered(contact(newcomer, 99), MS, false, at(2));
    assert!(table.get(&NodeId::new(newcomer)).is_none());
    let mut known = [0; 20];
    known[0] = 1;
    known[19] = 1;
    table.answered(contact(known, 77), MS, false, at(3));
    assert_eq!(table.get(&NodeId::new(known)).unwrap().endpoint.port(), 1);
    // The first failure lets the one that waits take the place.
    table.failed(&NodeId::new(known), &contact(known, 1).endpoint, at(2));
    assert!(table.get(&NodeId::new(known)).is_none());
    assert!(table.get(&NodeId::new(newcomer)).is_some());
}

#[test]
fn silence_at_a_false_address_costs_no_contact_its_place_among_those_that_wait() {
    let mut table = Table::new(NodeId::new([0; 20]), Family::V4, AddressRules::Own);
    let of = |last: u8| {
        let mut id = [0; 20];
        (id[0], id[19]) = (1, last);
        contact(id, u16::from(last))
    };
    (1..=9).for_each(|last| table.answered(of(last), MS, false, at(1)));
    let (first, waits) = (of(1), of(9));
    assert!(table.get(&waits.id).is_none());
    table.failed(&waits.id, &contact([0; 20], 99).endpoint, at(2));
    table.failed(&first.id, &first.endpoint, at(2));
    assert!(table.get(&waits.id).is_some());
    assert!(table.get(&first.id).is_none());
}

#[test]
fn a_stranger_with_a_global_address_stays_out_of_a_network_of_ones_own() {
    let mut table = Table::new(NodeId::new([0; 20]), Family::V4, AddressRules::Own);
    table.answered(global([7; 20], [8, 8, 8, 8]), MS, false, at(1));
    assert!(table.is_empty());
    table.answered(global([7; 20], [8, 8, 8, 8]), MS, true, at(1));
    assert_eq!(table.len(), 1);
}

#[test]
fn the_public_rules_allow_one_contact_an_address_and_two_a_network() {
    let mut table = Table::new(NodeId::new([0; 20]), Family::V4, AddressRules::Public);
    for (last, host) in [(1, 1), (2, 1), (3, 2), (4, 3)] {
        let mut id = [0xf0; 20];
        id[19] = last;
        table.answered(global(id, [8, 8, 8, host]), MS, false, at(1));
    }
    assert_eq!(table.len(), 2);
    table.answered(contact([0xf1; 20], 5), MS, false, at(1));
    assert_eq!(table.len(), 2, "a loopback address has no place there");
}

#[test]
fn three_failures_remove_a_contact_and_one_sign_of_life_does_not_clear_them() {
    let mut table = Table::new(NodeId::new([0; 20]), Family::V4, AddressRules::Own);
    let known = contact([5; 20], 5);
    table.answered(known, MS, false, at(1));
    table.failed(&known.id, &known.endpoint, at(2));
    assert!(table.closest::<8>(&known.id.point()).iter().next().is_none(), "not given to others");
    table.heard(&known.id, &known.endpoint, at(2));
    table.failed(&known.id, &known.endpoint, at(2));
    table.failed(&known.id, &known.endpoint, at(2));
    assert!(table.is_empty());
}

#[test]
fn where_much_gets_lost_a_contact_that_fails_keeps_its_place_and_is_still_likely() {
    let mut table = Table::new(NodeId::new([0; 20]), Family::V4, AddressRules::Own);
    let known = contact([5; 20], 5);
    for turn in 0..200 {
        table.answered(known, MS, false, at(turn));
        table.failed(&known.id, &known.endpoint, at(2));
        table.check_invariant();
    }
    let target = known.id.point();
    let likely = |table: &Table| table.closest_likely::<8>(&target).iter().count();
    (0..3).for_each(|_| table.failed(&known.id, &known.endpoint, at(2)));
    assert_eq!((table.len(), likely(&table), table.is_likely(&known)), (1, 1, true));
    assert!(table.closest::<8>(&target).iter().next().is_none(), "not given to others");
    (0..4).for_each(|_| table.failed(&known.id, &known.endpoint, at(2)));
    assert_eq!((table.len(), likely(&table), table.is_likely(&known)), (0, 0, false));
}

#[test]
fn one_that_is_gone_goes_at_once_whatever_gets_lost() {
    let mut table = Table::new(NodeId::new([0; 20]), Family::V4, AddressRules::Own);
    let known = contact([5; 20], 5);
    for turn in 0..200 {
        table.answered(known, MS, false, at(turn));
        table.failed(&known.id, &known.endpoint, at(2));
    }
    table.gone(&known.id, &known.endpoint, at(2));
    assert!(table.is_empty());
    table.answered(known, MS, false, at(300));
    assert!(table.doubts(&known.id, &known.endpoint));
    table.failed(&known.id, &known.endpoint, at(2));
    assert!(table.is_empty(), "the first failure of one in doubt is its last");
}
