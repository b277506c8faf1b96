//! Nodes: how they begin, join, come back and leave.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::program::{Directory, Node, run};

#[test]
fn a_ready_line_tells_id_address_network_and_how_to_join() {
    let node = Node::start(&[]);
    let Node { ready, address, id, .. } = &node;
    assert!(address.starts_with("127.0.0.1:") && id.len() == 40, "{ready}");
    let told = format!(
        "ready: node {id} at {address}, network `xorbit`; join it: xorbit node --join {address}"
    );
    assert_eq!(*ready, told);
    node.hear("nobody to join: a new network begins here");
    let pong = run(&["ping", address]).expect(0);
    assert!(pong.text().starts_with(&format!("{id} at {address} answers in ")), "{pong:?}");
}

#[test]
fn a_node_leaves_cleanly_on_both_signals() {
    for signal in ["INT", "TERM"] {
        let (status, last_words) = Node::start(&[]).leave(signal);
        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(last_words.last().unwrap().starts_with("left after "), "{last_words:?}");
    }
}

#[test]
fn a_node_tells_that_nobody_answers_and_joins_when_somebody_does() {
    let early = Node::start(&[]);
    let address = early.address.clone();
    drop(early);
    let waiting = Node::start(&["--join", &address]);
    let failed = waiting.hear("nobody of network `xorbit` answers");
    assert!(failed.contains(&address) && failed.contains("trying again in "), "{failed}");
    let _late = Node::start_at(&address);
    let joined = waiting.hear("joined");
    assert!(joined.contains(&address), "{joined}");
}

#[test]
fn with_a_data_directory_a_node_comes_back_as_itself_and_without_a_join() {
    let directory = Directory::new();
    let data = directory.path("data");
    let first = Node::start(&[]);
    let second = Node::start_beside(&first, &["--data", &data]);
    let id = second.id.clone();
    first.run(&["put", "k", "v"]).expect(0);
    second.leave("TERM");
    let again = Node::start(&["--data", &data]);
    assert_eq!(again.id, id);
    again.hear("joining through 1 contact of before");
    again.hear("joined");
    assert_eq!(again.run(&["get", "k"]).expect(0).text(), "v");
}

#[test]
fn a_node_that_starts_while_its_network_is_gone_forgets_nobody() {
    let directory = Directory::new();
    let data = directory.path("data");
    let first = Node::start(&[]);
    Node::start_beside(&first, &["--data", &data]).leave("INT");
    let address = first.address.clone();
    drop(first);
    Node::start(&["--data", &data]).leave("INT");
    let _first = Node::start_at(&address);
    Node::start(&["--data", &data]).hear("joined");
}

#[test]
fn a_node_that_is_killed_comes_back_with_all_that_it_acknowledged() {
    let directory = Directory::new();
    let data = directory.path("data");
    let node = Node::start(&["--data", &data]);
    for number in 0..5 {
        node.run(&["put", &format!("k{number}"), "v"]).expect(0);
    }
    node.run(&["delete", "k4"]).expect(0);
    drop(node);
    let again = Node::start(&["--data", &data]);
    again.hear("came back with 5 items");
    for number in 0..4 {
        assert_eq!(again.run(&["get", &format!("k{number}")]).expect(0).text(), "v");
    }
    again.run(&["get", "k4"]).expect(1);
}

#[test]
fn a_damaged_store_is_told_and_what_can_be_read_is_served() {
    let directory = Directory::new();
    let data = directory.path("data");
    let node = Node::start(&["--data", &data]);
    node.run(&["put", "first", "v"]).expect(0);
    node.run(&["put", "second", "v"]).expect(0);
    drop(node);
    let store = directory.path("data/store");
    let file = fs::read_dir(store).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    let place = bytes.windows(5).position(|window| window == b"first").unwrap();
    bytes[place] ^= 1;
    fs::write(&file, bytes).unwrap();
    let again = Node::start(&["--data", &data]);
    again.hear("the store was damaged");
    assert_eq!(again.run(&["get", "second"]).expect(0).text(), "v");
    again.run(&["get", "first"]).expect(1);
}

#[test]
fn a_node_that_leaves_hands_its_values_to_those_that_stay() {
    let network = ["--replicas", "1"];
    let first = Node::start(&network);
    let second = Node::start_beside(&first, &network);
    for number in 0..12 {
        first.run(&["put", &format!("k{number}"), "v", "--replicas", "1"]).expect(0);
    }
    let (status, told) = second.leave("TERM");
    assert!(status.success(), "{told:?}");
    assert!(told.iter().all(|line| !line.contains("could not")), "{told:?}");
    for number in 0..12 {
        let got = first.run(&["get", &format!("k{number}"), "--replicas", "1", "--first"]);
        assert_eq!(got.expect(0).text(), "v", "k{number}");
    }
}

#[test]
fn a_node_that_is_killed_at_once_keeps_its_identity() {
    let directory = Directory::new();
    let data = directory.path("data");
    let first = Node::start(&["--data", &data]);
    let id = first.id.clone();
    drop(first);
    assert_eq!(Node::start(&["--data", &data]).id, id);
}

#[test]
fn a_node_holds_no_more_than_it_was_told() {
    let node = Node::start(&["--max-bandwidth", "2M", "--max-items", "1", "--max-bytes", "500k"]);
    node.run(&["put", "one", "v"]).expect(0);
    let full = node.run(&["put", "two", "v"]).expect(3);
    assert!(full.stderr.contains("1 refused (202: full)"), "{full:?}");
    assert!(full.stderr.contains("hint: a node that is full takes it"), "{full:?}");
    assert!(node.hear("full: ").contains("1 of the 1 items of `--max-items`"));
    // The reason comes through also where many items are put.
    let line = b"{\"key\":\"three\",\"value\":\"v\"}\n";
    let batch = node.run_with(&["put", "--batch", "-"], line).expect(3);
    assert!(batch.stderr.contains("nodes, fewer than the 1 needed; 1 refused (202: full)"));
    let large = node.run(&["put", "four", &"v".repeat(5_000)]).expect(3);
    assert!(large.stderr.contains("  refused (202: full) first by 127.0.0.1:"), "{large:?}");
    assert!(large.stderr.contains("Then put it again: only the chunks"), "{large:?}");
}

#[test]
fn an_idle_node_is_small() {
    let node = Node::start(&[]);
    node.run(&["put", "k", "v"]).expect(0);
    // Only Linux tells. The program's own pages would depend on how it was built.
    if let Some(kib) = node.own_kib() {
        assert!(kib < 4 * 1024, "{kib} KiB");
    }
}

#[test]
fn a_node_serves_http_and_tells_where() {
    let node = Node::start(&["--http", "127.0.0.1:0"]);
    let told = node.hear("HTTP at http://127.0.0.1:");
    let address = told.trim_start_matches("HTTP at http://").trim_end_matches('/').to_owned();
    node.run(&["put", "k", "from the verb"]).expect(0);
    let got = over_http(&address, "GET /v1/kv/k", "");
    assert!(got.starts_with("HTTP/1.1 200") && got.ends_with("from the verb"), "{got}");
    let put = over_http(&address, "PUT /v1/kv/k", "from http");
    assert!(put.contains("stored: 1 replica of 1 known"), "{put}");
    assert_eq!(node.run(&["get", "k"]).expect(0).text(), "from http");
    // Told nothing of HTTP, a node takes a free port by itself.
    Node::start(&[]).hear("HTTP at http://127.0.0.1:");
}

/// Asks over HTTP, and gives all that comes back.
fn over_http(address: &str, what: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!("{what} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
