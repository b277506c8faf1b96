//! Any bytes at all as a datagram: reading must neither panic nor loop, and what was read can be
//! written and is then read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::message::Speaker;
use wire::{
    Endpoint, ErrorMessage, Found, KnownKeys, Message, NodeId, Query, QueryMessage, Reply,
    ReplyKind, ReplyMessage, Target, TransactionId, Unverified, UnverifiedMember,
};

const TRANSACTION: TransactionId = TransactionId(0x6162_6364);

const KINDS: [ReplyKind; 7] = [
    ReplyKind::Ack,
    ReplyKind::Nodes,
    ReplyKind::Peers,
    ReplyKind::Item,
    ReplyKind::Samples,
    ReplyKind::Members,
    ReplyKind::Offered,
];

fuzz_target!(|datagram: &[u8]| {
    match Message::read(datagram) {
        Ok(Message::Query(message)) => query_again(&message),
        Ok(Message::Reply(message)) => KINDS.iter().for_each(|kind| reply_again(&message, *kind)),
        Ok(Message::Error(message)) => error_again(&message),
        Ok(Message::BadQuery { transaction }) => assert!((1..=32).contains(&transaction.len())),
        Err(_) => {}
    }
});

fn query_again(message: &QueryMessage<'_>) {
    assert!((1..=32).contains(&message.transaction.len()));
    let QueryMessage { id, network, read_only, query, .. } = *message;
    let mut buffer = vec![0; 2 * datagram_room(&query)];
    let speaker = Speaker { id, network, read_only };
    let length = speaker.write_query(TRANSACTION, &query, &mut buffer).expect("there is room");
    let Ok(Message::Query(again)) = Message::read(&buffer[..length]) else {
        panic!("a query is read as something else")
    };
    assert_eq!(again.transaction, TRANSACTION.0.to_be_bytes());
    assert_eq!((again.id, again.network, again.read_only), (id, network, read_only));
    assert_eq!(again.query, query);
    match query {
        Query::Put { item, .. } => verify(item),
        Query::Add { member, target, .. } => verify_member(member, &target),
        _ => {}
    }
}

fn datagram_room(query: &Query<'_>) -> usize {
    match query {
        Query::Put { item, token, .. } => {
            let salt = item.signed.map_or(0, |signed| signed.salt.len());
            1024 + item.value.len() + token.len() + salt
        }
        Query::Add { member, token, .. } => 1024 + member.saying.item.len() + token.len(),
        _ => 1024,
    }
}

fn reply_again(message: &ReplyMessage<'_>, kind: ReplyKind) {
    let Ok((id, reply)) = message.read_as(kind) else { return };
    let speaker = Speaker { id, network: message.network, read_only: false };
    let to = message.seen_at.unwrap_or(Endpoint::v4([127, 0, 0, 1], 1));
    let mut buffer = vec![0; 1 << 20];
    let transaction = TRANSACTION.0.to_be_bytes();
    let length = speaker.write_reply(&transaction, &to, &reply, &mut buffer);
    let length = length.expect("there is room");
    let Ok(Message::Reply(again)) = Message::read(&buffer[..length]) else {
        panic!("a reply is read as something else")
    };
    assert_eq!(again.transaction, TRANSACTION);
    assert_eq!((again.seen_at, again.network), (Some(to), message.network));
    assert_eq!(again.read_as(kind), Ok((id, reply)));
    walk(&reply);
}

/// Goes through all that a reply holds.
fn walk(reply: &Reply<'_>) {
    let nodes = match reply {
        Reply::Ack | Reply::Offered { .. } => return,
        Reply::Nodes(nodes) => nodes,
        Reply::Peers { nodes, values, filters, .. } => {
            assert!(values.iter().count() <= wire::limits::PEERS_PER_REPLY);
            if let Some((seeds, others)) = filters.and_then(wire::reply::blooms) {
                assert!(seeds.estimate() >= 0.0 && others.estimate() >= 0.0);
            }
            nodes
        }
        Reply::Item { nodes, found, token } => {
            assert!(token.is_none_or(|token| token.len() <= wire::limits::TOKEN_BYTES));
            if let Found::Item(item) = found {
                verify(*item);
            }
            nodes
        }
        Reply::Members { nodes, token, members, .. } => {
            assert!(token.is_none_or(|token| token.len() <= wire::limits::TOKEN_BYTES));
            let members = members.unwrap_or_default();
            assert!(members.iter().count() <= wire::limits::MEMBERS_PER_REPLY);
            members.iter().for_each(|member| verify_member(member, &Target::new([7; 20])));
            nodes
        }
        Reply::Samples { nodes, samples, .. } => {
            let samples = samples.map_or(0, |bytes| wire::reply::samples(bytes).count());
            assert!(samples <= wire::limits::SAMPLES_PER_REPLY);
            nodes
        }
    };
    for list in [nodes.v4, nodes.v6].iter().flatten() {
        assert!(list.iter().count() <= wire::limits::NODES_PER_LIST);
    }
}

/// What verifies does so again once it is owned.
fn verify(item: Unverified<'_>) {
    let Ok(verified) = item.verify() else { return };
    let owned = verified.to_item();
    assert_eq!(owned.as_ref(), verified);
    assert_eq!(owned.as_ref().as_unverified().verify(), Ok(verified));
}

/// What verifies does so again once it is owned.
fn verify_member(member: UnverifiedMember<'_>, target: &Target) {
    let Ok(verified) = member.verify(target, &mut KnownKeys::default()) else { return };
    let owned = verified.to_member();
    assert_eq!(owned.as_ref(), verified);
    assert_eq!(UnverifiedMember::decode(&owned.encode()), Ok(member));
}

fn error_again(message: &ErrorMessage<'_>) {
    let Ok(text) = std::str::from_utf8(message.text) else { return };
    let speaker = Speaker { id: NodeId::new([1; 20]), network: None, read_only: false };
    let to = message.seen_at.unwrap_or(Endpoint::v4([127, 0, 0, 1], 1));
    let mut buffer = [0; 1024];
    let transaction = TRANSACTION.0.to_be_bytes();
    let length = speaker.write_error(&transaction, &to, message.code, text, &mut buffer);
    let Ok(Message::Error(again)) = Message::read(&buffer[..length.expect("there is room")]) else {
        panic!("an error is read as something else")
    };
    assert_eq!((again.code, again.text), (message.code, message.text));
}
