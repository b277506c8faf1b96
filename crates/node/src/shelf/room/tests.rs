//! What a flood cannot take from others, and what makes room.

use core::time::Duration;
use std::vec::Vec;

use proptest::prelude::*;
use wire::item::byte_string;
use wire::offer::Offer;
use wire::{Endpoint, Item, ItemRef, Seq, Signer};

use super::super::admission::{Lease, ShelfLimits};
use super::super::items::{Offered, Taken};
use super::super::sources::Way;
use super::super::upkeep::Verdict;
use super::*;
use crate::dice::Dice;

const START: UnixMillis = UnixMillis(1_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);

/// Kept for an hour and remembered for ten if the value begins with a `k`, for a minute and
/// remembered for ten hours if with an `s`, plain for an hour if with anything else.
struct Letters;

impl Admission for Letters {
    fn judge(
        &self,
        item: &ItemRef<'_>,
        _: Option<UnixMillis>,
        wall: UnixMillis,
    ) -> Result<Lease, Refused> {
        let first = item.value().iter().skip_while(|byte| **byte != b':').nth(1);
        let hour = wall + MINUTE * 60;
        let (until, marker_until) = match first {
            Some(b'k') => (hour, wall + MINUTE * 600),
            Some(b's') => (wall + MINUTE, wall + MINUTE * 600),
            _ => (hour, wall),
        };
        Ok(Lease { until, marker_until, kept: marker_until > wall })
    }
}

fn item(salt: u16, seq: i64, value: &str) -> Item {
    let signer = Signer::from_seed(&[7; 32]);
    let value = byte_string(value.as_bytes());
    Item::mutable(&signer, &salt.to_le_bytes(), Seq::new(seq).unwrap(), &value).unwrap()
}

fn shelf(items: usize, bytes: usize, durable: bool) -> Items<Letters> {
    let limits = ShelfLimits { items, bytes, per_address_percent: 25, per_prefix_percent: 50 };
    Items::new(Letters, limits, durable, &mut Dice::new([1; 32]))
}

/// Puts an item that host 1, 2 .. brings; 0 is this machine.
fn put(
    shelf: &mut Items<Letters>,
    (host, way): (u8, Way),
    item: &Item,
    wall: UnixMillis,
) -> Result<Taken, i64> {
    let at = if host == 0 { [127, 0, 0, 1] } else { [10, 0, 0, host] };
    let source = shelf.source(&Endpoint::v4(at, 1), way);
    let offered = Offered { item: item.as_ref(), wanted: None, cas: None, source, second: 9 };
    let taken = shelf.put(&offered, wall, &mut Changes::default());
    shelf.check_invariant();
    taken.map_err(|refused| refused.code)
}

fn offer(item: &Item) -> Offer {
    Offer { target: item.target(), number: item.seq().unwrap().get() }
}

const HERE: (u8, Way) = (0, Way::Put);
const STRANGER: (u8, Way) = (1, Way::Put);

#[test]
fn a_released_item_goes_when_places_run_out_and_may_come_back() {
    let mut shelf = shelf(2, 1 << 20, false);
    let released = item(1, 5, "k");
    put(&mut shelf, HERE, &released, START).unwrap();
    put(&mut shelf, HERE, &item(2, 1, "k"), START).unwrap();
    assert_eq!(put(&mut shelf, HERE, &item(3, 1, "k"), START), Err(202), "both were promised");
    shelf.release(&released.target());
    put(&mut shelf, HERE, &item(3, 1, "k"), START).unwrap();
    assert!(shelf.get(&released.target(), START).is_none());
    assert_eq!(shelf.judge_offer(&offer(&released), START), Verdict::Wanted);
    shelf.release(&item(2, 1, "k").target());
    assert_eq!(put(&mut shelf, HERE, &released, START), Ok(Taken::Held), "the same bytes");
}

#[test]
fn an_item_that_goes_before_its_end_keeps_older_ones_out_and_may_come_back() {
    let mut shelf = shelf(9, 600, false);
    let plain = item(1, 5, "plain");
    put(&mut shelf, HERE, &item(1, 4, "k"), START).unwrap();
    put(&mut shelf, HERE, &plain, START).unwrap();
    for salt in 2..4 {
        put(&mut shelf, HERE, &item(salt, 1, &"k".repeat(100)), START).unwrap();
    }
    put(&mut shelf, HERE, &item(4, 1, "k"), START).unwrap();
    assert!(shelf.get(&plain.target(), START).is_none(), "it made room");
    // The others have ended by now.
    let later = START + MINUTE * 61;
    shelf.sweep(later, &mut Changes::default());
    assert_eq!(put(&mut shelf, HERE, &item(1, 4, "k"), later), Err(302));
    assert_eq!(put(&mut shelf, HERE, &plain, later), Ok(Taken::Held));
}

#[test]
fn a_put_that_finds_no_place_in_the_end_takes_none_from_others() {
    let mut shelf = shelf(3, 1 << 20, false);
    for salt in 1..4 {
        put(&mut shelf, HERE, &item(salt, 1, "k"), START).unwrap();
        put(&mut shelf, HERE, &item(salt, 2, "plain over a record"), START).unwrap();
    }
    // Each would leave its version behind, and with it no place.
    assert_eq!(put(&mut shelf, HERE, &item(9, 1, "k"), START), Err(202));
    assert_eq!(shelf.len(), 3);
}

#[test]
fn updates_by_another_way_do_not_empty_the_part_of_an_address() {
    let mut shelf = shelf(100, 1 << 20, false);
    let mut salt = 0;
    for way in [Way::Put, Way::HandOff].repeat(5) {
        while put(&mut shelf, (1, way), &item(salt, 1, "k"), START).is_ok() {
            salt += 1;
        }
        let other = if way == Way::Put { Way::HandOff } else { Way::Put };
        for old in 0..salt {
            let grown = item(old, 2 + i64::from(salt), "kk");
            let _ = put(&mut shelf, (1, other), &grown, START);
        }
    }
    assert_eq!(salt, 50, "a quarter by each way");
    put(&mut shelf, (2, Way::Put), &item(999, 1, "k"), START).expect("others have room");
}

#[test]
fn what_an_ended_item_leaves_behind_counts_for_who_brought_it() {
    let mut shelf = shelf(100, 1 << 20, false);
    let mut wall = START;
    let mut brought = 0;
    for round in 0..5 {
        for salt in 0..100 {
            let short = item(round * 100 + salt, 1, "short");
            brought += usize::from(put(&mut shelf, STRANGER, &short, wall).is_ok());
        }
        wall = wall + MINUTE * 3;
        shelf.sweep(wall, &mut Changes::default());
        shelf.check_invariant();
    }
    assert_eq!((brought, shelf.len()), (25, 0));
    put(&mut shelf, (2, Way::Put), &item(999, 1, "k"), wall).expect("others have room");
    // Once nothing is remembered of them, the part is free again.
    wall = wall + MINUTE * 700;
    shelf.sweep(wall, &mut Changes::default());
    assert_eq!(put(&mut shelf, STRANGER, &item(0, 1, "short"), wall), Ok(Taken::Held));
}

#[test]
fn items_grow_within_the_part_of_who_grows_them_only() {
    let mut shelf = shelf(1000, 40_000, false);
    let large = "k".repeat(900);
    for salt in 0..60 {
        put(&mut shelf, STRANGER, &item(salt, 1, "k"), START).unwrap();
    }
    let grown = |shelf: &mut Items<Letters>, by, seq| {
        let grow = |salt: &u16| put(shelf, by, &item(*salt, seq, &large), START).is_ok();
        (0..60).filter(grow).count()
    };
    let by_stranger = grown(&mut shelf, STRANGER, 2);
    assert!((1..6).contains(&by_stranger), "{by_stranger} of a quarter of 40 kB");
    // What one filled its part with, others can still write to.
    let by_another = grown(&mut shelf, (2, Way::Put), 3);
    assert!(by_another > by_stranger, "{by_another}");
    assert!(shelf.bytes() < 30_000, "{} of 40 kB", shelf.bytes());
    let shrunk = put(&mut shelf, STRANGER, &item(59, 9, ""), START);
    assert_eq!(shrunk, Ok(Taken::Held), "less is always taken");
}

#[test]
fn a_repetition_looks_after_nothing() {
    let mut shelf = shelf(9, 1 << 20, false);
    let kept = item(1, 1, "k");
    put(&mut shelf, HERE, &kept, START).unwrap();
    shelf.looked_after(&kept.target(), 3);
    put(&mut shelf, STRANGER, &kept, START).unwrap();
    put(&mut shelf, STRANGER, &kept, START + MINUTE).unwrap();
    let (_, looked_after_s) = shelf.offerable(&kept.target(), START).unwrap();
    assert_eq!(looked_after_s, 3, "anybody can repeat what it has read");
}

#[test]
fn what_is_not_durable_yet_is_wanted_when_it_is_offered() {
    let mut shelf = shelf(9, 1 << 20, true);
    let kept = item(1, 5, "k");
    let Ok(Taken::Staged(batch)) = put(&mut shelf, HERE, &kept, START) else { panic!("staged") };
    assert_eq!(shelf.judge_offer(&offer(&kept), START), Verdict::Wanted);
    assert_eq!(shelf.judge_offer(&offer(&item(1, 4, "k")), START), Verdict::Newer);
    shelf.stored(batch, |_| {});
    assert_eq!(shelf.judge_offer(&offer(&kept), START), Verdict::Same);
}

proptest! {
    #[test]
    fn all_is_counted_for_somebody_whatever_comes_ends_goes_and_fails(
        steps in proptest::collection::vec(
            (0u16..6, 0i64..5, "[ksp]{1,40}", 0u8..4, any::<bool>(), 0u8..9), 1..120
        ),
        durable: bool,
    ) {
        let mut shelf = shelf(5, 700, durable);
        let mut wall = START;
        let mut batches = Changes::default();
        for (salt, seq, value, host, way, act) in steps {
            let way = if way { Way::Put } else { Way::HandOff };
            let source = shelf.source(&Endpoint::v4([10, 0, 0, host], 1), way);
            let new = item(salt, seq, &value);
            let offered =
                Offered { item: new.as_ref(), wanted: None, cas: None, source, second: 0 };
            let batch = batches.batch();
            let _ = shelf.put(&offered, wall, &mut batches);
            let mut taken = Changes::default();
            match act {
                0 => { batches.take(&mut taken); shelf.stored(batch, |_| {}); }
                1 => { batches.take(&mut taken); shelf.not_stored(batch); }
                2 => { wall = wall + MINUTE * 2; shelf.sweep(wall, &mut batches); }
                3 => shelf.release(&new.target()),
                4 => wall = wall + MINUTE * 61,
                _ => {}
            }
            shelf.check_invariant();
        }
        let all: Vec<Item> = (0..6).map(|salt| item(salt, 0, "")).collect();
        shelf.stored(batches.batch(), |_| {});
        wall = wall + MINUTE * 2000;
        shelf.sweep(wall, &mut Changes::default());
        shelf.check_invariant();
        prop_assert!(shelf.is_empty() && all.iter().all(|it| shelf.get(&it.target(), wall).is_none()));
    }
}
