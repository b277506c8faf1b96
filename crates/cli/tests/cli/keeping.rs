//! Promises: made, told, ended, and still there after the node was killed.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Instant;

use serde_json::{Value, json};

use crate::program::{Directory, Node, PATIENCE, Verb, run};

/// A node with a data directory, and where that is.
fn keeper(directory: &Directory) -> (Node, String) {
    let data = directory.path("data");
    (Node::start(&["--data", &data]), data)
}

#[test]
fn a_promise_survives_that_the_node_is_killed_and_ends_when_told() {
    let directory = Directory::new();
    let (node, data) = keeper(&directory);
    node.run(&["put", "greeting", "hello"]).expect(0);
    let kept = run(&["keep", "greeting", "--data", &data]).expect(0);
    let told = &kept.stderr;
    assert!(told.starts_with("kept: `greeting`, version ") && kept.stdout.is_empty(), "{kept:?}");
    assert!(told.contains("held by 1 of 1 replicas; lives until "), "{told}");
    assert!(told.ends_with(" UTC, renewed for 7 days each time\n"), "{told}");
    drop(node);
    let gone = run(&["kept", "--data", &data]).expect(5);
    assert!(
        gone.stderr.starts_with(&format!("error: no node runs in `{data}`\nhint: ")),
        "{gone:?}"
    );
    // The socket that the killed node left is no hindrance.
    assert!(fs::exists(directory.path("data/control.sock")).unwrap());
    let again = Node::start(&["--data", &data]);
    let kept = run(&["kept", "--data", &data]).expect(0);
    assert!(kept.text().starts_with("`greeting`: not looked at yet; lives until "), "{kept:?}");
    assert_eq!(again.run(&["get", "greeting"]).expect(0).text(), "hello");
    let ended = run(&["unkeep", "greeting", "--data", &data]).expect(0);
    assert_eq!(ended.stderr, "no longer kept: `greeting`\n");
    let twice = run(&["unkeep", "greeting", "--data", &data]).expect(1);
    assert!(twice.stderr.starts_with("error: there is no such promise\nhint: "), "{twice:?}");
    drop(again);
    let _last = Node::start(&["--data", &data]);
    let nothing = run(&["kept", "--data", &data]).expect(0);
    assert_eq!((nothing.text(), &nothing.stderr[..]), ("", "it keeps nothing\n"));
}

#[test]
fn a_value_that_all_holders_lost_comes_back_from_the_keeper() {
    let directory = Directory::new();
    let holder = Node::start(&[]);
    holder.run(&["put", "k", "v"]).expect(0);
    // It may hold nothing for others, so that it has the value by its promise alone.
    let data = directory.path("data");
    let keeper = Node::start_beside(&holder, &["--data", &data, "--max-items", "0"]);
    run(&["keep", "k", "--data", &data, "--ttl", "1h"]).expect(0);
    let address = holder.address.clone();
    drop(holder);
    drop(keeper);
    let fresh = Node::start_at(&address);
    fresh.run(&["get", "k"]).expect(1);
    let _keeper = Node::start_beside(&fresh, &["--data", &data, "--max-items", "0"]);
    // It would look by itself within minutes.
    run(&["keep", "k", "--data", &data]).expect(0);
    let deadline = Instant::now() + PATIENCE;
    while fresh.run(&["get", "k"]).code != 0 {
        assert!(Instant::now() < deadline, "it did not come back");
    }
}

#[test]
fn a_put_may_be_kept_at_once_and_for_ever() {
    let directory = Directory::new();
    let (node, data) = keeper(&directory);
    let put = node.run(&["put", "a", "v", "--keep", "--data", &data]).expect(0);
    let lines: Vec<&str> = put.stderr.lines().collect();
    assert!(lines[0].starts_with("stored: 1 replica of 1 known"), "{put:?}");
    assert!(lines[1].starts_with("kept: `a`, version "), "{put:?}");
    let put = node.run(&["put", "b", "v", "--ttl", "forever", "--data", &data, "--json"]).expect(0);
    let year_ms = json!(365_u64 * 24 * 3600 * 1000);
    assert_eq!(put.json()["kept"]["renews_ms"], year_ms);
    let plain = node.run(&["put", "c", "v", "--plain", "--keep", "--data", &data]).expect(0);
    assert!(plain.stderr.contains("plain, put again every hour"), "{plain:?}");
    let kept = run(&["kept", "--data", &data, "--json"]).expect(0).json();
    let keys: Vec<&Value> =
        kept["promises"].as_array().unwrap().iter().map(|it| &it["key"]).collect();
    assert_eq!(keys, ["a", "b", "c"]);
    assert_eq!(kept["promises"][0]["fares"]["state"], "alive");
}

#[test]
fn a_value_may_take_its_time_to_come_and_is_kept_all_the_same() {
    let (directory, node) = (Directory::new(), Node::start(&[]));
    // In place of a keeper, so that it is seen who speaks with it and when.
    let door = UnixListener::bind(directory.path("control.sock")).unwrap();
    let data = directory.path(".");
    let verb = Verb::start(&node, &["put", "k", "-", "--keep", "--data", &data, "--json"]);
    // A node leaves who says nothing for ten seconds, as here at once.
    drop(door.accept().unwrap());
    let keeper = std::thread::spawn(move || {
        let (mut stream, _) = door.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
        stream.write_all(b"{\"done\":{\"promised\":true}}\n").unwrap();
        serde_json::from_str::<Value>(&line).unwrap()
    });
    let put = verb.end_with(b"late").expect(0).json();
    assert_eq!(put["kept"], json!({ "promised": true }));
    assert_eq!(keeper.join().unwrap()["keep"]["key"], "k");
    assert_eq!(node.run(&["get", "k"]).expect(0).text(), "late");
}

#[test]
fn a_passphrase_is_not_needed_to_keep_but_once() {
    let directory = Directory::new();
    let (node, data) = keeper(&directory);
    node.run_in_secret("open sesame", &["put", "k", "v"]).expect(0);
    run(&["keep", "k", "--data", &data]).expect(1);
    node.run_in_secret("open sesame", &["keep", "k", "--data", &data]).expect(0);
    drop(node);
    let node = Node::start(&["--data", &data]);
    let kept = run(&["kept", "--data", &data]).expect(0);
    assert!(kept.text().starts_with("`k` (secret, of "), "{kept:?}");
    node.run_in_secret("open sesame", &["unkeep", "k", "--data", &data]).expect(0);
}

#[test]
fn somebody_elses_value_is_kept_without_a_secret_and_not_renewed() {
    let directory = Directory::new();
    let (node, data) = keeper(&directory);
    let signer = directory.path("signer");
    let owner = run(&["keygen", &signer]).expect(0).text().trim().to_owned();
    node.run(&["put", "k", "v", "--signer", &signer]).expect(0);
    let kept = run(&["keep", "k", "--from", &owner, "--data", &data]).expect(0);
    assert!(kept.stderr.contains("not to be renewed"), "{kept:?}");
    let told = run(&["kept", "--data", &data]).expect(0);
    assert!(told.text().starts_with(&format!("`k` (of {owner:.8}): ")), "{told:?}");
    run(&["unkeep", "k", "--data", &data]).expect(1);
    run(&["unkeep", "k", "--from", &owner, "--data", &data]).expect(0);
}

#[test]
fn only_the_user_of_the_node_can_read_what_it_keeps_or_speak_with_it() {
    let directory = Directory::new();
    let (_node, data) = keeper(&directory);
    let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&format!("{data}/store"))), (0o700, 0o700));
    assert_eq!(mode(&format!("{data}/control.sock")), 0o600);
    for file in fs::read_dir(format!("{data}/store")).unwrap() {
        assert_eq!(mode(file.unwrap().path().to_str().unwrap()), 0o600);
    }
}

#[test]
fn what_cannot_be_kept_is_one_clear_error() {
    let directory = Directory::new();
    let (node, data) = keeper(&directory);
    let absent = run(&["keep", "nothing", "--data", &data]).expect(1);
    assert!(absent.stderr.starts_with("error: key `nothing` not found\n"), "{absent:?}");
    assert!(absent.stderr.contains("unknown to this node, and no other answered"));
    let told = run(&["keep", "nothing", "--data", &data, "--json"]).expect(1).json();
    assert_eq!(
        (&told["error"]["kind"], &told["error"]["reason"]),
        (&json!("not_found"), &json!("never_seen"))
    );
    let long = directory.path(&"d".repeat(120));
    let nobody = directory.path("nobody");
    let wrong: [(&[&str], i32, &str); 9] = [
        (&["keep", "k"], 2, "hint: name the data directory"),
        (&["kept"], 2, "hint: name the data directory"),
        (&["unkeep", "k", "--data", &nobody], 5, "hint: start one with `xorbit node --data"),
        (&["kept", "--data", &long], 2, "a socket's has at most 107"),
        (&["keep", "k", "--data", &data, "--ttl", "9m"], 2, "renewed for 10m to 365d, not for 9m"),
        (&["keep", "", "--data", &data], 2, "the key is empty"),
        (&["put", "k", "v", "--ttl", "forever"], 2, "nothing lives `forever` unless"),
        (&["put", "k", "v", "--keep", "--data", &nobody], 5, "no node runs in"),
        (&["put", "k", "v", "--data", &data], 2, "`--data` without `--keep`"),
    ];
    for (arguments, code, part) in wrong {
        let outcome = node.run(arguments).expect(code);
        assert!(outcome.stderr.contains(part), "{outcome:?}");
    }
    // Nothing was put by those that failed.
    node.run(&["get", "k"]).expect(1);
}

#[test]
fn a_large_value_is_kept_with_its_chunks_and_told_when_some_are_lost() {
    let directory = Directory::new();
    let (node, data) = keeper(&directory);
    let value: Vec<u8> = (0..60_000).map(|at| (at / 996 * 31 + at % 251) as u8).collect();
    let file = directory.file("film", &value);
    let put = ["put", "film", "--file", &file, "--ttl", "forever", "--data", &data];
    let told = node.run(&put).expect(0);
    assert!(told.stderr.contains("\nkept: `film`, version "), "{told:?}");
    assert!(told.stderr.contains(", 63 chunks, held by 1 of 1 replicas; lives until "), "{told:?}");
    node.run_in_secret("open sesame", &["put", "film", "--file", &file, "--keep", "--data", &data])
        .expect(0);
    let kept = |part: &str| {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = run(&["kept", "--data", &data]).expect(0);
            if told.text().lines().all(|line| line.contains(part)) {
                return told.text().lines().count();
            }
            assert!(Instant::now() < deadline, "{told:?}");
        }
    };
    assert_eq!(kept(" chunks are kept"), 2);
    drop(node);
    // All that it has promised it still knows, and of what its replicas held all is there.
    let again = Node::start(&["--data", &data]);
    let state = run(&["kept", "--data", &data, "--json"]).expect(0).json();
    assert_eq!(state["promises"][0]["chunks"]["state"], "not_looked_yet");
    run(&["keep", "film", "--data", &data]).expect(0);
    assert!(again.run(&["get", "film"]).expect(0).stdout == value);
}

#[test]
fn a_directory_that_lies_too_deep_for_a_socket_is_told_and_the_node_serves() {
    let directory = Directory::new();
    let deep = directory.path(&"d".repeat(120));
    let node = Node::start(&["--data", &deep]);
    node.hear("`xorbit keep` cannot reach this node: ");
    node.run(&["put", "k", "v"]).expect(0);
}

#[test]
fn nonsense_at_the_door_is_answered_or_left_and_harms_nobody() {
    let directory = Directory::new();
    let (node, data) = keeper(&directory);
    let ask = |line: &[u8]| {
        let mut stream = UnixStream::connect(format!("{data}/control.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // The node may close before it took all.
        let _ = stream.write_all(line);
        let mut answer = String::new();
        let _ = BufReader::new(stream).read_line(&mut answer);
        answer
    };
    for line in [&b"zebra\n"[..], b"{}\n", b"[]\n", b"{\"keep\":{\"key\":7}}\n", b"\xff\n", b"\n"] {
        let answer: Value = serde_json::from_str(&ask(line)).unwrap();
        assert_eq!(answer["error"]["kind"], "usage", "{answer}");
    }
    let answer = ask(b"{\"unkeep\":{\"promise\":\"00\"}}\n");
    assert!(answer.contains("`00` names no promise"), "{answer}");
    assert_eq!(ask(&[b'x'; 1 << 20]), "", "longer than any line");
    node.run(&["put", "k", "v"]).expect(0);
    run(&["keep", "k", "--data", &data]).expect(0);
}

#[test]
fn seven_who_say_nothing_leave_room_for_an_eighth() {
    let directory = Directory::new();
    let (node, data) = keeper(&directory);
    node.run(&["put", "k", "v"]).expect(0);
    let silent: Vec<UnixStream> =
        (0..7).map(|_| UnixStream::connect(format!("{data}/control.sock")).unwrap()).collect();
    run(&["keep", "k", "--data", &data]).expect(0);
    drop(silent);
    run(&["kept", "--data", &data]).expect(0);
}
