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

#[test]
fn a_thin_bucket_gives_a_place_that_falls_into_it_and_a_full_one_none() {
    let own = Point::new([0x5a; 20]);
    let mut table = Table::new(NodeId::new([0x5a; 20]), Family::V4, AddressRules::Own);
    for index in 0..20u32 {
        for last in 0..K as u8 {
            let place = table.thin_bucket(index as usize, [last ^ 0xa5; 20]);
            let shared = place.map(|place| own.shared_bits(&place));
            assert_eq!(shared, (last > 0).then_some(index));
            let id = NodeId::new(*own.diverge(index + 1, [last; 20]).as_bytes());
            let endpoint = Endpoint::v4([127, 0, 0, 1], index as u16 * 8 + u16::from(last) + 1);
            table.answered(Contact { id, endpoint }, MS, false, at(1));
        }
        assert_eq!(table.thin_bucket(index as usize, [7; 20]), None, "{index} is full");
    }
}

#[test]
fn who_comes_far_from_us_is_no_change_near_us_once_enough_are_nearer_and_beside_it() {
    let mut table = Table::new(NodeId::new([0; 20]), Family::V4, AddressRules::Own);
    let far = |number: u8| {
        let mut id = [number; 20];
        id[0] = 0x80 | number;
        contact(id, u16::from(number) + 1)
    };
    for number in 0..NEIGHBOURS as u8 {
        table.answered(far(number), MS, false, at(1));
        assert_eq!(table.near_changes(), u64::from(number) + 1, "few are beside it");
    }
    table.answered(far(100), MS, false, at(1));
    assert_eq!(table.near_changes(), NEIGHBOURS as u64 + 1, "nobody is nearer");
    for number in 0..NEIGHBOURS as u8 {
        let mut id = [number; 20];
        id[0] = 0x40 | number;
        table.answered(contact(id, 1000 + u16::from(number)), MS, false, at(1));
    }
    let before = table.near_changes();
    table.answered(far(101), MS, false, at(1));
    assert_eq!(table.near_changes(), before);
}

#[test]
fn everybodys_turn_to_be_asked_comes_those_first_who_were_quiet_for_longest() {
    let mut table = Table::new(NodeId::new([0; 20]), Family::V4, AddressRules::Own);
    for number in 0..120u8 {
        let mut id = [number; 20];
        id[0] = if number < 60 { 0x80 | number } else { 0x40 | (number - 60) };
        // Those of the second bucket were heard of first.
        let heard = at(u64::from(if number < 60 { 100 + number } else { number - 60 }));
        table.answered(contact(id, u16::from(number) + 1), MS, false, heard);
    }
    let failing = table.iter().next().unwrap().contact();
    table.failed(&failing.id, &failing.endpoint, at(200));
    let asked = table.questionable(at(10_000), 40);
    assert_eq!(asked[0], failing, "then our nearest, then all others");
    let later = asked[1 + 2 * K..].iter().filter(|contact| contact.id.as_bytes()[0] & 0x80 == 0);
    assert_eq!((asked.len(), later.count()), (40, 40 - 1 - 2 * K));
}
