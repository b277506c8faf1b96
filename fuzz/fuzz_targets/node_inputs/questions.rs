//! Sound queries of strangers, with the token that was given last.

use wire::item::{Signed, byte_string};
use wire::message::Speaker;
use wire::{
    Cursor, Endpoint, InfoHash, Item, Member, Message, NodeId, Point, Query, Reply, ReplyKind,
    Saying, Seq, Signer, Target, TransactionId, Unverified, Want,
};

use super::choices::Choices;
use super::life::Life;

/// Asks the store something.
pub fn ask(life: &mut Life, choices: &mut Choices<'_>) {
    let from = choices.endpoint();
    let network = life.kv.node().network().tag().filter(|_| choices.seldom(128));
    let id = NodeId::new(choices.id());
    let speaker = Speaker { id, network, read_only: choices.seldom(16) };
    let place = choices.id();
    let want = Want { v4: choices.seldom(128), v6: choices.seldom(128) };
    let value = byte_string(choices.bytes(1100));
    let item = signed(choices, &value);
    let token = life.token.clone();
    let set = Target::new(place);
    let member = member(choices, &set);
    let query = match choices.below(11) {
        0 => Query::Ping,
        1 => Query::FindNode { target: Point::new(place), want },
        2 => Query::GetPeers {
            info_hash: InfoHash::new(place),
            want,
            no_seed: choices.seldom(64),
            scrape: choices.seldom(128),
        },
        3 => Query::AnnouncePeer {
            info_hash: InfoHash::new(place),
            port: 1 + u16::from(choices.byte()),
            implied_port: choices.seldom(128),
            seed: choices.seldom(128),
            token: &token,
        },
        4 => Query::WaitingGet {
            target: target(&item, &value, place, choices),
            newer_than: choices.seldom(128).then(|| Seq::new(choices.number() as i64)).flatten(),
            token: &token,
            wait_s: 1 + choices.byte() % 30,
            want,
        },
        5 => Query::Get { target: target(&item, &value, place, choices), newer_than: None, want },
        6 => Query::SampleInfohashes { target: Point::new(place), want },
        7 => Query::Put {
            item: unverified(&item, &value),
            cas: choices.seldom(64).then(|| Seq::new(choices.number() as i64)).flatten(),
            lease: choices.seldom(64).then(|| choices.number() as i64),
            token: &token,
            target: None,
        },
        8 => Query::Add { member: member.as_ref().as_unverified(), token: &token, target: set },
        9 => {
            let after = choices.seldom(128).then(|| Cursor::new(choices.id()));
            Query::Members { target: set, after, want }
        }
        _ => Query::Unknown,
    };
    let mut buffer = [0; 4096];
    if let Some(length) = speaker.write_query(TransactionId(7), &query, &mut buffer) {
        learn_token(life, from, &buffer[..length]);
    }
}

/// A member of one of two writers.
pub fn member(choices: &mut Choices<'_>, target: &Target) -> Member {
    let signer = Signer::from_seed(&[choices.byte() & 1; 32]);
    let expires_ms = 1_800_000_000_000 + u64::from(choices.byte());
    let saying = Saying {
        item: &[choices.byte() & 3],
        seq: Seq::new(1_700_000_000_000_000 + i64::from(choices.byte())).unwrap_or_default(),
        expires_ms,
        remembered_ms: expires_ms + u64::from(choices.byte()),
        removed: choices.seldom(64),
    };
    Member::sign(&signer, target, saying).expect("a short item and sound times")
}

/// An item of one of two signers.
fn signed(choices: &mut Choices<'_>, value: &[u8]) -> Option<Item> {
    if choices.seldom(100) {
        return None;
    }
    let signer = Signer::from_seed(&[choices.byte() & 1; 32]);
    let seq = Seq::new(i64::from(choices.byte()))?;
    Item::mutable(&signer, choices.bytes(9), seq, value).ok()
}

fn target(item: &Option<Item>, value: &[u8], place: [u8; 20], choices: &mut Choices<'_>) -> Target {
    match (item, choices.below(4)) {
        (_, 0) => Target::new(place),
        (Some(item), _) => item.target(),
        (None, _) => wire::item::immutable_target(value),
    }
}

fn unverified<'i>(item: &'i Option<Item>, value: &'i [u8]) -> Unverified<'i> {
    let signed: Option<Signed<'i>> = item.as_ref().and_then(|item| item.as_ref().signed().copied());
    Unverified { value, signed }
}

/// Asks, and remembers the token of the answer.
fn learn_token(life: &mut Life, from: Endpoint, datagram: &[u8]) {
    life.hear(from, datagram);
    for answer in core::mem::take(&mut life.answers) {
        let Ok(Message::Reply(reply)) = Message::read(&answer) else { continue };
        let token = match reply.read_as(ReplyKind::Item) {
            Ok((_, Reply::Item { token: Some(token), .. })) => token,
            _ => continue,
        };
        life.token = token.to_vec();
    }
}
