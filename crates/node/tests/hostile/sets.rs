//! Sets of members: what strangers may add, what is refused and by which code, and how long a page is.

use std::time::Duration;

use node::{Change, Changes, Config, Method, Restorable};
use wire::limits::{PLAIN_REPLY_BYTES, VALUE_REPLY_BYTES};
use wire::{Member, Saying, Seq, Signer, Target, UnverifiedMember};

use super::bencoded::{Answer, Dictionary, query};
use super::victim::{Victim, id, own_tag, private, private_v6, with_tag};

const WEEK_MS: u64 = 7 * 24 * 3_600_000;

fn target() -> Target {
    Target::new([5; 20])
}

fn saying<'i>(victim: &Victim, item: &'i [u8]) -> Saying<'i> {
    let wall_ms = victim.now.wall.0;
    let expires_ms = wall_ms + WEEK_MS;
    let seq = Seq::new((wall_ms * 1000) as i64).expect("not negative");
    Saying { item, seq, expires_ms, remembered_ms: expires_ms, removed: false }
}

fn signed(writer: u8, saying: Saying<'_>) -> Vec<u8> {
    let signer = Signer::from_seed(&[writer; 32]);
    Member::sign(&signer, &target(), saying).expect("a sound member").encode()
}

/// Asks for members.
fn members(victim: &mut Victim, arguments: Dictionary) -> Answer {
    let arguments = arguments.string("target", target().as_bytes());
    victim.ask(private(7), &query("members", &arguments, b"aa"))
}

/// Adds a member with a good token; the error's code if it is refused.
fn add(victim: &mut Victim, member: &[u8]) -> Option<i64> {
    let token = members(victim, Dictionary::new()).value("token");
    add_with(victim, member, &token)
}

fn add_with(victim: &mut Victim, member: &[u8], token: &[u8]) -> Option<i64> {
    let arguments = Dictionary::new()
        .string("target", target().as_bytes())
        .string("token", token)
        .raw("m", member);
    victim.ask(private(7), &query("add", &arguments, b"aa")).code
}

#[test]
fn a_member_is_given_back_as_it_came() {
    let mut victim = Victim::new();
    let empty = members(&mut victim, Dictionary::new());
    assert_eq!((&empty.values["members"][..], empty.number("num")), (&b"le"[..], 0));
    assert!(!empty.has("more"));
    let member = signed(1, saying(&victim, b"ada"));
    assert_eq!(add(&mut victim, &member), None);
    let full = members(&mut victim, Dictionary::new());
    assert_eq!(full.values["members"], [b"l", &member[..], b"e"].concat());
    assert_eq!(full.number("num"), 1);
    let cursor = UnverifiedMember::decode(&member).expect("sound");
    let cursor = wire::Cursor::of(&cursor.writer, b"ada");
    let behind = members(&mut victim, Dictionary::new().string("after", cursor.as_bytes()));
    assert_eq!(behind.values["members"], b"le");
    let answered =
        [Method::Add, Method::Members].map(|method| victim.counters().answered_to(method));
    assert_eq!(answered, [1, 4], "they are counted apart");
    victim.pass(Duration::from_millis(WEEK_MS) + Duration::from_secs(120));
    assert_eq!(members(&mut victim, Dictionary::new()).number("num"), 0);
    assert_eq!(victim.node.held_members(), (0, 0));
}

#[test]
fn without_a_good_token_nothing_is_added() {
    let mut victim = Victim::new();
    let member = signed(1, saying(&victim, b"ada"));
    assert_eq!(add_with(&mut victim, &member, b"12345678"), Some(203));
    assert_eq!(add_with(&mut victim, &member, b""), Some(203));
    let elsewhere = Dictionary::new().string("target", &[6; 20]);
    let token = victim.ask(private(7), &query("members", &elsewhere, b"aa")).value("token");
    assert_eq!(add_with(&mut victim, &member, &token), Some(203), "a token for another set");
    // A token of `get` is as good: it is bound to address and target alone.
    let here = Dictionary::new().string("target", target().as_bytes());
    let token = victim.ask(private(7), &query("get", &here, b"aa")).value("token");
    assert_eq!(add_with(&mut victim, &member, &token), None);
}

#[test]
fn what_is_not_signed_for_this_set_is_refused() {
    let mut victim = Victim::new();
    let sound = saying(&victim, b"ada");
    let elsewhere = Member::sign(&Signer::from_seed(&[1; 32]), &Target::new([6; 20]), sound);
    assert_eq!(add(&mut victim, &elsewhere.expect("sound").encode()), Some(206));
    let mut forged = signed(1, sound);
    let place = forged.windows(3).position(|bytes| bytes == b"ada").expect("the item");
    forged[place] ^= 1;
    assert_eq!(add(&mut victim, &forged), Some(206));
    let long = [b'x'; 600];
    let text = |length: usize| {
        let mut member = b"d1:ei9000000000000e1:i".to_vec();
        member.extend(super::bencoded::string(&long[..length]));
        member.extend(b"1:k32:");
        member.extend([1; 32]);
        member.extend(b"1:s64:");
        member.extend([2; 64]);
        member.extend(b"1:vi1ee");
        member
    };
    assert_eq!(add(&mut victim, &text(512)), Some(206));
    assert_eq!(add(&mut victim, &text(513)), Some(205));
    assert_eq!(victim.node.held_members(), (0, 0));
}

#[test]
fn versions_and_times_are_judged_by_the_holder() {
    let mut victim = Victim::new();
    let sound = saying(&victim, b"ada");
    let ahead = Seq::new(sound.seq.get() + 3_700_000_000).expect("not negative");
    assert_eq!(add(&mut victim, &signed(1, Saying { seq: ahead, ..sound })), Some(203));
    let past = victim.now.wall.0;
    let expired = Saying { expires_ms: past, remembered_ms: past, ..sound };
    assert_eq!(add(&mut victim, &signed(1, expired)), Some(203));
    let long = Saying { remembered_ms: past + 60 * WEEK_MS, ..sound };
    assert_eq!(add(&mut victim, &signed(1, long)), Some(203));
    assert_eq!(add(&mut victim, &signed(1, sound)), None);
    let older = Saying { seq: Seq::new(sound.seq.get() - 1).expect("not negative"), ..sound };
    assert_eq!(add(&mut victim, &signed(1, older)), Some(302));
    let removed = Saying { removed: true, ..sound };
    assert_eq!(add(&mut victim, &signed(1, removed)), Some(302), "another under one version");
    assert_eq!(add(&mut victim, &signed(2, removed)), None, "another writer's is another");
}

#[test]
fn arguments_of_the_wrong_form_are_answered_as_malformed() {
    let mut victim = Victim::new();
    let member = signed(1, saying(&victim, b"ada"));
    for member in [&b"de"[..], b"le", b"3:ada", b"i5e", &[&b"d0:0:"[..], &member[1..]].concat()] {
        assert_eq!(add(&mut victim, member), Some(203));
    }
    let sound = Dictionary::new()
        .string("target", target().as_bytes())
        .string("token", b"12345678")
        .raw("m", &member);
    for missing in ["m", "target", "token"] {
        let answer = victim.ask(private(7), &query("add", &sound.clone().without(missing), b"aa"));
        assert_eq!(answer.code, Some(203), "without {missing}");
    }
    for after in [&b"19:1234567890123456789"[..], b"i5e", b"le"] {
        let asked = members(&mut victim, Dictionary::new().raw("after", after));
        assert_eq!(asked.code, Some(203));
    }
    // Other methods have no such arguments, and other programs may mean something else by them.
    let other = Dictionary::new().raw("after", b"i5e").raw("m", b"le");
    let answer = victim.ask(private(7), &query("ping", &other, b"aa"));
    assert_eq!(answer.code, None);
}

#[test]
fn a_page_is_full_and_no_longer_than_a_reply_with_a_value() {
    let mut victim = Victim::new();
    for host in 0..60_u16 {
        let [high, low] = (host * 541).to_be_bytes();
        victim.acquaint(id(high, low), private(host));
        victim.acquaint(id(high, low), private_v6(host));
    }
    let long = [&b"x"[..], &[b'y'; 511]].concat();
    for (number, length) in [1, 2, 3, 100, 200, 300, 400, 500, 512, 512, 511].iter().enumerate() {
        let mut item = long[..*length].to_vec();
        item[0] = number as u8;
        let member = signed(1, saying(&victim, &item));
        assert_eq!(add(&mut victim, &member), None);
    }
    let mut after: Option<Vec<u8>> = None;
    let (mut found, mut pages) = (0, 0);
    loop {
        let mut arguments =
            Dictionary::new().string("target", target().as_bytes()).raw("want", b"l2:n42:n6e");
        if let Some(after) = &after {
            arguments = arguments.string("after", after);
        }
        let from = if pages % 2 == 0 { private(60_000) } else { private_v6(60_000) };
        let datagram = with_tag(&query("members", &arguments, &[b't'; 32]), &own_tag());
        let answer = victim.ask_raw(from, &datagram).expect("an answer");
        assert!(answer.len() <= VALUE_REPLY_BYTES, "{} bytes", answer.len());
        let answer = Answer::read(&answer);
        assert!(!answer.value("nodes").is_empty() || answer.values["members"].len() > 900);
        let list = answer.values["members"].clone();
        let mut reader = wire::bencode::Reader::new(&list[1..list.len() - 1]);
        while let Ok(member) = reader.raw() {
            let member = UnverifiedMember::decode(member).expect("a sound member");
            let cursor = wire::Cursor::of(&member.writer, member.saying.item);
            assert!(after.as_deref() < Some(&cursor.as_bytes()[..]), "in order");
            after = Some(cursor.as_bytes().to_vec());
            found += 1;
        }
        pages += 1;
        if !answer.has("more") {
            break;
        }
        assert!(list.len() > 1000 - wire::limits::MEMBER_BYTES, "no page ends early");
    }
    assert_eq!(found, 11);
    assert!((4..=9).contains(&pages), "{pages} pages");
}

#[test]
fn an_empty_set_is_answered_within_the_bound_of_other_replies() {
    let mut victim = Victim::new();
    for host in 0..60_u16 {
        let [high, low] = (host * 541).to_be_bytes();
        victim.acquaint(id(high, low), private(host));
        victim.acquaint(id(high, low), private_v6(host));
    }
    let arguments =
        Dictionary::new().string("target", target().as_bytes()).raw("want", b"l2:n42:n6e");
    let datagram = with_tag(&query("members", &arguments, &[b't'; 32]), &own_tag());
    let answer = victim.ask_raw(private_v6(60_000), &datagram).expect("an answer");
    assert!(answer.len() <= PLAIN_REPLY_BYTES, "{} bytes", answer.len());
    assert_eq!(Answer::read(&answer).value("nodes").len(), 8 * 26);
}

#[test]
fn a_member_is_acknowledged_when_it_is_durable_and_comes_back_after_a_restart() {
    let durable = || Victim::with(Config { durable: true, ..Config::default() });
    let mut victim = durable();
    let member = signed(1, saying(&victim, b"ada"));
    let token = members(&mut victim, Dictionary::new()).value("token");
    let arguments = Dictionary::new()
        .string("target", target().as_bytes())
        .string("token", &token)
        .raw("m", &member);
    assert!(victim.hear(private(7), &query("add", &arguments, b"aa")).is_empty());
    let mut changes = Changes::default();
    let batch = victim.node.changes().take(&mut changes);
    assert_eq!(victim.stored(batch).len(), 1);

    let mut again = durable();
    for change in changes.iter() {
        let Change::Put { key, value } = change else { panic!("nothing was removed") };
        let kept = || Restorable::read(key, value).unwrap();
        assert!(again.node.restore(again.now, kept()));
        assert!(!again.node.restore(again.now, kept()), "it is there");
        assert_eq!(Restorable::read(&key[..30], value), None, "a key cut short");
        assert_eq!(Restorable::read(key, &value[..30]), None, "a value cut short");
    }
    let told = members(&mut again, Dictionary::new());
    assert_eq!(told.values["members"], [b"l", &member[..], b"e"].concat());
    again.pass(Duration::from_millis(WEEK_MS) + Duration::from_secs(180));
    again.node.changes().take(&mut changes);
    let removed = changes.iter().filter(|change| matches!(change, Change::Remove { .. }));
    assert_eq!(removed.count(), 1, "what ends leaves the disk");
}
