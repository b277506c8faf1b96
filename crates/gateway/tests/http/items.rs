//! Raw items, pkarr packets, and topics.

use serde_json::json;
use xorbit::{Item, Seq, Signer, byte_string, testnet};
use xorbit_gateway::hex;

use crate::caller::{ask, gateway};

/// The key of the signer of seven sevens, as pkarr writes it.
const KEY: &str = "7jfgaa9nutjyixzikb7tgmsf9gkwq7iqz498zr1nd5ig1fng4esy";

#[tokio::test]
async fn raw_items_go_in_and_out_as_they_were_signed() {
    let network = testnet(6).await.expect("loopback");
    let (first, second) =
        (gateway(&network.nodes[0], false).await, gateway(&network.nodes[5], false).await);
    let immutable = Item::immutable(b"5:hello").expect("bencoded");
    let path = format!("/v1/items/{}", immutable.target());
    let put = ask(&first, &format!("PUT {path}"), &[], b"5:hello").await;
    assert_eq!((put.status, &put.json()["seq"]), (200, &json!(null)), "{put:?}");
    let got = ask(&second, &format!("GET {path}"), &[], b"").await;
    assert_eq!((got.text(), got.header("xorbit-seq")), ("5:hello", None));
    let told = ask(&second, &format!("GET {path}"), &["Accept: application/json"], b"").await;
    assert_eq!(told.json()["value"], "hello");
    let other = ask(&first, &format!("PUT {path}"), &[], b"5:other").await;
    assert_eq!(other.status, 400, "{other:?}");

    let signer = Signer::from_seed(&[7; 32]);
    let seq = |number| Seq::new(number).expect("a version");
    let item =
        |number, value: &[u8]| Item::mutable(&signer, b"s", seq(number), value).expect("bencoded");
    let put = |item: &Item, more: &str| {
        let borrowed = item.as_ref();
        let signed = borrowed.signed().expect("mutable");
        let signature = hex::encode(&signed.signature);
        format!(
            "PUT /v1/items/{}?key={}&seq={}&signature={signature}&salt=s{more}",
            item.target(),
            signed.key,
            signed.seq,
        )
    };
    let one = item(3, b"3:one");
    assert_eq!(ask(&first, &put(&one, ""), &[], b"3:one").await.status, 200);
    // Signed is what was signed.
    assert_eq!(ask(&first, &put(&one, ""), &[], b"3:two").await.status, 400);
    let two = item(4, b"3:two");
    let late = ask(&first, &put(&two, "&cas=2"), &[], b"3:two").await;
    assert_eq!((late.status, &late.json()["current"]), (412, &json!(3)), "{late:?}");
    assert_eq!(ask(&first, &put(&two, "&cas=3"), &[], b"3:two").await.status, 200);
    assert_eq!(ask(&first, &put(&one, ""), &[], b"3:one").await.status, 412);
    let got = ask(&second, &format!("GET /v1/items/{}?salt=s", two.target()), &[], b"").await;
    assert_eq!((got.text(), got.header("xorbit-seq")), ("3:two", Some("4")));
    assert_eq!(got.header("xorbit-key"), Some(signer.public_key().to_string().as_str()));
    let half = format!("PUT /v1/items/{}?key={}", two.target(), signer.public_key());
    assert_eq!(ask(&first, &half, &[], b"3:two").await.status, 400);
    network.close().await;
}

#[tokio::test]
async fn a_pkarr_packet_is_relayed_and_an_older_one_is_not() {
    let network = testnet(6).await.expect("loopback");
    let (first, second) =
        (gateway(&network.nodes[0], false).await, gateway(&network.nodes[5], false).await);
    let signer = Signer::from_seed(&[7; 32]);
    let payload = |micros: i64, packet: &[u8]| {
        let seq = Seq::new(micros).expect("a time");
        let item = Item::mutable(&signer, b"", seq, &byte_string(packet)).expect("short");
        let signature = item.as_ref().signed().expect("mutable").signature;
        [&signature[..], &micros.to_be_bytes(), packet].concat()
    };
    let (put, get) = (format!("PUT /{KEY}"), format!("GET /{KEY}"));
    assert_eq!(ask(&second, &get, &[], b"").await.status, 404);
    let old = payload(1_700_000_000_000_000, b"old");
    let stored = ask(&first, &put, &[], &old).await;
    assert_eq!((stored.status, stored.header("pkarr-dht-stored-nodes")), (204, Some("6")));
    let new = payload(1_700_000_001_500_000, b"new");
    let unexpected = ask(&first, &put, &["If-Match: 1699999999999999"], &new).await;
    assert_eq!(unexpected.status, 412, "{unexpected:?}");
    assert_eq!(ask(&first, &put, &["If-Match: 1700000000000000"], &new).await.status, 204);
    assert_eq!(ask(&first, &put, &[], &old).await.status, 409);
    let got = ask(&second, &get, &[], b"").await;
    assert!(got.status == 200 && got.body == new, "{got:?}");
    assert_eq!(got.header("last-modified"), Some("Tue, 14 Nov 2023 22:13:21 GMT"));
    let known = ["If-Modified-Since: Tue, 14 Nov 2023 22:13:21 GMT"];
    assert_eq!(ask(&second, &get, &known, b"").await.status, 304);
    let mut forged = new.clone();
    forged[70] ^= 1;
    assert_eq!(ask(&first, &put, &[], &forged).await.status, 400);
    assert_eq!(ask(&first, &put, &[], &[7; 71]).await.status, 400);
    assert_eq!(ask(&first, &put, &[], &[7; 1073]).await.status, 413);
    network.close().await;
}

#[tokio::test]
async fn peers_of_a_topic_are_announced_and_found() {
    let network = testnet(6).await.expect("loopback");
    let (first, second) =
        (gateway(&network.nodes[0], false).await, gateway(&network.nodes[5], false).await);
    assert_eq!(ask(&second, "GET /v1/peers/movies", &[], b"").await.status, 404);
    let announced = ask(&first, "POST /v1/peers/movies?port=6881&seed=true", &[], b"").await;
    assert_eq!((announced.status, announced.text()), (200, "announced: 5 nodes of 5 known\n"));
    let found = ask(&second, "GET /v1/peers/movies", &[], b"").await.json();
    assert_eq!(found["peers"], json!(["127.0.0.1:6881"]));
    for wrong in ["POST /v1/peers/movies", "POST /v1/peers/movies?port=0"] {
        assert_eq!(ask(&first, wrong, &[], b"").await.status, 400, "{wrong}");
    }
    network.close().await;
}

#[tokio::test]
async fn who_is_alone_is_told_that_there_is_nobody_to_announce_to() {
    let network = testnet(1).await.expect("loopback");
    let alone = gateway(&network.nodes[0], false).await;
    let answer = ask(&alone, "POST /v1/peers/movies?port=6881", &[], b"").await;
    let problem = answer.json();
    assert_eq!((answer.status, &problem["kind"]), (504, &json!("unreachable")));
    assert_eq!(problem["detail"], "this node knows no other to ask");
    assert!(problem["hint"].as_str().expect("a hint").contains("--join"), "{problem}");
    network.close().await;
}
