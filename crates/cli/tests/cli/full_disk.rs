//! A node whose disk is full: here a limit on the length of its files, which needs no privileges.

use crate::program::{Directory, Node};

#[test]
fn a_node_on_a_full_disk_says_so_refuses_puts_serves_on_and_loses_nothing() {
    let directory = Directory::new();
    let data = directory.path("data");
    let node = Node::start_with_short_files(32, &["--data", &data]);
    let value = "v".repeat(700);
    let mut acknowledged = Vec::new();
    let refused = loop {
        let key = format!("k{}", acknowledged.len());
        let put = node.run(&["put", &key, &value]);
        if put.code != 0 {
            break put;
        }
        acknowledged.push(key);
        assert!(acknowledged.len() < 60, "32 KiB are full by now");
    };
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(
        refused.stderr.contains("1 refused (202: cannot be written to the disk)"),
        "{refused:?}"
    );
    let said = node.hear("puts are refused");
    assert!(said.contains("no space is left for the store"), "{said}");
    let holds_all = |node: &Node| {
        for key in &acknowledged {
            assert_eq!(node.run(&["get", key]).expect(0).text(), value, "{key}");
        }
    };
    holds_all(&node);
    node.run(&["put", "another", &value]).expect(3);
    drop(node);
    // It starts on the full disk, and with room takes puts again.
    let still_full = Node::start_with_short_files(32, &["--data", &data]);
    holds_all(&still_full);
    still_full.run(&["put", "another", &value]).expect(3);
    drop(still_full);
    let with_room = Node::start(&["--data", &data]);
    holds_all(&with_room);
    with_room.run(&["put", "another", &value]).expect(0);
}
