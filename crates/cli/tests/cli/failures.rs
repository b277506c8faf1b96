//! What goes wrong ends with the right exit code, one clear line and a hint.

use std::net::UdpSocket;
use std::time::Duration;

use crate::program::{Directory, Node, run, run_with};

/// An address of loopback where no node is: a socket that is bound and never read.
fn nobody() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

#[test]
fn where_nobody_answers_every_verb_says_so_soon() {
    let (_socket, address) = nobody();
    let verbs: [&[&str]; 8] = [
        &["get", "k"],
        &["put", "k", "v"],
        &["delete", "k"],
        &["lookup", "k"],
        &["peers", "t"],
        &["scrape", "t"],
        &["announce", "t", "--port", "1"],
        &["item", "put", "v"],
    ];
    let asking = verbs.map(|verb| {
        let arguments: Vec<String> = verb
            .iter()
            .map(ToString::to_string)
            .chain(["--join".into(), address.clone()])
            .collect();
        std::thread::spawn(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run(&arguments).expect(5)
        })
    });
    for outcome in asking.map(|asking| asking.join().unwrap()) {
        let line = format!("error: nobody of network `xorbit` answers at `{address}`");
        assert_eq!(outcome.stderr.lines().next(), Some(&line[..]));
        assert!(outcome.stderr.contains("\nhint: start a node with `xorbit node`"));
        assert!(outcome.took < Duration::from_secs(10), "{outcome:?}");
    }
    let ping = run(&["ping", &address, "--json"]).expect(5).json();
    assert_eq!(ping["error"]["kind"], "unreachable");
    assert_eq!(ping["error"]["exit_code"], 5);
}

#[test]
fn a_name_that_does_not_resolve_is_an_unreachable_network() {
    let outcome = run(&["get", "k", "--join", "nowhere.invalid:8000"]).expect(5);
    assert!(outcome.stderr.contains("`nowhere.invalid:8000`"), "{outcome:?}");
    assert!(outcome.took < Duration::from_secs(10));
}

#[test]
fn networks_of_other_names_do_not_answer_for_this_one() {
    let node = Node::start(&["--network", "lab"]);
    assert!(node.ready.contains("network `lab`") && node.ready.contains("--network lab"));
    node.run(&["put", "k", "v"]).expect(5);
    node.run(&["put", "k", "v", "--network", "lab"]).expect(0);
}

#[test]
fn a_port_or_address_that_cannot_be_had_is_one_clear_error() {
    let (_socket, address) = nobody();
    let taken = run(&["node", "--listen", &address]).expect(2);
    assert!(taken.stderr.starts_with(&format!("error: cannot listen on `{address}`: ")));
    assert!(taken.stderr.contains("\nhint: ") && taken.stdout.is_empty(), "{taken:?}");
    let foreign = run(&["node", "--listen", "192.0.2.77:0"]).expect(2);
    assert!(foreign.stderr.starts_with("error: cannot listen on `192.0.2.77:0`: "), "{foreign:?}");
    let twice = ["node", "--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"];
    assert!(run(&twice).expect(2).stderr.contains("one IPv4 and one IPv6"));
}

#[test]
fn a_data_directory_that_cannot_be_used_is_one_clear_error() {
    let directory = Directory::new();
    let node = |data: &str| run(&["node", "--listen", "127.0.0.1:0", "--data", data]);
    let file = directory.file("file", b"");
    let not_one = node(&file).expect(2);
    let told = format!("error: `{file}` is a file, and a data directory is a directory\nhint: ");
    assert!(not_one.stderr.starts_with(&told), "{not_one:?}");
    for content in [&b"xorbit node 1\nid 00"[..], b"", &[0xff; 9]] {
        directory.file("node.txt", content);
        let unreadable = node(&directory.path("")).expect(2);
        assert!(unreadable.stderr.contains("node.txt`"), "{unreadable:?}");
        assert!(unreadable.stderr.contains("hint: move the file away"), "{unreadable:?}");
    }
    let directory = Directory::new();
    let _running = Node::start(&["--data", &directory.path("")]);
    let in_use = node(&directory.path("")).expect(2);
    assert!(in_use.stderr.contains("is in use by another node"), "{in_use:?}");
}

#[test]
fn the_store_of_a_later_version_is_left_alone() {
    let directory = Directory::new();
    let data = directory.path("data");
    drop(Node::start(&["--data", &data]));
    let file = directory.path("data/store/00000001.log");
    let mut bytes = std::fs::read(&file).unwrap();
    later_version(&mut bytes);
    std::fs::write(&file, &bytes).unwrap();
    for refused in [
        run(&["node", "--listen", "127.0.0.1:0", "--data", &data]),
        run(&["store", "check", &data]),
        run(&["store", "export", &data]),
        run(&["store", "import", &data]),
    ] {
        let refused = refused.expect(2);
        assert!(refused.stderr.contains("this program knows formats up to `1`"), "{refused:?}");
        assert!(refused.stderr.contains("hint: a later version of this program"), "{refused:?}");
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
    }
}

/// Gives the header of a segment the next version of the format, and the checksum that belongs to it.
fn later_version(segment: &mut [u8]) {
    segment[8] += 1;
    let sum = xxhash_rust::xxh3::xxh3_64(&segment[..32]);
    segment[32..40].copy_from_slice(&sum.to_le_bytes());
}

/// Directories that the system lets nobody write into, whoever runs this.
#[test]
#[cfg(target_os = "linux")]
fn a_directory_that_cannot_be_written_is_one_clear_error() {
    for path in ["/proc/xorbit-data", "/proc/self/fd/xorbit-data"] {
        let refused = run(&["node", "--listen", "127.0.0.1:0", "--data", path]).expect(2);
        let told = format!("error: cannot use the data directory: `{path}`: ");
        assert!(refused.stderr.starts_with(&told), "{refused:?}");
        assert!(
            refused.stderr.contains("hint: give a directory that can be written"),
            "{refused:?}"
        );
    }
}

#[test]
fn http_that_cannot_be_served_is_an_error_only_where_it_was_asked_for() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let node = ["node", "--listen", "127.0.0.1:0", "--http"];
    let refused = run(&[&node[..], &[&address]].concat()).expect(2);
    assert!(refused.stderr.contains(&format!("`{address}`")), "{refused:?}");
    let open = run(&[&node[..], &["0.0.0.0:0"]].concat()).expect(2);
    assert!(open.stderr.contains("without a token"), "{open:?}");
    assert!(open.stderr.contains("hint: let callers show a token"), "{open:?}");
    run(&[&node[..], &["on"]].concat()).expect(2);
    for (option, wrong) in [("--http-open", "kv"), ("--http-cors", "app.example")] {
        let refused = run(&[&node[..], &["off", option, wrong]].concat()).expect(2);
        assert!(refused.stderr.contains(&format!("'{wrong}'")), "{refused:?}");
    }
    let directory = Directory::new();
    let short = directory.file("token", b"guess me\n");
    let weak = run(&[&node[..], &["0.0.0.0:0", "--http-token-file", &short]].concat()).expect(2);
    assert!(weak.stderr.contains("8 bytes") && !weak.stderr.contains("guess"), "{weak:?}");
    Node::start(&["--http", "off"]);
}

#[test]
fn a_value_that_fits_no_item_is_refused_with_the_limit() {
    let directory = Directory::new();
    for length in [997, 2000, 3 << 20] {
        let file = directory.file("value", &vec![b'x'; length]);
        let (_socket, address) = nobody();
        let refused = run(&["put", "k", "--plain", "--file", &file, "--join", &address]).expect(2);
        assert!(refused.stderr.contains("more than the 996 that fit one item"), "{refused:?}");
    }
    let file = directory.file("value", &[b'x'; 996]);
    let node = Node::start(&[]);
    node.run(&["put", "k", "--file", &file, "--plain"]).expect(0);
    let file = directory.file("value", &[b'x'; 997]);
    let told = node.run(&["put", "k", "--file", &file, "--plain", "--json"]).expect(2).json();
    assert_eq!(
        (told["error"]["length"].as_u64(), told["error"]["limit"].as_u64()),
        (Some(997), Some(996))
    );
}

#[test]
fn a_large_value_that_nobody_takes_is_told_as_unreachable_and_not_tried_again() {
    let directory = Directory::new();
    let file = directory.file("value", &vec![b'x'; 100_000]);
    let (_socket, address) = nobody();
    let unreachable = run(&["put", "k", "--file", &file, "--join", &address]).expect(5);
    // A query is given up after 4 s; a second attempt would take as long again.
    assert!(unreachable.took.as_secs() < 8, "{unreachable:?}");
}

#[test]
fn in_the_public_network_a_namespace_must_be_named() {
    for verb in [&["put", "k", "v"][..], &["get", "k"], &["delete", "k"], &["lookup", "k"]] {
        let refused = run(&[verb, &["--public"]].concat()).expect(2);
        assert!(refused.stderr.contains("hint: name one with `--namespace NAME`"), "{refused:?}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_in_json_too() {
    let wrong: [&[&str]; 12] = [
        &[],
        &["put", "k"],
        &["put", "", "v"],
        &["put", "k", "v", "--ttl", "5"],
        &["put", "k", "v", "--ttl", "400d"],
        &["put", "k", "v", "--if-version", "-1"],
        &["get", "k", "--join", "127.0.0.1"],
        &["get", "k", "--from", "abc"],
        &["put", "k", "v", "--replicas", "21"],
        &["announce", "topic"],
        &["lookup", "hex:00"],
        &["put", "k", "--file", "no such file"],
    ];
    for arguments in wrong {
        let outcome = run(arguments).expect(2);
        assert!(outcome.stdout.is_empty() && !outcome.stderr.is_empty(), "{outcome:?}");
        if !arguments.is_empty() {
            let told = run(&[arguments, &["--json"]].concat()).expect(2).json();
            assert_eq!(told["error"]["exit_code"], 2, "{told}");
        }
    }
}

#[test]
fn a_number_below_0_is_named_and_not_taken_for_another_option() {
    for (arguments, given, why) in [
        (&["put", "k", "v", "--ttl", "-1h"][..], "-1h", "a span of time cannot be negative"),
        (&["put", "k", "v", "--ttl=-1h"], "-1h", "a span of time cannot be negative"),
        (&["put", "k", "v", "--if-version", "-1"], "-1", "not a version"),
        (&["add", "s", "i", "--ttl", "-1h"], "-1h", "a span of time cannot be negative"),
        (&["keep", "k", "--ttl", "-1h"], "-1h", "a span of time cannot be negative"),
        (&["watch", "k", "--after", "-1"], "-1", "not a version"),
        (&["members", "s", "--limit", "-1"], "-1", "-1 is not in"),
        (&["item", "put", "x", "--signer", "f", "--seq", "-1"], "-1", "not a number from 0"),
        (&["node", "--leave-within", "-1s"], "-1s", "a span of time cannot be negative"),
        (&["node", "--max-items", "-1"], "-1", "give a whole number"),
        (&["node", "--max-bytes", "-1"], "-1", "give a number of bytes above 0"),
    ] {
        let refused = run(arguments).expect(2);
        let named = format!("error: invalid value '{given}' for");
        assert!(refused.stderr.starts_with(&named), "{refused:?}");
        assert!(refused.stderr.contains(why) && !refused.stderr.contains("tip:"), "{refused:?}");
    }
}

#[test]
fn a_life_that_is_a_little_too_long_is_told_exactly() {
    let refused = run(&["put", "k", "v", "--ttl", "8761h", "--join", "127.0.0.1:9"]).expect(2);
    let told = "error: a life of 365d1h is not between 1ms and 365d\n";
    assert!(refused.stderr.starts_with(told), "{refused:?}");
}

#[test]
fn an_empty_environment_variable_is_as_good_as_none() {
    let (_socket, address) = nobody();
    let outcome = run_with(&["get", "k", "--join", &address], b"", &[("XORBIT_JOIN", "")]);
    assert_eq!(outcome.code, 5, "{outcome:?}");
    let outcome = run_with(&["get", "", "--json"], b"", &[("XORBIT_JOIN", "")]).expect(2);
    assert!(outcome.text().contains("the key is empty"), "{outcome:?}");
}

#[test]
fn help_documents_the_exit_codes() {
    assert!(run(&["--help"]).expect(0).text().contains("5  the network cannot be reached"));
    let verbs =
        ["demo", "node", "put", "get", "delete", "item", "announce", "peers", "scrape", "lookup"];
    for verb in verbs.into_iter().chain(["ping", "sample"]) {
        if verb != "item" {
            assert!(run(&[verb, "--help"]).expect(0).text().contains("Exit codes: 0"), "{verb}");
        }
    }
    assert!(run(&["item", "get", "--help"]).expect(0).text().contains("Exit codes: 0"));
}
