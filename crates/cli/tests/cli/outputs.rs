//! Files that verbs write: as a whole or not at all, and readable by those who may.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::process::Command;
use std::time::Instant;

use crate::program::{Directory, Node, PATIENCE, Verb, run_with};

fn mode(path: &str) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(directory: &Directory) -> Vec<String> {
    let entries = fs::read_dir(directory.path(".")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_get_that_is_asked_to_leave_leaves_nothing_behind() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    for signal in ["INT", "TERM"] {
        let directory = Directory::new();
        let copy = directory.path("copy");
        let verb = Verb::start_through(&address, &["get", "k", "--output", &copy]);
        let deadline = Instant::now() + PATIENCE;
        while names(&directory).is_empty() {
            assert!(Instant::now() < deadline, "it began no file");
        }
        let left = verb.leave(signal).expect(2);
        let told =
            "error: asked to leave before the whole value was there\n  nothing was written\n";
        assert_eq!(left.stderr, told);
        assert!(names(&directory).is_empty(), "{:?}", names(&directory));
    }
}

#[test]
fn a_value_got_is_readable_by_those_who_could_read_what_was_there() {
    let (node, directory) = (Node::start(&[]), Directory::new());
    node.run(&["put", "k", "v"]).expect(0);
    let old = directory.file("old", b"before");
    for allowed in [0o600, 0o640, 0o664] {
        fs::set_permissions(&old, fs::Permissions::from_mode(allowed)).unwrap();
        node.run(&["get", "k", "--output", &old]).expect(0);
        assert_eq!((mode(&old), &fs::read(&old).unwrap()[..]), (allowed, &b"v"[..]));
    }
    let new = directory.path("new");
    node.run(&["get", "k", "--output", &new]).expect(0);
    let any = directory.file("any", b"");
    assert_eq!(mode(&new), mode(&any));
    let own = directory.path("own");
    Verb::start_for_itself(&node, &["get", "k", "--output", &own]).end_with(b"").expect(0);
    assert_eq!(mode(&own), 0o600);
}

#[test]
fn what_cannot_be_written_is_named_as_it_was_given() {
    let (node, directory) = (Node::start(&[]), Directory::new());
    node.run(&["put", "k", "v"]).expect(0);
    let nowhere = directory.path("no/file");
    let refused = node.run(&["get", "k", "--output", &nowhere]).expect(2);
    assert!(refused.stderr.starts_with(&format!("error: cannot write `{nowhere}`: ")));
    assert!(!refused.stderr.contains(".xorbit-"), "{refused:?}");
    // Values that must wait do so in a file without a name, in a directory that has one.
    let long = "v".repeat(1_500_000);
    let environment = [("XORBIT_JOIN", &node.address[..]), ("TMPDIR", "/no/such/directory")];
    let refused = run_with(&["put", "long", "-"], long.as_bytes(), &environment).expect(2);
    let named = "the temporary directory `/no/such/directory` (`TMPDIR`): ";
    assert!(refused.stderr.contains(named), "{refused:?}");
    node.run_with(&["put", "long", "-"], long.as_bytes()).expect(0);
    let refused = run_with(&["get", "long"], b"", &environment).expect(2);
    assert!(refused.stderr.contains(named), "{refused:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_finds_no_room_is_told_elsewhere() {
    let (node, full) = (Node::start(&[]), fs::File::options().write(true).open("/dev/full"));
    node.run(&["put", "k", "v"]).expect(0);
    let mut command = Command::new(env!("CARGO_BIN_EXE_xorbit"));
    command.args(["get", "k", "--json", "--join", &node.address]).stdout(full.unwrap());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("error: cannot write to stdout: "), "{told}");
}

#[test]
fn a_value_goes_where_links_lead_and_into_what_is_no_file() {
    let (node, directory) = (Node::start(&[]), Directory::new());
    node.run(&["put", "k", "v"]).expect(0);
    let file = directory.file("file", b"before");
    let (there, nowhere) = (directory.path("link"), directory.path("dangling"));
    symlink(&file, &there).unwrap();
    symlink(directory.path("made"), &nowhere).unwrap();
    for link in [&there, &nowhere] {
        node.run(&["get", "k", "--output", link]).expect(0);
        assert!(fs::symlink_metadata(link).unwrap().is_symlink());
    }
    assert_eq!(fs::read(&file).unwrap(), b"v");
    assert_eq!(fs::read(directory.path("made")).unwrap(), b"v");
    let null = directory.path("null");
    symlink("/dev/null", &null).unwrap();
    node.run(&["get", "k", "--output", &null]).expect(0);
    assert!(fs::metadata(&null).unwrap().file_type().is_char_device());
    let pipe = directory.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    node.run(&["get", "k", "--output", &pipe]).expect(0);
    assert_eq!(reader.join().unwrap(), b"v");
    let refused = node.run(&["get", "k", "--output", &directory.path(".")]).expect(2);
    assert!(refused.stderr.contains("is a directory"), "{refused:?}");
    let left: Vec<String> = names(&directory);
    assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
}
