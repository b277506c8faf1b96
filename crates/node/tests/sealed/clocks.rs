//! Clocks that do not agree, jump, or stand still.

use std::time::Duration;

use node::{Answer, Drop, Event, UnixMillis};

use super::insider::{Insider, Member, SECRET, START_MS, Seal, at, pong};

const MINUTE: u64 = 60_000_000;

#[test]
fn clocks_may_differ_by_ten_minutes_and_no_more() {
    let mut member = Member::new();
    // Long enough after its start that nothing can be from before it.
    member.pass(Duration::from_secs(3600));
    let now = member.micros();
    for (name, number) in [(1, now - 10 * MINUTE), (2, now + 10 * MINUTE)] {
        assert!(member.answers(at(name), &Insider::new(name).ping(number)));
    }
    let off = [now - 10 * MINUTE - 1, now + 10 * MINUTE + 1, 0, u64::MAX, u64::MAX - MINUTE];
    for (name, number) in (3..).zip(off) {
        member.ignores(at(name), &Insider::new(name).ping(number), Drop::Replayed);
    }
}

#[test]
fn a_node_that_has_just_started_hears_replies_of_those_whose_clocks_lag() {
    let mut member = Member::new();
    let insider = Insider::new(1);
    let lagging = member.micros() - 5 * MINUTE;
    let (operation, _, transaction) = member.ask(at(1));
    member.ignores(at(1), &insider.ping(lagging), Drop::Replayed);
    member.hear(at(1), &insider.seal.seal([1; 16], lagging + 1, &pong(1, &transaction)));
    let answered = member.events.iter().find(|event| event.ends() == Some(operation));
    assert!(matches!(answered, Some(Event::Answered(_, Answer::Pong { .. }))), "{answered:?}");
    // Its questions, too, as soon as its clock has passed our start.
    member.pass(Duration::from_secs(301));
    assert!(member.answers(at(1), &insider.ping(lagging + 301 * MINUTE / 60)));
}

/// The number under which it sends now.
fn number_of(member: &mut Member) -> (Vec<u8>, u64) {
    let (_, bytes, _) = member.ask(at(7));
    let number = bytes[16..24].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    (bytes, number)
}

#[test]
fn who_sets_a_clock_back_goes_on_as_another_sender_that_is_heard() {
    let mut member = Member::new();
    member.now.wall = UnixMillis(START_MS + 3_600_000);
    let (ahead, number) = number_of(&mut member);
    assert_eq!(number, (START_MS + 3_600_000) * 1000);
    member.now.wall = UnixMillis(START_MS + 1000);
    let (back, number) = number_of(&mut member);
    assert_eq!(number, (START_MS + 1000) * 1000);
    assert_ne!(ahead[..16], back[..16]);
    let mut other = Member::seeded(5, member.now);
    other.now.wall = UnixMillis(START_MS + 1000);
    assert!(other.answers(at(1), &back));
    for datagram in [&ahead, &back] {
        member.ignores(at(2), datagram, Drop::Replayed);
    }
}

#[test]
fn small_corrections_of_a_clock_keep_sender_and_order() {
    let mut member = Member::new();
    let (first, before) = number_of(&mut member);
    for back_ms in [1, 500, 30_000] {
        member.now.wall = UnixMillis(START_MS - back_ms);
        let (next, number) = number_of(&mut member);
        assert!(number > before);
        assert_eq!(first[..16], next[..16]);
    }
}

#[test]
fn after_a_machine_has_slept_it_is_heard_and_hears_at_once() {
    let mut member = Member::new();
    let insider = Insider::new(1);
    assert!(member.answers(at(1), &insider.ping(member.micros())));
    let recorded = insider.ping(member.micros() + 1);
    assert!(member.answers(at(1), &recorded));
    // The monotonic clock of a machine that sleeps stands still.
    member.now.wall = UnixMillis(member.now.wall.0 + 8 * 3_600_000);
    assert!(member.answers(at(1), &insider.ping(member.micros())));
    member.ignores(at(1), &recorded, Drop::Replayed);
    let (_, number) = number_of(&mut member);
    assert!(number - member.micros() < 10, "{number}");
}

#[test]
fn while_a_clock_is_wrong_for_a_moment_others_are_still_heard() {
    let mut member = Member::new();
    member.pass(Duration::from_secs(3600));
    let insider = Insider::new(1);
    let right = member.now.wall;
    member.now.wall = UnixMillis(right.0 + 24 * 3_600_000);
    assert!(member.answers(at(1), &insider.ping(right.0 * 1000)));
    let seal = Seal::new(SECRET);
    assert!(seal.open(&number_of(&mut member).0).is_some());
}

#[test]
fn a_node_that_started_with_a_clock_ahead_answers_once_it_is_set_right() {
    let mut member = Member::new();
    member.pass(Duration::from_secs(30));
    member.now.wall = UnixMillis(member.now.wall.0 - 3_600_000);
    let insider = Insider::new(1);
    // Before that it was right by what it knew, and heard nobody.
    assert!(member.answers(at(1), &insider.ping(member.micros())));
    let before_its_start = member.micros() - MINUTE;
    member.ignores(at(2), &Insider::new(2).ping(before_its_start), Drop::Replayed);
}
