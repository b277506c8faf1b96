//! What outsiders make of a datagram that they saw, or come up with, gets silence.

use node::Drop;
use wire::limits::DATAGRAM_BYTES;

use super::insider::{Insider, Member, SECRET, Seal, at, ping};

#[test]
fn a_datagram_with_any_one_bit_flipped_gets_silence_and_the_true_one_is_still_heard() {
    let mut member = Member::new();
    let insider = Insider::new(1);
    // Once for a sender that is unknown, once for one that is known.
    for step in 1..=2 {
        let true_one = insider.ping(member.micros() + step);
        for place in 0..true_one.len() {
            for bit in 0..8 {
                let mut flipped = true_one.clone();
                flipped[place] ^= 1 << bit;
                member.ignores(at(1), &flipped, Drop::Unsealed);
            }
        }
        assert!(member.answers(at(1), &true_one));
    }
}

#[test]
fn a_datagram_of_any_other_length_gets_silence() {
    let mut member = Member::new();
    let true_one = Insider::new(1).ping(member.micros());
    for length in 1..true_one.len() {
        member.ignores(at(1), &true_one[..length], Drop::Unsealed);
        member.ignores(at(1), &true_one[length..], Drop::Unsealed);
    }
    for more in [1, 16, 40, DATAGRAM_BYTES - true_one.len()] {
        let longer = [&true_one[..], &vec![0; more]].concat();
        member.ignores(at(1), &longer, Drop::Unsealed);
    }
    member.ignores(at(1), &[], Drop::Length);
    member.ignores(at(1), &[0; DATAGRAM_BYTES + 1], Drop::Length);
    assert!(member.answers(at(1), &true_one));
}

#[test]
fn plain_messages_and_those_of_another_key_get_silence_even_if_they_are_malformed() {
    let mut member = Member::new();
    let other = Seal::new([0x4c; 32]);
    for plain in [&ping(1)[..], b"d1:q4:ping1:t2:aa1:y1:qe", b"d1:t2:aa1:y1:qe", b"x"] {
        member.ignores(at(1), plain, Drop::Unsealed);
        member.ignores(at(1), &other.seal([1; 16], member.micros(), plain), Drop::Unsealed);
    }
}

#[test]
fn what_a_member_seals_badly_is_refused_like_anywhere() {
    let mut member = Member::new();
    let seal = Seal::new(SECRET);
    let malformed = seal.seal([1; 16], member.micros(), b"d1:q4:ping1:t2:aa1:y1:qe");
    let answers = member.hear(at(1), &malformed);
    let refusal = seal.open(&answers[0].1).expect("sealed like all");
    assert!(refusal.windows(3).any(|part| part == b"203"), "{}", refusal.escape_ascii());
    let empty = seal.seal([1; 16], member.micros() + 1, b"");
    member.ignores(at(1), &empty, Drop::Malformed);
    let noise = seal.seal([1; 16], member.micros() + 2, &[0xff; 1000]);
    member.ignores(at(1), &noise, Drop::Malformed);
}

#[test]
fn a_seal_does_not_lift_the_rule_against_addresses_that_nothing_can_be_sent_to() {
    let mut member = Member::new();
    let true_one = Insider::new(1).ping(member.micros());
    member.ignores(at(1).with_port(0), &true_one, Drop::Martian);
    assert!(member.answers(at(1), &true_one), "its number was not used up");
}
