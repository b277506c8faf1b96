//! Many keys at once, a line for each.

use serde_json::Value;

use crate::program::{Directory, Node, Verb, run_with};

/// The lines of a batch in JSON, by their number; the last, about all of them, under 0.
fn by_line(stdout: &str) -> std::collections::BTreeMap<u64, Value> {
    let told = stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    told.map(|told| (told["line"].as_u64().unwrap_or(0), told)).collect()
}

#[test]
fn what_the_lines_of_a_file_put_comes_back_by_the_keys_of_another() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let puts: String =
        (0..300).map(|n| format!("{{\"key\":\"k{n}\",\"value\":\"v{n}\"}}\n")).collect();
    let file = directory.file("puts", puts.as_bytes());
    let put = node.run(&["put", "--batch", &file]).expect(0);
    assert_eq!(put.text().lines().count(), 300);
    assert!(put.text().lines().any(|line| line.starts_with("k7\tversion ")), "{put:?}");
    assert!(put.text().contains("1 replica of 1 known"), "{put:?}");
    assert!(put.stderr.starts_with("stored 300 of 300 keys in "), "{put:?}");
    let keys: String = (0..300).map(|n| format!("k{n}\n")).collect();
    let got = node.run_with(&["get", "--batch", "-"], keys.as_bytes()).expect(0);
    let mut lines: Vec<&str> = got.text().lines().collect();
    lines.sort_unstable();
    let mut wanted: Vec<String> = (0..300).map(|n| format!("k{n}\tv{n}")).collect();
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
    assert!(got.stderr.starts_with("got 300 of 300 keys in "), "no bar where no terminal is");
    assert_eq!(node.run(&["get", "k7"]).expect(0).stdout, b"v7");
}

#[test]
fn puts_go_on_to_the_end_when_nobody_reads_their_receipts_any_more() {
    let node = Node::start(&[]);
    let puts: String =
        (0..300).map(|n| format!("{{\"key\":\"k{n}\",\"value\":\"v{n}\"}}\n")).collect();
    for json in [&[][..], &["--json"]] {
        let mut put = Verb::start(&node, &[&["put", "--batch", "-"][..], json].concat());
        put.close_stdout();
        let put = put.end_with(puts.as_bytes()).expect(0);
        assert!(put.stderr.starts_with("stored 300 of 300 keys in "), "{put:?}");
    }
    let keys: String = (0..300).map(|n| format!("k{n}\n")).collect();
    let got = node.run_with(&["get", "--batch", "-"], keys.as_bytes()).expect(0);
    assert_eq!(got.text().lines().count(), 300);
    // Values that nobody reads are not fetched to the end.
    let mut get = Verb::start(&node, &["get", "--batch", "-"]);
    get.close_stdout();
    assert_eq!(get.end_with(keys.as_bytes()).expect(0).stderr, "");
}

#[test]
fn bad_lines_are_told_with_their_number_and_stop_nobody() {
    let node = Node::start(&[]);
    let puts = concat!(
        "{\"key\":\"a\",\"value\":\"one\",\"ttl\":\"1h\",\"content_type\":\"text/plain\"}\n",
        "not json\n",
        "\n",
        "{\"key\":\"b\",\"value_hex\":\"00ff\"}\r\n",
        "{\"key\":\"c\"}\n",
        "{\"key\":\"a\",\"value\":\"two\",\"if_version\":\"absent\"}\n",
        "{\"key\":\"\",\"value\":\"v\"}",
    );
    let put = node.run_with(&["put", "--batch", "-", "--json"], puts.as_bytes()).expect(4);
    let told = by_line(put.text());
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 4, 5, 6, 7]);
    assert_eq!((&told[&1]["key"], &told[&4]["key"]), (&"a".into(), &"b".into()));
    assert!(told[&1]["version"].is_u64() && told[&4]["version"].is_u64());
    for (line, kind) in [(2, "usage"), (5, "usage"), (6, "conflict"), (7, "usage")] {
        assert_eq!(told[&line]["error"]["kind"], kind, "{put:?}");
    }
    let all = &told[&0]["error"];
    assert_eq!((&all["done"], &all["failed"]["usage"]), (&2.into(), &3.into()));
    assert_eq!(all["failed"]["conflict"], 1);
    // People read the same on stderr.
    let put = node.run_with(&["put", "--batch", "-"], puts.as_bytes()).expect(4);
    assert!(put.stderr.contains("line 2: it is no JSON"), "{put:?}");
    assert!(put.stderr.contains("line 6, key `a`: the key does not hold"), "{put:?}");
    assert!(put.stderr.contains("error: stored 2 of 6 keys"), "{put:?}");
    assert!(put.stderr.contains("  3 usage\n"), "{put:?}");

    let keys = "a\n\"b\"\n{\"key\":\"missing\"}\n\"unended\n";
    let got = node.run_with(&["get", "--batch", "-", "--json"], keys.as_bytes()).expect(2);
    let told = by_line(got.text());
    assert_eq!(
        (&told[&1]["value"], &told[&1]["content_type"]),
        (&"one".into(), &"text/plain".into())
    );
    assert_eq!(told[&2]["value_hex"], "00ff");
    assert_eq!(told[&3]["error"]["kind"], "not_found");
    assert_eq!(told[&4]["error"]["kind"], "usage");
    let got = node.run_with(&["get", "--batch", "-"], b"a\nb\nmissing\n").expect(1);
    assert!(got.text().contains("a\tone\n") && got.text().contains("b\t\\u{0}\\xff\n"), "{got:?}");
    assert!(got.stderr.contains("line 3, key `missing`: the key not found"), "{got:?}");
}

#[test]
fn a_namespace_holds_for_the_whole_batch() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let signer = directory.path("signer");
    node.run(&["keygen", &signer]).expect(0);
    let puts = b"{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\",\"value\":\"2\"}\n";
    node.run_with(&["put", "--batch", "-", "--signer", &signer], puts).expect(0);
    let got = node.run_with(&["get", "--batch", "-", "--signer", &signer], b"a\nb\n").expect(0);
    assert_eq!(got.text().lines().count(), 2);
    node.run_with(&["get", "--batch", "-"], b"a\nb\n").expect(1);
    let secret = directory.file("secret", b"correct horse battery staple");
    node.run_with(&["put", "--batch", "-", "--secret-file", &secret], puts).expect(0);
    let got = node.run_with(&["get", "--batch", "-", "--secret-file", &secret], b"b\n").expect(0);
    assert_eq!(got.text(), "b\t2\n");
}

#[test]
fn a_value_too_large_for_an_item_is_refused_alone_and_named() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let large = "x".repeat(5_000);
    let puts =
        format!("{{\"key\":\"large\",\"value\":\"{large}\"}}\n{{\"key\":\"k\",\"value\":\"v\"}}\n");
    let put = node.run_with(&["put", "--batch", "-"], puts.as_bytes()).expect(2);
    assert!(put.stderr.contains("line 1, key `large`: the value has 5000 bytes"), "{put:?}");
    assert!(put.text().starts_with("k\t"));
    node.run(&["put", "large", "--file", &directory.file("large", large.as_bytes())]).expect(0);
    let got = node.run_with(&["get", "--batch", "-"], b"large\nk\n").expect(3);
    assert_eq!(got.text(), "k\tv\n");
    assert!(got.stderr.contains("key `large`: the value has 5,000 bytes"), "{got:?}");
    // A line longer than any put can need.
    let puts =
        format!("{{\"key\":\"{}\"}}\n{{\"key\":\"k\",\"value\":\"w\"}}\n", "x".repeat(100_000));
    let put = node.run_with(&["put", "--batch", "-"], puts.as_bytes()).expect(2);
    assert!(put.stderr.contains("line 1: it has more than 65,536 bytes"), "{put:?}");
    assert!(put.text().starts_with("k\t"));
}

#[test]
fn where_nobody_answers_a_batch_gives_up_soon() {
    let keys: String = (0..2_000).map(|n| format!("{n}\n")).collect();
    let nowhere = [("XORBIT_JOIN", "127.0.0.1:9")];
    let got = run_with(&["get", "--batch", "-"], keys.as_bytes(), &nowhere).expect(5);
    assert!(got.stderr.contains("the rest was not waited for"), "{got:?}");
    assert!(got.stderr.lines().count() < 100, "{got:?}");
}

#[test]
fn a_batch_takes_no_key_and_needs_a_file() {
    let nowhere = [("XORBIT_JOIN", "127.0.0.1:9")];
    for arguments in [
        &["put", "--batch", "x", "key", "value"][..],
        &["put", "key"],
        &["put"],
        &["get"],
        &["get", "key", "--batch", "x"],
        &["get", "--batch", "x", "--trace"],
    ] {
        run_with(arguments, b"", &nowhere).expect(2);
    }
    let missing = run_with(&["get", "--batch", "no/such/file"], b"", &nowhere).expect(2);
    assert!(missing.stderr.contains("cannot read `no/such/file`"), "{missing:?}");
}
