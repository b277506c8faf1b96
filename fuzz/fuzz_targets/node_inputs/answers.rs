//! Answers to what the store asked: mostly of the right form, with contents true and false.

use kv::Namespace;
use wire::item::{Signed, byte_string};
use wire::member::MembersBuffer;
use wire::message::Speaker;
use wire::{
    CompactNodes, CompactPeers, Endpoint, Family, Found, Item, Message, NetworkTag, NodeId,
    NodeLists, Query, Reply, Seq, Unverified,
};

use super::choices::Choices;
use super::life::{Asked, Life};

/// Answers one of the queries that wait.
pub fn answer(life: &mut Life, choices: &mut Choices<'_>) {
    if life.asked.is_empty() {
        return;
    }
    let place = choices.below(life.asked.len());
    // Some are answered twice.
    let asked = match choices.seldom(16) {
        true => life.asked[place].clone(),
        false => life.asked.swap_remove(place),
    };
    let from = if choices.seldom(8) { choices.endpoint() } else { asked.to };
    let mut buffer = [0; 4096];
    let speaker = speaker(life, choices);
    let to = choices.endpoint();
    let length = match choices.seldom(40) {
        true => {
            let code = [201, 202, 203, 204, 205, 206, 207, 301, 302][choices.below(9)];
            speaker.write_error(&asked.transaction, &to, code, "no", &mut buffer)
        }
        false => write_reply(&speaker, &asked, &to, choices, &mut buffer),
    };
    if let Some(length) = length {
        life.hear(from, &buffer[..length]);
    }
}

/// Whoever answers: one of few ids, with our tag, another or none.
fn speaker(life: &Life, choices: &mut Choices<'_>) -> Speaker {
    let id = match choices.seldom(4) {
        true => life.kv.node().id(),
        false => NodeId::new(choices.id()),
    };
    let network = match choices.below(4) {
        0 => None,
        1 => Some(NetworkTag(*b"else")),
        _ => life.kv.node().network().tag(),
    };
    Speaker { id, network, read_only: false }
}

fn write_reply(
    speaker: &Speaker,
    asked: &Asked,
    to: &Endpoint,
    choices: &mut Choices<'_>,
    buffer: &mut [u8],
) -> Option<usize> {
    let (four, six) = (contacts(choices, Family::V4), contacts(choices, Family::V6));
    let nodes = NodeLists {
        v4: CompactNodes::read(&four, Family::V4).filter(|_| !choices.seldom(64)),
        v6: CompactNodes::read(&six, Family::V6).filter(|_| choices.seldom(64)),
    };
    let token: Option<&[u8]> = if choices.seldom(32) { None } else { Some(b"a token") };
    let item = held(asked, choices);
    let peers = choices.bytes(200);
    let filter = [choices.byte(); 256];
    let mut page = MembersBuffer::default();
    let Ok(Message::Query(question)) = Message::read(&asked.datagram) else { return None };
    let reply = match question.query {
        Query::FindNode { .. } => Reply::Nodes(nodes),
        Query::GetPeers { scrape, .. } => {
            let filters = scrape.then_some((&filter, &filter));
            Reply::Peers { nodes, token, values: CompactPeers::new(b"6:abcdef"), filters }
        }
        Query::Get { .. } | Query::WaitingGet { .. } => {
            Reply::Item { nodes, token, found: found(item.as_ref(), choices) }
        }
        Query::SampleInfohashes { .. } => {
            let samples = peers.get(..peers.len() / 20 * 20);
            Reply::Samples { nodes, interval_s: choices.number() as i64, num: -1, samples }
        }
        Query::Members { target, .. } => {
            for _ in 0..choices.below(4) {
                page.push(super::questions::member(choices, &target).as_ref());
            }
            let members = (!choices.seldom(32)).then(|| page.as_list());
            Reply::Members { nodes, token, members, more: choices.seldom(128), num: -1 }
        }
        _ => Reply::Ack,
    };
    speaker.write_reply(&asked.transaction, to, &reply, buffer)
}

fn contacts(choices: &mut Choices<'_>, family: Family) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..choices.below(10) {
        let (id, endpoint) = (choices.id(), choices.endpoint());
        if endpoint.family() == family {
            bytes.extend(id);
            bytes.extend(endpoint.ip_bytes());
            bytes.extend(endpoint.port().to_be_bytes());
        }
    }
    bytes
}

/// An item that somebody may hold under the target asked for, if it is one of the keys in use.
fn held(asked: &Asked, choices: &mut Choices<'_>) -> Option<Item> {
    let Ok(Message::Query(question)) = Message::read(&asked.datagram) else { return None };
    let (Query::Get { target, .. } | Query::WaitingGet { target, .. }) = question.query else {
        return None;
    };
    let namespace = Namespace::default();
    let signer = namespace.signer().ok()?;
    let value = match choices.below(4) {
        0 => byte_string(choices.bytes(300)),
        1 => byte_string(b"\xd8XR\x01d1:ei1800000000000e1:ti1ee"),
        _ => byte_string(b"\xd8XR\x01d1:d2:hi1:ei1800000000000ee"),
    };
    let seq = match choices.below(4) {
        0 => choices.number() as i64,
        _ => 1_700_000_000_000_000 + i64::from(choices.byte()),
    };
    let seq = Seq::new(seq)?;
    let salts: [&[u8]; 2] = [b"a", b"b"];
    salts.into_iter().find_map(|salt| {
        let named = wire::item::mutable_target(&signer.public_key(), salt) == target;
        named.then(|| Item::mutable(signer, salt, seq, &value).ok()).flatten()
    })
}

fn found<'i>(item: Option<&'i Item>, choices: &mut Choices<'_>) -> Found<'i> {
    match (item, choices.below(8)) {
        (_, 0) => Found::Version(Seq::new(choices.number() as i64).unwrap_or_default()),
        (_, 1) => Found::Item(Unverified { value: b"5:wrong", signed: None }),
        (Some(item), 2) => {
            let item = item.as_ref().as_unverified();
            let signed = item.signed.map(|signed| Signed { signature: [9; 64], ..signed });
            Found::Item(Unverified { signed, ..item })
        }
        (Some(item), 3..) => Found::Item(item.as_ref().as_unverified()),
        _ => Found::Nothing,
    }
}
