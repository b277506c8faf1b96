//! Callers that talk nonsense, slowly, or too much.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xorbit::testnet;

use crate::caller::{ask, gateway, raw};

/// Requests that are sent; each is damaged in another way.
const REQUESTS: u64 = 24_000;

/// Numbers that look random, the same in each run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

const METHODS: [&str; 9] =
    ["GET", "PUT", "DELETE", "HEAD", "POST", "OPTIONS", "CONNECT", "get", "G\u{1}T"];

const PATHS: [&str; 16] = [
    "/v1/kv/k",
    "/v1/kv/%00%ff%2f..%2f",
    "/v1/kv/k/watch",
    "/v1/kv/k?ttl=99999999999999999999d",
    "/v1/kv/k?consistency=first&consistency=all",
    "/v1/kv/k?namespace=%ff&from=zz",
    "/v1/lookup/hex:zz",
    "/v1/lookup/k",
    "/v1/node",
    "/v1/routing?x=1",
    "/metrics",
    "/readyz",
    "/openapi.json",
    "/../../etc/passwd",
    "*",
    "http://127.0.0.1/v1/node",
];

const HEADERS: [&str; 14] = [
    "If-Match: \"18446744073709551616\"",
    "If-Match: *, *",
    "If-None-Match: W/\"\"",
    "Content-Length: 18446744073709551615",
    "Content-Length: -1",
    "Content-Length: 3\r\nContent-Length: 4",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked\r\nContent-Length: 2",
    "Expect: 100-continue",
    "Last-Event-ID: -9",
    "Accept: application/json;q=x",
    "Content-Type: \u{7f}\u{80}",
    "Range: bytes=0-0,5-2",
    " folded: header",
];

/// A request that starts as one, and is then damaged.
fn request(noise: &mut Noise) -> Vec<u8> {
    let mut text =
        format!("{} {} HTTP/1.{}\r\n", noise.pick(&METHODS), noise.pick(&PATHS), noise.below(3));
    if noise.below(8) > 0 {
        text.push_str("Host: 127.0.0.1\r\n");
    }
    // A watch would be listened to for ever.
    text.push_str("Connection: close\r\n");
    for _ in 0..noise.below(4) {
        text.push_str(noise.pick(&HEADERS));
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend((0..noise.below(40)).map(|_| noise.next() as u8).collect::<Vec<u8>>());
    for _ in 0..noise.below(3) {
        let at = noise.below(bytes.len());
        match noise.below(3) {
            0 => bytes[at] = noise.next() as u8,
            1 => bytes.truncate(at + 1),
            _ => bytes.insert(at, noise.next() as u8),
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_damaged_requests_meet_no_panic_and_no_fault_of_the_server() {
    let network = testnet(2).await.expect("loopback");
    let gateway = gateway(&network.nodes[0], true).await;
    let to = gateway.address();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..16 {
        callers.spawn(async move {
            let mut noise = Noise(caller);
            let mut answered = 0;
            for _ in 0..REQUESTS / 16 {
                let bytes = request(&mut noise);
                let answer = until_first_line(to, &bytes).await;
                answered += usize::from(!answer.is_empty());
                let fault = answer.starts_with(b"HTTP/1.1 5") || answer.starts_with(b"HTTP/1.0 5");
                let shown = String::from_utf8_lossy(&bytes).into_owned();
                assert!(!fault, "{shown:?}: {}", String::from_utf8_lossy(&answer));
            }
            answered
        });
    }
    let mut answered = 0;
    while let Some(caller) = callers.join_next().await {
        answered += caller.expect("no caller saw a fault");
    }
    assert!(answered as u64 > REQUESTS / 2, "{answered} answers");
    // Nothing of all that is left behind.
    let quiet = async {
        loop {
            let metrics = ask(&gateway, "GET /metrics", &[], b"").await;
            if metrics.text().contains("\nxorbit_http_connections 1\n") {
                return;
            }
            // waits: until it is asked again whether they have ended
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), quiet).await.expect("all connections end");
    assert_eq!(ask(&gateway, "GET /readyz", &[], b"").await.status, 200);
    network.close().await;
}

/// Sends bytes, hears how the answer begins, and hangs up.
async fn until_first_line(to: std::net::SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut answer = vec![0; 512];
    let talk = async {
        let mut stream = TcpStream::connect(to).await.expect("it listens");
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        stream.read(&mut answer).await.unwrap_or(0)
    };
    let length = tokio::time::timeout(Duration::from_secs(20), talk).await.expect("an answer");
    answer.truncate(length);
    answer
}

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
