//! A node that keeps what it holds on a disk: what is answered, and when.

use node::{Change, Changes, Config, Restorable};
use wire::Item;

use super::bencoded::{Answer, Dictionary, query};
use super::items::{get, mutable, name};
use super::victim::{Victim, global, private};

fn victim() -> Victim {
    Victim::with(Config { durable: true, ..Config::default() })
}

/// Sends a put under a transaction id of its own; nothing comes back at once unless it is refused.
fn put(victim: &mut Victim, from: u16, arguments: Dictionary, salt: &[u8]) -> Option<i64> {
    let ask = Dictionary::new().string("target", name(salt).as_bytes());
    let token = victim.ask(private(from), &query("get", &ask, b"aa")).value("token");
    let transaction = from.to_be_bytes();
    let arguments = arguments.string("token", &token);
    let sent = victim.hear(private(from), &query("put", &arguments, &transaction));
    sent.iter().find(|sent| sent.query().is_none()).and_then(|sent| Answer::read(&sent.bytes).code)
}

/// Who is answered when the disk has, or has not, what gathered so far.
fn commit(victim: &mut Victim, works: bool) -> Vec<(Vec<u8>, Option<i64>)> {
    let batch = victim.node.changes().take(&mut Changes::default());
    let sent = if works { victim.stored(batch) } else { victim.not_stored(batch) };
    let told = |answer: Answer| (answer.transaction(), answer.code);
    sent.iter().map(|sent| told(Answer::read(&sent.bytes))).collect()
}

fn shown(victim: &mut Victim) -> Option<i64> {
    let answer = get(victim, name(b"k"));
    answer.has("v").then(|| answer.number("seq"))
}

#[test]
fn a_put_is_answered_and_shown_when_it_is_durable_and_not_before() {
    let mut victim = victim();
    assert_eq!(put(&mut victim, 1, mutable(b"k", 1, b"1:a"), b"k"), None);
    assert_eq!(shown(&mut victim), None);
    assert_eq!(commit(&mut victim, true), [(vec![0, 1], None)]);
    assert_eq!(shown(&mut victim), Some(1));
    assert_eq!(commit(&mut victim, true), []);
}

#[test]
fn what_the_disk_does_not_take_is_refused_and_what_was_there_stays() {
    let mut victim = victim();
    put(&mut victim, 1, mutable(b"k", 1, b"1:a"), b"k");
    commit(&mut victim, true);
    put(&mut victim, 2, mutable(b"k", 2, b"1:b"), b"k");
    put(&mut victim, 3, mutable(b"l", 1, b"1:b"), b"l");
    let refused = commit(&mut victim, false);
    assert_eq!(refused, [(vec![0, 2], Some(202)), (vec![0, 3], Some(202))]);
    assert_eq!(shown(&mut victim), Some(1));
    // The same put again, when there is room again.
    assert_eq!(put(&mut victim, 2, mutable(b"k", 2, b"1:b"), b"k"), None);
    assert_eq!(commit(&mut victim, true), [(vec![0, 2], None)]);
    assert_eq!(shown(&mut victim), Some(2));
}

#[test]
fn order_and_swaps_count_what_is_on_its_way_to_the_disk() {
    let mut victim = victim();
    put(&mut victim, 1, mutable(b"k", 5, b"1:a"), b"k");
    assert_eq!(put(&mut victim, 2, mutable(b"k", 4, b"1:b"), b"k"), Some(302));
    let swap = |seq, cas| mutable(b"k", seq, b"1:c").integer("cas", cas);
    assert_eq!(put(&mut victim, 3, swap(6, 4), b"k"), Some(301));
    assert_eq!(put(&mut victim, 4, swap(6, 5), b"k"), None);
    assert_eq!(put(&mut victim, 5, swap(7, 5), b"k"), Some(301), "one swap wins");
    assert_eq!(commit(&mut victim, true), [(vec![0, 1], None), (vec![0, 4], None)]);
    assert_eq!(shown(&mut victim), Some(6));
}

#[test]
fn versions_become_visible_batch_by_batch() {
    let mut victim = victim();
    put(&mut victim, 1, mutable(b"k", 1, b"1:a"), b"k");
    let (mut first, mut second) = (Changes::default(), Changes::default());
    let one = victim.node.changes().take(&mut first);
    put(&mut victim, 2, mutable(b"k", 2, b"1:b"), b"k");
    let two = victim.node.changes().take(&mut second);
    assert_eq!(victim.stored(one).len(), 1);
    assert_eq!(shown(&mut victim), Some(1), "an answered put is there for all readers");
    assert_eq!(victim.stored(two).len(), 1);
    assert_eq!(shown(&mut victim), Some(2));
}

#[test]
fn a_repeated_put_waits_with_the_first_and_writes_nothing_once_that_is_durable() {
    let mut victim = victim();
    let again = |victim: &mut Victim, from| put(victim, from, mutable(b"k", 1, b"1:a"), b"k");
    assert_eq!((again(&mut victim, 1), again(&mut victim, 2)), (None, None));
    assert_eq!(victim.node.changes().len(), 1);
    assert_eq!(commit(&mut victim, true), [(vec![0, 1], None), (vec![0, 2], None)]);
    let ask = Dictionary::new().string("target", name(b"k").as_bytes());
    let token = victim.ask(private(3), &query("get", &ask, b"aa")).value("token");
    let third = query("put", &mutable(b"k", 1, b"1:a").string("token", &token), b"cc");
    assert_eq!(victim.ask(private(3), &third).code, None);
    assert!(victim.node.changes().is_empty());
}

#[test]
fn a_node_comes_back_with_what_was_durable_and_nothing_else() {
    let mut victim = victim();
    put(&mut victim, 1, mutable(b"k", 1, b"1:a"), b"k");
    let announce = Dictionary::new().string("info_hash", &[4; 20]);
    let token = victim.ask(global(3), &query("get_peers", &announce, b"aa")).value("token");
    let announce = announce.integer("port", 7).string("token", &token);
    victim.ask(global(3), &query("announce_peer", &announce, b"aa"));
    let mut durable = Changes::default();
    victim.node.changes().take(&mut durable);
    put(&mut victim, 2, mutable(b"k", 2, b"1:b"), b"k");

    let mut again = self::victim();
    let now = again.now;
    for change in durable.iter() {
        let Change::Put { key, value } = change else { panic!("nothing was removed") };
        assert!(again.node.restore(now, Restorable::read(key, value).unwrap()));
        assert_eq!(Restorable::read(key, &value[..1]), None, "cut short");
        assert_eq!(Restorable::read(b"zebra", value), None, "nothing of ours");
    }
    assert_eq!(shown(&mut again), Some(1));
    assert_eq!(again.node.held_peers(), (1, 1));
    let mut late = Victim::with(Config { durable: true, ..Config::default() });
    let later = node::Now { wall: late.now.wall + node::limits::PLAIN_LEASE, ..late.now };
    for change in durable.iter() {
        let Change::Put { key, value } = change else { panic!("nothing was removed") };
        let kept = Restorable::read(key, value).unwrap();
        assert!(!late.node.restore(later, kept), "it has ended");
    }
}

#[test]
fn what_ends_leaves_the_disk() {
    let mut victim = victim();
    put(&mut victim, 1, mutable(b"k", 1, b"1:a"), b"k");
    commit(&mut victim, true);
    victim.pass(node::limits::PLAIN_LEASE + std::time::Duration::from_secs(180));
    let mut ended = Changes::default();
    victim.node.changes().take(&mut ended);
    let removed = ended.iter().filter(|change| matches!(change, Change::Remove { .. }));
    assert_eq!(removed.count(), 1);
    assert_eq!(victim.node.held_items().0, 0);
}

#[test]
fn puts_that_wait_for_the_disk_are_bounded() {
    let mut victim = victim();
    let token = get(&mut victim, name(b"k")).value("token");
    let mut refused = None;
    let arguments = mutable(b"k", 1, b"1:a").string("token", &token);
    let put = query("put", &arguments, b"bb");
    for count in 0..node::limits::ACKNOWLEDGEMENTS + 1 {
        if let [sent] = &victim.hear(private(7), &put)[..] {
            refused = Some((count, Answer::read(&sent.bytes).code));
        }
    }
    assert_eq!(refused, Some((node::limits::ACKNOWLEDGEMENTS, Some(202))));
    assert_eq!(commit(&mut victim, true).len(), node::limits::ACKNOWLEDGEMENTS);
}

#[test]
fn an_item_on_its_way_is_no_value_to_our_own_reads_either() {
    let mut victim = victim();
    put(&mut victim, 1, mutable(b"k", 1, b"1:a"), b"k");
    let now = victim.now;
    assert_eq!(victim.node.held(&name(b"k"), now).and_then(Item::seq), None);
    commit(&mut victim, true);
    assert!(victim.node.held(&name(b"k"), now).is_some());
}

#[test]
fn whoever_repeats_a_put_that_is_on_its_way_hears_of_that_and_not_of_a_later_batch() {
    let mut victim = victim();
    put(&mut victim, 1, mutable(b"k", 1, b"1:a"), b"k");
    let first = victim.node.changes().take(&mut Changes::default());
    put(&mut victim, 2, mutable(b"l", 1, b"1:b"), b"l");
    put(&mut victim, 3, mutable(b"k", 1, b"1:a"), b"k");
    let codes = |sent: Vec<super::victim::Sent>| -> Vec<_> {
        let told = |answer: Answer| (answer.transaction(), answer.code);
        sent.iter().map(|sent| told(Answer::read(&sent.bytes))).collect()
    };
    let refused = codes(victim.not_stored(first));
    assert_eq!(refused, [(vec![0, 1], Some(202)), (vec![0, 3], Some(202))]);
    assert_eq!(commit(&mut victim, true), [(vec![0, 2], None)]);
    assert_eq!(shown(&mut victim), None);
}

#[test]
fn a_put_that_is_repeated_later_than_one_that_fails_is_held() {
    let mut victim = victim();
    put(&mut victim, 1, mutable(b"k", 1, b"1:a"), b"k");
    let first = victim.node.changes().take(&mut Changes::default());
    // Its lease is another one by now, so it goes to the disk once more.
    victim.pass(std::time::Duration::from_secs(1));
    put(&mut victim, 2, mutable(b"k", 1, b"1:a"), b"k");
    victim.not_stored(first);
    assert_eq!(commit(&mut victim, true), [(vec![0, 2], None)]);
    assert_eq!(shown(&mut victim), Some(1));
}
