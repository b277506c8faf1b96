//! The counts in the reports of puts and gets are what happened, to the last node.

use std::time::Duration;

use kv::{Config, Consistency, GetError, PutError, PutReport, Replica};

use super::large::{cut, value};
use super::world::asking::{put_request, target};
use super::world::{START, World};

/// Every replica known has exactly one place in a report.
fn assert_complete(report: &PutReport) {
    let writes = &report.replicas;
    let told = writes.stored.len() + writes.refused.len() + writes.silent.len();
    assert_eq!(told, writes.known, "{writes:?}");
    assert_eq!(writes.needed, writes.known / 2 + 1);
}

fn ids(replicas: &[Replica]) -> Vec<wire::NodeId> {
    replicas.iter().map(|replica| replica.id).collect()
}

#[test]
fn a_put_names_the_closest_nodes_as_its_replicas_closest_first() {
    for (count, wanted) in [(20, 8), (30, 3), (30, 1), (5, 8), (12, 20)] {
        let config = Config { replicas: wanted, ..Config::default() };
        let mut world = World::joined_with(count, 1, &config);
        for node in [0, 1, count - 1] {
            let key = format!("key {node}");
            let put = world.store(node, &key, b"v");
            assert_complete(&put);
            let closest = world.closest(&target(&key), wanted);
            let expected: Vec<_> = closest.iter().map(|index| world.id(*index)).collect();
            assert_eq!(ids(&put.replicas.stored), expected, "{wanted} of {count} from {node}");
        }
    }
}

#[test]
fn a_network_set_to_many_replicas_reads_from_everywhere_what_it_wrote() {
    let config = Config { replicas: 20, ..Config::default() };
    let mut world = World::joined_with(40, 1, &config);
    for node in (0..40).step_by(3) {
        let put = world.store(39 - node, "k", &[node as u8]);
        assert_complete(&put);
        assert_eq!(put.replicas.known, 20);
        assert_eq!(*world.read(node, "k"), [node as u8]);
    }
}

#[test]
fn a_put_at_a_replica_counts_itself_without_an_address() {
    let mut world = World::joined(20);
    let near = world.closest(&target("k"), 8);
    let put = world.store(near[2], "k", b"v");
    assert_complete(&put);
    let own: Vec<_> =
        put.replicas.stored.iter().filter(|replica| replica.endpoint.is_none()).collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].id, world.id(near[2]));
    let far = world.far_from(&target("other"), 8)[0];
    let put = world.store(far, "other", b"v");
    assert_complete(&put);
    assert!(put.replicas.stored.iter().all(|replica| replica.endpoint.is_some()));
}

#[test]
fn silent_replicas_are_named_and_the_others_still_store() {
    let mut world = World::joined(20);
    let near = world.closest(&target("k"), 8);
    let far = world.far_from(&target("k"), 8)[0];
    let lost = [near[1], near[4], near[6]];
    world.down(&lost);
    let put = world.store(far, "k", b"v");
    assert_complete(&put);
    assert_eq!((put.replicas.known, put.replicas.stored.len()), (8, 5));
    let silent = ids(&put.replicas.silent);
    assert_eq!(silent, lost.map(|node| world.id(node)));
    assert!(put.replicas.effort.took > Duration::from_millis(20));
}

#[test]
fn fewer_than_a_majority_is_not_enough_and_all_is_told() {
    let mut world = World::joined(20);
    let near = world.closest(&target("k"), 8);
    let far = world.far_from(&target("k"), 8)[0];
    world.down(&near[..4]);
    let Err(PutError::NotEnoughReplicas(report)) = world.put(far, put_request("k", b"v")) else {
        panic!("4 of 8 are no majority")
    };
    assert_complete(&report);
    assert_eq!((report.replicas.known, report.replicas.needed), (8, 5));
    assert_eq!((report.replicas.stored.len(), report.replicas.silent.len()), (4, 4));
}

#[test]
fn holders_that_refuse_are_named_with_their_reason() {
    let full = node::Config {
        shelf: node::ShelfLimits { items: 0, bytes: 0, ..Default::default() },
        ..node::Config::default()
    };
    let mut world = World::joined(1);
    for _ in 0..5 {
        let node = world.add(Config { node: full.clone(), ..Config::default() });
        world.join(node, 0);
    }
    world.run(Duration::from_secs(20));
    let Err(PutError::NotEnoughReplicas(report)) = world.put(0, put_request("k", b"v")) else {
        panic!("5 of 6 have no room")
    };
    assert_complete(&report);
    assert_eq!((report.replicas.stored.len(), report.replicas.refused.len()), (1, 5));
    for refusal in &report.replicas.refused {
        assert_eq!((refusal.code, &*refusal.text), (202, "full"));
    }
    // Of many chunks the first refusal stands for all.
    let (_, items) = cut(&value(3));
    let chunks = world.put_chunks(0, &items, START + Duration::from_secs(3600));
    assert_eq!((chunks.stored, chunks.short), (0, 3));
    let refusal = chunks.refusal.expect("five refused each");
    assert_eq!((refusal.code, &*refusal.text), (202, "full"));
}

#[test]
fn a_get_counts_who_agrees_who_lags_who_lacks_and_who_is_silent() {
    let mut world = World::joined(20);
    let near = world.closest(&target("k"), 8);
    let far = world.far_from(&target("k"), 8)[0];
    // The first miss both puts, the next one the second put, the last one falls silent later.
    world.down(&near[..2]);
    world.store(far, "k", b"old");
    world.up(&near[..2]);
    world.down(&near[..3]);
    world.store(far, "k", b"new");
    world.up(&near[..3]);
    world.down(&near[7..]);
    let got = world.get(far, "k").expect("a majority answers");
    assert_eq!(*got.value, *b"new");
    assert_eq!((got.known, got.agreed, got.stale), (8, 4, 1), "{got:?}");
    assert_eq!((got.missing, got.silent, got.repairing), (2, 1, 3), "{got:?}");
    assert_eq!(got.source.id, world.id(near[3]), "the closest that holds the newest");
}

#[test]
fn a_first_read_names_the_node_that_answered() {
    let mut world = World::joined(20);
    let near = world.closest(&target("k"), 8);
    let far = world.far_from(&target("k"), 8)[0];
    world.store(far, "k", b"v");
    let got = world.get_as(far, "k", Consistency::First).expect("all hold it");
    let holders: Vec<_> = near.iter().map(|node| world.id(*node)).collect();
    assert!(holders.contains(&got.source.id), "{:?} is no holder", got.source);
    assert!(got.source.endpoint.is_some());
    let got = world.get_as(near[0], "k", Consistency::First).expect("it holds it itself");
    assert_eq!((got.source.id, got.source.endpoint), (world.id(near[0]), None));
    assert_eq!(got.effort.asked, 0, "its own copy is the first answer");
}

#[test]
fn too_few_answers_are_told_with_what_they_found() {
    let mut world = World::joined(20);
    let near = world.closest(&target("k"), 8);
    let far = world.far_from(&target("k"), 8)[0];
    world.store(far, "k", b"v");
    world.down(&near[..5]);
    let Err(GetError::NotEnoughReplicas { answered, known, needed, found }) = world.get(far, "k")
    else {
        panic!("3 of 8 are no majority")
    };
    assert_eq!((answered, known, needed), (3, 8, 5));
    let found = found.expect("three hold it");
    assert_eq!((&*found.value, found.agreed, found.silent), (&b"v"[..], 3, 5));
}

#[test]
fn an_effort_tells_queries_and_replies() {
    let mut world = World::joined(20);
    let before = world.datagrams;
    let put = world.store(4, "k", b"v");
    let effort = put.replicas.effort;
    assert!(effort.asked >= 8 && effort.answered >= 7, "{effort:?}");
    assert!(effort.answered <= effort.asked && effort.hops >= 1);
    let sent = world.datagrams - before;
    assert!(sent as usize >= effort.asked + effort.answered, "{sent} datagrams");
}
