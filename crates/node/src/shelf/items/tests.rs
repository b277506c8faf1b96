//! What the shelf takes, keeps and lets go.

use super::*;
use crate::shelf::Verdict;
use core::time::Duration;
use proptest::prelude::*;
use std::collections::HashMap as Model;
use std::format;
use std::vec::Vec;
use wire::Signer;
use wire::item::byte_string;

/// Leases written into the value: `minutes held` `,` `minutes remembered`.
struct Told;

impl Admission for Told {
    fn judge(
        &self,
        item: &ItemRef<'_>,
        _: Option<UnixMillis>,
        wall: UnixMillis,
    ) -> Result<Lease, Refused> {
        let text = core::str::from_utf8(item.value()).unwrap();
        let (_, text) = text.split_once(':').unwrap();
        let (held, marker) = text.split_once(',').unwrap();
        let at = |s: &str| wall + Duration::from_secs(60) * s.parse().unwrap();
        Ok(Lease { until: at(held), marker_until: at(marker), kept: true })
    }
}

fn shelf(items: usize) -> Items<Told> {
    let limits = ShelfLimits { items, bytes: 1 << 20, ..ShelfLimits::default() };
    Items::new(Told, limits, false, &mut Dice::new([1; 32]))
}

/// Offers an item from this machine.
fn put(
    shelf: &mut Items<impl Admission>,
    item: &Item,
    cas: Option<Seq>,
    wall: UnixMillis,
) -> Result<(), Refused> {
    let (item, source) = (item.as_ref(), Source::default());
    let offered = Offered { item, wanted: None, cas, source, second: 0 };
    shelf.put(&offered, wall, &mut Changes::default()).map(|taken| assert_eq!(taken, Taken::Held))
}

fn item(salt: u8, seq: i64, value: &str) -> Item {
    let signer = Signer::from_seed(&[7; 32]);
    let value = byte_string(value.as_bytes());
    Item::mutable(&signer, &[salt], Seq::new(seq).unwrap(), &value).unwrap()
}

fn at(minutes: u64) -> UnixMillis {
    UnixMillis(minutes * 60_000)
}

#[test]
fn versions_only_rise_and_equal_ones_only_renew() {
    let mut shelf = shelf(10);
    let put = |shelf: &mut Items<Told>, seq, value, cas: Option<i64>, time| {
        let cas = cas.map(|n| Seq::new(n).unwrap());
        super::tests::put(shelf, &item(1, seq, value), cas, at(time)).map_err(|no| no.code)
    };
    assert_eq!(put(&mut shelf, 5, "9,9", Some(77), 0), Ok(()), "no value: cas is ignored");
    assert_eq!(put(&mut shelf, 4, "9,9", None, 0), Err(302));
    assert_eq!(put(&mut shelf, 5, "8,8", None, 0), Err(302));
    assert_eq!(put(&mut shelf, 5, "9,9", None, 5), Ok(()));
    let target = item(1, 5, "9,9").target();
    assert!(shelf.get(&target, at(13)).is_some(), "renewed");
    assert!(shelf.get(&target, at(14)).is_none());
    assert_eq!(put(&mut shelf, 6, "9,9", Some(4), 6), Err(301));
    assert_eq!(put(&mut shelf, 6, "9,9", Some(5), 6), Ok(()));
    shelf.check_invariant();
}

#[test]
fn an_ended_item_leaves_a_marker_that_keeps_old_copies_out() {
    let mut shelf = shelf(10);
    put(&mut shelf, &item(1, 5, "1,100"), None, at(0)).unwrap();
    let old = item(1, 4, "500,500");
    assert_eq!(put(&mut shelf, &old, None, at(2)).unwrap_err().code, 302, "before the sweep");
    shelf.sweep(at(2), &mut Changes::default());
    shelf.check_invariant();
    assert_eq!(shelf.len(), 0);
    assert_eq!(put(&mut shelf, &old, None, at(3)).unwrap_err().code, 302, "after the sweep");
    shelf.sweep(at(101), &mut Changes::default());
    assert!(shelf.is_empty());
    assert_eq!(put(&mut shelf, &old, None, at(102)), Ok(()));
}

#[test]
fn a_full_shelf_refuses_new_keys_and_takes_updates() {
    let mut shelf = shelf(2);
    put(&mut shelf, &item(1, 1, "9,9"), None, at(0)).unwrap();
    put(&mut shelf, &item(2, 1, "90,90"), None, at(0)).unwrap();
    assert_eq!(put(&mut shelf, &item(3, 1, "9,9"), None, at(0)).unwrap_err().code, 202);
    assert_eq!(put(&mut shelf, &item(2, 2, "90,90"), None, at(0)), Ok(()));
    assert_eq!(put(&mut shelf, &item(3, 1, "9,9"), None, at(10)), Ok(()), "one has ended");
}

proptest! {
    #[test]
    fn it_serves_what_a_plain_model_serves(
        steps in proptest::collection::vec((0u8..3, 0i64..6, 1u64..9, 0u64..9, 0u64..3), 1..60)
    ) {
        let mut shelf = shelf(100);
        let mut model: Model<u8, (i64, u64, u64)> = Model::new();
        let mut time = 0;
        for (salt, seq, held, more, pass) in steps {
            time += pass;
            let new = item(salt, seq, &format!("{held},{}", held + more));
            let known = model.get(&salt).copied().filter(|(_, until, marker)| *until.max(marker) > time);
            let refused = known.is_some_and(|(old, until, _)| {
                let same = shelf.get(&new.target(), at(time)).is_some_and(|i| i.value() == new.value());
                seq < old || (seq == old && !(until > time && same))
            });
            prop_assert_eq!(put(&mut shelf, &new, None, at(time)).is_err(), refused);
            if !refused {
                let before = known.map_or(0, |(_, _, marker)| marker);
                model.insert(salt, (seq, time + held, before.max(time + held + more)));
            }
            if pass == 0 {
                shelf.sweep(at(time), &mut Changes::default());
            }
            shelf.check_invariant();
            for (salt, (seq, until, _)) in &model {
                let target = item(*salt, 0, "1,1").target();
                let served = shelf.get(&target, at(time)).and_then(|item| item.seq());
                prop_assert_eq!(served.map(Seq::get), (*until > time).then_some(*seq));
            }
        }
    }
}

/// Everything for an hour; kept if its value begins with a `k`.
struct Hour;

impl Admission for Hour {
    fn judge(
        &self,
        item: &ItemRef<'_>,
        _: Option<UnixMillis>,
        wall: UnixMillis,
    ) -> Result<Lease, Refused> {
        let kept = item.value().contains(&b'k');
        Ok(Lease { until: wall + Duration::from_secs(3600), marker_until: wall, kept })
    }
}

#[test]
fn only_items_that_nobody_was_promised_make_room_and_the_oldest_first() {
    let limits = ShelfLimits { items: 3, bytes: 1 << 20, ..ShelfLimits::default() };
    let mut shelf = Items::new(Hour, limits, false, &mut Dice::new([1; 32]));
    put(&mut shelf, &item(1, 1, "plain"), None, at(0)).unwrap();
    put(&mut shelf, &item(2, 1, "k"), None, at(0)).unwrap();
    put(&mut shelf, &item(3, 1, "plain"), None, at(0)).unwrap();
    assert_eq!(put(&mut shelf, &item(4, 1, "plain"), None, at(0)).unwrap_err().code, 202);
    let held = |shelf: &Items<Hour>| {
        (1..9).filter(|s| shelf.get(&item(*s, 0, "").target(), at(0)).is_some()).collect::<Vec<_>>()
    };
    put(&mut shelf, &item(5, 1, "k"), None, at(0)).unwrap();
    assert_eq!(held(&shelf), [2, 3, 5]);
    put(&mut shelf, &item(6, 1, "k"), None, at(0)).unwrap();
    assert_eq!(held(&shelf), [2, 5, 6]);
    assert_eq!(put(&mut shelf, &item(7, 1, "k"), None, at(0)).unwrap_err().code, 202);
    assert_eq!(held(&shelf), [2, 5, 6], "what was promised stays");
    shelf.check_invariant();
}

#[test]
fn updates_of_what_is_held_use_a_reserve_that_is_bounded_too() {
    let limits = ShelfLimits { items: 99, bytes: 3200, ..ShelfLimits::default() };
    let mut shelf = Items::new(Hour, limits, false, &mut Dice::new([1; 32]));
    let full = (1..99).find(|s| put(&mut shelf, &item(*s, 1, "k"), None, at(0)).is_err()).unwrap();
    let bytes = shelf.bytes();
    put(&mut shelf, &item(1, 2, &"k".repeat(200)), None, at(0)).unwrap();
    assert!(shelf.bytes() > 3200 && full > 5, "{bytes}");
    assert_eq!(put(&mut shelf, &item(2, 2, &"k".repeat(200)), None, at(0)).unwrap_err().code, 202);
    assert_eq!(put(&mut shelf, &item(full, 1, "k"), None, at(0)).unwrap_err().code, 202);
    shelf.check_invariant();
}

proptest! {
    #[test]
    fn a_durable_shelf_shows_what_is_durable_and_orders_by_what_is_on_its_way(
        steps in proptest::collection::vec((0u8..3, 0i64..6, 0u8..4, 0u8..6), 1..80)
    ) {
        let limits = ShelfLimits { items: 9, bytes: 1 << 20, ..ShelfLimits::default() };
        let mut shelf = Items::new(Hour, limits, true, &mut Dice::new([1; 32]));
        let (mut changes, mut taken) = (Changes::default(), Changes::default());
        let mut disk: Model<Vec<u8>, Vec<u8>> = Model::new();
        // The versions on their way, by batch, and those that are durable.
        let mut ordered: Model<u8, Vec<(BatchNumber, i64)>> = Model::new();
        let mut durable: Model<u8, i64> = Model::new();
        for (salt, seq, value, act) in steps {
            let new = item(salt, seq, &format!("k{value}"));
            let offered = Offered {
                item: new.as_ref(), wanted: None, cas: None, source: Source::default(), second: 0,
            };
            let batch = changes.batch();
            let newest = ordered.get(&salt).and_then(|all| all.last()).map(|(_, seq)| *seq)
                .or(durable.get(&salt).copied());
            match shelf.put(&offered, at(0), &mut changes) {
                Ok(Taken::Staged(in_batch)) => {
                    prop_assert!(newest.is_none_or(|newest| seq >= newest));
                    prop_assert!(in_batch <= batch);
                    if newest != Some(seq) {
                        prop_assert_eq!(in_batch, batch);
                        ordered.entry(salt).or_default().push((batch, seq));
                    }
                }
                Ok(Taken::Held) => prop_assert_eq!(durable.get(&salt), Some(&seq)),
                Err(_) => prop_assert!(newest.is_some_and(|newest| seq <= newest)),
            }
            if act < 2 {
                changes.take(&mut taken);
                for change in taken.iter().filter(|_| act == 0) {
                    match change {
                        crate::Change::Put { key, value } => disk.insert(key.into(), value.into()),
                        crate::Change::Remove { key } => disk.remove(key),
                    };
                }
                for (salt, all) in &mut ordered {
                    for (_, seq) in all.drain(..).filter(|_| act == 0) {
                        durable.insert(*salt, seq);
                    }
                }
                match act {
                    0 => shelf.stored(batch, |_| {}),
                    _ => shelf.not_stored(batch),
                }
            }
            shelf.check_invariant();
            for salt in 0..3 {
                let shown = shelf.get(&item(salt, 0, "").target(), at(0)).and_then(Item::seq);
                prop_assert_eq!(shown.map(Seq::get), durable.get(&salt).copied());
            }
        }
        let mut again = Items::new(Hour, limits, true, &mut Dice::new([2; 32]));
        for (key, value) in &disk {
            let target = Target::read(&key[1..]).unwrap();
            let kept = super::persisted::read(&target, value).unwrap();
            prop_assert!(again.restore(target, kept, at(0)));
        }
        again.check_invariant();
        for salt in 0..3 {
            let target = item(salt, 0, "").target();
            prop_assert_eq!(again.get(&target, at(0)), shelf.get(&target, at(0)));
        }
    }
}

#[test]
fn what_has_ended_and_is_remembered_no_more_takes_no_room() {
    let mut shelf = shelf(10);
    put(&mut shelf, &item(1, 5, "1,3"), None, at(0)).unwrap();
    put(&mut shelf, &item(2, 5, "9,9"), None, at(0)).unwrap();
    let both = shelf.bytes;
    shelf.sweep(at(2), &mut Changes::default());
    assert!(shelf.bytes < both, "the value is gone");
    assert_eq!(shelf.entries.len(), 2, "its version is remembered");
    shelf.sweep(at(5), &mut Changes::default());
    assert_eq!(shelf.entries.len(), 1);
    shelf.sweep(at(12), &mut Changes::default());
    assert_eq!((shelf.entries.len(), shelf.bytes), (0, 0));
    shelf.check_invariant();
}

#[test]
fn what_a_fast_clock_ended_is_taken_again_in_the_same_version() {
    let mut shelf = shelf(10);
    let item = item(1, 5, "10,100");
    let offer = wire::offer::Offer { target: item.target(), number: 5 };
    put(&mut shelf, &item, None, at(0)).unwrap();
    shelf.sweep(at(60), &mut Changes::default());
    assert_eq!(shelf.len(), 0);
    // By this clock it has ended and is only remembered.
    assert_eq!(shelf.judge_offer(&offer, at(60)), Verdict::Same);
    assert_eq!(put(&mut shelf, &item, None, at(60)).unwrap_err().code, 302);
    // The clock was wrong.
    assert_eq!(shelf.judge_offer(&offer, at(1)), Verdict::Wanted);
    put(&mut shelf, &item, None, at(1)).unwrap();
    assert!(shelf.get(&item.target(), at(2)).is_some());
    assert_eq!(shelf.judge_offer(&offer, at(1)), Verdict::Same);
    shelf.check_invariant();
}
