//! Messages go onto the wire and come back as they were, and the examples of BEP 5 are read.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use wire::item::Signed;
use wire::limits::OFFERS_PER_QUERY;
use wire::member::MembersBuffer;
use wire::member::offer::{MemberOffers, SetOffers};
use wire::message::Speaker;
use wire::offer::{Bits, Offers};
use wire::{
    CompactNodes, Cursor, Family, Member, MemberList, PublicKey, Saying, Signer, UnverifiedMember,
};
use wire::{
    CompactPeers, Endpoint, Found, InfoHash, Message, NetworkTag, NodeId, NodeLists, Point, Query,
    Reply, ReplyKind, Seq, Target, TransactionId, Unverified, Want,
};

fn speaker(network: Option<[u8; 4]>, read_only: bool) -> Speaker {
    Speaker { id: NodeId::new([b'i'; 20]), network: network.map(NetworkTag), read_only }
}

fn want() -> impl Strategy<Value = Want> {
    any::<(bool, bool)>().prop_map(|(v4, v6)| Want { v4, v6 })
}

fn signed() -> impl Strategy<Value = Signed<'static>> {
    (any::<[u8; 32]>(), 0..i64::MAX, proptest::collection::vec(any::<u8>(), 64)).prop_map(
        |(key, seq, signature)| Signed {
            key: PublicKey::new(key),
            salt: b"salt",
            seq: Seq::new(seq).unwrap(),
            signature: signature.try_into().unwrap(),
        },
    )
}

fn query() -> impl Strategy<Value = Query<'static>> {
    let id = any::<[u8; 20]>();
    let seq = proptest::option::of((0..i64::MAX).prop_map(|n| Seq::new(n).unwrap()));
    prop_oneof![
        Just(Query::Ping),
        (id, want()).prop_map(|(id, want)| Query::FindNode { target: Point::new(id), want }),
        (id, want(), any::<bool>(), any::<bool>()).prop_map(|(id, want, no_seed, scrape)| {
            Query::GetPeers { info_hash: InfoHash::new(id), want, no_seed, scrape }
        }),
        (id, 1..u16::MAX, any::<bool>(), any::<bool>()).prop_map(
            |(id, port, implied_port, seed)| {
                Query::AnnouncePeer {
                    info_hash: InfoHash::new(id),
                    port,
                    implied_port,
                    seed,
                    token: b"token",
                }
            }
        ),
        (id, seq.clone(), want()).prop_map(|(id, newer_than, want)| Query::Get {
            target: Target::new(id),
            newer_than,
            want
        }),
        (id, seq.clone(), 1..=30_u8, want()).prop_map(|(id, newer_than, wait_s, want)| {
            let target = Target::new(id);
            Query::WaitingGet { target, newer_than, token: b"abcdefgh", wait_s, want }
        }),
        (id, seq, proptest::option::of(signed()), any::<Option<i64>>()).prop_map(
            |(id, cas, signed, lease)| Query::Put {
                item: Unverified { value: b"d1:ai1ee", signed },
                cas,
                lease,
                token: b"abcdefgh",
                target: Some(Target::new(id)),
            }
        ),
        (id, want())
            .prop_map(|(id, want)| Query::SampleInfohashes { target: Point::new(id), want }),
        (1..=OFFERS_PER_QUERY).prop_map(|count| Query::Offer {
            offers: Offers::read(&OFFERS[..28 * count]).unwrap()
        }),
        (1..=26_usize).prop_map(|count| Query::OfferSets {
            sets: SetOffers::read(&OFFERS[..32 * count]).unwrap()
        }),
        (id, 1..=OFFERS_PER_QUERY).prop_map(|(id, count)| Query::OfferMembers {
            target: Target::new(id),
            members: MemberOffers::read(&OFFERS[..28 * count]).unwrap(),
        }),
        (id, member()).prop_map(|(id, member)| Query::Add {
            member,
            token: b"abcdefgh",
            target: Target::new(id),
        }),
        (id, proptest::option::of(any::<[u8; 20]>()), want()).prop_map(|(id, after, want)| {
            Query::Members { target: Target::new(id), after: after.map(Cursor::new), want }
        }),
    ]
}

const OFFERS: [u8; 32 * OFFERS_PER_QUERY] = [3; 32 * OFFERS_PER_QUERY];

fn member() -> impl Strategy<Value = UnverifiedMember<'static>> {
    (signed(), 0..1_u64 << 62, 0..9_u64, any::<bool>()).prop_map(
        |(signed, expires_ms, more, removed)| {
            let remembered_ms = expires_ms + more;
            let saying =
                Saying { item: b"item", seq: signed.seq, expires_ms, remembered_ms, removed };
            UnverifiedMember { writer: signed.key, saying, signature: signed.signature }
        },
    )
}

/// Two members as they stand in a page.
static PAGE: std::sync::LazyLock<MembersBuffer> = std::sync::LazyLock::new(|| {
    let mut page = MembersBuffer::default();
    for item in [&b"ada"[..], b"bob"] {
        let seq = Seq::new(7).unwrap();
        let saying = Saying { item, seq, expires_ms: 8, remembered_ms: 9, removed: false };
        let member = Member::sign(&Signer::from_seed(&[1; 32]), &Target::new([2; 20]), saying);
        assert!(page.push(member.unwrap().as_ref()));
    }
    page
});

const FOUR: [u8; 52] = [4; 52];
const SIX: [u8; 76] = [6; 76];
const FILTER: [u8; 256] = [3; 256];

fn nodes() -> impl Strategy<Value = NodeLists<'static>> {
    any::<(bool, bool)>().prop_map(|(four, six)| NodeLists {
        v4: CompactNodes::read(&FOUR, Family::V4).filter(|_| four),
        v6: CompactNodes::read(&SIX, Family::V6).filter(|_| six),
    })
}

fn reply() -> impl Strategy<Value = (ReplyKind, Reply<'static>)> {
    let token = || proptest::option::of(Just(&b"tokentok"[..]));
    prop_oneof![
        Just((ReplyKind::Ack, Reply::Ack)),
        nodes().prop_map(|nodes| (ReplyKind::Nodes, Reply::Nodes(nodes))),
        (nodes(), token(), any::<bool>()).prop_map(|(nodes, token, scrape)| {
            let values = CompactPeers::new(b"6:abcdef6:ghijkl");
            let filters = scrape.then_some((&FILTER, &FILTER));
            (ReplyKind::Peers, Reply::Peers { nodes, token, values, filters })
        }),
        (nodes(), token(), proptest::option::of(signed()), 0..3).prop_map(
            |(nodes, token, signed, which)| {
                let signed = signed.map(|signed| Signed { salt: b"", ..signed });
                let found = match which {
                    0 => Found::Nothing,
                    1 => Found::Version(Seq::new(7).unwrap()),
                    _ => Found::Item(Unverified { value: b"5:hello", signed }),
                };
                (ReplyKind::Item, Reply::Item { nodes, token, found })
            }
        ),
        (nodes(), 0..99_i64).prop_map(|(nodes, num)| {
            let samples = Some(&[9; 40][..]);
            (ReplyKind::Samples, Reply::Samples { nodes, interval_s: 60, num, samples })
        }),
        (token(), any::<[u8; 4]>(), any::<[u8; 4]>()).prop_map(|(token, wanted, newer)| {
            let (wanted, newer) = (Bits::read(&wanted), Bits::read(&newer));
            (ReplyKind::Offered, Reply::Offered { token, wanted, newer })
        }),
        (nodes(), token(), 0..3, any::<bool>(), 0..99_i64).prop_map(
            |(nodes, token, which, more, num)| {
                let members = match which {
                    0 => None,
                    1 => Some(MemberList::default()),
                    _ => Some(PAGE.as_list()),
                };
                (ReplyKind::Members, Reply::Members { nodes, token, members, more, num })
            }
        ),
    ]
}

proptest! {
    #[test]
    fn a_query_comes_back_as_sent(
        query in query(), network: Option<[u8; 4]>, read_only: bool, transaction: u32,
    ) {
        let mut buffer = [0; 1500];
        let speaker = speaker(network, read_only);
        let length = speaker.write_query(TransactionId(transaction), &query, &mut buffer).unwrap();
        let Ok(Message::Query(message)) = Message::read(&buffer[..length]) else {
            return Err(TestCaseError::fail("not read as a query"));
        };
        prop_assert_eq!(message.query, query);
        prop_assert_eq!(message.id, speaker.id);
        prop_assert_eq!(message.read_only, read_only);
        prop_assert_eq!(message.network, speaker.network);
        prop_assert_eq!(message.transaction, transaction.to_be_bytes());
        prop_assert_eq!(wire::bencode::check_canonical(&buffer[..length]), Ok(()));
    }

    #[test]
    fn a_reply_comes_back_as_sent((kind, reply) in reply(), transaction: u32) {
        let mut buffer = [0; 1500];
        let to = Endpoint::v4([1, 2, 3, 4], 5);
        let speaker = speaker(None, false);
        let length =
            speaker.write_reply(&transaction.to_be_bytes(), &to, &reply, &mut buffer).unwrap();
        let Ok(Message::Reply(message)) = Message::read(&buffer[..length]) else {
            return Err(TestCaseError::fail("not read as a reply"));
        };
        prop_assert_eq!(message.transaction, TransactionId(transaction));
        prop_assert_eq!(message.seen_at, Some(to));
        prop_assert_eq!(message.read_as(kind), Ok((speaker.id, reply)));
        prop_assert_eq!(wire::bencode::check_canonical(&buffer[..length]), Ok(()));
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(bytes: Vec<u8>) {
        let _ = Message::read(&bytes);
    }

    #[test]
    fn a_message_with_one_byte_changed_never_panics(
        (_, reply) in reply(), place in 0..300_usize, byte: u8,
    ) {
        let mut buffer = [0; 1500];
        let to = Endpoint::v6([1; 16], 5);
        let length = speaker(None, false).write_reply(b"abcd", &to, &reply, &mut buffer).unwrap();
        buffer[place % length] = byte;
        if let Ok(Message::Reply(message)) = Message::read(&buffer[..length]) {
            for kind in [ReplyKind::Ack, ReplyKind::Nodes, ReplyKind::Peers, ReplyKind::Item, ReplyKind::Samples, ReplyKind::Members] {
                let _ = message.read_as(kind);
            }
        }
    }
}

#[test]
fn the_examples_of_the_specification_are_read() {
    let ping = b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
    let Ok(Message::Query(message)) = Message::read(ping) else { panic!("a query") };
    assert_eq!((message.query, message.transaction), (Query::Ping, &b"aa"[..]));

    let announce = b"d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe";
    let Ok(Message::Query(message)) = Message::read(announce) else { panic!("a query") };
    assert!(matches!(
        message.query,
        Query::AnnouncePeer { port: 6881, implied_port: true, token: b"aoeusnth", .. }
    ));

    let values = b"d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t4:aaaa1:y1:re";
    let Ok(Message::Reply(message)) = Message::read(values) else { panic!("a reply") };
    let (_, Reply::Peers { values, .. }) = message.read_as(ReplyKind::Peers).unwrap() else {
        panic!("peers")
    };
    assert_eq!(values.iter().count(), 2);

    let error = b"d1:eli201e23:A Generic Error Ocurrede1:t4:aaaa1:y1:ee";
    let Ok(Message::Error(message)) = Message::read(error) else { panic!("an error") };
    assert_eq!(message.code, 201);
}

#[test]
fn a_get_waits_only_with_a_token_and_for_no_longer_than_anybody_grants() {
    let read = |arguments: &str| {
        let query = format!(
            "d1:ad2:id20:abcdefghij01234567893:seqi5e6:target20:mnopqrstuvwxyz123456{arguments}e\
             1:q3:get1:t2:aa1:y1:qe"
        );
        match Message::read(query.as_bytes()) {
            Ok(Message::Query(message)) => match message.query {
                Query::WaitingGet { wait_s, token: b"aoeusnth", newer_than, .. } => {
                    assert_eq!(newer_than, Seq::new(5));
                    Some(wait_s)
                }
                Query::Get { newer_than, .. } => {
                    assert_eq!(newer_than, Seq::new(5));
                    None
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{arguments}: {other:?}"),
        }
    };
    assert_eq!(read("5:token8:aoeusnth4:waiti25e"), Some(25));
    assert_eq!(read("5:token8:aoeusnth4:waiti30e4:wantl2:n4e"), Some(30));
    for plain in [
        "",
        "4:waiti25e",
        "5:token8:aoeusnth",
        "5:token8:aoeusnth4:waiti0e",
        "5:token8:aoeusnth4:waiti31e",
        "5:token8:aoeusnth4:waiti-1e",
        "5:token8:aoeusnth4:waiti281e",
    ] {
        assert_eq!(read(plain), None, "{plain}");
    }
    let no_number = b"d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz1234564:wait1:5e1:q3:get1:t2:aa1:y1:qe";
    assert_eq!(Message::read(no_number), Ok(Message::BadQuery { transaction: b"aa" }));
}

#[test]
fn a_waiting_get_is_written_as_the_documents_show_it() {
    let query = Query::WaitingGet {
        target: Target::new([b'g'; 20]),
        newer_than: Seq::new(1_700_000_000_000_000),
        token: b"aoeusnth",
        wait_s: 25,
        want: Want::default(),
    };
    let mut buffer = [0; 200];
    let speaker = speaker(Some(*b"\x1f\xea\xb5\xa9"), true);
    let length = speaker.write_query(TransactionId(0x6161_6161), &query, &mut buffer).unwrap();
    let expected = b"d1:ad2:id20:iiiiiiiiiiiiiiiiiiii3:seqi1700000000000000e6:target20:gggggggggggggggggggg5:token8:aoeusnth4:waiti25ee1:q3:get2:roi1e1:t4:aaaa1:v4:Xo\x00\x012:xn4:\x1f\xea\xb5\xa91:y1:qe";
    assert_eq!(&buffer[..length], &expected[..]);
}

#[test]
fn odd_but_honest_messages_are_understood() {
    // Unsorted outer keys, an `r` beside the error, an error without text, `ro` as 0.
    let unsorted = b"d1:y1:q1:q4:ping1:t1:x1:ad2:id20:abcdefghij0123456789e2:roi0ee";
    let Ok(Message::Query(message)) = Message::read(unsorted) else { panic!("a query") };
    assert!(!message.read_only);
    let error = b"d1:eli302ee1:rd2:id20:abcdefghij0123456789e1:t4:aaaa1:y1:ee";
    let Ok(Message::Error(message)) = Message::read(error) else { panic!("an error") };
    assert_eq!((message.code, message.text), (302, &b""[..]));
}

#[test]
fn a_malformed_query_can_still_be_answered_and_an_unknown_one_is_told_apart() {
    let no_target = b"d1:ad2:id20:abcdefghij0123456789e1:q9:find_node1:t2:aa1:y1:qe";
    assert_eq!(Message::read(no_target), Ok(Message::BadQuery { transaction: b"aa" }));
    let short_id = b"d1:ad2:id3:abce1:q4:ping1:t2:aa1:y1:qe";
    assert_eq!(Message::read(short_id), Ok(Message::BadQuery { transaction: b"aa" }));
    let unknown = b"d1:ad2:id20:abcdefghij0123456789e1:q4:vote1:t2:aa1:y1:qe";
    let Ok(Message::Query(message)) = Message::read(unknown) else { panic!("a query") };
    assert_eq!(message.query, Query::Unknown);
    let endless = b"d1:t33:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1:y1:qe";
    assert!(Message::read(endless).is_err());
}
