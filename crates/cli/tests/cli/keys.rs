//! Signed namespaces: their keys, who may write and who may read.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::program::{Directory, Node, run};

#[test]
fn a_key_file_is_private_and_never_overwritten() {
    let directory = Directory::new();
    let file = directory.path("key");
    let public_key = run(&["keygen", &file]).expect(0).text().trim().to_owned();
    assert_eq!(public_key.len(), 64);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(&file).unwrap();
    let refused = run(&["keygen", &file]).expect(2);
    assert!(refused.stderr.contains("exists already"), "{refused:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), secret);
    assert!(!refused.stderr.contains(secret.trim()));
}

#[test]
fn without_a_file_the_secret_itself_is_printed_and_each_is_another() {
    let [one, two] = [0, 1].map(|_| run(&["keygen"]).expect(0).text().to_owned());
    assert!(one.trim().len() == 64 && one != two);
    let told = run(&["keygen", "--json"]).expect(0).json();
    assert_eq!(told["seed"].as_str().unwrap().len(), 64);
    assert_eq!(told["public_key"].as_str().unwrap().len(), 64);
}

#[test]
fn only_the_signer_writes_and_everybody_with_the_public_key_reads() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let (mine, theirs) = (directory.path("mine"), directory.path("theirs"));
    let public_key = run(&["keygen", &mine]).expect(0).text().trim().to_owned();
    run(&["keygen", &theirs]).expect(0);
    let put = node.run(&["put", "k", "v", "--signer", &mine]).expect(0);
    assert!(!put.stderr.contains("warning"), "{put:?}");
    fs::set_permissions(&mine, fs::Permissions::from_mode(0o640)).unwrap();
    let put = node.run(&["put", "k", "v", "--signer", &mine]).expect(0);
    let warning = format!("warning: others on this machine can read `{mine}`");
    assert!(put.stderr.starts_with(&warning), "{put:?}");
    node.run(&["put", "k", "w", "--signer", &theirs]).expect(0);
    assert_eq!(node.run(&["get", "k", "--from", &public_key]).expect(0).text(), "v");
    assert_eq!(node.run(&["get", "k", "--signer", &mine]).expect(0).text(), "v");
    node.run(&["delete", "k", "--signer", &theirs]).expect(0);
    assert_eq!(node.run(&["get", "k", "--from", &public_key]).expect(0).text(), "v");
}

#[test]
fn what_is_no_key_file_is_named_and_never_shown() {
    let directory = Directory::new();
    for content in [&b"secret but short"[..], b"", &[0xff; 64], &[b'0'; 5000]] {
        let file = directory.file("key", content);
        let refused = run(&["put", "k", "v", "--signer", &file]).expect(2);
        assert!(refused.stderr.contains(&format!("`{file}`")), "{refused:?}");
        assert!(!refused.stderr.contains("secret but short"));
    }
    let missing = directory.path("missing");
    let refused = run(&["put", "k", "v", "--signer", &missing]).expect(2);
    assert!(refused.stderr.contains("hint: make a key file with `xorbit keygen FILE`"));
}
