//! Keys and values.

use std::time::Duration;

use serde_json::json;
use xorbit::{Node, Signer, testnet};

use crate::caller::{ask, gateway};

fn value(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 996 * 31 + at % 251) as u8).collect()
}

#[tokio::test]
async fn a_value_put_at_one_node_comes_back_from_another_with_its_type_version_and_end() {
    let network = testnet(8).await.expect("loopback");
    let (first, second) =
        (gateway(&network.nodes[0], false).await, gateway(&network.nodes[7], false).await);
    let kind = ["Content-Type: text/x-greeting"];
    let put = ask(&first, "PUT /v1/kv/greeting%20%2F?ttl=1h", &kind, b"hello").await;
    assert_eq!(put.status, 200, "{put:?}");
    let version = put.header("xorbit-version").expect("a version").to_owned();
    let line = format!("stored: 8 replicas of 8 known, version {version}\n");
    assert_eq!(put.text(), line);
    let got = ask(&second, "GET /v1/kv/greeting%20%2F", &[], b"").await;
    assert_eq!((got.status, got.text()), (200, "hello"));
    assert_eq!(got.header("content-type"), Some("text/x-greeting"));
    assert_eq!(got.header("etag"), Some(format!("\"{version}\"").as_str()));
    assert_eq!(got.header("xorbit-replicas"), Some("8/8"));
    let expires: u64 = got.header("xorbit-expires-ms").expect("an end").parse().expect("a number");
    let left = expires - xorbit::wall_clock().0;
    assert!((3_500_000..=3_600_000).contains(&left), "{left} ms");
    // A stranger's value is no page of ours.
    assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
    assert!(got.header("content-security-policy").is_some_and(|policy| policy.contains("sandbox")));
    let head = ask(&second, "HEAD /v1/kv/greeting%20%2F", &[], b"").await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("5")));
    assert!(head.body.is_empty());
    let report =
        ask(&second, "GET /v1/kv/greeting%20%2F", &["Accept: application/json"], b"").await;
    let report = report.json();
    assert_eq!((&report["value"], &report["agreed"]), (&json!("hello"), &json!(8)));
    network.close().await;
}

#[tokio::test]
async fn writes_go_through_only_over_the_version_that_they_expect() {
    let network = testnet(4).await.expect("loopback");
    let gateway = gateway(&network.nodes[1], false).await;
    let first = ask(&gateway, "PUT /v1/kv/k", &["If-None-Match: *"], b"1").await;
    let tag = first.header("etag").expect("a tag").to_owned();
    let again = ask(&gateway, "PUT /v1/kv/k", &["If-None-Match: *"], b"2").await;
    assert_eq!((again.status, &again.json()["kind"]), (412, &json!("conflict")));
    let over = format!("If-Match: {tag}");
    let second = ask(&gateway, "PUT /v1/kv/k", &[&over], b"2").await;
    assert_eq!(second.status, 200, "{second:?}");
    let late = ask(&gateway, "PUT /v1/kv/k", &[&over], b"3").await;
    let current = second.header("xorbit-version").expect("a version");
    assert_eq!(late.status, 412);
    assert_eq!(late.json()["current"].to_string(), current);
    let late = ask(&gateway, "DELETE /v1/kv/k", &[&over], b"").await;
    assert_eq!(late.status, 412, "{late:?}");
    // Who knows the version is not sent it again.
    let known = format!("If-None-Match: \"{current}\"");
    let unchanged = ask(&gateway, "GET /v1/kv/k", &[&known], b"").await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    let over = format!("If-Match: \"{current}\"");
    let deleted = ask(&gateway, "DELETE /v1/kv/k", &[&over, "Accept: application/json"], b"").await;
    assert_eq!(deleted.status, 200, "{deleted:?}");
    assert_eq!(deleted.json()["replicas"]["stored"].as_array().map(Vec::len), Some(4));
    let gone = ask(&gateway, "GET /v1/kv/k", &[], b"").await;
    assert_eq!((gone.status, &gone.json()["reason"]), (404, &json!("deleted")));
    network.close().await;
}

#[tokio::test]
async fn namespaces_keep_keys_apart_and_signed_ones_are_read_only() {
    let network = testnet(4).await.expect("loopback");
    let gateway = gateway(&network.nodes[0], false).await;
    ask(&gateway, "PUT /v1/kv/k?namespace=team", &[], b"ours").await;
    assert_eq!(ask(&gateway, "GET /v1/kv/k", &[], b"").await.status, 404);
    let ours = ask(&gateway, "GET /v1/kv/k?namespace=team&consistency=all", &[], b"").await;
    assert_eq!(ours.text(), "ours");
    let signer = Signer::from_seed(&[7; 32]);
    network.nodes[2].put("k", "signed").signer(&signer).await.expect("all are up");
    let from = format!("GET /v1/kv/k?from={}", signer.public_key());
    assert_eq!(ask(&gateway, &from, &[], b"").await.text(), "signed");
    network.close().await;
}

#[tokio::test]
async fn large_values_stream_both_ways_and_what_is_too_large_is_told_before_it_comes() {
    let network = testnet(8).await.expect("loopback");
    let door = network.door().expect("a node");
    let listen = "127.0.0.1:0".parse().expect("an address");
    let node = Node::builder().listen(listen).join(door).max_value(2_000_000);
    let node = node.start().await.expect("loopback");
    let gateway = gateway(&node, true).await;
    let large = value(1_500_000);
    let put = ask(&gateway, "PUT /v1/kv/large", &["Accept: application/json"], &large).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert!(put.json()["chunks"]["stored"].as_u64() > Some(1000));
    let got = ask(&gateway, "GET /v1/kv/large", &[], b"").await;
    assert!(got.body == large && got.header("content-length") == Some("1500000"));
    let told = ask(&gateway, "GET /v1/kv/large", &["Accept: application/json"], b"").await.json();
    assert!(told["chunks"].as_u64() > Some(1000) && told.get("value").is_none(), "{told}");
    let head = ask(&gateway, "HEAD /v1/kv/large", &[], b"").await;
    assert_eq!(head.header("content-length"), Some("1500000"));
    let above = ask(&gateway, "PUT /v1/kv/large", &[], &value(2_000_001)).await;
    assert_eq!((above.status, &above.json()["limit"]), (413, &json!(2_000_000)));
    let chunked = [&b"1e8481\r\n"[..], &value(2_000_001), b"\r\n0\r\n\r\n"].concat();
    let head = format!(
        "PUT /v1/kv/large HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
        gateway.address()
    );
    let answer = crate::caller::raw(gateway.address(), &[head.as_bytes(), &chunked].concat()).await;
    assert!(answer.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer));
    node.close().await;
    network.close().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_told_with_the_value_at_fault() {
    let network = testnet(2).await.expect("loopback");
    let gateway = gateway(&network.nodes[0], false).await;
    let long_key = format!("GET /v1/kv/{}", "k".repeat(1025));
    for (what, headers, status, part) in [
        ("GET /v1/kv/k?consistency=most", &[][..], 400, "consistency"),
        ("GET /v1/kv/k?from=abc", &[], 400, "`abc`"),
        ("GET /v1/kv/k?from=abc&namespace=n", &[], 400, "namespace"),
        ("GET /v1/kv/%ff", &[], 400, "UTF-8"),
        (&long_key, &[], 400, "1025"),
        ("PUT /v1/kv/k?ttl=soon", &[], 400, "`soon`"),
        ("PUT /v1/kv/k?ttl=366d", &[], 400, "365"),
        ("PUT /v1/kv/k", &["If-Match: *"], 400, "if-match"),
        ("DELETE /v1/kv/never", &[], 404, "nothing to delete"),
        ("GET /v1/kv/", &[], 404, "`/v1/kv/`"),
        ("GET /v1/other", &[], 404, "`/v1/other`"),
        ("POST /v1/kv/k", &[], 405, "`POST`"),
    ] {
        let answer = ask(&gateway, what, headers, b"").await;
        let told = answer.json();
        assert_eq!(answer.status, status, "{what}: {told}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
        assert_eq!(told["status"], status, "{what}");
        let detail = told["detail"].as_str().expect("words").to_lowercase();
        assert!(detail.contains(&part.to_lowercase()), "{what}: {told}");
    }
    network.close().await;
}

#[tokio::test]
async fn too_few_replicas_are_told_with_the_receipt_and_a_closed_node_as_such() {
    let listen = "127.0.0.1:0".parse().expect("an address");
    let first = Node::builder().listen(listen).start().await.expect("loopback");
    let door = first.local_addrs()[0].to_string();
    let mut full = Vec::new();
    for _ in 0..4 {
        let node = Node::builder().listen(listen).join(&door).shelf(0, 0);
        let node = node.start().await.expect("loopback");
        assert!(node.joined(Duration::from_secs(10)).await.expect("it runs"));
        full.push(node);
    }
    let gateway = gateway(&first, false).await;
    let put = ask(&gateway, "PUT /v1/kv/k", &[], b"v").await;
    let told = put.json();
    assert_eq!((put.status, &told["kind"]), (503, &json!("not_enough_replicas")), "{told}");
    let replicas = &told["receipt"]["replicas"];
    assert_eq!((&replicas["known"], &replicas["needed"]), (&json!(5), &json!(3)), "{told}");
    assert_eq!(replicas["refused"][0]["text"], "full", "{told}");
    for node in full {
        node.close().await;
    }
    first.close().await;
    let closed = ask(&gateway, "GET /v1/kv/k", &[], b"").await;
    assert_eq!((closed.status, &closed.json()["kind"]), (503, &json!("environment")));
}
