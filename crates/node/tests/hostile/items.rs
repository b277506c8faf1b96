//! Items of BEP 44, case by case: what is taken, what is refused, and by which code.

use std::time::Duration;

use wire::item::{byte_string, immutable_target, mutable_target};
use wire::{Item, Seq, Signer, Target};

use super::bencoded::{Answer, Dictionary, query};
use super::victim::{Victim, id, private};

fn signer() -> Signer {
    Signer::from_seed(&[1; 32])
}

/// The name of the signer's item under a salt.
pub fn name(salt: &[u8]) -> Target {
    mutable_target(&signer().public_key(), salt)
}

/// Asks for an item.
pub fn get(victim: &mut Victim, target: Target) -> Answer {
    let arguments = Dictionary::new().string("target", target.as_bytes());
    victim.ask(private(7), &query("get", &arguments, b"aa"))
}

/// Sends a put with a good token for this target; the error's code if it is refused.
pub fn put(victim: &mut Victim, target: Target, arguments: Dictionary) -> Option<i64> {
    let token = get(victim, target).value("token");
    let arguments = arguments.string("token", &token);
    victim.ask(private(7), &query("put", &arguments, b"aa")).code
}

/// The arguments of a put of an immutable value.
pub fn immutable(value: &[u8]) -> Dictionary {
    Dictionary::new().raw("v", value)
}

/// The arguments of a put that the signer signed, with the salt if it is not empty.
pub fn mutable(salt: &[u8], seq: i64, value: &[u8]) -> Dictionary {
    let seq = Seq::new(seq).expect("not negative");
    let item = Item::mutable(&signer(), salt, seq, value).expect("a sound item");
    let item = item.as_ref();
    let signed = item.signed().expect("a mutable item");
    let arguments = immutable(value)
        .string("k", signed.key.as_bytes())
        .string("sig", &signed.signature)
        .integer("seq", seq.get());
    if salt.is_empty() { arguments } else { arguments.string("salt", salt) }
}

fn put_immutable(victim: &mut Victim, value: &[u8]) -> Option<i64> {
    put(victim, immutable_target(value), immutable(value))
}

#[test]
fn a_value_of_996_raw_bytes_fits_and_one_bencoded_to_1001_does_not() {
    let mut victim = Victim::new();
    let fits = byte_string(&[b'v'; 996]);
    assert_eq!(fits.len(), 1000);
    assert_eq!(put_immutable(&mut victim, &fits), None);
    assert_eq!(get(&mut victim, immutable_target(&fits)).values["v"], fits);
    let large = byte_string(&[b'v'; 997]);
    assert_eq!(put_immutable(&mut victim, &large), Some(205));
    assert!(!get(&mut victim, immutable_target(&large)).has("v"));
    assert_eq!(put(&mut victim, name(b""), mutable(b"", 1, &fits)), None);
    let too_large = mutable(b"", 2, b"1:v").raw("v", &large);
    assert_eq!(put(&mut victim, name(b""), too_large), Some(205));
}

#[test]
fn values_of_every_type_are_taken_and_given_back_byte_for_byte() {
    let mut victim = Victim::new();
    for value in [
        &b"5:hello"[..],
        b"0:",
        b"i0e",
        b"i-7e",
        b"i123456789012345678901234567890e",
        b"le",
        b"li1el1:aee",
        b"de",
        b"d1:ai1e1:bd1:cleee",
    ] {
        assert_eq!(put_immutable(&mut victim, value), None);
        assert_eq!(get(&mut victim, immutable_target(value)).values["v"], value);
    }
    assert_eq!(put(&mut victim, name(b""), mutable(b"", 1, b"d1:ai1ee")), None);
    assert_eq!(get(&mut victim, name(b"")).values["v"], b"d1:ai1ee");
}

#[test]
fn a_value_that_is_not_canonical_is_refused() {
    let mut victim = Victim::new();
    for value in
        [&b"d1:bi1e1:ai1ee"[..], b"d1:ai1e1:ai2ee", b"i-0e", b"i007e", b"02:hi", b"l02:hie"]
    {
        assert_eq!(put_immutable(&mut victim, value), Some(203));
        assert!(!get(&mut victim, immutable_target(value)).has("v"));
        let signed = mutable(b"", 1, b"1:v").raw("v", value);
        assert_eq!(put(&mut victim, name(b""), signed), Some(203));
    }
    assert_eq!(victim.node.held_items(), (0, 0));
}

#[test]
fn bytes_behind_a_value_never_become_part_of_it() {
    let mut victim = Victim::new();
    // The value ends where bencode says; what follows breaks the arguments.
    for behind in [&b"2:hiX"[..], b"2:hi1", b"i1ee"] {
        let target = immutable_target(behind);
        let token = get(&mut victim, target).value("token");
        let arguments = immutable(behind).string("token", &token);
        let datagram = query("put", &arguments, b"aa");
        if let Some(answer) = victim.ask_raw(private(7), &datagram) {
            assert_eq!(Answer::read(&answer).code, Some(203));
        }
    }
    assert_eq!(victim.node.held_items(), (0, 0));
}

#[test]
fn the_same_version_with_the_same_value_is_taken_and_its_timer_reset() {
    let mut victim = Victim::new();
    let hour = Duration::from_secs(3600);
    assert_eq!(put(&mut victim, name(b""), mutable(b"", 5, b"1:v")), None);
    assert_eq!(put_immutable(&mut victim, b"2:im"), None);
    victim.pass(hour * 3 / 2);
    assert_eq!(put(&mut victim, name(b""), mutable(b"", 5, b"1:v")), None);
    assert_eq!(put_immutable(&mut victim, b"2:im"), None);
    victim.pass(hour * 3 / 2);
    assert!(get(&mut victim, name(b"")).has("v"), "three hours after the first put");
    assert!(get(&mut victim, immutable_target(b"2:im")).has("v"));
    victim.pass(hour);
    assert!(!get(&mut victim, name(b"")).has("v"), "two hours after the last");
    assert!(!get(&mut victim, immutable_target(b"2:im")).has("v"));
    victim.pass(Duration::from_secs(180));
    assert_eq!(victim.node.held_items(), (0, 0));
}

#[test]
fn the_same_version_with_another_value_is_refused_and_changes_nothing() {
    let mut victim = Victim::new();
    assert_eq!(put(&mut victim, name(b""), mutable(b"", 5, b"3:one")), None);
    assert_eq!(put(&mut victim, name(b""), mutable(b"", 5, b"3:two")), Some(302));
    assert_eq!(get(&mut victim, name(b"")).values["v"], b"3:one");
}

#[test]
fn a_lower_version_is_refused_and_a_higher_one_replaces() {
    let mut victim = Victim::new();
    assert_eq!(put(&mut victim, name(b""), mutable(b"", 5, b"3:one")), None);
    for seq in [0, 4] {
        assert_eq!(put(&mut victim, name(b""), mutable(b"", seq, b"3:two")), Some(302));
        assert_eq!(put(&mut victim, name(b""), mutable(b"", seq, b"3:one")), Some(302));
    }
    assert_eq!(put(&mut victim, name(b""), mutable(b"", 6, b"3:two")), None);
    let answer = get(&mut victim, name(b""));
    assert_eq!((&answer.values["v"][..], answer.number("seq")), (&b"3:two"[..], 6));
    assert_eq!(put(&mut victim, name(b""), mutable(b"", i64::MAX, b"3:end")), None);
}

#[test]
fn a_swap_of_another_version_is_a_mismatch_and_of_the_held_one_goes_through() {
    let mut victim = Victim::new();
    assert_eq!(put(&mut victim, name(b""), mutable(b"", 5, b"3:one")), None);
    for cas in [0, 4, 6, i64::MAX] {
        let swap = mutable(b"", 6, b"3:two").integer("cas", cas);
        assert_eq!(put(&mut victim, name(b""), swap), Some(301), "cas {cas}");
    }
    assert_eq!(get(&mut victim, name(b"")).values["v"], b"3:one");
    let swap = mutable(b"", 6, b"3:two").integer("cas", 5);
    assert_eq!(put(&mut victim, name(b""), swap), None);
}

#[test]
fn a_swap_that_is_repeated_because_its_answer_was_lost_is_no_mismatch() {
    let mut victim = Victim::new();
    assert_eq!(put(&mut victim, name(b""), mutable(b"", 5, b"3:one")), None);
    for _ in 0..2 {
        let swap = mutable(b"", 6, b"3:two").integer("cas", 5);
        assert_eq!(put(&mut victim, name(b""), swap), None);
    }
    let other = mutable(b"", 6, b"3:own").integer("cas", 5);
    assert_eq!(put(&mut victim, name(b""), other), Some(301));
}

#[test]
fn a_swap_where_nothing_is_stored_ignores_what_it_expects() {
    let mut victim = Victim::new();
    let swap = mutable(b"", 6, b"3:two").integer("cas", 5);
    assert_eq!(put(&mut victim, name(b""), swap), None);
    let immutable_swap = immutable(b"2:hi").integer("cas", 5);
    assert_eq!(put(&mut victim, immutable_target(b"2:hi"), immutable_swap), None);
}

#[test]
fn an_empty_salt_is_as_no_salt() {
    let mut victim = Victim::new();
    let with_empty = mutable(b"", 5, b"1:v").string("salt", b"");
    assert_eq!(put(&mut victim, name(b""), with_empty), None);
    assert!(get(&mut victim, name(b"")).has("v"));
}

#[test]
fn a_salt_of_64_bytes_is_taken_and_one_of_65_is_not() {
    let mut victim = Victim::new();
    assert_eq!(put(&mut victim, name(&[7; 64]), mutable(&[7; 64], 5, b"1:v")), None);
    assert!(get(&mut victim, name(&[7; 64])).has("v"));
    let long = mutable(&[7; 64], 5, b"1:v").string("salt", &[7; 65]);
    assert_eq!(put(&mut victim, name(&[7; 65]), long), Some(207));
    assert!(!get(&mut victim, name(&[7; 65])).has("v"));
}

#[test]
fn different_salts_name_different_items() {
    let mut victim = Victim::new();
    assert_eq!(put(&mut victim, name(b"a"), mutable(b"a", 5, b"1:a")), None);
    assert_eq!(put(&mut victim, name(b"b"), mutable(b"b", 4, b"1:b")), None);
    assert_eq!(get(&mut victim, name(b"a")).values["v"], b"1:a");
    assert_eq!(get(&mut victim, name(b"b")).values["v"], b"1:b");
    assert!(!get(&mut victim, name(b"")).has("v"));
    let answer = get(&mut victim, name(b"a"));
    assert!(!answer.has("salt"), "the asker remembers it");
}

#[test]
fn a_bad_signature_is_refused() {
    let mut victim = Victim::new();
    let other_value = mutable(b"", 5, b"1:v").raw("v", b"1:w");
    let other_seq = mutable(b"", 5, b"1:v").integer("seq", 6);
    let zeros = mutable(b"", 5, b"1:v").string("sig", &[0; 64]);
    let other_key = mutable(b"", 5, b"1:v").string("k", &[2; 32]);
    let no_point = mutable(b"", 5, b"1:v").string("k", &[0xff; 32]);
    for arguments in [other_value, other_seq, zeros] {
        assert_eq!(put(&mut victim, name(b""), arguments), Some(206));
    }
    for (key, arguments) in [([2; 32], other_key), ([0xff; 32], no_point)] {
        let target = mutable_target(&wire::PublicKey::new(key), b"");
        assert_eq!(put(&mut victim, target, arguments), Some(206));
    }
    let moved = mutable(b"a", 5, b"1:v").string("salt", b"b");
    assert_eq!(put(&mut victim, name(b"b"), moved), Some(206));
    assert_eq!(victim.node.held_items(), (0, 0));
}

#[test]
fn a_bad_token_is_refused_whatever_it_looks_like() {
    let mut victim = Victim::new();
    let good = get(&mut victim, immutable_target(b"2:hi")).value("token");
    let mut changed = good.clone();
    changed[0] ^= 1;
    let longer = [good.clone(), b"x".to_vec()].concat();
    for token in [&b""[..], b"x", &[0; 8], &[b'x'; 64], &changed, &good[..7], &longer] {
        let arguments = immutable(b"2:hi").string("token", token);
        assert_eq!(victim.ask(private(7), &query("put", &arguments, b"aa")).code, Some(203));
    }
    assert_eq!(victim.node.held_items(), (0, 0));
    let arguments = immutable(b"2:hi").string("token", &good);
    assert_eq!(victim.ask(private(7), &query("put", &arguments, b"aa")).code, None);
}

#[test]
fn an_asker_that_has_the_version_gets_no_key_value_or_signature() {
    let mut victim = Victim::new();
    assert_eq!(put(&mut victim, name(b""), mutable(b"", 5, b"1:v")), None);
    let ask = |victim: &mut Victim, seq: i64| {
        let arguments = Dictionary::new().string("target", name(b"").as_bytes());
        victim.ask(private(7), &query("get", &arguments.integer("seq", seq), b"aa"))
    };
    for seq in [5, 6, i64::MAX] {
        let answer = ask(&mut victim, seq);
        for field in ["k", "v", "sig"] {
            assert!(!answer.has(field), "`{field}` for an asker at {seq}");
        }
        assert_eq!(answer.number("seq"), 5);
        assert!(answer.has("token") && answer.has("nodes"));
    }
    for seq in [0, 4, -1, i64::MIN] {
        let answer = ask(&mut victim, seq);
        for field in ["k", "v", "sig", "seq", "token"] {
            assert!(answer.has(field), "`{field}` for an asker at {seq}");
        }
    }
}

#[test]
fn contacts_come_beside_a_value() {
    let mut victim = Victim::new();
    for host in 0..10 {
        victim.acquaint(id(host as u8 * 20, 3), private(host + 100));
    }
    assert_eq!(put_immutable(&mut victim, b"2:hi"), None);
    let answer = get(&mut victim, immutable_target(b"2:hi"));
    assert_eq!(answer.value("nodes").len(), 8 * 26);
    assert!(!answer.has("k") && !answer.has("sig") && !answer.has("seq"), "an immutable item");
}

#[test]
fn a_get_for_a_mutable_item_gives_all_that_verifies_it() {
    let mut victim = Victim::new();
    assert_eq!(put(&mut victim, name(b"s"), mutable(b"s", 5, b"1:v")), None);
    let answer = get(&mut victim, name(b"s"));
    let mut key = [0; 32];
    key.copy_from_slice(&answer.value("k"));
    let mut signature = [0; 64];
    signature.copy_from_slice(&answer.value("sig"));
    let signed = wire::item::Signed {
        key: wire::PublicKey::new(key),
        salt: b"s",
        seq: Seq::new(answer.number("seq")).expect("not negative"),
        signature,
    };
    let item = wire::Unverified { value: &answer.values["v"], signed: Some(signed) };
    assert_eq!(item.verify().map(|item| item.target()), Ok(name(b"s")));
}

#[test]
fn a_target_argument_of_a_put_is_neither_needed_nor_believed() {
    let mut victim = Victim::new();
    let target = immutable_target(b"2:hi");
    let wrong = immutable(b"2:hi").string("target", &[9; 20]);
    assert_eq!(put(&mut victim, target, wrong), None);
    assert!(get(&mut victim, target).has("v"));
    assert!(!get(&mut victim, Target::new([9; 20])).has("v"));
    // A token for the target that is claimed does not open the one that is written.
    let elsewhere = immutable(b"2:ho").string("target", target.as_bytes());
    assert_eq!(put(&mut victim, target, elsewhere), Some(203));
}

#[test]
fn a_full_shelf_says_so() {
    let limits = node::ShelfLimits {
        items: 2,
        bytes: 1 << 20,
        per_address_percent: 100,
        per_prefix_percent: 100,
    };
    let mut victim = Victim::with(node::Config { shelf: limits, ..node::Config::default() });
    assert_eq!(put_immutable(&mut victim, b"1:a"), None);
    assert_eq!(put_immutable(&mut victim, b"1:b"), None);
    assert_eq!(put_immutable(&mut victim, b"1:c"), Some(202));
    assert_eq!(put_immutable(&mut victim, b"1:a"), None, "what is there is renewed");
}

#[test]
fn one_address_fills_only_its_part_of_the_shelf() {
    let limits = node::ShelfLimits { items: 40, ..Default::default() };
    let mut victim = Victim::with(node::Config { shelf: limits, ..node::Config::default() });
    for number in 0..10 {
        assert_eq!(put_immutable(&mut victim, format!("i{number}e").as_bytes()), None);
    }
    assert_eq!(put_immutable(&mut victim, b"i10e"), Some(202));
    assert_eq!(put_immutable(&mut victim, b"i9e"), None, "what is there is renewed");
}
