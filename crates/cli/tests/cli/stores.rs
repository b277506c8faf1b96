//! Data directories: what is told of those that cannot be used, and `xorbit store`.

use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;

use crate::program::{Directory, Node, Outcome, run, run_with, run_with_short_files};

/// A directory in which a node has kept some of everything, and its id.
fn filled(directory: &Directory) -> (String, String) {
    let data = directory.path("data");
    let node = Node::start(&["--data", &data]);
    node.run(&["put", "first", "one"]).expect(0);
    node.run(&["put", "second", "two"]).expect(0);
    node.run(&["delete", "second"]).expect(0);
    node.run(&["item", "put", "plain text"]).expect(0);
    node.run(&["announce", "topic", "--port", "7000"]).expect(0);
    node.run(&["add", "fruit", "apple"]).expect(0);
    let id = node.id.clone();
    node.leave("TERM");
    (data, id)
}

/// The lines of an export, in an order of their own.
fn exported(data: &str) -> Vec<String> {
    let export = run(&["store", "export", data]).expect(0);
    let mut lines: Vec<String> = export.text().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn damage(directory: &Directory, at: &[u8]) {
    let store = directory.path("data/store");
    let file = fs::read_dir(store).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    let place = bytes.windows(at.len()).position(|window| window == at).unwrap();
    bytes[place] ^= 1;
    fs::write(&file, bytes).unwrap();
}

#[test]
fn a_check_counts_what_a_stopped_node_keeps_and_changes_nothing() {
    let directory = Directory::new();
    let (data, id) = filled(&directory);
    let file = directory.path("data/store/00000001.log");
    let before = fs::read(&file).unwrap();
    let check = run(&["store", "check", &data]).expect(0);
    assert!(check.text().starts_with(&format!("`{data}` is sound\n")), "{check:?}");
    assert!(check.text().contains("3 items: 2 mutable, 1 immutable"), "{check:?}");
    let json = run(&["store", "check", &data, "--json"]).expect(0).json();
    assert_eq!((&json["id"], &json["mutable_items"]), (&Value::from(id), &Value::from(2)));
    assert_eq!((&json["peers"], &json["members"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(json["damaged_bytes"], 0);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_node_that_is_killed_early_finds_its_network_again() {
    let directory = Directory::new();
    let data = directory.path("data");
    let first = Node::start(&["--data", &data]);
    let other = Node::start_beside(&first, &[]);
    let file = directory.path("data/store/00000001.log");
    let contact = format!("contact {}", other.id);
    let deadline = Instant::now() + Duration::from_secs(30);
    let remembers = || {
        let bytes = fs::read(&file).unwrap();
        bytes.windows(contact.len()).any(|part| part == contact.as_bytes())
    };
    while !remembers() {
        assert!(
            Instant::now() < deadline,
            "nothing else happens, and its contacts are not written"
        );
        // waits: for what the disk is given five seconds after the first contact
        thread::sleep(Duration::from_millis(100));
    }
    first.signal("KILL");
    drop(first);
    let again = Node::start(&["--data", &data]);
    again.hear("joined through 1 contact of before");
}

#[test]
fn a_damaged_store_is_told_with_what_is_sound_in_it() {
    let directory = Directory::new();
    let (data, _) = filled(&directory);
    damage(&directory, b"plain text");
    let check = run(&["store", "check", &data]).expect(3);
    assert!(check.stderr.contains("is damaged"), "{check:?}");
    assert!(check.stderr.contains("2 items: 2 mutable, 0 immutable"), "{check:?}");
    let json = run(&["store", "check", &data, "--json"]).expect(3).json();
    assert_eq!(json["error"]["kind"], "damaged");
    assert_eq!(json["error"]["found"]["immutable_items"], 0);
    // All the rest can be saved.
    let saved = run(&["store", "export", &data]).expect(3);
    assert_eq!(saved.text().lines().filter(|line| line.contains("\"item\"")).count(), 2);
    assert!(saved.stderr.contains("not what is damaged"), "{saved:?}");
}

#[test]
fn what_a_start_cuts_off_is_told_by_a_check_before_and_by_that_start_alone() {
    let directory = Directory::new();
    let (data, _) = filled(&directory);
    let file = directory.path("data/store/00000001.log");
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend([7; 9]);
    fs::write(&file, bytes).unwrap();
    let check = run(&["store", "check", &data]).expect(0);
    assert!(check.text().contains("9 bytes at the end that are no whole commit"), "{check:?}");
    let node = Node::start(&["--data", &data]);
    node.hear("cut off at the end of the store: 9 bytes");
    node.leave("TERM");
    let (_, words) = Node::start(&["--data", &data]).leave("TERM");
    assert!(words.iter().all(|line| !line.contains("cut off")), "{words:?}");
}

#[test]
fn commits_at_the_end_that_others_came_behind_are_damage_and_kept_aside() {
    let directory = Directory::new();
    let (data, _) = filled(&directory);
    let file = directory.path("data/store/00000001.log");
    let mut bytes = fs::read(&file).unwrap();
    // Within the third frame from the end.
    let frames: Vec<usize> =
        (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"frm1")).collect();
    bytes[frames[frames.len() - 3] + 40..].fill(0xa5);
    fs::write(&file, &bytes).unwrap();
    let check = run(&["store", "check", &data]).expect(3);
    assert!(check.stderr.contains("sets aside 00000001.log.damaged-1"), "{check:?}");
    let node = Node::start(&["--data", &data]);
    node.hear("the store was damaged: ");
    assert_eq!(fs::read(format!("{file}.damaged-1")).unwrap(), bytes);
}

#[test]
fn an_import_tells_what_it_has_mended() {
    let directory = Directory::new();
    let (data, _) = filled(&directory);
    damage(&directory, b"plain text");
    let told = import(&data, &[], &[]).expect(0);
    assert!(told.stderr.contains("set aside in its `store`: 00000001.log.damaged-1"), "{told:?}");
    assert!(!import(&data, &[], &[]).expect(0).stderr.contains("damaged"));
}

#[test]
fn an_export_comes_back_as_the_same_store() {
    let directory = Directory::new();
    let (data, id) = filled(&directory);
    let file = directory.path("all.jsonl");
    run(&["store", "export", &data, "--output", &file]).expect(0);
    let other = directory.path("other");
    let import = run(&["store", "import", &other, "--input", &file]).expect(0);
    assert!(
        import.text().ends_with(": 6 new, 0 renewed, 0 there already, 0 outdated\n"),
        "{import:?}"
    );
    assert_eq!(exported(&other), exported(&data));
    // Once more changes nothing.
    let again = run(&["store", "import", &other, "--input", &file]).expect(0);
    assert!(
        again.text().ends_with(": 0 new, 0 renewed, 6 there already, 0 outdated\n"),
        "{again:?}"
    );
    let node = Node::start(&["--data", &other]);
    assert_eq!(node.id, id);
    assert_eq!(node.run(&["get", "first"]).expect(0).text(), "one");
    node.run(&["get", "second"]).expect(1);
    assert_eq!(node.run(&["peers", "topic"]).expect(0).text().lines().count(), 1);
    assert!(node.run(&["members", "fruit"]).expect(0).text().contains("apple"));
}

fn import(data: &str, lines: &[&str], more: &[&str]) -> Outcome {
    run_with(&[&["store", "import", data], more].concat(), lines.join("\n").as_bytes(), &[])
}

#[test]
fn an_import_refuses_what_does_not_verify_with_its_line_and_never_goes_back() {
    let directory = Directory::new();
    let (data, _) = filled(&directory);
    let lines = exported(&data);
    let signed = lines.iter().find(|line| line.contains("\"text\":\"one\"")).unwrap();
    let plain = lines.iter().find(|line| line.contains("\"text\":\"plain text\"")).unwrap();
    let mut forged: Value = serde_json::from_str(signed).unwrap();
    forged["seq"] = (forged["seq"].as_u64().unwrap() + 1).into();
    let forged = forged.to_string();
    let mut misplaced: Value = serde_json::from_str(plain).unwrap();
    misplaced["target"] = "00".repeat(20).into();
    let misplaced = misplaced.to_string();
    let too_long = plain.replacen("\"target\":\"", "\"target\":\"0", 1);

    let other = directory.path("other");
    let stopped = import(&other, &[plain, &forged, signed], &[]).expect(3);
    assert!(stopped.stderr.contains("line 2: the signature does not match"), "{stopped:?}");
    assert!(stopped.stderr.contains("taken: 1 new"), "{stopped:?}");
    let lines = [plain, &forged, &misplaced, &too_long, "zebra", signed];
    let went_on = import(&other, &lines, &["--keep-going"]).expect(3);
    assert!(went_on.stderr.contains("line 3: its hash is `"), "{went_on:?}");
    assert!(went_on.stderr.contains("line 4: `target` cannot be `"), "{went_on:?}");
    assert!(went_on.stderr.contains("line 5: it is no JSON object"), "{went_on:?}");
    assert!(went_on.stderr.contains("taken: 1 new, 0 renewed, 1 there already"), "{went_on:?}");

    // A later version in the directory stays.
    let node = Node::start(&["--data", &other]);
    node.run(&["put", "first", "newer"]).expect(0);
    node.leave("TERM");
    let outdated = import(&other, &[signed], &[]).expect(0);
    assert!(outdated.text().contains("1 outdated"), "{outdated:?}");
    let node = Node::start(&["--data", &other]);
    assert_eq!(node.run(&["get", "first"]).expect(0).text(), "newer");
}

#[test]
fn what_is_unknown_is_exported_as_it_is_and_taken_back() {
    let directory = Directory::new();
    let (one, other) = (directory.path("one"), directory.path("other"));
    let unknown = r#"{"key":"7a65627261","kind":"other","value":"00ff"}"#;
    import(&one, &[unknown], &[]).expect(0);
    assert!(exported(&one).contains(&unknown.to_owned()));
    let lines = exported(&one).join("\n");
    run_with(&["store", "import", &other], lines.as_bytes(), &[]).expect(0);
    assert_eq!(exported(&other), exported(&one));
    let check = run(&["store", "check", &other]).expect(0);
    assert!(check.text().contains("1 unknown"), "{check:?}");
    // A start of this version leaves it where it is.
    Node::start(&["--data", &one]).leave("TERM");
    assert!(exported(&one).contains(&unknown.to_owned()));
    // Under a key of ours only what is ours is taken.
    let forged = r#"{"key":"6e6f6465","kind":"other","value":"00ff"}"#;
    let refused = import(&one, &[forged], &[]).expect(3);
    assert!(refused.stderr.contains("line 1: it is not what a node keeps"), "{refused:?}");
}

#[test]
fn an_export_that_fails_lets_the_last_one_stay() {
    let directory = Directory::new();
    let (data, _) = filled(&directory);
    let file = directory.path("all.jsonl");
    run(&["store", "export", &data, "--output", &file]).expect(0);
    let before = fs::read(&file).unwrap();
    let failed = run_with_short_files(1, &["store", "export", &data, "--output", &file]).expect(2);
    assert!(failed.stderr.starts_with("error: cannot write to `"), "{failed:?}");
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(fs::read_dir(directory.path(".")).unwrap().count(), 2, "beside `data`");
}

#[test]
fn a_line_longer_than_any_entry_keeps_those_behind_it_from_being_taken_only_if_told_so() {
    let directory = Directory::new();
    let (data, _) = filled(&directory);
    let mut lines = exported(&data);
    lines.retain(|line| line.contains("\"kind\":\"item\""));
    let long = "z".repeat(3 << 20);
    let all = format!("{}\n{long}\n{}\n", lines[0], lines[1]);
    let other = directory.path("other");
    let import = ["store", "import", &other];
    let stopped = run_with(&import, all.as_bytes(), &[]).expect(3);
    assert!(stopped.stderr.contains("taken: 1 new"), "{stopped:?}");
    assert!(stopped.stderr.contains("hint: what was taken stays; `--keep-going`"), "{stopped:?}");
    let went_on = run_with(&[&import[..], &["--keep-going"]].concat(), all.as_bytes(), &[]);
    let went_on = went_on.expect(3);
    assert!(went_on.stderr.contains("line 2: it is longer than 1048576 bytes"), "{went_on:?}");
    assert!(went_on.stderr.contains("taken: 1 new, 0 renewed, 1 there already"), "{went_on:?}");
    assert!(!went_on.stderr.contains("`--keep-going`"), "{went_on:?}");
}

#[test]
fn a_backup_without_its_lock_file_can_be_looked_at() {
    let directory = Directory::new();
    let (data, _) = filled(&directory);
    fs::remove_file(format!("{data}/lock")).unwrap();
    run(&["store", "check", &data]).expect(0);
    assert!(run(&["store", "export", &data]).expect(0).text().lines().count() > 5);
    assert!(!fs::exists(format!("{data}/lock")).unwrap(), "who looks writes nothing");
}

#[test]
fn an_export_that_was_cut_off_is_told_when_it_is_imported() {
    let directory = Directory::new();
    let (data, _) = filled(&directory);
    let export = run(&["store", "export", &data]).expect(0);
    let lines: Vec<&str> = export.text().lines().collect();
    let (whole, cut) = (directory.path("whole"), directory.path("cut"));
    assert_eq!(lines.last(), Some(&r#"{"entries":6,"kind":"end"}"#));
    assert_eq!(import(&whole, &lines, &[]).expect(0).stderr, "");
    let told = import(&cut, &lines[..lines.len() - 1], &[]).expect(0);
    assert!(told.stderr.contains("no last line, so the export was cut off"), "{told:?}");
    let json = import(&cut, &lines[..3], &["--json"]).expect(0).json();
    assert_eq!(json["cut_off"], true);
    let not_exported = import(&cut, &lines[1..3], &[]).expect(0);
    assert_eq!(not_exported.stderr, "");
}

#[test]
fn the_directory_of_a_running_node_is_left_alone() {
    let directory = Directory::new();
    let data = directory.path("data");
    let _node = Node::start(&["--data", &data]);
    for verb in ["check", "export", "import"] {
        let refused = run(&["store", verb, &data]).expect(2);
        assert!(refused.stderr.contains("is in use by another node"), "{refused:?}");
        assert!(refused.stderr.contains("hint: end the other node first"), "{refused:?}");
    }
}

#[test]
fn what_is_no_data_directory_is_told_as_such() {
    let directory = Directory::new();
    let file = directory.file("file", b"zebra");
    let (missing, empty) = (directory.path("missing"), directory.path(""));
    for (path, what) in [
        (&file, "is a file, and a data directory is a directory"),
        (&missing, "is no data directory: there is no store in it"),
        (&empty, "is no data directory: there is no store in it"),
    ] {
        for verb in ["check", "export"] {
            let refused = run(&["store", verb, path]).expect(2);
            assert!(refused.stderr.contains(what), "{refused:?}");
        }
    }
    assert!(!fs::exists(missing).unwrap(), "looking makes no directory");
}

#[test]
fn promises_are_exported_only_when_asked_for_since_they_hold_secrets() {
    let directory = Directory::new();
    let (data, other) = (directory.path("data"), directory.path("other"));
    let node = Node::start(&["--data", &data]);
    node.run(&["put", "greeting", "hello"]).expect(0);
    run(&["keep", "greeting", "--data", &data]).expect(0);
    node.leave("TERM");
    let check = run(&["store", "check", &data]).expect(0);
    assert!(check.text().contains("1 promise: they hold secrets"), "{check:?}");
    let without = run(&["store", "export", &data]).expect(0);
    assert!(!without.text().contains("promise"), "{without:?}");
    assert!(without.stderr.contains("left out: 1 promise, which hold secrets"), "{without:?}");
    // Whoever could read what was there can read no secret.
    let file = directory.file("all.jsonl", b"");
    run(&["store", "export", &data, "--secrets", "--output", &file]).expect(0);
    assert!(fs::read_to_string(&file).unwrap().contains("\"promise\""));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0);
    }
    run(&["store", "import", &other, "--input", &file]).expect(0);
    let again = run(&["store", "check", &other]).expect(0);
    assert!(again.text().contains("1 promise: they hold secrets"), "{again:?}");
    // What the owner of its namespace did not sign is no value to keep.
    let lines = fs::read_to_string(&file).unwrap();
    let line = lines.lines().find(|line| line.contains("\"promise\"")).unwrap();
    let mut forged: Value = serde_json::from_str(line).unwrap();
    let mut value = forged["value"].as_str().unwrap().to_owned();
    let last = value.pop().unwrap();
    value.push(if last == '0' { '1' } else { '0' });
    forged["value"] = value.into();
    let refused = import(&other, &[&forged.to_string()], &[]).expect(3);
    assert!(refused.stderr.contains("line 1: it is not what a node keeps"), "{refused:?}");
}
