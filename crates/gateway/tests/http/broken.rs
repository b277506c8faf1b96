//! Requests that do not end, or end too soon.

use xorbit::testnet;

use crate::caller::{ask, gateway, raw};

#[tokio::test]
async fn a_head_without_end_is_cut_off_and_a_request_that_breaks_off_stores_nothing() {
    let network = testnet(2).await.expect("loopback");
    let gateway = gateway(&network.nodes[0], true).await;
    let endless = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: {}", "x".repeat(200_000));
    let answer = raw(gateway.address(), endless.as_bytes()).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || text.starts_with("HTTP/1.1 431"), "{text}");
    let half = "PUT /v1/kv/half HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nhalf";
    raw(gateway.address(), half.as_bytes()).await;
    assert_eq!(ask(&gateway, "GET /v1/kv/half", &[], b"").await.status, 404);
    network.close().await;
}
