//! `--config FILE`, options from the environment, and `xorbit config show`.

use crate::program::{Directory, Node, Outcome, run, run_with};

fn with_file(content: &str, arguments: &[&str]) -> Outcome {
    let directory = Directory::new();
    let file = directory.file("xorbit.toml", content.as_bytes());
    run(&[&["--config", &file], arguments].concat())
}

#[test]
fn a_file_gives_options_that_the_command_line_and_the_environment_go_before() {
    let directory = Directory::new();
    let text = "network = \"ours\"\n[node]\nhttp = \"off\"\nmax-items = 7\n[put]\nttl = \"1h\"\n";
    let file = directory.file("xorbit.toml", text.as_bytes());
    let node = Node::start(&["--config", &file]);
    assert!(node.ready.contains("network `ours`"), "{}", node.ready);
    let environment = [("XORBIT_JOIN", &node.address[..]), ("XORBIT_CONFIG", &file)];
    let put = run_with(&["put", "k", "v", "--json"], b"", &environment).expect(0).json();
    let life = |put: &serde_json::Value| {
        put["expires_ms"].as_u64().unwrap() - put["version"].as_u64().unwrap() / 1000
    };
    assert!(life(&put).abs_diff(3_600_000) < 60_000, "{put}");
    let typed = ["put", "k", "v", "--ttl", "2h", "--json"];
    let put = run_with(&typed, b"", &environment).expect(0).json();
    assert!(life(&put).abs_diff(7_200_000) < 60_000, "{put}");
    let other = ["get", "k", "--network", "other"];
    run_with(&other, b"", &environment).expect(5);

    let from = |name: &str, environment: &[(&str, &str)]| {
        let show = ["config", "show", "--config", &file, "--json"];
        let told = run_with(&show, b"", environment).expect(0).json();
        (told[name]["values"][0].clone(), told[name]["from"].clone())
    };
    let (none, both) = ([], [("XORBIT_MAX_ITEMS", "9")]);
    assert_eq!(from("max-items", &none), ("7".into(), format!("from {file}").into()));
    assert_eq!(from("max-items", &both), ("9".into(), "from XORBIT_MAX_ITEMS".into()));
    assert_eq!(from("leave-within", &none), ("10s".into(), "by default".into()));
}

#[test]
fn what_is_shown_can_be_read_again() {
    let text =
        "join = [\"a.example:1\", \"b.example:2\"]\npublic = true\n[node]\nmax-bytes = 900000\n";
    let shown = with_file(text, &["config", "show"]).expect(0);
    for line in ["join = [\"a.example:1\", \"b.example:2\"]", "public = true", "max-bytes = 900000"]
    {
        assert!(shown.text().contains(line), "{}", shown.text());
    }
    let again = with_file(shown.text(), &["config", "show"]).expect(0);
    let options = |outcome: &Outcome| -> Vec<String> {
        let lines = outcome.text().lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split(" #").next().unwrap().trim_end().to_owned()).collect()
    };
    assert_eq!(options(&again), options(&shown));
}

#[test]
fn a_mistake_in_a_file_is_named_with_its_place() {
    for (text, what) in [
        ("listen = \n", "line 1: "),
        ("\n[node\n", "line 2: "),
        ("ports = 1\n", "no verb has an option `ports`"),
        ("[node]\nttl = \"1h\"\n", "`node` has no option `ttl`"),
        ("[nodes]\nttl = \"1h\"\n", "[nodes] is no verb"),
        ("[node]\nlisten = \"here\"\n", "invalid value 'here' for '--listen <ADDR:PORT>'"),
        ("[node]\npublic = \"yes\"\n", "`node` has no option `public`"),
        ("[node]\nlisten = true\n", "`node` has no option `listen` that is true or false"),
        ("[get]\njson = true\n", "`get` has no option `json` that is true or false"),
    ] {
        let refused = with_file(text, &["get", "k"]).expect(2);
        assert!(refused.stderr.contains(what), "{text}: {refused:?}");
    }
    let missing = run(&["--config", "/nowhere/x.toml", "get", "k"]).expect(2);
    assert!(missing.stderr.contains("cannot read `/nowhere/x.toml`"), "{missing:?}");
}

#[test]
fn a_node_takes_every_option_from_the_environment() {
    let help = run(&["node", "--help"]).expect(0);
    for name in ["LISTEN", "JOIN", "DATA", "HTTP", "NETWORK", "MAX_BANDWIDTH", "LEAVE_WITHIN"] {
        assert!(help.text().contains(&format!("XORBIT_{name}]")), "{name}: {}", help.text());
    }
    let told = run_with(&["node"], b"", &[("XORBIT_LISTEN", "nowhere")]).expect(2);
    assert!(told.stderr.contains("invalid value 'nowhere' for '--listen"), "{told:?}");
}
