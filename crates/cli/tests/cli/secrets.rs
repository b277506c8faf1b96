//! Secret namespaces: where the passphrase comes from, and what is told of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::program::{Directory, Node, run, run_with};

const PASSPHRASE: &str = "open sesame";

/// A passphrase file that only its owner can read.
fn secret_file(directory: &Directory, name: &str, content: &[u8]) -> String {
    let file = directory.file(name, content);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

#[test]
fn who_knows_the_passphrase_puts_gets_and_deletes_and_others_find_nothing() {
    let first = Node::start(&[]);
    let second = Node::start_beside(&first, &[]);
    let directory = Directory::new();
    let secret = secret_file(&directory, "secret", b"open sesame\n");
    let wrong = secret_file(&directory, "wrong", b"open sesami\n");
    let put = first.run(&["put", "greeting", "hello", "--secret-file", &secret]).expect(0);
    assert!(put.stderr.contains("2 replicas of 2 known"), "{put:?}");
    assert!(!put.stderr.contains("warning"), "{put:?}");
    let got = second.run(&["get", "greeting", "--secret-file", &secret]).expect(0);
    assert_eq!((got.text(), &got.stderr[..]), ("hello", ""));
    let none = second.run(&["get", "greeting", "--secret-file", &wrong]).expect(1);
    assert!(none.stderr.contains("hint: a wrong passphrase"), "{none:?}");
    second.run(&["get", "greeting"]).expect(1);
    second.run(&["delete", "greeting", "--secret-file", &wrong]).expect(1);
    let named = ["--secret-file", &secret, "--namespace", "team"];
    second.run(&[&["get", "greeting"], &named[..]].concat()).expect(1);
    second.run(&["delete", "greeting", "--secret-file", &secret]).expect(0);
    let gone = first.run(&["get", "greeting", "--secret-file", &secret]).expect(1);
    assert!(gone.stderr.contains("it was deleted"), "{gone:?}");
}

#[test]
fn the_environment_may_hold_the_passphrase_and_gives_way_to_what_is_said() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let secret = secret_file(&directory, "secret", PASSPHRASE.as_bytes());
    node.run_in_secret(PASSPHRASE, &["put", "k", "secret"]).expect(0);
    assert_eq!(node.run(&["get", "k", "--secret-file", &secret]).expect(0).text(), "secret");
    node.run(&["get", "k"]).expect(1);
    // A name beside it is a part of it, and no open namespace.
    node.run_in_secret(PASSPHRASE, &["put", "k", "team's", "--namespace", "team"]).expect(0);
    node.run(&["get", "k", "--namespace", "team"]).expect(1);
    let named = ["get", "k", "--namespace", "team", "--secret-file", &secret];
    assert_eq!(node.run(&named).expect(0).text(), "team's");
    // A file, a signer or an owner is another namespace.
    let other = ["get", "k", "--secret-file", &secret];
    assert_eq!(node.run_in_secret("another", &other).expect(0).text(), "secret");
    let signer = directory.path("signer");
    let owner = run(&["keygen", &signer]).expect(0).text().trim().to_owned();
    node.run_in_secret(PASSPHRASE, &["put", "k", "signed", "--signer", &signer]).expect(0);
    let from = node.run_in_secret(PASSPHRASE, &["get", "k", "--from", &owner]).expect(0);
    assert_eq!(from.text(), "signed");
}

#[test]
fn no_passphrase_is_an_error_and_never_the_open_namespace() {
    let directory = Directory::new();
    for content in [&b""[..], b"\n", b"\r\n"] {
        let file = secret_file(&directory, "empty", content);
        let refused = run(&["put", "k", "v", "--secret-file", &file]).expect(2);
        assert!(refused.stderr.contains(&format!("the passphrase in `{file}` is empty")));
    }
    let refused = run_with(&["put", "k", "v"], b"", &[("XORBIT_SECRET", "")]).expect(2);
    assert!(refused.stderr.contains("the passphrase in `XORBIT_SECRET` is empty"), "{refused:?}");
    let missing = directory.path("missing");
    let refused = run(&["get", "k", "--secret-file", &missing]).expect(2);
    assert!(refused.stderr.contains(&format!("cannot read `{missing}`")), "{refused:?}");
    let long = secret_file(&directory, "long", &[b'x'; 5000]);
    let refused = run(&["get", "k", "--secret-file", &long]).expect(2);
    assert!(refused.stderr.contains("is longer than 1024 bytes"), "{refused:?}");
    assert!(!refused.stderr.contains("xxx"));
}

#[test]
fn only_one_kind_of_namespace_is_named_at_a_time() {
    let directory = Directory::new();
    let secret = secret_file(&directory, "secret", PASSPHRASE.as_bytes());
    let owner = "0".repeat(64);
    for other in [["--signer", "file"], ["--from", &owner]] {
        let both = [&["get", "k", "--secret-file", &secret], &other[..]].concat();
        assert!(run(&both).expect(2).stderr.contains("cannot be used with"));
    }
}

#[test]
fn a_passphrase_that_others_can_read_is_warned_of() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let secret = secret_file(&directory, "secret", PASSPHRASE.as_bytes());
    for mode in [0o640, 0o604, 0o644] {
        fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
        let put = node.run(&["put", "k", "v", "--json", "--secret-file", &secret]).expect(0);
        let warning = format!("warning: others on this machine can read `{secret}`");
        assert!(put.stderr.starts_with(&warning), "{put:?}");
        assert_eq!(put.json()["key"], "k");
    }
}

#[test]
fn passphrases_are_bytes_and_no_text() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let secret = secret_file(&directory, "secret", &[0xff, 0, b'\n', 0xfe, b'\n']);
    node.run(&["put", "k", "v", "--secret-file", &secret]).expect(0);
    let same = secret_file(&directory, "same", &[0xff, 0, b'\n', 0xfe]);
    assert_eq!(node.run(&["get", "k", "--secret-file", &same]).expect(0).text(), "v");
}

#[test]
fn what_does_not_fit_one_item_is_cut_into_sealed_chunks() {
    let first = Node::start(&[]);
    let second = Node::start_beside(&first, &[]);
    for (length, chunks) in [(887, None), (888, Some("1 chunk: ")), (956 * 2, Some("2 chunks: "))] {
        let value = "v".repeat(length);
        let put = first.run_in_secret(PASSPHRASE, &["put", "k", &value]).expect(0);
        match chunks {
            Some(chunks) => assert!(put.stderr.contains(chunks), "{put:?}"),
            None => assert!(!put.stderr.contains("chunks"), "{put:?}"),
        }
        assert_eq!(second.run_in_secret(PASSPHRASE, &["get", "k"]).expect(0).text(), value);
    }
    let directory = Directory::new();
    let secret = secret_file(&directory, "secret", PASSPHRASE.as_bytes());
    let value: Vec<u8> = (0..150_000).map(|at| (at / 956 * 31 + at % 251) as u8).collect();
    let file = directory.file("value", &value);
    let put = ["put", "film", "--file", &file, "--secret-file", &secret];
    let told = first.run(&put).expect(0);
    assert!(told.stderr.contains("161 chunks: 322 copies sent, 0 kept already"), "{told:?}");
    let again = second.run(&put).expect(0);
    assert!(again.stderr.contains(" chunks: 0 copies sent, 322 kept already"), "{again:?}");
    let copy = directory.path("copy");
    let get = ["get", "film", "--secret-file", &secret, "--output", &copy];
    second.run(&get).expect(0);
    assert!(fs::read(&copy).unwrap() == value);
    first.run(&["get", "film"]).expect(1);
    first.run_in_secret("open sesami", &["get", "film"]).expect(1);
    // From a pipe too.
    first.run_in_secret_with(PASSPHRASE, &["put", "piped", "-"], &value).expect(0);
    assert!(second.run_in_secret(PASSPHRASE, &["get", "piped"]).expect(0).stdout == value);
}

#[test]
fn what_would_be_readable_is_refused() {
    let node = Node::start(&[]);
    let plain = node.run_in_secret(PASSPHRASE, &["put", "k", "v", "--plain"]).expect(2);
    assert!(plain.stderr.contains("a secret namespace takes none"), "{plain:?}");
}
