//! Nodes with addresses of both families, and of one.

use std::time::Duration;

use kv::{Config, Consistency, PutError};
use wire::{Endpoint, Family};

use super::world::World;
use super::world::asking::{put_request, target};

fn v4(host: u8) -> Endpoint {
    Endpoint::v4([10, 0, 0, host], 8000)
}

fn v6(host: u8) -> Endpoint {
    let mut ip = [0; 16];
    (ip[0], ip[15]) = (0xfd, host);
    Endpoint::v6(ip, 8000)
}

/// Nodes that have an IPv4 address, an IPv6 address, or both, joined through the first.
fn mixed(families: &[[bool; 2]]) -> World {
    let mut world = World::new(1);
    for (host, [four, six]) in families.iter().enumerate() {
        let host = host as u8;
        let places = [four.then(|| v4(host)), six.then(|| v6(host))];
        let node = world.add_at(places, Config::default());
        if node > 0 {
            world.join(node, 0);
        }
        world.run(Duration::from_millis(300));
    }
    world.run(Duration::from_secs(30));
    world
}

#[test]
fn a_network_of_both_families_counts_each_node_once() {
    let mut world = mixed(&[[true, true]; 12]);
    assert!((0..12).all(|node| world.contacts(node, Family::V6) == 11));
    let put = world.store(3, "k", b"v");
    assert_eq!((put.replicas.known, put.replicas.stored.len()), (8, 8));
    let mut ids: Vec<_> = put.replicas.stored.iter().map(|replica| replica.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8);
    for node in 0..12 {
        let got = world.get(node, "k").expect("it was put");
        assert_eq!((&*got.value, got.known, got.agreed), (&b"v"[..], 8, 8));
    }
}

#[test]
fn a_silent_node_of_both_families_counts_once() {
    let mut world = mixed(&[[true, true]; 12]);
    let near = world.closest(&target("k"), 8);
    let far = world.far_from(&target("k"), 8)[0];
    world.down(&near[2..5]);
    let put = world.store(far, "k", b"v");
    let counts = (put.replicas.known, put.replicas.stored.len(), put.replicas.silent.len());
    assert_eq!(counts, (8, 5, 3), "{put:?}");
    let got = world.get(far, "k").expect("five are a majority");
    assert_eq!((got.known, got.agreed, got.silent), (8, 5, 3));
    world.down(&near[5..6]);
    let put = world.put(far, put_request("k", b"w"));
    assert!(matches!(put, Err(PutError::NotEnoughReplicas(_))), "{put:?}");
}

#[test]
fn nodes_of_one_family_meet_in_those_of_both() {
    let (four, six, both) = ([true, false], [false, true], [true, true]);
    let mut world = mixed(&[both, both, four, four, six, six]);
    let put = world.store(2, "k", b"v");
    assert_eq!((put.replicas.known, put.replicas.stored.len()), (4, 4));
    let got = world.get(5, "k").expect("those of both families hold it");
    assert_eq!((&*got.value, got.known, got.agreed, got.missing), (&b"v"[..], 4, 2, 2));
    world.run(Duration::from_secs(2));
    let got = world.get_as(4, "k", Consistency::All).expect("the reader repaired");
    assert_eq!(got.agreed, 4);
}

#[test]
fn a_network_of_ipv6_alone_works() {
    let mut world = mixed(&[[false, true]; 10]);
    world.store(3, "k", b"v");
    assert_eq!(*world.read(8, "k"), *b"v");
    world.delete(9, "k");
    assert!(world.get(0, "k").is_err());
}
