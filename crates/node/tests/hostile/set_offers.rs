//! Offers of sets and members: what strangers hear of them, and that only what is sound gets in.

use std::time::Duration;

use node::{Config, Method, Network};
use wire::limits::PLAIN_REPLY_BYTES;
use wire::member::offer::{MemberOffer, MemberOffers, Part, SetDigest, SetOffer, SetOffers};
use wire::{Member, Saying, Seq, Signer, Target};

use super::bencoded::{Answer, Dictionary, query, reply_of};
use super::victim::{Victim, global, id, private, with_entry};

fn target(number: u8) -> Target {
    Target::new([number; 20])
}

fn member(victim: &Victim, target: Target, item: &[u8]) -> Member {
    let wall_ms = victim.now.wall.0;
    let (seq, end) =
        (Seq::new((wall_ms * 1000) as i64).expect("not negative"), wall_ms + 86_400_000);
    let saying = Saying { item, seq, expires_ms: end, remembered_ms: end, removed: false };
    Member::sign(&Signer::from_seed(&[1; 32]), &target, saying).expect("a sound member")
}

fn offer(member: &Member) -> MemberOffer {
    MemberOffer { cursor: member.cursor(), seq: member.saying().seq }
}

fn whole(target: Target, members: &[&Member]) -> SetOffer {
    let mut offers: Vec<MemberOffer> = members.iter().map(|member| offer(member)).collect();
    offers.sort_by_key(|offer| offer.cursor);
    SetOffer { target, part: Part::WHOLE, digest: SetDigest::of(offers.into_iter()) }
}

fn offer_sets(victim: &mut Victim, sets: &[SetOffer]) -> Answer {
    let arguments = Dictionary::new().string("sets", &SetOffers::encode(sets));
    victim.ask(private(7), &query("offer_sets", &arguments, b"aa"))
}

fn offer_members(victim: &mut Victim, target: Target, members: &[MemberOffer]) -> Answer {
    let arguments = Dictionary::new()
        .string("target", target.as_bytes())
        .string("versions", &MemberOffers::encode(members));
    victim.ask(private(7), &query("offer_members", &arguments, b"aa"))
}

fn add(victim: &mut Victim, target: Target, member: &[u8], token: &[u8]) -> Option<i64> {
    let arguments = Dictionary::new()
        .string("target", target.as_bytes())
        .string("token", token)
        .raw("m", member);
    victim.ask(private(7), &query("add", &arguments, b"aa")).code
}

#[test]
fn a_holder_tells_what_it_lacks_and_takes_it_under_the_token_of_its_answer() {
    let mut victim = Victim::new();
    let (ada, bob) = (member(&victim, target(1), b"ada"), member(&victim, target(1), b"bob"));
    let other = member(&victim, target(2), b"ada");
    let (first, second) = (whole(target(1), &[&ada, &bob]), whole(target(2), &[&other]));
    let told = offer_sets(&mut victim, &[first, second]);
    assert_eq!(told.value("wanted"), [0b1100_0000, 0, 0, 0]);
    assert_eq!(told.value("newer"), [0; 4]);
    let token = told.value("token");
    assert_eq!(add(&mut victim, target(1), &ada.encode(), &token), None);
    assert_eq!(add(&mut victim, target(2), &other.encode(), &token), None, "one token for all");
    assert_eq!(offer_sets(&mut victim, &[first, second]).value("wanted"), [0b1000_0000, 0, 0, 0]);
    let older = MemberOffer { seq: Seq::new(1).expect("not negative"), ..offer(&ada) };
    let told = offer_members(&mut victim, target(1), &[older, offer(&ada), offer(&bob)]);
    assert_eq!(told.value("newer"), [0b1000_0000, 0, 0, 0]);
    assert_eq!(told.value("wanted"), [0b0010_0000, 0, 0, 0]);
    let token = told.value("token");
    assert_eq!(add(&mut victim, target(1), &bob.encode(), &token), None);
    assert_eq!(offer_sets(&mut victim, &[first, second]).value("wanted"), [0; 4]);
    let answered = [Method::OfferSets, Method::OfferMembers]
        .map(|method| victim.counters().answered_to(method));
    assert_eq!(answered, [3, 1], "counted apart");
}

#[test]
fn a_member_that_does_not_verify_is_refused_and_counted_whoever_hands_it_over() {
    let mut victim = Victim::new();
    let ada = member(&victim, target(1), b"ada");
    let token = offer_sets(&mut victim, &[whole(target(1), &[&ada])]).value("token");
    let mut forged = ada.encode();
    let place = forged.windows(3).position(|bytes| bytes == b"ada").expect("the item");
    forged[place] ^= 1;
    let refused = victim.counters().refused;
    assert_eq!(add(&mut victim, target(1), &forged, &token), Some(206));
    assert_eq!(add(&mut victim, target(2), &ada.encode(), &token), Some(206), "another set's");
    assert_eq!(victim.counters().refused, refused + 2);
    assert_eq!(victim.node.held_members(), (0, 0));
    victim.pass(Duration::from_secs(700));
    assert_eq!(add(&mut victim, target(1), &ada.encode(), &token), Some(203), "an old token");
}

#[test]
fn parts_are_compared_each_for_itself() {
    let mut victim = Victim::new();
    let all: Vec<Member> = (0..90_u8).map(|number| member(&victim, target(1), &[number])).collect();
    let token = offer_sets(&mut victim, &[whole(target(1), &[])]).value("token");
    for member in &all[1..] {
        assert_eq!(add(&mut victim, target(1), &member.encode(), &token), None);
    }
    let mut offers: Vec<MemberOffer> = all.iter().map(offer).collect();
    offers.sort_by_key(|offer| offer.cursor);
    let differing: Vec<Part> = Part::all()
        .filter(|part| {
            let within = offers.iter().filter(|offer| Part::of(&offer.cursor) == *part);
            let digest = SetDigest::of(within.copied());
            let offer = SetOffer { target: target(1), part: *part, digest };
            offer_sets(&mut victim, &[offer]).value("wanted") != [0; 4]
        })
        .collect();
    assert_eq!(differing, [Part::of(&all[0].cursor())], "the one that lacks a member");
}

#[test]
fn offers_of_the_wrong_form_are_answered_as_malformed_and_none_is_answered_at_length() {
    let mut victim = Victim::new();
    let many = [0; 32 * 27];
    for sets in [&b""[..], &[0; 31], &[0xff; 32], &many] {
        let arguments = Dictionary::new().string("sets", sets);
        let answer = victim.ask(private(7), &query("offer_sets", &arguments, b"aa"));
        assert_eq!(answer.code, Some(203), "{} bytes", sets.len());
    }
    let sound = Dictionary::new().string("target", &[1; 20]).string("versions", &[0; 28]);
    for (what, arguments) in [
        ("no target", sound.clone().without("target")),
        ("no versions", sound.clone().without("versions")),
        ("negative", sound.clone().without("versions").string("versions", &[0xff; 28])),
        ("31 of them", sound.clone().without("versions").string("versions", &[0; 28 * 31])),
        ("a number", sound.clone().without("versions").integer("versions", 5)),
    ] {
        let answer = victim.ask(private(7), &query("offer_members", &arguments, b"aa"));
        assert_eq!(answer.code, Some(203), "{what}");
    }
    // Other programs may mean something else by these names.
    let other = Dictionary::new().integer("sets", 5).raw("versions", b"le");
    assert_eq!(victim.ask(private(7), &query("ping", &other, b"aa")).code, None);
    let most = Dictionary::new().string("sets", &[0; 32 * 26]);
    let answer = victim.ask_raw(private(7), &query("offer_sets", &most, &[b't'; 32]));
    assert!(answer.expect("an answer").len() < PLAIN_REPLY_BYTES / 4);
}

#[test]
fn in_mainline_only_who_says_that_it_is_xorbit_is_offered_anything() {
    let mut victim = Victim::with(Config { network: Network::Public, ..Config::default() });
    for (number, version) in [&b"LT\x02\x00"[..], b"Xo\x00\x01", b"Xo\x00\x01"].iter().enumerate() {
        let (contact, at) = (id(0x40 + number as u8, 0), global(300 * (1 + number as u16)));
        victim.command(node::Command::Ping(at));
        for (transaction, _) in victim.queries_to(at) {
            let reply = reply_of(&contact, &Dictionary::new(), &transaction);
            victim.hear(at, &with_entry(&reply, "v", version));
        }
        assert!(victim.knows(contact));
    }
    let (holders, _) = victim.node.holders(&Target::new([0x40; 20]), 8, false);
    let may: Vec<bool> = holders.iter().map(|holder| holder.is_xorbit).collect();
    assert_eq!(may, [false, true, true]);
}
