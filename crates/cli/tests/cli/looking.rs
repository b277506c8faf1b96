//! `xorbit status`: looking at a node that runs.

use std::time::{Duration, Instant};

use crate::program::{Directory, Node, PATIENCE, Verb, run};

fn status(url: &str, arguments: &[&str]) -> crate::program::Outcome {
    run(&[&["status", "--http-url", url], arguments].concat())
}

#[test]
fn a_look_at_a_node_tells_who_and_where_it_is_and_what_it_holds() {
    let (node, url) = Node::serve(&[]);
    let _second = Node::start_beside(&node, &[]);
    node.run(&["put", "k", "v"]).expect(0);
    let told = status(&url, &[]).expect(0);
    let lines: Vec<&str> = told.text().lines().collect();
    assert!(lines[0].starts_with(&format!("node {}, xorbit ", node.id)), "{told:?}");
    assert_eq!(lines[1], format!("at {}, network `xorbit`: ready", node.address));
    assert!(lines[2].starts_with("contacts   1, median round trip "), "{told:?}");
    assert!(!lines[2].ends_with(" 0 ms"), "no datagram takes no time: {told:?}");
    assert!(lines[3].starts_with("holds      1 item ("), "{told:?}");
    assert!(lines[4].starts_with("traffic    received "), "{told:?}");
    assert!(lines[5].starts_with("questions  "), "{told:?}");
    assert_eq!(lines.len(), 6, "{told:?}");
}

#[test]
fn with_json_a_look_tells_all_that_the_node_tells() {
    let (node, url) = Node::serve(&["--network", "ours"]);
    let told = status(&url, &["--json"]).expect(0).json();
    assert_eq!(told["ready"], true, "{told}");
    assert_eq!(told["node"]["id"], node.id.as_str(), "{told}");
    assert_eq!(told["node"]["network"], "ours", "{told}");
    assert_eq!(told["node"]["sealed"], false, "{told}");
    assert!(told["routing"]["contacts"].is_array() && told["stats"].is_object(), "{told}");
}

#[test]
fn ready_is_a_node_that_its_network_answers_and_nothing_is_said_of_it() {
    let (node, url) = Node::serve(&[]);
    let ready = status(&url, &["--ready"]).expect(0);
    assert!(ready.stdout.is_empty() && ready.stderr.is_empty(), "{ready:?}");
    let gone = Node::start(&[]).address.clone();
    let (_alone, url) = Node::serve(&["--join", &gone]);
    let lives = status(&url, &["--live"]).expect(0);
    assert!(lives.stdout.is_empty() && lives.stderr.is_empty(), "{lives:?}");
    let lost = status(&url, &["--ready"]).expect(5);
    assert!(lost.stderr.contains("answers 503"), "{lost:?}");
    assert!(status(&url, &[]).expect(0).text().contains("NOT READY"));
    drop(node);
}

#[test]
fn watched_it_is_told_again_and_as_rates_and_ends_with_the_node() {
    let (node, url) = Node::serve(&[]);
    let watch = Verb::start(&node, &["status", "--watch", "--http-url", &url]);
    let begin = Instant::now();
    // waits: until it has looked twice
    std::thread::sleep(Duration::from_millis(3_000));
    drop(node);
    let ended = watch.end_with(b"").expect(5);
    assert!(begin.elapsed() < PATIENCE, "{ended:?}");
    let looks = ended.text().matches("contacts   ").count();
    assert!(looks >= 2 && ended.text().contains("/s, "), "{ended:?}");
    assert!(ended.stderr.contains("no node answers at"), "{ended:?}");
}

#[test]
fn where_no_node_serves_it_is_said_how_to_start_one() {
    let (node, url) = Node::serve(&[]);
    drop(node);
    let nobody = status(&url, &[]).expect(5);
    assert!(nobody.stderr.contains(&format!("no node answers at `{url}`")), "{nobody:?}");
    assert_eq!(status(&url, &["--live"]).expect(5).stderr, nobody.stderr);
    assert!(nobody.stderr.contains("hint: start one with `xorbit node`"), "{nobody:?}");
    let wrong = status("ftp://here", &[]).expect(2);
    assert!(wrong.stderr.contains("http://HOST:PORT"), "{wrong:?}");
}

#[test]
fn a_node_that_wants_a_token_is_shown_it() {
    let directory = Directory::new();
    let token = directory.file("token", b"0123456789abcdef0123456789abcdef\n");
    let (_node, url) = Node::serve(&["--http-token-file", &token]);
    let without = status(&url, &[]).expect(2);
    assert!(without.stderr.contains("answers 401"), "{without:?}");
    assert!(without.stderr.contains("hint: show it the token"), "{without:?}");
    status(&url, &["--http-token-file", &token]).expect(0);
}
