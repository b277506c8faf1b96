//! Watching a key: what is printed, when it ends, and how.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::program::{Node, Watch, run};

#[test]
fn each_version_is_printed_as_it_comes_and_a_deletion_too() {
    let node = Node::start(&[]);
    node.run(&["put", "k", "one"]).expect(0);
    let watch = Watch::start(&node, &["k"]);
    let first = watch.line();
    assert!(first.ends_with(" UTC: one"), "{first}");
    node.run(&["put", "k", "two\nlines"]).expect(0);
    assert!(watch.line().ends_with(r": two\nlines"));
    node.run(&["delete", "k"]).expect(0);
    let last = watch.line();
    assert!(last.ends_with(" UTC, deleted"), "{last}");
    let version = |line: &str| line.split(',').next().unwrap().parse::<u64>().unwrap();
    assert!(version(&first) < version(&last));
    assert_eq!(watch.leave("INT").code(), Some(0));
}

#[test]
fn in_json_each_version_is_one_object_and_it_ends_after_as_many_as_were_asked() {
    let node = Node::start(&[]);
    let other = Node::start_beside(&node, &[]);
    let watch = Watch::start(&other, &["k", "--json", "--count", "3"]);
    let put = node.run(&["put", "k", "one", "--json"]).expect(0).json();
    let read = || serde_json::from_str::<Value>(&watch.line()).unwrap();
    let one = read();
    assert_eq!((&one["version"], &one["value"]), (&put["version"], &Value::from("one")));
    assert_eq!((&one["deleted"], &one["key"]), (&Value::from(false), &Value::from("k")));
    assert_eq!(one["expires_ms"], put["expires_ms"]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    assert!(one["written_ms"].as_u64().unwrap().abs_diff(now) < 60_000);
    node.run_with(&["put", "k", "-"], &[0, 0xff]).expect(0);
    assert_eq!(read()["value_hex"], "00ff");
    other.run(&["delete", "k"]).expect(0);
    let last = read();
    assert_eq!((&last["deleted"], last.get("value")), (&Value::from(true), None));
    assert_eq!(watch.ended().code(), Some(0));
}

#[test]
fn it_goes_on_where_another_ended() {
    let node = Node::start(&[]);
    let first = node.run(&["put", "k", "one", "--json"]).expect(0).json()["version"].to_string();
    node.run(&["put", "k", "two"]).expect(0);
    let told = node.run(&["watch", "k", "--after", &first, "--count", "1"]).expect(0);
    assert!(told.text().ends_with(": two\n") && told.text().lines().count() == 1, "{told:?}");
    let version = told.text().split(',').next().unwrap().to_owned();
    let watch = Watch::start(&node, &["k", "--after", &version, "--count", "1"]);
    node.run(&["put", "k", "three"]).expect(0);
    assert!(watch.line().ends_with(": three"));
    assert_eq!(watch.ended().code(), Some(0));
}

#[test]
fn who_cannot_watch_is_told_why() {
    let nobody = run(&["watch", "k", "--join", "127.0.0.1:9"]).expect(5);
    assert!(nobody.stderr.contains("nobody of network `xorbit` answers"), "{nobody:?}");
    run(&["watch", "k", "--count", "0"]).expect(2);
    let bad = run(&["watch", "k", "--after", "yesterday"]).expect(2);
    assert!(bad.stderr.contains("not a version"), "{bad:?}");
    run(&["watch", "", "--join", "127.0.0.1:9"]).expect(2);
}
