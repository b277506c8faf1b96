//! Watching through the handle, over real sockets on loopback.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use xorbit::{Node, Testnet, WatchContent, WatchError, testnet};

/// For anything that shall happen: far more than it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

async fn watcher(net: &Testnet) -> Node {
    let listen = "127.0.0.1:0".parse().unwrap();
    let builder = Node::builder().ephemeral(true).listen(listen).join(net.door().unwrap());
    builder.start().await.unwrap()
}

fn value(bytes: &[u8]) -> WatchContent {
    WatchContent::Value(bytes.into())
}

#[tokio::test]
async fn a_watch_is_a_stream_of_rising_versions() {
    let net = testnet(3).await.unwrap();
    let node = watcher(&net).await;
    let first = net.nodes[0].put("k", "one").await.unwrap().version.unwrap();
    let mut watching = node.watch("k").await.unwrap();
    let mut next = async || {
        let told = tokio::time::timeout(PATIENCE, watching.next()).await.expect("a version comes");
        told.expect("the watch goes on").unwrap()
    };
    let one = next().await;
    assert_eq!((one.version, one.content), (first, value(b"one")));
    net.nodes[1].put("k", "two").await.unwrap();
    let two = next().await;
    assert_eq!(two.content, value(b"two"));
    net.nodes[2].delete("k").await.unwrap();
    let gone = next().await;
    assert_eq!(gone.content, WatchContent::Deleted);
    assert!(gone.version > two.version && two.version > one.version);
    let mut later = node.watch("k").after(two.version).await.unwrap();
    let told = tokio::time::timeout(PATIENCE, later.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(told, gone);
    node.close().await;
    assert_eq!(watching.next().await, None, "the node is closed");
    net.close().await;
}

#[tokio::test]
async fn who_listens_late_hears_the_last() {
    let net = testnet(1).await.unwrap();
    let mut watching = net.nodes[0].watch("k").await.unwrap();
    let mut last = None;
    for round in 0..200 {
        last = net.nodes[0].put("k", round.to_string()).await.unwrap().version;
    }
    let (mut count, mut before) = (0, None);
    while before != last {
        let told = tokio::time::timeout(PATIENCE, watching.next()).await.unwrap();
        let version = Some(told.unwrap().unwrap().version);
        assert!(version > before);
        (before, count) = (version, count + 1);
    }
    assert!(count <= 64, "{count} were kept for it");
    net.close().await;
}

#[tokio::test]
async fn a_watch_that_is_dropped_makes_room_for_others() {
    let net = testnet(2).await.unwrap();
    let node = &net.nodes[1];
    for round in 0..300 {
        let mut watching = node.watch(format!("k{round}")).await.unwrap();
        let told = tokio::time::timeout(Duration::ZERO, watching.next()).await;
        assert!(told.is_err(), "nothing is there, and there is room: {told:?}");
    }
    let mut kept = Vec::new();
    for round in 0..100 {
        kept.push(node.watch(format!("k{round}")).await.unwrap());
    }
    let mut refused = node.watch("one more").await.unwrap();
    let told = tokio::time::timeout(PATIENCE, refused.next()).await.unwrap();
    assert_eq!(told, Some(Err(WatchError::Busy)));
    assert_eq!(refused.next().await, None);
    net.close().await;
}

#[tokio::test]
async fn a_watch_that_cannot_begin_says_why() {
    let net = testnet(1).await.unwrap();
    let empty = net.nodes[0].watch("").await;
    assert!(matches!(empty, Err(WatchError::Key(_))), "{empty:?}");
    let node = watcher(&net).await;
    net.close().await;
    let mut watching = node.watch("k").await.unwrap();
    let told = tokio::time::timeout(PATIENCE, watching.next()).await.unwrap();
    assert_eq!(told, Some(Err(WatchError::Unreachable)));
    assert_eq!(watching.next().await, None);
    let copy = node.clone();
    node.close().await;
    assert!(matches!(copy.watch("k").await, Err(WatchError::Closed)));
}
