//! No datagram is heard twice: not later, not from elsewhere, not after a restart, not by who sent it.

use std::time::Duration;

use node::limits::{SEAL_SENDERS, SEAL_WINDOW};
use node::{Answer, Drop, Event};

use super::insider::{Insider, Member, SECRET, Seal, at, ping, pong};

#[test]
fn a_replay_gets_silence_at_once_and_later_from_anywhere() {
    let mut member = Member::new();
    let recorded = Insider::new(1).ping(member.micros());
    assert!(member.answers(at(1), &recorded));
    for wait in [0, 1, 60, 300, 500, 3600] {
        member.pass(Duration::from_secs(wait));
        member.ignores(at(1), &recorded, Drop::Replayed);
        member.ignores(at(9), &recorded, Drop::Replayed);
    }
}

#[test]
fn what_was_held_back_is_heard_once_if_it_is_not_too_old() {
    let mut member = Member::new();
    let insider = Insider::new(1);
    assert!(member.answers(at(1), &insider.ping(member.micros())));
    let held_back = [1, 2].map(|number| insider.ping(member.micros() + number));
    member.pass(Duration::from_secs(599));
    assert!(member.answers(at(1), &held_back[0]));
    member.pass(Duration::from_secs(2));
    member.ignores(at(1), &held_back[1], Drop::Replayed);
}

#[test]
fn datagrams_that_overtake_each_other_within_the_window_are_all_heard_once() {
    let mut member = Member::new();
    let insider = Insider::new(1);
    let start = member.micros();
    let window = SEAL_WINDOW as u64;
    // Backwards, and each again.
    for number in (1..=window).rev() {
        assert!(member.answers(at(1), &insider.ping(start + number)), "{number}");
    }
    for number in 1..=window {
        member.ignores(at(1), &insider.ping(start + number), Drop::Replayed);
    }
    // Every second one first, then those between.
    for number in (1..=window).step_by(2).chain((2..=window).step_by(2)) {
        assert!(member.answers(at(1), &insider.ping(start + window + number)), "{number}");
    }
    // What was overtaken by a whole window cannot be told from a replay.
    member.ignores(at(1), &insider.ping(start), Drop::Replayed);
}

#[test]
fn senders_do_not_share_a_window() {
    let mut member = Member::new();
    let number = member.micros();
    for name in 1..=100 {
        assert!(member.answers(at(name), &Insider::new(name).ping(number)));
    }
    for name in 1..=100 {
        member.ignores(at(name), &Insider::new(name).ping(number), Drop::Replayed);
    }
}

#[test]
fn what_was_recorded_before_a_restart_gets_silence_after_it() {
    let mut member = Member::new();
    let insider = Insider::new(1);
    let recorded: Vec<Vec<u8>> = (0..50)
        .map(|_| {
            member.pass(Duration::from_secs(5));
            let ping = insider.ping(member.micros());
            assert!(member.answers(at(1), &ping));
            ping
        })
        .collect();
    let (_, _, transaction) = member.ask(at(1));
    let answer = insider.seal.seal(insider.sender, member.micros() + 9, &pong(1, &transaction));
    member.pass(Duration::from_secs(1));
    let mut again = member.restarted();
    for wait in [0, 30] {
        again.pass(Duration::from_secs(wait));
        for ping in &recorded {
            again.ignores(at(1), ping, Drop::Replayed);
        }
        again.ignores(at(1), &answer, Drop::Unmatched);
    }
    let fresh = insider.ping(again.micros());
    assert!(again.answers(at(1), &fresh));
    again.ignores(at(1), &fresh, Drop::Replayed);
    again.ignores(at(1), &recorded[49], Drop::Replayed);
}

#[test]
fn nothing_that_a_node_sent_is_heard_by_itself_not_even_after_a_restart() {
    let mut member = Member::new();
    let (_, query, _) = member.ask(at(1));
    let answer = member.hear(at(2), &Insider::new(2).ping(member.micros())).remove(0).1;
    for from in [at(1), at(2), at(3)] {
        member.ignores(from, &query, Drop::Replayed);
        member.ignores(from, &answer, Drop::Replayed);
    }
    member.pass(Duration::from_secs(1));
    let mut again = member.restarted();
    again.ignores(at(1), &query, Drop::Replayed);
    again.ignores(at(1), &answer, Drop::Unmatched);
}

#[test]
fn a_reply_counts_once_and_only_from_where_it_was_asked() {
    let mut member = Member::new();
    let insider = Insider::new(1);
    let (operation, _, transaction) = member.ask(at(1));
    let mut number = member.micros();
    let mut answer = || {
        number += 1;
        insider.seal.seal(insider.sender, number, &pong(1, &transaction))
    };
    member.ignores(at(2), &answer(), Drop::Unmatched);
    let true_one = answer();
    member.hear(at(1), &true_one);
    let answered = member.events.iter().find(|event| event.ends() == Some(operation));
    assert!(matches!(answered, Some(Event::Answered(_, Answer::Pong { .. }))), "{answered:?}");
    member.ignores(at(1), &true_one, Drop::Replayed);
    member.ignores(at(1), &answer(), Drop::Unmatched);
}

#[test]
fn a_sender_that_had_to_make_room_is_not_heard_again_by_its_old_datagrams() {
    let mut member = Member::new();
    let seal = Seal::new(SECRET);
    let sender = |index: usize| {
        let mut sender = [0; 16];
        sender[..8].copy_from_slice(&(index as u64).to_le_bytes());
        sender
    };
    let start = member.micros();
    let count = SEAL_SENDERS + 200;
    let recorded: Vec<Vec<u8>> =
        (0..count).map(|index| seal.seal(sender(index), start + index as u64, &ping(1))).collect();
    for datagram in &recorded {
        assert!(member.answers(at(1), datagram));
    }
    for datagram in &recorded {
        member.ignores(at(1), datagram, Drop::Replayed);
    }
    let next = start + count as u64;
    assert!(member.answers(at(1), &seal.seal(sender(0), next, &ping(1))), "it comes back");
}
