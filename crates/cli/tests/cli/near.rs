//! Verbs that go through a running node instead of one of their own.

use std::thread;

use crate::program::{Directory, Node, Outcome, run_with};

/// Runs a verb for which a running node serves at this place.
fn near(url: &str, arguments: &[&str]) -> Outcome {
    near_with(url, arguments, b"")
}

fn near_with(url: &str, arguments: &[&str], stdin: &[u8]) -> Outcome {
    // Nobody listens there, so that only the running node can be the way.
    let environment = [("XORBIT_HTTP_URL", url)];
    run_with(arguments, stdin, &environment)
}

#[test]
fn without_a_join_verbs_go_through_the_running_node_and_say_so() {
    let (node, url) = Node::serve(&[]);
    let way = format!("through the running node at {url}");
    let put = near(&url, &["put", "k/ü?", "v", "--trace"]).expect(0);
    assert!(put.stderr.starts_with(&way), "{put:?}");
    assert!(put.stderr.contains("stored: 1 replica of 1 known, version "), "{put:?}");
    let got = near(&url, &["get", "k/ü?", "--trace"]).expect(0);
    assert!(got.stderr.starts_with(&way) && got.stderr.contains("1 of 1 replica holds it"));
    assert_eq!(got.text(), "v");
    let told = near(&url, &["get", "k/ü?", "--trace", "--json"]).expect(0).json();
    assert_eq!((&told["through"], &told["value"]), (&url.as_str().into(), &"v".into()));
    assert_eq!(told["key"], "k/ü?");
    let deleted = near(&url, &["delete", "k/ü?", "--trace"]).expect(0);
    assert!(deleted.stderr.starts_with(&way) && deleted.stderr.contains("deleted: 1 replica"));
    drop(node);
}

#[test]
fn both_ways_tell_the_same() {
    let (node, url) = Node::serve(&[]);
    let _second = Node::start_beside(&node, &[]);
    let keys = |outcome: &Outcome| -> Vec<String> {
        outcome.json().as_object().unwrap().keys().cloned().collect()
    };
    let alike = |arguments: &[&str], code| {
        let arguments = [arguments, &["--json"]].concat();
        let (own, other) = (node.run(&arguments), near(&url, &arguments));
        assert_eq!((own.code, other.code), (code, code), "{own:?} {other:?}");
        assert_eq!(keys(&own), keys(&other), "{arguments:?}");
        // Of failures the words are the same, too.
        let said = |outcome: &Outcome| {
            let told = outcome.json();
            ["kind", "message", "hint"].map(|field| told["error"][field].clone())
        };
        assert_eq!(said(&own), said(&other), "{arguments:?}");
    };
    alike(&["get", "k"], 1);
    alike(&["delete", "k"], 1);
    alike(&["put", "k", "v", "--ttl", "1h"], 0);
    alike(&["get", "k", "--all"], 0);
    alike(&["get", "k", "--trace"], 0);
    alike(&["put", "k", "v", "--if-version", "7"], 4);
    alike(&["put", "k", "v", "--if-version", "absent"], 4);
    alike(&["put", "", "v"], 2);
    near(&url, &["delete", "k"]).expect(0);
    alike(&["get", "k"], 1);
}

#[test]
fn a_large_value_goes_there_and_back() {
    let (_node, url) = Node::serve(&[]);
    let directory = Directory::new();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number * 7 / 3) as u8).collect();
    let file = directory.file("large", &bytes);
    near(&url, &["put", "from a file", "--file", &file]).expect(0);
    near_with(&url, &["put", "from stdin", "-"], &bytes).expect(0);
    for key in ["from a file", "from stdin"] {
        assert!(near(&url, &["get", key]).expect(0).stdout == bytes, "{key}");
        let copy = directory.path("copy");
        let told = near(&url, &["get", key, "--output", &copy, "--json"]).expect(0).json();
        assert!(told["chunks"].as_u64().unwrap() > 2_000, "{told}");
        assert!(std::fs::read(&copy).unwrap() == bytes, "{key}");
    }
}

#[test]
fn what_a_running_node_cannot_do_takes_an_own_one() {
    let (node, url) = Node::serve(&[]);
    let directory = Directory::new();
    let signer = directory.path("signer");
    run_with(&["keygen", &signer], b"", &[]).expect(0);
    let unfit = [
        (&["put", "k", "v", "--signer", &signer][..], "only it may know the signer"),
        (&["put", "k", "v", "--plain"], "`--plain` puts just the bytes"),
        (&["get", "k", "--max-size", "9k"], "`--max-size` sets a limit of its own"),
        (&["put", "k", "v", "--network", "other"], "a node of another network answers"),
    ];
    // Each waits for a node that is not there, so all wait at once.
    thread::scope(|scope| {
        for (arguments, why) in unfit {
            let url = &url;
            scope.spawn(move || {
                let told = near(url, &[arguments, &["--trace"]].concat());
                assert!(told.stderr.starts_with("through a node of its own: "), "{told:?}");
                assert!(told.stderr.lines().next().unwrap().contains(why), "{told:?}");
            });
        }
    });
    let environment = [("XORBIT_HTTP_URL", &url[..]), ("XORBIT_JOIN", &node.address)];
    let told = run_with(&["put", "k", "v", "--trace"], b"", &environment).expect(0);
    assert!(told.stderr.starts_with("through a node of its own: `--join` says"), "{told:?}");
    let secret = [("XORBIT_HTTP_URL", &url[..]), ("XORBIT_SECRET", "a passphrase that is long")];
    let told = run_with(&["put", "k", "v", "--trace"], b"", &secret);
    assert!(told.stderr.contains("only it may know the secret"), "{told:?}");
}

#[test]
fn something_else_that_listens_there_is_no_way() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Takes the connection and says nothing.
    let silent = thread::spawn(move || listener.accept());
    let told = near(&url, &["get", "k", "--trace"]);
    assert!(told.stderr.contains("no node answers within 500ms"), "{told:?}");
    drop(silent);
}
