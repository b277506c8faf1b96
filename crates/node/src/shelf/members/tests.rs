//! What a shelf of members takes, refuses and tells, also against a plain model.

use core::time::Duration;
use std::collections::BTreeMap as Model;
use std::format;
use std::vec::Vec;

use proptest::prelude::*;
use wire::{Saying, Seq, Signer};

use super::*;

const WALL: UnixMillis = UnixMillis(1_700_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);

fn target() -> Target {
    Target::new([5; 20])
}

fn shelf() -> Members {
    Members::new(&mut Dice::new([1; 32]))
}

fn at(minutes: u64) -> UnixMillis {
    WALL + MINUTE * minutes as u32
}

/// What writer 1 says of an item: version, minutes of life and of memory, removed.
fn said(item: &str, version: u64, life: u64, memory: u64, removed: bool) -> Member {
    by(1, target(), item, version, life, memory, removed)
}

fn by(
    writer: u8,
    target: Target,
    item: &str,
    version: u64,
    life: u64,
    memory: u64,
    removed: bool,
) -> Member {
    let saying = Saying {
        item: item.as_bytes(),
        seq: Seq::new((WALL.0 * 1000 + version) as i64).unwrap(),
        expires_ms: at(life).0,
        remembered_ms: at(life.max(memory)).0,
        removed,
    };
    Member::sign(&Signer::from_seed(&[writer; 32]), &target, saying).unwrap()
}

fn add(shelf: &mut Members, member: &Member, minutes: u64) -> Result<(), (i64, &'static str)> {
    let outcome = shelf.add(member.as_ref(), Source::default(), at(minutes), |_, _| {});
    shelf.check_invariant();
    outcome.map(drop).map_err(|refused| (refused.code, refused.text))
}

fn told(shelf: &Members, minutes: u64) -> Vec<Member> {
    shelf.page(&target(), None, at(minutes)).members().map(|member| member.to_member()).collect()
}

#[test]
fn versions_only_rise_and_the_same_again_is_taken() {
    let mut shelf = shelf();
    let second = said("ada", 2, 10, 0, false);
    assert_eq!(add(&mut shelf, &second, 0), Ok(()));
    assert_eq!(add(&mut shelf, &second, 1), Ok(()), "our answer may have been lost");
    assert_eq!(add(&mut shelf, &said("ada", 1, 99, 0, false), 1).unwrap_err().0, 302);
    assert_eq!(add(&mut shelf, &said("ada", 2, 11, 0, false), 1).unwrap_err().0, 302);
    assert_eq!(add(&mut shelf, &said("ada", 2, 10, 0, true), 1).unwrap_err().0, 302);
    let third = said("ada", 3, 5, 10, true);
    assert_eq!(add(&mut shelf, &third, 1), Ok(()));
    assert_eq!(told(&shelf, 9), [third]);
    assert_eq!((shelf.len(), shelf.sets()), (1, 1));
}

#[test]
fn what_replaces_a_longer_memory_is_told_as_long() {
    let mut shelf = shelf();
    add(&mut shelf, &said("ada", 1, 90, 0, false), 0).unwrap();
    // Its writer did not know of the long one, which others may hold still.
    let brief = said("ada", 2, 10, 0, false);
    add(&mut shelf, &brief, 1).unwrap();
    shelf.sweep(at(50), |_, _| {});
    assert_eq!(told(&shelf, 50), [brief], "expired, and told all the same");
    assert_eq!(add(&mut shelf, &said("ada", 1, 90, 0, false), 50).unwrap_err().0, 302);
    shelf.sweep(at(90), |_, _| {});
    assert!(shelf.is_empty());
    shelf.check_invariant();
}

#[test]
fn times_that_make_no_sense_are_refused() {
    let mut shelf = shelf();
    let year = 365 * 24 * 60;
    assert_eq!(add(&mut shelf, &said("a", 1, 10, 0, false), 10), Err((203, EXPIRED.text)));
    assert_eq!(add(&mut shelf, &said("a", 1, year + 61, 0, false), 0), Err((203, TOO_LONG.text)));
    assert_eq!(add(&mut shelf, &said("a", 1, 9, year + 61, true), 0), Err((203, TOO_LONG.text)));
    let hour = 3_600_000_000;
    let ahead = said("a", hour + 1_000, 99, 0, false);
    assert_eq!(add(&mut shelf, &ahead, 0), Err((203, TOO_FAR_AHEAD.text)));
    assert!(shelf.is_empty());
    assert_eq!(add(&mut shelf, &said("a", hour, year, 0, false), 0), Ok(()));
}

#[test]
fn one_writer_cannot_fill_a_set_and_a_full_set_takes_updates() {
    let mut shelf = shelf();
    let item = |number: usize| format!("{number}");
    let per_writer = MEMBERS_PER_WRITER;
    for number in 0..MEMBERS_PER_SET {
        let writer = 1 + (number / per_writer) as u8;
        let member = by(writer, target(), &item(number), 1, 10 + u64::from(writer), 0, false);
        assert_eq!(
            shelf.add(member.as_ref(), Source::default(), at(0), |_, _| {}).map(drop),
            Ok(()),
            "{number}"
        );
        if number == per_writer - 1 {
            let more = by(1, target(), "more", 1, 10, 0, false);
            assert_eq!(add(&mut shelf, &more, 0), Err((202, WRITER_FULL.text)));
            let elsewhere = by(1, Target::new([6; 20]), "more", 1, 10, 0, false);
            assert_eq!(add(&mut shelf, &elsewhere, 0), Ok(()), "another set");
        }
    }
    let newcomer = by(99, target(), "new", 1, 10, 0, false);
    assert_eq!(add(&mut shelf, &newcomer, 0), Err((202, FULL.text)));
    assert_eq!(add(&mut shelf, &by(1, target(), "7", 2, 99, 0, false), 0), Ok(()), "an update");
    assert_eq!(
        add(&mut shelf, &by(99, target(), "new", 1, 99, 0, false), 11),
        Ok(()),
        "room again"
    );
    assert_eq!(shelf.len(), MEMBERS_PER_SET - per_writer + 2);
}

#[test]
fn what_makes_room_is_told_so_that_a_disk_lets_it_go_too() {
    let mut shelf = shelf();
    let (mut gone, mut added) = (0, 0);
    for minute in 0..6 {
        for number in 0..MEMBERS_PER_WRITER + 9 {
            let short = by(1, target(), &format!("{minute} {number}"), 1, minute + 1, 0, false);
            let put = shelf.add(short.as_ref(), Source::default(), at(minute), |_, _| gone += 1);
            added += usize::from(put.is_ok());
            // Another set's members end as well, and are not looked for at each refusal.
            let elsewhere =
                by(2, Target::new([6; 20]), &format!("{minute}"), 1, minute + 1, 0, false);
            let _ = shelf.add(elsewhere.as_ref(), Source::default(), at(minute), |_, _| gone += 1);
        }
        shelf.check_invariant();
        assert_eq!(added + minute as usize + 1 - gone, shelf.len());
    }
    assert_eq!(added, 6 * MEMBERS_PER_WRITER);
}

#[test]
fn one_address_fills_only_its_part_of_the_shelf() {
    let mut shelf = shelf();
    let stranger = shelf.source(&Endpoint::v4([203, 0, 113, 1], 1), Way::Put);
    shelf.sources.charge(stranger, 1, SET_BYTES / 4 - ENTRY_BYTES - 1);
    let member = said("a", 1, 10, 0, false);
    let refused = shelf.add(member.as_ref(), stranger, at(0), |_, _| {}).map_err(|no| no.text);
    assert_eq!(refused.map(drop), Ok(()), "just fits");
    let next = said("b", 1, 10, 0, false);
    let refused = shelf.add(next.as_ref(), stranger, at(0), |_, _| {}).map_err(|no| no.text);
    assert_eq!(refused, Err(SOURCE_FULL.text));
    let other = shelf.source(&Endpoint::v4([203, 0, 114, 1], 1), Way::Put);
    assert_eq!(shelf.add(next.as_ref(), other, at(0), |_, _| {}).map(drop), Ok(()));
    shelf.sweep(at(10), |_, _| {});
    assert_eq!(
        shelf.add(next.as_ref(), stranger, at(0), |_, _| {}).map(drop),
        Ok(()),
        "room again"
    );
}

#[test]
fn a_page_begins_behind_its_cursor() {
    let mut shelf = shelf();
    for item in ["a", "b", "c", "d", "e"] {
        add(&mut shelf, &said(item, 1, 10, 0, false), 0).unwrap();
    }
    let all = told(&shelf, 0);
    assert!(all.iter().map(Member::cursor).is_sorted());
    for (place, member) in all.iter().enumerate() {
        let cursor = member.cursor();
        let behind = |after| shelf.page(&target(), after, at(0)).members().count();
        assert_eq!(behind(Some(cursor)), all.len() - place - 1);
        assert_eq!(behind(cursor.before()), all.len() - place);
    }
    let other = shelf.page(&Target::new([9; 20]), None, at(0));
    assert_eq!((other.members().count(), other.num), (0, 0));
}

proptest! {
    #[test]
    fn it_tells_what_a_plain_model_tells(
        steps in proptest::collection::vec(
            (0u8..4, 1u64..6, 1u64..9, 0u64..12, any::<bool>(), 0u64..3), 1..60,
        )
    ) {
        let mut shelf = shelf();
        let mut model: Model<u8, (Member, u64)> = Model::new();
        let mut time = 0;
        for (number, version, life, memory, removed, pass) in steps {
            time += pass;
            let item = format!("{number}");
            let until = time + life.max(memory);
            let member = said(&item, version, time + life, until, removed);
            let known = model.get(&number).filter(|(_, until)| *until > time);
            let refused = known.is_some_and(|(old, _)| {
                let (old, new) = (old.saying(), member.saying());
                new.seq < old.seq || (new.seq == old.seq && new != old)
            });
            prop_assert_eq!(shelf.add(member.as_ref(), Source::default(), at(time), |_, _| {}).is_err(), refused);
            if !refused {
                let until = known.map_or(until, |(_, old)| until.max(*old));
                model.insert(number, (member, until));
            }
            if pass == 2 {
                shelf.sweep(at(time), |_, _| {});
            }
            shelf.check_invariant();
            let mut expected: Vec<Member> = model
                .values()
                .filter(|(_, until)| *until > time)
                .map(|(member, _)| member.clone())
                .collect();
            expected.sort_by_key(Member::cursor);
            prop_assert_eq!(told(&shelf, time), expected);
        }
        shelf.sweep(at(time + 20), |_, _| {});
        prop_assert!(shelf.is_empty());
    }
}
