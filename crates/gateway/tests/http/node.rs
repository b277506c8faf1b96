//! The node itself.

use serde_json::json;
use xorbit::{Node, testnet};

use crate::caller::{ask, gateway};

#[tokio::test]
async fn a_network_of_one_is_ready_and_a_node_that_cannot_join_is_not() {
    let listen = "127.0.0.1:0".parse().expect("an address");
    let alone = Node::builder().listen(listen).start().await.expect("loopback");
    let gateway_alone = gateway(&alone, false).await;
    assert_eq!(ask(&gateway_alone, "GET /readyz", &[], b"").await.status, 200);
    // Nobody listens at the discard port.
    let lost = Node::builder().listen(listen).join("127.0.0.1:9").start().await.expect("loopback");
    let gateway_lost = gateway(&lost, true).await;
    assert_eq!(ask(&gateway_lost, "GET /livez", &[], b"").await.status, 200);
    assert_eq!(ask(&gateway_lost, "GET /readyz", &[], b"").await.status, 503);
    alone.close().await;
    lost.close().await;
}

#[tokio::test]
async fn readiness_ends_when_the_overlay_falls_silent() {
    let mut network = testnet(2).await.expect("loopback");
    let gateway = gateway(&network.nodes[0], true).await;
    let mine = network.nodes.remove(0);
    assert_eq!(ask(&gateway, "GET /readyz", &[], b"").await.status, 200);
    network.close().await;
    let end = std::time::Instant::now() + std::time::Duration::from_secs(15);
    while ask(&gateway, "GET /readyz", &[], b"").await.status != 503 {
        assert!(std::time::Instant::now() < end, "still ready");
        // waits: until it is asked again
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    mine.close().await;
}

#[tokio::test]
async fn a_node_tells_who_it_is_whom_it_knows_and_what_it_has_done() {
    let network = testnet(6).await.expect("loopback");
    let gateway = gateway(&network.nodes[2], true).await;
    let id = network.nodes[2].info().await.expect("it runs").id.to_string();
    ask(&gateway, "PUT /v1/kv/k", &[], b"v").await;
    let node = ask(&gateway, "GET /v1/node", &[], b"").await.json();
    assert_eq!(
        (&node["id"], &node["contacts_v4"], &node["items"], &node["replicas"]),
        (&json!(id), &json!(5), &json!(1), &json!(8))
    );
    let routing = ask(&gateway, "GET /v1/routing", &[], b"").await.json();
    let contacts = routing["contacts"].as_array().expect("contacts");
    assert_eq!(contacts.len(), 5);
    assert!(contacts.iter().all(|contact| contact["failures"] == 0 && contact["xorbit"] == true));
    let stats = ask(&gateway, "GET /v1/stats", &[], b"").await.json();
    assert!(stats["sent"].as_u64() > Some(5) && stats["answered"]["ping"].is_u64(), "{stats}");
    let held = ask(&gateway, "GET /v1/held?limit=7", &[], b"").await.json();
    let item = &held["items"][0];
    assert_eq!((&held["total"], &item["kind"]), (&json!(1), &json!("mutable")), "{held}");
    assert!(item["held_until_ms"].as_u64() > item["version"].as_u64().map(|us| us / 1000));
    assert_eq!(ask(&gateway, "GET /v1/held?limit=1001", &[], b"").await.status, 400);
    let metrics = ask(&gateway, "GET /metrics", &[], b"").await;
    for line in ["xorbit_contacts{family=\"ipv4\"} 5\n", "xorbit_items 1\n", "# EOF\n"] {
        assert!(metrics.text().contains(line), "{line} in {}", metrics.text());
    }
    assert!(metrics.header("content-type").is_some_and(|kind| kind.contains("openmetrics")));
    let described = ask(&gateway, "GET /openapi.json", &[], b"").await.json();
    assert_eq!(
        described,
        serde_json::from_str::<serde_json::Value>(&xorbit_gateway::openapi()).expect("JSON")
    );
    for path in ["/v1/kv/{key}", "/v1/kv/{key}/watch", "/v1/lookup/{key}", "/metrics", "/readyz"] {
        assert!(described["paths"][path]["get"].is_object(), "{path}");
    }
    network.close().await;
}
