//! Who may ask.

use serde_json::json;
use xorbit::testnet;
use xorbit_gateway::Token;

use crate::caller::{ask, gateway, guarded};

#[tokio::test]
async fn pages_of_other_sites_get_nothing_under_whatever_name_they_call() {
    let network = testnet(1).await.expect("loopback");
    let gateway = gateway(&network.nodes[0], false).await;
    let own = format!("Origin: http://{}", gateway.address());
    for allowed in [&[][..], &[own.as_str()], &["Host: localhost:1"], &["Host: [::1]"]] {
        assert_eq!(ask(&gateway, "GET /v1/node", allowed, b"").await.status, 200, "{allowed:?}");
    }
    for refused in [
        &["Host: evil.example"][..],
        &["Host: evil.example:8080"],
        &["Host: localhost.evil.example"],
        &["Origin: http://evil.example"],
        &["Origin: null"],
        &["Host: localhost", "Origin: http://127.0.0.1"],
    ] {
        for what in ["GET /v1/node", "PUT /v1/kv/k", "DELETE /v1/kv/k", "GET /metrics"] {
            let answer = ask(&gateway, what, refused, b"").await;
            assert_eq!(answer.status, 403, "{what} {refused:?}");
            assert!(answer.header("access-control-allow-origin").is_none());
        }
    }
    let two = ask(&gateway, "GET /v1/node", &["Host: localhost", "Host: evil.example"], b"").await;
    assert_eq!(two.status, 400);
    network.close().await;
}

#[tokio::test]
async fn where_a_token_is_asked_for_only_health_is_told_without() {
    let network = testnet(1).await.expect("loopback");
    let token = Token::new("0123456789abcdef").expect("long enough");
    let gateway = guarded(&network.nodes[0], false, Some(token)).await;
    let right = "Authorization: Bearer 0123456789abcdef";
    for what in ["GET /v1/node", "PUT /v1/kv/k", "GET /metrics", "GET /openapi.json", "GET /no"] {
        for headers in
            [&[][..], &["Authorization: Bearer 0123456789abcdeg"], &["Authorization: Basic x"]]
        {
            let answer = ask(&gateway, what, headers, b"").await;
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
            assert_eq!(answer.json()["kind"], json!("unauthorized"));
        }
        assert_ne!(ask(&gateway, what, &[right], b"").await.status, 401, "{what}");
    }
    // Beyond loopback a node is called by whatever name it has.
    let named = ask(&gateway, "GET /v1/node", &[right, "Host: node.example"], b"").await;
    assert_eq!(named.status, 200);
    for health in ["GET /livez", "GET /readyz"] {
        assert_eq!(ask(&gateway, health, &[], b"").await.status, 200, "{health}");
    }
    network.close().await;
}
