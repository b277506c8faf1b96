//! What nodes say of themselves, of others and of what they hold.

use wire::{Contact, Family, Member, Point, Saying};

use super::*;

fn put<'i>(item: &'i Item, cas: Option<i64>) -> Query<'i> {
    Query::Put {
        item: item.as_ref().as_unverified(),
        cas: cas.and_then(Seq::new),
        lease: None,
        token: b"token",
        target: None,
    }
}

fn later() -> UnixMillis {
    START + Duration::from_secs(9999)
}

/// Shows that a put was heard, and what was said when.
fn answered(stage: &mut Stage, put: &[u8], input: &Input<'_>, answer: &Reply<'_>) {
    let from = Endpoint::v4(NOBODY, 1);
    stage.show(&Input::Datagram(from, put), &Outbox::default());
    stage.show(input, &outbox(from, &[reply(1, &from, answer)]));
}

#[test]
fn an_answer_to_somebody_who_did_not_ask_is_seen() {
    let mut stage = Stage::new(1);
    let to = Endpoint::v4(NOBODY, 1);
    stage.show(&Input::Tick, &outbox(to, &[reply(1, &to, &Reply::Ack)]));
    assert_eq!(stage.checks(), ["acknowledged"]);
}

#[test]
fn a_yes_to_what_the_disk_refused_is_seen() {
    let item = item(5, later());
    let query = query(1, &put(&item, None));
    let mut stage = Stage::new(1);
    answered(&mut stage, &query, &Input::Committed(true), &Reply::Ack);
    assert_eq!(stage.found, []);
    answered(&mut stage, &query, &Input::Committed(false), &Reply::Ack);
    assert_eq!(stage.checks(), ["acknowledged"]);
}

#[test]
fn a_yes_to_what_does_not_verify_is_seen() {
    let item = item(5, later());
    let mut forged = query(1, &put(&item, None));
    let value = forged.windows(5).position(|bytes| bytes == b"value").unwrap();
    forged[value] = b'V';
    let mut stage = Stage::new(1);
    answered(&mut stage, &forged, &Input::Committed(true), &Reply::Ack);
    assert_eq!(stage.checks(), ["acknowledged"]);
}

#[test]
fn a_swap_that_is_granted_over_another_version_is_seen() {
    for (cas, seen) in [(6, false), (5, true)] {
        let mut stage = Stage::new(1);
        let (before, after) = (item(6, later()), item(7, later()));
        let (first, second) = (query(1, &put(&before, None)), query(2, &put(&after, Some(cas))));
        answered(&mut stage, &first, &Input::Committed(true), &Reply::Ack);
        let from = Endpoint::v4(NOBODY, 1);
        stage.show(&Input::Datagram(from, &second), &Outbox::default());
        let yes = outbox(from, &[reply(2, &from, &Reply::Ack)]);
        stage.show(&Input::Committed(true), &yes);
        assert_eq!(stage.checks().contains(&"acknowledged"), seen, "{:?}", stage.found);
    }
}

#[test]
fn another_value_under_one_version_is_seen() {
    let mut stage = Stage::new(1);
    let from = Endpoint::v4(NOBODY, 1);
    let (one, other) = (item(5, later()), item(5, later() + Duration::from_secs(1)));
    let asked = query(1, &get(one.target()));
    for (item, expected) in [(&one, &[][..]), (&other, &["versions"][..])] {
        let answer = outbox(from, &[reply(1, &from, &told(item))]);
        stage.show(&Input::Datagram(from, &asked), &answer);
        assert_eq!(stage.checks(), expected);
    }
}

#[test]
fn an_older_version_of_a_member_is_seen() {
    let target = Target::new([4; 20]);
    let signer = Signer::from_seed(&[3; 32]);
    let member = |seq| {
        let seq = Seq::new(seq).unwrap();
        let (expires_ms, remembered_ms) = (later().0, later().0);
        let saying = Saying { item: b"it", seq, expires_ms, remembered_ms, removed: false };
        Member::sign(&signer, &target, saying).unwrap()
    };
    let from = Endpoint::v4(NOBODY, 1);
    let asked = query(1, &Query::Members { target, after: None, want: Want::default() });
    let mut stage = Stage::new(1);
    for (seq, expected) in [(5, &[][..]), (6, &[]), (5, &["members"])] {
        let mut buffer = wire::member::MembersBuffer::default();
        buffer.push(member(seq).as_ref());
        let answer = Reply::Members {
            nodes: NodeLists::default(),
            token: None,
            members: Some(buffer.as_list()),
            more: false,
            num: 1,
        };
        let answer = outbox(from, &[reply(1, &from, &answer)]);
        stage.show(&Input::Datagram(from, &asked), &answer);
        assert_eq!(stage.checks(), expected);
    }
}

#[test]
fn a_member_is_told_for_as_long_as_any_version_of_it_that_came_and_no_longer() {
    let (target, signer) = (Target::new([4; 20]), Signer::from_seed(&[3; 32]));
    let member = |seq, end: UnixMillis| {
        let (seq, end) = (Seq::new(seq).unwrap(), end.0);
        let saying =
            Saying { item: b"it", seq, expires_ms: end, remembered_ms: end, removed: false };
        Member::sign(&signer, &target, saying).unwrap()
    };
    let from = Endpoint::v4(NOBODY, 1);
    let asked = query(1, &Query::Members { target, after: None, want: Want::default() });
    let tell = |stage: &mut Stage| {
        let mut buffer = wire::member::MembersBuffer::default();
        buffer.push(member(6, START).as_ref());
        let members = Some(buffer.as_list());
        let (nodes, token) = (NodeLists::default(), None);
        let answer = Reply::Members { nodes, token, members, more: false, num: 1 };
        let answer = outbox(from, &[reply(1, &from, &answer)]);
        stage.show(&Input::Datagram(from, &asked), &answer);
    };
    let mut stage = Stage::new(1);
    let older = member(5, START + Duration::from_secs(100));
    let member = older.as_ref().as_unverified();
    let add = query(2, &Query::Add { member, token: b"a token!", target });
    stage.show(&Input::Datagram(from, &add), &Outbox::default());
    tell(&mut stage);
    assert_eq!(stage.checks(), [""; 0]);
    stage.pass(101);
    tell(&mut stage);
    assert_eq!(stage.checks(), ["expiry"]);
}

#[test]
fn more_questions_to_a_stranger_than_its_pace_allows_are_seen() {
    let to = Endpoint::v4(SOMEBODY, 1);
    let pings: Vec<Vec<u8>> = (0..9).map(|number| query(number, &Query::Ping)).collect();
    let mut stage = Stage::new(1);
    stage.pass(200);
    stage.show(&Input::Tick, &outbox(to, &pings[..5]));
    assert_eq!(stage.found, []);
    stage.show(&Input::Tick, &outbox(to, &pings[5..]));
    assert_eq!(stage.checks(), ["pace"]);
    // Who answers as Xorbit bans nobody.
    let mut stage = Stage::new(1);
    stage.pass(200);
    stage.show(&Input::Tick, &outbox(to, &pings[..1]));
    stage.show(&Input::Datagram(to, &reply(0, &to, &Reply::Ack)), &Outbox::default());
    stage.show(&Input::Tick, &outbox(to, &pings[1..]));
    assert_eq!(stage.found, []);
}

#[test]
fn contacts_that_are_not_the_closest_known_are_seen() {
    let from = Endpoint::v4(NOBODY, 1);
    let target = Point::new([0; 20]);
    let find = Query::FindNode { target, want: Want::default() };
    for wrong in [false, true] {
        let mut stage = Stage::new(6);
        stage.pass(30);
        stage.show(&Input::Tick, &Outbox::default());
        stage.found.clear();
        let table = stage.world.machines[0].kv().unwrap().node().table(Family::V4);
        let mut known: Vec<Contact> = table.iter().map(|entry| entry.contact()).collect();
        assert!(known.len() > 2);
        known.sort_by_key(|contact| target.distance(&contact.id.point()));
        known.drain(..usize::from(wrong));
        let mut buffer = wire::compact::NodesBuffer::new(Family::V4);
        known.iter().for_each(|contact| buffer.push(&contact.id, &contact.endpoint));
        let nodes = NodeLists { v4: Some(buffer.as_nodes()), v6: None };
        for number in 0..16 {
            let answer = outbox(from, &[reply(number, &from, &Reply::Nodes(nodes))]);
            stage.show(&Input::Datagram(from, &query(number, &find)), &answer);
        }
        assert_eq!(stage.checks().contains(&"closest"), wrong, "{:?}", stage.found);
    }
}

#[test]
fn a_question_that_is_waited_for_too_long_is_seen() {
    let mut stage = Stage::new(1);
    stage.pass(10);
    let somebody = Endpoint::v4(NOBODY, 1);
    let asked = stage.unseen(Request::Ping(somebody));
    stage.show(&Input::Tick, &outbox(somebody, &[asked[0].1.clone()]));
    // Nobody lets the node know that time passes, as if its timer were late.
    stage.pass(5);
    stage.show(&Input::Tick, &Outbox::default());
    assert_eq!(stage.found, []);
    stage.pass(5);
    stage.show(&Input::Tick, &Outbox::default());
    assert_eq!(stage.checks(), ["timers"]);
}

#[test]
fn an_address_that_too_few_tell_of_is_seen() {
    let external = Endpoint::v4([8, 8, 8, 8], 8000);
    for shown in [3, 2] {
        let mut stage = Stage::new(1);
        for voter in 0..3 {
            let at = Endpoint::v4([8, 9, voter, 1], 1);
            let ping = stage.unseen(Request::Ping(at)).remove(0).1;
            stage.show(&Input::Tick, &outbox(at, std::slice::from_ref(&ping)));
            let network = stage.world.machines[0].kv().unwrap().node().network().tag();
            let speaker = Speaker { id: NodeId::new([voter + 1; 20]), network, ..speaker() };
            let transaction = transaction_of(&ping).to_be_bytes();
            let answer =
                written(|to| speaker.write_reply(&transaction, &external, &Reply::Ack, to));
            if voter >= 3 - shown {
                stage.hear(at, &answer);
            } else {
                stage.unheard(at, &answer);
            }
        }
        let node = stage.world.machines[0].kv().unwrap().node();
        assert_eq!(node.external(Family::V4), Some(external));
        assert_eq!(stage.checks().contains(&"identity"), shown < 3, "{:?}", stage.found);
    }
}
