//! What goes on for a while: watches, and lookups step by step.

use xorbit::testnet;

use crate::caller::{Events, ask, gateway};

#[tokio::test]
async fn a_watch_tells_each_version_and_goes_on_where_another_ended() {
    let network = testnet(4).await.expect("loopback");
    let gateway = gateway(&network.nodes[1], false).await;
    network.nodes[2].put("k", "one").await.expect("all are up");
    let mut events = Events::of(&gateway, "/v1/kv/k/watch", "").await;
    let heard = events.until("\"value\":\"one\"").await;
    assert!(heard.contains("content-type: text/event-stream"), "{heard}");
    let second = network.nodes[3].put("k", "two").await.expect("all are up");
    let id = format!("event: version\nid: {}\n", second.version.expect("a record"));
    let heard = events.until("\"value\":\"two\"").await;
    assert!(heard.contains(&id), "{heard}");
    network.nodes[0].delete("k").await.expect("all are up");
    events.until("\"deleted\":true").await;
    let after = format!("Last-Event-ID: {}\r\n", second.version.expect("a record"));
    let mut later = Events::of(&gateway, "/v1/kv/k/watch", &after).await;
    let heard = later.until("\"deleted\":true").await;
    assert!(!heard.contains("\"value\""), "{heard}");
    let wrong = ask(&gateway, "GET /v1/kv/k/watch", &["Last-Event-ID: soon"], b"").await;
    assert_eq!(wrong.status, 400);
    network.close().await;
}

#[tokio::test]
async fn a_lookup_tells_whom_it_asks_and_then_who_is_closest() {
    let network = testnet(8).await.expect("loopback");
    let gateway = gateway(&network.nodes[0], false).await;
    let mut events = Events::of(&gateway, "/v1/lookup/k", "").await;
    let heard = events.until("\"ended\":\"converged\"").await;
    assert!(heard.matches("event: step").count() >= 7, "{heard}");
    let by_place = "/v1/lookup/hex:0123456789abcdef0123456789abcdef01234567";
    let mut events = Events::of(&gateway, by_place, "").await;
    let heard = events.until("event: end").await;
    assert!(heard.contains("event: step"), "{heard}");
    let wrong = ask(&gateway, "GET /v1/lookup/hex:012", &[], b"").await;
    assert_eq!(wrong.status, 400);
    network.close().await;
}
