//! Forged histories.

use core::time::Duration;

use kv::{Consistency, Expected, Version};

use super::*;
use crate::history::{Asked, Operation, Told};
use crate::workload::keys::SWAPS;
use crate::world::MachineId;

const HOUR: Duration = Duration::from_secs(3600);

fn time(s: u64) -> Instant {
    Instant::from_micros(s * 1_000_000)
}

fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

/// A request from one second to another.
fn ask(key: u32, from: u64, to: u64, asked: Asked, told: Told) -> Operation {
    let ended = Some((time(to), told));
    Operation { machine: MachineId(1), key, asked, begun: time(from), ended, holders: Vec::new() }
}

fn put(value: u64) -> Asked {
    Asked::Put { value, ttl: HOUR, expected: Expected::Anything }
}

fn swap(value: u64, expected: Expected) -> Asked {
    Asked::Put { value, ttl: HOUR, expected }
}

const GET: Asked = Asked::Get(Consistency::Quorum);

fn stored(number: u64) -> Told {
    Told::Stored(version(number), None)
}

fn judged(operations: &[Operation], trouble: &Trouble) -> (Judged, Vec<&'static str>) {
    let history = History { operations: operations.to_vec() };
    let clock_slack = Duration::from_secs(1);
    let circumstances = Circumstances { trouble, clock_slack, attacked: false };
    let mut found = Vec::new();
    let judged = judge(&history, &circumstances, &mut found);
    (judged, found.iter().map(|violation| violation.check).collect())
}

fn violations(operations: &[Operation]) -> Vec<&'static str> {
    judged(operations, &Trouble::default()).1
}

#[test]
fn a_read_of_what_was_written_is_right_also_while_it_is_being_overwritten() {
    let all = [
        ask(1, 0, 1, put(10), stored(100)),
        ask(1, 2, 3, GET, Told::Found(10, version(100))),
        ask(1, 4, 8, put(11), stored(200)),
        ask(1, 5, 6, GET, Told::Found(11, version(200))),
        ask(1, 5, 7, GET, Told::Found(10, version(100))),
        ask(1, 9, 10, Asked::Delete, stored(300)),
        ask(1, 11, 12, GET, Told::Absent(Some(version(300)))),
    ];
    let (counted, found) = judged(&all, &Trouble::default());
    assert!(found.is_empty(), "{found:?}");
    assert_eq!((counted.reads, counted.values), (4, 3));
}

#[test]
fn what_too_few_took_demands_nothing_once_it_has_ended_but_what_enough_took_does() {
    let brief =
        Asked::Put { value: 11, ttl: Duration::from_secs(60), expected: Expected::Anything };
    let read =
        |from, number, value| ask(1, from, from + 1, GET, Told::Found(value, version(number)));
    let all = [
        ask(1, 0, 1, put(9), stored(90)),
        ask(1, 2, 3, put(10), stored(100)),
        ask(1, 4, 5, brief, Told::Short(Some(version(200)))),
        read(10, 200, 11),
        ask(1, 70, 71, GET, Told::Absent(Some(version(200)))),
        read(80, 100, 10),
    ];
    assert_eq!(violations(&all), [""; 0]);
    let mut sooner = all.clone();
    sooner[5] = read(20, 100, 10);
    assert_eq!(violations(&sooner), ["stale read"], "before it has ended");
    let mut less = all;
    less[5] = read(80, 90, 9);
    assert_eq!(violations(&less), ["stale read"], "less than enough took");
}

#[test]
fn a_read_that_gives_less_than_was_stored_before_it_began_is_seen() {
    let first = [
        ask(1, 0, 1, put(10), stored(100)),
        ask(1, 2, 3, put(11), stored(200)),
        ask(1, 4, 5, GET, Told::Found(10, version(100))),
    ];
    assert_eq!(violations(&first), ["stale read"]);
    let nothing = [ask(1, 0, 1, put(10), stored(100)), ask(1, 4, 5, GET, Told::Absent(None))];
    assert_eq!(violations(&nothing), ["stale read"]);
    let back = [
        ask(1, 0, 1, put(10), stored(100)),
        ask(1, 2, 3, Asked::Delete, stored(200)),
        ask(1, 4, 5, GET, Told::Found(10, version(100))),
    ];
    assert_eq!(violations(&back), ["stale read"]);
}

#[test]
fn a_read_that_gives_less_than_an_earlier_read_is_seen() {
    let all = [
        ask(1, 0, 1, put(10), stored(100)),
        ask(1, 2, 9, put(11), Told::Short(Some(version(200)))),
        ask(1, 3, 4, GET, Told::Found(11, version(200))),
        ask(1, 5, 6, GET, Told::Found(10, version(100))),
    ];
    assert_eq!(violations(&all), ["stale read"]);
}

#[test]
fn what_has_ended_or_may_have_been_deleted_need_not_be_found() {
    let ended = [ask(1, 0, 1, put(10), stored(100)), ask(1, 3600, 3602, GET, Told::Absent(None))];
    assert!(violations(&ended).is_empty());
    let cut = [
        ask(1, 0, 1, put(10), stored(100)),
        ask(1, 2, 3, Asked::Delete, Told::Cut),
        ask(1, 4, 5, GET, Told::Absent(None)),
    ];
    assert!(violations(&cut).is_empty());
    let conflict = [
        ask(1, 0, 1, put(10), stored(100)),
        ask(1, 2, 3, swap(12, Expected::Absent), Told::Conflict),
        ask(1, 4, 5, GET, Told::Absent(None)),
    ];
    assert_eq!(violations(&conflict), ["stale read"]);
}

#[test]
fn what_comes_while_something_goes_on_is_counted_and_not_judged() {
    let all = [
        ask(1, 0, 1, put(10), stored(100)),
        ask(1, 2, 3, put(11), stored(200)),
        ask(1, 20, 25, GET, Told::Found(10, version(100))),
        ask(1, 50, 51, GET, Told::Found(10, version(100))),
        ask(1, 52, 53, put(12), stored(300)),
        ask(1, 54, 55, GET, Told::Found(10, version(100))),
    ];
    let mut trouble = Trouble::default();
    trouble.add(time(22), time(40), "loss");
    let (counted, found) = judged(&all, &trouble);
    // The second read is behind the trouble and has only what was written before it to go by.
    assert_eq!(found, ["stale read"]);
    assert_eq!((counted.reads, counted.reads_in_trouble, counted.stale_in_trouble), (2, 1, 1));
}

#[test]
fn what_nobody_wrote_is_seen() {
    let put_10 = ask(1, 0, 1, put(10), stored(100));
    let elsewhere = ask(2, 0, 1, put(11), stored(100));
    let refused = ask(1, 0, 1, put(12), Told::Refused);
    let late = ask(1, 50, 51, put(13), stored(900));
    for (told, wrong) in [
        (Told::Found(10, version(100)), false),
        (Told::Found(10, version(101)), true),
        (Told::Found(99, version(900)), true),
        (Told::Found(11, version(100)), true),
        (Told::Found(12, version(900)), true),
        (Told::Found(13, version(900)), true),
        (Told::Garbled(version(900)), true),
    ] {
        let get = ask(1, 2, 3, GET, told);
        let all = [put_10.clone(), elsewhere.clone(), refused.clone(), get, late.clone()];
        let expected: &[&str] = if wrong { &["invented"] } else { &[] };
        assert_eq!(violations(&all), expected, "{told:?}");
    }
}

#[test]
fn two_values_under_one_version_may_end_as_one_under_a_higher_version() {
    let all = [
        ask(1, 0, 1, put(10), stored(100)),
        ask(1, 0, 1, put(11), stored(100)),
        ask(1, 2, 3, GET, Told::Found(11, version(150))),
    ];
    assert!(violations(&all).is_empty());
}

#[test]
fn two_winners_on_one_version_are_seen() {
    let on = |number| Expected::Version(version(number));
    let first = ask(SWAPS, 0, 1, swap(10, Expected::Absent), stored(100));
    let winner = ask(SWAPS, 2, 5, swap(11, on(100)), stored(200));
    let other = ask(SWAPS, 3, 6, swap(12, on(100)), stored(210));
    let loser = ask(SWAPS, 3, 6, swap(12, on(100)), Told::Conflict);
    let next = ask(SWAPS, 7, 8, swap(13, on(200)), stored(300));
    let blind = ask(SWAPS, 9, 10, swap(14, on(200)), stored(400));
    let nothing = ask(SWAPS, 9, 10, swap(14, Expected::Absent), stored(400));
    assert!(violations(&[first.clone(), winner.clone(), loser, next.clone()]).is_empty());
    assert_eq!(violations(&[first.clone(), winner.clone(), other.clone()]), ["swaps"]);
    assert_eq!(violations(&[first.clone(), winner.clone(), next, blind]), ["swaps"]);
    assert_eq!(violations(&[first.clone(), nothing]), ["swaps"]);
    let mut trouble = Trouble::default();
    trouble.add(time(4), time(5), "loss");
    let (counted, found) = judged(&[first, winner, other], &trouble);
    assert!(found.is_empty() && counted.swaps_beside == 1 && counted.swaps == 3);
}

#[test]
fn a_winner_may_build_on_what_is_undetermined() {
    let on = |number| Expected::Version(version(number));
    let all = [
        ask(SWAPS, 0, 1, swap(10, Expected::Absent), stored(100)),
        ask(SWAPS, 2, 5, swap(11, on(100)), Told::Undetermined(version(200))),
        ask(SWAPS, 6, 7, GET, Told::Found(11, version(200))),
        ask(SWAPS, 8, 9, swap(12, on(200)), stored(300)),
    ];
    let (counted, found) = judged(&all, &Trouble::default());
    assert!(found.is_empty(), "{found:?}");
    assert_eq!((counted.swaps, counted.undetermined), (2, 1));
}
