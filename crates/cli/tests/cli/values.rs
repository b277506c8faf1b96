//! Keys and values: put, get, delete, and what is told about them.

use serde_json::json;

use crate::program::{Directory, Node, run};

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_the_system_writes_as_it_is_read_is_put_as_it_reads() {
    let node = Node::start(&[]);
    let file = "/proc/sys/kernel/ostype";
    assert_eq!(std::fs::metadata(file).unwrap().len(), 0);
    node.run(&["put", "k", "--file", file]).expect(0);
    assert_eq!(node.run(&["get", "k"]).expect(0).text(), "Linux\n");
}

#[test]
fn a_value_is_put_got_and_deleted_through_different_nodes() {
    let first = Node::start(&[]);
    let second = Node::start_beside(&first, &[]);
    let put = first.run(&["put", "greeting", "hello"]).expect(0);
    assert!(put.stderr.contains("2 replicas of 2 known"), "{put:?}");
    assert!(put.stderr.contains("lives until 20") && put.stderr.contains(" UTC"), "{put:?}");
    assert!(put.stdout.is_empty());
    let got = second.run(&["get", "greeting"]).expect(0);
    assert_eq!(got.stdout, b"hello", "exactly the value, without a line end");
    assert_eq!(got.stderr, "");
    second.run(&["delete", "greeting"]).expect(0);
    let gone = first.run(&["get", "greeting"]).expect(1);
    assert!(gone.stderr.contains("it was deleted"), "{gone:?}");
    assert!(gone.stdout.is_empty());
    first.run(&["delete", "greeting"]).expect(1);
}

#[test]
fn a_node_alone_is_one_replica() {
    let node = Node::start(&[]);
    let put = node.run(&["put", "k", "v"]).expect(0);
    assert!(put.stderr.contains("1 replica of 1 known"), "{put:?}");
}

#[test]
fn values_come_from_the_command_line_from_stdin_and_from_a_file() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let bytes = [0, 0xff, b'\n', 0x80];
    let file = directory.file("value", &bytes);
    node.run_with(&["put", "piped", "-"], &bytes).expect(0);
    node.run(&["put", "filed", "--file", &file]).expect(0);
    node.run(&["put", "negative", "-5"]).expect(0);
    node.run(&["put", "empty", ""]).expect(0);
    for (key, value) in
        [("piped", &bytes[..]), ("filed", &bytes), ("negative", b"-5"), ("empty", b"")]
    {
        assert_eq!(node.run(&["get", key]).expect(0).stdout, value, "{key}");
    }
    let got = node.run(&["get", "piped", "--json"]).expect(0).json();
    assert_eq!(got["value_hex"], "00ff0a80");
    assert_eq!(got.get("value"), None);
}

#[test]
fn a_receipt_in_json_gives_the_version_that_a_later_put_can_demand() {
    let node = Node::start(&[]);
    let put = node.run(&["put", "k", "one", "--json"]).expect(0).json();
    assert_eq!(put["key"], "k");
    assert_eq!(put["replicas"]["stored"].as_array().unwrap().len(), 1);
    let version = put["version"].to_string();
    node.run(&["put", "k", "two", "--if-version", &version]).expect(0);
    let lost =
        node.run(&["put", "k", "three", "--if-version", &version, "--json"]).expect(4).json();
    assert_eq!(lost["error"]["kind"], "conflict");
    assert!(lost["error"]["current"].as_u64() > put["version"].as_u64());
    let told = node.run(&["put", "k", "three", "--if-version", "absent"]).expect(4);
    assert!(told.stderr.contains("hint: read it with `xorbit get k`"), "{told:?}");
    node.run(&["delete", "k", "--if-version", &version]).expect(4);
    assert_eq!(node.run(&["get", "k"]).expect(0).text(), "two");
    node.run(&["put", "new", "v", "--if-version", "absent"]).expect(0);
}

#[test]
fn a_value_lives_as_long_as_was_said() {
    let node = Node::start(&[]);
    let life = |arguments: &[&str]| {
        node.run(&[&["put", "k", "v", "--json"], arguments].concat()).expect(0);
        let got = node.run(&["get", "k", "--json"]).expect(0).json();
        got["expires_ms"].as_u64().map(|expires| expires - got["written_ms"].as_u64().unwrap())
    };
    assert_eq!(life(&["--ttl", "1h30m"]), Some(5_400_000));
    assert_eq!(life(&[]), Some(7 * 24 * 3_600_000));
    assert_eq!(life(&["--plain"]), None);
    node.run(&["put", "brief", "v", "--ttl", "1ms"]);
    let gone = node.run(&["get", "brief", "--json"]).expect(1).json();
    assert!(["expired", "never_seen"].contains(&gone["error"]["reason"].as_str().unwrap()));
}

#[test]
fn a_trace_tells_each_step_and_where_the_value_came_from() {
    let first = Node::start(&[]);
    let second = Node::start_beside(&first, &[]);
    first.run(&["put", "k", "v"]).expect(0);
    let got = first.run(&["get", "k", "--trace"]).expect(0);
    assert_eq!(got.text(), "v");
    for part in [&first.address, &second.address, "hop 2", "2 of 2 replicas agree", "just now"] {
        assert!(got.stderr.contains(part), "{part} in {got:?}");
    }
    let got = first.run(&["get", "k", "--trace", "--json"]).expect(0).json();
    assert_eq!(got["steps"].as_array().unwrap().len(), 2);
    assert_eq!((&got["agreed"], &got["known"]), (&json!(2), &json!(2)));
    for which in ["--first", "--all"] {
        assert_eq!(first.run(&["get", "k", which]).expect(0).text(), "v");
    }
    let put = first.run(&["put", "k", "w", "--trace"]).expect(0);
    assert!(put.stderr.contains("holds the item"), "{put:?}");
}

#[test]
fn namespaces_of_other_names_hold_other_values() {
    let node = Node::start(&[]);
    node.run(&["put", "k", "mine", "--namespace", "a"]).expect(0);
    node.run(&["get", "k", "--namespace", "b"]).expect(1);
    node.run(&["get", "k"]).expect(1);
    assert_eq!(node.run(&["get", "k", "--namespace", "a"]).expect(0).text(), "mine");
}

#[test]
fn a_value_stays_when_a_majority_lives_and_too_few_replicas_are_told() {
    let first = Node::start(&[]);
    let others = [0, 1, 2].map(|_| Node::start_beside(&first, &[]));
    first.run(&["put", "k", "v"]).expect(0);
    let [one, two, three] = others;
    drop(one);
    assert_eq!(first.run(&["get", "k"]).expect(0).text(), "v");
    drop((two, three));
    let few = first.run(&["put", "k", "w"]).expect(3);
    assert!(few.stderr.starts_with("error: stored at 1 of 4 nodes, fewer than the 3 needed\n"));
    assert!(few.stderr.contains("  3 silent after ") && few.stderr.contains("hint: "), "{few:?}");
    let few = first.run(&["get", "k", "--json"]).expect(3).json();
    assert_eq!(few["error"]["kind"], "not_enough_replicas");
    assert!(first.run(&["get", "k", "--first"]).expect(0).text() == "w");
}

#[test]
fn a_whole_session_needs_no_more_than_the_address() {
    let node = Node::start(&[]);
    run(&["put", "k", "v", "--join", &node.address]).expect(0);
    let twice = format!("127.0.0.1:9,{}", node.address);
    assert_eq!(run(&["get", "k", "--join", &twice]).expect(0).text(), "v");
}
