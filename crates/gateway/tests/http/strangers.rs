//! Strangers who need no token for what is open, and pages of other sites.

use serde_json::json;
use xorbit::{Item, testnet};
use xorbit_gateway::{Opened, Token};

use crate::caller::{Answer, ask, opened};

const TOKEN: &str = "0123456789abcdef";
const SHOWN: &str = "Authorization: Bearer 0123456789abcdef";

/// A key that signed nothing here.
const KEY: &str = "/yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";

fn token() -> Option<Token> {
    Some(Token::new(TOKEN).expect("long enough"))
}

#[tokio::test]
async fn what_is_open_asks_for_no_token_and_all_else_still_does() {
    let network = testnet(2).await.expect("loopback");
    let item = Item::immutable(b"5:hello").expect("bencoded");
    let path = format!("/v1/items/{}", item.target());
    let gateway = opened(&network.nodes[0], false, token(), &[Opened::Items], &[]).await;
    // Under whatever name it is called.
    let named = ["Host: relay.example"];
    let put = ask(&gateway, &format!("PUT {path}"), &named, b"5:hello").await;
    assert_eq!(put.status, 200, "{put:?}");
    assert_eq!(ask(&gateway, &format!("GET {path}"), &named, b"").await.text(), "5:hello");
    let other = ["Authorization: Bearer 0123456789abcdeg"];
    assert_eq!(ask(&gateway, &format!("GET {path}"), &other, b"").await.status, 401);
    for closed in [
        format!("GET {KEY}"),
        format!("DELETE {path}"),
        format!("GET {path}/"),
        format!("GET /%76{}", &path[2..]),
        "GET /v1/node".to_owned(),
        "PUT /v1/kv/k".to_owned(),
    ] {
        assert_eq!(ask(&gateway, &closed, &[], b"").await.status, 401, "{closed}");
    }
    // Pages of other sites may still not call.
    let page = ["Origin: http://evil.example"];
    assert_eq!(ask(&gateway, &format!("GET {path}"), &page, b"").await.status, 403);
    network.close().await;
}

#[tokio::test]
async fn on_loopback_what_is_open_may_be_called_by_another_name_and_nothing_else_may() {
    let network = testnet(1).await.expect("loopback");
    let gateway = opened(&network.nodes[0], false, None, &[Opened::Pkarr], &[]).await;
    let named = ["Host: relay.example"];
    assert_eq!(ask(&gateway, &format!("GET {KEY}"), &named, b"").await.status, 404);
    assert_eq!(ask(&gateway, "GET /v1/node", &named, b"").await.status, 403);
    network.close().await;
}

#[tokio::test]
async fn strangers_who_ask_too_often_are_told_when_to_come_again_and_others_are_not_slowed() {
    let network = testnet(1).await.expect("loopback");
    let gateway = opened(&network.nodes[0], false, token(), &[Opened::Pkarr], &[]).await;
    let mut refused: Vec<Answer> = Vec::new();
    for _ in 0..30 {
        let answer = ask(&gateway, &format!("PUT {KEY}"), &[], &[7; 80]).await;
        if answer.status != 400 {
            refused.push(answer);
        }
    }
    let counted = format!("xorbit_http_rate_limited_total {}\n", refused.len());
    let refused = refused.pop().expect("thirty at once are too many");
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert_eq!(refused.json()["kind"], json!("rate_limited"));
    // Reads have a pace of their own, and whoever shows the token has none.
    assert_eq!(ask(&gateway, &format!("GET {KEY}"), &[], b"").await.status, 404);
    for _ in 0..30 {
        let answer = ask(&gateway, &format!("PUT {KEY}"), &[SHOWN], &[7; 80]).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    let metrics = ask(&gateway, "GET /metrics", &[SHOWN], b"").await;
    assert!(metrics.text().contains(&counted), "{counted} in {}", metrics.text());
    network.close().await;
}

const PAGE: &str = "Origin: https://app.example";

#[tokio::test]
async fn a_page_of_a_site_that_was_named_may_call_and_is_told_so() {
    let network = testnet(1).await.expect("loopback");
    let node = &network.nodes[0];
    let gateway = opened(node, false, None, &[], &["https://app.example"]).await;
    let asks = [PAGE, "Access-Control-Request-Method: PUT"];
    let before = ask(&gateway, "OPTIONS /v1/kv/k", &asks, b"").await;
    assert_eq!(before.status, 204, "{before:?}");
    assert_eq!(before.header("access-control-allow-origin"), Some("https://app.example"));
    assert!(before.header("access-control-allow-methods").is_some_and(|all| all.contains("PUT")));
    assert!(before.header("access-control-allow-headers").is_some_and(|all| all.contains("if-ma")));
    let put = ask(&gateway, "PUT /v1/kv/k", &[PAGE], b"value").await;
    assert_eq!(put.status, 200, "{put:?}");
    for told in [put, ask(&gateway, "GET /v1/kv/other", &[PAGE], b"").await] {
        assert_eq!(told.header("access-control-allow-origin"), Some("https://app.example"));
        assert_eq!(told.header("vary"), Some("origin"));
    }
    // Others may not, nor that page under a name that only leads here.
    for refused in [
        &["Origin: https://app.example.evil.example"][..],
        &["Origin: http://app.example"],
        &["Origin: null"],
        &[PAGE, "Host: evil.example"],
    ] {
        let answer = ask(&gateway, "GET /v1/kv/k", refused, b"").await;
        assert_eq!(answer.status, 403, "{refused:?}");
    }
    let before = ["Origin: http://evil.example", "Access-Control-Request-Method: PUT"];
    let refused = ask(&gateway, "OPTIONS /v1/kv/k", &before, b"").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, None));
    network.close().await;
}

#[tokio::test]
async fn any_page_may_call_only_what_is_open_or_asks_for_the_token() {
    let network = testnet(1).await.expect("loopback");
    let node = &network.nodes[0];
    let open = opened(node, false, None, &[Opened::Pkarr], &["*"]).await;
    let read = ask(&open, &format!("GET {KEY}"), &[PAGE], b"").await;
    assert_eq!(read.status, 404);
    assert_eq!(read.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(ask(&open, "GET /v1/node", &[PAGE], b"").await.status, 403);
    let before = [PAGE, "Access-Control-Request-Method: PUT"];
    assert_eq!(ask(&open, &format!("OPTIONS {KEY}"), &before, b"").await.status, 204);
    assert_eq!(ask(&open, "OPTIONS /v1/kv/k", &before, b"").await.status, 403);
    let guarded = opened(node, false, token(), &[], &["*"]).await;
    assert_eq!(ask(&guarded, "GET /livez", &[PAGE], b"").await.status, 403);
    let without = ask(&guarded, "GET /v1/node", &[PAGE], b"").await;
    assert_eq!(without.status, 401);
    assert_eq!(ask(&guarded, "GET /v1/node", &[PAGE, SHOWN], b"").await.status, 200);
    assert_eq!(ask(&guarded, "OPTIONS /v1/kv/k", &before, b"").await.status, 204);
    network.close().await;
}
