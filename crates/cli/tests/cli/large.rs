//! Values of many chunks, from files, pipes and back.

use std::fs;

use crate::program::{Directory, Node, run_in_memory, run_with};

/// Bytes of which no two chunks are the same.
fn value(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 996 * 31 + at % 251) as u8).collect()
}

#[test]
fn a_large_file_is_put_and_got_to_stdout_and_into_a_file() {
    let first = Node::start(&[]);
    let second = Node::start_beside(&first, &[]);
    let directory = Directory::new();
    let value = value(150_000);
    let file = directory.file("value", &value);
    let put = first.run(&["put", "big", "--file", &file]).expect(0);
    assert!(put.stderr.contains("155 chunks: 310 copies sent, 0 kept already"), "{put:?}");
    let again = first.run(&["put", "big", "--file", &file]).expect(0);
    assert!(again.stderr.contains("155 chunks: 0 copies sent, 310 kept already"), "{again:?}");
    let got = second.run(&["get", "big"]).expect(0);
    assert!(got.stdout == value && got.stderr.is_empty(), "no bar where no terminal is");
    let copy = directory.path("copy");
    let got = second.run(&["get", "big", "--output", &copy]).expect(0);
    assert!(got.stdout.is_empty());
    assert!(fs::read(&copy).unwrap() == value);
    let told = second.run(&["get", "big", "--output", &copy, "--json"]).expect(0).json();
    assert_eq!((&told["chunks"], told.get("value_hex")), (&155.into(), None));
}

#[test]
fn a_large_value_in_json_takes_no_more_memory_than_without() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let letters = "\"Grüße\"\n".repeat(1_600_000);
    let file = directory.file("text", letters.as_bytes());
    node.run(&["put", "text", "--file", &file]).expect(0);
    let plain = run_in_memory(24 << 10, &node, &["get", "text"]).expect(0);
    assert!(plain.text() == letters);
    let told = run_in_memory(24 << 10, &node, &["get", "text", "--json"]).expect(0).json();
    assert!(told["value"] == *letters, "the value is another one");
    assert_eq!((&told["key"], told.get("value_hex")), (&"text".into(), None));
    let bytes = value(1_500_000);
    node.run(&["put", "bytes", "--file", &directory.file("bytes", &bytes)]).expect(0);
    let told = node.run(&["get", "bytes", "--json"]).expect(0).json();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(told["value_hex"] == *digits && told.get("value").is_none());
}

#[test]
fn a_large_value_comes_from_a_pipe() {
    let node = Node::start(&[]);
    let value = value(1_200_000);
    node.run_with(&["put", "piped", "-"], &value).expect(0);
    assert!(node.run(&["get", "piped"]).expect(0).stdout == value);
}

#[test]
fn above_the_limit_the_error_names_it_before_anybody_is_asked() {
    let directory = Directory::new();
    let file = directory.file("value", &value(20_001));
    // Nobody listens there.
    let nowhere = [("XORBIT_JOIN", "127.0.0.1:9")];
    let arguments = ["put", "k", "--file", &file, "--max-size", "20k"];
    let refused = run_with(&arguments, b"", &nowhere).expect(2);
    let told = "error: the value has 20,001 bytes, more than the limit of 20,000 bytes";
    assert!(refused.stderr.starts_with(told) && refused.stderr.contains("hint: `--max-size"));
    let refused = run_with(&["put", "k", "-", "--max-size", "20k"], &value(20_001), &nowhere);
    let told = "error: the value has more bytes than the limit of 20,000 bytes";
    assert!(refused.expect(2).stderr.starts_with(told));
    let file = directory.file("large", &value((256 << 10) + 1));
    let arguments = ["put", "k", "--file", &file, "--public", "--namespace", "somebody"];
    let refused = run_with(&arguments, b"", &nowhere).expect(2);
    assert!(refused.stderr.contains("more than the limit of 256 KiB"), "{refused:?}");
}

#[test]
fn a_value_above_the_readers_limit_is_not_fetched_and_no_file_is_left() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let file = directory.file("value", &value(30_000));
    node.run(&["put", "k", "--file", &file]).expect(0);
    let copy = directory.path("copy");
    let got = node.run(&["get", "k", "--output", &copy, "--max-size", "20k"]).expect(2);
    assert!(got.stderr.contains("30,000 bytes, more than the limit of 20,000 bytes"), "{got:?}");
    let left = fs::read_dir(directory.path(".")).unwrap().count();
    assert_eq!(left, 1, "only the value itself");
}

#[test]
fn missing_chunks_are_told_with_their_share_and_an_exit_code() {
    // The record is small enough for both; the chunks find room at the second only.
    let first = Node::start(&["--replicas", "1"]);
    let second = Node::start_beside(&first, &["--replicas", "1"]);
    let directory = Directory::new();
    let file = directory.file("value", &value(100_000));
    let put = first.run(&["put", "k", "--file", &file, "--replicas", "1", "--json"]).expect(0);
    let holder = put.json()["replicas"]["stored"][0]["id"].clone();
    let (stays, goes) = if holder == *first.id { (first, second) } else { (second, first) };
    drop(goes);
    let got = stays.run(&["get", "k", "--replicas", "1", "--first"]).expect(3);
    let told = got.stderr.strip_prefix("error: key `k`: ").unwrap();
    assert!(told.contains(" of 104 chunks (") && told.contains(" %) are missing"), "{told}");
    assert!(got.stdout.is_empty(), "no part of it");
}
