//! The files of the dashboard, as they are served.

use std::collections::BTreeSet;
use std::fs;

use xorbit::{Node, testnet};
use xorbit_gateway::Token;

use crate::caller::{ask, gateway, guarded};

async fn node() -> Node {
    testnet(1).await.expect("loopback").nodes.remove(0)
}

/// The names of the files in the folder `web`.
fn sources() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web");
    let entries = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| entry.file_type().expect("its type").is_file());
    files.map(|file| file.file_name().into_string().expect("a name")).collect()
}

#[tokio::test]
async fn every_file_of_the_folder_is_served_with_its_type_and_its_policy() {
    let node = node().await;
    let gateway = gateway(&node, false).await;
    for name in sources() {
        let path = match name.as_str() {
            "index.html" => "GET /".to_owned(),
            _ => format!("GET /dashboard/{name}"),
        };
        let answer = ask(&gateway, &path, &[], b"").await;
        assert_eq!(answer.status, 200, "{name}");
        let (_, ending) = name.rsplit_once('.').expect("an ending");
        let kind = match ending {
            "html" => "text/html; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{other}"),
        };
        assert_eq!(answer.header("content-type"), Some(kind), "{name}");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let file = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/{}"), name);
        assert_eq!(answer.body, fs::read(file).expect("the file"), "{name}");
    }
    node.close().await;
}

#[tokio::test]
async fn a_browser_that_has_a_file_is_not_sent_it_again() {
    let node = node().await;
    let gateway = gateway(&node, false).await;
    let first = ask(&gateway, "GET /dashboard/main.js", &[], b"").await;
    let tag = format!("If-None-Match: W/\"other\", {}", first.header("etag").expect("a tag"));
    let again = ask(&gateway, "GET /dashboard/main.js", &[&tag], b"").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let head = ask(&gateway, "HEAD /", &[], b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for nothing in ["GET /dashboard/other.js", "GET /dashboard/", "GET /dashboard/..%2Fstyle.css"] {
        let answer = ask(&gateway, nothing, &[], b"").await;
        assert_eq!((answer.status, answer.json()["kind"].as_str()), (404, Some("not_found")));
    }
    node.close().await;
}

#[tokio::test]
async fn the_page_is_open_and_what_it_asks_is_not() {
    let node = node().await;
    let token = Token::new("0123456789abcdef0123456789abcdef").expect("a good one");
    let gateway = guarded(&node, false, Some(token)).await;
    assert_eq!(ask(&gateway, "GET /", &[], b"").await.status, 200);
    assert_eq!(ask(&gateway, "GET /dashboard/main.js", &[], b"").await.status, 200);
    assert_eq!(ask(&gateway, "GET /dashboard/none.js", &[], b"").await.status, 401);
    assert_eq!(ask(&gateway, "GET /v1/node", &[], b"").await.status, 401);
    node.close().await;
}

#[tokio::test]
async fn a_name_that_was_made_to_resolve_to_loopback_is_shown_no_page() {
    let node = node().await;
    let gateway = gateway(&node, false).await;
    let rebound = ask(&gateway, "GET /", &["Host: evil.example"], b"").await;
    assert_eq!(rebound.status, 403);
    node.close().await;
}
