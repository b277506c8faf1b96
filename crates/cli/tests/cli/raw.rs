//! What other Mainline programs speak: raw items, topics and their peers, lookups and samples.

use crate::program::{Directory, Node, run};

#[test]
fn an_immutable_item_is_named_by_its_hash() {
    let node = Node::start(&[]);
    let put = node.run(&["item", "put", "Hello World!"]).expect(0);
    // The vector of BEP 44.
    assert_eq!(put.text(), "e5f96f6f38320f0f33959cb4d3d656452117aadb\n");
    assert!(put.stderr.contains("1 replica of 1 known"), "{put:?}");
    let got = node.run(&["item", "get", put.text().trim()]).expect(0);
    assert_eq!(got.text(), "Hello World!");
    let number = node.run(&["item", "put", "--bencoded", "i5e"]).expect(0);
    assert_eq!(node.run(&["item", "get", number.text().trim()]).expect(0).text(), "i5e");
    node.run(&["item", "put", "--bencoded", "i05e"]).expect(2);
    let told = node.run(&["item", "get", number.text().trim(), "--json"]).expect(0).json();
    assert_eq!(told["bencoded"], "i5e");
    // No text shows these bytes.
    let file = Directory::new();
    let list = file.file("list", b"l2:\xff\xfee");
    let put = node.run(&["item", "put", "--bencoded", "--file", &list]).expect(0);
    let told = node.run(&["item", "get", put.text().trim(), "--json"]).expect(0).json();
    assert_eq!((&told["bencoded_hex"], told.get("bencoded")), (&"6c323afffe65".into(), None));
    node.run(&["item", "get", &"0".repeat(40)]).expect(1);
}

#[test]
fn a_mutable_item_has_a_salt_and_versions() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let key = directory.path("key");
    run(&["keygen", &key]).expect(0);
    let put = |more: &[&str]| {
        node.run(&[&["item", "put", "--signer", &key, "--salt", "s", "--json"], more].concat())
    };
    let first = put(&["one", "--seq", "5"]).expect(0).json();
    let target = first["target"].as_str().unwrap();
    put(&["two", "--seq", "4"]).expect(4);
    let lost = put(&["two", "--seq", "6", "--cas", "4"]).expect(4).json();
    let hint = lost["error"]["hint"].as_str().unwrap();
    assert!(hint.contains(&format!("xorbit item get {target} --salt s")), "{hint}");
    assert_eq!(put(&["two"]).expect(0).json()["seq"], 6);
    let got = node.run(&["item", "get", target, "--salt", "s", "--json"]).expect(0).json();
    assert_eq!((got["value"].as_str(), got["seq"].as_u64()), (Some("two"), Some(6)));
    // Without the salt the answer does not verify, so nobody who can be believed has answered.
    let unsalted = node.run(&["item", "get", target]).expect(5);
    assert!(unsalted.stderr.contains("`--salt`"), "{unsalted:?}");
}

#[test]
fn peers_announce_themselves_and_are_found_and_counted() {
    let first = Node::start(&[]);
    let second = Node::start_beside(&first, &[]);
    first.run(&["peers", "films"]).expect(1);
    let announced = first.run(&["announce", "films", "--port", "4000", "--seed"]).expect(0);
    assert!(announced.stderr.contains("announced: 2 nodes of 2 known"), "{announced:?}");
    let peers = second.run(&["peers", "films"]).expect(0);
    assert_eq!(peers.text(), "127.0.0.1:4000\n");
    // The same topic by its info hash.
    let digits = "c17b76c5664ca62b672b629bf2a0ec9515105e86";
    let peers = second.run(&["peers", digits, "--json"]).expect(0).json();
    assert_eq!(peers["peers"][0], "127.0.0.1:4000");
    let counted = second.run(&["scrape", "films"]).expect(0);
    assert_eq!(counted.text(), "about 1 seed, 0 other peers\n");
    assert_eq!(second.run(&["scrape", digits, "--json"]).expect(0).json()["seeds"], 1);
    second.run(&["scrape", "other"]).expect(1);
    let sampled = run(&["sample", &first.address]).expect(0);
    assert_eq!(sampled.text(), format!("{digits}\n"));
    let sampled = run(&["sample", &first.address, "--json"]).expect(0).json();
    assert_eq!(sampled["nodes"][0]["address"], second.address.as_str());
}

#[test]
fn an_implied_port_is_the_one_that_others_see() {
    let node = Node::start(&[]);
    node.run(&["announce", "t", "--implied-port"]).expect(0);
    let peers = node.run(&["peers", "t"]).expect(0);
    assert!(peers.text().starts_with("127.0.0.1:") && !peers.text().ends_with(":1\n"), "{peers:?}");
}

#[test]
fn a_lookup_prints_the_closest_and_traces_each_hop() {
    let first = Node::start(&[]);
    let second = Node::start_beside(&first, &[]);
    let place = format!("hex:{}", second.id);
    let found = first.run(&["lookup", &place, "--trace"]).expect(0);
    let lines: Vec<&str> = found.text().lines().collect();
    assert_eq!(lines.len(), 2, "{found:?}");
    assert!(lines[0].starts_with(&second.id) && lines[0].contains("shares 160 bits"), "{found:?}");
    assert!(found.stderr.contains("hop 1") && found.stderr.contains("hop 2"), "{found:?}");
    let found = first.run(&["lookup", &place, "--trace", "--json"]).expect(0).json();
    assert_eq!(found["closest"][0]["id"], second.id.as_str());
    assert_eq!(found["steps"].as_array().unwrap().len(), 2);
    // A key lies where its record does.
    let target = first.run(&["put", "k", "v", "--json"]).expect(0).json()["target"].clone();
    assert_eq!(first.run(&["lookup", "k", "--json"]).expect(0).json()["target"], target);
}
