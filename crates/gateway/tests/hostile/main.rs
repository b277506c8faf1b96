//! Callers that talk nonsense, or too much. In a process of its own, whose memory and open files are
//! counted.

#[path = "../http/caller.rs"]
#[expect(dead_code, reason = "what callers of good will need")]
mod caller;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xorbit::testnet;
use xorbit_gateway::{Gateway, Opened};

use caller::{ask, opened};

/// Requests that are sent; each is damaged in another way.
const REQUESTS: u64 = 24_000;

/// Callers at once.
const CALLERS: u64 = 16;

/// What the memory of node, gateway and callers may grow by while the second half is sent, in KiB:
/// some 100 were seen, and a leak of 300 bytes a request takes more.
const GROWTH_KIB: u64 = 3 << 10;

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

const PATHS: [&str; 29] = [
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
    "/v1/held?limit=18446744073709551616",
    "/v1/stats",
    "/livez",
    "/v1/peers/",
    "/v1/peers/%F0%9F?port=65536&seed=maybe",
    "/v1/peers/t?port=1&port=2",
    "/v1/items/0a4d55a8d778e5022fab701977c5d840bbc486d0",
    "/v1/items/0a4d55a8d778e5022fab701977c5d840bbc486d0?key=00&seq=-1&signature=zz&cas=1",
    "/v1/items/%30a4d55a8d778e5022fab701977c5d840bbc486d?salt=%00",
    "/7jfgaa9nutjyixzikb7tgmsf9gkwq7iqz498zr1nd5ig1fng4esy",
    "/7jfgaa9nutjyixzikb7tgmsf9gkwq7iqz498zr1nd5ig1fng4es9?policy=network-only",
    "/yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
    "/v1/kv/k?trace=perhaps",
    "/metrics",
    "/readyz",
    "/openapi.json",
    "/../../etc/passwd",
    "*",
    "http://127.0.0.1/v1/node",
];

const HEADERS: [&str; 22] = [
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
    "Origin: https://app.example",
    "Origin: \u{ff}://",
    "Origin: https://app.example\r\nAccess-Control-Request-Method: G\u{7}T",
    "Origin: null\r\nAccess-Control-Request-Headers: *, *",
    "Authorization: Bearer \u{0}",
    "If-Modified-Since: Tue, 99 Nov 0000 99:99:99 GMT",
    "If-Match: \"-1\"\r\nIf-Match: 99999999999999999999",
    "Upgrade: h2c\r\nHTTP2-Settings: AAAA",
];

/// The Host: mostly one that may ask, else a stranger's, whose pace is bounded, two, or none.
const HOSTS: [&str; 8] = [
    "Host: 127.0.0.1\r\n",
    "Host: 127.0.0.1\r\n",
    "Host: 127.0.0.1\r\n",
    "Host: 127.0.0.1\r\n",
    "Host: localhost:1\r\n",
    "Host: relay.example\r\n",
    "Host: [::1]\r\nHost: 127.0.0.1\r\n",
    "",
];

/// A request that starts as one, and is then damaged.
fn request(noise: &mut Noise) -> Vec<u8> {
    let mut text =
        format!("{} {} HTTP/1.{}\r\n", noise.pick(&METHODS), noise.pick(&PATHS), noise.below(3));
    text.push_str(noise.pick(&HOSTS));
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
async fn thousands_of_damaged_requests_meet_no_panic_and_no_fault_and_leave_nothing_behind() {
    let network = testnet(2).await.expect("loopback");
    let groups = [Opened::Pkarr, Opened::Items];
    let gateway = opened(&network.nodes[0], true, None, &groups, &["https://app.example"]).await;
    // What is kept from then on grows in the first half: buffers, tables, threads.
    let answered = pester(&gateway, 0).await;
    calm(&gateway).await;
    let before = Footprint::now();
    let answered = answered + pester(&gateway, 1).await;
    calm(&gateway).await;
    let after = Footprint::now();
    println!("{answered} of {REQUESTS} answered; {before:?}, then {after:?}");
    assert!(answered > REQUESTS / 2, "{answered} answers");
    assert!(after.files <= before.files, "{before:?}, then {after:?}");
    assert!(after.memory_kib <= before.memory_kib + GROWTH_KIB, "{before:?}, then {after:?}");
    assert_eq!(ask(&gateway, "GET /readyz", &[], b"").await.status, 200);
    network.close().await;
}

/// Sends half of all requests; tells how many were answered.
async fn pester(gateway: &Gateway, half: u64) -> u64 {
    let to = gateway.address();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(async move {
            let mut noise = Noise(half * CALLERS + caller);
            let mut answered = 0;
            for _ in 0..REQUESTS / 2 / CALLERS {
                let bytes = request(&mut noise);
                let answer = until_first_line(to, &bytes).await;
                answered += u64::from(!answer.is_empty());
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
    answered
}

/// Waits until no connection is left but the one that asks.
async fn calm(gateway: &Gateway) {
    let quiet = async {
        loop {
            let metrics = ask(gateway, "GET /metrics", &[], b"").await;
            let text = metrics.text();
            if text.contains("\nxorbit_http_connections 1\n")
                && text.contains("\nxorbit_http_requests_under_way 1\n")
            {
                return;
            }
            // waits: until it is asked again whether they have ended
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), quiet).await.expect("all connections end");
}

/// What this process has of the system; nothing where Linux does not tell.
#[derive(Debug)]
struct Footprint {
    files: usize,
    memory_kib: u64,
}

impl Footprint {
    fn now() -> Self {
        let files = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|line| line.trim().strip_suffix(" kB"));
        let memory_kib = resident.and_then(|kib| kib.trim().parse().ok()).unwrap_or(0);
        Self { files, memory_kib }
    }
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
