//! Sets: what many writers add survives side by side, and nobody undoes what another did.

use std::time::Duration;

use kv::{Config, LISTING_MEMBERS, SetError};
use wire::Cursor;

use super::world::asking::{put_request, target};
use super::world::sets::{KEY, addition, addition_for, fresh, member, removal, writer};
use super::world::{OfSet, START, Says, World};

const MOMENT: Duration = Duration::from_secs(2);
const HOUR: Duration = Duration::from_secs(3600);

fn words(items: &[&str]) -> Vec<Vec<u8>> {
    let mut items: Vec<Vec<u8>> = items.iter().map(|item| item.as_bytes().to_vec()).collect();
    items.sort();
    items
}

#[test]
fn what_writers_add_from_anywhere_is_listed_everywhere() {
    let mut world = World::joined(20);
    for (node, item) in [(0, "zero"), (7, "seven"), (19, "nineteen")] {
        let put = world.change(node, addition(Some(writer(node as u8)), item.as_bytes()));
        let put = put.expect("all are up");
        assert_eq!((put.replicas.known, put.replicas.stored.len()), (8, 8));
        assert_eq!(put.writer, writer(node as u8).public_key());
    }
    for node in 0..20 {
        let listed = world.list(node);
        assert_eq!((listed.answered, listed.known, listed.next), (8, 8, None), "from {node}");
        assert_eq!((listed.held, listed.repairing), (3, 0));
        assert_eq!(world.items(node), words(&["zero", "seven", "nineteen"]));
    }
}

#[test]
fn a_set_and_a_record_of_one_key_do_not_meet() {
    let mut world = World::joined(9);
    world.add_item(2, b"member");
    let value = super::world::asking::put_request(KEY, b"value");
    world.put(3, value).expect("all are up");
    assert_eq!(*world.read(4, KEY), *b"value");
    assert_eq!(world.items(5), words(&["member"]));
    world.delete(6, KEY);
    assert_eq!(world.items(7), words(&["member"]));
}

#[test]
fn one_item_of_two_writers_is_two_members() {
    let mut world = World::joined(9);
    for number in 1..3 {
        world.change(1, addition(Some(writer(number)), b"ada")).expect("all are up");
    }
    assert_eq!(world.items(4), words(&["ada", "ada"]));
    world.change(5, removal(Some(writer(1)), b"ada")).expect("it is there");
    let left = world.list(4).members;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].writer, writer(2).public_key());
}

#[test]
fn nobody_removes_what_another_added() {
    let mut world = World::joined(12);
    world.change(1, addition(Some(writer(1)), b"ada")).expect("all are up");
    for stranger in [Some(writer(2)), None] {
        let removed = world.change(3, removal(stranger, b"ada"));
        assert!(matches!(removed, Err(SetError::NotFound { .. })), "{removed:?}");
    }
    // Nor by a removal that claims to be the writer's.
    let mut forged = fresh(&writer(2), b"ada").encode();
    let key = *writer(2).public_key().as_bytes();
    let place = forged.windows(32).position(|bytes| bytes == key).expect("the writer's key");
    forged[place..place + 32].copy_from_slice(writer(1).public_key().as_bytes());
    let near = world.closest(&target(KEY), 8);
    assert_eq!(world.give_encoded(near[0], &forged, target(KEY)), Err(206));
    assert_eq!(world.items(5), words(&["ada"]));
}

#[test]
fn what_both_sides_of_a_partition_add_survives() {
    let mut world = World::joined(16);
    let near = world.closest(&target(KEY), 8);
    let far = world.far_from(&target(KEY), 8);
    world.add_item(far[0], b"before");
    // Four of the replicas on each side: each side sees half silent.
    let side: Vec<usize> = near[..4].iter().chain(&far[..4]).copied().collect();
    world.cut_off(&side);
    let here = world.change(far[0], addition(Some(writer(1)), b"here"));
    let there = world.change(far[5], addition(Some(writer(2)), b"there"));
    for outcome in [here, there] {
        let Err(SetError::NotEnoughReplicas(report)) = outcome else {
            panic!("half of the replicas is no majority: {outcome:?}")
        };
        assert_eq!((report.replicas.stored.len(), report.replicas.needed), (4, 5));
    }
    world.heal();
    world.run(MOMENT);
    assert_eq!(world.items(far[6]), words(&["before", "here", "there"]));
    world.run(MOMENT);
    for node in near {
        assert_eq!(world.items_held(node), words(&["before", "here", "there"]), "at {node}");
    }
}

#[test]
fn a_majority_and_a_minority_that_add_at_once_both_survive() {
    let mut world = World::joined(16);
    let near = world.closest(&target(KEY), 8);
    let far = world.far_from(&target(KEY), 8);
    let side: Vec<usize> = near[..3].iter().chain(&far[..2]).copied().collect();
    world.cut_off(&side);
    assert!(world.change(far[0], addition(None, b"minority")).is_err());
    world.change(far[4], addition(None, b"majority")).expect("five of eight");
    world.heal();
    for node in [far[0], far[4]] {
        assert_eq!(world.items(node), words(&["majority", "minority"]));
    }
    world.run(MOMENT);
    for node in near {
        assert_eq!(world.items_held(node), words(&["majority", "minority"]), "at {node}");
    }
}

#[test]
fn a_removal_outlives_copies_that_missed_it() {
    let mut world = World::joined(12);
    let near = world.closest(&target(KEY), 8);
    world.add_item(near[0], b"ada");
    world.down(&near[..3]);
    world.change(near[5], removal(None, b"ada")).expect("five of eight");
    world.up(&near[..3]);
    assert_eq!(world.items(near[0]), words(&[]), "one that missed it lists");
    world.run(MOMENT);
    for node in &near {
        assert_eq!(world.items_held(*node), words(&[]), "at {node}");
    }
    world.add_item(near[1], b"ada");
    assert_eq!(world.items(near[2]), words(&["ada"]), "it can be added again");
}

#[test]
fn a_shorter_life_does_not_bring_a_longer_one_back() {
    let mut world = World::joined(12);
    let near = world.closest(&target(KEY), 8);
    world.change(near[0], addition_for(None, b"ada", HOUR * 24)).expect("all are up");
    world.down(&near[..3]);
    world.change(near[5], addition_for(None, b"ada", HOUR)).expect("five of eight");
    world.up(&near[..3]);
    world.run(HOUR * 2);
    assert_eq!(world.items(near[6]), words(&[]), "three hold a copy that would live longer");
    world.run(HOUR * 24);
    assert_eq!(world.members[near[6]].kv.node().held_members(), (0, 0), "nothing is kept for ever");
}

#[test]
fn members_expire_by_themselves_and_adding_again_renews_them() {
    let mut world = World::joined(9);
    world.change(0, addition_for(None, b"brief", HOUR)).expect("all are up");
    world.change(0, addition_for(None, b"renewed", HOUR)).expect("all are up");
    world.run(HOUR / 2);
    world.change(1, addition_for(None, b"renewed", HOUR * 2)).expect("all are up");
    assert_eq!(world.items(2), words(&["brief", "renewed"]));
    world.run(HOUR);
    assert_eq!(world.items(2), words(&["renewed"]));
    world.run(HOUR * 2);
    assert_eq!(world.items(2), words(&[]));
    for node in 0..9 {
        assert_eq!(world.members[node].kv.node().held_members(), (0, 0));
    }
}

#[test]
fn a_replica_that_came_later_is_given_what_it_lacks() {
    let mut world = World::joined(12);
    let near = world.closest(&target(KEY), 8);
    world.down(&near[..2]);
    for item in ["one", "two", "three"] {
        world.add_item(near[4], item.as_bytes());
    }
    world.up(&near[..2]);
    let listed = world.list(near[0]);
    assert_eq!((listed.members.len(), listed.repairing), (3, 3));
    world.run(MOMENT);
    for node in near {
        assert_eq!(world.items_held(node), words(&["one", "two", "three"]));
    }
}

#[test]
fn a_listing_goes_on_by_pages_and_gives_each_member_once() {
    let mut world = World::joined(9);
    let mut expected = Vec::new();
    for number in 0..60_u8 {
        let item = format!("item {number}");
        let member = fresh(&writer(1 + number % 3), item.as_bytes());
        // One replica lacks some, another others: their pages end at different places.
        for node in world.closest(&target(KEY), 8) {
            if (usize::from(number) + node) % 5 > 0 {
                assert_eq!(world.give_member(node, &member), Ok(()));
            }
        }
        expected.push(item.into_bytes());
    }
    expected.sort();
    assert_eq!(world.items(3), expected);
    let (mut after, mut found, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = world.list_part(8, after, 7).expect("a majority answers");
        assert!(page.members.len() == 7 || page.next.is_none());
        let places = page.members.iter().map(|m| Cursor::of(&m.writer, &m.item));
        assert!(places.clone().is_sorted() && places.clone().all(|place| Some(place) > after));
        found.extend(page.members.iter().map(|member| member.item.to_vec()));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    found.sort();
    assert_eq!((found, pages), (expected, 9));
}

#[test]
fn a_lone_node_has_sets_and_an_ephemeral_one_uses_others() {
    let mut world = World::joined(1);
    let put = world.add_item(0, b"ada");
    assert_eq!((put.replicas.known, put.replicas.stored.len()), (1, 1));
    let ephemeral = node::Config { ephemeral: true, ..node::Config::default() };
    let client = world.add(Config { node: ephemeral, ..Config::default() });
    world.join(client, 0);
    world.add_item(client, b"bob");
    assert_eq!(world.items(client), words(&["ada", "bob"]));
    assert_eq!(world.members[client].kv.node().held_members(), (0, 0));
    world.down(&[0]);
    let alone = world.list_part(client, None, LISTING_MEMBERS);
    assert!(matches!(alone, Err(SetError::Unreachable(_))), "{alone:?}");
}

#[test]
fn too_few_replicas_are_told_with_what_was_found() {
    let mut world = World::joined(20);
    let near = world.closest(&target(KEY), 8);
    let far = world.far_from(&target(KEY), 8)[0];
    world.add_item(far, b"ada");
    world.down(&near[..5]);
    match world.list_part(far, None, LISTING_MEMBERS) {
        Err(SetError::NotEnoughAnswers {
            answered: 3,
            known: 8,
            needed: 5,
            found: Some(found),
        }) => {
            assert_eq!(found.members.len(), 1);
        }
        other => panic!("{other:?}"),
    }
    let removed = world.change(far, removal(None, b"bob"));
    assert!(matches!(removed, Err(SetError::NotEnoughAnswers { .. })), "{removed:?}");
}

/// A client beside foreign nodes alone.
fn among_foreign_nodes(says: &OfSet) -> (World, usize) {
    let mut world = World::new(1);
    let ephemeral = node::Config { ephemeral: true, ..node::Config::default() };
    let client = world.add(Config { node: ephemeral, ..Config::default() });
    let doors: Vec<_> = (0..9)
        .map(|number| {
            world.add_liar(&target(KEY), number, Says::OfSet(says.clone()));
            wire::Endpoint::v4([10, 99, 0, number], 8000)
        })
        .collect();
    world.request(client, kv::Request::Join(doors));
    world.run(MOMENT);
    (world, client)
}

#[test]
fn among_foreign_nodes_only_it_is_told_that_none_holds_sets() {
    for says in [OfSet::ForeignRefusal, OfSet::ForeignSilence] {
        let (mut world, client) = among_foreign_nodes(&says);
        let put = world.change(client, addition(None, b"ada"));
        assert!(matches!(put, Err(SetError::NoHolders { answered: 1.., .. })), "{put:?}");
        let listed = world.list_part(client, None, LISTING_MEMBERS);
        assert!(matches!(listed, Err(SetError::NoHolders { answered: 1.., .. })), "{listed:?}");
        let record = world.put(client, put_request("k", b"v"));
        assert!(record.is_ok(), "records they hold: {record:?}");
    }
}

/// Twelve honest nodes, and liars closer to the set than all of them.
fn among_liars(says: &[OfSet]) -> World {
    let mut world = World::joined(12);
    for (number, says) in says.iter().enumerate() {
        world.add_liar(&target(KEY), number as u8, Says::OfSet(says.clone()));
    }
    world.run(Duration::from_secs(5));
    world
}

#[test]
fn foreign_nodes_near_a_set_are_not_counted_and_silent_ones_of_our_own_are() {
    let foreign = [OfSet::ForeignRefusal, OfSet::ForeignSilence, OfSet::ForeignSilence];
    let mut world = among_liars(&foreign);
    let put = world.add_item(2, b"ada");
    assert_eq!((put.replicas.known, put.replicas.stored.len()), (5, 5));
    assert_eq!(world.items(9), words(&["ada"]));
    let mut world = among_liars(&[OfSet::Silence, OfSet::Silence, OfSet::Silence]);
    // `known` holds three silent ones, and a majority of all answers.
    let listed = world.list(9);
    assert_eq!((listed.known, listed.answered, listed.needed), (8, 5, 5));
}

#[test]
fn what_does_not_verify_or_never_ends_is_not_believed_and_ends() {
    let stranger = writer(9);
    let elsewhere = wire::Target::new([5; 20]);
    let saying = fresh(&stranger, b"lie");
    let carried = wire::Member::sign(&stranger, &elsewhere, saying.saying()).expect("sound");
    let mut descending = vec![fresh(&stranger, b"one"), fresh(&stranger, b"two")];
    descending.sort_by_key(|member| std::cmp::Reverse(member.cursor()));
    for page in [
        OfSet::Page(vec![carried], false),
        OfSet::Page(vec![], true),
        OfSet::Page(descending, false),
        // The same page again and again: it is believed once.
        OfSet::Page(vec![fresh(&stranger, b"again")], true),
    ] {
        let believed = matches!(&page, OfSet::Page(members, true) if members.len() == 1);
        let mut world = among_liars(&[page.clone(), page.clone(), page]);
        world.add_item(2, b"ada");
        let listed = world.list(7);
        assert_eq!((listed.known, listed.answered, listed.next), (8, 5, None));
        let expected = if believed { vec!["ada", "again"] } else { vec!["ada"] };
        assert!(listed.members.iter().all(|m| !m.item.starts_with(b"lie")));
        if believed {
            assert_eq!(world.items(7), words(&expected));
        } else {
            assert!(world.items(7).contains(&b"ada".to_vec()));
        }
    }
}

#[test]
fn liars_that_claim_an_empty_set_hide_nothing() {
    let empty = OfSet::Page(vec![], false);
    let mut world = among_liars(&[empty.clone(), empty.clone(), empty]);
    world.add_item(2, b"ada");
    for node in 0..12 {
        assert_eq!(world.items(node), words(&["ada"]), "from {node}");
    }
}

#[test]
fn versions_far_ahead_of_the_clock_are_neither_held_nor_believed() {
    let ahead = (START + HOUR * 2).0;
    let far = member(&writer(3), b"far", ahead * 1000, ahead + 86_400_000);
    let mut world = among_liars(&[OfSet::Page(vec![far.clone()], false)]);
    let near = world.closest(&target(KEY), 1)[0];
    assert_eq!(world.give_member(near, &far), Err(203));
    assert_eq!(world.items(3), words(&[]));
    world.change(4, addition(Some(writer(3)), b"far")).expect("the lie keeps nobody out");
    assert_eq!(world.items(3), words(&["far"]));
}

#[test]
fn requests_that_make_no_sense_are_refused_before_anything_is_sent() {
    let mut world = World::joined(3);
    let before = world.datagrams;
    let long = [b'x'; 513];
    for item in [&b""[..], &long] {
        let put = world.change(0, addition(None, item));
        assert_eq!(put, Err(SetError::ItemSize { length: item.len(), limit: 512 }));
    }
    for ttl in [Duration::ZERO, kv::MAX_TTL + HOUR] {
        assert_eq!(world.change(0, addition_for(None, b"x", ttl)), Err(SetError::BadTtl(ttl)));
    }
    let owner = writer(1).public_key();
    let mut request = addition(None, b"x");
    request.namespace = kv::Namespace::of(owner);
    assert_eq!(world.change(0, request.clone()), Err(SetError::NoWriter(owner)));
    let length = kv::SEALED_MEMBER_BYTES + 1;
    let mut secret = addition(Some(writer(1)), &long[..length]);
    secret.namespace = kv::Namespace::secret("a passphrase").expect("a passphrase");
    let limit = length - 1;
    assert_eq!(world.change(0, secret), Err(SetError::ItemSize { length, limit }));
    assert_eq!(world.datagrams, before);
    request.writer = Some(writer(2));
    world.change(0, request).expect("anybody may add to anybody's set");
}

#[test]
fn concurrent_additions_of_one_item_by_one_writer_end_as_one_member() {
    let mut world = World::joined(12);
    let ids = [1, 6, 11].map(|node| {
        (node, world.request(node, kv::Request::Set(addition(Some(writer(1)), b"ada"))))
    });
    for (node, id) in ids {
        let kv::Done::Set(outcome) = world.finish(node, id) else { panic!("a change") };
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    assert_eq!(world.items(4), words(&["ada"]));
}
