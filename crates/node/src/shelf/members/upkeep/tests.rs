//! Digests and offers of held sets, against what the members themselves come to.

use core::time::Duration;
use std::format;
use std::vec::Vec;

use proptest::prelude::*;
use wire::{Saying, Seq, Signer};

use super::*;
use crate::dice::Dice;
use crate::shelf::Source;

const WALL: UnixMillis = UnixMillis(1_700_000_000_000);

fn target() -> Target {
    Target::new([5; 20])
}

fn shelf() -> Members {
    Members::new(&mut Dice::new([1; 32]))
}

fn at(minutes: u64) -> UnixMillis {
    WALL + Duration::from_secs(60 * minutes)
}

fn member(target: Target, item: &str, version: u64, until: u64, removed: bool) -> Member {
    let (seq, end) = (Seq::new((WALL.0 * 1000 + version) as i64).unwrap(), at(until).0);
    let item = item.as_bytes();
    let saying = Saying { item, seq, expires_ms: end, remembered_ms: end, removed };
    Member::sign(&Signer::from_seed(&[1; 32]), &target, saying).unwrap()
}

fn add(shelf: &mut Members, member: &Member, minutes: u64) -> bool {
    shelf.add(member.as_ref(), Source::default(), at(minutes), |_, _| {}).is_ok()
}

/// What the digest of a part must be, by what is told.
fn expected(shelf: &Members, part: Part, minutes: u64) -> SetDigest {
    let page = shelf.page(&target(), None, at(minutes));
    let lasting = page.members().filter(|member| member.saying().remembered_ms > at(minutes).0);
    let within = lasting.filter(|member| part == Part::WHOLE || part == Part::of(&member.cursor()));
    SetDigest::of(within.map(|member| {
        let seq = member.saying().seq;
        MemberOffer { cursor: member.cursor(), seq }
    }))
}

proptest! {
    #[test]
    fn digests_are_those_of_what_is_held_whatever_came_and_ended(
        first in prop_oneof![Just(0_usize), Just(80)],
        steps in proptest::collection::vec((0u8..6, 1u64..6, 1u64..9, any::<bool>(), 0u64..3), 1..30),
    ) {
        let mut shelf = shelf();
        for number in 0..first {
            add(&mut shelf, &member(target(), &format!("first {number}"), 1, 4, false), 0);
        }
        let mut time = 0;
        for (number, version, life, removed, pass) in steps {
            time += pass;
            add(&mut shelf, &member(target(), &format!("{number}"), version, time + life, removed), time);
            if pass == 2 {
                shelf.sweep(at(time), |_, _| {});
            }
            for part in core::iter::once(Part::WHOLE).chain(Part::all()) {
                let told = shelf.digest(&target(), part, at(time));
                let expected = expected(&shelf, part, time);
                prop_assert_eq!(told.unwrap_or(expected), expected);
            }
        }
    }
}

#[test]
fn pages_of_offers_go_through_a_set_and_through_each_part_once() {
    let mut shelf = shelf();
    for number in 0..100 {
        add(&mut shelf, &member(target(), &format!("{number}"), 1, 9, false), 0);
    }
    let paged = |part: Part| {
        let mut all: Vec<MemberOffer> = Vec::new();
        loop {
            let after = all.last().map(|offer| offer.cursor);
            let page: Vec<MemberOffer> =
                shelf.offers(&target(), part, after, at(0)).take(3).collect();
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    };
    let whole = paged(Part::WHOLE);
    assert_eq!(whole.len(), 100);
    let parts: Vec<MemberOffer> = Part::all().flat_map(paged).collect();
    assert_eq!(parts, whole);
    let elsewhere = whole.first().map(|offer| offer.cursor);
    let last = Part::all().last().unwrap();
    assert_eq!(shelf.offers(&target(), last, elsewhere, at(0)).count(), 0, "no place of this part");
}

#[test]
fn an_offer_is_wanted_if_it_is_newer_and_what_is_remembered_only_here_is_not_handed_on() {
    let mut shelf = shelf();
    let offer = |member: &Member| MemberOffer { cursor: member.cursor(), seq: member.saying().seq };
    let said = |version, until, removed| member(target(), "ada", version, until, removed);
    let old = said(1, 90, false);
    assert_eq!(shelf.judge_offer(&target(), &offer(&old), at(0)), Verdict::Wanted);
    assert!(add(&mut shelf, &old, 0));
    assert_eq!(shelf.judge_offer(&target(), &offer(&old), at(0)), Verdict::Same);
    let removal = said(2, 10, true);
    assert_eq!(shelf.judge_offer(&target(), &offer(&removal), at(0)), Verdict::Wanted);
    assert!(add(&mut shelf, &removal, 0));
    assert_eq!(shelf.judge_offer(&target(), &offer(&old), at(0)), Verdict::Newer);
    // Its own memory is over, but that of what it replaced is not.
    assert_eq!(shelf.judge_offer(&target(), &offer(&old), at(50)), Verdict::Newer);
    assert_eq!(shelf.lasting(&target(), &removal.cursor(), at(9)), Some(removal.clone()));
    assert_eq!(shelf.lasting(&target(), &removal.cursor(), at(50)), None);
    assert_eq!(shelf.offers(&target(), Part::WHOLE, None, at(50)).count(), 0);
    assert_eq!(shelf.judge_offer(&target(), &offer(&old), at(90)), Verdict::Wanted, "forgotten");
}

#[test]
fn released_sets_go_when_room_runs_out_and_what_is_added_to_stays() {
    let mut shelf = shelf();
    let targets = [1, 2, 3].map(|byte| Target::new([byte; 20]));
    for target in targets {
        add(&mut shelf, &member(target, "ada", 1, 9, false), 0);
    }
    shelf.release(&targets[0], true);
    shelf.release(&targets[1], true);
    shelf.shed(|_, _| panic!("there is room"));
    // As if much more were held.
    shelf.bytes += SET_BYTES / 8 * 7;
    add(&mut shelf, &member(targets[1], "bob", 1, 9, false), 0);
    let mut gone = Vec::new();
    shelf.shed(|target, _| gone.push(*target));
    shelf.bytes -= SET_BYTES / 8 * 7;
    assert_eq!(gone, [targets[0]]);
    assert_eq!(shelf.kept_sets(), targets[1..]);
    shelf.check_invariant();
}
