//! Sets: add, members, remove, and what is told about them.

use crate::program::{Directory, Node, Verb, run};

#[test]
fn members_are_added_listed_and_removed_through_different_nodes() {
    let first = Node::start(&[]);
    let second = Node::start_beside(&first, &[]);
    let added = first.run(&["add", "guests", "grace"]).expect(0);
    assert!(added.stderr.starts_with("added: 2 replicas of 2 known, version "), "{added:?}");
    assert!(added.stderr.contains("lives until 20") && added.stdout.is_empty(), "{added:?}");
    second.run(&["add", "guests", "two\nlines"]).expect(0);
    let listed = second.run(&["members", "guests"]).expect(0);
    let mut lines: Vec<&str> = listed.text().lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["grace", "two\\nlines"]);
    assert!(listed.stderr.starts_with("2 members of set `guests` (2 of 2 replicas answered, "));
    let removed = first.run(&["remove", "guests", "two\nlines"]).expect(0);
    assert!(removed.stderr.contains("remembered until 20"), "{removed:?}");
    assert_eq!(second.run(&["members", "guests"]).expect(0).text(), "grace\n");
    let empty = first.run(&["members", "nobody"]).expect(1);
    assert!(empty.stderr.starts_with("error: set `nobody` has no members\n"), "{empty:?}");
}

#[test]
fn only_the_signer_of_a_member_removes_it() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let (ada, eve) = (directory.path("ada.key"), directory.path("eve.key"));
    let public = run(&["keygen", &ada]).expect(0).text().trim().to_owned();
    run(&["keygen", &eve]).expect(0);
    node.run(&["add", "guests", "ada", "--signer", &ada, "--ttl", "1h"]).expect(0);
    let long = node.run(&["members", "guests", "--long"]).expect(0);
    assert!(long.text().starts_with(&format!("{public} 20")), "{long:?}");
    assert!(long.text().ends_with(" UTC ada\n"), "{long:?}");
    for stranger in [&["--signer", &eve][..], &[]] {
        let arguments = [&["remove", "guests", "ada"], stranger].concat();
        let refused = node.run(&arguments).expect(1);
        assert!(refused.stderr.contains("hint: only who added a member"), "{refused:?}");
    }
    assert_eq!(node.run(&["members", "guests"]).expect(0).text(), "ada\n");
    node.run(&["remove", "guests", "ada", "--signer", &ada]).expect(0);
    node.run(&["members", "guests"]).expect(1);
    node.run(&["remove", "guests", "ada", "--signer", &ada, "--json"]).expect(1);
}

#[test]
fn the_namespace_names_the_place_and_the_signer_the_writer() {
    let node = Node::start(&[]);
    let directory = Directory::new();
    let file = directory.path("ada.key");
    let public = run(&["keygen", &file]).expect(0).text().trim().to_owned();
    node.run(&["add", "k", "here", "--namespace", "a"]).expect(0);
    node.run(&["members", "k", "--namespace", "b"]).expect(1);
    assert_eq!(node.run(&["members", "k", "--namespace", "a"]).expect(0).text(), "here\n");
    let unsigned = node.run(&["add", "k", "there", "--from", &public]).expect(2);
    assert!(unsigned.stderr.contains("hint: name who writes with `--signer FILE`"), "{unsigned:?}");
    node.run(&["add", "k", "there", "--from", &public, "--signer", &file]).expect(0);
    assert_eq!(node.run(&["members", "k", "--from", &public]).expect(0).text(), "there\n");
    node.run(&["members", "k"]).expect(1);
    node.run(&["members", "k", "--from", &public, "--namespace", "a"]).expect(2);
    run(&["members", "k", "--public"]).expect(2);
}

#[test]
fn a_long_set_is_listed_by_parts_and_in_json() {
    let node = Node::start(&[]);
    for number in 0..7 {
        node.run(&["add", "n", &format!("0{number}"), "--hex"]).expect(0);
    }
    let (mut after, mut found) = (None::<String>, Vec::new());
    loop {
        let mut arguments = vec!["members", "n", "--limit", "3", "--hex"];
        if let Some(after) = &after {
            arguments.extend(["--after", after]);
        }
        let page = node.run(&arguments).expect(0);
        found.extend(page.text().lines().map(str::to_owned));
        let more = page.stderr.split_once("more with `--after ");
        after = more.map(|(_, rest)| rest.split('`').next().unwrap().to_owned());
        if after.is_none() {
            break;
        }
    }
    found.sort();
    assert_eq!(found, ["00", "01", "02", "03", "04", "05", "06"]);
    let json = node.run(&["members", "n", "--json", "--limit", "3"]).expect(0).json();
    assert_eq!(json["members"].as_array().unwrap().len(), 3);
    assert_eq!(json["next"].as_str().unwrap().len(), 40);
    assert_eq!((&json["held"], &json["known"]), (&7.into(), &1.into()));
    node.run(&["add", "n", "ff", "--hex"]).expect(0);
    assert!(node.run(&["members", "n"]).expect(0).text().contains("\\xff\n"));
    node.run(&["add", "n", "0g", "--hex"]).expect(2);
}

#[test]
fn a_reader_who_has_had_enough_ends_a_listing() {
    let node = Node::start(&[]);
    node.run(&["add", "guests", "grace"]).expect(0);
    let mut verb = Verb::start(&node, &["members", "guests"]);
    verb.close_stdout();
    let ended = verb.end_with(b"").expect(0);
    assert_eq!(ended.stderr, "", "it does not go on to tell how many there are");
}

#[test]
fn who_knows_the_passphrase_adds_lists_and_removes_and_others_find_no_members() {
    let first = Node::start(&[]);
    let second = Node::start_beside(&first, &[]);
    let secret = "open sesame";
    first.run_in_secret(secret, &["add", "guests", "ada"]).expect(0);
    second.run_in_secret(secret, &["add", "guests", "grace"]).expect(0);
    first.run_in_secret(secret, &["add", "guests", "ada", "--ttl", "30d"]).expect(0);
    let listed = second.run_in_secret(secret, &["members", "guests"]).expect(0);
    let mut items: Vec<&str> = listed.text().lines().collect();
    items.sort_unstable();
    assert_eq!(items, ["ada", "grace"]);
    first.run(&["members", "guests"]).expect(1);
    first.run_in_secret("open sesami", &["members", "guests"]).expect(1);
    first.run_in_secret(secret, &["members", "guests", "--namespace", "team"]).expect(1);
    first.run_in_secret(secret, &["remove", "guests", "ada"]).expect(0);
    first.run_in_secret(secret, &["remove", "guests", "ada"]).expect(1);
    assert_eq!(second.run_in_secret(secret, &["members", "guests"]).expect(0).text(), "grace\n");
}

#[test]
fn items_and_lives_that_do_not_fit_are_refused() {
    let node = Node::start(&[]);
    let long = "x".repeat(513);
    let told = node.run(&["add", "k", &long]).expect(2);
    assert_eq!(told.stderr, "error: the item has 513 bytes; a member has 1 to 512\n");
    node.run(&["add", "k", ""]).expect(2);
    node.run(&["add", "k", "v", "--ttl", "400d"]).expect(2);
    let told = node.run_in_secret("a passphrase", &["add", "k", &long[..445]]).expect(2);
    assert_eq!(told.stderr, "error: the item has 445 bytes; a member has 1 to 444\n");
    let nobody = run(&["members", "k", "--join", "127.0.0.1:9", "--json"]).expect(5).json();
    assert_eq!(nobody["error"]["kind"], "unreachable");
}
