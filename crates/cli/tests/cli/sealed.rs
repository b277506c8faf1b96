//! Sealed networks: their keys, and who gets in.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::program::{Directory, Node, run, run_with};

/// A new network key in a directory.
fn key(directory: &Directory, name: &str) -> String {
    let file = directory.path(name);
    run(&["keygen", "--network", &file]).expect(0);
    file
}

#[test]
fn a_network_key_file_is_private_never_overwritten_and_told_apart_at_sight() {
    let directory = Directory::new();
    let file = directory.path("net.key");
    let made = run(&["keygen", "--network", &file]).expect(0);
    assert!(made.stderr.contains(&format!("network is in `{file}`")), "{made:?}");
    assert!(made.stdout.is_empty(), "{made:?}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let content = fs::read_to_string(&file).unwrap();
    let digits = content.strip_prefix("network-key ").unwrap().trim_end();
    assert!(digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    assert!(!made.stderr.contains(digits));
    let refused = run(&["keygen", "--network", &file]).expect(2);
    assert!(refused.stderr.contains(&format!("`{file}` exists already")), "{refused:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), content);
    let printed = run(&["keygen", "--network"]).expect(0);
    assert!(printed.text().starts_with("network-key ") && printed.text() != content);
    let told = run(&["keygen", "--network", "--json"]).expect(0).json();
    assert!(told["network_key"].as_str().unwrap().starts_with("network-key "));
}

#[test]
fn two_nodes_with_the_key_are_a_network_and_without_it_nobody_answers() {
    let directory = Directory::new();
    let (ours, theirs) = (key(&directory, "ours"), key(&directory, "theirs"));
    let first = Node::start(&["--network-key", &ours]);
    assert!(first.ready.contains("sealed network `xorbit`"), "{}", first.ready);
    assert!(first.ready.contains(&format!("--network-key {ours} --join")), "{}", first.ready);
    let second = Node::start(&["--network-key", &ours, "--join", &first.address]);
    second.hear("joined");
    first.run(&["put", "k", "v", "--network-key", &ours]).expect(0);
    assert_eq!(second.run(&["get", "k", "--network-key", &ours]).expect(0).text(), "v");
    let by_environment = run_with(
        &["get", "k"],
        b"",
        &[("XORBIT_JOIN", &second.address), ("XORBIT_NETWORK_KEY_FILE", &ours)],
    );
    assert_eq!(by_environment.expect(0).text(), "v");
    let pong = run(&["ping", &first.address, "--network-key", &ours]).expect(0);
    assert!(pong.text().starts_with(&first.id), "{pong:?}");

    let open = first.run(&["get", "k"]).expect(5);
    assert!(open.stderr.starts_with("error: nobody of network `xorbit` answers"), "{open:?}");
    assert!(open.stderr.contains("\nhint: ") && open.stderr.contains("`--network-key FILE`"));
    let wrong = first.run(&["put", "k", "w", "--network-key", &theirs]).expect(5);
    assert!(wrong.stderr.starts_with("error: nobody of sealed network `xorbit` answers at `"));
    assert!(wrong.stderr.contains("\nhint: see that nodes run there with the same key"));
    let named = ["get", "k", "--network-key", &ours, "--network", "lab", "--json"];
    assert_eq!(first.run(&named).expect(5).json()["error"]["kind"], "unreachable");
    let ping = run(&["ping", &first.address]).expect(5);
    assert!(ping.stderr.contains("`--network-key FILE`"), "{ping:?}");
    assert_eq!(second.run(&["get", "k", "--network-key", &ours]).expect(0).text(), "v");
}

#[test]
fn a_network_key_that_cannot_be_used_is_named_and_never_shown() {
    let directory = Directory::new();
    let node = |file: &str| run(&["node", "--listen", "127.0.0.1:0", "--network-key", file]);
    let short = format!("network-key {}", "ab".repeat(31));
    for content in [short.as_bytes(), b"abcd", b"network-key", &[0xff; 64], &[b'0'; 5000]] {
        let file = directory.file("bad", content);
        let refused = node(&file).expect(2);
        assert!(refused.stderr.contains(&format!("`{file}`")), "{refused:?}");
        assert!(refused.stderr.contains("\nhint: make one with `xorbit keygen --network FILE`"));
        assert!(!refused.stderr.contains("abab") && refused.stdout.is_empty(), "{refused:?}");
    }
    let open = key(&directory, "open");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let warned = run(&["ping", "127.0.0.1:1", "--network-key", &open]).expect(5);
    assert!(warned.stderr.starts_with("warning: others on this machine can read"), "{warned:?}");
    let empty = directory.file("empty", b"\n");
    assert!(node(&empty).expect(2).stderr.contains(&format!("`{empty}` is empty")));
    let missing = directory.path("missing");
    let refused = run(&["get", "k", "--network-key", &missing]).expect(2);
    let line = format!("error: cannot read the network key `{missing}`: ");
    assert!(refused.stderr.starts_with(&line), "{refused:?}");
}

#[test]
fn a_network_key_and_what_opens_a_namespace_are_not_taken_for_each_other() {
    let directory = Directory::new();
    let network = key(&directory, "network");
    let namespace = directory.path("namespace");
    run(&["keygen", &namespace]).expect(0);
    let refused = run(&["get", "k", "--network-key", &namespace]).expect(2);
    let line = format!("error: `{namespace}` is the key of a namespace, not of a network\n");
    assert!(refused.stderr.starts_with(&line), "{refused:?}");
    assert!(refused.stderr.contains("`--signer FILE`"), "{refused:?}");
    let refused = run(&["put", "k", "v", "--signer", &network]).expect(2);
    let line = format!("error: `{network}` is the key of a network, not of a namespace\n");
    assert!(refused.stderr.starts_with(&line), "{refused:?}");
    assert!(refused.stderr.contains("`--network-key FILE`"), "{refused:?}");
    let refused = run(&["put", "k", "v", "--secret-file", &network]).expect(2);
    let line = format!("error: `{network}` is the key of a network, not a passphrase\n");
    assert!(refused.stderr.starts_with(&line), "{refused:?}");
}

#[test]
fn the_public_network_cannot_be_sealed() {
    let directory = Directory::new();
    let file = key(&directory, "net.key");
    for verb in [&["node"][..], &["get", "k", "--namespace", "n"], &["ping", "127.0.0.1:1"]] {
        let refused = run(&[verb, &["--public", "--network-key", &file]].concat()).expect(2);
        assert!(refused.stderr.contains("--network-key"), "{refused:?}");
        assert!(refused.stderr.contains("cannot be used with"), "{refused:?}");
    }
    let both = [("XORBIT_NETWORK_KEY_FILE", &file[..])];
    let refused = run_with(&["node", "--public"], b"", &both).expect(2);
    assert!(refused.stderr.contains("cannot be used with"), "{refused:?}");
}
