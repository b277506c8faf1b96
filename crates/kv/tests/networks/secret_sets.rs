//! Sets of secret namespaces: friends add, list and remove, holders see neither items nor names.

use std::sync::OnceLock;
use std::time::Duration;

use kv::{
    Done, Key, LISTING_MEMBERS, MembersReport, MembersRequest, Namespace, Request,
    SEALED_MEMBER_BYTES, SetChange, SetError, SetRequest,
};
use wire::{Member, Saying, Signer, Target};

use super::world::World;
use super::world::sets::{KEY, addition, removal, writer};

const HOUR: Duration = Duration::from_secs(3600);

/// The namespace of these tests; making one is slow.
fn secret() -> Namespace {
    static SECRET: OnceLock<Namespace> = OnceLock::new();
    SECRET.get_or_init(|| Namespace::secret("open sesame").expect("a passphrase")).clone()
}

fn key() -> Key {
    Key::new(KEY).expect("a short key")
}

fn target() -> Target {
    secret().target(&key())
}

fn add(writer: Option<Signer>, item: &[u8]) -> SetRequest {
    SetRequest { namespace: secret(), ..addition(writer, item) }
}

fn remove(writer: Option<Signer>, item: &[u8]) -> SetRequest {
    SetRequest { namespace: secret(), ..removal(writer, item) }
}

impl World {
    fn secret_members(&mut self, node: usize, namespace: Namespace) -> Box<MembersReport> {
        let request = MembersRequest { namespace, key: key(), after: None, limit: LISTING_MEMBERS };
        let id = self.request(node, Request::Members(request));
        match self.finish(node, id) {
            Done::Members(outcome) => outcome.expect("a majority answers"),
            other => panic!("a listing ended with {other:?}"),
        }
    }

    fn secret_items(&mut self, node: usize) -> Vec<Vec<u8>> {
        let report = self.secret_members(node, secret());
        let mut items: Vec<Vec<u8>> =
            report.members.iter().map(|member| member.item.to_vec()).collect();
        items.sort();
        items
    }
}

#[test]
fn friends_add_list_and_remove_from_any_node() {
    let mut world = World::joined(14);
    for (node, item) in [(1, &b"ada"[..]), (5, b"grace"), (9, b"\x00\xff\x00")] {
        world.change(node, add(None, item)).expect("all are up");
    }
    world.change(3, add(Some(writer(1)), b"ada")).expect("all are up");
    for node in [0, 7, 13] {
        let items: Vec<&[u8]> = vec![b"\x00\xff\x00", b"ada", b"ada", b"grace"];
        assert_eq!(world.secret_items(node), items, "one of two writers");
    }
    world.change(2, remove(None, b"ada")).expect("it is a member");
    let gone = world.change(2, remove(None, b"ada"));
    assert!(matches!(gone, Err(SetError::NotFound { .. })), "{gone:?}");
    let left = world.secret_members(4, secret());
    let ada = left.members.iter().find(|member| *member.item == *b"ada").expect("another's");
    assert_eq!((ada.writer, left.members.len()), (writer(1).public_key(), 3));
}

#[test]
fn adding_again_renews_the_member_and_makes_no_second() {
    let mut world = World::joined(10);
    let for_an_hour = SetRequest { change: SetChange::Add { ttl: HOUR }, ..add(None, b"ada") };
    world.change(1, for_an_hour.clone()).expect("all are up");
    world.run(HOUR / 2);
    let again = world.change(6, for_an_hour).expect("all are up");
    let report = world.secret_members(3, secret());
    assert_eq!((report.members.len(), report.held), (1, 1));
    assert_eq!(
        (report.members[0].expires, report.members[0].version),
        (again.expires, again.version)
    );
    world.run(2 * HOUR);
    assert!(world.secret_items(3).is_empty());
}

#[test]
fn holders_and_those_with_another_passphrase_see_no_item() {
    let mut world = World::joined(10);
    world.change(1, add(None, b"a guest of whom nobody may know")).expect("all are up");
    for node in world.closest(&target(), 8) {
        let (members, ..) = world.page_held(node, target(), None);
        let [member] = &members[..] else { panic!("{} members", members.len()) };
        let told = |part: &[u8]| member.encode().windows(part.len()).any(|it| it == part);
        assert!(!told(b"guest") && !told(KEY.as_bytes()));
        // 24 of nonce, 64 of padded item, 16 of tag.
        assert_eq!(member.item().len(), 104);
    }
    let wrong = Namespace::secret("open sesami").expect("a passphrase");
    for stranger in [wrong, Namespace::of(secret().owner()), Namespace::default()] {
        let report = world.secret_members(4, stranger);
        assert_eq!((report.members.len(), report.unopened), (0, 0));
    }
}

#[test]
fn what_strangers_add_or_carry_over_does_not_open_and_is_left_out() {
    let mut world = World::joined(10);
    world.change(1, add(None, b"ada")).expect("all are up");
    let near = world.closest(&target(), 8);
    let theirs = world.page_held(near[0], target(), None).0.remove(0);
    let stranger = writer(9);
    let sign = |item: &[u8]| {
        let saying = Saying { item, ..theirs.saying() };
        Member::sign(&stranger, &target(), saying).expect("a sound member")
    };
    // Junk, and the sealed item of a friend under a stranger's name.
    for member in [sign(b"junk"), sign(theirs.item())] {
        near.iter().for_each(|node| assert_eq!(world.give_member(*node, &member), Ok(())));
    }
    let report = world.secret_members(4, secret());
    assert_eq!((report.members.len(), report.unopened), (1, 2));
    assert_eq!(*report.members[0].item, *b"ada");
}

#[test]
fn the_longest_item_is_a_member_and_one_byte_more_is_none() {
    let mut world = World::joined(9);
    let longest = vec![0; SEALED_MEMBER_BYTES];
    world.change(1, add(None, &longest)).expect("all are up");
    assert_eq!(world.secret_items(5), [longest]);
    let length = SEALED_MEMBER_BYTES + 1;
    let refused = world.change(1, add(None, &vec![0; length]));
    assert_eq!(refused, Err(SetError::ItemSize { length, limit: SEALED_MEMBER_BYTES }));
}
